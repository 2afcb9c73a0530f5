"""A picture that the generator follows: small and grey, as a camera sees somebody.

It is fed in beside the point, into the first maps, where the layout of a picture is decided; the
layers after them draw as ever. (Isola et al. 2017, Image-to-Image Translation with Conditional
Adversarial Networks, has a whole network read the picture; Zhang et al. 2023, Adding Conditional
Control to Text-to-Image Diffusion Models, begins as here with layers that add nothing.)

Every layer is without bias, and so a guide of half the contrast is followed half as far, and one of
zeros not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.latent import GUIDE, Vector

LEVELS = 2  # maps of the generator that it is fed into, from 4 pixels on; see MEASUREMENTS.md
_WIDTHS = (32, 48, 64)  # channels at 16, 8 and 4 pixels
_SLOPE = 0.2
_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601
_FLAT = 0.05  # deviation, of 2 from black to white: what has less stays flat


class Guide(nn.Module):
    """Guides to what is added to the generator's first maps: (N, GUIDE²) -> (N, C, 4, 4) and
    (N, C, 8, 8). channels: the generator's."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.enter = _conv(1, _WIDTHS[0])
        self.trunk = nn.ModuleList([_conv(_WIDTHS[0], _WIDTHS[0])])
        self.trunk.extend(_conv(a, b, 2) for a, b in pairwise(_WIDTHS))
        self.heads = nn.ModuleList()
        for number in channels[:LEVELS]:
            self.grow(number)

    def grow(self, channels: int) -> None:
        """For the generator's next maps, if the guide is to reach them."""
        if len(self.heads) < LEVELS:
            head = _conv(_WIDTHS[::-1][len(self.heads)], channels)
            nn.init.zeros_(head.weight)
            self.heads.append(head)

    def shrink(self, levels: int) -> None:
        """For a generator of so many maps."""
        self.heads = self.heads[:levels]

    def forward(self, guides: Tensor) -> list[Tensor]:
        x = F.leaky_relu(self.enter(guides.unflatten(1, (1, GUIDE, GUIDE))), _SLOPE)
        seen = []
        for layer in self.trunk:
            x = F.leaky_relu(layer(x), _SLOPE)
            seen.append(x)
        return [head(one) for head, one in zip(self.heads, reversed(seen), strict=False)]


def guides(pictures: Tensor) -> Tensor:
    """What pictures are as guides: (N, 3, S, S) in [-1, 1] -> (N, GUIDE²) grey, each of mean 0
    and deviation 1 as far as it has contrast."""
    grey = (pictures * pictures.new_tensor(_GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)
    small = F.adaptive_avg_pool2d(grey, GUIDE).flatten(1)
    small = small - small.mean(1, keepdim=True)
    return small / (small.square().mean(1, keepdim=True).sqrt() + _FLAT)


def guide_of(picture: NDArray[np.uint8]) -> Vector:
    """The same of one picture, (S, S, 3) sRGB: (GUIDE²,)."""
    seen = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
    found: Vector = guides(seen / 127.5 - 1)[0].numpy()
    return found


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
