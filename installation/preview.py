"""A small picture of the wall, for whoever looks from elsewhere; drawn while somebody does."""

from __future__ import annotations

import io
import threading
import time

import moderngl
from PIL import Image

from installation.engine.aside import Aside
from installation.engine.readback import Picture

LONGEST = 360  # pixels
_EVERY = 0.2  # seconds between two pictures
_PATIENCE = 1.5  # seconds that somebody waits for one, and that they are drawn after that
_QUALITY = 80  # of the JPEG


class Preview:
    """offer() from the render thread, jpeg() from any other."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._aside = Aside(ctx)
        self._due = 0.0
        self._wanted = 0.0  # until when, by time.monotonic()
        self._news = threading.Condition()
        self._picture: Picture | None = None

    def offer(self, picture: moderngl.Texture, now: float, fade: float) -> None:
        """This frame's picture, in linear light, and how far the lights are up, 0 to 1."""
        moment = time.monotonic()
        if moment > self._wanted or moment < self._due:
            return
        if moment > self._due + _PATIENCE:
            self._aside.forget()  # it is of when somebody looked last
        self._due = moment + _EVERY
        shrink = min(1.0, LONGEST / max(picture.size))
        small = max(16, round(picture.width * shrink)), max(16, round(picture.height * shrink))
        done = self._aside.push(picture, small, now, fade)
        if done is not None:
            with self._news:
                self._picture = done[0].copy()
                self._news.notify_all()

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
        self._aside.release()
