"""Masks: carved, patinated and lit by code alone, with the labels they were drawn from.

Forms and treatments are those of West and Central African carving in general; no mask of any
collection is copied. Every image is free of anybody's rights.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.corpus import folder
from training.corpus.carving import crown, face, inlay, light, surface
from training.corpus.dice import Dice
from training.corpus.carving.field import Grid
from training.corpus.carving.head import HANG, Carving, head

LABELS: dict[str, tuple[str, ...]] = {
    "form": ("oval", "heart", "long", "disc", "animal"),
    "material": ("dark", "red", "honey", "kaolin", "bronze"),
    "crown": ("bare", "coiffure", "horns", "crest", "raffia"),
    "eyes": ("slit", "almond", "round", "tube", "square"),
    "mouth": ("slit", "lips", "oval", "bar", "teeth"),
    "pattern": ("plain", "sockets", "band", "cheeks", "halves", "scars"),
}

VERSION = 2
"""Raise it when a change alters the pictures: same seed and version, same corpus."""

# Within each group all combinations come up equally often; the groups know nothing of each other.
_GROUPS = (("form", "material", "crown"), ("eyes", "mouth", "pattern"))
_COMBINATIONS = tuple(tuple(product(*(LABELS[name] for name in group))) for group in _GROUPS)
_FINEST = 176  # the canvas is never coarser than this, so that details survive to be averaged
_FILL = 0.87  # the share of the frame the mask's longer side takes


def label(seed: int, index: int, **fixed: str) -> dict[str, str]:
    """The labels of image `index`: in each group every combination once in a block, shuffled."""
    found: dict[str, str] = {}
    for number, (names, combinations) in enumerate(zip(_GROUPS, _COMBINATIONS, strict=True)):
        block, at = divmod(index, len(combinations))
        order = np.random.default_rng([seed, number, block]).permutation(len(combinations))
        found |= zip(names, combinations[int(order[at])], strict=True)
    return found | fixed


def draw(
    count: int, size: int, seed: int, *, start: int = 0, **fixed: str
) -> tuple[NDArray[np.uint8], list[dict[str, str]]]:
    """Draw images `start` to `start + count` of the corpus `seed`.

    Returns (count, size, size, 3) uint8 sRGB and the labels of each. Image i depends on seed and
    i alone. `fixed` pins a label, as form="heart". Raises folder.CorpusError for an unknown label
    or value, or a size or count that makes no picture.
    """
    folder.check_request(LABELS, count, size, seed, fixed)
    labels = [label(seed, start + i, **fixed) for i in range(count)]
    images = np.empty((count, size, size, 3), np.uint8)
    for i, wanted in enumerate(labels):
        images[i] = _picture(size, Dice(seed, start + i), wanted)
    return images, labels


CORPUS = folder.Corpus("masks", VERSION, LABELS, draw)


def write(
    out: Path,
    count: int,
    size: int,
    seed: int,
    progress: folder.Progress | None = None,
) -> int:
    """Draw a corpus into the folder `out`; returns how many were drawn. See `folder.write`."""
    return folder.write(out, CORPUS, count, size, seed, progress)


def carve(grid: Grid, dice: Dice, wanted: Mapping[str, str]) -> Carving:
    """Carve a mask on a grid, from the block outwards."""
    c = head(grid, dice, wanted["form"])
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
    return carve(_frame(rough, n, dice), dice, wanted)


def _picture(size: int, dice: Dice, wanted: dict[str, str]) -> NDArray[np.uint8]:
    """One mask at size by size, drawn finer and averaged: smooth outlines, no moiré."""
    times = max(2, -(-_FINEST // size))
    c = carving(dice, size * times, wanted)
    finish = surface.work(c, dice, wanted["material"])
    body, gloss = surface.colour(c, dice, wanted["material"], wanted["pattern"], finish)
    linear = light.hang(c, light.shade(c, body, gloss, dice), dice)
    small = linear.reshape(3, size, times, size, times).mean((2, 4))
    return (light.encode(small) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)


def _frame(rough: Carving, n: int, dice: Dice) -> Grid:
    """The window in which the carving's bounding box fills its share of the frame."""
    rows, columns = (np.flatnonzero(rough.cover.any(axis)) for axis in (1, 0))
    low, high = rough.grid.y[rows[0], 0], rough.grid.y[rows[-1], 0]
    wide = 2 * max(abs(rough.grid.x[0, columns[0]]), abs(rough.grid.x[0, columns[-1]]))
    side = max(float(high - low), float(wide)) + rough.grid.px
    roll = dice.roll("hang", HANG).roll
    return Grid(n, side / _FILL / 2, 0.0, float(low + high) / 2, roll)
