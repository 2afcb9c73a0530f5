"""The largest picture that a machine draws in time."""

from __future__ import annotations

import logging
from statistics import median

log = logging.getLogger(__name__)

_LOOK = 45  # frames in one look: a hiccup is not a slow machine
_SLACK = 0.9  # of the frames that are wanted: displays are not exact
_STEP = 0.8  # each step takes away a third of the pixels
_SMALLEST = 256  # pixels; below that the picture is soft, and something else is slow


class Pace:
    """Makes the picture smaller, step by step, while frames come slower than they should.

    It is enlarged to the window either way. It never grows back by itself: a size that changes
    forth and back would be seen, and a slow machine stays one.

    fps: frames a second that are enough.
    """

    def __init__(self, longest: int, fps: float) -> None:
        self.longest = longest  # pixels of the picture's longer side
        self._fps = fps
        self._times: list[float] = []

    def frame(self, seconds: float, rate: float) -> bool:
        """Count a frame, from swap to swap, on a display that shows `rate` a second at most. True
        if the picture is to be drawn smaller from now."""
        self._times.append(seconds)
        if len(self._times) < _LOOK:
            return False
        took = median(self._times)
        self._times.clear()
        if took * _SLACK * min(self._fps, rate) <= 1 or self.longest <= _SMALLEST:
            return False
        self.longest = max(_SMALLEST, round(self.longest * _STEP))
        log.info(
            "frames take %.0f ms here: the picture is drawn at %d pixels from now, and enlarged",
            took * 1000,
            self.longest,
        )
        return True
