"""What a camera sees of the people before it: how much they move, how near they are, where, and the
shade they cast, and the guide that they are to a piece.

It learns what the room looks like without anybody, and what in it moves by itself (a screen, leaves
behind a window). It knows no faces and nobody: it works on a grey picture 64 points wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from installation.control import guide

WIDTH = 64  # of the picture it wants

Map = NDArray[np.floating]  # (h, w), 0 to 1
Mask = NDArray[np.bool_]  # (h, w)

_DARK = 0.03  # of white: as dark as this there is noise alone
_LEAST = 0.05  # of white: what changes by less is noise
_BY_ITSELF = 3.0  # times what a point usually changes by itself, and somebody is there
_RESTLESS = 0.15  # at most taken for usual
_SPECK = 0.004  # of the picture: smaller is nobody
_NEAR = 0.35  # of the picture is filled by somebody who stands right before it
_WILD = 0.15  # of it moves, where somebody waves both arms
_FIRST = 2.0  # seconds in which a camera comes to rest that has just been opened
_ROOM = 15.0  # seconds in which the room is learned anew where nobody is, as by the sun
_STAYS = 180.0  # seconds: and what was put there; it may be somebody who stands still
_USUAL = 0.01 / 60  # a second: how far what is usual moves to what half of all moments are below
_JUST = 0.12  # seconds: what is compared with now, for what moves
_RELEASE = 0.25  # seconds in which motion falls by half when everybody stands still
_COMES, _GOES = 0.2, 0.8  # seconds in which presence follows
_FALLS, _LIFTS = 0.06, 0.3  # seconds in which a shade follows
_FOLLOWS, _RESTS = 0.15, 1.5  # seconds in which the place follows, and comes to the middle
_LONGEST = 5.0  # seconds; of a picture that comes later than that no more is learned
_ANOTHER, _AFTER = 0.6, 5.0  # so much else, and so long nothing moves: another room
_SOMEBODY, _NOBODY, _ALONE = 0.25, 0.1, 3.0  # presence of an arrival; before it, so many seconds


@dataclass(frozen=True)
class Seen:
    """motion and presence 0 to 1; across −1 (left) to 1 and up −1 to 1: where they are, 0 where
    nobody is. arrives: somebody comes, after nobody was there."""

    motion: float = 0.0
    presence: float = 0.0
    across: float = 0.0
    up: float = 0.0
    arrives: bool = False


class Eye:
    """Looks at one camera's pictures. mirror: it hangs at the wall and looks at those before it:
    their right is the wall's right, and its picture's left."""

    def __init__(self, mirror: bool = True) -> None:
        self._mirror, self._side = mirror, -1.0 if mirror else 1.0
        self._now = Seen()
        # where somebody was seen last, and how light it was there
        self._shade: Map = np.zeros((1, 1), np.float32)
        self._grey: Map = np.zeros((1, 1), np.float32)
        self.anew()

    def anew(self) -> None:
        """Another camera, or the same again: the room is learned from its first picture on. Who
        was there before goes as by rest()."""
        self._alone = 0.0
        self._begin(np.zeros((0, 0), np.float32))

    def _begin(self, fresh: Map) -> None:
        # the room without anybody, and with what stands in it now: who leaves uncovers the first
        self._room: Map = fresh.copy()
        self._put: Map = fresh.copy()
        self._recent: Map = fresh.copy()  # the last tenth of a second
        self._usual: Map = np.zeros_like(fresh)  # how much each point changes by itself
        self._age = self._strange = 0.0

    def see(self, picture: NDArray[np.uint8], seconds: float) -> Seen:
        """The newest picture, (h, WIDTH) grey, so many seconds after the one before."""
        fresh = picture.astype(np.float32) / 255
        if self._room.shape != fresh.shape:
            self._begin(fresh)
            self._shade, self._grey = (
                _fitted(one, fresh.shape) for one in (self._shade, self._grey)
            )
        seconds = min(_LONGEST, max(0.0, seconds))
        if float(np.median(fresh)) < _DARK:  # nobody can be seen, and nothing be learned
            return self.rest(seconds)
        self._age += seconds
        # in the light of now: the camera's exposure, or a cloud
        self._room, self._put = _lit(self._room, fresh), _lit(self._put, fresh)
        self._recent = _lit(self._recent, fresh)
        least = _LEAST + _BY_ITSELF * np.minimum(self._usual, _RESTLESS)
        change = _else(fresh, self._recent)
        flicker = np.abs(change)
        moving = _soft(flicker) > least
        self._recent += _share(seconds, _JUST) * change
        if self._age < _FIRST:
            self._room += _share(seconds, _FIRST / 8) * _else(fresh, self._room)
            self._put = self._room.copy()
            return self.rest(seconds)
        from_room, from_put = (_soft(np.abs(_else(fresh, one))) for one in (self._room, self._put))
        away = np.minimum(from_room, from_put)
        # a median: of one who dances most points see something now and then, of a screen always
        self._usual += _USUAL * seconds * np.sign(flicker - self._usual)
        self._learn(fresh, from_room <= least, away > least, moving, seconds)
        self._grey = np.clip(self._recent, 0, 1)
        return self._look(away, least, moving, seconds)

    def rest(self, seconds: float) -> Seen:
        """So many seconds in which nothing can be seen: whoever was there goes, as if they walked
        away."""
        nothing = np.zeros_like(self._shade)
        return self._look(nothing, nothing, nothing > 0, seconds)

    @property
    def shade(self) -> NDArray[np.uint8]:
        """Where somebody stands, soft and a little late, as it lies on the wall: (h, WIDTH), 0 to
        255, first row at the top."""
        return (255 * self._as_on_the_wall(self._shade)).round().astype(np.uint8)

    @property
    def guide(self) -> NDArray[np.float32]:
        """Whoever is there as a picture for a piece to follow, as it lies on the wall and goes
        along with them: see guide.guide. Nearly zeros where nobody is."""
        there = np.float32(min(1.0, self._now.presence / _SOMEBODY))
        if not there:
            return np.zeros((guide.SIDE, guide.SIDE), np.float32)
        shade, grey = map(self._as_on_the_wall, (self._shade, self._grey))
        return there * guide.guide(shade, grey, self._now.across)

    def _as_on_the_wall(self, picture: Map) -> Map:
        return picture[:, ::-1] if self._mirror else picture

    def _look(self, away: Map, least: Map, moving: Mask, seconds: float) -> Seen:
        self._now = self._seen(np.where(away > least, away, 0), moving, seconds)
        # a shirt as dark as the wall behind is a hole in somebody, so who is around it counts
        there = np.clip(2 * _soft(_soft((away > least).astype(np.float32))), 0, 1)
        rate = np.where(there > self._shade, _share(seconds, _FALLS), _share(seconds, _LIFTS))
        self._shade = self._shade + rate * (there - self._shade)
        return self._now

    def _learn(self, fresh: Map, empty: Mask, other: Mask, moving: Mask, seconds: float) -> None:
        """empty: where the room is as it was; other: where it is neither that nor what has been
        put there."""
        soon, late = _share(seconds, _ROOM), _share(seconds, _STAYS)
        self._room += np.where(empty & ~moving, soon, 0) * _else(fresh, self._room)
        self._put += np.where(moving, 0, np.where(other, late, soon)) * _else(fresh, self._put)
        strange = other.mean() > _ANOTHER and moving.mean() < _SPECK
        self._strange = self._strange + seconds if strange else 0.0
        if self._strange > _AFTER:  # it was turned, or a lamp is on elsewhere
            self._begin(fresh)

    def _seen(self, weight: Map, moving: Mask, seconds: float) -> Seen:
        """weight: how much else each point is than the room."""
        before = self._now
        filled = float(np.count_nonzero(weight) / weight.size)
        # the root of an area is a height, and that falls with the distance
        near = min(1.0, (max(0.0, filled - _SPECK) / _NEAR) ** 0.5)
        moved = min(1.0, (max(0.0, float(moving.mean()) - _SPECK) / _WILD) ** 0.5)
        slow = _COMES if near > before.presence else _GOES
        presence = before.presence + _share(seconds, slow) * (near - before.presence)
        motion = max(moved, before.motion * 0.5 ** (seconds / _RELEASE))
        x, y = self._middle(weight) if near else (0.0, 0.0)
        follow = _share(seconds, _FOLLOWS if near else _RESTS)
        arrives = presence >= _SOMEBODY and self._alone >= _ALONE
        if presence < _NOBODY:
            self._alone += seconds
        elif presence >= _SOMEBODY:
            self._alone = 0.0
        return Seen(
            motion, presence,
            before.across + follow * (self._side * x - before.across),
            before.up + follow * (y - before.up),
            arrives,
        )  # fmt: skip

    @staticmethod
    def _middle(weight: Map) -> tuple[float, float]:
        """Its centre of mass, −1 to 1, to the right and up."""
        height, width = weight.shape
        total = float(weight.sum())
        x = float(weight.sum(axis=0) @ np.linspace(-1, 1, width)) / total
        y = float(weight.sum(axis=1) @ np.linspace(1, -1, height)) / total
        return x, y


def _lit(before: Map, fresh: Map) -> Map:
    """An earlier picture in the light of this one: by what most of the points have in common. It
    goes on beyond white, and is not lost when the light falls again."""
    light = float(np.median((fresh + _DARK) / (before + _DARK)))
    return (before + _DARK) * light - _DARK


def _fitted(picture: Map, shape: tuple[int, ...]) -> Map:
    """A picture in another shape, point by point."""
    rows, columns = (
        np.arange(new) * old // new for new, old in zip(shape, picture.shape, strict=True)
    )
    return picture[np.ix_(rows, columns)]


def _else(fresh: Map, before: Map) -> Map:
    """How much else this picture is; beyond white a camera tells no difference."""
    return fresh - np.minimum(before, 1)


def _share(seconds: float, time: float) -> float:
    """How much of the way to go in so many seconds, where two thirds of it take `time`."""
    return float(1 - np.exp(-seconds / time))


def _soft(picture: Map) -> Map:
    """The mean of each point and its eight neighbours: the noise of one counts little."""
    wide = np.pad(picture, 1, mode="edge")
    rows = wide[:-2] + wide[1:-1] + wide[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9
