"""How alike pictures are, cheaply: blurred low-frequency pixels, mirror images counted as equal.

Enough to see a copy and a collapse while training; `installation inspect` looks closer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training.dataset import Dataset
from training.pixels import floats

SIDE = 16  # pixels that pictures are compared at
MOST = 2000  # training images that are searched
_SPREAD = 256  # real images whose diversity is measured


def soft(pictures: Tensor) -> Tensor:
    """(N, 3, S, S) in [-1, 1] -> (N, 3, 16, 16), averaged and blurred with 1 2 1."""
    small = F.adaptive_avg_pool2d(pictures.float(), min(SIDE, pictures.shape[-1]))
    small = F.interpolate(small, (SIDE, SIDE), mode="nearest")
    line = torch.tensor([0.25, 0.5, 0.25]).expand(3, 1, 1, 3)
    small = F.conv2d(F.pad(small, (1, 1, 0, 0), mode="replicate"), line, groups=3)
    return F.conv2d(F.pad(small, (0, 0, 1, 1), mode="replicate"), line.transpose(2, 3), groups=3)


def spread(features: Tensor) -> float:
    """The mean distance between two of them, root mean square over values. (N ≥ 2, 3, 16, 16)."""
    flat = features.flatten(1)
    return float(torch.pdist(flat).mean()) / flat.shape[1] ** 0.5


@dataclass(frozen=True)
class Match:
    """A training image near a picture. distance: 1 is what an image's own nearest one has."""

    index: int
    mirrored: bool
    distance: float


class Likeness:
    """A dataset's images as they are compared: at most 2,000, drawn by the seed."""

    def __init__(self, data: Dataset, seed: int) -> None:
        order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
        self.chosen = order[:MOST]
        parts = [data.images[part] for part in self.chosen.split(200)]
        self.features = torch.cat([soft(floats(part.cpu())) for part in parts])
        self.spread = max(spread(self.features[:_SPREAD]), 1e-6)
        self.usual = self._usual()

    def diversity(self, pictures: Tensor) -> float:
        """How varied pictures are, as a share of the real images' own."""
        return spread(soft(pictures)) / self.spread

    def nearest(self, pictures: Tensor) -> list[Match]:
        """Each picture's nearest training image."""
        distances, both = self._distances(soft(pictures)), len(self.chosen)
        best = distances.min(1)
        return [
            Match(int(self.chosen[place % both]), place >= both, float(value) / self.usual)
            for value, place in zip(best.values, best.indices.tolist(), strict=True)
        ]

    def _distances(self, features: Tensor) -> Tensor:
        """(N, images, then the same mirrored)."""
        known = torch.cat([self.features, self.features.flip(3)])
        return torch.cdist(features.flatten(1), known.flatten(1))

    def _usual(self) -> float:
        """The median distance of an image to its nearest other one."""
        some = min(_SPREAD, len(self.features))
        distances = self._distances(self.features[:some])
        own = torch.arange(some)
        distances[own, own] = distances[own, own + len(self.features)] = float("inf")
        return max(float(distances.min(1).values.median()), 1e-6)
