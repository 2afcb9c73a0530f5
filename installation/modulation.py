"""What moves a parameter by itself around where its fader stands: a wave, the beat, the sound.

    "/light/brightness" = { by = "bass", depth = -0.3 }
    "/piece/direction/1" = { by = "sine", beats = 16, depth = 0.5 }

A setlist's entry brings its own. A hand gives the selected parameter one by M (/modulation/next),
or any by its address: /light/brightness "bass" -0.3.
"""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from installation.clock import Frame
from installation.parameters import Bus, Declared, Param, Parameters, Trigger
from installation.posted import number_in
from installation.sources import SETLIST, by_hand

log = logging.getLogger(__name__)

Wave = Literal["sine", "noise", "ramp", "square", "steps", "pulse"]
Heard = Literal["level", "bass", "middle", "high", "onset"]
WAYS: tuple[str, ...] = (*get_args(Wave), *get_args(Heard))

_BEATS = 16.0  # of a wave of which nothing is said: a phrase of four bars
_FALL = 0.3  # seconds in which two thirds of a blow are gone, of an onset
_EASE = 1.0  # seconds in which a modulation comes, or goes: the picture is not to jump
_STEP = 0.05  # of the depth
_SHORTEST, _LONGEST = 1 / 16, 4096.0  # beats, or seconds
NONE = "none"  # the word for it


class Modulation(BaseModel):
    """One parameter's movement. depth: how far, in parts of its range: a wave goes so far to both
    sides, what is heard and a pulse to one; below 0 the other way. beats, seconds: of a wave's
    period. phase: where in it the wave begins, 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Wave | Heard
    depth: float = Field(0.25, ge=-1, le=1)
    beats: float | None = Field(None, ge=_SHORTEST, le=_LONGEST)
    seconds: float | None = Field(None, ge=_SHORTEST, le=_LONGEST)
    phase: float = Field(0, ge=0, le=1)

    @model_validator(mode="after")
    def _one_period(self) -> Modulation:
        if self.beats is not None and self.seconds is not None:
            raise ValueError("a period is so many beats or so many seconds, not both")
        if self.by in get_args(Heard) and (self.beats or self.seconds or self.phase):
            raise ValueError(f"{self.by} is heard, and has no beats, seconds or phase")
        return self

    @property
    def period(self) -> tuple[float, str]:
        """How long a wave is, and in what."""
        if self.seconds is not None:
            return self.seconds, "seconds"
        return self.beats or _BEATS, "beats"

    def __str__(self) -> str:
        length, unit = self.period
        how = self.by if self.by in get_args(Heard) else f"{self.by} {length:g} {unit}"
        return f"~ {self.depth:+.2f} {how}"

    @property
    def code(self) -> str:
        """Way, depth, beats and seconds, of which one is 0, for a program that shows it."""
        length, unit = self.period if self.by in get_args(Wave) else (0.0, "beats")
        beats, seconds = (length, 0.0) if unit == "beats" else (0.0, length)
        return f"{self.by},{self.depth:g},{beats:g},{seconds:g}"

    def at(self, frame: Frame, blow: float, salt: str) -> float:
        """Where it is now, −1 to 1, without its depth. blow: what is left of the last onset. salt:
        two noises of the same are the same."""
        if self.by == "onset":
            return blow
        if self.by in get_args(Heard):
            return float(getattr(frame, self.by))
        length, unit = self.period
        turns = (frame.beat if unit == "beats" else frame.time) / length + self.phase
        whole = math.floor(turns)
        part = turns - whole
        match self.by:
            case "sine":
                return math.sin(math.tau * part)
            case "ramp":
                return 2 * part - 1
            case "square":
                return 1.0 if part < 0.5 else -1.0
            case "pulse":
                return (1 - part) ** 3
            case "steps":
                return _chance(salt, whole)
        soft = part * part * (3 - 2 * part)  # noise: smooth from one chance to the next
        return _chance(salt, whole) * (1 - soft) + _chance(salt, whole + 1) * soft


def _chance(salt: str, index: int) -> float:
    """−1 to 1, the same for the same."""
    return zlib.crc32(f"{salt} {index}".encode()) / 2**31 - 1


@dataclass
class _Voice:
    """A modulation that is on, coming or going."""

    of: Modulation
    share: float = 0.0
    going: bool = False


class Modulations(Parameters):
    """All of them. seed: of the show; another one, other noises."""

    depth = Param(1, 0, 1, glide=0.3, doc="How much of what moves by itself is let through.")
    next = Trigger(doc="What moves the selected parameter by itself: the next way.", guarded=True)
    more = Trigger(doc="It moves the selected parameter further up.", guarded=True)
    less = Trigger(doc="Less far; below nothing, the other way.", guarded=True)
    slower = Trigger(doc="Its wave is twice as long.", guarded=True)
    faster = Trigger(doc="Its wave is half as long.", guarded=True)

    def __init__(self, bus: Bus, seed: int = 0) -> None:
        self.bind(bus, "modulation")
        self._all, self._seed = bus, seed
        # what moves each address, and who wanted it so; None where a hand wants nothing to
        self._on: dict[str, tuple[Modulation | None, str]] = {}
        self._before: dict[str, tuple[Modulation | None, str]] = {}  # the setlist's entry began
        self._voices: dict[str, list[_Voice]] = {}
        self._blow = 0.0

    def of(self, address: str) -> Modulation | None:
        """What moves this one by itself."""
        return self._on.get(address, (None, ""))[0]

    @property
    def moving(self) -> dict[str, Modulation]:
        """What moves by itself now, and how."""
        return {a: one for a, (one, _) in self._on.items() if one is not None}

    @property
    def by_hand(self) -> dict[str, Modulation | None]:
        """What hands have chosen; None where nothing is to move it."""
        return {a: one for a, (one, by) in self._on.items() if by_hand(by)}

    @property
    def covered(self) -> dict[str, Modulation | None]:
        """What hands had chosen, and the entry that is on has put its own over."""
        return {a: one for a, (one, by) in self._set_aside().items() if by_hand(by)}

    def set(self, address: str, modulation: Modulation | None, by: str) -> None:
        """Let something else move it from now on, or nothing."""
        known = self._all.get(address)
        if known is not None and not movable(known):
            log.info("%s is nothing that can move by itself; a fader is", address)
            return
        before = self.of(address)
        self._on[address] = (modulation, by)
        if modulation == before:
            return
        voices = self._voices.setdefault(address, [])
        for voice in voices:
            voice.going = True
        if modulation is not None:
            voices.append(_Voice(modulation))

    def dress(self, wanted: Mapping[str, Modulation]) -> None:
        """What an entry of the setlist brings. What the one before it had brought goes, unless
        somebody has changed it since."""
        before = self._set_aside()
        nothing: tuple[Modulation | None, str] = (None, "")
        self._before = {a: before.pop(a, self._on.get(a, nothing)) for a in wanted}
        for address, (one, by) in before.items():
            self.set(address, one, by)
        for address, one in wanted.items():
            self.set(address, one, SETLIST)

    def _set_aside(self) -> dict[str, tuple[Modulation | None, str]]:
        nothing: tuple[Modulation | None, str] = (None, "")
        on = {a: self._on.get(a, nothing)[1] for a in self._before}
        return {a: was for a, was in self._before.items() if on[a] == SETLIST}

    def press(self, name: str, address: str, by: str) -> None:
        """A trigger of ours, for the selected parameter."""
        if address not in self._all:
            return
        on = self.of(address)
        if on is None and name != "next":
            log.info("nothing moves %s by itself yet; M, or /modulation/next, does", address)
            return
        self.set(address, _next(on) if on is None or name == "next" else _turned(on, name), by)

    def take(self) -> None:
        """Take in what came by an address in this frame."""
        for post in self._all.modulations:
            self.set(post.address, post.value, post.source)

    def follow(self, frame: Frame) -> None:
        """Move them all to where they are in this frame."""
        self._blow = 1.0 if frame.onset else self._blow * math.exp(-frame.dt / _FALL)
        away: dict[str, float] = {}
        for address, voices in list(self._voices.items()):
            for voice in voices:
                step = frame.dt / _EASE
                voice.share = min(1.0, max(0.0, voice.share + (-step if voice.going else step)))
            voices[:] = [voice for voice in voices if voice.share > 0 or not voice.going]
            if not voices:
                del self._voices[address]
                continue
            salt = f"{self._seed} {address}"
            away[address] = self.depth * sum(
                voice.share * voice.of.depth * voice.of.at(frame, self._blow, salt)
                for voice in voices
            )
        self._all.modulate(away)


def worded(words: Sequence[Any]) -> Modulation | None:
    """What a message asks for: a way or "none", then its depth, beats and, in their stead, seconds,
    each of which may be left out. Out of range is clamped, and what is no number is not heeded."""
    if words[0] == NONE:
        return None
    found: dict[str, Any] = {"by": words[0]}
    given = [number_in(word) for word in (*words[1:4], None, None, None)[:3]]
    if given[0] is not None:
        found["depth"] = min(1.0, max(-1.0, given[0]))
    for unit, length in zip(("seconds", "beats"), (given[2], given[1]), strict=True):
        if length and words[0] in get_args(Wave):
            found[unit] = min(_LONGEST, max(_SHORTEST, length))
            break
    return Modulation.model_validate(found)


def movable(declared: Declared) -> bool:
    """Whether it is a number, and not what is heard or where the wall's corners lie."""
    return isinstance(declared, Param) and not declared.guarded


def _next(on: Modulation | None) -> Modulation | None:
    """The way after this one; after the last, none."""
    if on is None:
        return Modulation(by="sine")
    at = WAYS.index(on.by) + 1
    if at == len(WAYS):
        return None
    way = WAYS[at]
    if way in get_args(Heard):
        return Modulation(by=way, depth=on.depth)
    return on.model_copy(update={"by": way})


def _turned(on: Modulation, name: str) -> Modulation:
    if name in ("more", "less"):
        depth = on.depth + (_STEP if name == "more" else -_STEP)
        return on.model_copy(update={"depth": min(1.0, max(-1.0, round(depth, 2)))})
    if on.by in get_args(Heard):
        log.info("%s is heard: it has no period", on.by)
        return on
    length, unit = on.period
    length = length * 2 if name == "slower" else length / 2
    return on.model_copy(update={unit: min(_LONGEST, max(_SHORTEST, length))})
