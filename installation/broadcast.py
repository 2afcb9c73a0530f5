"""What the wall shows, for other programs; drawn and sent while one of them asks for it."""

from __future__ import annotations

import time

import moderngl
import numpy as np

from installation.clock import Cadence
from installation.engine.aside import Aside
from installation.engine.textures import Size
from installation.output.ndi import Ndi
from installation.tables import Ndi as Settings

_CHANNELS = 4  # RGBX
_DARK_FPS = 1  # while the house is closed


class Broadcast:
    """Sends the picture by NDI, where the venue wants it: as large as it is drawn, without the
    overlay and the wall's corners; closed until open()."""

    def __init__(self, ctx: moderngl.Context, settings: Settings) -> None:
        self._ndi = Ndi(settings.name, settings.fps) if settings.enabled else None
        self._aside = Aside(ctx, _CHANNELS)
        self._cadence, self._dark = Cadence(settings.fps), Cadence(_DARK_FPS)
        self._size: Size = (16, 16)

    def open(self, patient: bool) -> None:
        """patient: what cannot be opened is tried again. Raises NdiError otherwise."""
        if self._ndi is not None:
            self._ndi.start(patient)

    def offer(self, picture: moderngl.Texture, now: float, fade: float) -> None:
        """This frame's picture, in linear light, and how far the lights are up, 0 to 1."""
        if self._ndi is None or not self._ndi.watched:
            self._aside.forget()  # it is of when somebody looked last
            return
        if not self._cadence.takes(now):
            return
        self._size = picture.size
        done = self._aside.push(picture, picture.size, now, fade)
        if done is not None:
            self._ndi.offer(done[0])

    def rest(self) -> None:
        """The house is closed: dark, for whoever receives it, and not the last picture for good."""
        if self._ndi is None or not self._ndi.watched or not self._dark.takes(time.monotonic()):
            return
        self._aside.forget()
        self._ndi.offer(np.zeros((*self._size[::-1], _CHANNELS), np.uint8))

    def release(self) -> None:
        if self._ndi is not None:
            self._ndi.close()
        self._aside.release()
