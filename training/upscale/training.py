"""The training step of an upscaler, in SRGAN's order (Ledig et al. 2017): pixels first, then a
critic.

The first stage alone gives the best PSNR and soft edges; the second, at a small weight, makes them
decide. Every step's crops follow from the seed and the step's number.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.upscaler import Chained, Upscaler
from training.checkpoint import (
    CheckpointError,
    moments,
    read_state,
    restore_moments,
    write_state,
)
from training.muon import Muon
from training.precision import fastest, in_bfloat16
from training.upscale import losses
from training.upscale.critic import Critic
from training.upscale.degradation import Kernel, draw_kernel, soil
from training.upscale.level import level
from training.upscale.pictures import Picture, crops
from training.upscale.recipe import UpscaleRecipe

_WARM = 100  # steps in which the rate rises: the first gradients are the roughest
_LEVELLED_BY = 64  # crops
_LEAST = 0.005  # of the rate is left at a stage's end


class Training:
    """An upscaler on its way; of a chain the last network, the others stay as they are.

    pictures: (H, W, 3) uint8 each, both sides at least recipe.side; ValueError otherwise. walk:
    frames of a piece, (N, 2, 3, S, S) in [0, 1], S at least recipe.crop; not for a chain.
    """

    def __init__(
        self,
        upscaler: Upscaler | Chained,
        pictures: Sequence[Picture],
        recipe: UpscaleRecipe,
        walk: Tensor | None = None,
    ) -> None:
        if not len(pictures) or min(min(p.shape[:2]) for p in pictures) < recipe.side:
            raise ValueError(f"training this upscaler needs pictures of {recipe.side} px or more")
        if upscaler.scale != recipe.scale:
            raise ValueError(f"the recipe is for ×{recipe.scale}, the upscaler ×{upscaler.scale}")
        self.recipe, self.pictures, self.device = recipe, pictures, fastest()
        self._low_precision = in_bfloat16(recipe.precision)
        self.walk = walk if walk is None else walk.to(self.device)
        *before, last = (link.to(self.device) for link in upscaler.links)
        self._before = before
        self.upscaler = last.train().requires_grad_(True)
        self.average = AveragedModel(
            last, multi_avg_fn=get_ema_multi_avg_fn(recipe.average)
        ).requires_grad_(False)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.critic = Critic(self._low_precision).to(self.device)
        self.optimizer = Muon(last.parameters(), recipe.learning_rate, decay=recipe.decay)
        self.critic_optimizer = torch.optim.Adam(
            self.critic.parameters(), recipe.critic_rate, betas=(0.0, 0.99)
        )
        self.step = 0

    @property
    def kimg(self) -> float:
        """Thousands of crops shown."""
        return self.step * self.recipe.batch / 1000

    @property
    def result(self) -> Upscaler | Chained:
        """The moving average of the weights, ready to use: levelled for half floats, on the CPU."""
        found = Upscaler(**self.upscaler.kwargs)
        found.load_state_dict(self.average.module.state_dict())
        found = found.eval().requires_grad_(False)
        rng = np.random.default_rng([self.recipe.seed, 8])
        crop = self.recipe.crop
        seen = crops(self.pictures, _LEVELLED_BY, crop, False, rng).to(self.device)
        found = level(found, self._seen(seen).cpu())
        before = [copy.deepcopy(link).cpu() for link in self._before]
        return Chained(*before, found) if before else found

    def advance(self, spent: float) -> dict[str, float]:
        """One step; its losses. spent: the share of the budget used so far, 0 to 1."""
        pixels_end = 1 - self.recipe.adversarial_share
        judged = spent >= pixels_end
        if judged:
            done = (spent - pixels_end) / self.recipe.adversarial_share
            self._set_rate(self.recipe.adversarial_rate, done)
            # A critic that has only begun says nothing yet: its say grows.
            terms = self._terms(critic_say=min(1.0, 4 * done))
        else:
            self._set_rate(self.recipe.learning_rate, spent / pixels_end)
            terms = self._terms()
        self.optimizer.zero_grad()
        torch.stack([weight * loss for weight, loss in terms.values()]).sum().backward()
        self.optimizer.step()
        self.average.update_parameters(self.upscaler)
        self.step += 1
        return {name: loss.item() for name, (_, loss) in terms.items()}

    def save(self, path: Path, account: dict[str, Any]) -> None:
        """Write a checkpoint, with `account` (plain JSON) beside the step. Raises OSError."""
        tensors = {f"network.{k}": v for k, v in self._networks().state_dict().items()}
        for name, (optimizer, network) in self._optimizers().items():
            tensors.update(moments(name, optimizer, network))
        write_state(path, tensors, {**account, "step": self.step})

    def load(self, path: Path) -> dict[str, Any]:
        """Go on from a checkpoint; its account. Raises CheckpointError for a damaged or foreign
        one."""
        tensors, account = read_state(path)
        weights = {
            k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")
        }
        try:
            self._networks().load_state_dict(weights)
            self.step = int(account["step"])
        except (RuntimeError, KeyError) as error:
            raise CheckpointError(
                f"{path} belongs to another upscaler; choose another --name or --out"
            ) from error
        for name, (optimizer, network) in self._optimizers().items():
            restore_moments(name, optimizer, network, tensors)
        return account

    def _networks(self) -> nn.ModuleDict:
        return nn.ModuleDict(
            {"upscaler": self.upscaler, "average": self.average, "critic": self.critic}
        )

    def _optimizers(self) -> dict[str, tuple[torch.optim.Optimizer, nn.Module]]:
        return {
            "optimizer": (self.optimizer, self.upscaler),
            "critic_optimizer": (self.critic_optimizer, self.critic),
        }

    def _set_rate(self, rate: float, done: float) -> None:
        """Half a cosine down to next to nothing, in each stage."""
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        begun = min(1.0, (self.step + 1) / _WARM)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * begun * (_LEAST + (1 - _LEAST) * cosine)

    def _terms(self, critic_say: float | None = None) -> dict[str, tuple[float, Tensor]]:
        """Every loss with its weight. critic_say: how much the critic's counts; None: no critic."""
        recipe = self.recipe
        rng = np.random.default_rng((recipe.seed, self.step))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        kernel = draw_kernel(recipe, generator)
        down, across = losses.shifts(recipe.scale, generator)
        high = self._windows(rng, down, across)
        small = kernel.shrink(high)
        made = self._enlarge(self._seen(soil(small, recipe, generator)))
        terms = {"pixel": (1.0, losses.charbonnier(made, high))}
        if recipe.consistency:
            terms["consistency"] = (recipe.consistency, losses.consistency(made, small, kernel))
        if recipe.pan:
            still, moved = made.chunk(2)
            terms["pan"] = (recipe.pan, losses.pan(still, moved, down, across))
        if self.walk is not None:
            terms |= self._walk_terms(rng)
        if critic_say is not None:
            critic_loss = self.critic.tell_apart(high, made)
            self.critic_optimizer.zero_grad()
            critic_loss.backward()
            self.critic_optimizer.step()
            said = self.critic.judge(high, made)
            for name in ("adversarial", "feature"):
                terms[name] = (critic_say * getattr(recipe, name), said[name])
        return terms

    def _windows(self, rng: np.random.Generator, down: int, across: int) -> Tensor:
        """(batch, 3, side, side): where a pan is asked for, the second half is the first, moved."""
        recipe = self.recipe
        side = recipe.crop * recipe.scale
        count = recipe.batch // 2 if recipe.pan else recipe.batch
        wide = crops(self.pictures, count, recipe.side, recipe.exchange, rng).to(self.device)
        still = wide[..., :side, :side]
        if not recipe.pan:
            return still.contiguous()
        return torch.cat([still, wide[..., down : down + side, across : across + side]])

    def _walk_terms(self, rng: np.random.Generator) -> dict[str, tuple[float, Tensor]]:
        """Of a few windows into a piece's walk, to which there is no original."""
        assert self.walk is not None  # noqa: S101
        crop, size = self.recipe.crop, self.walk.shape[-1]
        found = []
        for index in rng.integers(len(self.walk), size=max(1, self.recipe.batch // 8)):
            y, x = rng.integers(size - crop + 1, size=2)
            found.append(self.walk[index, :, :, y : y + crop, x : x + crop])
        low = torch.stack(found, 1).flatten(0, 1)  # (2N, 3, crop, crop), befores then afters
        made = self._enlarge(low)
        base = F.pixel_shuffle(self.upscaler.base(low), self.upscaler.scale)
        box = Kernel("box", self.upscaler.scale)
        return {
            "piece": (self.recipe.consistency, losses.consistency(made, low, box)),
            "steady": (self.recipe.steady, losses.steadiness(made, base)),
        }

    def _enlarge(self, low: Tensor) -> Tensor:
        """Base and residual, kept neither to the neighbours nor to [0, 1], as a loss is taken of
        them; the convolutions in bfloat16 where that is faster."""
        with torch.autocast(low.device.type, torch.bfloat16, enabled=self._low_precision):
            residual = self.upscaler.residual(low)
        return F.pixel_shuffle(self.upscaler.base(low) + residual.float(), self.upscaler.scale)

    def _seen(self, low: Tensor) -> Tensor:
        """What the network that is trained gets to see of a small picture."""
        with torch.no_grad():
            for link in self._before:
                low = link(low)
        return low
