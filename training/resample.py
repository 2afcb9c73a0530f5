"""Resizing as the super-resolution papers do it: MATLAB's imresize, which Pillow and torch are not.

Separable; where a picture shrinks, the kernel grows as wide as the pixels that it makes; beyond
the edge the picture is mirrored. Sample centres are aligned: pixel k covers [k, k + 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor


def _box(d: Tensor) -> Tensor:
    """One inside half a pixel; where an edge falls on a sample, half of it (as MATLAB rounds)."""
    return ((d >= -0.5) & (d < 0.5)).to(d)


def _cubic(d: Tensor) -> Tensor:
    """Keys' cubic with a = -0.5 (Keys 1981), which is MATLAB's; torch's has a = -0.75."""
    d = d.abs()
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return torch.where(d < 1, near, torch.where(d < 2, far, 0.0))


def _lanczos(d: Tensor) -> Tensor:
    return torch.where(d.abs() < 3, torch.sinc(d) * torch.sinc(d / 3), 0.0)


KERNELS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {  # and their reach in pixels
    "box": (_box, 0.5),
    "bicubic": (_cubic, 2),
    "lanczos": (_lanczos, 3),
}


def resample(x: Tensor, size: tuple[int, int], kernel: str) -> Tensor:
    """(…, H, W) to (…, *size), by "box", "bicubic" or "lanczos". Not clamped."""
    down = _matrix(x.shape[-2], size[0], kernel).to(x)
    across = _matrix(x.shape[-1], size[1], kernel).to(x)
    return down @ x @ across.T


@lru_cache(maxsize=64)
def _matrix(inputs: int, outputs: int, kernel: str) -> Tensor:
    """(outputs, inputs) in float64; every row sums to 1."""
    weigh, reach = KERNELS[kernel]
    step = inputs / outputs
    wide = max(1.0, step)  # only a picture that shrinks is softened
    centres = (torch.arange(outputs, dtype=torch.float64) + 0.5) * step - 0.5
    taps = math.ceil(2 * reach * wide) + 2
    left = (centres - reach * wide).floor()
    places = left[:, None] + torch.arange(taps, dtype=torch.float64)  # (outputs, taps)
    weights = weigh((centres[:, None] - places) / wide)
    weights = weights / weights.sum(1, keepdim=True)
    at = places.long() % (2 * inputs)
    mirrored = torch.where(at < inputs, at, 2 * inputs - 1 - at)
    return torch.zeros(outputs, inputs, dtype=torch.float64).scatter_add_(1, mirrored, weights)
