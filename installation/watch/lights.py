"""The light in the house: it goes down when the house closes, and up when it opens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from installation.watch.schedule import Hours

_FADE = 6.0  # seconds
_LOOK = 1.0  # seconds between two looks at the clock


class Lights:
    """level: 0 is dark, 1 is the picture as it is."""

    def __init__(self, hours: Hours, now: Callable[[], datetime] = datetime.now) -> None:
        self._hours, self._now = hours, now
        self._open = hours.is_open(now())
        self._looked = 0.0
        self.level = float(self._open)

    @property
    def out(self) -> bool:
        """Nothing is to be seen, so nothing has to be drawn."""
        return self.level == 0 and not self._open

    def follow(self, dt: float) -> None:
        """Let time pass, in seconds."""
        self._looked += dt
        if self._looked >= _LOOK:
            self._looked, self._open = 0.0, self._hours.is_open(self._now())
        step = dt / _FADE
        self.level = min(1.0, self.level + step) if self._open else max(0.0, self.level - step)
