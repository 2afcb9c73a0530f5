"""The generator: one flat vector in, one picture out, in a single pass.

DCGAN's shape (Radford et al. 2015), because small strided networks reach good pictures soonest on
a modest machine, without its checkerboard: every doubling is "repeat each pixel, then a 3×3
convolution" (Odena et al. 2016, Deconvolution and Checkerboard Artifacts), run as the one 4×4
transposed convolution that it equals, at less than half the multiplications.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

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

    def __init__(self, inputs: int, outputs: int, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs, 3, 3) * 0.02)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def kernel(self) -> Tensor:
        """The transposed convolution's 4×4 kernel: (inputs, outputs, 4, 4)."""
        with torch.autocast(self.weight.device.type, enabled=False):
            # One small product; four shifted sums take five times as long with their gradients.
            return (self.weight.flatten(2) @ _box_product(self.weight.device)).unflatten(2, (4, 4))

    def forward(self, x: Tensor) -> Tensor:
        return double(x, self.kernel(), self.bias)


@cache
def _box_product(device: torch.device) -> Tensor:
    """Convolving 3×3 kernels with a 2×2 box, as a matrix: (9, 16)."""
    row = torch.tensor([[1.0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
    return torch.kron(row, row).to(device)


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
        self.seed_norm = nn.BatchNorm2d(channels[0])
        pairs = list(zip(channels, channels[1:], strict=False))
        self.stages = nn.ModuleList(UpConv(a, b) for a, b in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for _, b in pairs)
        self.picture = UpConv(channels[-1], 3, bias=True)
        nn.init.normal_(self.seed.weight, 0, 0.02)
        for norm in (self.seed_norm, *self.norms):
            nn.init.normal_(norm.weight, 1, 0.02)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.seed(latent).unflatten(1, (-1, 4, 4))  # (N, C, 4, 4)
        x = F.relu(self.seed_norm(x))
        for stage, norm in zip(self.stages, self.norms, strict=True):
            x = F.relu(norm(stage(x)))
        return torch.tanh(self.picture(x))

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
        scale, shift = _affine(self.seed_norm)
        weight = self.seed.weight.unflatten(0, (-1, 16)) * scale[:, None, None]
        seed = (weight.flatten(0, 1), shift.repeat_interleave(16))
        stages = []
        for stage, norm in zip(self.stages, self.norms, strict=True):
            scale, shift = _affine(norm)
            stages.append((stage.kernel() * scale[:, None, None], shift))
        stages.append((self.picture.kernel(), self.picture.bias))
        return FoldedGenerator(seed, stages).eval()


class FoldedGenerator(nn.Module):
    """A generator ready to play: one linear layer and plain transposed convolutions."""

    def __init__(
        self, seed: tuple[Tensor, Tensor], stages: Sequence[tuple[Tensor, Tensor]]
    ) -> None:
        super().__init__()
        weight, bias = seed
        self.seed = nn.Linear(weight.shape[1], weight.shape[0])
        self.seed.weight.data, self.seed.bias.data = weight.clone(), bias.clone()
        self.stages = nn.ModuleList()
        for weight, bias in stages:
            stage = nn.ConvTranspose2d(weight.shape[0], weight.shape[1], 4, 2, 1)
            stage.weight.data, stage.bias.data = weight.clone(), bias.clone()  # type: ignore[union-attr]
            self.stages.append(stage)
        self.requires_grad_(False)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.seed(latent).unflatten(1, (-1, 4, 4))
        for stage in self.stages:
            x = stage(F.relu(x))
        return torch.tanh(x)


def check_stages(resolution: int, channels: Sequence[int]) -> None:
    """Raise ValueError unless the channels lead from 4 pixels to the resolution by doubling."""
    if not channels or any(not isinstance(c, int) or not 1 <= c <= 4096 for c in channels):
        raise ValueError(f"channels {list(channels)} must be whole numbers from 1 to 4096")
    if resolution != 4 << len(channels):
        raise ValueError(
            f"{len(channels)} stages lead from 4 to {4 << len(channels)} pixels, not {resolution}"
        )


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Eval-mode batch norm as y = scale · x + shift."""
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)  # type: ignore[operator]
    return scale, norm.bias - norm.running_mean * scale  # type: ignore[operator]
