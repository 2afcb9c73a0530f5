"""A film whose end meets its beginning, for screens that play it over and over.

It is closed in latent space and not as a dissolve of pictures. The scene is stepped through
beforehand, from before the film's beginning; in its last part, the turn, it goes over into what it
did in the time before.

    steps   0 ─────── turn ─────────────── frames ───── frames + turn
    film                0 ──────────────────────────────── frames
    meets                                     0 ──────────── turn
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle, islice
from typing import NamedTuple

from installation.clock import Frame
from installation.engine.layer import Layer
from installation.engine.played import alike
from installation.engine.walk import LatentSpace
from installation.parameters import Bus
from installation.scene import Point, Scene

_TURN = 0.75  # of the film: a short one does not hurry to come back
_LONGEST_TURN = 16.0  # seconds; as far as that, slow scenes go by themselves
_SHORTEST = 1.0  # seconds of a film


class LoopError(Exception):
    """A film that cannot be made to loop. One line."""


class Moment(NamedTuple):
    """All that changes by itself, as it is in one frame."""

    point: Point
    numbers: Mapping[str, float]  # the scene's own, which move its passes
    away: Mapping[str, float]  # how far what modulates them moves faders


class Looped(Scene):
    """What a scene has done, over and over. film: one moment for each frame; lead: frames before
    its beginning with which the first time begins, so that what passes remember is of its end.

    A step also moves the bus to that moment: all that reads it in this frame comes after.
    """

    def __init__(self, film: Sequence[Moment], lead: int, bus: Bus) -> None:
        self._film, self._all = islice(cycle(film), len(film) - lead, None), bus

    def step(self, frame: Frame) -> Point:
        now = next(self._film)
        self._all.modulate(now.away)
        vars(self).update(now.numbers)  # where passes find them
        return now.point


def turn_of(frames: int, fps: float) -> int:
    """How many frames of a film it takes to come back. Raises LoopError for one too short."""
    least = max(2, math.ceil(_SHORTEST * fps))
    if frames < least:
        raise LoopError(
            f"--loop: at {fps:g} frames a second no film comes back to its beginning in {frames} "
            f"of them without a jolt; give it {least} or more, by --frames"
        )
    return round(min(_TURN * frames, _LONGEST_TURN * fps))


def close(layer: Layer, moments: Iterable[Frame], bus: Bus, turn: int) -> None:
    """Step a scene through these moments, and from now on play all but the first `turn` of them
    over and over, beginning with the last `turn`."""
    done = [_moment(layer, frame, bus) for frame in moments]
    film, frames = done[turn:], len(done) - turn
    for back in range(1, turn):
        x = back / turn
        at = frames - turn + back
        film[at] = _between(film[at], done[back], x * x * (3 - 2 * x), layer.player.space)
    layer.scene = Looped(film, turn, bus)


def _moment(layer: Layer, frame: Frame, bus: Bus) -> Moment:
    point, numbers = layer.step(frame), dict[str, float]()
    for one, told in zip(layer.chain.passes, layer.told, strict=True):
        numbers |= {name: told[keyword] for keyword, name in one.moved.items()}
    return Moment(point, numbers, bus.away)


def _between(a: Moment, b: Moment, amount: float, space: LatentSpace) -> Moment:
    def mix(of: Mapping[str, float], to: Mapping[str, float]) -> dict[str, float]:
        names = {*of, *to}
        return {k: (1 - amount) * of.get(k, 0.0) + amount * to.get(k, 0.0) for k in names}

    one, other = alike([a.point, b.point], space.latent.width)  # one may be bent alone
    point = space.blend(one, other, amount)
    return Moment(point, mix(a.numbers, b.numbers), mix(a.away, b.away))
