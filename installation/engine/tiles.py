"""The upscaler in compute shaders on tiles in shared memory: GL 4.3 and later.

A layer is one dispatch whatever its channels, and the last one does all that is left: convolution,
base, bound, strength and pixel shuffle, straight into the picture.
"""

from __future__ import annotations

from functools import partial

import moderngl
from torch import Tensor

from installation.engine import convolution
from installation.engine.upscale import ShaderUpscaler, Step, convolutions
from models.upscaler import Upscaler

REQUIRED = 430  # the version of GL
WIDTH, HEIGHT = 16, 8  # pixels of a tile: with its rim, 32 channels are 23 KB of the 32 there are


class TileUpscaler(ShaderUpscaler):
    backend = "compute"

    def _plan(self, upscaler: Upscaler) -> None:
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
            text = partial(layer, weight, bias, skip, kind)
            self._add([name] * groups, text, reads, made, (0, 0, *self.size))
            features = list(made)
        reads = {"frame": None}
        reads |= {f"in{k}": texture for k, texture in enumerate(features)}
        text = partial(picture, upscaler, kind)
        self._add(["output"], text, reads, [self.output], (0, 0, *self.output.size))

    def _compile(self, step: Step) -> moderngl.ComputeShader:
        program = self._own(self.ctx.compute_shader(step.text()))
        step.run = partial(self._run, program, step.writes)
        return program

    def _run(self, program: moderngl.ComputeShader, writes: list[moderngl.Texture]) -> None:
        for unit, texture in enumerate(writes):
            texture.bind_to_image(unit, read=False, write=True)
        width, height = self.size
        program.run(-(-width // WIDTH), -(-height // HEIGHT))
        self.ctx.memory_barrier()


def _tile(inputs: int, images: list[str], kind: str) -> list[str]:
    """Declarations that all passes share; FILL copies a texel of every input to the tile."""
    lines = [f"const int WIDTH = {WIDTH};", f"const int HEIGHT = {HEIGHT};"]
    lines.append(f"layout(local_size_x = {WIDTH}, local_size_y = {HEIGHT}) in;")
    for k in range(inputs):
        lines += [f"uniform sampler2D in{k};", f"shared vec4 x{k}[(WIDTH + 2) * (HEIGHT + 2)];"]
    lines += [
        f"layout({kind}, binding = {k}) writeonly uniform image2D {name};"
        for k, name in enumerate(images)
    ]
    filled = " ".join(f"x{k}[i] = texelFetch(in{k}, at, 0);" for k in range(inputs))
    return [*lines, f"#define FILL {filled}"]


def layer(weight: Tensor, bias: Tensor, skip: bool, kind: str) -> str:
    """The dispatch of one activated convolution; kind: the images' format."""
    groups = [list(range(k, k + 4)) for k in range(0, len(weight), 4)]
    images = [f"y{k}" for k in range(len(groups))]
    declarations = _tile(-(-weight.shape[1] // 4), images, kind)
    declarations.append(convolution.leak())
    if skip:
        declarations += [f"uniform sampler2D skip{k};" for k in range(len(groups))]
    body = convolution.sums(weight, bias, groups)
    values = convolution.activated(len(groups), skip)
    body += [f"imageStore(y{k}, p, {value});" for k, value in enumerate(values)]
    return convolution.fill("tile", declarations, body)


def picture(upscaler: Upscaler, kind: str) -> str:
    """The dispatch from the last features to the picture."""
    parts, scale = convolution.parts(upscaler.scale), upscaler.scale
    declarations = _tile(upscaler.channels // 4, ["picture"], kind)
    declarations.append(convolution.margin())
    vectors = [(colour, part) for colour in range(3) for part in parts]
    body = convolution.bounded_phases(upscaler, vectors)
    for k, part in enumerate(parts):
        for component, phase in enumerate(part):
            row, column = divmod(phase, scale)
            rgb = ", ".join(f"y{k + colour * len(parts)}[{component}]" for colour in range(3))
            at = f"p * {scale} + ivec2({column}, {row})"
            body.append(f"imageStore(picture, {at}, vec4(clamp(vec3({rgb}), 0.0, 1.0), 1.0));")
    return convolution.fill("blocks", declarations, body)
