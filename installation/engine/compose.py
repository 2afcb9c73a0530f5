"""From the generator's frames to a picture in linear light, and from there to the screen."""

from __future__ import annotations

from typing import Literal

import moderngl

import shaders
from installation.engine.programs import Program
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
        self._decode = Program(ctx, shaders.load("output/decode"))
        self._place = Program(ctx, shaders.load("output/place"))
        self._picture: Target | None = None
        self._canvas = Target(ctx, size)

    def resize(self, size: Size) -> None:
        self._canvas.release()
        self._canvas = Target(self._ctx, size)

    def render(
        self, a: moderngl.Texture, b: moderngl.Texture | None = None, blend: float = 0.0
    ) -> moderngl.Texture:
        """Frame a, or on the way from a (blend 0) to b (1). sRGB, first row at the top."""
        picture = self._picture
        if picture is None or picture.size != a.size:
            if picture is not None:
                picture.release()
            picture = self._picture = Target(self._ctx, a.size, mipmaps=True)
        self._decode.draw(picture.framebuffer, {"a": a, "b": b or a}, {"blend": blend})
        width, height = self._canvas.size
        scale = _scale(width / height / (a.width / a.height), self.fit)
        pixels = max(a.width * scale[0] / width, a.height * scale[1] / height)
        if scale == (1.0, 1.0) and pixels == 1.0:
            return picture.texture
        if pixels > 1.0 or max(scale) > 1.0:
            picture.texture.build_mipmaps()
        values = {"scale": scale, "pixels": pixels}
        self._place.draw(self._canvas.framebuffer, {"source": picture.texture}, values)
        return self._canvas.texture

    def release(self) -> None:
        for one in (self._decode, self._place, self._picture, self._canvas):
            if one is not None:
                one.release()


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
        self._program = Program(ctx, shaders.load("output/present"))

    def render(
        self, source: moderngl.Texture, into: moderngl.Framebuffer, time: float, fade: float = 1.0
    ) -> None:
        """Fill `into` with the picture; fade 0 is black, 1 leaves it as it is."""
        self._program.draw(into, {"source": source}, {"fade": fade}, time)

    def release(self) -> None:
        self._program.release()
