"""The generator: one flat vector in, one picture out, in a single pass.

DCGAN's shape (Radford et al. 2015), because small strided networks reach good pictures soonest on
a modest machine, without its checkerboard: every doubling is "repeat each pixel, then a 3×3
convolution" (Odena et al. 2016, Deconvolution and Checkerboard Artifacts), run as the one 4×4
transposed convolution that it equals, at less than half the multiplications.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.strided import double


class UpConv(nn.Module):
    """Double height and width, then convolve 3×3: (N, A, H, W) -> (N, B, 2H, 2W).

    Repeating pixels is a transposed convolution with a 2×2 box, so the two steps together are one
    transposed convolution whose kernel is the 3×3 kernel convolved with that box. Its four phases
    add up to the same sum: a flat input gives a flat output, whatever the weights.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs, 3, 3) * 0.02)

    def kernel(self) -> Tensor:
        """The transposed convolution's 4×4 kernel: (inputs, outputs, 4, 4)."""
        with torch.autocast(self.weight.device.type, enabled=False):
            # One small product; four shifted sums take five times as long with their gradients.
            return (self.weight.flatten(2) @ _box_product(self.weight.device)).unflatten(2, (4, 4))

    def forward(self, x: Tensor) -> Tensor:
        return double(x, self.kernel())


@cache
def _box_product(device: torch.device) -> Tensor:
    """Convolving 3×3 kernels with a 2×2 box, as a matrix: (9, 16)."""
    row = torch.tensor([[1.0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
    return torch.kron(row, row).to(device)


class Stage(nn.Module):
    """UpConv, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = UpConv(inputs, outputs)
        self.norm = _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))

    def fold(self) -> tuple[Tensor, Tensor]:
        """Kernel and bias of the one transposed convolution that it is in eval mode."""
        scale, shift = _affine(self.norm)
        return self.conv.kernel() * scale[:, None, None], shift


class Generator(nn.Module):
    """Latent vectors to pictures: (N, inputs) -> (N, 3, S, S) in [-1, 1].

    inputs: the latent's width, z ⊕ labels ⊕ codes (models.latent.Latent.width).
    resolution: S, a power of two. channels: one number per stage, at 4, 8, … S/2 pixels.
    Raises ValueError where the stages do not lead from 4 pixels to S.
    """

    def __init__(self, inputs: int, resolution: int, channels: Sequence[int]) -> None:
        super().__init__()
        check_stages(resolution, channels)
        self.inputs, self.resolution, self.channels = inputs, resolution, tuple(channels)
        self.seed = nn.Linear(inputs, channels[0] * 16, bias=False)
        self.norm = _norm(channels[0])
        self.stages = nn.Sequential(*(Stage(a, b) for a, b in pairwise(channels)))
        self.picture = UpConv(channels[-1], 3)
        self.ground = nn.Parameter(torch.zeros(3))
        nn.init.normal_(self.seed.weight, 0, 0.02)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.seed(latent).unflatten(1, (-1, 4, 4))  # (N, C, 4, 4)
        x = self.stages(F.relu(self.norm(x)))  # (N, C, S/2, S/2)
        return torch.tanh(self.picture(x) + self.ground.view(3, 1, 1))

    def arguments(self) -> dict[str, Any]:
        """What rebuilds this network: the card's `generator`."""
        return {
            "inputs": self.inputs,
            "resolution": self.resolution,
            "channels": list(self.channels),
        }

    @torch.no_grad()
    def fold(self) -> FoldedGenerator:
        """The same pictures with fewer steps: batch norm's statistics inside the weights.

        For playing only. Equal to the generator in eval mode up to float rounding.
        """
        return FoldedGenerator(list(self._folded())).eval()

    def _folded(self) -> Iterator[tuple[Tensor, Tensor]]:
        scale, shift = _affine(self.norm)
        weight = self.seed.weight.unflatten(0, (-1, 16)) * scale[:, None, None]
        yield weight.flatten(0, 1), shift.repeat_interleave(16)
        for stage in self.stages.children():
            yield cast(Stage, stage).fold()
        yield self.picture.kernel(), self.ground


class FoldedGenerator(nn.Module):
    """A generator ready to play: one linear layer, then plain transposed convolutions.

    parts: weight and bias of each, the linear layer's first. (N, inputs) -> (N, 3, S, S).
    """

    def __init__(self, parts: Sequence[tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(weight.clone() for weight, _ in parts)
        self.biases = nn.ParameterList(bias.clone() for _, bias in parts)
        self.requires_grad_(False)

    def forward(self, latent: Tensor) -> Tensor:
        seed, *kernels = zip(self.weights, self.biases, strict=True)
        x = F.linear(latent, *seed).unflatten(1, (-1, 4, 4))
        for weight, bias in kernels:
            x = F.conv_transpose2d(F.relu(x), weight, bias, stride=2, padding=1)
        return torch.tanh(x)


def check_stages(resolution: int, channels: Sequence[int]) -> None:
    """Raise ValueError unless the channels lead from 4 pixels to the resolution by doubling."""
    if not channels or any(not isinstance(c, int) or not 1 <= c <= 4096 for c in channels):
        raise ValueError(f"channels {list(channels)} must be whole numbers from 1 to 4096")
    if len(channels) > 10 or resolution != 4 << len(channels):
        raise ValueError(f"{len(channels)} stages do not lead from 4 to {resolution} pixels")


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    nn.init.normal_(norm.weight, 1, 0.02)
    return norm


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Eval-mode batch norm as y = scale · x + shift."""
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale
