"""The nearest training images of a picture: found by features, looked at again in pixels.

Features say what a picture shows; pixels, averaged to a few coarse cells, say whether it is also
laid out and coloured the same. A training image counts as it is and mirrored, because training
shows it both ways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Features = Callable[[Tensor], Tensor]  # (N, 3, S, S) uint8 -> (N, D) float32

CANDIDATES = 16  # nearest in features; these alone are looked at in pixels
CELLS = 16  # a side of the coarse picture: what is left when blur and grain are taken away
_QUERIES = 128  # at a time: the distances to 20,000 images then take 10 MB
_IMAGES = 512  # at a time, through the features


@dataclass(frozen=True)
class View:
    """What is compared of N pictures. features, mirrored: (N, D), of each as it is and mirrored;
    coarse: (N, 3, c, c) in [0, 1]."""

    features: Tensor
    mirrored: Tensor
    coarse: Tensor

    def __len__(self) -> int:
        return len(self.features)

    def choose(self, indices: Tensor) -> View:
        return View(self.features[indices], self.mirrored[indices], self.coarse[indices])


@dataclass(frozen=True)
class Nearest:
    """The candidates of N queries, all (N, C), nearest in features first.

    index: into the references. mirrored: whether the reference is nearer that way round.
    feature: Euclidean distance. pixel: root mean square difference of the coarse pictures, 0 to 1.
    """

    index: Tensor
    mirrored: Tensor
    feature: Tensor
    pixel: Tensor


def look(images: Tensor, features: Features) -> View:
    """Take what is compared from images (N, 3, S, S) uint8, a part at a time."""
    parts = images.split(_IMAGES)
    return View(
        torch.cat([features(part) for part in parts]),
        torch.cat([features(part.flip(3)) for part in parts]),
        torch.cat([_coarse(part) for part in parts]),
    )


def _coarse(images: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(images.float() / 255, min(CELLS, images.shape[-1]))


def find(queries: View, references: View, own: Tensor | None = None) -> Nearest:
    """The candidates of every query among the references, as they are and mirrored.

    own: (N,) where each query itself stands among the references, -1 where it does not; an image
    is never its own neighbour, mirrored or not. At least one reference must be left to find.
    """
    owned = own if own is not None else torch.full((len(queries),), -1)
    count = min(CANDIDATES, len(references) - int((owned >= 0).any()))
    parts = torch.arange(len(queries)).split(_QUERIES)
    found = [_find(queries.choose(part), references, owned[part], count) for part in parts]
    return Nearest(
        torch.cat([one.index for one in found]),
        torch.cat([one.mirrored for one in found]),
        torch.cat([one.feature for one in found]),
        torch.cat([one.pixel for one in found]),
    )


def _find(queries: View, references: View, own: Tensor, count: int) -> Nearest:
    plain = torch.cdist(queries.features, references.features, compute_mode="use_mm_for_euclid_dist")
    turned = torch.cdist(queries.features, references.mirrored, compute_mode="use_mm_for_euclid_dist")
    both = torch.minimum(plain, turned)
    rows = (own >= 0).nonzero().flatten()
    both[rows, own[rows]] = float("inf")
    index = both.topk(count, dim=1, largest=False).indices
    pixel, mirrored = _compare(queries.coarse, references.coarse[index])
    # Matrix products lose the small distances, which matter most here: take those again.
    feature = torch.minimum(
        _apart(queries.features, references.features[index]),
        _apart(queries.features, references.mirrored[index]),
    )
    feature, order = feature.sort(dim=1, stable=True)
    return Nearest(
        index.gather(1, order), mirrored.gather(1, order), feature, pixel.gather(1, order)
    )


def _apart(queries: Tensor, candidates: Tensor) -> Tensor:
    """(N, D), (N, C, D) -> (N, C)."""
    return (queries[:, None] - candidates).square().sum(2).sqrt()


def _compare(queries: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel distance, and whether the candidate is nearer mirrored: (N, C) each."""
    ways = [
        (queries[:, None] - way).square().mean((2, 3, 4)).sqrt()
        for way in (candidates, candidates.flip(4))
    ]
    return torch.minimum(*ways), ways[1] < ways[0]
