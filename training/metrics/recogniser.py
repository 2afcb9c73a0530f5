"""A network that reads labels or codes from pictures; trained afresh for each question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from models.latent import Code, Label, columns
from training.augment import augment, mirror
from training.metrics.encoder import prepare
from training.precision import bfloat16_is_fast, fastest
from training.progress import Progress

Part = Label | Code

_BATCH = 64
_PASSES = 40  # over the images; more tell few of them hardly better (MEASUREMENTS.md)
_FEWEST = 300  # steps, however few they are
_RATE = 2e-3
_AT_ONCE = 256
_STRENGTH = 0.3  # how often a picture is shifted or its light changed
_SMALL, _LARGE = 64, 128  # pixels: a mouth of a face at 128 is gone at 64


class Recogniser(nn.Module):
    """(N, 3, side, side) in [-1, 1] -> (N, width of all parts): logits, or a continuous code."""

    def __init__(self, width: int, side: int = _SMALL) -> None:
        super().__init__()
        self.side = side

        def stage(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
            conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=1, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())

        stem = [stage(3, 32, 4, 2)]
        if side == _LARGE:  # looks twice at each size: an eye is a few pixels wide
            stem = [stage(3, 24, 4, 2), stage(24, 24, 3, 1), stage(24, 48, 4, 2),
                    stage(48, 32, 3, 1)]  # fmt: skip
        self.body = nn.Sequential(
            *stem, stage(32, 64, 4, 2), stage(64, 64, 3, 1), stage(64, 128, 4, 2),
            stage(128, 128, 3, 1), stage(128, 128, 4, 2),
        )  # fmt: skip
        # Where something is seen matters: eyes and hair may have the same colours.
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(128 * 4 * 4, width))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.body(x))
        return found

    @torch.no_grad()
    def read(self, images: Tensor) -> Tensor:
        """(N, 3, S, S) uint8, or float in [-1, 1] -> (N, width) float32, on the CPU."""
        device = next(self.parameters()).device
        parts = images.split(_AT_ONCE)
        return torch.cat([self(prepare(part.to(device), self.side)).cpu() for part in parts])


@dataclass(frozen=True)
class Score:
    """How well one part is read. value: accuracy, or R² where number is true; chance: what one
    who has not seen the pictures reaches; count: pictures whose value is known."""

    value: float
    chance: float
    count: int
    number: bool = False  # a continuous code


def steps_for(images: int, most: int) -> int:
    """How many steps a network learns from so many images, at most `most`."""
    return min(most, max(_FEWEST, math.ceil(_PASSES * images / _BATCH)))


def train_recogniser(
    images: Tensor,
    truth: Tensor,
    parts: Sequence[Part],
    *,
    steps: int,
    flip: bool,
    seed: int = 0,
    progress: Progress | None = None,
) -> Recogniser:
    """Train on images (N, 3, S, S) uint8 with their truth (N, width), laid out as the parts are.

    Rows of zeros in a label are unknown, and teach nothing. flip: whether a mirrored image has the
    same values. The same images and seed give the same network on the same CPU.
    """
    rng, device = Generator().manual_seed(seed), fastest()
    # Dropout draws where the network is.
    with torch.random.fork_rng([torch.cuda.current_device()] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        side = _LARGE if images.shape[-1] >= _LARGE else _SMALL
        network = Recogniser(truth.shape[1], side).to(device).train()
        optimizer = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=0.02)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
        for step in range(steps):
            chosen = torch.randint(len(images), (_BATCH,), generator=rng)
            batch = augment(prepare(images[chosen].to(device), side), _STRENGTH, rng)
            batch = (mirror(batch, rng) if flip else batch).contiguous(
                memory_format=torch.channels_last
            )
            with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16_is_fast()):
                guess = network(batch)
            loss = _loss(guess.float(), truth[chosen].to(device), parts)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            if progress is not None:
                progress(step + 1, steps)
    return network.eval().requires_grad_(False)


def _is_number(part: Part) -> bool:
    return isinstance(part, Code) and part.kind == "continuous"


def _loss(guess: Tensor, truth: Tensor, parts: Sequence[Part]) -> Tensor:
    total = guess.sum() * 0  # a gradient of zero where no value is known
    for part, where in columns(parts):
        if _is_number(part):
            total = total + F.mse_loss(guess[:, where], truth[:, where])
            continue
        known = truth[:, where].sum(1) > 0
        if known.any():
            wanted = truth[known, where].argmax(1)
            total = total + F.cross_entropy(guess[known, where], wanted)
    return total


def score(guess: Tensor, truth: Tensor, parts: Sequence[Part]) -> dict[str, Score]:
    """Each part's accuracy or R², where its value is known; a part never known is left out.

    chance: the most common value's share for a label or categorical code, 0 for R².
    """
    found = {}
    for part, where in columns(parts):
        read, wanted = guess[:, where], truth[:, where]
        if _is_number(part):
            spread = (wanted - wanted.mean()).square().sum().clamp(min=1e-12)
            value = float(1 - (read - wanted).square().sum() / spread)
            found[part.name] = Score(value, 0.0, len(wanted), number=True)
            continue
        known = wanted.sum(1) > 0
        if known.any():
            read, wanted = read[known].argmax(1), wanted[known].argmax(1)
            common = wanted.bincount().max() / len(wanted)
            right = (read == wanted).float().mean()
            found[part.name] = Score(float(right), float(common), len(wanted))
    return found
