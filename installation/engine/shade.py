"""The shade of those before the wall, as a texture that any pass may read."""

from __future__ import annotations

import moderngl
import numpy as np
from numpy.typing import NDArray

_NOBODY = np.zeros((1, 1), np.uint8)


class Shade:
    """One number a point, 0 where nobody is. As every picture of the passes it is upright: (0, 0)
    is the bottom left."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._shown = _NOBODY
        self.texture = self._made(_NOBODY)

    def show(self, shade: NDArray[np.uint8] | None) -> None:
        """From now on this one, (h, w), first row at the top; None: nobody is there. One that is
        on already costs nothing."""
        shade = _NOBODY if shade is None else shade
        if shade is self._shown:
            return
        if shade.shape != self._shown.shape:
            self.texture.release()
            self.texture = self._made(shade)
        self.texture.write(np.ascontiguousarray(shade[::-1]), alignment=1)
        self._shown = shade

    def _made(self, shade: NDArray[np.uint8]) -> moderngl.Texture:
        height, width = shade.shape
        made = self._ctx.texture((width, height), 1, shade.tobytes(), alignment=1)
        made.filter = (moderngl.LINEAR, moderngl.LINEAR)
        made.repeat_x = made.repeat_y = False
        return made

    def release(self) -> None:
        self.texture.release()
