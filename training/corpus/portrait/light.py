"""The light over everything: a bloom and a rim on the hair, the picture's grade."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.corpus.dice import Table
from training.corpus.portrait.colour import Colour, from_lch
from training.corpus.portrait.pen import SCREEN, Path, Pen, glow, gradient
from training.corpus.portrait.sitter import Sitter

_TABLE: Table = {
    "rim": (0.0, 1.0),
    "hue": (0.0, 1.0),
    "wash": (0.0, 0.5),
    "grade": (0.0, 0.12),
    "warm": (0.0, 1.0),
    "veil": (0.0, 1.0),
    "haze": (-0.45, 0.22),
}


def on_hair(pen: Pen, sitter: Sitter, hair: Path) -> None:
    """An airbrushed bloom where the key falls; at times a coloured rim on the side away from it."""
    roll, soft = sitter.dice.roll("light", _TABLE), sitter.manner.soft
    side, (mx, my) = -sitter.light, sitter.head.middle()
    reach = sitter.head.reach
    with pen.inside(hair):
        pen.wash(glow((mx - side * reach * 0.5, my - 52), 58, sitter.hair.light, 0.5 * soft))
        pen.wash(glow((mx + side * reach * 0.9, my + 40), 62, sitter.hair.deep, 0.6 * soft))
        if roll.rim < 0.72:
            return
        tint = from_lch(0.9, 0.08, roll.hue)
        edge = gradient(
            (mx + side * reach, 0), (mx + side * reach * 0.66, 0), tint, tint, alphas=(0.75, 0.0)
        )
        pen.wash(edge, 1.0, SCREEN)


def grade(picture: NDArray[np.float32], sitter: Sitter) -> NDArray[np.uint8]:
    """Key light, ambience and colour over the whole picture, (n, n, 3) in [0, 1], to uint8.

    Done on the averaged pixels: Skia's blends over the fine canvas cost more than all the hair.
    """
    roll = sitter.dice.roll("light", _TABLE)
    towards = _slope(len(picture), sitter.light)[..., None]
    key, shade = _array((1.0, 0.98, 0.92)), _array(from_lch(0.70, 0.045, roll.hue))
    lit = 1 - (1 - picture) * (1 - 0.28 * roll.wash * key * towards)
    lit *= 1 - (1 - shade) * 0.36 * roll.wash * (1 - towards) ** 2
    lit += roll.grade * (_array(from_lch(0.75, 0.08, 0.14 if roll.warm > 0.5 else 0.72)) - 0.7)
    if roll.veil > 0.85:
        lit = 1 - (1 - lit) * (1 - 0.3 * _array(from_lch(0.9, 0.08, roll.hue)) * towards**2)
    if roll.haze > 0:  # pastel: the darks lifted towards a pale tint
        lit = lit * (1 - roll.haze) + roll.haze * _array(from_lch(0.88, 0.04, roll.hue))
    return (lit.clip(0, 1) * 255 + 0.5).astype(np.uint8)


@lru_cache(8)
def _slope(n: int, light: int) -> NDArray[np.float32]:
    """(n, n): 1 at the corner where the light is, 0 at the one across."""
    at = (np.arange(n, dtype=np.float32) + 0.5) / n
    across = at if light > 0 else 1 - at
    return (across[None, :] * 0.5 + (1 - at)[:, None] * 0.5).astype(np.float32)


def _array(colour: Colour) -> NDArray[np.float32]:
    return np.array(colour, np.float32)
