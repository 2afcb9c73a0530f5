"""The light over everything: a soft wash, a rim on the hair, the air between, the picture's grade."""

from __future__ import annotations

import skia

from training.corpus.dice import Table
from training.corpus.portrait.colour import from_lch
from training.corpus.portrait.pen import MULTIPLY, SCREEN, SOFT, Pen, glow, gradient
from training.corpus.portrait.sitter import Sitter

_TABLE: Table = {"rim": (0.0, 1.0), "hue": (0.0, 1.0), "wash": (0.0, 0.5), "grade": (0.0, 0.16), "warm": (0.0, 1.0), "veil": (0.0, 1.0)}


def rim(pen: Pen, sitter: Sitter, hair: skia.Path) -> None:
    """At times a coloured light from behind catches the hair on the side away from the key."""
    roll = sitter.dice.roll("light", _TABLE)
    if roll.rim < 0.72:
        return
    tint = from_lch(0.9, 0.08, roll.hue)
    side, (mx, _) = -sitter.light, sitter.head.middle()
    reach = sitter.head.wide + sitter.head.hair
    with pen.inside(hair):
        edge = gradient((mx + side * reach, 0), (mx + side * reach * 0.66, 0), tint, tint, alphas=(0.75, 0.0))
        pen.wash(edge, 1.0, SCREEN)


def grade(pen: Pen, sitter: Sitter) -> None:
    """Key light and ambience over the whole picture, as an airbrush would lay them."""
    roll = sitter.dice.roll("light", _TABLE)
    key = (sitter.light * 80.0, -90.0)
    pen.wash(glow(key, 210, (1.0, 0.97, 0.88), 0.55 * roll.wash), 1.0, SOFT)
    far = (-sitter.light * 90.0, 100.0)
    pen.wash(glow(far, 190, from_lch(0.5, 0.07, roll.hue), 0.55 * roll.wash), 1.0, MULTIPLY)
    pen.wash(from_lch(0.75, 0.10, 0.12 if roll.warm > 0.5 else 0.72), roll.grade, SOFT)
    if roll.veil > 0.85:
        pen.wash(glow((sitter.light * 100, -60), 150, from_lch(0.95, 0.06, roll.hue), 0.5), 1.0, SCREEN)
