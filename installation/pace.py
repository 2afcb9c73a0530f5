"""The largest picture that a machine draws in time."""

from __future__ import annotations

import logging
from statistics import median

log = logging.getLogger(__name__)

_LOOK = 45  # frames in one look: a hiccup is not a slow machine
_SLACK = 0.9  # of the frames that are wanted: displays are not exact
_STEP = 0.8  # each step takes away a third of the pixels
_SMALLEST = 256  # pixels; below that the picture is soft, and something else is slow
_ACROSS = 16  # pixels that a wall much longer than it is wide, as a strip of LEDs, keeps
_CALM = 600.0  # seconds without a slow look, and a larger picture is tried
_TRIAL = 60.0  # seconds in which that has to go well


class Pace:
    """Makes the picture smaller, step by step, while frames come slower than they should.

    It is enlarged to the window either way. What slowed the machine down may have been a guest: a
    larger picture is tried when frames have been in time for long. Where that goes wrong, the next
    try is twice as far away, as a size that changes forth and back would be seen.

    fps: frames a second that are enough.
    """

    def __init__(self, longest: int, fps: float) -> None:
        self.longest = self._whole = longest  # pixels of the picture's longer side
        self._fps = fps
        self._times: list[float] = []
        self._calm, self._wait = 0.0, _CALM
        self._trying = False

    @property
    def whole(self) -> bool:
        """The picture is as large as it was to be."""
        return self.longest == self._whole

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The picture for a window of so many pixels: of its shape, no longer than `longest`."""
        shrink = max(self.longest / max(width, height), _ACROSS / max(1, min(width, height)))
        if shrink >= 1:
            return width, height
        return round(width * shrink), round(height * shrink)

    def frame(self, seconds: float, rate: float) -> bool:
        """Count a frame, from swap to swap, on a display that shows `rate` a second at most. True
        if the picture is to be drawn at another size from now."""
        self._times.append(seconds)
        if len(self._times) < _LOOK:
            return False
        took, whole = median(self._times), sum(self._times)
        self._times.clear()
        if took * _SLACK * min(self._fps, rate) > 1:
            return self._shrink(took)
        self._calm += whole
        self._trying = self._trying and self._calm < _TRIAL
        if self.whole or self._calm < self._wait:
            return False
        self.longest = min(self._whole, round(self.longest / _STEP))
        self._calm, self._trying = 0.0, True
        log.info("frames have been in time for long: %d pixels are tried again", self.longest)
        return True

    def _shrink(self, took: float) -> bool:
        self._calm = 0.0
        if self.longest <= _SMALLEST:
            return False
        if self._trying:
            self._wait, self._trying = 2 * self._wait, False
        self.longest = max(_SMALLEST, round(self.longest * _STEP))
        log.info(
            "frames take %.0f ms here: the picture is drawn at %d pixels from now, and enlarged",
            took * 1000,
            self.longest,
        )
        return True
