"""Endless batches, by how many images have been shown: everything random hangs on (seed, shown)
alone, so that a resumed run sees what an uninterrupted one would have seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.latent import Latent
from training import ranks
from training.augment import mirror
from training.dataset import Dataset
from training.nearby import near


class Batches:
    """Yields (images (B, 3, S, S) uint8, conditions (B, C) float32); each rank its share of them.

    Every image comes once per epoch, or as often as its weight says (weights: (N,), mean 1); the
    last images of an epoch share a batch with the first of the next.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch: int,
        seed: int,
        start: int = 0,
        flip: bool = False,
        weights: Tensor | None = None,
    ) -> None:
        self.dataset, self.batch, self.seed, self.start = dataset, batch, seed, start
        self.flip, self.weights = flip, weights
        self.images = dataset.images
        self._orders: dict[int, Tensor] = {}  # by epoch

    def keep_near(self, device: torch.device) -> None:
        """Hold the pixels on the device that trains, where they fit."""
        self.images = near(self.dataset.images, device)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        shown = self.start
        while True:
            images, conditions = self.at(shown)
            yield ranks.share(images), ranks.share(conditions)
            shown += self.batch

    def at(self, shown: int) -> tuple[Tensor, Tensor]:
        """The batch that follows after so many images."""
        count = len(self.dataset)
        places = range(shown, shown + self.batch)
        epochs = {place // count for place in places}
        orders = {e: self._orders[e] if e in self._orders else self._order(e) for e in epochs}
        self._orders = orders  # most batches are of the same epoch as the one before
        chosen = torch.stack([orders[place // count][place % count] for place in places])
        images = self.images[chosen.to(self.images.device)]
        if self.flip:
            images = mirror(images, step_rng(self.seed, shown, "mirror"))
        return images, self.dataset.conditions[chosen]

    def _order(self, epoch: int) -> Tensor:
        """Which image comes when in an epoch: (N,), shuffled."""
        rng = step_rng(self.seed, epoch, "order")
        order = torch.randperm(len(self.dataset), generator=rng)
        if self.weights is None:
            return order
        # Systematic sampling: each image comes its weight rounded down or up, by chance.
        marks = torch.arange(len(order)) + torch.rand(1, generator=rng, dtype=torch.float64)
        shares = self.weights.double().cumsum(0)
        drawn = torch.searchsorted(shares * len(order) / shares[-1], marks)
        return drawn.clamp(max=len(order) - 1)[order]


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
