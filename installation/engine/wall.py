"""A projector that stands askew: where the picture's four corners lie on the wall."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from installation.parameters import Bus, Param, Parameters

_REACH = 0.24  # of a side: as far as this every shape is convex, so it can be undone

Corners = tuple[float, ...]  # top left x, y, then top right, bottom right, bottom left


def _moved(which: str, way: str) -> Param:
    return Param(0, -_REACH, _REACH, glide=0.1, doc=f"The {which} corner, {way}.", guarded=True)


class Wall(Parameters):
    """In parts of the screen's width, to the right, and of its height, upwards."""

    top_left_x = _moved("top left", "to the right")
    top_left_y = _moved("top left", "upwards")
    top_right_x = _moved("top right", "to the right")
    top_right_y = _moved("top right", "upwards")
    bottom_right_x = _moved("bottom right", "to the right")
    bottom_right_y = _moved("bottom right", "upwards")
    bottom_left_x = _moved("bottom left", "to the right")
    bottom_left_y = _moved("bottom left", "upwards")


_ADDRESSES = tuple(f"/wall/{name}" for name in Wall.declared())


def corners(bus: Bus) -> Corners | None:
    """How far each corner has been moved; None where none has."""
    moved = tuple(bus.value(address) for address in _ADDRESSES)
    return moved if any(moved) else None


@lru_cache(maxsize=4)  # they glide
def to_picture(moved: Corners) -> tuple[float, ...]:
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
