"""An upscaler as one stand-alone user shader for mpv, so that others can use and compare it.

The format is that of mpv's manual, "User shaders": passes that begin with //!HOOK, each drawing
into one texture of four components, so that a layer of sixteen channels takes four passes. All of
it works on RGB as the video stores it, at the low resolution, and the last pass makes the picture.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from torch import Tensor

from installation.engine import convolution
from installation.engine.upscale import convolutions
from installation.writing import replace
from models.card import PieceError
from models.piece import load
from models.shelf import find
from models.upscaler import LEAK, Chained, Upscaler, load_default

_SIGNED = "Made by `installation export`."
_HEAD = """// {title}
//
// A super-resolution network ×{scale} on RGB: {channels} channels, {depth} + 2 convolutions,
// {macs} multiply-adds for each pixel of the video. {signed}
//
//     mpv --glsl-shader=FILE VIDEO
//
// It always runs, also where the window is no larger than the video.
"""


class ExportError(Exception):
    """A shader that cannot be written where it is asked for. One line."""


def export(piece: str, tier: str, scale: int, out: Path) -> Path:
    """Write the shader of a piece's own network, or without a piece of one that ships.

    Raises PieceError for a piece without a network, or a tier that does not ship, and ExportError.
    """
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise ExportError(f"--out {out}: give a file in a folder that is there, like sharp.glsl")
    if out.exists() and not _is_ours(out):
        raise ExportError(f"--out {out} is there already, and is no export: choose another name")
    if piece:
        own = load(find(piece)).upscaler
        if not isinstance(own, Upscaler):
            raise PieceError(f"{piece} has no upscaler of its own; without a piece, --tier is used")
        written = text(own, f"The upscaler of {find(piece).name}")
    else:
        written = text(load_default(scale, tier), f"Upscaler of tier {tier}")
    try:
        replace(out, written)
    except OSError as error:
        raise ExportError(f"{out} cannot be written: {error.strerror or error}") from error
    return out


def _is_ours(file: Path) -> bool:
    """Whether an existing file begins as an export does, so that a newer one may take its place."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return _SIGNED in opened.read(1000)
    except OSError:
        return False


def text(network: Upscaler | Chained, title: str) -> str:
    """The whole user shader; of a chain each network hooks what the one before it made."""
    return "\n".join(_text(link, title) for link in network.links)


def _text(upscaler: Upscaler, title: str) -> str:
    facts = {"scale": upscaler.scale, "channels": upscaler.channels, "depth": upscaler.depth}
    passes = [_HEAD.format(title=title, signed=_SIGNED, macs=upscaler.macs, **facts)]
    inputs, groups = "HOOKED", range(upscaler.channels // 4)
    for index, (name, weight, bias) in enumerate(convolutions(upscaler)):
        made = "FIRST" if index == 0 else ("ODD" if index % 2 else "EVEN")
        skip = "FIRST" if index == upscaler.depth else ""
        for k in groups:
            channels = list(range(4 * k, 4 * k + 4))
            body = convolution.sums(weight, bias, [channels], partial(_texel, inputs))
            added = f" + {skip}{k}_tex({skip}{k}_pos)" if skip else ""
            body += [f"s0 = s0{added};", f"return max(s0, {convolution.number(LEAK)} * s0);"]
            binds = [*_names(inputs, weight), *([f"{skip}{k}"] if skip else [])]
            passes.append(_pass(f"{name} {k}", binds, body, f"{made}{k}"))
        inputs = made
    return "\n".join([*passes, *_tail(upscaler, inputs)])


def _tail(upscaler: Upscaler, inputs: str) -> list[str]:
    """The residual, a pass for each vector of phases, and the pass that makes the picture."""
    scale, parts = upscaler.scale, convolution.parts(upscaler.scale)
    held = {name: tensor.cpu() for name, tensor in upscaler.tail.state_dict().items()}
    passes, names = [], []
    for colour in range(3):
        for k, part in enumerate(parts):
            channels = [colour * scale * scale + phase for phase in part]
            read = partial(_texel, inputs)
            body = convolution.sums(held["weight"], held["bias"], [channels], read)
            body.append("return vec4(s0, 0.0);" if len(part) == 3 else "return s0;")
            names.append(f"{'RGB'[colour]}{k}")
            binds = _names(inputs, held["weight"])
            passes.append(_pass(f"residual {names[-1]}", binds, body, names[-1]))
    return [*passes, _picture(scale, len(parts[0]), names)]


def _picture(scale: int, size: int, names: list[str]) -> str:
    """The last pass: base and residual, bounded. size: phases in one vector."""
    count = len(names) // 3
    declarations = [
        f"//!DESC picture, ×{scale}", "//!HOOK MAIN", "//!BIND HOOKED",
        *(f"//!BIND {name}" for name in names),
        f"//!WIDTH HOOKED.w {scale} *", f"//!HEIGHT HOOKED.h {scale} *",
        f"#define SCALE {scale}", convolution.margin(),
    ]  # fmt: skip
    body = []
    for part in range(count):
        which = f"phase / {size} == {part}"
        texels = [f"{names[c * count + part]}_tex(at)[phase % {size}]" for c in range(3)]
        body.append(f"if ({which}) residual = vec3({', '.join(texels)});")
    return convolution.fill("mpv", declarations, body)


def _pass(title: str, binds: list[str], body: list[str], save: str) -> str:
    head = [f"//!DESC {title}", "//!HOOK MAIN", *(f"//!BIND {name}" for name in binds)]
    head += [f"//!SAVE {save}", "//!WIDTH HOOKED.w", "//!HEIGHT HOOKED.h", "//!COMPONENTS 4"]
    if "HOOKED" not in binds:
        head.insert(2, "//!BIND HOOKED")
    return "\n".join([*head, "vec4 hook() {", *(f"    {line}" for line in body), "}", ""])


def _names(inputs: str, weight: Tensor) -> list[str]:
    """The textures that hold the input channels by fours."""
    if inputs == "HOOKED":
        return [inputs]
    return [f"{inputs}{k}" for k in range(weight.shape[1] // 4)]


def _texel(inputs: str, group: int, dx: int, dy: int) -> str:
    name = inputs if inputs == "HOOKED" else f"{inputs}{group}"
    return f"{name}_texOff(vec2({dx}, {dy}))"
