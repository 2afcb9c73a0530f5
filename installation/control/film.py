"""A film in place of a camera, for a movie of what the wall makes of it: seen frame by frame, as a
camera would see it, and posted to the bus."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from installation.control.eye import Eye, Seen
from installation.control.sight import open_film, post, small, timed
from installation.parameters import Bus

log = logging.getLogger(__name__)

_SOURCE = "film"


class Film:
    """What is seen in each frame of a movie of `fps` frames a second. mirror: as of a camera.

    Raises NoSight.
    """

    def __init__(self, path: Path, fps: float, mirror: bool = True) -> None:
        self._path, self._fps = path, fps
        self._container = open_film(path)
        self._pictures = self._decoded()
        self._next = next(self._pictures, None)
        self._eye, self._seen = Eye(mirror), Seen()
        self._before, self._lasts = 0.0, 0.0  # the last picture's moment, and how long it is on
        self.shade: NDArray[np.uint8] | None = None
        self.guide: NDArray[np.float32] | None = None

    @property
    def frames(self) -> int:
        """How many it lasts; 0 where its file does not say."""
        seconds = (self._container.duration or 0) / av.time_base
        return math.ceil(seconds * self._fps)

    def play(self, bus: Bus, frame: int) -> None:
        """Post what is seen in a frame, counted from 0, after those before it; after the film's end
        whoever was there goes."""
        now, arrives, over = frame / self._fps, False, self._next is None
        while self._next is not None and self._next[1] <= now:
            picture, moment = self._next
            self._lasts, self._before = moment - self._before, moment
            self._seen = self._eye.see(picture, self._lasts)
            self.shade, self.guide = self._eye.shade, self._eye.guide
            arrives = arrives or self._seen.arrives
            self._next = next(self._pictures, None)
        if over and now >= self._before + self._lasts:
            self._seen = self._eye.rest(1 / self._fps)
            self.shade, self.guide = self._eye.shade, self._eye.guide
        post(bus, replace(self._seen, arrives=arrives), _SOURCE)

    def _decoded(self) -> Iterator[tuple[NDArray[np.uint8], float]]:
        try:
            for frame, moment in timed(self._container, self._path.name):
                yield small(frame), moment
        except av.FFmpegError as error:
            log.warning("%s ends early: %s", self._path, error.strerror or error)

    def close(self) -> None:
        self._container.close()
