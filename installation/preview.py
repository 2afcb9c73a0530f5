"""A small picture of the wall, for whoever looks from elsewhere; drawn while somebody does."""

from __future__ import annotations

import io
import threading
import time

import moderngl
from PIL import Image

from installation.engine.compose import Present
from installation.engine.readback import Picture, Readback
from installation.engine.textures import Target

LONGEST = 360  # pixels
_EVERY = 0.2  # seconds between two pictures
_PATIENCE = 1.5  # seconds that somebody waits for one, and that they are drawn after that
_QUALITY = 80  # of the JPEG


class Preview:
    """offer() from the render thread, jpeg() from any other."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._present: Present | None = None  # made when somebody looks
        self._target: Target | None = None
        self._readback: Readback | None = None
        self._due = 0.0
        self._wanted = 0.0  # until when, by time.monotonic()
        self._news = threading.Condition()
        self._picture: Picture | None = None

    def offer(self, picture: moderngl.Texture, now: float, fade: float) -> None:
        """This frame's picture, in linear light, and how far the lights are up, 0 to 1."""
        moment = time.monotonic()
        if moment > self._wanted or moment < self._due:
            return
        if moment > self._due + _PATIENCE and self._readback is not None:
            for _ in self._readback.flush():  # of when somebody looked last: not to be seen now
                pass
        self._due = moment + _EVERY
        target, readback = self._made(picture.size)
        assert self._present is not None  # noqa: S101 - just made
        self._present.render(picture, target.framebuffer, now, fade)
        done = readback.push(target.framebuffer, now)
        if done is not None:
            with self._news:
                self._picture = done[0].copy()
                self._news.notify_all()

    def _made(self, size: tuple[int, int]) -> tuple[Target, Readback]:
        """The target and the ring for pictures of this shape."""
        shrink = min(1.0, LONGEST / max(size))
        small = max(16, round(size[0] * shrink)), max(16, round(size[1] * shrink))
        if self._target is None or self._readback is None or self._target.size != small:
            self.release()
            self._present = Present(self._ctx)
            self._target = Target(self._ctx, small, "f1")
            self._readback = Readback(self._ctx, small, depth=1)
        return self._target, self._readback

    def jpeg(self) -> bytes | None:
        """The next picture; waits for it. None where none comes: the house is closed."""
        with self._news:
            self._wanted = time.monotonic() + _PATIENCE
            arrived = self._news.wait(_PATIENCE)
            picture = self._picture
        if not arrived or picture is None:
            return None
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=_QUALITY)
        return file.getvalue()

    def release(self) -> None:
        for part in (self._present, self._target, self._readback):
            if part is not None:
                part.release()
        self._present = self._target = self._readback = None
