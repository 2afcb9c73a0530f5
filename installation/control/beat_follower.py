"""The beat of music that goes on: found again and again in the last seconds, and foretold from
there."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from installation.control.beat_tracker import USUAL, beats

_SECONDS = 8.0  # of music that is looked at
_LEAST = 4.0  # seconds of it before the first look
_TOGETHER = 2  # looks of the ear in one of ours: half the work, still 21 ms
_MEAN = 8  # beats over which the tempo is taken
_BESIDE = 0.15  # of a beat: what lies farther from what was foretold contradicts it …
_OFTEN = 3  # … and is believed when it comes so often in a row
_LATE = 0.02  # seconds that an attack takes to be heard in the ear's window


class BeatFollower:
    """Told by `hear` what an ear hears, it answers with the tempo where a beat falls.

    rate: looks of the ear a second. `reckon` is for another thread, about every second: it takes
    milliseconds.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._attacks: deque[float] = deque(maxlen=round(_SECONDS * rate))
        self._lock = threading.Lock()
        self._now = 0  # looks so far
        self._next = self._gap = 0.0  # the look of the next beat; looks from one to the next
        self._told = -1e9  # the look of the last one
        self._against = 0

    def hear(self, attack: float) -> float | None:
        """One look of the ear: Ear.attack. The tempo, in beats a minute, where a beat falls."""
        with self._lock:
            self._attacks.append(attack)
            self._now += 1
            if not self._gap or self._now < self._next:
                return None
            self._told, self._next = self._now, self._next + self._gap
            return 60 * self._rate / self._gap

    @property
    def found(self) -> bool:
        """There is a beat in what was heard last."""
        return self._gap > 0

    def reckon(self) -> None:
        """Find the beat anew in what was heard last. What contradicts the one that is followed, and
        where there is none, is believed when it comes again: a break or a fill is no new beat."""
        with self._lock:
            heard, now, gap = np.array(self._attacks), self._now, self._gap
        if len(heard) < _LEAST * self._rate:
            return
        heard = heard[len(heard) % _TOGETHER :].reshape(-1, _TOGETHER).max(axis=1)
        usual = 60 * self._rate / gap if gap else USUAL
        found = beats(heard, self._rate / _TOGETHER, usual)[-_MEAN:] * self._rate
        after = gap = 0.0
        if len(found) > 1:
            gap = float(found[-1] - found[0]) / (len(found) - 1)
            even = found + gap * np.arange(len(found), 0, -1)  # what each says of the next one
            after = now - len(heard) * _TOGETHER + float(even.mean()) - _LATE * self._rate
        with self._lock:
            self._against = 0 if self._agrees(after, gap) else self._against + 1
            if self._against in (0, _OFTEN):
                self._against = 0
                self._foretell(after, gap)

    def _agrees(self, after: float, gap: float) -> bool:
        if not gap or not self._gap:
            return not self._gap  # whatever is found first is new, and contradicts nothing
        beside = (after - self._next) / gap
        return abs(beside - round(beside)) < _BESIDE and abs(gap / self._gap - 1) < _BESIDE

    def _foretell(self, after: float, gap: float) -> None:
        """From now on, and not at once again what has just been told."""
        self._gap = gap
        if gap:
            earliest = max(self._now, self._told + gap / 2)
            self._next = after + gap * float(np.ceil((earliest - after) / gap))
