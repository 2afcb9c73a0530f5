"""How near an upscaled picture comes to the original, and how calmly it moves.

Pictures are (…, 3, H, W) in [0, 1]; figures are as the papers give them.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_LUMA = (65.481, 128.553, 24.966)  # ITU-R BT.601 in studio range, as MATLAB's rgb2ycbcr


def luma(picture: Tensor) -> Tensor:
    """(…, 3, H, W) in [0, 1] to (…, 1, H, W) in [16, 235] / 255: what "PSNR on Y" is taken of."""
    weights = torch.tensor(_LUMA, dtype=picture.dtype, device=picture.device)
    return ((picture * weights[:, None, None]).sum(-3, keepdim=True) + 16) / 255


def psnr(made: Tensor, wanted: Tensor) -> float:
    """Peak signal-to-noise ratio in dB, of all values together; inf where they are the same."""
    error = (made.double() - wanted.double()).square().mean().item()
    return math.inf if error == 0 else -10 * math.log10(error)


def ssim(made: Tensor, wanted: Tensor) -> float:
    """Structural similarity (Wang et al. 2004) of (C, H, W) in [0, 1], the mean over channels.

    A Gaussian window of 11 pixels, σ 1.5, only where it lies whole inside the picture.
    """
    line = torch.exp(-0.5 * ((torch.arange(11, dtype=torch.float64) - 5) / 1.5) ** 2)
    line = line / line.sum()

    def blur(x: Tensor) -> Tensor:
        x = F.conv2d(x[:, None], line.view(1, 1, 11, 1))
        return F.conv2d(x, line.view(1, 1, 1, 11))

    a, b = made.double(), wanted.double()
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    both = blur(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    found = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    found /= (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return found.mean().item()
