"""Sliced Wasserstein distance per level of a Laplacian pyramid (Karras et al. 2018, ProGAN).

Every level holds what is lost when the picture is halved once more, so each figure speaks of one
scale: 64 px of grain and edges, 16 px of shape and colour.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from training.pixels import floats

SMALLEST = 16  # side of the last level, which keeps the colours too
_PATCH = 7
_PATCHES = 64  # of each image and level
_DIRECTIONS = 256
_AT_ONCE = 64  # images


def sliced_wasserstein(real: Tensor, other: Tensor, rng: Generator) -> dict[int, float]:
    """Distance × 1000 for each level's side in pixels, from S down to 16.

    real, other: (N, 3, S, S) uint8, or float in [-1, 1], as many on each side.
    Both are measured by the mean and deviation of the real patches' colours, so that a loss of
    contrast counts.
    """
    mine, theirs = patches(real, rng), patches(other, rng)
    found = {}
    for side, a in mine.items():
        b = theirs[side]
        mean, deviation = a.mean((0, 2, 3), keepdim=True), a.std((0, 2, 3), keepdim=True)
        a, b = (((x - mean) / deviation.clamp(min=1e-6)).flatten(1) for x in (a, b))
        directions = F.normalize(torch.randn(a.shape[1], _DIRECTIONS, generator=rng), dim=0)
        distances = [
            ((a @ part).sort(0).values - (b @ part).sort(0).values).abs().mean()
            for part in directions.split(32, dim=1)
        ]
        found[side] = float(torch.stack(distances).mean()) * 1000
    return found


def patches(images: Tensor, rng: Generator) -> dict[int, Tensor]:
    """Random 7×7 patches of every level: side -> (N · 64, 3, 7, 7)."""
    found: dict[int, list[Tensor]] = {}
    for part in images.split(_AT_ONCE):
        for level in laplacian(floats(part)):
            found.setdefault(level.shape[-1], []).append(_cut(level, rng))
    return {side: torch.cat(parts) for side, parts in found.items()}


def laplacian(images: Tensor) -> list[Tensor]:
    """What each halving loses, from the full size on, and at the end what is left."""
    levels = []
    while images.shape[-1] >= 2 * SMALLEST:
        half = _smooth(images)[..., ::2, ::2]
        levels.append(images - _double(half))
        images = half
    return [*levels, images]


def _smooth(x: Tensor, gain: float = 1.0) -> Tensor:
    """Burt and Adelson's 1983 five-point kernel, along both axes."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = (torch.outer(row, row) * gain).expand(x.shape[1], 1, 5, 5)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, groups=x.shape[1])


def _double(x: Tensor) -> Tensor:
    n, c, height, width = x.shape
    wide = x.new_zeros(n, c, height, 2, width, 2)
    wide[:, :, :, 0, :, 0] = x
    return _smooth(wide.view(n, c, 2 * height, 2 * width), gain=4.0)


def _cut(level: Tensor, rng: Generator) -> Tensor:
    n, side = level.shape[0], level.shape[-1]
    corner = torch.randint(side - _PATCH + 1, (2, n, _PATCHES, 1), generator=rng)
    y, x = corner + torch.arange(_PATCH)  # (N, patches, 7) each
    image = torch.arange(n).view(n, 1, 1, 1)
    found = level.permute(0, 2, 3, 1)[image, y[..., :, None], x[..., None, :]]
    return found.flatten(0, 1).permute(0, 3, 1, 2)  # (N · patches, 3, 7, 7)
