"""What is asked of an upscaled picture beside the critic's opinion. All take (N, 3, H, W)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.upscale.degradation import Kernel


def charbonnier(made: Tensor, wanted: Tensor) -> Tensor:
    """L1, smooth at zero (Lai et al. 2017)."""
    return ((made - wanted).square() + 1e-6).sqrt().mean()


def consistency(made: Tensor, small: Tensor, kernel: Kernel) -> Tensor:
    """Made small again as the original was, it is what the original became (clean, unrounded)."""
    return charbonnier(kernel.shrink(made), small)


def pan(made: Tensor, moved: Tensor, down: int, across: int) -> Tensor:
    """Two windows of one scene, `moved` lower and further right by so many large pixels, show the
    same where both show it: what differs would shimmer in a slow pan."""
    height, width = made.shape[-2:]
    return charbonnier(made[..., down:, across:], moved[..., : height - down, : width - across])


def steadiness(made: Tensor, base: Tensor) -> Tensor:
    """By how much more a walk's frames change than when they are interpolated.

    made, base: (2N, 3, H, W), the second half a step of the walk after the first.
    """
    before, after = made.chunk(2)
    plain_before, plain_after = base.chunk(2)
    return F.relu((after - before).abs() - (plain_after - plain_before).abs()).mean()


def shifts(scale: int, generator: torch.Generator) -> tuple[int, int]:
    """A pan of less than a small pixel, and not none: large pixels down and across."""
    number = int(torch.randint(1, scale * scale, (), generator=generator))
    return number // scale, number % scale
