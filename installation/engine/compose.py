"""From the generator's frames to a picture in linear light, and from there to the screen."""

from __future__ import annotations

import moderngl

import shaders
from installation.engine.programs import Program
from installation.engine.resize import Resize
from installation.engine.textures import Size, Target


class Compose:
    """Decodes and blends two frames, and puts them on a canvas of the output's size: whole, the
    border going on softly around them where the canvas has another shape."""

    def __init__(self, ctx: moderngl.Context, size: Size) -> None:
        self._decode = Program(ctx, shaders.load("output/decode"))
        self._resize = Resize(ctx)
        self._surround = Program(ctx, shaders.load("output/surround"))
        self._picture = Target(ctx, (1, 1))
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
        aspect = width / height / (a.width / a.height)
        scale = (max(1.0, aspect), max(1.0, 1.0 / aspect))  # the canvas in pictures
        if scale == (1.0, 1.0) and a.size == (width, height):
            return picture.texture
        if max(scale) > 1.0:
            self._draw_around(scale)
        self._resize.draw(picture.texture, self._canvas.framebuffer, scale)
        return self._canvas.texture

    def _draw_around(self, scale: tuple[float, float]) -> None:
        """Fill the canvas from smaller copies of the picture: its border, going on."""
        texture = self._picture.texture
        texture.build_mipmaps()
        texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        self._surround.draw(self._canvas.framebuffer, {"source": texture}, {"scale": scale})
        # The copies are old from the next frame.
        texture.filter = (moderngl.LINEAR, moderngl.LINEAR)

    def release(self) -> None:
        for part in (self._decode, self._resize, self._surround, self._picture, self._canvas):
            part.release()


class Present:
    """Encodes the finished picture to sRGB with a fine dither, into a window or an RGBA8 target."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        shader = shaders.load("output/present")
        self._encode, self._stretch = Program(ctx, shader, 0), Program(ctx, shader, 1)
        self._resize: Resize | None = None  # made for a picture of another size than the screen's
        self._fitted = Target(ctx, (1, 1))

    def render(
        self,
        source: moderngl.Texture,
        into: moderngl.Framebuffer,
        time: float,
        fade: float = 1.0,
        hurried: bool = False,
    ) -> None:
        """Fill `into` with the picture; fade 0 is black, 1 leaves it as it is.

        hurried: a picture of another size is stretched as the hardware does it. On software GL the
        better kernel takes longer than the smaller picture saves.
        """
        size = into.viewport[2], into.viewport[3]
        if source.size != size and hurried:
            self._stretch.draw(into, {"source": source}, {"fade": fade}, time)
            return
        if source.size != size:
            self._resize = self._resize or Resize(self._ctx)
            self._fitted = self._fitted.resized(size)
            self._resize.draw(source, self._fitted.framebuffer)
            source = self._fitted.texture
        self._encode.draw(into, {"source": source}, {"fade": fade}, time)

    def release(self) -> None:
        for part in (self._encode, self._stretch, self._resize, self._fitted):
            if part is not None:
                part.release()
