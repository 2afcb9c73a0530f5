"""Weights to GLSL: the text of the upscaler's fragment passes.

Pure text from tensors, no GL here. A convolution becomes sums of matrix times texel with the
weights as literals; see shaders/sr/convolution.glsl for why.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from torch import Tensor

from models.upscaler import LEAK, MARGIN, Upscaler

_TAPS = ("a", "b", "c")  # coordinates one before, at, and one after the pixel


@cache
def template(name: str) -> str:
    """The text of shaders/sr/<name>.glsl."""
    return (files("shaders") / "sr" / f"{name}.glsl").read_text(encoding="utf-8")


def _fill(name: str, declarations: list[str], body: list[str] | None = None) -> str:
    text = template(name).replace("//! declarations", "\n".join(declarations))
    return text.replace("//! body", "\n    ".join(body or []))


def _number(value: float) -> str:
    """A GLSL literal that reads back as exactly this float32."""
    text = f"{value:.9g}"
    return text if any(mark in text for mark in ".e") else f"{text}.0"


def _vector(values: Tensor) -> str:
    return f"vec{len(values)}({', '.join(map(_number, values.tolist()))})"


def _matrix(weight: Tensor) -> str:
    """(rows = outputs, columns = inputs) → a column-major GLSL matrix."""
    rows, columns = weight.shape
    numbers = ", ".join(map(_number, weight.t().flatten().tolist()))
    return f"mat{columns}x{rows}({numbers})"


def _sums(weight: Tensor, bias: Tensor, groups: list[list[int]]) -> list[str]:
    """Statements that leave output group k of a 3×3 convolution in a variable s<k>.

    weight (outputs, inputs, 3, 3), bias (outputs,); `groups` lists each variable's channels.
    """
    lines = [f"vec{len(rows)} s{k} = {_vector(bias[rows])};" for k, rows in enumerate(groups)]
    lines.append(f"vec{min(weight.shape[1], 4)} t;")
    swizzle = "rgba"[: min(weight.shape[1], 4)]
    for dy, y in enumerate(_TAPS):
        for dx, x in enumerate(_TAPS):
            for first in range(0, weight.shape[1], 4):
                lines.append(f"t = texel(x{first // 4}, {x}.x, {y}.y).{swizzle};")
                for k, rows in enumerate(groups):
                    part = weight[rows, first : first + 4, dy, dx]
                    lines.append(f"s{k} += {_matrix(part)} * t;")
    return lines


def convolution(weight: Tensor, bias: Tensor, outputs: range, skip: bool) -> str:
    """A pass that makes output channels `outputs` (by fours) of an activated convolution.

    With `skip` the samplers skip0 … are added before the activation.
    """
    groups = [list(range(k, k + 4)) for k in outputs[::4]]
    inputs = range(-(-weight.shape[1] // 4))
    declarations = [f"const float LEAK = {_number(LEAK)};"]
    declarations += [f"uniform sampler2D x{k};" for k in inputs]
    if skip:
        declarations += [f"uniform sampler2D skip{k};" for k in range(len(groups))]
    declarations += [f"layout(location = {k}) out vec4 y{k};" for k in range(len(groups))]
    body = _sums(weight, bias, groups)
    for k in range(len(groups)):
        added = f" + texel(skip{k}, b.x, b.y)" if skip else ""
        body.append(f"y{k} = activate(s{k}{added});")
    return _fill("convolution", declarations, body)


def phases(upscaler: Upscaler, row: int) -> str:
    """The pass that makes row `row` of every output block, base and residual together."""
    scale = upscaler.scale
    groups = [
        [colour * scale * scale + row * scale + column for column in range(scale)]
        for colour in range(3)
    ]
    declarations = [f"const int ROW = {row};", f"const float MARGIN = {_number(MARGIN)};"]
    declarations += [f"uniform sampler2D x{k};" for k in range(upscaler.channels // 4)]
    declarations += [f"layout(location = {k}) out vec{scale} y{k};" for k in range(3)]
    tail = {name: tensor.cpu() for name, tensor in upscaler.tail.state_dict().items()}
    body = _sums(tail["weight"], tail["bias"], groups)
    body += _base(upscaler.kernel[row * scale : (row + 1) * scale, 0].cpu())
    body.append("vec3 margin = MARGIN * (high - low);")
    for k, colour in enumerate("rgb"):
        body.append(
            f"y{k} = bounded(base{k} + strength * s{k}, base{k},"
            f" low.{colour} - margin.{colour}, high.{colour} + margin.{colour});"
        )
    return _fill("phases", declarations, body)


def _base(kernel: Tensor) -> list[str]:
    """Statements that leave the base's red, green, blue in base0, base1, base2.

    And in `low` and `high` the range of the 3×3 texels around. kernel (columns of the block, 5, 5);
    taps that serve neither are left out.
    """
    columns = len(kernel)
    lines = ["vec3 f, low = vec3(1e9), high = vec3(-1e9);"]
    lines += [f"vec{columns} base{k} = vec{columns}(0.0);" for k in range(3)]
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            weights = kernel[:, dy + 2, dx + 2]
            near = max(abs(dy), abs(dx)) <= 1
            if near or weights.any():
                at = f"clamp(p + ivec2({dx}, {dy}), ivec2(0), size - 1)"
                lines.append(f"f = texelFetch(frame, {at}, 0).rgb;")
            if weights.any():
                lines += [f"base{k} += {_vector(weights)} * f.{'rgb'[k]};" for k in range(3)]
            if near:
                lines.append("low = min(low, f); high = max(high, f);")
    return lines


def shuffle(scale: int) -> str:
    """The pass that lays the phases out as the picture."""
    return _fill("shuffle", [f"const int SCALE = {scale};"])
