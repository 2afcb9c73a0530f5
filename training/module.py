"""The training step, as a Lightning module: both networks, their optimisers and the average."""

from __future__ import annotations

import copy
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from models.architecture import stages_for
from models.discriminator import GROUP
from models.generator import Generator
from models.latent import Latent
from training import guiding, ranks
from training.augment import augment
from training.batches import draw_latent, step_rng
from training.growth import Size
from training.guard import Guard, Health, NotFiniteError, descend, longest
from training.information import code_columns, code_loss, label_loss
from training.losses import DISCRIMINATOR, GENERATOR, gradient_penalty, saturation
from training.networks import make_discriminator, make_generator
from training.pixels import floats
from training.recipe import Recipe

_LEAST_HALF_LIFE = 500  # images; right after growing, older layers still mean over many steps


class GanModule(pl.LightningModule):
    """Generator, its moving average, and discriminator.

    `steps` counts batches (Lightning's own global_step counts both optimisers), `shown` images,
    `grown_at` those shown when the networks last grew.
    `spent` is the share of the budget used up; the clock tells it.
    """

    def __init__(self, recipe: Recipe, latent: Latent) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.recipe, self.latent = recipe, latent
        self.gamma = float(recipe.gamma)  # settled by now
        self.strength: Tensor  # of the augmentation; a buffer, since it may be adapted
        self.register_buffer("strength", torch.tensor(float(recipe.augment), dtype=torch.float64))
        self._augmented = float(self.strength)  # the same, as the step asked for it
        self.size = recipe.sizes[0]
        torch.manual_seed(recipe.seed)  # the weights; every later draw has its own generator
        self.generator = make_generator(recipe, latent, self.size.resolution)
        if recipe.frozen and (guide := self.generator.guide) is not None:
            self.generator.requires_grad_(False).eval()  # nor do batch norm's statistics move
            guide.requires_grad_(True)
        self.discriminator = make_discriminator(recipe, latent, self.size.resolution)
        self.average = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self.steps, self.shown, self.grown_at, self.spent = 0, 0, 0, 0.0
        self.losses: dict[str, Tensor] = {}
        self._guides: guiding.Guides | None = None  # of the step
        self.guard, self.health = Guard(), Health()
        self.logits: dict[str, Tensor] = {}  # means of the last step
        self.figures: dict[str, float] = {}  # what is known of the training so far
        self.logit_means: Tensor
        self.register_buffer("logit_means", torch.zeros(3, dtype=torch.float64))

    @property
    def kimg(self) -> float:
        return self.shown / 1000

    def grow(self, size: Size) -> None:
        """Go on at the next size: every network doubles."""
        torch.manual_seed(self.recipe.seed + size.resolution)
        stage = stages_for(size.resolution) - 1
        self.generator.grow(self.recipe.generator_stages[stage])
        self.average = self._grown_average()
        self.discriminator.grow(self.recipe.discriminator_stages[stage])
        self.size, self.grown_at = size, self.shown

    def _grown_average(self) -> Generator:
        """The average so far, the new layers as they begin."""
        older = self.average.state_dict()
        older.update(
            {k.replace("picture.", "former."): v for k, v in older.items() if "picture." in k}
        )
        grown = copy.deepcopy(self.generator).requires_grad_(False).eval()
        fresh = {key for key in grown.state_dict() if key.startswith("picture.")}
        grown.load_state_dict({k: v for k, v in older.items() if k not in fresh}, strict=False)
        return grown

    def advance(self, spent: float) -> None:
        """Take note of the share of the budget used up; a new size fades in by it, and never back
        out where another budget begins it later."""
        self.spent = spent
        self.fade_to(max(self.generator.fade, self.size.fade(spent, self.recipe.fade)))

    def fade_to(self, fade: float) -> None:
        """How far the last doubling has come in, 0 to 1."""
        for network in (self.generator, self.average, self.discriminator):
            network.fade = fade

    def train(self, mode: bool = True) -> GanModule:
        super().train(mode)
        self.average.eval()  # batch norm plays from its averaged statistics
        if self.recipe.frozen:
            self.generator.eval()
        return self

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        recipe = self.recipe
        settings: dict[str, Any] = {
            "lr": recipe.learning_rate * self.health.slowed,
            "betas": (recipe.beta1, recipe.beta2),
            "eps": 1e-8,
            "fused": self.device.type in ("cpu", "cuda"),
        }
        learned = [weight for weight in self.generator.parameters() if weight.requires_grad]
        return [
            torch.optim.Adam(learned, **settings),
            torch.optim.Adam(self.discriminator.parameters(), **settings),
        ]

    def _optimizers(self) -> list[Any]:
        found = self.optimizers()
        return found if isinstance(found, list) else [found]

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """One step of both networks; one that is not finite is undone and counted."""
        before = dict(self.losses), dict(self.logits)
        self._set_learning_rate()
        self.guard.note((self.generator, self.discriminator), self._optimizers()[1].optimizer)
        finite = True
        try:
            self._train_both(*batch)
        except NotFiniteError:
            finite = False
            self.guard.undo()
            self.discriminator.requires_grad_(True)
            self.losses, self.logits = before
        self.health.note(finite)
        shown = len(batch[0]) * ranks.count()
        self.steps += 1
        self.shown += shown
        if finite:
            self._update_average(shown)

    def _train_both(self, images: Tensor, conditions: Tensor) -> None:
        self._augmented = float(self.strength)  # once: on a GPU this waits for all before it
        real = floats(images)
        rng = ranks.BatchGenerator.of(step_rng(self.recipe.seed, self.shown, "step"))
        conditions = self.hide_labels(conditions, rng)
        latent = draw_latent(self.latent, conditions, rng)
        self._guides = guiding.draw(real, self.recipe.guide, rng) if self.recipe.guide else None
        drawn = self.generator(latent, False, self._guides and self._guides.fed)
        fake = torch.tanh(drawn)
        real_logits = self._train_discriminator(real, fake.detach(), conditions, latent, rng)
        if self.kimg >= self.recipe.generator_rest:
            self._train_generator(drawn, fake, real_logits, conditions, latent, rng)

    def _set_learning_rate(self) -> None:
        """Constant, then straight down to nothing over the last share of the budget, where the
        pictures settle (Hägele et al. 2024, on ending a constant schedule whenever one likes)."""
        recipe = self.recipe
        left = (1 - self.spent) / recipe.cooldown if recipe.cooldown else 1.0
        rate = recipe.learning_rate * self.health.slowed * min(1.0, max(0.0, left))
        for optimizer in self._optimizers():
            for group in optimizer.param_groups:
                group["lr"] = rate

    def _train_discriminator(
        self, real: Tensor, fake: Tensor, conditions: Tensor, latent: Tensor, rng: torch.Generator
    ) -> Tensor:
        """One step of D; returns the real logits, without gradient."""
        recipe = self.recipe
        _, optimizer = self._optimizers()
        every = 1 if self.steps < recipe.penalty_warmup else recipe.penalty_every
        penalise = self.gamma > 0 and self.steps % every == 0
        with torch.no_grad():  # the penalties are taken at what D sees, so none passes through here
            seen_real = self._augment(real, rng)
            seen_fake = self._augment(fake.float(), rng)
        seen_real.requires_grad_(penalise)
        seen_fake.requires_grad_(penalise)
        real_logits, classes = self._see(seen_real, conditions, penalise)
        fake_logits, _ = self._see(seen_fake, conditions, penalise)
        self.logits = {"real": real_logits.detach().mean(), "fake": fake_logits.detach().mean()}
        loss = DISCRIMINATOR[recipe.loss](real_logits, fake_logits)
        self.losses["discriminator"] = loss.detach()
        if penalise:
            penalty = gradient_penalty(real_logits, seen_real) + gradient_penalty(
                fake_logits, seen_fake
            )
            self.losses["penalty"] = penalty.detach()
            # Taken every so many steps, it weighs as much more.
            loss = loss + self.gamma / 2 * every * penalty
        if self.latent.codes:
            loss = loss + self._code_weight() * self._code_loss(fake, latent)
        if self.latent.labels:
            loss = loss + recipe.label_weight * label_loss(classes, conditions, self.latent.labels)
        optimizer.zero_grad(set_to_none=True)
        self.manual_backward(loss)
        descend(optimizer, self.discriminator, loss, longest(recipe.clip, every))
        return real_logits.detach()

    def _train_generator(
        self,
        drawn: Tensor,
        fake: Tensor,
        real_logits: Tensor,
        conditions: Tensor,
        latent: Tensor,
        rng: torch.Generator,
    ) -> None:
        """One step of G against the D just trained. The real logits are those from before D's
        step: they only set how hard each pair pulls, and a forward pass is saved, which costs the
        pictures nothing (MEASUREMENTS.md)."""
        recipe = self.recipe
        optimizer, _ = self._optimizers()
        self.discriminator.requires_grad_(False)  # its weights need no gradient here
        fake_logits, classes = self._see(self._augment(fake.float(), rng), conditions)
        loss = GENERATOR[recipe.loss](real_logits, fake_logits)
        self.losses["generator"] = loss.detach()
        if recipe.saturation:
            burnt = saturation(drawn.float())
            self.losses["burnt"] = burnt.detach()
            loss = loss + recipe.saturation * burnt
        if self._guides is not None:
            missed = self._guides.missed(fake) / recipe.guide
            self.losses["guide"] = missed.detach()
            loss = loss + recipe.guide_weight * missed
        # a guide may ask for another shape than the labels and codes, which are learned already
        if self.latent.codes and not recipe.frozen:
            loss = loss + self._code_weight() * self._code_loss(fake, latent)
        if self.latent.labels and not recipe.frozen:
            missed = label_loss(classes, conditions, self.latent.labels)
            self.losses["labels"] = missed.detach()
            loss = loss + self._label_ramp() * recipe.label_weight * missed
        optimizer.zero_grad(set_to_none=True)
        self.manual_backward(loss)
        descend(optimizer, self.generator, loss, recipe.clip)
        self.discriminator.requires_grad_(True)

    def _augment(self, images: Tensor, rng: torch.Generator) -> Tensor:
        return augment(images, self._augmented, rng, self.recipe.cutout)

    def judge(self, images: Tensor, conditions: Tensor) -> Tensor:
        """D's logits, (N,) float32, with the labels as far as they are ramped in."""
        return self._see(images, conditions)[0]

    def _see(
        self, images: Tensor, conditions: Tensor, penalised: bool = False
    ) -> tuple[Tensor, Tensor]:
        """D's logits, (N,), and its reading of the labels, (N, label widths), float32.

        penalised: they will be differentiated twice, which a compiled network cannot be, so it
        runs as it is.
        """
        see = self.discriminator.forward if penalised else self.discriminator
        logits, classes = see(images, conditions, self._label_ramp())
        return logits.float(), classes.float()

    def _label_ramp(self) -> float:
        """How far the labels count by now, 0 to 1: from the first step on, few images collapse."""
        recipe = self.recipe
        ramp = (self.kimg - recipe.label_start) / max(recipe.label_full - recipe.label_start, 1e-9)
        return min(1.0, max(0.0, ramp))

    def _code_weight(self) -> float:
        """High while the codes find their meaning, then low, or they drown z."""
        recipe = self.recipe
        left = max(0.0, 1 - self.kimg / recipe.code_settle) if recipe.code_settle else 0.0
        return recipe.code_weight + (recipe.code_start - recipe.code_weight) * left

    def _code_loss(self, fake: Tensor, latent: Tensor) -> Tensor:
        """How badly Q reads the codes, from fakes without augmentation: colour may be a code.

        This is a pass through D of its own, so a quarter of the batch has to do, where that makes
        whole groups for the minibatch deviation.
        """
        some = len(fake) // 4 if len(fake) % (4 * GROUP) == 0 else len(fake)
        truth = code_columns(latent[:some], self.latent.slices(), self.latent.codes)
        guess = self.discriminator.recognise(fake[:some]).float()
        missed, known = code_loss(guess, truth, self.latent.codes)
        self.losses["codes"] = missed.detach()
        self.losses |= {f"mi_{name}": value for name, value in known.items()}
        return missed

    def hide_labels(self, conditions: Tensor, rng: torch.Generator) -> Tensor:
        """Hide known labels now and then, so that the generator can also draw without them."""
        keep = [
            (ranks.rand(len(conditions), 1, rng=rng) >= self.recipe.label_drop)
            .float()
            .expand(-1, label.width)
            for label in self.latent.labels
        ]
        return conditions * torch.cat(keep, dim=1).to(conditions.device) if keep else conditions

    @torch.no_grad()
    def _update_average(self, images: int) -> None:
        """The moving average of weights and batch norm's statistics."""
        # A tenth of what has been shown since the networks last grew, so that what new layers
        # begin with is soon forgotten.
        half_life = 0.1 * (self.shown - self.grown_at) + (_LEAST_HALF_LIFE if self.grown_at else 0)
        half_life = min(self.recipe.ema_kimg * 1000, half_life)
        decay = 0.5 ** (images / half_life) if half_life > 0 else 0.0
        average_state(self.average, self.generator, decay)

    @torch.no_grad()
    def sample(self, latent: Tensor, guides: Tensor | None = None) -> Tensor:
        """Pictures of the averaged generator: (N, width), and guides for them (N, GUIDE²) ->
        (N, 3, S, S) float32 on the CPU."""
        parts = latent.split(64)
        along = [None] * len(parts) if guides is None else guides.to(self.device).split(64)
        pictures = [
            self.average(part.to(self.device), guides=guide).float().cpu()
            for part, guide in zip(parts, along, strict=True)
        ]
        return torch.cat(pictures)


def average_state(average: nn.Module, current: nn.Module, decay: float) -> None:
    """average ← decay · average + (1 − decay) · current, for parameters and float buffers."""
    mine, theirs = average.state_dict(), current.state_dict()
    kept = [key for key in mine if mine[key].is_floating_point()]
    torch._foreach_lerp_([mine[k] for k in kept], [theirs[k] for k in kept], 1 - decay)
    for key in mine:
        if key not in kept:
            mine[key].copy_(theirs[key])
