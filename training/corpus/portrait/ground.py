"""What is behind the sitter."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from training.corpus.dice import Table
from training.corpus.portrait.colour import WHITE, Colour, from_lch, mix, tone
from training.corpus.portrait.pen import (
    SCREEN,
    Pen,
    glow,
    gradient,
    oval,
    polygon,
    smooth,
    together,
)
from training.corpus.portrait.sitter import Sitter

GROUND = ("flat", "gradient", "pattern", "bokeh")

_TABLE: Table = {
    "light": (0.0, 1.0), "chroma": (0.0, 1.0), "hue": (0.0, 1.0), "angle": (0.0, 6.28),
    "motif": ("stripes", "dots", "rays", "checks", "petals"), "scale": (0.7, 1.5),
}  # fmt: skip


def ground(pen: Pen, sitter: Sitter) -> None:
    roll, kind = sitter.dice.roll("ground", _TABLE), sitter.labels["background"]
    rng = sitter.dice.stream("ground marks")
    light = 0.28 + 0.70 * roll.light**0.24  # pale more often than not
    chroma = (0.04 + 0.34 * (1 - light)) * roll.chroma + 0.05 * roll.chroma**2
    colour = from_lch(light, chroma, roll.hue)
    if _near(colour, sitter.hair.base):
        colour = from_lch(light - 0.3 if light > 0.6 else light + 0.35, chroma, roll.hue)
    other = mix(
        tone(colour, 0.78 if light > 0.5 else 1.5),
        from_lch(light, chroma + 0.03, roll.hue + 0.22),
        0.45,
    )
    if kind in ("flat", "pattern"):
        pen.wash(colour)
    else:
        dx, dy = 110 * math.cos(roll.angle), 110 * math.sin(roll.angle)
        pen.wash(gradient((-dx, -dy), (dx, dy), colour, mix(colour, other, 0.55), other))
    if kind == "pattern":
        _MOTIFS[roll.motif](
            pen, mix(colour, WHITE if light < 0.8 else other, 0.45), roll.scale, roll.angle, rng
        )
    if kind == "bokeh":
        _bokeh(pen, colour, rng)


def _near(a: Colour, b: Colour) -> bool:
    return sum(abs(p - q) for p, q in zip(a, b, strict=True)) < 0.35


def _bokeh(pen: Pen, colour: Colour, rng: np.random.Generator) -> None:
    """Lights out of focus: discs with a brighter rim, and broad glows."""
    for _ in range(4):
        x, y, r = rng.uniform(-110, 110), rng.uniform(-110, 110), rng.uniform(35, 80)
        tint = from_lch(rng.uniform(0.5, 0.95), 0.1, rng.uniform())
        pen.fill(oval(x, y, r, r), glow((x, y), r, tint, 0.7))
    for _ in range(int(rng.integers(8, 20))):
        x, y, r = rng.uniform(-105, 105), rng.uniform(-105, 105), rng.uniform(4, 15)
        tint = mix(from_lch(0.9, 0.08, rng.uniform()), colour, 0.2)
        alpha = rng.uniform(0.15, 0.5)
        pen.fill(oval(x, y, r, r), tint, alpha, SCREEN)
        pen.line(oval(x, y, r, r), tint, 1.0, alpha)


def _stripes(pen: Pen, ink: Colour, scale: float, angle: float, rng: np.random.Generator) -> None:
    bars = [(k * 19 * scale, (k * 19 + 9) * scale) for k in range(-9, 10)]
    with pen.moved(0, 0, math.degrees(angle)):
        stripes = (polygon([(a, -160), (b, -160), (b, 160), (a, 160)]) for a, b in bars)
        pen.fill(together(stripes), ink, 0.8)


def _dots(pen: Pen, ink: Colour, scale: float, angle: float, rng: np.random.Generator) -> None:
    r, places = 6 * scale, product(range(-7, 8), range(-7, 8))
    with pen.moved(0, 0, math.degrees(angle)):
        dots = (oval((x + 0.5 * (y % 2)) * 23 * scale, y * 20 * scale, r, r) for x, y in places)
        pen.fill(together(dots), ink, 0.85)


def _rays(pen: Pen, ink: Colour, scale: float, angle: float, rng: np.random.Generator) -> None:
    n = int(18 / scale)
    for k in range(n):
        a, b = angle + 2 * math.pi * k / n, angle + 2 * math.pi * (k + 0.5) / n
        pen.fill(
            polygon(
                [
                    (0, 0),
                    (190 * math.cos(a), 190 * math.sin(a)),
                    (190 * math.cos(b), 190 * math.sin(b)),
                ]
            ),
            ink,
            0.75,
        )


def _checks(pen: Pen, ink: Colour, scale: float, angle: float, rng: np.random.Generator) -> None:
    s, places = 24 * scale, [(x, y) for x, y in product(range(-9, 9), repeat=2) if (x + y) % 2]
    with pen.moved(0, 0, math.degrees(angle)):
        squares = (
            polygon(
                [(x * s, y * s), (x * s + s, y * s), (x * s + s, y * s + s), (x * s, y * s + s)]
            )
            for x, y in places
        )
        pen.fill(together(squares), ink, 0.6)


def _petals(pen: Pen, ink: Colour, scale: float, angle: float, rng: np.random.Generator) -> None:
    for _ in range(26):
        x, y, a, r = (
            rng.uniform(-105, 105),
            rng.uniform(-105, 105),
            rng.uniform(0, 6.3),
            8 * scale * rng.uniform(0.6, 1.3),
        )
        dx, dy = r * math.cos(a), r * math.sin(a)
        pen.fill(
            smooth(
                [
                    (x - dx, y - dy),
                    (x - dy * 0.6, y + dx * 0.6),
                    (x + dx, y + dy),
                    (x + dy * 0.6, y - dx * 0.6),
                ],
                closed=True,
            ),
            ink,
            rng.uniform(0.5, 1.0),
        )


_MOTIFS = {"stripes": _stripes, "dots": _dots, "rays": _rays, "checks": _checks, "petals": _petals}
