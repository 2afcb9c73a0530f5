"""A small super-resolution network, shaped so that fragment shaders can run it.

Every convolution works at the low resolution (ESPCN, Shi et al. 2016), 3×3 with replicate padding,
which in GLSL is a clamped texel fetch. A long skip joins the first features to the last, and what
the network says is a residual, added to an explicit Catmull-Rom upsampling of the frame: with
`strength` 0 the picture is simply well interpolated, with 1 it is what was trained.

The residual may not leave the range of the 3×3 pixels around it by more than a margin: a network
that must guess how soft its input is overshoots, and a wall shows that as a bright rim.

Colours are sRGB-encoded RGB in [0, 1] on both sides.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, cast

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from torch import Tensor, nn

from models.card import PieceError

# Channels × body convolutions. T for a machine without a GPU and a large frame, S by default, M
# and L where a GPU has nothing better to do.
TIERS: dict[str, dict[str, int]] = {
    "T": {"channels": 8, "depth": 3},
    "S": {"channels": 16, "depth": 4},
    "M": {"channels": 32, "depth": 4},
    "L": {"channels": 32, "depth": 8},
}
SCALES = (2, 3, 4)
CHAINS = {6: (2, 3)}  # scales that two networks reach, the second fitted to what the first makes
MARGIN = 0.05  # how far the residual may leave its neighbours' range, as a share of that
LEAK = 0.1  # slope of the leaky ReLU below zero: in eight channels a dead one is missed


def catmull_rom(scale: int) -> Tensor:
    """Catmull-Rom upsampling by an integer as filters on the low-resolution grid.

    Returns (scale², 5, 5): filter i·scale + j makes the output pixel in row i, column j of each
    input pixel's block. Sample centres are aligned (pixel k covers [k, k + 1]). Keys' cubic with
    a = -0.5 (Keys 1981); torch's own bicubic has a = -0.75 and rings more.
    """
    taps = torch.arange(-2, 3, dtype=torch.float64)
    centres = (torch.arange(scale, dtype=torch.float64) + 0.5) / scale - 0.5
    d = (taps[None, :] - centres[:, None]).abs()  # (scale, 5)
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    line = torch.where(d < 1, near, torch.where(d < 2, far, 0.0))
    return torch.einsum("iy,jx->ijyx", line, line).reshape(scale * scale, 5, 5).float()


class Upscaler(nn.Module):
    """(N, 3, H, W) in [0, 1] → (N, 3, scale·H, scale·W) in [0, 1].

    The keyword arguments are what a piece's card stores. Raises ValueError for a shape that the
    shaders would not run: scale 2 to 4, channels a multiple of 4 up to 32, depth 1 to 16.
    """

    def __init__(self, scale: int = 4, channels: int = 16, depth: int = 4) -> None:
        super().__init__()
        for name, value in (("scale", scale), ("channels", channels), ("depth", depth)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise ValueError(f"upscaler {name} is a whole number, not {value!r}")
        if scale not in SCALES:
            raise ValueError(f"upscaler scale is 2, 3 or 4, not {scale}")
        if channels not in range(4, 33, 4):
            raise ValueError(f"upscaler channels are a multiple of 4 up to 32, not {channels}")
        if not 1 <= depth <= 16:
            raise ValueError(f"upscaler depth is 1 to 16, not {depth}")
        self.scale, self.channels, self.depth = scale, channels, depth

        def conv(inputs: int, outputs: int) -> nn.Conv2d:
            made = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")
            nn.init.kaiming_normal_(made.weight, LEAK)  # torch's own fades: slow to begin
            nn.init.zeros_(cast(Tensor, made.bias))
            return made

        self.head = conv(3, channels)
        self.body = nn.ModuleList(conv(channels, channels) for _ in range(depth))
        self.tail = conv(channels, 3 * scale * scale)
        nn.init.normal_(self.tail.weight, std=0.01)  # begin close to plain interpolation
        self.kernel: Tensor
        with torch.device("cpu"):  # a constant: it is not in the file that a piece is rebuilt from
            kernel = catmull_rom(scale)[:, None]
        self.register_buffer("kernel", kernel, persistent=False)

    @property
    def kwargs(self) -> dict[str, int]:
        """What rebuilds this network, for a piece's card."""
        return {"scale": self.scale, "channels": self.channels, "depth": self.depth}

    @property
    def links(self) -> tuple[Upscaler, ...]:
        """The networks that run one after the other: this one alone."""
        return (self,)

    @property
    def macs(self) -> int:
        """Multiply-adds for each low-resolution pixel, the base not counted."""
        return sum(p.numel() for name, p in self.named_parameters() if name.endswith("weight"))

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """The activations of head and body, by name, each (N, channels, H, W)."""
        out = {"head": F.leaky_relu(self.head(x), LEAK)}
        h = out["head"]
        for index, conv in enumerate(self.body):
            h = conv(h)
            if index == self.depth - 1:
                h = h + out["head"]
            h = out[f"body.{index}"] = F.leaky_relu(h, LEAK)
        return out

    def layers(self, x: Tensor, strength: float = 1.0) -> dict[str, Tensor]:
        """Every intermediate result by name, low resolution, in the order of the shader passes.

        The last, "phases", is the picture before pixel shuffle and clamp: (N, 3·scale², H, W).
        """
        out = self.features(x)
        residual = self.tail(list(out.values())[-1])
        return out | {"phases": self.bounded(x, self.base(x), strength * residual)}

    def bounded(self, x: Tensor, base: Tensor, residual: Tensor) -> Tensor:
        """base + residual, kept to what the neighbours in `x` show. The base is always allowed."""
        padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
        high, low = F.max_pool2d(padded, 3, 1), -F.max_pool2d(-padded, 3, 1)  # (N, 3, H, W)
        margin = MARGIN * (high - low)
        phases = self.scale * self.scale
        high = (high + margin).repeat_interleave(phases, 1)
        low = (low - margin).repeat_interleave(phases, 1)
        return (base + residual).maximum(low.minimum(base)).minimum(high.maximum(base))

    def base(self, x: Tensor) -> Tensor:
        """The Catmull-Rom picture before pixel shuffle: (N, 3·scale², H, W)."""
        padded = F.pad(x, (2, 2, 2, 2), mode="replicate")
        return F.conv2d(padded, self.kernel.repeat(3, 1, 1, 1), groups=3)

    def residual(self, x: Tensor) -> Tensor:
        """What the network adds to the base, before it is bounded: (N, 3·scale², H, W). A loss is
        taken of base and residual, kept neither to the neighbours nor to [0, 1]."""
        residual: Tensor = self.tail(list(self.features(x).values())[-1])
        return residual

    def forward(self, x: Tensor, strength: float = 1.0) -> Tensor:
        return F.pixel_shuffle(self.layers(x, strength)["phases"], self.scale).clamp(0, 1)


class Chained(nn.Sequential):
    """Upscalers one after the other, as one: ×2 and then ×3 is ×6. Called as an Upscaler is.
    Raises ValueError for none."""

    def __init__(self, *links: Upscaler) -> None:
        if not links:
            raise ValueError("a chain has at least one upscaler")
        super().__init__(*links)

    @property
    def links(self) -> tuple[Upscaler, ...]:
        return tuple(cast("list[Upscaler]", self))

    @property
    def kwargs(self) -> list[dict[str, int]]:
        """Those of each, in order."""
        return [link.kwargs for link in self.links]

    @property
    def scale(self) -> int:
        return math.prod(link.scale for link in self.links)

    @property
    def macs(self) -> int:
        """As Upscaler.macs: a later network works on more pixels."""
        total, area = 0, 1
        for link in self.links:
            total += area * link.macs
            area *= link.scale**2
        return total

    def forward(self, x: Tensor, strength: float = 1.0) -> Tensor:
        for link in self.links:
            x = link(x, strength)
        return x


def build(
    kwargs: Mapping[str, Any] | Sequence[Mapping[str, Any]], weights: bytes, where: str
) -> Upscaler | Chained:
    """Rebuild an upscaler, or a chain of several, from a card's keyword arguments and the bytes of
    a safetensors file.

    `where` names the file in messages. Raises PieceError.
    """
    try:
        links = [Upscaler(**k) for k in ([kwargs] if isinstance(kwargs, Mapping) else kwargs)]
        upscaler = links[0] if isinstance(kwargs, Mapping) else Chained(*links)
        state = read_tensors(weights)
        upscaler.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    except (TypeError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise PieceError(f"{where} does not hold the upscaler its card names: {reason}") from error
    if not all(tensor.isfinite().all() for tensor in upscaler.state_dict().values()):
        raise PieceError(f"{where} holds numbers that are not finite")
    return upscaler.eval().requires_grad_(False)


def load_default(
    scale: int = 4, tier: str = "S", folder: Traversable | None = None
) -> Upscaler | Chained:
    """The general upscaler that ships, for a piece that carries none. Raises PieceError.

    Its weights were trained on drawn images alone; the JSON card beside them says how, and holds
    the SHA-256 that is checked here.
    """
    folder = folder or files("models") / "upscalers"
    name = f"{tier}x{scale}"
    if tier not in TIERS or not (folder / f"{name}.json").is_file():
        there = ", ".join(f"{one} at ×{n}" for n in (*SCALES, *CHAINS) for one in shipped(n))
        raise PieceError(f"no upscaler of tier {tier} at ×{scale} ships; there are: {there}")
    weights = folder / f"{name}.safetensors"
    try:
        card = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        data = weights.read_bytes()
        digest, kwargs = card["sha256"], card["upscaler"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PieceError(f"{weights} or its card is missing or unreadable") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise PieceError(f"{weights} is damaged or was changed; install installation again")
    return build(kwargs, data, str(weights))


def shipped(scale: int) -> list[str]:
    """The tiers whose general weights ship at this scale, in the order of TIERS."""
    folder = files("models") / "upscalers"
    return [tier for tier in TIERS if (folder / f"{tier}x{scale}.json").is_file()]
