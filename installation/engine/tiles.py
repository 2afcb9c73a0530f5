"""The upscaler in compute shaders on tiles in shared memory: GL 4.3 and later.

A layer is one dispatch whatever its channels, and the last ones do all that is left: convolution,
base, bound, strength and pixel shuffle, straight into the picture.

An invocation makes a column of ROWS pixels, so that a weight that was read serves them all, and the
weights lie in a buffer: as literals, 9,216 of them fill 150 KB of code for each pixel, which a GPU
reads more slowly than it multiplies. So the text of a layer is short, and the same for all that
have its shape: it is compiled once.
"""

from __future__ import annotations

from functools import partial

import moderngl
import numpy as np
from numpy.typing import NDArray
from torch import Tensor, zeros

from installation.engine import convolution
from installation.engine.upscale import ShaderUpscaler, Step, convolutions
from models.upscaler import Upscaler

REQUIRED = 430  # the version of GL
WIDTH, COLUMNS, ROWS = 32, 8, 4
"""A tile is WIDTH by COLUMNS invocations of ROWS pixels each: of ten such shapes the fastest on an
H200 (training/MEASUREMENTS.md)."""
HEIGHT = COLUMNS * ROWS
_MOST = 6  # output groups of the picture in one dispatch: the sums of all have to stay in registers


class TileUpscaler(ShaderUpscaler):
    backend = "compute"

    def _plan(self, upscaler: Upscaler) -> None:
        self._programs: dict[str, moderngl.ComputeShader] = {}
        kind = {"f2": "rgba16f", "f4": "rgba32f"}[self.dtype]
        groups = upscaler.channels // 4
        first, *turns = [self._textures(self.size, groups) for _ in range(3)]
        features: list[moderngl.Texture | None] = [None]
        reads: dict[str, moderngl.Texture | None]
        for index, (name, weight, bias) in enumerate(convolutions(upscaler)):
            made = turns[index % 2] if index else first
            skip = index == upscaler.depth
            reads = {f"in{k}": texture for k, texture in enumerate(features)}
            if skip:
                reads |= {f"skip{k}": texture for k, texture in enumerate(first)}
            text = partial(layer, len(features) if index else 0, groups, skip, kind)
            self._add([name] * groups, text, reads, made, (0, 0, *self.size))
            self._steps[-1].weights = self._buffer(weight, bias, _fours(len(weight)))
            features = list(made)
        reads = {"frame": None}
        reads |= {f"in{k}": texture for k, texture in enumerate(features)}
        tail = {name: tensor.cpu() for name, tensor in upscaler.tail.state_dict().items()}
        parts, at_once = convolution.parts(upscaler.scale), _MOST // 3
        for start in range(0, len(parts), at_once):
            some = parts[start : start + at_once]
            name = "output" if start + at_once >= len(parts) else ""
            text = partial(picture, upscaler, some, kind)
            self._add([name], text, reads, [self.output], (0, 0, *self.output.size))
            vectors = _vectors(upscaler.scale, some)
            self._steps[-1].weights = self._buffer(tail["weight"], tail["bias"], vectors)

    def _buffer(self, weight: Tensor, bias: Tensor, groups: list[list[int]]) -> moderngl.Buffer:
        return self._own(self.ctx.buffer(packed(weight, bias, groups).tobytes()))

    def _compile(self, step: Step) -> moderngl.ComputeShader:
        text = step.text()
        if text not in self._programs:
            self._programs[text] = self._own(self.ctx.compute_shader(text))
        step.run = partial(self._run, self._programs[text], step)
        return self._programs[text]

    def _run(self, program: moderngl.ComputeShader, step: Step) -> None:
        for unit, texture in enumerate(step.writes):
            texture.bind_to_image(unit, read=False, write=True)
        assert step.weights is not None  # noqa: S101 - _plan gave each its own
        step.weights.bind_to_storage_buffer(0)
        width, height = self.size
        program.run(-(-width // WIDTH), -(-height // HEIGHT))
        self.ctx.memory_barrier()


def _fours(channels: int) -> list[list[int]]:
    return [list(range(first, first + 4)) for first in range(0, channels, 4)]


def _vectors(scale: int, parts: list[list[int]]) -> list[list[int]]:
    """The tail's channels for each colour and part."""
    return [[colour * scale * scale + k for k in part] for colour in range(3) for part in parts]


def packed(weight: Tensor, bias: Tensor, groups: list[list[int]]) -> NDArray[np.float32]:
    """What the shaders' buffer holds, (n, 4): a bias for each output group, then for each four
    input channels, column and row of the kernel and output group a matrix, column by column."""
    inputs = -(-weight.shape[1] // 4)
    biases = zeros(len(groups), 4)
    matrices = zeros(inputs, 3, 3, len(groups), 4, 4)  # input group, dx, dy, output group, in, out
    for k, rows in enumerate(groups):
        biases[k, : len(rows)] = bias[rows]
        for g in range(inputs):
            part = weight[rows, 4 * g : 4 * g + 4]  # (out, in, dy, dx)
            matrices[g, :, :, k, : part.shape[1], : len(rows)] = part.permute(3, 2, 1, 0)
    found: NDArray[np.float32] = np.concatenate([biases.numpy(), matrices.reshape(-1, 4).numpy()])
    return found


def layer(inputs: int, outputs: int, skip: bool, kind: str) -> str:
    """The dispatch of one activated convolution, channels counted by fours, 0 for the frame; kind:
    the images' format. With `skip` the samplers skip0 … are added before the activation."""
    images = [f"y{k}" for k in range(outputs)]
    declarations = _declared(inputs, outputs, images, kind, rim=1)
    declarations += [convolution.leak(), "vec4 activate(vec4 x) { return max(x, LEAK * x); }"]
    if skip:
        declarations += [f"uniform sampler2D skip{k};" for k in range(outputs)]
    body = _sums(outputs)
    for row in range(ROWS):
        body += _pixel(f"{row}")
        for k in range(outputs):
            added = f" + texelFetch(skip{k}, p, 0)" if skip else ""
            body.append(f"imageStore(y{k}, p, activate(s{k}_{row}{added}));")
        body.append("}")
    return convolution.fill("tile", declarations, body)


def picture(upscaler: Upscaler, parts: list[list[int]], kind: str) -> str:
    """The dispatch from the last features to some parts of every block of the picture."""
    scale = upscaler.scale
    vectors = [(colour, part) for colour in range(3) for part in parts]
    declarations = _declared(upscaler.channels // 4, len(vectors), ["picture"], kind, rim=2)
    declarations += [convolution.margin(), convolution.template("blocks")]
    body = [*_sums(len(vectors)), "FRAME", "for (int row = 0; row < ROWS; row++) {", *_pixel("row")]
    for k, (_, part) in enumerate(vectors):
        # An array that is read by a variable would not be kept in registers.
        chosen = "".join(f"row == {r} ? s{k}_{r} : " for r in range(1, ROWS)) + f"s{k}_0"
        body.append(f"vec{len(part)} s{k} = ({chosen}).{'xyzw'[: len(part)]};")
    body += convolution.bounds(upscaler, vectors)
    for k, part in enumerate(parts):
        for component, phase in enumerate(part):
            y, x = divmod(phase, scale)
            rgb = ", ".join(f"y{k + c * len(parts)}[{component}]" for c in range(3))
            to = f"p * {scale} + ivec2({x}, {y})"
            body.append(f"imageStore(picture, {to}, vec4(clamp(vec3({rgb}), 0.0, 1.0), 1.0));")
    body += ["}", "}"]
    return convolution.fill("tile", declarations, body)


def _declared(inputs: int, outputs: int, images: list[str], kind: str, rim: int) -> list[str]:
    texels = (WIDTH + 2 * rim) * (HEIGHT + 2 * rim)
    # Of a frame, alpha may be anything, and 0 times that is not always 0.
    four = "texelFetch(in{}, at, 0)" if inputs else "vec4(texelFetch(in{}, at, 0).rgb, 0.0)"
    inputs = max(1, inputs)
    lines = [f"const int WIDTH = {WIDTH}, HEIGHT = {HEIGHT}, ROWS = {ROWS};"]
    lines.append(f"const int THREADS = {WIDTH * COLUMNS}, TEXELS = {texels};")
    lines.append(f"const int INPUTS = {inputs}, OUTPUTS = {outputs};")
    lines.append(f"layout(local_size_x = {WIDTH}, local_size_y = {COLUMNS}) in;")
    lines += [f"uniform sampler2D in{k};" for k in range(inputs)]
    lines += [
        f"layout({kind}, binding = {k}) writeonly uniform image2D {name};"
        for k, name in enumerate(images)
    ]
    lines.append("vec4 four(int group, ivec2 at) {")
    lines += [f"    if (group == {k}) return {four.format(k)};" for k in range(inputs - 1)]
    return [*lines, f"    return {four.format(inputs - 1)};", "}"]


def _pixel(row: str) -> list[str]:
    """Statements that begin a block for the pixel in a row: `p` in the frame, `b` in the tile."""
    return [f"b = first + ivec2(0, {row}); p = tile + b;", "if (all(lessThan(p, size))) {"]


def _sums(outputs: int) -> list[str]:
    """Statements that leave output group k of the pixel in row r in a variable s<k>_<r>."""
    pixels = range(ROWS)
    lines = [f"vec4 s{k}_{r} = weights[{k}];" for k in range(outputs) for r in pixels]
    lines += ["vec4 w0, w1, w2, w3;", f"vec4 {', '.join(f't{r}' for r in range(ROWS + 2))};"]
    lines.append("for (int group = 0; group < INPUTS; group++) {")
    lines.append("LOAD(group)")
    lines.append("for (int dx = 0; dx < 3; dx++) {")
    lines.append("int w = dx * 3 * OUTPUTS * 4;")
    lines += [f"t{r} = texel(dx, {r});" for r in range(ROWS + 2)]
    for dy in range(3):
        for k in range(outputs):
            at = 4 * (dy * outputs + k)
            lines.append(" ".join(f"w{c} = matrices[w + {at + c}];" for c in range(4)))
            for r in pixels:
                # Column by column, each a multiply-add; a matrix's product would be added after.
                lines += [f"s{k}_{r} += w{c} * t{r + dy}.{'xyzw'[c]};" for c in range(4)]
    return [*lines, "}", "}"]
