"""Anime: faces drawn with line and cel shading by code alone, with the labels they were drawn from.

The conventions are those of the genre: large graded eyes, heavy lids, hair in locks. No character
of anybody's is copied, and no image was used. Hair and eyes, style and fringe, skin, gender and age
are dealt independently of each other.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.corpus import folder
from training.corpus.deal import deal, deck
from training.corpus.dice import Dice
from training.corpus.portrait import (
    clothes,
    expression,
    eyes,
    face,
    fringe,
    ground,
    headwear,
    light,
    sitter,
    styles,
)
from training.corpus.portrait.pen import Pen

LABELS: dict[str, tuple[str, ...]] = {
    "hair": tuple(sitter.HAIR),
    "eyes": tuple(sitter.EYES),
    "style": tuple(styles.STYLES),
    "fringe": fringe.FRINGE,
    "ahoge": ("none", "ahoge"),
    "expression": tuple(expression.EXPRESSION),
    "skin": tuple(sitter.SKIN),
    "gender": sitter.GENDER,
    "age": sitter.AGE,
    "angle": sitter.ANGLE,
    "tilt": sitter.TILT,
    "glasses": ("none", "round", "square"),
    "headwear": headwear.HEADWEAR,
    "clothes": clothes.CLOTHES,
    "background": ground.GROUND,
}

VERSION = 1
"""Raise it when a change alters the pictures: same seed and version, same corpus."""

_SHARES = {"glasses": {"none": 8}, "headwear": {"none": 7}, "ahoge": {"none": 3}}
"""Most people wear neither. All that is not named here is even."""

_TOGETHER = (("hair", "eyes"), ("style", "fringe"), ("skin", "gender", "age"), ("angle", "tilt"))
"""Labels whose every combination comes up equally often, not only each of their values."""

_FINEST = 128  # the canvas is never coarser than this, so that details survive to be averaged


@lru_cache(1)
def _decks() -> dict[str, list[dict[str, str]]]:
    alone = [(name,) for name in LABELS if not any(name in group for group in _TOGETHER)]
    return {
        group[0]: deck({name: LABELS[name] for name in group}, _SHARES.get(group[0]))
        for group in (*_TOGETHER, *alone)
    }


def label(seed: int, index: int, **fixed: str) -> dict[str, str]:
    """The labels of image `index`."""
    found: dict[str, str] = {}
    for name, cards in _decks().items():
        found |= deal(cards, seed, index, name)
    return {name: (found | fixed)[name] for name in LABELS}


def draw(
    count: int, size: int, seed: int, *, start: int = 0, **fixed: str
) -> tuple[NDArray[np.uint8], list[dict[str, str]]]:
    """Draw images `start` to `start + count` of the corpus `seed`.

    Returns (count, size, size, 3) uint8 sRGB and the labels of each. Image i depends on seed and
    i alone. `fixed` pins a label, as hair="aqua". Raises folder.CorpusError for an unknown label
    or value, or a size or count that makes no picture.
    """
    folder.check_request(LABELS, count, size, seed, fixed)
    labels = [label(seed, start + i, **fixed) for i in range(count)]
    images = np.empty((count, size, size, 3), np.uint8)
    for i, wanted in enumerate(labels):
        images[i] = _picture(size, Dice(seed, start + i), wanted)
    return images, labels


CORPUS = folder.Corpus("anime", VERSION, LABELS, draw)


def _picture(size: int, dice: Dice, wanted: dict[str, str]) -> NDArray[np.uint8]:
    """One face at size by size, drawn finer and averaged."""
    times = -(-_FINEST // size)
    pen = Pen(size * times)
    who = sitter.sit(wanted, dice)
    _portrait(pen, who)
    return light.grade(_average(pen.pixels(), times), who)


def _average(fine: NDArray[np.uint8], times: int) -> NDArray[np.float32]:
    """(n · times, n · times, 3) to (n, n, 3), [0, 1]. Sums of slices: four times faster than mean."""
    total = np.zeros((len(fine) // times, len(fine) // times, 3), np.uint16)
    for row in range(times):
        for column in range(times):
            total += fine[row::times, column::times]
    return total / np.float32(255 * times * times)


def _portrait(pen: Pen, who: sitter.Sitter) -> None:
    """From the ground to the light, in the order a painter lays layers."""
    ground.ground(pen, who)
    pen.canvas.save()
    _frame(pen, who)
    styles.behind(pen, who)
    face.neck(pen, who)
    clothes.clothes(pen, who)
    if styles.shows_ears(who):
        face.ears(pen, who)
    skin = face.face(pen, who)
    expression.mouth(pen, who)
    cap = fringe.comb(who)
    hair = cap.whole()
    face.cast_shadow(pen, who, skin, hair, 7.0)
    eyes.eyes(pen, who)
    expression.brows(pen, who)
    eyes.glasses(pen, who)
    styles.beside(pen, who)
    styles.ahoge(pen, who)
    fringe.paint(pen, who, cap)
    expression.brows(pen, who, 0.4)
    light.on_hair(pen, who, hair)
    headwear.headwear(pen, who)
    pen.canvas.restore()


def _frame(pen: Pen, who: sitter.Sitter) -> None:
    """Crop to the head: a small network has to see the eyes."""
    roll = who.dice.roll("frame", {"zoom": (1.02, 1.22), "x": (-6.0, 6.0), "y": (3.0, 13.0)})
    pen.canvas.translate(roll.x - 9 * who.head.turn, roll.y)
    pen.canvas.rotate(who.roll)
    pen.canvas.scale(roll.zoom, roll.zoom)
