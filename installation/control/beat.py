"""Somebody else's beat: MIDI clock, 24 pulses a quarter note (MIDI 1.0), to tempo and beat."""

from __future__ import annotations

import threading
from collections import deque

from installation.parameters import Bus

PULSES = 24  # a beat
_MEAN = 2 * PULSES  # pulses whose mean is the tempo: a port's times are a millisecond off
_SILENCE = 0.6  # seconds between two pulses of even 5 beats a minute; it was stopped


class BeatClock:
    """Posts /clock/bpm with every beat, and /clock/beat once a `start` has said where beats lie.

    Two machines that send a clock would pull the tempo to and fro: the one that came first is
    followed until it is silent. Safe to call from any thread.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._lock = threading.Lock()
        self._port = ""
        self._pulses: deque[float] = deque(maxlen=_MEAN + 1)
        self._count = 0
        self._placed = False  # it is known which pulse is a beat

    def hear(self, port: str, kind: str, now: float) -> bool:
        """Take a message's type and its time in seconds; False where it is none of a clock's."""
        if kind not in ("clock", "start", "continue", "stop"):
            return False
        with self._lock:
            silent = not self._pulses or now - self._pulses[-1] > _SILENCE
            if silent:
                self._pulses.clear()
                self._port, self._count = port, 0 if port != self._port else self._count
            if port != self._port:
                return True
            if kind == "start":  # the next pulse is the first beat
                self._count, self._placed = 0, True
            elif kind == "clock":
                self._pulse(f"midi {port} clock", now)
        return True

    def _pulse(self, source: str, now: float) -> None:
        self._pulses.append(now)
        if self._count % PULSES == 0:
            gaps = len(self._pulses) - 1
            if gaps >= PULSES // 2:
                took = self._pulses[-1] - self._pulses[0]
                self._bus.post("/clock/bpm", 60 * gaps / (took * PULSES), source)
            if self._placed:
                self._bus.post("/clock/beat", 1, source)
        self._count += 1
