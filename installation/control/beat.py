"""Somebody else's beat: MIDI clock, 24 pulses a quarter note (MIDI 1.0), to tempo and beat."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable

from installation.control.mapping import device
from installation.parameters import Bus

PULSES = 24  # a beat
_MEAN = 2 * PULSES  # pulses whose mean is the tempo: a port's times are a millisecond off
_SILENCE = 0.6  # seconds between two pulses of even 5 beats a minute; it was stopped
_KINDS = ("clock", "start", "continue", "stop", "songpos")


class BeatClock:
    """Posts /clock/bpm with every beat, and /clock/beat once a `start`, or a song position and
    `continue`, has said where beats lie.

    Two machines that send a clock would pull the tempo to and fro: the one that came first is
    followed until it is silent. yields: whether somebody else's beat counts now, and this one only
    goes along. Safe to call from any thread.
    """

    def __init__(self, bus: Bus, yields: Callable[[], bool] = lambda: False) -> None:
        self._bus, self._yields = bus, yields
        self._lock = threading.Lock()
        self._port, self._heard = "", -math.inf
        self._pulses: deque[float] = deque(maxlen=_MEAN + 1)
        self._count = 0
        self._placed = self._running = False  # placed: it is known which pulse is a beat
        self._goes_on: int | None = None  # the pulse at which `continue` goes on

    def leads(self, now: float) -> bool:
        """Whether one is heard now, at that time in seconds, and where its beats lie is known."""
        return self._placed and now - self._heard <= _SILENCE

    def hear(self, port: str, kind: str, now: float, sixteenths: int = 0) -> bool:
        """Take a message's type and its time in seconds; False where it is none of a clock's.
        sixteenths: of a song position."""
        if kind not in _KINDS:
            return False
        with self._lock:
            if now - self._heard > _SILENCE:
                self._pulses.clear()
                if port != self._port and kind != "stop":
                    self._port, self._count, self._goes_on = port, 0, None
                    self._placed = self._running = False
            if port == self._port:
                self._take(kind, now, sixteenths)
        return True

    def _take(self, kind: str, now: float, sixteenths: int) -> None:
        if kind == "stop":
            if self._running:
                self._goes_on, self._running = self._count if self._placed else None, False
            return
        self._heard = now
        if kind == "clock":
            self._pulse(f"midi {device(self._port)} clock", now)
        elif kind == "start":
            self._begin(0)
        elif kind == "songpos" and not self._running:
            self._goes_on = sixteenths * PULSES // 4
        elif kind == "continue" and self._goes_on is not None:
            self._begin(self._goes_on)

    def _begin(self, count: int) -> None:
        """The next pulse is this one of the song. Some clocks begin anew there, so the gap before
        it is no tempo."""
        self._count, self._placed, self._running, self._goes_on = count, True, True, None
        self._pulses.clear()

    def _pulse(self, source: str, now: float) -> None:
        self._pulses.append(now)
        if self._count % PULSES == 0 and not self._yields():
            gaps = len(self._pulses) - 1
            if gaps >= PULSES // 2:
                took = self._pulses[-1] - self._pulses[0]
                self._bus.post("/clock/bpm", 60 * gaps / (took * PULSES), source)
            if self._placed:
                self._bus.post("/clock/beat", 1, source)
        self._count += 1
