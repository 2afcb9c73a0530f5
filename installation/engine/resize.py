"""A picture at another size, in linear light, without ringing and without aliasing."""

from __future__ import annotations

import math

import moderngl

import shaders
from installation.engine.programs import Program
from installation.engine.textures import Target


class Resize:
    """Catmull-Rom, widened to a low-pass where the picture is reduced, kept within its range."""

    def __init__(self, ctx: moderngl.Context) -> None:
        shader = shaders.load("output/resize")
        self._programs = [Program(ctx, shader, stage) for stage in range(4)]
        self._wide = Target(ctx, (1, 1))

    def draw(
        self,
        source: moderngl.Texture,
        into: moderngl.Framebuffer,
        scale: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """Draw the picture in the middle of a canvas; what is around it stays.

        scale: size of the canvas in pictures, 1 or more.
        """
        width, height = into.viewport[2:]
        self._wide = self._wide.resized((width, source.height))
        values = {"scale": scale}
        across = self._programs[0 if source.width * scale[0] <= width else 2]
        up = self._programs[1 if source.height * scale[1] <= height else 3]
        across.draw(self._wide.framebuffer, {"source": source}, values)
        x, y = (
            math.ceil(size * (1 - 1 / by) / 2 - 0.5)
            for size, by in zip((width, height), scale, strict=True)
        )
        if (x, y) != (0, 0):
            into.scissor = (x, y, width - 2 * x, height - 2 * y)
        up.draw(into, {"source": self._wide.texture}, values)
        if (x, y) != (0, 0):
            into.scissor = (0, 0, width, height)

    def release(self) -> None:
        for program in self._programs:
            program.release()
        self._wide.release()


def carry_over(ctx: moderngl.Context, old: Target, new: Target) -> None:
    """Draw what one target holds into one of another size."""
    resize = Resize(ctx)
    resize.draw(old.texture, new.framebuffer)
    resize.release()
