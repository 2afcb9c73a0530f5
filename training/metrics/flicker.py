"""How much an upscaled picture shimmers while the camera moves slowly over a scene."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from training.resample import resample

Enlarge = Callable[[Tensor], Tensor]  # (N, 3, h, w) in [0, 1] → (N, 3, scale·h, scale·w)

FRAMES = 8
_EDGE = 8  # large pixels left out at the edges, where networks and kernels guess


def flicker(picture: Tensor, enlarge: Enlarge, scale: int) -> float:
    """Temporal standard deviation, in 255ths, of an upscaled pan that has been undone.

    picture: (3, H, W) in [0, 1], at least `least(scale)` a side. It is panned by half a small pixel
    a frame down and across (for an odd scale a little less: whole large ones), averaged down,
    rounded to 8 bits, enlarged, and moved back. A method that always drew the same scene would
    reach 0, so would one that draws nothing: read it beside the PSNR.
    """
    step = max(1, scale // 2)
    way = step * (FRAMES - 1)
    sides = [(length - way) // scale * scale for length in picture.shape[-2:]]
    frames = [picture[:, t : t + sides[0], t : t + sides[1]] for t in range(0, way + step, step)]
    small = resample(torch.stack(frames), (sides[0] // scale, sides[1] // scale), "box")
    large = enlarge((small.clamp(0, 1) * 255).round() / 255).clamp(0, 1)
    height, width = (side - way - 2 * _EDGE for side in sides)
    back = [
        frame[:, way - t + _EDGE : way - t + _EDGE + height, way - t + _EDGE :][..., :width]
        for frame, t in zip(large, range(0, way + step, step), strict=True)
    ]
    return 255 * torch.stack(back).std(0, correction=0).mean().item()


def least(scale: int) -> int:
    """The smallest side of a picture of which the flicker says something, pixels."""
    return 2 * max(1, scale // 2) * (FRAMES - 1) + 2 * _EDGE + 8 * scale
