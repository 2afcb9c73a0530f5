"""The generator: one flat vector in, one picture out, in a single pass.

DCGAN's shape (Radford et al. 2015), because small strided networks reach good pictures soonest on
a modest machine, without its checkerboard: every doubling is "repeat each pixel, then a 3×3
convolution" (Odena et al. 2016, Deconvolution and Checkerboard Artifacts), run as the one 4×4
transposed convolution that it equals, at less than half the multiplications.

It can begin small and grow, a new doubling fading in over the picture of the one before (Karras
et al. 2018, ProGAN).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.architecture import FIRST, MOST, check_maps
from models.bend import bent
from models.guide import Guide
from models.latent import BEND, GUIDE, more
from models.strided import double


class UpConv(nn.Module):
    """Double height and width, then convolve 3×3: (N, A, H, W) -> (N, B, 2H, 2W).

    Repeating pixels is a transposed convolution with a 2×2 box, so the two steps together are one
    transposed convolution whose kernel is the 3×3 kernel convolved with that box. Its four phases
    add up to the same sum: a flat input gives a flat output, whatever the weights.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = _drawn(inputs, outputs, 3, 3)

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


class TransposedConv(nn.Module):
    """DCGAN's own doubling, a free 4×4 kernel: (N, A, H, W) -> (N, B, 2H, 2W). It leaves a
    checkerboard; it is here to compare with."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = _drawn(inputs, outputs, 4, 4)

    def kernel(self) -> Tensor:
        return self.weight

    def forward(self, x: Tensor) -> Tensor:
        return double(x, self.weight)


Doubling = UpConv | TransposedConv
DOUBLINGS: dict[str, type[Doubling]] = {"resize": UpConv, "transposed": TransposedConv}


class Stage(nn.Module):
    """A doubling, batch norm, ReLU. added: what a guide adds before that."""

    def __init__(self, inputs: int, outputs: int, doubling: str) -> None:
        super().__init__()
        self.conv = DOUBLINGS[doubling](inputs, outputs)
        self.norm = _norm(outputs)

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        return F.relu(_with(self.norm(self.conv(x)), added))

    def fold(self) -> tuple[Tensor, Tensor]:
        """Kernel and bias of the one transposed convolution that it is in eval mode."""
        scale, shift = _affine(self.norm)
        return self.conv.kernel() * scale[:, None, None], shift


class Generator(nn.Module):
    """Latent vectors to pictures: (N, inputs) -> (N, 3, S, S) in [-1, 1].

    inputs: the latent's width, z ⊕ labels ⊕ codes (models.latent.Latent.width).
    resolution: S, a power of two. channels: one number per stage, at 4, 8, … S/2 pixels.
    doubling: "resize" or "transposed". guided: it can follow a guide (models.guide). Raises
    ValueError where the stages do not lead from 4 pixels to S.
    """

    def __init__(
        self,
        inputs: int,
        resolution: int,
        channels: Sequence[int],
        doubling: str = "resize",
        guided: bool = False,
    ) -> None:
        super().__init__()
        check_stages(resolution, channels)
        check_maps(channels)
        if doubling not in DOUBLINGS:
            raise ValueError(f"doubling {doubling!r} is not known")
        self.inputs, self.resolution, self.channels = inputs, resolution, tuple(channels)
        self.doubling = doubling
        self.seed = nn.Linear(inputs, channels[0] * 16, bias=False)
        self.norm = _norm(channels[0])
        self.stages = nn.Sequential(*(Stage(a, b, doubling) for a, b in pairwise(channels)))
        self.picture = DOUBLINGS[doubling](channels[-1], 3)
        self.ground = nn.Parameter(torch.zeros(3))
        self.former: Doubling | None = None  # the picture's layer before the last doubling …
        self.fade = 1.0  # … and how far the new one has come in
        self.seed.weight = _drawn(channels[0] * 16, inputs)
        self.guide = Guide(channels) if guided else None

    def forward(self, latent: Tensor, bounded: bool = True, guides: Tensor | None = None) -> Tensor:
        """bounded: in [-1, 1], by tanh; else as it goes into that, which a training may want.
        guides: (N, GUIDE²), for one that is guided."""
        added: list[Tensor | None] = [None] * (1 + len(self.stages))
        if guides is not None and self.guide is not None:
            found = self.guide(guides)
            added[: len(found)] = found
        x = self.seed(latent).unflatten(1, (-1, 4, 4))  # (N, C, 4, 4)
        x = before = F.relu(_with(self.norm(x), added[0]))
        for stage, adds in zip(self.stages, added[1:], strict=True):
            before, x = x, stage(x, adds)  # (N, C, S/4, S/4), (N, C, S/2, S/2)
        picture = self.picture(x)
        if self.former is not None and self.fade < 1:
            small = F.interpolate(self.former(before), scale_factor=2, mode="nearest")
            # On CUDA autocast interpolates in float32, and lerp does not mix types.
            picture = torch.lerp(small.to(picture), picture, self.fade)
        picture = picture + self.ground.view(3, 1, 1)
        return torch.tanh(picture) if bounded else picture

    def grow(self, channels: int) -> None:
        """Double the resolution, with so many channels at half of it; `fade` starts at 0."""
        self.former = self.picture
        self.stages.append(Stage(self.channels[-1], channels, self.doubling))
        self.picture = DOUBLINGS[self.doubling](channels, 3)
        self.channels, self.resolution = (*self.channels, channels), 2 * self.resolution
        if self.guide is not None:
            self.guide.grow(channels)
        self.fade = 0.0

    def settle(self) -> None:
        """End the fade: the smaller picture's layer goes."""
        self.former, self.fade = None, 1.0

    def whole(self) -> Generator:
        """A copy that is no longer growing: at the last resolution that is fully in."""
        copied = copy.deepcopy(self)
        if copied.former is not None and copied.fade < 1:
            copied.picture = copied.former
            copied.stages = nn.Sequential(*list(copied.stages)[:-1])
            copied.channels, copied.resolution = self.channels[:-1], self.resolution // 2
            if copied.guide is not None:
                copied.guide.shrink(len(copied.channels))
        copied.settle()
        return copied

    def arguments(self) -> dict[str, Any]:
        """What rebuilds this network: the card's `generator`."""
        return {
            "inputs": self.inputs,
            "resolution": self.resolution,
            "channels": list(self.channels),
            "doubling": self.doubling,
        } | ({"guided": True} if self.guide is not None else {})

    @torch.no_grad()
    def fold(self) -> FoldedGenerator:
        """The same pictures with fewer steps: batch norm's statistics inside the weights.

        For playing only. Equal to the generator in eval mode up to float rounding.
        """
        return FoldedGenerator(list(self._folded()), copy.deepcopy(self.guide)).eval()

    def _folded(self) -> Iterator[tuple[Tensor, Tensor]]:
        scale, shift = _affine(self.norm)
        weight = self.seed.weight.unflatten(0, (-1, 16)) * scale[:, None, None]
        yield weight.flatten(0, 1), shift.repeat_interleave(16)
        for stage in self.stages.children():
            yield cast(Stage, stage).fold()
        yield self.picture.kernel(), self.ground


class FoldedGenerator(nn.Module):
    """A generator ready to play: one linear layer, then plain transposed convolutions.

    parts: weight and bias of each, the linear layer's first. (N, inputs) -> (N, 3, S, S). Where
    points are longer, they follow a guide and are bent, as models.latent says.
    """

    def __init__(self, parts: Sequence[tuple[Tensor, Tensor]], guide: Guide | None = None) -> None:
        super().__init__()
        self.weights = nn.ParameterList(weight.clone() for weight, _ in parts)
        self.biases = nn.ParameterList(bias.clone() for _, bias in parts)
        self.guide = guide
        self.requires_grad_(False)

    def forward(self, points: Tensor) -> Tensor:
        seed, *kernels = zip(self.weights, self.biases, strict=True)
        latent, guides, bends = split(points, seed[0].shape[1])
        added = [] if guides is None or self.guide is None else self.guide(guides)
        x = F.linear(latent, *seed).unflatten(1, (-1, 4, 4))
        for layer, (weight, bias) in enumerate(kernels):
            x = F.relu(_with(x, added[layer] if layer < len(added) else None))
            for bend in bends:
                x = bent(x, bend, layer, len(kernels))
            x = F.conv_transpose2d(x, weight, bias, stride=2, padding=1)
        return torch.tanh(x)


def split(points: Tensor, inputs: int) -> tuple[Tensor, Tensor | None, list[Tensor]]:
    """Points as they are played, (N, inputs and more): their own numbers, the guides (N, GUIDE²)
    if there are some, and each bend (N, 5)."""
    guided, bends = more(points.shape[1] - inputs)
    sizes = [inputs, *([GUIDE**2] if guided else []), *([len(BEND)] * bends)]
    latent, *rest = points.split(sizes, 1)
    return latent, (rest.pop(0) if guided else None), rest


def check_stages(resolution: int, channels: Sequence[int]) -> None:
    """Raise ValueError unless the channels lead from 4 pixels to the resolution by doubling."""
    if not channels or any(not isinstance(c, int) or not 1 <= c <= MOST for c in channels):
        raise ValueError(f"channels {list(channels)} must be whole numbers from 1 to {MOST}")
    if len(channels) > 10 or resolution != FIRST << len(channels):
        raise ValueError(f"{len(channels)} stages do not lead from {FIRST} to {resolution} pixels")


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    norm.weight = _drawn(channels, mean=1.0)
    return norm


def _drawn(*shape: int, mean: float = 0.0) -> nn.Parameter:
    """Weights to begin with, normal as DCGAN's (Radford et al. 2016).

    On the meta device, where a piece is rebuilt before it is loaded, there is nothing to draw, and
    drawing would import torch's compiler, which takes seconds.
    """
    weights = torch.empty(shape)
    return nn.Parameter(weights if weights.is_meta else weights.normal_(mean, 0.02))


def _with(x: Tensor, added: Tensor | None) -> Tensor:
    return x if added is None else x + added


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Eval-mode batch norm as y = scale · x + shift."""
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale
