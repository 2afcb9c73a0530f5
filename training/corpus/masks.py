"""Masks: carved, patinated and lit by code alone, with the labels they were drawn from.

Forms and treatments are those of West and Central African carving in general; no mask of any
collection is copied. Every image is free of anybody's rights.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from training.corpus.carving import crown, face, inlay, light, surface, wall
from training.corpus.carving.field import Grid
from training.corpus.carving.head import HANG, Carving, head
from training.corpus.corpus import Corpus
from training.corpus.dice import Dice

LABELS: dict[str, tuple[str, ...]] = {
    "form": ("oval", "heart", "long", "disc", "animal"),
    "material": ("dark", "red", "honey", "kaolin", "bronze"),
    "crown": ("bare", "coiffure", "horns", "crest", "raffia"),
    "eyes": ("slit", "almond", "round", "tube", "square"),
    "mouth": ("slit", "lips", "oval", "bar", "teeth"),
    "pattern": ("plain", "sockets", "band", "cheeks", "halves", "scars"),
    "ground": wall.GROUNDS,
    "view": tuple(HANG),
}

VERSION = 5
"""Raise it when a change alters the pictures: same seed and version, same corpus."""

_GROUPS = (("form", "material", "crown"), ("eyes", "mouth", "pattern"), ("ground",), ("view",))
_FINEST = 176  # the canvas is never coarser than this, so that details survive to be averaged


def carve(grid: Grid, dice: Dice, wanted: Mapping[str, str]) -> Carving:
    """Carve a mask on a grid, from the block outwards."""
    c = head(grid, dice, wanted["form"], wanted["view"])
    if c.form == "animal":
        face.eyes(c, dice, wanted["eyes"])
        face.muzzle(c, dice, wanted["pattern"])
        face.mouth(c, dice, wanted["mouth"])
    else:
        face.brow(c, dice)
        face.nose(c, dice)
        face.eyes(c, dice, wanted["eyes"])
        face.mouth(c, dice, wanted["mouth"])
        inlay.inlay(c, dice)
        face.scars(c, dice, wanted["pattern"])
    crown.ears(c, dice)
    crown.crown(c, dice, wanted["crown"])
    return c


def carving(dice: Dice, n: int, wanted: Mapping[str, str]) -> Carving:
    """Carve small to see how far the mask reaches, then on n by n to fill the frame."""
    rough = carve(Grid(72, 2.3), dice, wanted)
    return carve(_frame(rough, n, dice.roll("hang", HANG[wanted["view"]])), dice, wanted)


def _picture(size: int, dice: Dice, wanted: Mapping[str, str]) -> NDArray[np.uint8]:
    """One mask at size by size, drawn finer and averaged: smooth outlines, no moiré."""
    times = max(2, -(-_FINEST // size))
    c = carving(dice, size * times, wanted)
    finish = surface.work(c, dice, wanted["material"])
    body, gloss = surface.colour(c, dice, wanted["material"], wanted["pattern"], finish)
    linear = wall.hang(c, light.shade(c, body, gloss, dice), dice, wanted["ground"])
    small = linear.reshape(3, size, times, size, times).mean((2, 4))
    return (light.encode(small) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)


def _frame(rough: Carving, n: int, hung: SimpleNamespace) -> Grid:
    """The window in which the carving's bounding box fills its share of the frame."""
    rows, columns = (np.flatnonzero(rough.cover.any(axis)) for axis in (1, 0))
    low, high = rough.grid.y[rows[0], 0], rough.grid.y[rows[-1], 0]
    wide = 2 * max(abs(rough.grid.x[0, columns[0]]), abs(rough.grid.x[0, columns[-1]]))
    side = max(float(high - low), float(wide)) + rough.grid.px
    half = side / hung.fill / 2
    return Grid(n, half, half * hung.right, float(low + high) / 2 + half * hung.up, hung.roll)


CORPUS = Corpus("masks", VERSION, LABELS, _GROUPS, _picture)
label, draw = CORPUS.label, CORPUS.draw
