"""The upscaler as fragment passes with multiple render targets: any GL 3.3 context."""

from __future__ import annotations

from functools import partial

import moderngl
from torch import Tensor

from installation.engine import convolution
from installation.engine.software import lets_go
from installation.engine.upscale import Half, ShaderUpscaler, Step, convolutions
from models.upscaler import Upscaler


class FragmentUpscaler(ShaderUpscaler):
    """`targets` limits the render targets of one pass, below what the context allows."""

    backend = "fragment"

    def __init__(
        self,
        ctx: moderngl.Context,
        upscaler: Upscaler,
        size: tuple[int, int],
        dtype: Half = "f2",
        targets: int | None = None,
    ) -> None:
        allowed = min(ctx.info["GL_MAX_DRAW_BUFFERS"], ctx.info["GL_MAX_COLOR_ATTACHMENTS"])
        self._targets = min(targets or allowed, allowed)
        self._let_go = lets_go(ctx)
        super().__init__(ctx, upscaler, size, dtype)

    def _plan(self, upscaler: Upscaler) -> None:
        groups, whole = upscaler.channels // 4, (0, 0, *self.size)
        # The first features stay for the long skip; two more sets take turns.
        first, *turns = [self._textures(self.size, groups) for _ in range(3)]
        features: list[moderngl.Texture | None] = [None]
        for index, (name, weight, bias) in enumerate(convolutions(upscaler)):
            made = turns[index % 2] if index else first
            for start in range(0, groups, self._targets):
                stop = min(start + self._targets, groups)
                skip = index == upscaler.depth
                text = partial(layer, weight, bias, range(4 * start, 4 * stop), skip)
                reads = {f"x{k}": texture for k, texture in enumerate(features)}
                if skip:
                    reads |= {f"skip{k}": texture for k, texture in enumerate(first[start:stop])}
                self._add([name] * (stop - start), text, reads, made[start:stop], whole)
            features = list(made)
        self._plan_output(upscaler, features)

    def _plan_output(self, upscaler: Upscaler, features: list[moderngl.Texture | None]) -> None:
        width, height = self.size
        parts = convolution.parts(self.scale)
        tall = self._textures((width, height * len(parts)), 3)
        reads = {"frame": None} | {f"x{k}": texture for k, texture in enumerate(features)}
        for index in range(len(parts)):
            region = (0, index * height, width, height)
            for start in range(0, 3, self._targets):
                colours = range(start, min(start + self._targets, 3))
                text = partial(phases, upscaler, index, colours)
                made = [f"phases.{colour}" for colour in colours]
                self._add(made, text, reads, tall[colours.start : colours.stop], region)
        reads = dict(zip(("red", "green", "blue"), tall, strict=True))
        whole = (0, 0, *self.output.size)
        self._add(["output"], partial(shuffle, self.scale), reads, [self.output], whole)

    def _compile(self, step: Step) -> moderngl.Program:
        program = self._own(
            self.ctx.program(
                vertex_shader=convolution.template("quad"), fragment_shader=step.text()
            )
        )
        triangle = self._own(self.ctx.vertex_array(program, []))
        target = self._own(self.ctx.framebuffer(step.writes))
        step.run = partial(self._run, triangle, target, step.region)
        return program

    def _run(
        self,
        triangle: moderngl.VertexArray,
        target: moderngl.Framebuffer,
        region: tuple[int, int, int, int],
    ) -> None:
        self.ctx.disable(moderngl.BLEND | moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        target.use()
        target.viewport = region
        triangle.render(moderngl.TRIANGLES, vertices=3)
        self._let_go()


def layer(weight: Tensor, bias: Tensor, outputs: range, skip: bool) -> str:
    """A pass that makes output channels `outputs` (by fours) of an activated convolution.

    With `skip` the samplers skip0 … are added before the activation.
    """
    groups = [list(range(k, k + 4)) for k in outputs[::4]]
    declarations = [convolution.leak()]
    declarations += [f"uniform sampler2D x{k};" for k in range(-(-weight.shape[1] // 4))]
    if skip:
        declarations += [f"uniform sampler2D skip{k};" for k in range(len(groups))]
    declarations += [f"layout(location = {k}) out vec4 y{k};" for k in range(len(groups))]
    body = convolution.sums(weight, bias, groups)
    values = convolution.activated(len(groups), skip)
    body += [f"y{k} = {value};" for k, value in enumerate(values)]
    return convolution.fill("convolution", declarations, body)


def phases(upscaler: Upscaler, index: int, colours: range) -> str:
    """The pass that makes one of the parts of every output block, base and residual together."""
    part = convolution.parts(upscaler.scale)[index]
    declarations = [f"const int PART = {index};", convolution.margin()]
    declarations += [f"uniform sampler2D x{k};" for k in range(upscaler.channels // 4)]
    declarations += [f"layout(location = {k}) out vec4 colour{k};" for k in range(len(colours))]
    body = convolution.bounded_phases(upscaler, [(colour, part) for colour in colours])
    filled = "y{}" if len(part) == 4 else "vec4(y{}, 0.0)"
    body += [f"colour{k} = {filled.format(k)};" for k in range(len(colours))]
    return convolution.fill("phases", declarations, body)


def shuffle(scale: int) -> str:
    """The pass that lays the phases out as the picture."""
    size = len(convolution.parts(scale)[0])
    return convolution.fill("shuffle", [f"const int SCALE = {scale};", f"const int PART = {size};"])
