"""Pixels as a screen has them, in 256 steps, and as the networks see them, -1 to 1."""

from __future__ import annotations

import torch
from torch import Tensor


def floats(images: Tensor) -> Tensor:
    """uint8, or float in [-1, 1] -> float32 in [-1, 1]."""
    return images / 127.5 - 1 if images.dtype == torch.uint8 else images.float().clamp(-1, 1)


def pixels(x: Tensor) -> Tensor:
    """[-1, 1] -> uint8: what a screen shows, and a quarter of the memory."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
