"""The training step, as a Lightning module: both networks, their optimisers and the average."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.discriminator import Discriminator
from models.generator import Generator
from models.latent import Latent
from training import ranks
from training.augment import augment, mirror
from training.dataset import Dataset
from training.guard import Guard, Health, NotFiniteError, descend
from training.losses import DISCRIMINATOR, GENERATOR, gradient_penalty
from training.nearby import near
from training.recipe import Recipe


class Batches:
    """Endless batches by step number: everything random hangs on (seed, step) alone, so a resumed
    run sees what an uninterrupted one would have seen.

    Yields (images (B, 3, S, S) uint8, conditions (B, C) float32). Every image comes once per
    epoch; the last images of an epoch share a batch with the first of the next.
    """

    def __init__(self, dataset: Dataset, batch: int, seed: int, start: int, flip: bool) -> None:
        self.dataset, self.batch, self.seed, self.start, self.flip = (
            dataset, batch, seed, start, flip,
        )  # fmt: skip
        self.images = dataset.images

    def keep_near(self, device: torch.device) -> None:
        """Hold the pixels on the device that trains, where they fit."""
        self.images = near(self.dataset.images, device)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        step = self.start
        while True:
            images, conditions = self.at(step)
            yield ranks.share(images), ranks.share(conditions)
            step += 1

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        count = len(self.dataset)
        places = range(step * self.batch, (step + 1) * self.batch)
        orders = {e: self._order(e) for e in {place // count for place in places}}
        chosen = torch.stack([orders[place // count][place % count] for place in places])
        images = self.images[chosen.to(self.images.device)]
        if self.flip:
            images = mirror(images, step_rng(self.seed, step, "mirror"))
        return images, self.dataset.conditions[chosen]

    def _order(self, epoch: int) -> Tensor:
        return torch.randperm(len(self.dataset), generator=step_rng(self.seed, epoch, "order"))


def step_rng(seed: int, step: int, purpose: str) -> torch.Generator:
    """Random numbers for one purpose in one step."""
    mixed = np.random.SeedSequence([seed, step, *purpose.encode()]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(mixed[0]))


def draw_latent(latent: Latent, conditions: Tensor, rng: torch.Generator) -> Tensor:
    """Latent vectors with the labels given: z ~ N(0, 1), codes by chance. (N, width)."""
    n = len(conditions)
    parts = [ranks.randn(n, latent.z, rng=rng), conditions.cpu()]
    for code in latent.codes:
        if code.kind == "continuous":
            parts.append(ranks.rand(n, 1, rng=rng) * 2 - 1)
        else:
            value = ranks.randint(0, code.size, n, rng=rng)
            parts.append(F.one_hot(value, code.size).float())
    return torch.cat(parts, dim=1).to(conditions.device)


class GanModule(pl.LightningModule):
    """Generator, its moving average, and discriminator. `steps` counts batches: Lightning's own
    global_step counts both optimisers."""

    def __init__(self, recipe: Recipe, latent: Latent) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.recipe, self.latent = recipe, latent
        self.gamma, self.strength = float(recipe.gamma), float(recipe.augment)  # settled by now
        torch.manual_seed(recipe.seed)  # the weights; every later draw has its own generator
        self.generator = Generator(latent.width, recipe.resolution, recipe.generator_stages)
        self.discriminator = Discriminator(
            recipe.resolution, recipe.discriminator_stages, latent.condition_width, latent.codes
        )
        self.average = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self.steps = 0
        self.losses: dict[str, Tensor] = {}
        self.guard, self.health = Guard(), Health()

    @property
    def kimg(self) -> float:
        return self.steps * self.recipe.batch / 1000

    def train(self, mode: bool = True) -> GanModule:
        super().train(mode)
        self.average.eval()  # batch norm plays from its averaged statistics
        return self

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        recipe = self.recipe
        settings: dict[str, Any] = {
            "lr": recipe.learning_rate * self.health.slowed,
            "betas": (recipe.beta1, recipe.beta2),
            "eps": 1e-8,
            "fused": self.device.type in ("cpu", "cuda"),
        }
        return [
            torch.optim.Adam(self.generator.parameters(), **settings),
            torch.optim.Adam(self.discriminator.parameters(), **settings),
        ]

    def _optimizers(self) -> list[Any]:
        found = self.optimizers()
        return found if isinstance(found, list) else [found]

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """One step of both networks; one that is not finite is undone and counted."""
        losses = dict(self.losses)
        self.guard.note((self.generator, self.discriminator), self._optimizers()[1].optimizer)
        try:
            self._train_both(*batch)
        except NotFiniteError:
            self.guard.undo()
            self.discriminator.requires_grad_(True)
            self.losses = losses
            self.health.skipped += 1
            self.health.in_a_row += 1
            self.steps += 1
        else:
            self.health.in_a_row = 0
            self.steps += 1
            self._update_average()

    def _train_both(self, images: Tensor, conditions: Tensor) -> None:
        real = images.to(torch.float32).div_(127.5).sub_(1)
        rng = ranks.BatchGenerator.of(step_rng(self.recipe.seed, self.steps, "step"))
        conditions = self._hide_labels(conditions, rng)
        latent = draw_latent(self.latent, conditions, rng)
        fake = self.generator(latent)
        real_logits = self._train_discriminator(real, fake.detach(), conditions, latent, rng)
        self._train_generator(fake, real_logits, conditions, latent, rng)

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
        real_logits = self._judge(seen_real, conditions, penalise)
        fake_logits = self._judge(seen_fake, conditions, penalise)
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
            loss = loss + recipe.code_weight * self._code_loss(fake, latent)
        optimizer.zero_grad(set_to_none=True)
        self.manual_backward(loss)
        descend(optimizer, self.discriminator, loss)
        return real_logits.detach()

    def _train_generator(
        self,
        fake: Tensor,
        real_logits: Tensor,
        conditions: Tensor,
        latent: Tensor,
        rng: torch.Generator,
    ) -> None:
        """One step of G against the D just trained. The real logits are those from before D's
        step: they only set how hard each pair pulls, and a forward pass is saved."""
        recipe = self.recipe
        optimizer, _ = self._optimizers()
        self.discriminator.requires_grad_(False)  # its weights need no gradient here
        fake_logits = self._judge(self._augment(fake.float(), rng), conditions)
        loss = GENERATOR[recipe.loss](real_logits, fake_logits)
        self.losses["generator"] = loss.detach()
        if self.latent.codes:
            information = self._code_loss(fake, latent)
            self.losses["codes"] = information.detach()
            loss = loss + recipe.code_weight * information
        optimizer.zero_grad(set_to_none=True)
        self.manual_backward(loss)
        descend(optimizer, self.generator, loss)
        self.discriminator.requires_grad_(True)

    def _augment(self, images: Tensor, rng: torch.Generator) -> Tensor:
        return augment(images, self.strength, rng, self.recipe.cutout)

    def _judge(self, images: Tensor, conditions: Tensor, penalised: bool = False) -> Tensor:
        """D's logits (N,). penalised: they will be differentiated twice, which a compiled network
        cannot, so it runs as it is."""
        recipe = self.recipe
        ramp = (self.kimg - recipe.label_start) / max(recipe.label_full - recipe.label_start, 1e-9)
        weight = min(1.0, max(0.0, ramp))
        judge = self.discriminator.forward if penalised else self.discriminator
        return judge(images, conditions, weight).float()

    def _code_loss(self, fake: Tensor, latent: Tensor) -> Tensor:
        """InfoGAN's bound with fixed σ: cross-entropy, or half the squared error, summed over the
        codes. Q reads fakes without augmentation, so that colour may be a code."""
        guess = self.discriminator.recognise(fake).float()
        where = self.latent.slices()
        total, start = guess.new_zeros(()), 0
        for code in self.latent.codes:
            part, truth = guess[:, start : start + code.width], latent[:, where[code.name]]
            if code.kind == "categorical":
                total = total + F.cross_entropy(part, truth.argmax(1))
            else:
                total = total + F.mse_loss(part, truth) / 2
            start += code.width
        return total

    def _hide_labels(self, conditions: Tensor, rng: torch.Generator) -> Tensor:
        """Hide known labels now and then, so that the generator can also draw without them."""
        keep = [
            (ranks.rand(len(conditions), 1, rng=rng) >= self.recipe.label_drop)
            .float()
            .expand(-1, label.width)
            for label in self.latent.labels
        ]
        return conditions * torch.cat(keep, dim=1).to(conditions.device) if keep else conditions

    @torch.no_grad()
    def _update_average(self) -> None:
        """The moving average of weights and batch norm's statistics."""
        # Half-life: a tenth of what has been shown, so that the beginning is soon forgotten.
        half_life = min(self.recipe.ema_kimg, 0.1 * self.kimg) * 1000
        decay = 0.5 ** (self.recipe.batch / half_life) if half_life > 0 else 0.0
        average_state(self.average, self.generator, decay)

    @torch.no_grad()
    def sample(self, latent: Tensor) -> Tensor:
        """Pictures of the averaged generator: (N, width) -> (N, 3, S, S) float32 on the CPU."""
        pictures = [self.average(part.to(self.device)).float().cpu() for part in latent.split(64)]
        return torch.cat(pictures)


def average_state(average: nn.Module, current: nn.Module, decay: float) -> None:
    """average ← decay · average + (1 − decay) · current, for parameters and float buffers."""
    mine, theirs = average.state_dict(), current.state_dict()
    kept = [key for key in mine if mine[key].is_floating_point()]
    torch._foreach_lerp_([mine[k] for k in kept], [theirs[k] for k in kept], 1 - decay)
    for key in mine:
        if key not in kept:
            mine[key].copy_(theirs[key])
