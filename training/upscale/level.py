"""The same network with its activations at one scale, so that half floats hold them all as well.

A leaky ReLU passes a positive factor on unchanged, so a channel can be made smaller where it is
written and larger where it is read (Nagel et al. 2019, Data-Free Quantization, on equalising
layers). Muon leaves channels whose peaks are 20 times apart; a shader's error in a large one is an
error of the picture.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from models.upscaler import Upscaler

_LEAST = 1e-3  # a peak below this says that the channel is not used


@torch.no_grad()
def level(upscaler: Upscaler, pictures: Tensor) -> Upscaler:
    """A copy that draws the same, up to rounding, and whose channels all peak at 1 while it does.

    pictures: (N, 3, H, W) in [0, 1], of the kind that it will be given.
    """
    found = copy.deepcopy(upscaler)
    peaks = [x.abs().amax((0, 2, 3)).clamp(min=_LEAST) for x in found.features(pictures).values()]
    peaks[0] = peaks[-1] = torch.maximum(peaks[0], peaks[-1])  # the long skip adds the two
    layers = [found.head, *found.body, found.tail]
    for peak, written, read in zip(peaks, layers[:-1], layers[1:], strict=True):
        assert isinstance(written, nn.Conv2d)  # noqa: S101 - what a ModuleList does not say
        assert isinstance(read, nn.Conv2d)  # noqa: S101
        written.weight /= peak[:, None, None, None]
        if written.bias is not None:
            written.bias /= peak
        read.weight *= peak[None, :, None, None]
    return found
