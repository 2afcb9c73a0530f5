"""What goes wrong in generated pictures, done to real ones: an encoder that tells these apart
sees it in a piece too.

Without this FD-own ranked a piece of smeared faces before one of clean ones
(training/MEASUREMENTS.md).
What is learned is mostly softness at every scale; how far a shape is bent counts little. Grain is
not among the kinds: it is seen without being taught, and then outweighs everything.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

KINDS = 5  # whole, warped, blended, pasted, soft
_CELLS = 6  # of the warp's grid, along a side
_REACH = 3 / 32  # of half the side: the warp's standard deviation
_BLEND = (0.15, 0.45)  # of another picture
_PASTE = (6 / 64, 14 / 64)  # half the side of what is pasted, of the side
_SOFT = (0.4, 1.0)  # how much of the picture is its own half-size copy


def damage(x: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
    """Each picture (N, 3, S, S) damaged in a way of its own, and which: (N,) int64, 0 for whole."""
    kind = torch.randint(KINDS, (len(x),), generator=rng)
    other = x.roll(1, 0)
    ways = (
        x,
        _warped(x, rng),
        x + _between(_BLEND, x, rng) * (other - x),
        torch.where(_window(x, rng), other, x),
        x + _between(_SOFT, x, rng) * (_soft(x) - x),
    )
    found, chosen = x, kind.to(x.device).view(-1, 1, 1, 1)
    for index, way in enumerate(ways):
        found = torch.where(chosen == index, way, found)
    return found, kind


def _warped(x: Tensor, rng: Generator) -> Tensor:
    """Pulled out of shape by a smooth random field."""
    n, _, height, width = x.shape
    cells = torch.randn(n, 2, _CELLS, _CELLS, generator=rng) * _REACH
    field = F.interpolate(cells, (height, width), mode="bicubic", align_corners=False)
    y, x_axis = torch.linspace(-1, 1, height), torch.linspace(-1, 1, width)
    at = torch.stack(torch.meshgrid(x_axis, y, indexing="xy"), dim=-1)  # (H, W, 2)
    at = (at + field.permute(0, 2, 3, 1)).to(x.device)
    return F.grid_sample(x, at, padding_mode="border", align_corners=True)


def _window(x: Tensor, rng: Generator) -> Tensor:
    """A rectangle somewhere in the middle: (N, 1, S, S) bool."""
    n, _, side, _ = x.shape
    axis = (torch.arange(side, device=x.device) + 0.5) / side
    inside = []
    for _ in range(2):
        centre = (torch.rand(n, 1, generator=rng) / 2 + 1 / 4).to(x.device)
        inside.append((axis - centre).abs() < _between(_PASTE, x, rng)[:, :, 0, 0])
    return (inside[0][:, :, None] & inside[1][:, None, :])[:, None]


def _soft(x: Tensor) -> Tensor:
    side = x.shape[-1]
    small = F.interpolate(x, side // 2, mode="area")
    return F.interpolate(small, side, mode="bilinear", align_corners=False)


def _between(limits: tuple[float, float], x: Tensor, rng: Generator) -> Tensor:
    """One number a picture: (N, 1, 1, 1)."""
    low, high = limits
    return (torch.rand(len(x), 1, 1, 1, generator=rng) * (high - low) + low).to(x.device)
