"""From the picture in linear light to the window, as the wall's screens are to show it."""

from __future__ import annotations

from collections.abc import Sequence

import moderngl
import numpy as np

import shaders
from installation.engine.compose import Present
from installation.engine.programs import Program
from installation.engine.resize import Resize
from installation.engine.textures import Size, Target
from installation.engine.wall import Screen, edges, overlaps, picture_size, to_square
from installation.parameters import Bus

_STILL = (0.0,) * 8, (0.0,) * 4


class Projection:
    """Lays the picture onto the screens of a window. Where there is one that shows all of it, and
    nobody has moved its edges, that is all of the window, and nothing more is made."""

    def __init__(self, ctx: moderngl.Context, bus: Bus, screens: Sequence[Screen]) -> None:
        self._ctx, self._bus, self.screens = ctx, bus, tuple(screens)
        self._soft = [overlaps(screens, which) for which in range(len(screens))]
        self._present = Present(ctx)
        self._program: Program | None = None
        self._resize: Resize | None = None  # made for a picture that is smaller than the wall's
        self._masks: list[moderngl.Texture] = []
        self._drawn, self._whole = Target(ctx, (1, 1)), Target(ctx, (1, 1))
        self._flat: Target | None = None

    def size(self, window: Size) -> Size:
        """Of the picture, for a window of so many pixels."""
        return picture_size(self.screens, window)

    @property
    def needed(self) -> bool:
        """Whether the window shows anything else than the picture."""
        if len(self.screens) > 1 or not self.screens[0].plain or self._bus.value("/wall/grid") > 0:
            return True
        return edges(self._bus, 0) != _STILL

    def present(
        self,
        picture: moderngl.Texture,
        into: moderngl.Framebuffer,
        time: float,
        fade: float,
        hurried: bool,
    ) -> None:
        """Fill the window's framebuffer, encoded; the rest as Present.render()."""
        if self.needed:
            picture = self._lay_out(picture, into.viewport[2:], hurried)
        self._present.render(picture, into, time, fade, hurried)

    def kept(
        self,
        picture: moderngl.Texture,
        window: moderngl.Framebuffer,
        time: float,
        fade: float,
        hurried: bool,
    ) -> moderngl.Framebuffer:
        """What a recording or a still is made of: the picture as it was presented in the window,
        or where that shows anything else, drawn once more, without the screens."""
        if not self.needed:
            return window
        size = self.size(window.viewport[2:])
        flat = self._flat = (self._flat or Target(self._ctx, (1, 1), "f1")).resized(size)
        self._present.render(picture, flat.framebuffer, time, fade, hurried)
        return flat.framebuffer

    def _lay_out(self, picture: moderngl.Texture, window: Size, hurried: bool) -> moderngl.Texture:
        """What the window is to show, of its size, in linear light; good until the next call."""
        program, masks = self._made()
        wanted = self.size(window)
        if picture.width < wanted[0] and not hurried:
            self._resize = self._resize or Resize(self._ctx)
            self._whole = self._whole.resized(wanted)
            self._resize.draw(picture, self._whole.framebuffer)
            picture = self._whole.texture
        drawn = self._drawn = self._drawn.resized(window)
        drawn.framebuffer.clear()  # areas need not fill the window
        common = {name: self._bus.value(f"/wall/{name}") for name in ("seam", "grid")}
        for which, screen in enumerate(self.screens):
            drawn.framebuffer.viewport = screen.pixels(window)
            moved, bow = edges(self._bus, which)
            left, top, width, height = screen.part
            values = {
                "to_square": to_square(moved), "bow": bow, "turned": screen.turned,
                "part": (left, 1 - top - height, width, height), "soft": self._soft[which],
                "number": which + 1.0,
            }  # fmt: skip
            textures = {"source": picture, "mask": masks[which]}
            program.draw(drawn.framebuffer, textures, values | common)
        drawn.framebuffer.viewport = (0, 0, *window)
        return drawn.texture

    def _made(self) -> tuple[Program, list[moderngl.Texture]]:
        if self._program is None:
            self._program = Program(self._ctx, shaders.load("output/screen"))
            self._masks = [self._texture_of(screen) for screen in self.screens]
        return self._program, self._masks

    def _texture_of(self, screen: Screen) -> moderngl.Texture:
        mask = np.full((1, 1), 255, np.uint8) if screen.mask is None else screen.mask
        upright = np.ascontiguousarray(mask[::-1])
        texture = self._ctx.texture(upright.shape[::-1], 1, upright.tobytes(), alignment=1)
        texture.repeat_x = texture.repeat_y = False
        texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
        return texture

    def release(self) -> None:
        made = (self._program, self._resize, self._flat, *self._masks)
        for part in (self._present, self._drawn, self._whole, *made):
            if part is not None:
                part.release()
        self._masks = []
