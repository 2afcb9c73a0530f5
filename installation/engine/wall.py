"""Where the picture lies on the wall: through one projector, or through several that share it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from installation.engine.textures import Size
from installation.parameters import Bus, Declared, Param, Parameters

_REACH = 0.24  # of a side: as far as this every shape is convex, so it can be undone
_LONGEST = 16384  # pixels of a picture's side; GPUs have no longer textures
_MOSTLY = 1.5  # times as far along a side as over it, and the side is shared
_MOST = 4  # times the window's pixels, in a picture of which a screen shows a detail

Box = tuple[float, float, float, float]  # left, top, width, height, in parts of the whole
Corners = tuple[float, ...]  # top left x, y, then top right, bottom right, bottom left
Sides = tuple[float, float, float, float]  # left, bottom, right, top

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def _moved(what: str, way: str) -> Param:
    return Param(0, -_REACH, _REACH, glide=0.1, doc=f"The {what}, {way}.", guarded=True)


class Edges(Parameters):
    """Of one screen, in parts of its width, to the right, and of its height, upwards."""

    top_left_x = _moved("top left corner", "to the right")
    top_left_y = _moved("top left corner", "upwards")
    top_right_x = _moved("top right corner", "to the right")
    top_right_y = _moved("top right corner", "upwards")
    bottom_right_x = _moved("bottom right corner", "to the right")
    bottom_right_y = _moved("bottom right corner", "upwards")
    bottom_left_x = _moved("bottom left corner", "to the right")
    bottom_left_y = _moved("bottom left corner", "upwards")
    top_bow = _moved("middle of the top edge", "upwards: for a wall that is round")
    right_bow = _moved("middle of the right edge", "to the right")
    bottom_bow = _moved("middle of the bottom edge", "upwards")
    left_bow = _moved("middle of the left edge", "to the right")


class Wall(Edges):
    """What is set once, when the projectors hang. The first screen's edges are among it, those of
    the others stand under /wall/2 and so on."""

    seam = Param(
        1, 0.5, 2, glide=0.1, guarded=True,
        doc="Where two screens overlap: more is darker, less is lighter.",
    )  # fmt: skip
    grid = Param(0, 0, 1, glide=0.1, guarded=True, doc="Lines to align the screens by.")


_EDGES = tuple(Edges.declared())


def declared(screens: int) -> dict[str, dict[str, Declared]]:
    """The parameters of a wall of so many screens, by prefix."""
    more = {f"wall/{number}": Edges.declared() for number in range(2, screens + 1)}
    return {"wall": Wall.declared(), **more}


@dataclass(frozen=True, eq=False)
class Screen:
    """One projector or display, or one part of the window.

    area: of the window, what it fills; part: of the picture, what it shows. turn: degrees by which
    the screen hangs turned clockwise, a multiple of 90. mirror: it is projected on from behind.
    blend: its light fades where other screens show the same. mask: (height, width) uint8, first row
    at the top, laid over the area; 0 stays dark.
    """

    area: Box = WHOLE
    part: Box = WHOLE
    turn: int = 0
    mirror: bool = False
    blend: bool = True
    mask: NDArray[np.uint8] | None = None

    @property
    def plain(self) -> bool:
        """Nothing has to be done for it."""
        whole = self.area == self.part == WHOLE
        return whole and not self.turn and not self.mirror and self.mask is None

    @property
    def turned(self) -> tuple[float, float, float, float]:
        """The matrix, column by column, from the middle of the screen to the middle of its part."""
        cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[self.turn // 90 % 4]
        across = -1 if self.mirror else 1
        return (across * cos, -sin, across * sin, cos)

    def picture(self, window: Size) -> tuple[float, float]:
        """The pixels of a whole picture that would be shown here pixel by pixel."""
        width, height = self.area[2] * window[0], self.area[3] * window[1]
        if self.turn % 180:
            width, height = height, width
        return width / self.part[2], height / self.part[3]

    def pixels(self, window: Size) -> tuple[int, int, int, int]:
        """The area in pixels, as OpenGL counts: left, bottom, width, height."""
        left, top, width, height = self.area
        x, y = round(left * window[0]), round(top * window[1])
        right, bottom = round((left + width) * window[0]), round((top + height) * window[1])
        return x, window[1] - bottom, right - x, bottom - y


def picture_size(screens: Sequence[Screen], window: Size) -> Size:
    """The pixels of a picture of which every screen shows its part pixel by pixel, or finer, as far
    as a GPU holds so many."""
    sizes = [screen.picture(window) for screen in screens]
    width, height = max(w for w, _ in sizes), max(h for _, h in sizes)
    most = math.sqrt(_MOST * window[0] * window[1] / (width * height))
    shrink = min(1.0, most, _LONGEST / max(width, height))
    return max(1, round(shrink * width)), max(1, round(shrink * height))


def overlaps(screens: Sequence[Screen], which: int) -> Sides:
    """How much of a screen's part, at each side, is lit by another screen as well: one that lies
    beyond that side, and reaches over it. In parts of its part; 0 where none does."""
    one = screens[which]
    if not one.blend:
        return (0.0, 0.0, 0.0, 0.0)
    left, top, width, height = one.part
    found = [0.0, 0.0, 0.0, 0.0]
    for other in screens:
        x, y, w, h = other.part
        across = min(left + width, x + w) - max(left, x)
        down = min(top + height, y + h) - max(top, y)
        if other is one or not other.blend or across <= 0 or down <= 0:
            continue
        beyond = (x < left, y + h > top + height, x + w > left + width, y < top)
        # beside it, or above or below; one that reaches over both sides, or lies within, is neither
        beside, over = beyond[0] != beyond[2], beyond[1] != beyond[3]
        if beside and over:  # across a corner: of the two sides, that of which it lights most
            beside, over = down > _MOSTLY * across, across > _MOSTLY * down
        if beside:
            side = 0 if beyond[0] else 2
            found[side] = max(found[side], across / width)
        if over:
            side = 1 if beyond[1] else 3
            found[side] = max(found[side], down / height)
    return (found[0], found[1], found[2], found[3])


def edges(bus: Bus, which: int) -> tuple[Corners, Sides]:
    """How far each corner of a screen has been moved, and the middle of the top, right, bottom and
    left edge."""
    prefix = "/wall" if which == 0 else f"/wall/{which + 1}"
    moved = [bus.value(f"{prefix}/{name}") for name in _EDGES]
    top, right, bottom, left = moved[8:]
    return tuple(moved[:8]), (top, right, bottom, left)


@lru_cache(maxsize=64)  # they glide, 16 screens of them
def to_square(moved: Corners) -> tuple[float, ...]:
    """The matrix, column by column, that takes a place on the screen to one in the picture; both
    from (0, 0) at the bottom left to (1, 1). From the four pairs of corners (Heckbert 1989,
    Fundamentals of Texture Mapping and Image Warping, 2.2.3)."""
    picture = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], float)
    screen = picture + np.reshape(moved, (4, 2))
    rows, wanted = [], []
    for (u, v), (x, y) in zip(picture, screen, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        wanted += [x, y]
    # To the screen, whose last number is never 0: the picture's origin has a place there.
    found = np.append(np.linalg.solve(np.array(rows), np.array(wanted)), 1.0).reshape(3, 3)
    return tuple(np.linalg.inv(found).T.flatten().tolist())
