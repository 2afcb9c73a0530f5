"""The hair on the skull: locks that run from the whorl over the dome and end as the fringe.

Each lock follows two longitudes of the turned head, so that partings, highlights and tips all turn
with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from training.corpus.dice import Table
from training.corpus.portrait.colour import mix
from training.corpus.portrait.locks import strand_ink, swelling
from training.corpus.portrait.pen import (
    Path,
    Pen,
    Point,
    between,
    gradient,
    leaf,
    polygon,
    ribbon,
    smooth,
    together,
)
from training.corpus.portrait.sitter import Sitter
from training.corpus.portrait.styles import shows_ears

FRINGE = ("blunt", "jagged", "parted", "swept", "curtain", "crossed")

_FRONT = 64.0  # degrees from the face's middle to where the fringe ends and the sides begin
_CAP: Table = {
    "locks": (9.0, 13.0), "part": (-24.0, 24.0), "low": (-0.05, 0.06), "way": ("left", "right"),
    "shine": ("ring", "ring", "patches", "soft"), "level": (0.44, 0.60), "tall": (0.05, 0.11),

    "tufts": (0.0, 7.0), "strays": (-2.0, 4.0),
}  # fmt: skip


@dataclass(frozen=True)
class Strip:
    """A lock on the dome: its longitudes at the fringe, how far its tip strays from them, v there,
    the share of its width that its end keeps (0: a tip), and how far it stands off the head."""

    left: float
    right: float
    stray: float
    end: float
    blunt: float
    puff: float


def _strips(sitter: Sitter, roll: SimpleNamespace, rng: np.random.Generator) -> list[Strip]:
    """The dome's locks, those at the sides first and the fringe's middle last."""
    kind, n = sitter.labels["fringe"], int(roll.locks)
    ears, loose = (
        shows_ears(sitter),
        6.5 if sitter.labels["style"] in ("spiky", "cropped", "curly") else 3.5,
    )
    edges = np.linspace(-93, 93, n + 1) + np.r_[0, rng.uniform(-60, 60, n - 1) / n, 0]
    way = -1 if roll.way == "left" else 1
    found = []
    for a, b in zip(edges.tolist(), edges[1:].tolist(), strict=False):
        jitter = rng.uniform(-1, 1, 4).tolist()
        stray, end, blunt = _hang(kind, (a + b) / 2, roll.part, way, jitter, ears)
        over = 1.0 + 3.0 * abs(jitter[2])
        end += roll.low
        found.append(Strip(a - over, b + over, stray, end, blunt, loose * (0.6 + jitter[3])))
    middle = roll.part if kind in ("parted", "curtain") else 0.0
    return sorted(found, key=lambda s: -abs((s.left + s.right) / 2 - middle) - 90 * (s.end % 0.1))


def _hang(
    kind: str, lon: float, part: float, way: int, jitter: list[float], ears: bool
) -> tuple[float, float, float]:
    """How far a lock strays, where it ends and how bluntly, by the kind of fringe."""
    u = lon / _FRONT
    if abs(u) > 1:
        return math.copysign(4, lon), (1.12 if ears else 1.46) + 0.06 * jitter[0], 0.0
    if kind == "blunt":
        return 1.5 * jitter[0], 1.19 + 0.012 * jitter[1] + 0.1 * u**4, 0.86
    if kind == "jagged":
        return 8 * jitter[0] + 5 * u, 1.27 + 0.10 * jitter[1] + 0.07 * abs(u), 0.0
    if kind == "crossed":
        long = abs(lon - part * 0.4) < 9
        return (
            (9 * way if long else 20 * u),
            (1.5 if long else 1.2 + 0.07 * jitter[1] + 0.1 * abs(u)),
            0.0,
        )
    if kind == "swept":
        return way * (26 + 8 * jitter[0]), 1.18 + 0.13 * u * way + 0.05 * jitter[1], 0.0
    away = (lon - part) / _FRONT
    side, far = math.copysign(1, away), min(1.0, abs(away))
    if kind == "parted":
        return side * (17 - 8 * far) + 4 * jitter[0], 1.08 + 0.34 * far + 0.06 * jitter[1], 0.0
    return side * (30 - 16 * far), 1.12 + 0.44 * far**0.8 + 0.03 * jitter[1], 0.0


@dataclass(frozen=True)
class Cap:
    """The dome's locks in place: each lock's left and right edge, root to tip, and its path."""

    lefts: list[list[Point]]
    rights: list[list[Point]]
    paths: list[Path]
    roll: SimpleNamespace

    def whole(self) -> Path:
        return together(self.paths)


_STEPS = (0.14, 0.32, 0.5, 0.68, 0.8, 0.91)
_NARROW = (1.0, 1.0, 1.0, 0.98, 0.86, 0.46)  # a lock's width there, on its way to a tip


def comb(sitter: Sitter) -> Cap:
    """Lay the locks on the turned head."""
    roll = sitter.dice.roll("cap", _CAP)
    lefts, rights, paths = [], [], []
    for strip in _strips(sitter, roll, sitter.dice.stream("fringe")):
        left = _edge(sitter, strip, strip.left, roll.part)
        right = _edge(sitter, strip, strip.right, roll.part)
        lefts.append(left)
        rights.append(right)
        paths.append(between(left, right))
    return Cap(lefts, rights, paths, roll)


def _edge(sitter: Sitter, strip: Strip, lon: float, part: float) -> list[Point]:
    """One edge from root to tip. Behind the head's outline it stays on the outline."""
    turned, middle = math.degrees(sitter.head.yaw), (strip.left + strip.right) / 2
    points = []
    for share, narrow in zip((*_STEPS, 1.0), (*_NARROW, 0.0), strict=True):
        wide = narrow + (1 - narrow) * strip.blunt
        sway = max(0.0, (share - 0.35) / 0.65) ** 1.6 * strip.stray
        at = (
            part * (1 - share) ** 2 * 0.6
            + (middle + (lon - middle) * wide) * (1 - 0.25 * (1 - share) ** 2)
            + sway
        )
        seen = max(-93.0, min(93.0, at + turned))
        off = strip.puff * math.sin(math.pi * min(1.0, share * 1.15))
        points.append(sitter.head.dome(math.radians(seen - turned), share * strip.end, off))
    return points


def paint(pen: Pen, sitter: Sitter, cap: Cap) -> None:
    """The cap in full: its outline, then each lock filled, shaded and parted by a swelling line."""
    ramp, width = sitter.hair, sitter.manner.line
    (mx, my), reach = sitter.head.middle(), sitter.head.reach
    fill = gradient(
        (mx + sitter.light * reach * 0.5, my - 70), (mx - sitter.light * reach * 0.6, my + 40),
        mix(ramp.base, ramp.light, 0.3 * sitter.manner.soft), ramp.base,
        mix(ramp.base, ramp.shade, 0.5),
    )  # fmt: skip
    rng = sitter.dice.stream("strands")
    _tufts(pen, sitter, cap)
    pen.line(cap.whole(), ramp.line, width * 2.2)
    for left, right, path in zip(cap.lefts, cap.rights, cap.paths, strict=True):
        pen.fill(path, fill)
        _strands(pen, sitter, left, right, rng.uniform(0, 1, 4).tolist())
        pen.fill(together(swelling(e[1:], width * 1.15) for e in (left, right)), ramp.line)
        if math.dist(left[-1], right[-1]) > 1:
            pen.line(smooth([left[-1], right[-1]]), ramp.line, width)
    _shine(pen, sitter, cap, rng)
    _strays(pen, sitter, cap)


def _strands(
    pen: Pen, sitter: Sitter, left: list[Point], right: list[Point], chance: list[float]
) -> None:
    """A lock's shadow side and two thin strands."""
    ramp, (a, b, c, d) = sitter.hair, chance
    dark, lit = (left, right) if sitter.light > 0 else (right, left)
    middle = [_to(p, q, 0.35 + 0.2 * a) for p, q in zip(dark, lit, strict=True)]
    span = math.dist(left[3], right[3]) * (0.35 + 0.3 * b)
    pen.fill(ribbon(middle[1:], [span * k for k in (0, 0.3, 0.6, 0.8, 0.6, 0.0)]), ramp.shade, 0.85)
    ways = [
        [_to(p, q, t) for p, q in zip(left[1:], right[1:], strict=True)]
        for t in (0.3 + 0.15 * c, 0.75 * d + 0.1)
    ]
    thin = together(ribbon(way, [0.2, 0.6, 0.9, 1.0, 0.6, 0.0]) for way in ways)
    pen.fill(thin, strand_ink(ramp), 0.38)


def _shine(pen: Pen, sitter: Sitter, cap: Cap, rng: np.random.Generator) -> None:
    """The band of light around the dome, broken lock by lock along the strands."""
    roll = cap.roll
    lenses = []
    for left, right in zip(cap.lefts, cap.rights, strict=True):
        a, b, c, d, e = rng.uniform(0, 1, 5).tolist()
        if roll.shine == "patches" and a < 0.5:
            continue
        level = roll.level * (1 + 0.12 * (b - 0.5))
        tall = roll.tall * (0.6 + 0.9 * c) * (1.7 if roll.shine == "patches" else 1.0)
        for t0, t1, k in ((0.08, 0.46, 0.7 + 0.6 * d), (0.44, 0.92, 0.7 + 0.6 * e)):
            middle = (t0 + t1) / 2
            shape = [
                (t0, -0.3 * k), (middle, -k), (t1, -0.2), (t1 * 0.97, 0.4 * k),
                (middle + 0.05, 1.25 * k), (t0 + 0.02, 0.3),
            ]  # fmt: skip
            lens = [_spot(left, right, across, level + tall * up) for across, up in shape]
            lenses.append(polygon(lens))
    pen.fill(together(lenses), sitter.hair.light, 0.55 if roll.shine == "soft" else 0.88)


def _spot(left: list[Point], right: list[Point], across: float, along: float) -> Point:
    """A place on a lock: 0 to 1 from edge to edge, and the share of its way to the tip."""
    steps = (*_STEPS, 1.0)
    i = next((k for k in range(len(steps) - 2) if along < steps[k + 1]), len(steps) - 2)
    t = (along - steps[i]) / (steps[i + 1] - steps[i])
    return _to(_to(left[i], left[i + 1], t), _to(right[i], right[i + 1], t), across)


def _tufts(pen: Pen, sitter: Sitter, cap: Cap) -> None:
    """Ends that stand off the dome, behind it."""
    (mx, my), rx, ry = sitter.head.middle(), sitter.head.reach, sitter.head.rise
    rng = sitter.dice.stream("tufts")
    for _ in range(int(cap.roll.tufts)):
        angle, side = rng.uniform(-172, -8), 1 if rng.uniform() < 0.5 else -1
        a, b = math.radians(angle), math.radians(angle + side * rng.uniform(9, 20))
        out, wide = rng.uniform(3, 11), rng.uniform(1.0, 4.5)
        root = mx + 0.94 * rx * math.cos(a), my + 0.94 * ry * math.sin(a)
        tip = mx + (rx + out) * math.cos(b), my + (ry + out) * math.sin(b)
        one = leaf(root, tip, -side * 2.0, wide)
        pen.fill(one, sitter.hair.base)
        pen.line(one, sitter.hair.line, sitter.manner.line)


def _strays(pen: Pen, sitter: Sitter, cap: Cap) -> None:
    """Single thin locks that fall across the forehead and the eyes."""
    rng, ramp = sitter.dice.stream("strays"), sitter.hair
    for _ in range(int(cap.roll.strays)):
        lon, sway, low = rng.uniform(-48, 48), rng.uniform(-16, 16), rng.uniform(1.15, 1.5)
        way = [
            sitter.head.dome(math.radians(lon + sway * (v - 0.6) ** 2 * 2), v, 1.0)
            for v in (0.6, 0.85, 0.5 + low / 2, low)
        ]
        one = ribbon(way, [0.0, 2.6, 2.2, 0.0])
        pen.line(one, ramp.line, sitter.manner.line * 1.2)
        pen.fill(one, ramp.base)


def _to(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t
