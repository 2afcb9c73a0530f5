"""A song from a file, for a movie of it: heard frame by frame as a room would be, its beats found
beforehand, and posted to the bus."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from installation.control.beat_tracker import beats
from installation.control.ear import Ear, Sounds
from installation.control.sound import BLOCK, post
from installation.parameters import Bus
from installation.soundtrack import RATE, blocks

log = logging.getLogger(__name__)

_SOURCE = "song"
_AROUND = 4  # beats to each side of one, over which its tempo is taken


@dataclass(frozen=True)
class Song:
    """What is heard in each frame of a movie. beats: frames in which one falls, each with the tempo
    there, in beats a minute."""

    heard: tuple[Sounds, ...]
    beats: dict[int, float]

    @classmethod
    def read(cls, path: Path, fps: float) -> Self:
        """Listen to all of a file. Raises SoundtrackError."""
        ear, length = Ear(RATE), 0
        looks, attacks = [], []
        for block in blocks(path, 1, BLOCK):
            looks.append(ear.hear(block[0]))
            attacks.append(ear.attack)
            length += block.shape[1]
        frames = math.ceil(length * fps / RATE)
        tempi = _tempi(beats(np.array(attacks), RATE / BLOCK), fps)
        if tempi:
            per_minute = np.median(list(tempi.values()))
            log.info("%s: %d beats, %.0f a minute", path, len(tempi), per_minute)
        else:
            log.warning("no beat is found in %s: the tempo stays as it is set", path)
        return cls(_by_frame(looks, fps, frames), tempi)

    @property
    def frames(self) -> int:
        """How many the song lasts."""
        return len(self.heard)

    @property
    def tempo(self) -> float | None:
        """Of its first beats."""
        return next(iter(self.beats.values()), None)

    def play(self, bus: Bus, frame: int) -> None:
        """Post what is heard in a frame, counted from 0; after the song's end that is silence."""
        post(bus, self.heard[frame] if frame < len(self.heard) else Sounds(), _SOURCE)
        tempo = self.beats.get(frame, self.tempo if frame == 0 else None)
        if tempo is not None:
            bus.post("/clock/bpm", tempo, _SOURCE)
        if frame in self.beats:
            bus.post("/clock/beat", 1, _SOURCE)


def _by_frame(looks: list[Sounds], fps: float, frames: int) -> tuple[Sounds, ...]:
    """The last look that ends within each frame; what begins in one of its looks begins in it."""
    heard, done, now = [], 0, Sounds()
    for frame in range(frames):
        until = min(len(looks), math.floor((frame + 1) / fps * RATE / BLOCK))
        fresh = looks[done:until]
        now = replace(fresh[-1] if fresh else now, onset=any(one.onset for one in fresh))
        heard.append(now)
        done = until
    return tuple(heard)


def _tempi(found: NDArray[np.float64], fps: float) -> dict[int, float]:
    """Frames with a beat, and the tempo around it; none of one beat alone."""
    tempi = {}
    for i, beat in enumerate(found):
        near = found[max(0, i - _AROUND) : i + _AROUND + 1]
        if len(near) > 1:
            tempi[math.floor(beat * fps)] = 60 * (len(near) - 1) / float(near[-1] - near[0])
    return tempi
