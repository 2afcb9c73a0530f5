"""Hair that is tied: tails, braids and buns."""

from __future__ import annotations

import math

import numpy as np

from training.corpus.portrait.colour import Colour, mix
from training.corpus.portrait.hanging import frame, skull
from training.corpus.portrait.locks import lock, paint, strand_ink
from training.corpus.portrait.pen import Pen, Point, gradient, leaf, oval, smooth
from training.corpus.portrait.sitter import Sitter


def tail(
    pen: Pen,
    sitter: Sitter,
    rng: np.random.Generator,
    root: Point,
    tip: Point,
    width: float,
    bow: float,
    n: int = 4,
) -> None:
    """A gathered tail: locks from one tie, fanning out towards their tips."""
    ramp = sitter.hair
    for k in range(n):
        u = (k + 0.5) / n * 2 - 1
        a, b = rng.uniform(-1, 1, 2).tolist()
        end = (tip[0] + width * 0.42 * u, tip[1] + 9 * b - 8 * abs(u))
        one = lock(
            root, end, width * 0.62, bow + u * 9, 4 * a, (0.4, 1.0, 1.0, 0.7, 0.0), back=k == 0
        )
        fill = gradient(
            root, end, ramp.base, mix(ramp.base, ramp.shade, 0.35 + 0.2 * a), ramp.shade
        )
        paint(pen, sitter, one, fill, 2)


def tie(pen: Pen, sitter: Sitter, at: Point, size: float = 7.0) -> None:
    colour = accent(sitter)
    pen.fill(oval(*at, size, size * 0.8), colour)
    pen.line(oval(*at, size, size * 0.8), mix(colour, (0.1, 0.05, 0.1), 0.6), sitter.manner.line)


_ACCENTS: tuple[Colour, ...] = (
    (0.86, 0.18, 0.26), (0.95, 0.80, 0.30), (0.25, 0.45, 0.85), (0.96, 0.96, 0.98),
    (0.18, 0.17, 0.24), (0.55, 0.30, 0.65), (0.98, 0.60, 0.72), (0.25, 0.62, 0.55),
)  # fmt: skip


def accent(sitter: Sitter) -> Colour:
    """The colour of ties and ribbons: away from the hair's own."""
    rng = sitter.dice.stream("accent")
    palette = list(_ACCENTS)
    palette.sort(key=lambda c: sum(abs(a - b) for a, b in zip(c, sitter.hair.base, strict=True)))
    return palette[2 + int(rng.integers(len(palette) - 2))]


def twintails(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    (x, _), reach = sitter.head.middle(), sitter.head.reach
    high = rng.uniform(-62, -30)
    out, low = rng.uniform(14, 28), rng.uniform(85, 150)
    for side in (-1, 1):
        root = (x + side * reach * 0.93, high)
        tail(
            pen,
            sitter,
            rng,
            root,
            (x + side * (reach + out), low),
            34,
            side * 20 * (1 if low > 0 else -1),
        )
    skull(pen, sitter)
    for side in (-1, 1):
        tie(pen, sitter, (x + side * reach * 0.97, high))


def ponytail(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    (x, y), reach = sitter.head.middle(), sitter.head.reach
    side = (
        -1
        if sitter.head.turn > 0.2
        else 1
        if sitter.head.turn < -0.2
        else (1 if rng.uniform() < 0.5 else -1)
    )
    root = (x + side * reach * 0.62, y - 58)
    tail(
        pen,
        sitter,
        rng,
        root,
        (x + side * (reach + rng.uniform(6, 20)), rng.uniform(70, 130)),
        46,
        side * 42,
        5,
    )
    skull(pen, sitter)
    tie(pen, sitter, (root[0] + side * 6, root[1] - 2), 8)


def braids(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    skull(pen, sitter, 34)


def plaits(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    """Two braids over the shoulders, leaf by leaf, behind the thin locks that frame the face."""
    head, ramp = sitter.head, sitter.hair
    for side in (-1, 1):
        x0, y0 = side * head.wide * (1.0 - 0.1 * abs(head.turn)), 36.0
        slope = rng.uniform(0.02, 0.18)
        for k in range(9):
            y = y0 + 13 * k
            x = x0 + side * slope * (y - y0)
            for way in (-1, 1):
                a, b = (x + way * 10, y - 3 + 6 * (way > 0)), (x - way * 3, y + 13 + 6 * (way > 0))
                piece = leaf(a, b, -way * 4.5, 6.5)
                pen.fill(
                    piece, gradient(a, b, mix(ramp.base, ramp.light, 0.3), ramp.base, ramp.shade)
                )
                pen.line(piece, ramp.line, sitter.manner.line)
                pen.fill(
                    leaf((a[0] - way * 2, a[1] + 2), b, -way * 3.5, 0.6), strand_ink(ramp), 0.7
                )
    frame(pen, sitter, rng, 38, 1, 9)


def buns(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    (x, y), reach, ramp = sitter.head.middle(), sitter.head.reach, sitter.hair
    size, high = rng.uniform(21, 27), rng.uniform(-72, -58)
    for side in (-1, 1):
        cx, cy = x + side * reach * 0.86, y + high + 10
        disc = oval(cx, cy, size, size * 0.94)
        pen.fill(
            disc,
            gradient(
                (cx - size * -sitter.light, cy - size),
                (cx - sitter.light * size, cy + size),
                mix(ramp.base, ramp.light, 0.4),
                ramp.base,
                ramp.deep,
            ),
        )
        for k in range(3):
            r = size * (0.8 - 0.24 * k)
            curl = [
                (cx + r * math.cos(t + k), cy + r * 0.92 * math.sin(t + k))
                for t in (0, 0.9, 1.8, 2.7, 3.6, 4.5)
            ]
            pen.line(smooth(curl), strand_ink(ramp), 1.3)
        pen.line(disc, ramp.line, sitter.manner.line * 1.1)
    skull(pen, sitter)
