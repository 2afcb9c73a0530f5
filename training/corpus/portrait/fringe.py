"""The hair on the skull: locks that run from the whorl over the dome and end as the fringe.

Each lock follows two longitudes of the turned head, so that partings, highlights and tips all turn
with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import skia

from training.corpus.dice import Table
from training.corpus.portrait.colour import mix
from training.corpus.portrait.locks import ragged, strand_ink
from training.corpus.portrait.pen import Pen, Point, gradient, leaf, polygon, ribbon, smooth
from training.corpus.portrait.sitter import Sitter

FRINGE = ("blunt", "jagged", "parted", "swept", "curtain", "crossed", "bare")

_FRONT = 64.0  # degrees from the face's middle to where the fringe ends and the sides begin
_CAP: Table = {
    "locks": (9.0, 14.0), "part": (-24.0, 24.0), "low": (-0.05, 0.06), "way": ("left", "right"),
    "shine": ("ring", "ring", "patches", "soft"), "level": (0.44, 0.60), "tall": (0.05, 0.11), "fade": (-1.0, 1.0),
    "flyaway": (0.0, 6.0),
}  # fmt: skip


@dataclass(frozen=True)
class Strip:
    """A lock on the dome: its longitudes at the fringe, how far its tip strays from them, v there,
    and the share of its width that its end keeps (0: a tip)."""

    left: float
    right: float
    stray: float
    end: float
    blunt: float


def strips(sitter: Sitter, roll: SimpleNamespace, rng: np.random.Generator) -> list[Strip]:
    """The dome's locks, those at the sides first and the fringe's middle last."""
    kind, n = sitter.labels["fringe"], int(roll.locks)
    if kind == "bare":
        n += 4
    edges = np.linspace(-92, 92, n + 1) + np.r_[0, rng.uniform(-4, 4, n - 1), 0]
    way = -1 if roll.way == "left" else 1
    found = []
    for a, b in zip(edges, edges[1:], strict=False):
        jitter = rng.uniform(-1, 1, 3).tolist()
        stray, end, blunt = _hang(kind, (a + b) / 2, roll.part, way, jitter)
        over = 0.8 + 2.6 * abs(jitter[2])
        found.append(Strip(float(a - over), float(b + over), stray, end + roll.low, blunt))
    middle = roll.part if kind in ("parted", "curtain") else 0.0
    return sorted(found, key=lambda s: -abs((s.left + s.right) / 2 - middle) - 12 * (s.end % 0.07))


def _hang(
    kind: str, lon: float, part: float, way: int, jitter: list[float]
) -> tuple[float, float, float]:
    """How far a lock strays, where it ends and how bluntly, by the kind of fringe."""
    u = lon / _FRONT
    if kind == "bare":
        return -lon * 0.12, (0.80 + 0.12 * u * u if abs(u) < 1 else 1.0), 0.8
    if abs(u) > 1:
        return math.copysign(3, lon), 1.42 + 0.06 * jitter[0], 0.1
    if kind == "blunt":
        return 1.5 * jitter[0], 1.19 + 0.012 * jitter[1] + 0.1 * u**4, 0.80
    if kind == "jagged":
        return 7 * jitter[0] + 4 * u, 1.24 + 0.09 * jitter[1] + 0.06 * abs(u), 0.0
    if kind == "crossed":
        long = abs(lon - part * 0.4) < 10
        return (7 * way if long else 16 * u), (1.46 if long else 1.17 + 0.06 * jitter[1] + 0.1 * abs(u)), 0.0
    if kind == "swept":
        return way * (30 + 8 * jitter[0]), 1.16 + 0.15 * u * way + 0.04 * jitter[1], 0.0
    away = (lon - part) / _FRONT
    side = math.copysign(1, away)
    if kind == "parted":
        return side * (17 - 8 * abs(away)) + 3 * jitter[0], 1.06 + 0.34 * min(1, abs(away)) + 0.05 * jitter[1], 0.0
    return side * (30 - 16 * abs(away)), 1.12 + 0.42 * min(1, abs(away)) ** 0.8 + 0.03 * jitter[1], 0.0


@dataclass(frozen=True)
class Cap:
    """The dome's locks in place: each lock's left and right edge, root to tip, and its path."""

    lefts: list[list[Point]]
    rights: list[list[Point]]
    paths: list[skia.Path]
    roll: SimpleNamespace

    def whole(self) -> skia.Path:
        union = skia.Path()
        for path in self.paths:
            union.addPath(path)
        return union


_STEPS = (0.14, 0.3, 0.46, 0.62, 0.78, 0.9)


def comb(sitter: Sitter) -> Cap:
    """Lay the locks on the turned head."""
    roll = sitter.dice.roll("cap", _CAP)
    lefts, rights, paths = [], [], []
    for strip in strips(sitter, roll, sitter.dice.stream("fringe")):
        left = _edge(sitter, strip, strip.left, roll.part)
        right = _edge(sitter, strip, strip.right, roll.part)
        middle = (strip.left + strip.right) / 2
        tips = [_tip(sitter, strip, middle + (edge - middle) * strip.blunt) for edge in (strip.left, strip.right)]
        left.append(tips[0])
        right.append(tips[1])
        lefts.append(left)
        rights.append(right)
        paths.append(_closed(left, right))
    return Cap(lefts, rights, paths, roll)


def _closed(left: list[Point], right: list[Point]) -> skia.Path:
    path = smooth(left)
    back = smooth(right[::-1])
    path.lineTo(*right[-1])
    path.addPath(back, skia.Path.kExtend_AddPathMode)
    path.close()
    return path


def _edge(sitter: Sitter, strip: Strip, lon: float, part: float) -> list[Point]:
    turned = math.degrees(sitter.head.yaw)
    points = []
    for share in _STEPS:
        v = share * strip.end
        sway = max(0.0, (share - 0.35) / 0.65) ** 1.6 * strip.stray
        at = part * (1 - share) ** 2 * 0.6 + lon * (1 - 0.25 * (1 - share) ** 2) + sway
        seen = max(-94.0, min(94.0, at + turned))
        points.append(sitter.head.dome(math.radians(seen - turned), v))
    return points


def _tip(sitter: Sitter, strip: Strip, lon: float) -> Point:
    turned = math.degrees(sitter.head.yaw)
    seen = max(-90.0, min(90.0, lon + strip.stray + turned))
    return sitter.head.dome(math.radians(seen - turned), strip.end)


def paint(pen: Pen, sitter: Sitter, cap: Cap) -> None:
    """The cap in full: each lock filled, shaded and parted by a swelling line; then the light."""
    ramp, width = sitter.hair, sitter.manner.line
    mx, my = sitter.head.middle()
    reach = sitter.head.wide + sitter.head.hair
    fill = gradient(
        (mx + sitter.light * reach * 0.5, my - 70), (mx - sitter.light * reach * 0.6, my + 40),
        mix(ramp.base, ramp.light, 0.3 * sitter.manner.soft), ramp.base, mix(ramp.base, ramp.shade, 0.5),
    )  # fmt: skip
    rng = sitter.dice.stream("strands")
    for left, right, path in zip(cap.lefts, cap.rights, cap.paths, strict=True):
        pen.fill(path, fill)
        dark, lit = (left, right) if sitter.light > 0 else (right, left)
        a, b, c, d = rng.uniform(0, 1, 4).tolist()
        shade = [_to(p, q, 0.35 + 0.2 * a) for p, q in zip(dark, lit, strict=True)]
        span = math.dist(left[3], right[3])
        with pen.inside(path):
            pen.fill(ribbon(shade[1:], [span * k * (0.35 + 0.3 * b) for k in (0, 0.3, 0.6, 0.8, 0.9, 0.7)]), ramp.shade, 0.85)
            for t in (0.3 + 0.15 * c, 0.75 * d + 0.1):
                way = [_to(p, q, t) for p, q in zip(left, right, strict=True)]
                pen.fill(ribbon(way, [0.2, 0.5, 0.8, 1.1, 1.2, 0.8, 0.2]), strand_ink(ramp), 0.5)
        ragged(pen, left[1:], ramp.line, width * 1.15)
        ragged(pen, right[1:], ramp.line, width * 1.15)
        if math.dist(left[-1], right[-1]) > 1:
            pen.line(smooth([left[-1], right[-1]]), ramp.line, width)
    _shine(pen, sitter, cap, rng)
    _rim(pen, sitter, cap)


def _shine(pen: Pen, sitter: Sitter, cap: Cap, rng: np.random.Generator) -> None:
    """The band of light around the dome, broken lock by lock along the strands."""
    roll = cap.roll
    alpha = 0.55 if roll.shine == "soft" else 0.88
    for left, right in zip(cap.lefts, cap.rights, strict=True):
        a, b, c, d, e = rng.uniform(0, 1, 5).tolist()
        if roll.shine == "patches" and a < 0.5:
            continue
        level = roll.level * (1 + 0.12 * (b - 0.5))
        tall = roll.tall * (0.6 + 0.9 * c) * (1.7 if roll.shine == "patches" else 1.0)
        for t0, t1, k in ((0.08, 0.46, 0.7 + 0.6 * d), (0.44, 0.92, 0.7 + 0.6 * e)):
            lens = [
                _spot(left, right, t0, level - tall * 0.3 * k), _spot(left, right, (t0 + t1) / 2, level - tall * k),
                _spot(left, right, t1, level - tall * 0.2), _spot(left, right, t1 * 0.97, level + tall * 0.4 * k),
                _spot(left, right, (t0 + t1) / 2 + 0.05, level + tall * 1.25 * k), _spot(left, right, t0 + 0.02, level + tall * 0.3),
            ]  # fmt: skip
            pen.fill(polygon(lens), sitter.hair.light, alpha)


def _spot(left: list[Point], right: list[Point], across: float, along: float) -> Point:
    """A place on a lock: 0 to 1 from edge to edge, and the share of its way to the tip."""
    steps = (*_STEPS, 1.0)
    i = next((k for k in range(len(steps) - 2) if along < steps[k + 1]), len(steps) - 2)
    t = (along - steps[i]) / (steps[i + 1] - steps[i])
    return _to(_to(left[i], left[i + 1], t), _to(right[i], right[i + 1], t), across)


def _rim(pen: Pen, sitter: Sitter, cap: Cap) -> None:
    """The skull's outline above the ears, and hairs that stand off it."""
    head, ramp = sitter.head, sitter.hair
    (mx, my), rx, ry = head.middle(), head.wide + head.hair, 64 + head.hair
    arc = [
        (mx + rx * math.cos(math.radians(a)), my + ry * math.sin(math.radians(a)))
        for a in range(-186, 7, 12)
    ]
    pen.line(smooth(arc), ramp.line, sitter.manner.line * 1.1)
    rng = sitter.dice.stream("flyaway")
    for _ in range(int(cap.roll.flyaway)):
        angle, side = rng.uniform(-170, -10), 1 if rng.uniform() < 0.5 else -1
        turn = angle + side * rng.uniform(9, 16)
        out = rng.uniform(3, 7)
        a = mx + (rx - 1) * math.cos(math.radians(angle)), my + (ry - 1) * math.sin(math.radians(angle))
        b = mx + (rx + out) * math.cos(math.radians(turn)), my + (ry + out) * math.sin(math.radians(turn))
        pen.fill(leaf(a, b, -side * 1.5, 1.0), ramp.line)


def _to(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t
