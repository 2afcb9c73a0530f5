"""From a sharp picture to the small soft one that an upscaler gets to see.

One kernel would teach the network to undo exactly that kernel: matching the degradation moves PSNR
more than the network's size does. So the kernels are mixed, and the frames dirtied as generators
and cameras dirty them. After Real-ESRGAN (Wang et al. 2021), first order only.
"""

from __future__ import annotations

import io
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor


def degrade(high: Tensor, scale: int, generator: torch.Generator) -> Tensor:
    """(N, 3, scale·H, scale·W) → (N, 3, H, W), both sRGB-encoded in [0, 1], rounded to 8 bits.

    The whole batch shares one kernel; dirt is drawn anew for each picture.
    """
    low = _shrink(high, scale, generator)
    if _draw(generator) < 0.25:
        low = low + _checkerboard(low, generator)
    if _draw(generator) < 0.3:
        sigma = 0.02 * torch.rand(len(low), 1, 1, 1, generator=generator)
        low = low + sigma * torch.randn(low.shape, generator=generator)
    low = (low.clamp(0, 1) * 255).round()
    if _draw(generator) < 0.2:
        low = _jpeg(low, int(70 + 28 * _draw(generator)))
    return low / 255


def _draw(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator))


def _shrink(high: Tensor, scale: int, generator: torch.Generator) -> Tensor:
    """Box, bicubic (a = -0.5, antialiased), or a Gaussian as soft as a small GAN's frames."""
    kind = _draw(generator)
    if kind < 0.3:
        return F.avg_pool2d(high, scale)
    if kind < 0.5:
        return F.interpolate(
            high, scale_factor=1 / scale, mode="bicubic", antialias=True, align_corners=False
        )
    sigma = scale * (0.2 + 0.85 * _draw(generator))
    return F.avg_pool2d(_blur(high, sigma), scale)


def _blur(x: Tensor, sigma: float) -> Tensor:
    reach = math.ceil(2.5 * sigma)
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    line = (line / line.sum()).repeat(x.shape[1], 1, 1, 1)  # (3, 1, 1, taps)
    x = F.conv2d(F.pad(x, (reach, reach, 0, 0), mode="replicate"), line, groups=x.shape[1])
    line = line.transpose(2, 3)
    return F.conv2d(F.pad(x, (0, 0, reach, reach), mode="replicate"), line, groups=x.shape[1])


def _checkerboard(low: Tensor, generator: torch.Generator) -> Tensor:
    """What transposed convolutions leave: a faint pattern of period two."""
    n, c, h, w = low.shape
    parity = (torch.arange(h)[:, None] + torch.arange(w)[None, :]) % 2 * 2.0 - 1
    strength = 0.03 * torch.randn(n, c, 1, 1, generator=generator)
    return strength * parity


def _jpeg(low: Tensor, quality: int) -> Tensor:
    """Through JPEG and back, in 0 to 255."""
    found = []
    for picture in low.permute(0, 2, 3, 1).to(torch.uint8).numpy():
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        with Image.open(file) as image:
            found.append(torch.from_numpy(np.array(image)))
    return torch.stack(found).permute(0, 3, 1, 2).to(low)
