"""Locks of hair: a bowed, tapering shape with its own shadow side, strands and line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from training.corpus.portrait.colour import Colour, mix
from training.corpus.portrait.pen import Fill, Path, Pen, Point, ribbon, sides, together
from training.corpus.portrait.sitter import Ramp, Sitter

TAPER = (0.75, 1.0, 0.96, 0.72, 0.0)  # of a lock's width along its way, ending in a tip


@dataclass(frozen=True)
class Lock:
    """A lock's spine from root to tip with its width at each point. back: it lies in shadow."""

    spine: list[Point]
    widths: list[float]
    back: bool = False

    def path(self) -> Path:
        return ribbon(self.spine, self.widths)


def lock(
    root: Point, tip: Point, width: float, bow: float = 0.0, wave: float = 0.0,
    taper: Sequence[float] = TAPER, back: bool = False, turns: float = 1.0,
) -> Lock:  # fmt: skip
    """A lock from root to tip, bowed to its left by `bow` at the middle, waving by `wave`."""
    dx, dy = tip[0] - root[0], tip[1] - root[1]
    length = math.hypot(dx, dy) or 1.0
    nx, ny = dy / length, -dx / length
    steps = len(taper) if not wave else 2 * len(taper) - 1
    spine = []
    for i in range(steps):
        t = i / (steps - 1)
        off = bow * 4 * t * (1 - t) + wave * t * math.sin(2 * math.pi * turns * t)
        spine.append((root[0] + dx * t + nx * off, root[1] + dy * t + ny * off))
    widths = [width * _along(taper, i / (steps - 1)) for i in range(steps)]
    return Lock(spine, widths, back)


def paint(pen: Pen, sitter: Sitter, one: Lock, fill: Fill, strands: int = 2) -> None:
    """A lock with its outline, the side turned from the light in shadow, and a few strands."""
    ramp, width = sitter.hair, sitter.manner.line
    path = one.path()
    pen.fill(path, fill)
    left, right = sides(one.spine, one.widths)
    dark, lit = (right, left) if sitter.light * _heading(one) > 0 else (left, right)
    middle = [_to(a, b, 0.62) for a, b in zip(lit, dark, strict=True)]
    shade = ribbon(
        middle, [w * 0.42 * k for w, k in zip(one.widths, _swell(len(middle)), strict=True)]
    )
    pen.fill(shade, ramp.deep if one.back else ramp.shade, 0.9)
    thin, widths = [], [1.2 * k for k in _swell(len(middle))]
    for s in range(strands):
        t = (s + 1) / (strands + 1) + 0.1 * (-1) ** s
        thin.append(ribbon([_to(a, b, t) for a, b in zip(lit, dark, strict=True)], widths))
    pen.fill(together(thin), strand_ink(ramp, one.back), 0.5)
    pen.line(path, ramp.line, width)


def strand_ink(ramp: Ramp, back: bool = False) -> Colour:
    return mix(ramp.deep, ramp.line, 0.55 if back else 0.4)


def swelling(points: list[Point], width: float) -> Path:
    """A line that begins as nothing and swells towards its end: how an inked lock is parted."""
    last = len(points) - 1
    return ribbon(points, [width * (i / last) ** 0.7 for i in range(last + 1)])


def _heading(one: Lock) -> int:
    """1 where the lock hangs, so that its left side is the viewer's right; -1 where it stands."""
    return 1 if one.spine[-1][1] > one.spine[0][1] else -1


def _along(values: Sequence[float], t: float) -> float:
    at = t * (len(values) - 1)
    i = min(len(values) - 2, int(at))
    return values[i] + (values[i + 1] - values[i]) * (at - i)


def _swell(n: int) -> list[float]:
    return [
        math.sin(math.pi * min(1.0, (i + 0.15) / (n - 1))) ** 0.6 if i < n - 1 else 0.0
        for i in range(n)
    ]


def _to(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t
