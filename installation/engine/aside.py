"""The finished picture once more, for whoever looks from elsewhere than the wall."""

from __future__ import annotations

import moderngl

from installation.engine.compose import Present
from installation.engine.readback import Picture, Readback
from installation.engine.textures import Size, Target


class Aside:
    """Draws pictures at a size of their own, as a window would show them but for the wall's
    corners, and reads them back a picture late. Nothing is made before the first.

    channels: as of Readback.
    """

    def __init__(self, ctx: moderngl.Context, channels: int = 3) -> None:
        self._ctx, self._channels = ctx, channels
        self._present: Present | None = None
        self._target: Target | None = None
        self._readback: Readback | None = None

    def push(
        self, picture: moderngl.Texture, size: Size, time: float, fade: float
    ) -> tuple[Picture, float] | None:
        """Begin to copy this one: linear light, and how far the lights are up, 0 to 1.

        Returns the one before and its time; None where this is the first of its size.
        """
        present, target, readback = self._made(size)
        present.render(picture, target.framebuffer, time, fade)
        return readback.push(target.framebuffer, time)

    def forget(self) -> None:
        """The one that is under way is not to be seen any more."""
        if self._readback is not None:
            for _ in self._readback.flush():
                pass

    def _made(self, size: Size) -> tuple[Present, Target, Readback]:
        if self._present is None or self._target is None or self._readback is None:
            self._present = Present(self._ctx)
        elif self._target.size == size:
            return self._present, self._target, self._readback
        else:
            self._target.release()
            self._readback.release()
        self._target = Target(self._ctx, size, "f1")
        self._readback = Readback(self._ctx, size, depth=1, channels=self._channels)
        return self._present, self._target, self._readback

    def release(self) -> None:
        for part in (self._present, self._target, self._readback):
            if part is not None:
                part.release()
        self._present = self._target = self._readback = None
