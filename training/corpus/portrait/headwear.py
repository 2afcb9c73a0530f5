"""What is worn on the hair."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from training.corpus.portrait.colour import WHITE, mix
from training.corpus.portrait.gathered import accent
from training.corpus.portrait.pen import Pen, Point, gradient, leaf, oval, ribbon, smooth
from training.corpus.portrait.sitter import Ramp, Sitter, ramp

HEADWEAR = ("none", "ribbon", "band", "hat", "beret", "flower", "pins", "headphones")


def headwear(pen: Pen, sitter: Sitter) -> None:
    kind = sitter.labels["headwear"]
    if kind != "none":
        _WORN[kind](
            pen, sitter, ramp(accent(sitter), sitter.manner), sitter.dice.stream("headwear")
        )


def _side(sitter: Sitter, rng: np.random.Generator) -> int:
    """The side that shows: the one the face turns from, or either."""
    if abs(sitter.head.turn) > 0.4:
        return -1 if sitter.head.turn > 0 else 1
    return 1 if rng.uniform() < 0.5 else -1


def _cloth(pen: Pen, sitter: Sitter, points: list[Point], cloth: Ramp) -> None:
    path = smooth(points, closed=True)
    ys = [p[1] for p in points]
    pen.fill(
        path,
        gradient(
            (sitter.light * 30, min(ys)),
            (-sitter.light * 30, max(ys)),
            mix(cloth.base, cloth.light, 0.35),
            cloth.base,
            cloth.deep,
        ),
    )
    pen.line(path, cloth.line, sitter.manner.line)


def _ribbon(pen: Pen, sitter: Sitter, cloth: Ramp, rng: np.random.Generator) -> None:
    side = _side(sitter, rng)
    x, y = sitter.head.dome(math.radians(side * 48), 0.62)
    size = rng.uniform(20, 28)
    with pen.moved(x, y, side * rng.uniform(15, 40)):
        _knot(pen, sitter, size, cloth)


def _knot(pen: Pen, sitter: Sitter, size: float, cloth: Ramp) -> None:
    for way in (-1, 1):
        tail = [
            (0, 0),
            (way * size * 0.55, size * 0.9),
            (way * size * 0.3, size * 1.2),
            (way * size * 0.1, size * 0.9),
        ]
        _cloth(pen, sitter, tail, cloth)
        loop = [
            (0, 0),
            (way * size * 0.55, -size * 0.62),
            (way * size * 1.05, -size * 0.5),
            (way * size * 1.0, size * 0.25),
            (way * size * 0.5, size * 0.28),
        ]
        _cloth(pen, sitter, loop, cloth)
        pen.fill(leaf((way * 2, 0), (way * size * 0.75, -size * 0.15), 0, 1.3), cloth.deep)
    _cloth(
        pen,
        sitter,
        [
            (-size * 0.2, -size * 0.22),
            (size * 0.2, -size * 0.22),
            (size * 0.18, size * 0.22),
            (-size * 0.18, size * 0.22),
        ],
        cloth,
    )


def _band(pen: Pen, sitter: Sitter, cloth: Ramp, rng: np.random.Generator) -> None:
    """A hairband over the top of the head, ear to ear."""
    v, turned = rng.uniform(0.5, 0.62), math.degrees(sitter.head.yaw)
    wide = rng.uniform(6, 12)
    way = [
        sitter.head.dome(math.radians(a - turned), v + 0.6 * (abs(a) / 90) ** 2.5, 1.5)
        for a in range(-88, 89, 16)
    ]
    path = ribbon(way, [wide] * len(way))
    pen.fill(
        path,
        gradient((-60, 0), (60, 0), cloth.shade, mix(cloth.base, cloth.light, 0.4), cloth.shade),
    )
    pen.line(path, cloth.line, sitter.manner.line)


def _hat(pen: Pen, sitter: Sitter, cloth: Ramp, rng: np.random.Generator) -> None:
    """A brimmed hat pushed back: the brim is a halo behind the fringe's root."""
    (x, y), reach, ry = (
        sitter.head.middle(),
        sitter.head.reach,
        sitter.head.rise,
    )
    x += sitter.head.turn * 6
    brim, low = reach * rng.uniform(1.3, 1.5), y - ry * rng.uniform(0.36, 0.46)
    crown = [
        (x - reach * 0.98, low),
        (x - reach * 0.96, low - ry * 0.5),
        (x - reach * 0.5, low - ry * 0.92),
        (x + reach * 0.5, low - ry * 0.92),
        (x + reach * 0.96, low - ry * 0.5),
        (x + reach * 0.98, low),
    ]
    _cloth(pen, sitter, crown, cloth)
    band = [
        (x - reach * 1.0, low),
        (x, low - 20),
        (x + reach * 1.0, low),
        (x + reach * 0.99, low - 15),
        (x, low - 36),
        (x - reach * 0.99, low - 15),
    ]
    _cloth(pen, sitter, band, ramp(sitter.iris, sitter.manner))
    rim = [
        (x - brim, low + 14),
        (x - brim * 0.6, low - 9),
        (x, low - 21),
        (x + brim * 0.6, low - 9),
        (x + brim, low + 14),
        (x + brim * 0.62, low + 8),
        (x, low - 3),
        (x - brim * 0.62, low + 8),
    ]
    _cloth(pen, sitter, rim, cloth)


def _beret(pen: Pen, sitter: Sitter, cloth: Ramp, rng: np.random.Generator) -> None:
    (x, y), reach, ry = (
        sitter.head.middle(),
        sitter.head.reach,
        sitter.head.rise,
    )
    side = _side(sitter, rng)
    top = y - ry
    puff = [
        (x - side * reach * 0.95, top + 34),
        (x - side * reach * 0.7, top + 2),
        (x, top - 14),
        (x + side * reach * 0.9, top - 6),
        (x + side * reach * 1.22, top + 30),
        (x + side * reach * 0.8, top + 42),
        (x, top + 26),
    ]
    _cloth(pen, sitter, puff, cloth)
    hem = [
        (x - side * reach * 0.96, top + 35),
        (x - side * reach * 0.3, top + 22),
        (x + side * reach * 0.4, top + 30),
        (x + side * reach * 0.85, top + 43),
    ]
    path = ribbon(hem, [5.5] * 4)
    pen.fill(path, cloth.shade)
    pen.line(path, cloth.line, sitter.manner.line)
    pen.fill(leaf((x, top - 13), (x + side * 5, top - 22), 1, 1.6), cloth.line)


def _flower(pen: Pen, sitter: Sitter, cloth: Ramp, rng: np.random.Generator) -> None:
    side = _side(sitter, rng)
    cx, cy = sitter.head.dome(math.radians(side * 58), 0.8)
    size, phase, n = rng.uniform(9, 13), rng.uniform(0, 1.2), 5
    for k in (0, 1):
        a = phase + 2.4 * k + (0.6 if side > 0 else 2.2)
        _cloth(
            pen,
            sitter,
            [
                (cx, cy),
                (cx + 1.6 * size * math.cos(a - 0.3), cy + 1.6 * size * math.sin(a - 0.3)),
                (cx + 2.4 * size * math.cos(a), cy + 2.4 * size * math.sin(a)),
                (cx + 1.6 * size * math.cos(a + 0.3), cy + 1.6 * size * math.sin(a + 0.3)),
            ],
            ramp((0.30, 0.58, 0.33), sitter.manner),
        )
    for k in range(n):
        a = phase + 2 * math.pi * k / n
        petal = oval(cx + size * math.cos(a), cy + size * math.sin(a), size * 0.78, size * 0.78)
        pen.fill(
            petal,
            gradient(
                (cx, cy),
                (cx + 2 * size * math.cos(a), cy + 2 * size * math.sin(a)),
                cloth.shade,
                cloth.base,
                cloth.light,
            ),
        )
        pen.line(petal, cloth.line, sitter.manner.line * 0.8)
    pen.fill(oval(cx, cy, size * 0.5, size * 0.5), (0.98, 0.85, 0.40))
    pen.line(oval(cx, cy, size * 0.5, size * 0.5), cloth.line, sitter.manner.line * 0.8)


def _pins(pen: Pen, sitter: Sitter, cloth: Ramp, rng: np.random.Generator) -> None:
    side = _side(sitter, rng)
    for k in range(2 if rng.uniform() < 0.6 else 3):
        x, y = sitter.head.dome(math.radians(side * (40 + 3 * k)), 0.92 + 0.085 * k)
        bar = ribbon([(x - 10, y + side * 3), (x, y), (x + 10, y - side * 3)], [4.4, 4.8, 4.4])
        pen.fill(bar, cloth.base)
        pen.line(bar, cloth.line, sitter.manner.line * 0.9)


def _headphones(pen: Pen, sitter: Sitter, cloth: Ramp, rng: np.random.Generator) -> None:
    (x, y), reach, ry = (
        sitter.head.middle(),
        sitter.head.reach,
        sitter.head.rise,
    )
    arc = [
        (
            x + reach * 1.02 * math.cos(math.radians(a)),
            y + 22 + (ry + 22) * math.sin(math.radians(a)),
        )
        for a in range(-180, 1, 18)
    ]
    band = ribbon(arc, [8.0] * len(arc))
    pen.fill(band, gradient((0, y - ry), (0, y), cloth.light, cloth.base, cloth.shade))
    pen.line(band, cloth.line, sitter.manner.line)
    for side in (-1, 1):
        seen = 1 - 0.7 * max(0.0, side * sitter.head.turn)
        cx, cy = x + side * reach * (0.98 - 0.08 * (1 - seen)), 8.0
        cup = oval(cx, cy, 12.5 * seen + 1, 19)
        pen.fill(
            cup,
            gradient((cx - 10, cy - 16), (cx + 10, cy + 18), cloth.light, cloth.base, cloth.deep),
        )
        pen.line(cup, cloth.line, sitter.manner.line * 1.1)
        pen.fill(oval(cx + side * 2, cy, 6 * seen, 10), mix(cloth.base, WHITE, 0.6))


_WORN: dict[str, Callable[[Pen, Sitter, Ramp, np.random.Generator], None]] = {
    "ribbon": _ribbon, "band": _band, "hat": _hat, "beret": _beret, "flower": _flower,
    "pins": _pins, "headphones": _headphones,
}  # fmt: skip
