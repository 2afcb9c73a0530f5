"""The nearest training images of a picture: by features and by pixels, as they are and mirrored.

Everything is compared softened. A copy that comes out of a network is rarely sharp to the pixel,
and features that notice blur and grain would call it new (measured: of images blurred by one pixel
99 in 100 were missed without, none with it). Distances are told relative to the picture's own
neighbourhood, as in Carlini et al. 2023: a copy is far nearer to one image than to the next ones,
while a plain or average picture is near to many and copies none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Features = Callable[[Tensor], Tensor]  # (N, 3, S, S) uint8 -> (N, D) float32

CROWD = 16  # nearest by features, and as many by pixels: the neighbourhood that is looked at
SAME = 0.25  # a relative distance (the known pairs of 588 photographs: 0 to 0.25)
SAME_PIXELS = 0.03  # and a pixel distance; a JPEG copy is at about 0.01
_SIDE = 64  # pixels; finer ones are averaged away
_SOFT = 0.04  # blur's standard deviation, of the side
_CELLS, _GIST = 32, 8  # a side of the coarse picture, and of the coarser one that finds candidates
_QUERIES = 32  # at a time: what is compared then takes some tens of MB
_IMAGES = 512  # at a time, through the features
_LEAST = 1e-6  # a distance that stands for none, where it is divided by


@dataclass(frozen=True)
class View:
    """What is compared of N pictures. features, mirrored: (N, D), of each as it is and mirrored;
    coarse: (N, 3, c, c) uint8."""

    features: Tensor
    mirrored: Tensor
    coarse: Tensor

    def __len__(self) -> int:
        return len(self.features)

    def choose(self, indices: Tensor) -> View:
        return View(self.features[indices], self.mirrored[indices], self.coarse[indices])


@dataclass(frozen=True)
class Nearest:
    """The candidates of N queries, all (N, C), the closest first.

    index: into the references. mirrored: whether the reference is nearer that way round.
    feature: Euclidean distance. pixel: root mean square difference, 0 to 1. relative: the larger
    of the two, each as a share of its mean over the crowd; 0 is a copy, 1 no nearer than any.
    Where a reference comes up twice, the second has an infinite one.
    """

    index: Tensor
    mirrored: Tensor
    feature: Tensor
    pixel: Tensor
    relative: Tensor

    @property
    def score(self) -> Tensor:
        """The relative distance of the closest: (N,)."""
        return self.relative[:, 0]

    @property
    def same(self) -> Tensor:
        """Whether the closest is all but the same picture: (N,) bool. Of two nearly plain pictures
        the crowd can be far, so the pixels have to agree as well."""
        return (self.score <= SAME) & (self.pixel[:, 0] <= SAME_PIXELS)


def look(images: Tensor, features: Features) -> View:
    """Take what is compared from images (N, 3, S, S) uint8, a part at a time."""
    soft = torch.cat([_soften(part) for part in images.split(_IMAGES)])
    parts = soft.split(_IMAGES)
    return View(
        torch.cat([features(part) for part in parts]),
        torch.cat([features(part.flip(3)) for part in parts]),
        torch.cat([_shrink(part, _CELLS).round().to(torch.uint8) for part in parts]),
    )


def _soften(images: Tensor) -> Tensor:
    x = _shrink(images, _SIDE)
    sigma = _SOFT * x.shape[-1]
    reach = max(1, round(3 * sigma))
    kernel = torch.exp(-torch.arange(-reach, reach + 1.0).square() / (2 * sigma * sigma))
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
    x = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    x = F.conv2d(F.conv2d(x, kernel, groups=3), kernel.transpose(2, 3), groups=3)
    return x.round().clamp(0, 255).to(torch.uint8)


def _shrink(images: Tensor, side: int) -> Tensor:
    x = images.float()
    return F.adaptive_avg_pool2d(x, side) if x.shape[-1] > side else x


def find(queries: View, references: View, own: Tensor | None = None) -> Nearest:
    """The candidates of every query among the references.

    own: (N,) where each query itself stands among the references; an image is never its own
    neighbour, mirrored or not. At least two references must be left to find.
    """
    gist = _shrink(references.coarse, _GIST)
    ways = torch.stack([gist.flatten(1), gist.flip(3).flatten(1)])
    found = []
    for part in torch.arange(len(queries)).split(_QUERIES):
        seen, places = queries.choose(part), None if own is None else own[part]
        index = torch.cat(
            [
                _crowd(seen.features, (references.features, references.mirrored), places),
                _crowd(_shrink(seen.coarse, _GIST).flatten(1), (ways[0], ways[1]), places),
            ],
            dim=1,
        )
        found.append(_weigh(seen, references, index))
    rows = zip(*found, strict=True)
    return Nearest(*(torch.cat(row) for row in rows))


def _crowd(queries: Tensor, ways: tuple[Tensor, Tensor], own: Tensor | None) -> Tensor:
    """The nearest references of each query, whichever way round: (N, C)."""
    fast = "use_mm_for_euclid_dist"
    apart = torch.minimum(*(torch.cdist(queries, way, compute_mode=fast) for way in ways))
    count = apart.shape[1]
    if own is not None:
        apart[torch.arange(len(own)), own] = float("inf")
        count -= 1
    return apart.topk(min(CROWD, count), dim=1, largest=False).indices


def _weigh(queries: View, references: View, index: Tensor) -> tuple[Tensor, ...]:
    """What Nearest holds, of candidates (N, 2C): by features first, then by pixels."""
    half = index.shape[1] // 2
    feature = torch.minimum(
        _apart(queries.features, references.features[index]),
        _apart(queries.features, references.mirrored[index]),
    )
    pixel, mirrored = _compare(queries.coarse, references.coarse[index])
    relative = torch.maximum(
        feature / feature[:, :half].mean(1, keepdim=True).clamp(min=_LEAST),
        pixel / pixel[:, half:].mean(1, keepdim=True).clamp(min=_LEAST),
    )
    again = (index[:, half:, None] == index[:, None, :half]).any(2)
    relative[:, half:][again] = float("inf")
    relative, order = relative.sort(dim=1, stable=True)
    rest = (part.gather(1, order) for part in (index, mirrored, feature, pixel))
    return (*rest, relative)


def _apart(queries: Tensor, candidates: Tensor) -> Tensor:
    """(N, D), (N, C, D) -> (N, C). Matrix products would lose the small distances."""
    return (queries[:, None] - candidates).square().sum(2).sqrt()


def _compare(queries: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel distance, 0 to 1, and whether the candidate is nearer mirrored: (N, C) each.

    The least over small shifts, since training shifts what it shows.
    """
    one, many = queries[:, None].float() / 255, candidates.float() / 255
    side = one.shape[-1]
    reach = max(1, side // 16)
    steps = [(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    best = []
    for way in (many, many.flip(4)):
        found = torch.full(way.shape[:2], float("inf"))
        for y, x in steps:
            a = one[..., max(0, y) : side + min(0, y), max(0, x) : side + min(0, x)]
            b = way[..., max(0, -y) : side + min(0, -y), max(0, -x) : side + min(0, -x)]
            found = torch.minimum(found, (a - b).square_().mean((2, 3, 4)))
        best.append(found.sqrt())
    return torch.minimum(*best), best[1] < best[0]
