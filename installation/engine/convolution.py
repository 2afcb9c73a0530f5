"""Weights to GLSL: statements that every back end of the upscaler shares.

Pure text from tensors, no GL here. For fragment passes a convolution becomes sums of matrix times
texel with the weights as literals; see shaders/sr/convolution.glsl for why, and tiles.py for the
other way. The statements read texels by macros, which the templates in shaders/sr/ define for their
own memory:

    texel(x0, a.x, c.y)    input channels 0 to 3 at the column before and the row below
    same(skip0)            channels 0 to 3 of the first features at this very pixel
    around(-1, 2)          the frame's red, green, blue at an offset
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files

from torch import Tensor

from models.upscaler import LEAK, MARGIN, Upscaler

_TAPS = ("a", "b", "c")  # coordinates one before, at, and one after the pixel


@cache
def template(name: str) -> str:
    """The text of shaders/sr/<name>.glsl."""
    return (files("shaders") / "sr" / f"{name}.glsl").read_text(encoding="utf-8")


def fill(name: str, declarations: list[str], body: list[str] | None = None) -> str:
    """A template with its lines marked //! filled in."""
    text = template(name).replace("//! declarations", "\n".join(declarations))
    return text.replace("//! body", "\n    ".join(body or []))


def number(value: float) -> str:
    """A GLSL literal that reads back as exactly this float32."""
    text = f"{value:.9g}"
    return text if any(mark in text for mark in ".e") else f"{text}.0"


def vector(values: Tensor) -> str:
    return f"vec{len(values)}({', '.join(map(number, values.tolist()))})"


def matrix(weight: Tensor) -> str:
    """(rows = outputs, columns = inputs) → a column-major GLSL matrix."""
    rows, columns = weight.shape
    numbers = ", ".join(map(number, weight.t().flatten().tolist()))
    return f"mat{columns}x{rows}({numbers})"


def parts(scale: int) -> list[list[int]]:
    """The phases of one output block, row by row, by at most four: one vector for each colour.

    A block of ×2 is one vector of four; those of ×3 and ×4 are a vector for each row.
    """
    size = 4 if scale == 2 else scale
    return [list(range(first, first + size)) for first in range(0, scale * scale, size)]


def texel(group: int, dx: int, dy: int) -> str:
    """How the templates read four input channels at an offset of -1 to 1."""
    return f"texel(x{group}, {_TAPS[dx + 1]}.x, {_TAPS[dy + 1]}.y)"


def sums(
    weight: Tensor,
    bias: Tensor,
    groups: list[list[int]],
    read: Callable[[int, int, int], str] = texel,
) -> list[str]:
    """Statements that leave output group k of a 3×3 convolution in a variable s<k>.

    weight (outputs, inputs, 3, 3), bias (outputs,); `groups` lists each variable's channels.
    """
    lines = [f"vec{len(rows)} s{k} = {vector(bias[rows])};" for k, rows in enumerate(groups)]
    lines.append(f"vec{min(weight.shape[1], 4)} t;")
    swizzle = "rgba"[: min(weight.shape[1], 4)]
    for dy in range(3):
        for dx in range(3):
            for first in range(0, weight.shape[1], 4):
                lines.append(f"t = {read(first // 4, dx - 1, dy - 1)}.{swizzle};")
                for k, rows in enumerate(groups):
                    part = weight[rows, first : first + 4, dy, dx]
                    lines.append(f"s{k} += {matrix(part)} * t;")
    return lines


def activated(groups: int, skip: bool) -> list[str]:
    """Expressions of the activated sums; with `skip` the first features are added before."""
    added = [f" + same(skip{k})" if skip else "" for k in range(groups)]
    return [f"activate(s{k}{added[k]})" for k in range(groups)]


def leak() -> str:
    return f"const float LEAK = {number(LEAK)};"


def margin() -> str:
    return f"const float MARGIN = {number(MARGIN)};"


def bounded_phases(upscaler: Upscaler, vectors: list[tuple[int, list[int]]]) -> list[str]:
    """Statements that leave phases of the picture in y0, y1 …

    The tail's convolution, the Catmull-Rom base, and the bound that keeps their sum near what the
    neighbours show. Each of `vectors` is a colour, 0 to 2, and phases of it, one of parts().
    """
    block = upscaler.scale * upscaler.scale
    groups = [[colour * block + k for k in part] for colour, part in vectors]
    tail = {name: tensor.cpu() for name, tensor in upscaler.tail.state_dict().items()}
    return sums(tail["weight"], tail["bias"], groups) + bounds(upscaler, vectors)


def bounds(upscaler: Upscaler, vectors: list[tuple[int, list[int]]]) -> list[str]:
    """The same, where the tail's convolution is in s0, s1 … already."""
    lines = base(upscaler.kernel[:, 0].cpu(), vectors)
    lines.append("vec3 margin = MARGIN * (high - low);")
    for k, (which, part) in enumerate(vectors):
        colour = "rgb"[which]
        lines.append(
            f"vec{len(part)} y{k} = bounded(base{k} + strength * s{k}, base{k},"
            f" low.{colour} - margin.{colour}, high.{colour} + margin.{colour});"
        )
    return lines


def base(kernel: Tensor, vectors: list[tuple[int, list[int]]]) -> list[str]:
    """Statements that leave the base of bounded_phases() in base0, base1 …

    And in `low` and `high` the range of the 3×3 texels around. kernel (phases, 5, 5); taps that
    serve neither are left out.
    """
    lines = ["vec3 f, low = vec3(1e9), high = vec3(-1e9);"]
    lines += [
        f"vec{len(part)} base{k} = vec{len(part)}(0.0);" for k, (_, part) in enumerate(vectors)
    ]
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            taps = kernel[:, dy + 2, dx + 2]
            near = max(abs(dy), abs(dx)) <= 1
            used = [k for k, (_, part) in enumerate(vectors) if taps[part].any()]
            if near or used:
                lines.append(f"f = around({dx}, {dy});")
            lines += [
                f"base{k} += {vector(taps[vectors[k][1]])} * f.{'rgb'[vectors[k][0]]};"
                for k in used
            ]
            if near:
                lines.append("low = min(low, f); high = max(high, f);")
    return lines
