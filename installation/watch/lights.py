"""The light in the house: it goes down when the house closes, and up when it opens; and a hand may
put it out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from installation.watch.schedule import Hours

_FADE = 6.0  # seconds
_SWITCH = 0.4  # seconds, by hand
_LOOK = 1.0  # seconds between two looks at the clock


class Lights:
    """switched_off: by hand; then the show goes on in the dark."""

    def __init__(self, hours: Hours, now: Callable[[], datetime] = datetime.now) -> None:
        self._hours, self._now = hours, now
        self._open = hours.is_open(now())
        self._looked = 0.0
        self._house, self._hand = float(self._open), 1.0
        self.switched_off = False

    @property
    def level(self) -> float:
        """0 is dark, 1 is the picture as it is."""
        return self._house * self._hand

    @property
    def out(self) -> bool:
        """Nothing is to be seen, so nothing has to be drawn."""
        return self._house == 0 and not self._open

    @property
    def news(self) -> str:
        """Why the wall is dark; "" where it is not, or will not be."""
        if not self._open:
            return f"dark: {self._hours.says(self._now())}"
        return "dark: /stage/black, or B" if self.switched_off else ""

    def stay_out(self) -> None:
        """Begin dark, as a hand had left it."""
        self.switched_off, self._hand = True, 0.0

    def follow(self, dt: float) -> None:
        """Let time pass, in seconds."""
        self._looked += dt
        if self._looked >= _LOOK:
            self._looked, self._open = 0.0, self._hours.is_open(self._now())
        self._house = _towards(self._open, self._house, dt / _FADE)
        self._hand = _towards(not self.switched_off, self._hand, dt / _SWITCH)


def _towards(up: bool, level: float, step: float) -> float:
    return min(1.0, level + step) if up else max(0.0, level - step)
