"""Who is before the wall as a guide, a picture of 16 x 16 points, whose shape a piece can take.

Nobody can be recognised in it: it is a quarter as fine as the picture that the eye looks at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 16  # points

_OWN = 1 / 3  # of what tells somebody from the room: how much their own light and dark counts
_FLAT = 0.05  # deviation, of 1 from black to white: what has less stays flat


def guide(
    shade: NDArray[np.floating], grey: NDArray[np.floating], across: float
) -> NDArray[np.float32]:
    """Of a camera's picture, (h, w), a square as high as that: (SIDE, SIDE), first row at the top,
    mean 0 and, as far as there is contrast, deviation 1.

    shade: where somebody is, 0 to 1. grey: how light it is there, 0 to 1. across: the square's
    middle, −1 (left) to 1; beyond the picture is an empty room.
    """
    height, width = shade.shape
    total = float(shade.sum()) or 1.0
    own = grey - float((shade * grey).sum()) / total
    deviation = (float((shade * own**2).sum()) / total) ** 0.5
    seen = shade * (1 + _OWN * own / (deviation + _FLAT))
    middle = 0.5 + (across + 1) / 2 * (width - 1)
    down, along = _parts(height, 0.0, height), _parts(width, middle - height / 2, height)
    small = down @ seen @ along.T
    small = small - small.mean()
    return (small / (small.std() + _FLAT)).astype(np.float32)


def _parts(points: int, start: float, length: int) -> NDArray[np.floating]:
    """(SIDE, points): how much of each point is in each of SIDE equal parts of a length."""
    edges, at = start + length / SIDE * np.arange(SIDE + 1), np.arange(points)
    covered = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    return np.clip(covered, 0, None) * (SIDE / length)
