"""From a sharp picture to the small one that an upscaler gets to see.

One kernel would teach the network to undo exactly that kernel: matching the degradation moves PSNR
more than the network's size does. So the kernels are mixed (Lanczos among them, with which a
dataset is made small before a generator learns from it), and the frames dirtied as generators and
cameras dirty them. After Real-ESRGAN (Wang et al. 2021), first order only.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from training.resample import resample
from training.upscale.recipe import UpscaleRecipe


@dataclass(frozen=True)
class Kernel:
    """How a picture is made small. sigma: of the Gaussian, in pixels of the small picture."""

    kind: str
    scale: int
    sigma: float = 0.0

    def shrink(self, high: Tensor) -> Tensor:
        """(N, 3, scale·H, scale·W) → (N, 3, H, W), neither clamped nor rounded."""
        if self.kind == "box":
            return F.avg_pool2d(high, self.scale)
        if self.kind == "gaussian":
            return F.avg_pool2d(_blur(high, self.scale * self.sigma), self.scale)
        height, width = high.shape[-2:]
        return resample(high, (height // self.scale, width // self.scale), self.kind)


def draw_kernel(recipe: UpscaleRecipe, generator: torch.Generator) -> Kernel:
    """One of the recipe's kernels, by their shares; a Gaussian as soft as a small GAN's frames."""
    names = ("box", "bicubic", "lanczos", "gaussian")
    shares = torch.tensor([float(getattr(recipe, name)) for name in names])
    kind = names[int(torch.multinomial(shares, 1, generator=generator))]
    return Kernel(kind, recipe.scale, 0.2 + 0.6 * _draw(generator))


def soil(low: Tensor, recipe: UpscaleRecipe, generator: torch.Generator) -> Tensor:
    """A small picture as it arrives: rounded to 8 bits, now and then with dirt on it.

    The dirt is drawn anew for each picture of the batch.
    """
    if _draw(generator) < recipe.checkerboard:
        low = low + _checkerboard(low, generator)
    if _draw(generator) < recipe.noise:
        sigma = 0.02 * torch.rand(len(low), 1, 1, 1, generator=generator)
        low = low + (sigma * torch.randn(low.shape, generator=generator)).to(low)
    low = (low.clamp(0, 1) * 255).round()
    if _draw(generator) < recipe.jpeg:
        low = _jpeg(low, int(70 + 28 * _draw(generator)))
    return low / 255


def _draw(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator))


def _blur(x: Tensor, sigma: float) -> Tensor:
    reach = math.ceil(2.5 * sigma)
    line = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    line = (line / line.sum()).repeat(x.shape[1], 1, 1, 1).to(x)  # (3, 1, 1, taps)
    x = F.conv2d(F.pad(x, (reach, reach, 0, 0), mode="replicate"), line, groups=x.shape[1])
    line = line.transpose(2, 3)
    return F.conv2d(F.pad(x, (0, 0, reach, reach), mode="replicate"), line, groups=x.shape[1])


def _checkerboard(low: Tensor, generator: torch.Generator) -> Tensor:
    """What transposed convolutions leave: a faint pattern of period two."""
    n, c, h, w = low.shape
    parity = (torch.arange(h)[:, None] + torch.arange(w)[None, :]) % 2 * 2.0 - 1
    strength = 0.03 * torch.randn(n, c, 1, 1, generator=generator)
    return (strength * parity).to(low)


def _jpeg(low: Tensor, quality: int) -> Tensor:
    """Through JPEG and back, in 0 to 255."""
    found = []
    for picture in low.permute(0, 2, 3, 1).to(torch.uint8).cpu().numpy():
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        with Image.open(file) as image:
            found.append(torch.from_numpy(np.array(image)))
    return torch.stack(found).permute(0, 3, 1, 2).to(low)
