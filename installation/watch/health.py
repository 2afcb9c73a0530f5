"""A show's pulse: what it tells its supervisor after each frame, and what that makes of it.

Frames alone are not enough: a window goes on swapping when the generator behind it has hung.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TextIO

EVERY = 0.5  # seconds between two pulses
FIRST = 180.0  # seconds until the first frame, and until the first picture: disks can be slow
STILL = 120.0  # seconds without a new picture


@dataclass(frozen=True)
class Pulse:
    """frames, pictures: shown and painted so far. resting: none is to be painted now. misplaced:
    the window no longer fills the display. memory: MB in use, 0 where the system does not say."""

    frames: int
    pictures: int
    resting: bool
    misplaced: bool = False
    memory: float = 0.0

    def line(self) -> str:
        return json.dumps({"pulse": asdict(self)})

    @classmethod
    def read(cls, line: str) -> Self | None:
        """None for a line that is something else."""
        try:
            return cls(**json.loads(line)["pulse"])
        except (ValueError, TypeError, KeyError):
            return None


class Heart:
    """Writes the pulse of this process. pipe: None where nobody listens."""

    def __init__(
        self, pipe: TextIO | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._pipe, self._now = pipe, now
        self._frames = 0
        self._due = 0.0

    def beat(self, pictures: int, resting: bool, misplaced: bool = False) -> bool:
        """After each swap. False when the supervisor is gone, and nobody would end this process."""
        self._frames += 1
        if self._pipe is None or self._now() < self._due:
            return True
        self._due = self._now() + EVERY
        try:
            pulse = Pulse(self._frames, pictures, resting, misplaced, _memory())
            print(pulse.line(), file=self._pipe)
            self._pipe.flush()
        except OSError:
            return False
        return True


class Health:
    """Whether a show that began at some time is alive. hang: seconds without a frame that are too
    many. All times in seconds, on one clock."""

    def __init__(self, began: float, hang: float) -> None:
        self._hang = hang
        self.newest: Pulse | None = None
        self._framed = self._painted = began + FIRST
        self._counted = 0

    def note(self, pulse: Pulse, now: float) -> None:
        before, self.newest = self.newest, pulse
        if before is None or pulse.frames > before.frames:
            # what rests before its first picture, as without a display, has yet to be loaded
            self._framed = now + FIRST if pulse.resting and not self._counted else now
        if pulse.resting:
            self._painted = now if self._counted else now + FIRST
        elif pulse.pictures > self._counted:
            self._painted, self._counted = now, pulse.pictures

    def fault(self, now: float) -> str:
        """What is wrong with it; "" while it is well."""
        if now - self._framed > self._hang:
            return "it shows no frames any more" if self.newest else "it never showed a frame"
        if now - self._painted > STILL:
            return "its picture stands still" if self._counted else "its first picture never came"
        return ""


def _memory() -> float:
    """MB that this process holds, where Linux tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
