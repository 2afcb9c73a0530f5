"""Time: a wall clock live, a fixed one offline, and the beat that both carry.

Positions are integrated from dt, never computed as time × speed: touching a fader must not jump
the picture.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from installation.parameters import Bus, Param, Parameters, Trigger
from installation.sources import TAP

_DRAWN = 0.25  # of its speed, by which a beat hurries or lags to meet somebody else's
_BOUNCE = 0.5  # of the shortest beat: no hand taps again so soon
_EARLY = 0.2  # of the time between two frames that are taken: as early one may come
_LONGEST_STEP = 0.1  # seconds; after a hiccup the picture goes on, it does not leap


@dataclass(frozen=True)
class Frame:
    """What a scene is told about the moment it draws."""

    index: int
    time: float  # seconds since the start
    dt: float  # seconds since the last frame
    beat: float  # beats since the start; its whole part counts beats, the rest is the phase
    # What the room sounds like, each 0 to 1, and 0 where nobody listens.
    level: float = 0.0
    bass: float = 0.0
    middle: float = 0.0
    high: float = 0.0
    onset: bool = False  # a sound begins
    # Who is before the wall, where a camera looks: how much they move and how near they are, 0 to
    # 1; where, −1 (left, down) to 1, and 0 where nobody is.
    motion: float = 0.0
    presence: float = 0.0
    across: float = 0.0
    up: float = 0.0
    arrives: bool = False  # somebody comes, after nobody was there
    # Their shape, (16, 16), for a piece to follow (see Space.guide); None where no camera looks.
    guide: NDArray[np.float32] | None = field(default=None, compare=False)


class Clock(Protocol):
    """Gives the seconds since its last tick."""

    def tick(self) -> float: ...


class WallClock:
    """Real time, for the window."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def tick(self) -> float:
        now = time.perf_counter()
        dt, self._last = now - self._last, now
        return min(dt, _LONGEST_STEP)


class FixedClock:
    """Exactly 1/fps each frame, for rendering to a file and for tests."""

    def __init__(self, fps: float) -> None:
        self._dt = 1 / fps

    def tick(self) -> float:
        return self._dt


class Cadence:
    """Takes so many frames a second out of those that come, evenly where more do."""

    def __init__(self, fps: float) -> None:
        self._every = 1 / fps
        self._due = 0.0

    def takes(self, now: float) -> bool:
        """Whether the frame of this moment, in seconds, is one of them."""
        if now < self._due - _EARLY * self._every:
            return False
        self._due = max(self._due + self._every, now)
        return True


class Tempo(Parameters):
    """The beat. Tapping sets it from the last few taps; beats are integrated, so a change of
    tempo never jumps the phase. follows: taps; else they say where beats lie, and no tempo."""

    bpm = Param(72, 20, 300, unit="beats/min", doc="Tempo of everything that moves on the beat.")
    tap = Trigger(doc="Tap the tempo: twice or more within two seconds of each other.")
    beat = Trigger(doc="A beat of somebody else's clock is now; ours is drawn to it.", guarded=True)

    def __init__(self, follows: bool = True) -> None:
        self._follows = follows
        self._index = -1
        self._time = 0.0
        self._beat = 0.0
        self._off = 0.0  # how far somebody else's beat is ahead
        self._taps: list[float] = []

    def frame(self, dt: float) -> Frame:
        """Advance by dt seconds and describe the frame."""
        self._index += 1
        self._time += dt
        if self.tap and not self._bounced():
            self._tapped()
        went = dt * self.bpm / 60
        if self.beat:
            self._off = round(self._beat + went) - (self._beat + went)
        drawn = min(_DRAWN * went, max(-_DRAWN * went, self._off))
        self._off -= drawn
        self._beat += went + drawn
        return Frame(self._index, self._time, dt, self._beat)

    def _bounced(self) -> bool:
        """Whether a tap, or several of this frame, are still the last, of a pad that bounces."""
        soon = _BOUNCE * 60 / Tempo.bpm.high
        return bool(self._taps) and self._time - self._taps[-1] < soon

    def _tapped(self) -> None:
        if self._taps and self._time - self._taps[-1] > 2:
            self._taps.clear()
        self._taps = [*self._taps[-7:], self._time]
        span = self._taps[-1] - self._taps[0]
        if span > 0 and self._follows and self._bus is not None:
            self._bus.post(f"/{self._prefix}/bpm", 60 * (len(self._taps) - 1) / span, TAP)
        self._beat, self._off = float(round(self._beat)), 0.0  # a tap is on the beat


class Hearing(Parameters):
    """What the room sounds like: from an input of this machine, or by OSC from one that listens."""

    level = Param(0, 0, 1, doc="How loud it is, against the loudest of late.", guarded=True)
    bass = Param(0, 0, 1, doc="The same below 150 Hz.", guarded=True)
    middle = Param(0, 0, 1, doc="The same from 150 Hz to 2 kHz.", guarded=True)
    high = Param(0, 0, 1, doc="The same above 2 kHz.", guarded=True)
    onset = Trigger(doc="A sound begins.", guarded=True)

    def heard(self, frame: Frame) -> Frame:
        """A frame with what is heard in it."""
        return replace(
            frame,
            level=self.level,
            bass=self.bass,
            middle=self.middle,
            high=self.high,
            onset=self.onset > 0,
        )


class Seeing(Parameters):
    """Who is before the wall: by a camera, or by OSC from a program that sees better."""

    motion = Param(0, 0, 1, doc="How much those before the wall move.", guarded=True)
    presence = Param(0, 0, 1, doc="How near they are; 0: nobody is there.", guarded=True)
    across = Param(0, -1, 1, doc="Where they are, from left to right.", guarded=True)
    up = Param(0, -1, 1, doc="Where they are, from below to above.", guarded=True)
    arrives = Trigger(doc="Somebody comes, after nobody was there.", guarded=True)

    def seen(self, frame: Frame) -> Frame:
        """A frame with what is seen in it."""
        return replace(
            frame,
            motion=self.motion,
            presence=self.presence,
            across=self.across,
            up=self.up,
            arrives=self.arrives > 0,
        )


class Senses:
    """What the room does, put into each frame."""

    def __init__(self) -> None:
        self._hearing, self._seeing = Hearing(), Seeing()

    def bind(self, bus: Bus) -> None:
        self._hearing.bind(bus, "sound")
        self._seeing.bind(bus, "sight")

    def tell(self, frame: Frame) -> Frame:
        return self._seeing.seen(self._hearing.heard(frame))
