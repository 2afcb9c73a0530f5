"""From the generator's frames to a picture in linear light, and from there to the screen."""

from __future__ import annotations

import math
from typing import Literal

import moderngl

import shaders
from installation.engine.programs import Program, Values
from installation.engine.textures import Size, Target

Fit = Literal["contain", "cover", "stretch"]


class Compose:
    """Decodes and blends two frames, and puts them on a canvas of the output's size.

    fit: "contain" shows the whole picture and lets its border go on softly around it, "cover"
    fills the canvas and crops, "stretch" distorts.
    """

    def __init__(self, ctx: moderngl.Context, size: Size, fit: Fit = "contain") -> None:
        self._ctx = ctx
        self.fit: Fit = fit
        enlarge = shaders.load("output/enlarge")
        self._decode = Program(ctx, shaders.load("output/decode"))
        self._across, self._up = Program(ctx, enlarge, 0), Program(ctx, enlarge, 1)
        self._surround = Program(ctx, shaders.load("output/surround"))
        self._picture = Target(ctx, (1, 1))
        self._wide = Target(ctx, (1, 1))
        self._canvas = Target(ctx, size)

    def resize(self, size: Size) -> None:
        self._canvas = self._canvas.resized(size)

    def render(
        self, a: moderngl.Texture, b: moderngl.Texture | None = None, blend: float = 0.0
    ) -> moderngl.Texture:
        """Frame a, or on the way from a (blend 0) to b (1). sRGB, first row at the top.

        The texture is good until the next call.
        """
        picture = self._picture = self._picture.resized(a.size)
        self._decode.draw(picture.framebuffer, {"a": a, "b": b or a}, {"blend": blend})
        width, height = self._canvas.size
        scale = _scale(width / height / (a.width / a.height), self.fit)
        pixels = max(a.width * scale[0] / width, a.height * scale[1] / height)
        if scale == (1.0, 1.0) and pixels == 1.0:
            return picture.texture
        values: Values = {"scale": scale, "pixels": pixels}
        if pixels > 1.0 or max(scale) > 1.0:
            self._draw_around(values)
        if pixels <= 1.0:
            self._enlarge(values)
        return self._canvas.texture

    def _draw_around(self, values: Values) -> None:
        """Fill the canvas from smaller copies of the picture: reduced, and its border going on."""
        texture = self._picture.texture
        texture.build_mipmaps()
        texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        self._surround.draw(self._canvas.framebuffer, {"source": texture}, values)
        texture.filter = (
            moderngl.LINEAR,
            moderngl.LINEAR,
        )  # the copies are old from the next frame

    def _enlarge(self, values: Values) -> None:
        """Draw the picture where it lies on the canvas; what is around it stays."""
        width, height = self._canvas.size
        self._wide = self._wide.resized((width, self._picture.size[1]))
        self._across.draw(self._wide.framebuffer, {"source": self._picture.texture}, values)
        canvas = self._canvas.framebuffer
        x, y = (
            math.ceil(size * (1 - 1 / by) / 2 - 0.5) if by > 1 else 0
            for size, by in zip((width, height), values["scale"], strict=True)
        )
        canvas.scissor = (x, y, width - 2 * x, height - 2 * y)
        self._up.draw(canvas, {"source": self._wide.texture}, values)
        canvas.scissor = (0, 0, width, height)

    def release(self) -> None:
        for program in (self._decode, self._across, self._up, self._surround):
            program.release()
        for target in (self._picture, self._wide, self._canvas):
            target.release()


def _scale(aspect: float, fit: Fit) -> tuple[float, float]:
    """The canvas in pictures, where aspect is the canvas's over the picture's."""
    if fit == "stretch" or aspect == 1.0:
        return (1.0, 1.0)
    if (fit == "contain") == (aspect > 1.0):
        return (aspect, 1.0)
    return (1.0, 1.0 / aspect)


class Present:
    """Encodes the finished picture to sRGB with a fine dither, into a window or an RGBA8 target."""

    def __init__(self, ctx: moderngl.Context) -> None:
        shader = shaders.load("output/present")
        self._same_size, self._any_size = Program(ctx, shader, 0), Program(ctx, shader, 1)

    def render(
        self, source: moderngl.Texture, into: moderngl.Framebuffer, time: float, fade: float = 1.0
    ) -> None:
        """Fill `into` with the picture; fade 0 is black, 1 leaves it as it is."""
        same = source.size == into.viewport[2:]
        program = self._same_size if same else self._any_size
        program.draw(into, {"source": source}, {"fade": fade}, time)

    def release(self) -> None:
        self._same_size.release()
        self._any_size.release()
