"""Hair that hangs: the back of the head, a curtain behind the neck, locks beside the face."""

from __future__ import annotations

import math

import numpy as np

from training.corpus.portrait.colour import mix
from training.corpus.portrait.locks import lock, paint
from training.corpus.portrait.pen import Pen, gradient, smooth
from training.corpus.portrait.sitter import Sitter


def skull(pen: Pen, sitter: Sitter, low: float = 26.0) -> None:
    """The back of the head down to the nape."""
    (x, y), head = sitter.head.middle(), sitter.head
    rx, ry = head.reach, head.rise
    shape = [
        (x - rx, y), (x - rx * 0.72, y - ry * 0.72), (x, y - ry), (x + rx * 0.72, y - ry * 0.72),
        (x + rx, y), (x + rx * 0.9, low), (x, low + 14), (x - rx * 0.9, low),
    ]  # fmt: skip
    path = smooth(shape, closed=True)
    pen.fill(path, gradient((0, y - 20), (0, low + 10), sitter.hair.shade, sitter.hair.deep))
    pen.line(path, sitter.hair.line, sitter.manner.line)


def curtain(
    pen: Pen, sitter: Sitter, rng: np.random.Generator, low: float, spread: float,
    n: int = 9, wave: float = 0.0, flip: float = 0.0, blunt: bool = False,
) -> None:  # fmt: skip
    """Hair hanging behind the neck to `low`, overlapping from the middle outwards."""
    (x, y), reach, ramp = sitter.head.middle(), sitter.head.reach, sitter.hair
    skull(pen, sitter, min(low, 60.0) - 20)
    order = sorted(np.linspace(-1, 1, n).tolist(), key=abs)
    for u in order:
        a, b, c = rng.uniform(-1, 1, 3).tolist()
        root = (x + reach * 0.86 * u, y + 4 - 12 * (1 - u * u))
        tip = (x + reach * spread * u + 5 * a, low + 7 * b - 6 * abs(u))
        bow = -flip * u * 12 + 3 * c - 7 * u
        inner = abs(u) < 0.6
        base = ramp.shade if inner else ramp.base
        fill = gradient(
            (0, y),
            (0, min(low, 110)),
            mix(base, ramp.shade, 0.4),
            base,
            mix(ramp.shade, ramp.deep, 0.6 if inner else 0.1),
        )
        width = reach * (0.46 if not wave else 0.52) * (1 + 0.15 * b)
        one = lock(
            root,
            tip,
            width,
            bow,
            wave * (1 + 0.3 * a) * (1 if u > 0 else -1),
            (0.3, 0.8, 1.0, 1.0, 0.6) if blunt else (0.3, 0.85, 1.0, 0.8, 0.0),
            inner,
        )
        paint(pen, sitter, one, fill, 3)


def frame(
    pen: Pen, sitter: Sitter, rng: np.random.Generator, low: float, n: int = 2,
    width: float = 13.0, inward: float = 0.0, wave: float = 0.0, blunt: bool = False,
    out: float = 0.0,
) -> None:  # fmt: skip
    """Locks in front of the ears, from under the cap along the face down to about `low`."""
    low += rng.uniform(-12, 12)
    head, ramp = sitter.head, sitter.hair
    for side in (-1, 1):
        far = head.turn * side > 0.4
        for k in range(n - 1, -1, -1):
            a, b, c = rng.uniform(-1, 1, 3).tolist()
            lon = math.radians(side * min(70 + 13 * k, 86 - side * math.degrees(head.yaw)))
            root = head.dome(lon, 0.62)
            edge = head.wide * (0.97 - abs(head.turn) * (0.11 if far else 0.04))
            tip = (
                side * (edge + 3 + 6 * k + out - inward) + 2.5 * a + head.turn * 2,
                low - 9 * k + 6 * b,
            )
            fill = gradient(
                root,
                tip,
                ramp.base,
                mix(ramp.base, ramp.light, 0.25 * sitter.manner.soft),
                ramp.shade,
            )
            bow = side * (4 + inward * 0.8) * (1 if wave == 0 else 0.6)
            one = lock(
                root,
                tip,
                width * (1 + 0.2 * b) * (0.8 if far else 1.0),
                bow,
                wave * side * (1 + 0.3 * c),
                (0.1, 0.8, 1.0, 1.0, 0.6) if blunt else (0.1, 0.85, 1.0, 0.72, 0.0),
                turns=1.0 if low < 80 else 1.6,
            )
            paint(pen, sitter, one, fill, 2)
