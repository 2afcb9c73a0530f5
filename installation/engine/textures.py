"""Textures: pictures going up to the GPU, and targets to draw into.

Row order, handled once: a frame lies on the GPU as it lies in numpy and torch, first row at the
top, and so do the upscaler's textures. shaders/output/decode.glsl turns it upright; from there on
(0, 0) is the bottom left, as everywhere in OpenGL, and the window needs no turning.

moderngl never frees by itself (300 dropped textures were 76 MB): everything here has release().
"""

from __future__ import annotations

from typing import Literal

import moderngl
import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]  # width, height in pixels
Dtype = Literal["f1", "f2", "f4"]  # moderngl's names: 8 bits, half-float, float


class Target:
    """A texture to draw into: RGBA, linear light, half-float unless told otherwise."""

    def __init__(self, ctx: moderngl.Context, size: Size, dtype: Dtype = "f2") -> None:
        self._ctx, self._dtype = ctx, dtype
        self.size = size
        self.texture = ctx.texture(size, 4, dtype=dtype)
        self.texture.repeat_x = self.texture.repeat_y = False
        self.texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self.framebuffer = ctx.framebuffer([self.texture])
        self.framebuffer.clear()

    def resized(self, size: Size) -> Target:
        """This target, or where the size differs a new one in its place."""
        if size == self.size:
            return self
        self.release()
        return Target(self._ctx, size, self._dtype)

    def read(self) -> NDArray[np.float32]:
        """The picture, (height, width, 4) float32, first row at the bottom. For tests: it waits."""
        data = self.framebuffer.read(components=4, dtype="f4", alignment=1)
        return np.frombuffer(data, np.float32).reshape(self.size[1], self.size[0], 4)

    def release(self) -> None:
        release_framebuffer(self._ctx, self.framebuffer)
        self.texture.release()


def release_framebuffer(ctx: moderngl.Context, framebuffer: moderngl.Framebuffer) -> None:
    """Release one that may be bound."""
    if ctx.fbo is framebuffer:
        # moderngl would go on restoring this deleted binding, and the next draw would be lost
        ctx.detect_framebuffer(0).use()
    framebuffer.release()


class FrameTexture:
    """Holds the newest frame of the generator: uint8, sRGB, first row at the top."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._texture: moderngl.Texture | None = None

    @property
    def texture(self) -> moderngl.Texture:
        if self._texture is None:
            raise ValueError("no frame was uploaded yet")
        return self._texture

    def upload(self, frame: NDArray[np.uint8]) -> moderngl.Texture:
        """Send a frame (height, width, 3 or 4) up; the texture is kept while the size stays."""
        if frame.ndim != 3 or frame.shape[2] not in (3, 4) or frame.dtype != np.uint8:
            raise ValueError(f"a frame is (height, width, 3 or 4) uint8, not {frame.shape}")
        height, width, components = frame.shape
        kept = self._texture
        if kept is None or kept.size != (width, height) or kept.components != components:
            self.release()
            kept = self._texture = self._ctx.texture((width, height), components, alignment=1)
            kept.filter = (moderngl.LINEAR, moderngl.LINEAR)
            kept.repeat_x = kept.repeat_y = False
        kept.write(np.ascontiguousarray(frame), alignment=1)
        return kept

    def release(self) -> None:
        if self._texture is not None:
            self._texture.release()
            self._texture = None
