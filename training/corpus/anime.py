"""Anime: faces drawn with line and cel shading by code alone, with the labels they were drawn from.

The conventions are those of the genre: large graded eyes, heavy lids, hair in locks. No character
of anybody's is copied, and no image was used. Hair and eyes, style and fringe, skin, gender and age
are dealt independently of each other.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from training.corpus.corpus import Corpus
from training.corpus.dice import Dice, Table
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

VERSION = 2
"""Raise it when a change alters pictures or labels: same seed and version, same corpus."""

_SHARES = {"glasses": {"none": 8}, "headwear": {"none": 14}}
"""Most people wear neither. All that is not named here is even."""

_HIDES = {"expression": {"closed": ("eyes",)}}
"""A network that is told a colour nobody can see learns to guess."""

_GROUPS = (
    ("hair", "eyes"), ("style", "fringe"), ("skin", "gender", "age"), ("angle", "tilt"),
    ("expression",), ("glasses",), ("headwear",), ("clothes",), ("background",),
)  # fmt: skip

_CROP: Table = {"zoom": (1.12, 1.34), "x": (-6.0, 6.0), "y": (5.0, 15.0)}
"""Close to the head, so that a network of 64 pixels has eyes to see."""

_FINEST = 128  # the canvas is never coarser than this, so that details survive to be averaged


def _picture(size: int, dice: Dice, wanted: Mapping[str, str]) -> NDArray[np.uint8]:
    """One face at size by size, drawn finer and averaged."""
    times = -(-_FINEST // size)
    pen = Pen(size * times)
    who = sitter.sit(wanted, dice)
    _portrait(pen, who)
    return light.grade(_average(pen.pixels(), times), who)


def _average(fine: NDArray[np.uint8], times: int) -> NDArray[np.float32]:
    """(n · times, n · times, 3) to (n, n, 3) in [0, 1]. Sums of slices: faster than a mean."""
    total = np.zeros((len(fine) // times, len(fine) // times, 3), np.uint16)
    for row in range(times):
        for column in range(times):
            total += fine[row::times, column::times]
    return total.astype(np.float32) / np.float32(255 * times * times)


def _portrait(pen: Pen, who: sitter.Sitter) -> None:
    """From the ground to the light, in the order a painter lays layers."""
    ground.ground(pen, who)
    roll, turn = who.dice.roll("frame", _CROP), who.head.turn
    with pen.moved(roll.x - 9 * turn, roll.y, who.roll, (roll.zoom, roll.zoom)):
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
        fringe.paint(pen, who, cap)
        expression.brows(pen, who, 0.4)
        light.on_hair(pen, who, hair)
        styles.ahoge(pen, who)
        headwear.headwear(pen, who)


CORPUS = Corpus("anime", VERSION, LABELS, _GROUPS, _picture, _SHARES, _HIDES)
label, draw = CORPUS.label, CORPUS.draw
