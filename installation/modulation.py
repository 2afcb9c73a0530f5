"""What moves a parameter by itself around where its fader stands: a wave, or what is heard
and seen in the room.

    "/light/brightness" = { by = "bass", depth = -0.3 }
    "/piece/direction/1" = { by = "sine", beats = 16, depth = 0.5 }

A setlist's entry brings its own. A hand gives the selected parameter one by M (/modulation/next),
or any by its address: /light/brightness "bass" -0.3.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from installation.clock import Frame
from installation.log import Complaints
from installation.parameters import Bus, Declared, Param, Parameters, Trigger
from installation.posted import number_in
from installation.sources import Dress, by_hand

log = logging.getLogger(__name__)

Wave = Literal["sine", "noise", "ramp", "square", "steps", "pulse"]
Sensed = Literal["level", "bass", "middle", "high", "onset", "motion", "presence", "across", "up"]
_WAVES, _SENSED = frozenset(get_args(Wave)), frozenset(get_args(Sensed))
WAYS: tuple[str, ...] = (*get_args(Wave), *get_args(Sensed))

_BEATS = 16.0  # of a wave of which nothing is said: a phrase of four bars
_FALL = 0.3  # seconds in which two thirds of a blow are gone, of an onset
_EASE = 2.0  # seconds in which one comes, or goes, to the whole of a range: no jump is to be seen
_STEP = 0.05  # of the depth
_SHORTEST, _LONGEST = 1 / 16, 4096.0  # beats, or seconds
NONE = "none"  # the word for it


class Modulation(BaseModel):
    """One parameter's movement. depth: how far, in parts of its range: a wave, and where somebody
    stands, goes so far to both sides, what else is sensed and a pulse to one; below 0 the other
    way. beats, seconds: of a wave's period. phase: where in it the wave begins, 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal[Wave, Sensed]
    depth: float = Field(0.25, ge=-1, le=1)
    beats: float | None = Field(None, ge=_SHORTEST, le=_LONGEST)
    seconds: float | None = Field(None, ge=_SHORTEST, le=_LONGEST)
    phase: float = Field(0, ge=0, le=1)

    @model_validator(mode="after")
    def _one_period(self) -> Modulation:
        if self.beats is not None and self.seconds is not None:
            raise ValueError("a period is so many beats or so many seconds, not both")
        if self.by in _SENSED and (self.beats or self.seconds or self.phase):
            raise ValueError(f"{self.by} comes from the room, and has no beats, seconds or phase")
        return self

    @property
    def period(self) -> tuple[float, str]:
        """How long a wave is, and in what."""
        if self.seconds is not None:
            return self.seconds, "seconds"
        return self.beats or _BEATS, "beats"

    def __str__(self) -> str:
        length, unit = self.period
        how = self.by if self.by in _SENSED else f"{self.by} {length:g} {unit}"
        return f"~ {self.depth:+.2f} {how}"

    @property
    def code(self) -> str:
        """As a message says it (see worded), with one of beats and seconds 0, for a program that
        shows it."""
        length, unit = self.period if self.by in _WAVES else (0.0, "beats")
        beats, seconds = (length, 0.0) if unit == "beats" else (0.0, length)
        return f"{self.by},{self.depth:g},{beats:g},{seconds:g},{self.phase:g}"

    def goes_as(self, other: Modulation) -> bool:
        """Whether the two differ in their depth alone."""
        return (self.by, self.period, self.phase) == (other.by, other.period, other.phase)

    def at(self, frame: Frame, blow: float, salt: str) -> float:
        """Where it is now, −1 to 1, without its depth. blow: what is left of the last onset. salt:
        two noises of the same are the same."""
        if self.by == "onset":
            return blow
        if self.by in _SENSED:
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


@lru_cache(4096)  # a noise asks for the same two through all of its period
def _chance(salt: str, index: int) -> float:
    """−1 to 1, the same for the same, and else another: a checksum would be nearly the same."""
    drawn = blake2b(f"{salt} {index}".encode(), digest_size=4).digest()
    return int.from_bytes(drawn, "big") / 2**31 - 1


@dataclass
class _Voice:
    """A modulation that is on, coming or going. depth: where to, 0 of one that goes; reach: how
    deep it goes by now."""

    of: Modulation
    depth: float
    reach: float = 0.0


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
        nothing: tuple[Modulation | None, str] = (None, "")
        self.worn = Dress[Modulation | None](lambda a: self._on.get(a, nothing), self.set)
        self._voices: dict[str, list[_Voice]] = {}
        self._blow = 0.0
        self._complaints = Complaints(log)

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
    def chosen_now(self) -> set[str]:
        """For which addresses a hand has chosen something, or nothing, in this frame."""
        return {post.address for post in self._all.modulations if by_hand(post.source)}

    def set(self, address: str, modulation: Modulation | None, by: str) -> None:
        """Let something else move it from now on, or nothing."""
        known = self._all.get(address)
        if known is not None and not movable(known):
            self._complaints.once(
                ("still", address),
                lambda: f"{address} is nothing that can move by itself; a fader is",
            )
            return
        before = self.of(address)
        self._on[address] = (modulation, by)
        if modulation == before:
            return
        # what has not been seen yet does not have to go
        voices = self._voices[address] = [v for v in self._voices.get(address, []) if v.reach]
        for voice in voices:
            voice.depth = 0.0
        if modulation is None:
            return
        for voice in voices:
            if voice.of.goes_as(modulation):
                voice.depth = modulation.depth
                return
        voices.append(_Voice(modulation, modulation.depth))

    def dress(self, wanted: Mapping[str, Modulation]) -> None:
        """What an entry of the setlist brings, but for what a hand has chosen in this frame."""
        self.worn.change(wanted, self.chosen_now)

    def press(self, name: str, address: str, by: str) -> None:
        """A trigger of ours, for the selected parameter."""
        if address not in self._all:
            return
        on = self.of(address)
        lacks = "" if name == "next" else _lacks(on, name)
        if lacks:
            self._complaints.once((lacks, address), lambda: f"{address}: {lacks}")
            return
        self.set(address, _next(on) if on is None or name == "next" else _turned(on, name), by)

    def take(self) -> None:
        """Take in what came by an address in this frame."""
        for post in self._all.modulations:
            self.set(post.address, post.value, post.source)

    def follow(self, frame: Frame) -> None:
        """Move them all to where they are in this frame."""
        self._blow = 1.0 if frame.onset else self._blow * math.exp(-frame.dt / _FALL)
        step, master = frame.dt / _EASE, self.depth
        away: dict[str, float] = {}
        for address, voices in list(self._voices.items()):
            for voice in voices:
                voice.reach += min(step, max(-step, voice.depth - voice.reach))
            voices[:] = [voice for voice in voices if voice.reach or voice.depth]
            if not voices:
                del self._voices[address]
                continue
            salt = f"{self._seed} {address}"
            away[address] = master * sum(
                voice.reach * voice.of.at(frame, self._blow, salt) for voice in voices
            )
        self._all.modulate(away)


def worded(words: Sequence[Any]) -> Modulation | None:
    """What a message asks for: a way or "none", then its depth, beats, in their stead seconds, and
    phase, each of which may be left out. Out of range is clamped, and what is no number is not
    heeded."""
    if words[0] == NONE:
        return None
    depth, beats, seconds, phase = map(number_in, (*words[1:5], *[None] * 4)[:4])
    found: dict[str, Any] = {"by": words[0]}
    if depth is not None:
        found["depth"] = min(1.0, max(-1.0, depth))
    if words[0] in _WAVES:
        unit, length = ("seconds", seconds) if seconds else ("beats", beats)
        if length:
            found[unit] = min(_LONGEST, max(_SHORTEST, length))
        found["phase"] = min(1.0, max(0.0, phase or 0.0))
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
    if way in _SENSED:
        return Modulation(by=way, depth=on.depth)
    return on.model_copy(update={"by": way})


def _lacks(on: Modulation | None, name: str) -> str:
    """What keeps this one from being turned; "" for nothing."""
    if on is None:
        return "nothing moves it by itself yet; M, or /modulation/next, does"
    if name in ("slower", "faster") and on.by in _SENSED:
        return f"{on.by} comes from the room: it has no period"
    return ""


def _turned(on: Modulation, name: str) -> Modulation:
    if name in ("more", "less"):
        depth = on.depth + (_STEP if name == "more" else -_STEP)
        return on.model_copy(update={"depth": min(1.0, max(-1.0, round(depth, 2)))})
    length, unit = on.period
    length = length * 2 if name == "slower" else length / 2
    return on.model_copy(update={unit: min(_LONGEST, max(_SHORTEST, length))})
