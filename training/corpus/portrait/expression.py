"""What the face does: one row an expression, and the brows and mouth that follow it."""

from __future__ import annotations

from dataclasses import dataclass

from training.corpus.dice import Table
from training.corpus.portrait.colour import BLACK, WHITE, Colour, from_hex, mix, tone
from training.corpus.portrait.pen import Pen, Point, ribbon, smooth
from training.corpus.portrait.sitter import Sitter


@dataclass(frozen=True)
class Expression:
    """lids: how open the eyes are, 1 at rest. droop: the outer corner's fall (negative: the inner
    corner's, in anger). iris: its size. raised, slant, arch: the brows', in units; slant lifts the
    inner end. mouths: those it may have."""

    lids: float
    droop: float
    iris: float
    raised: float
    slant: float
    arch: float
    mouths: tuple[str, ...]


EXPRESSION = {
    "neutral": Expression(1.0, 0.0, 1.0, 0.0, 0.0, 2.5, ("flat", "small", "lips")),
    "smile": Expression(0.96, 0.5, 1.0, 1.0, 0.5, 4.0, ("curve", "cat", "grin")),
    "laugh": Expression(0.86, 1.0, 1.0, 3.0, 0.5, 5.0, ("open", "wide", "fang")),
    "sad": Expression(0.76, 5.5, 1.0, 1.0, 8.0, 0.5, ("frown", "wobble")),
    "angry": Expression(0.80, -5.0, 0.9, -4.0, -9.0, 0.0, ("snarl", "frown", "shout")),
    "surprised": Expression(1.20, 0.0, 0.74, 8.0, 2.0, 6.0, ("round", "gasp")),
    "wink": Expression(0.98, 0.5, 1.0, 1.5, 0.0, 4.0, ("curve", "open", "tongue")),
    "closed": Expression(0.0, 0.0, 1.0, 1.0, 1.5, 3.0, ("flat", "curve", "lips")),
}

_MOUTH: Table = {
    "width": (0.85, 1.2),
    "height": (0.85, 1.2),
    "lip": (0.0, 1.0),
    "kind": (0.0, 1.0),
    "up": (-2.0, 2.0),
}
_BROW: Table = {
    "thick": (1.6, 3.2),
    "ink": (0.3, 0.75),
    "long": (0.9, 1.12),
    "high": (-2.0, 3.0),
    "uneven": (-1.2, 1.2),
}

_RED, _TONGUE = from_hex("8c2a35"), from_hex("e9747c")


def brows(pen: Pen, sitter: Sitter, alpha: float = 1.0) -> None:
    """The brows. Drawn again, faintly, over the fringe: the genre lets them be seen through it."""
    e, roll = EXPRESSION[sitter.labels["expression"]], sitter.dice.roll("brow", _BROW)
    masculine = sitter.is_a(gender="masculine")
    thick = roll.thick * (1.65 if masculine else 1.0)
    colour = mix(sitter.hair.deep, sitter.hair.line, roll.ink)
    if sitter.is_a(hair="white") or sitter.is_a(hair="blonde"):
        colour = mix(colour, sitter.skin.line, 0.4)
    y = 6 - 10 - sitter.eye_h * 0.6 - 7 - roll.high + (4 if masculine else 0)
    for side in (-1, 1):
        rise = e.raised + side * roll.uneven * (2.0 if sitter.is_a(expression="wink") else 1.0)
        inner, outer = sitter.apart - 13.5, sitter.apart + 15.5 * roll.long
        points = [
            (side * inner, y - rise - e.slant),
            (side * (inner * 0.62 + outer * 0.38), y - rise - e.slant * 0.35 - e.arch),
            (side * (inner * 0.28 + outer * 0.72), y - rise + e.slant * 0.3 - e.arch),
            (side * outer, y - rise + e.slant * 0.6 + 2),
        ]
        widths = [thick * 0.75, thick * 1.15, thick * 0.9, 0.3]
        pen.fill(ribbon(sitter.head.all(points), widths), colour, alpha)


def mouth(pen: Pen, sitter: Sitter) -> None:
    e, roll = EXPRESSION[sitter.labels["expression"]], sitter.dice.roll("mouth", _MOUTH)
    kind = e.mouths[min(len(e.mouths) - 1, int(roll.kind * len(e.mouths)))]
    y = sitter.head.chin * 0.735 + roll.up
    w, h = 9.5 * roll.width, 9.0 * roll.height
    if sitter.is_a(gender="masculine"):
        w *= 1.15
    if kind in _OPEN:
        _open(pen, sitter, y, w, h, *_OPEN[kind], fang=kind == "fang")
        return
    lips = roll.lip if sitter.is_a(gender="feminine") and not sitter.is_a(age="young") else 0.0
    points = [(x * w, y + d * h) for x, d in _LINES[kind]]
    if kind == "lips" or lips > 0.55:
        _lips(pen, sitter, y, w * 0.85)
    if kind == "tongue":
        tip = [(1, y + 1), (5.5, y + 1), (5, y + 6.5), (2, y + 6)]
        path = smooth(sitter.head.all(tip), closed=True)
        pen.fill(path, _TONGUE)
        pen.line(path, _ink(sitter), 0.9)
    last = len(points) - 1
    widths = [0.5 if i in (0, last) else 2.1 for i in range(last + 1)]
    pen.fill(ribbon(sitter.head.all(points, 3), widths), _ink(sitter))
    if kind in ("flat", "small", "frown", "wobble", "lips"):
        below = [(-0.3 * w, y + 6.5), (0.3 * w, y + 6.5)]
        pen.line(smooth(sitter.head.all(below, 3)), sitter.skin.deep, 1.2, 0.8)


# Of a closed mouth's line: x in half widths, drop in heights, from left to right.
_LINES: dict[str, tuple[Point, ...]] = {
    "flat": ((-0.75, 0.02), (0, 0.06), (0.75, 0.0)),
    "small": ((-0.45, 0.0), (0, 0.05), (0.45, 0.0)),
    "lips": ((-0.8, 0.0), (-0.3, 0.06), (0, 0.14), (0.3, 0.06), (0.8, 0.0)),
    "curve": ((-1.05, -0.22), (-0.5, 0.13), (0, 0.24), (0.5, 0.13), (1.05, -0.22)),
    "cat": ((-0.95, -0.15), (-0.5, 0.22), (0, -0.06), (0.5, 0.22), (0.95, -0.15)),
    "tongue": ((-1.0, -0.18), (-0.4, 0.16), (0, 0.22), (0.5, 0.12), (1.0, -0.22)),
    "frown": ((-0.85, 0.34), (-0.4, 0.05), (0, -0.04), (0.4, 0.05), (0.85, 0.34)),
    "wobble": ((-0.85, 0.25), (-0.5, 0.0), (-0.15, 0.12), (0.2, -0.02), (0.55, 0.1), (0.85, 0.3)),
}
# Of an open mouth: half width, top's drop, bottom's drop, how much wider its top is; teeth.
_OPEN: dict[str, tuple[float, float, float, float, bool]] = {
    "open": (1.0, -0.25, 0.95, 0.5, True),
    "wide": (1.3, -0.35, 1.25, 0.6, True),
    "fang": (1.15, -0.3, 1.0, 0.55, False),
    "grin": (1.2, -0.2, 0.5, 0.45, True),
    "round": (0.48, -0.35, 0.75, 0.0, False),
    "gasp": (0.68, -0.4, 1.15, -0.15, False),
    "snarl": (1.0, -0.3, 0.42, -0.25, True),
    "shout": (1.05, -0.45, 1.05, -0.2, True),
}


def _open(
    pen: Pen, sitter: Sitter, y: float, w: float, h: float,
    wide: float, top: float, bottom: float, flare: float, teeth: bool, fang: bool,
) -> None:  # fmt: skip
    half = w * wide
    corner = y + h * (top - 0.12 if flare > 0.3 else (top + bottom) / 2)
    upper, lower = y + h * top, y + h * bottom
    low = half * (1 - flare)
    ring: list[Point] = [
        (-half, corner), (-half * 0.45, upper + (1.6 if flare > 0.3 else -0.4)),
        (0, upper + (2.0 if flare > 0.3 else -0.6)),
        (half * 0.45, upper + (1.6 if flare > 0.3 else -0.4)), (half, corner),
        (low * 0.85, lower - h * 0.16), (0, lower), (-low * 0.85, lower - h * 0.16),
    ]  # fmt: skip
    placed = sitter.head.all(ring, 2)
    path = smooth(placed, closed=True)
    inside: Colour = mix(_RED, sitter.skin.deep, 0.25)
    pen.fill(path, inside)
    with pen.inside(path):
        x, mid = sitter.head.at(0, lower, 2)
        rise = mid - h * 0.42 * (bottom - top)
        tongue = [(x - low * 0.8, mid + 2), (x - low * 0.5, rise), (x + low * 0.5, rise)]
        tongue.append((x + low * 0.8, mid + 2))
        pen.fill(smooth(tongue, closed=True), _TONGUE)
        if teeth:
            edge = upper + h * 0.3
            row = [
                (-half, upper - 6),
                (half, upper - 6),
                (half * 0.85, edge),
                (0, edge + 0.8),
                (-half * 0.85, edge),
            ]
            pen.fill(smooth(sitter.head.all(row, 2), closed=True), WHITE)
        if fang:
            x, top_y = sitter.head.at(half * 0.45, upper, 2)
            pen.fill(ribbon([(x, top_y - 1), (x, top_y + 6)], [5.0, 0.0]), WHITE)
    pen.line(path, _ink(sitter), 1.5)


def _lips(pen: Pen, sitter: Sitter, y: float, w: float) -> None:
    red = mix(tone(sitter.skin.base, 0.8, 1.2), from_hex("c03a48"), 0.45)
    ring = [
        (-w, y), (-w * 0.35, y - 3.2), (0, y - 2.2), (w * 0.35, y - 3.2), (w, y),
        (w * 0.4, y + 4.2), (-w * 0.4, y + 4.2),
    ]  # fmt: skip
    pen.fill(smooth(sitter.head.all(ring, 3), closed=True), red, 0.75)
    shine = sitter.head.at(sitter.light * w * 0.25, y + 2.4, 3)
    pen.fill(ribbon([(shine[0] - 2, shine[1]), (shine[0] + 2, shine[1])], [1.2, 1.2]), WHITE, 0.5)


def _ink(sitter: Sitter) -> Colour:
    return mix(sitter.skin.line, BLACK, 0.45)
