"""The eyes: white, a graded iris with its lights, heavy upper lids and lashes, or a closed arc."""

from __future__ import annotations

from types import SimpleNamespace

from training.corpus.dice import Table
from training.corpus.portrait.colour import BLACK, WHITE, Colour, mix, tone
from training.corpus.portrait.expression import EXPRESSION, Expression
from training.corpus.portrait.pen import (
    MULTIPLY,
    SCREEN,
    Pen,
    Point,
    glow,
    gradient,
    leaf,
    oval,
    polygon,
    ribbon,
    smooth,
)
from training.corpus.portrait.sitter import Sitter

Y = 6.0  # of the eyes' middle in the face's chart

_EYE: Table = {
    "lash": ("wing", "spikes", "heavy", "fine"), "lid": (3.6, 5.6), "peak": (-0.25, 0.25),
    "square": (0.45, 0.75), "iris": (0.70, 0.84), "pupil": ("round", "round", "slit", "ring"),
    "gaze_x": (-2.6, 2.6), "gaze_y": (-1.2, 1.6), "shine": ("large", "twin", "bar", "star"),
    "lower": (0.0, 1.0), "depth": (0.3, 0.5),
    "wink": ("left", "right"), "shut": (0.0, 1.0), "tears": (0.0, 1.0),
}  # fmt: skip


def eyes(pen: Pen, sitter: Sitter) -> None:
    e, roll = EXPRESSION[sitter.labels["expression"]], sitter.dice.roll("eye", _EYE)
    winks = sitter.is_a(expression="wink") and roll.shut > 0.4
    merry = winks or sitter.is_a(expression="laugh")
    for side in (-1, 1):
        if _shut(sitter, roll, side):
            _closed(pen, sitter, roll, side, merry)
        else:
            _open(pen, sitter, e, roll, side)


def _shut(sitter: Sitter, roll: SimpleNamespace, side: int) -> bool:
    if sitter.is_a(expression="closed"):
        return True
    if sitter.is_a(expression="wink"):
        return side == (-1 if roll.wink == "left" else 1)
    return bool(sitter.is_a(expression="laugh") and roll.shut > 0.65)


def _ink(sitter: Sitter) -> Colour:
    return mix(sitter.hair.line, BLACK, 0.62)


def _place(sitter: Sitter, side: int, points: list[Point], out: float = 1.0) -> list[Point]:
    """From the eye's own frame, x outwards from its middle, to the picture."""
    return [sitter.head.at(side * (sitter.apart + x), Y + y, out) for x, y in points]


def _closed(pen: Pen, sitter: Sitter, roll: SimpleNamespace, side: int, merry: bool) -> None:
    w = sitter.eye_w
    bow = -6.5 if merry else 5.5
    y = 5.0
    arc = [
        (-w, y),
        (-w * 0.55, y + bow * 0.75),
        (0, y + bow),
        (w * 0.55, y + bow * 0.7),
        (w * 1.06, y - 0.5),
    ]
    thick = roll.lid * (0.8 if sitter.is_a(gender="masculine") else 0.95)
    placed = _place(sitter, side, arc)
    pen.fill(ribbon(placed, [0.6, thick * 0.8, thick, thick * 0.9, 0.4]), _ink(sitter))
    if not merry and not sitter.is_a(gender="masculine"):
        for x, dx in ((0.35, 1.6), (0.68, 3.2), (0.95, 4.2)):
            root = (w * x, y + bow * (1 - x * x) * 0.95)
            dash = _place(sitter, side, [root, (root[0] + dx, root[1] + 4.2)])
            pen.fill(leaf(dash[0], dash[1], 0.0, 1.0), _ink(sitter))
    crease = [
        (-w * 0.6, y - 5.5 + bow * 0.3),
        (0.1 * w, y - 8 + bow * 0.3),
        (w * 0.8, y - 5 + bow * 0.2),
    ]
    pen.fill(ribbon(_place(sitter, side, crease), [0.2, 1.2, 0.2]), sitter.skin.line, 0.6)


def _open(pen: Pen, sitter: Sitter, e: Expression, roll: SimpleNamespace, side: int) -> None:
    w, h = sitter.eye_w, sitter.eye_h
    top, low = -h * e.lids, h * 0.78 * (1.0 if e.lids >= 0.95 else 0.9)
    fall = (sitter.slant + e.droop) * h / 15
    sq, peak = roll.square, roll.peak * w
    upper = [
        (-w, 0.18 * h - fall * 0.75), (-w * (0.3 + 0.4 * sq), top * 0.74 - fall * 0.45),
        (peak * 0.6 - 0.05 * w, top), (w * (0.35 + 0.4 * sq), top * 0.82 + fall * 0.3),
        (w * 1.02, -0.08 * h + fall),
    ]  # fmt: skip
    lower = [(w * 0.78, low * 0.62 + fall * 0.4), (w * 0.1, low), (-w * 0.55, low * 0.8)]
    ring = smooth(_place(sitter, side, [*upper, *lower]), closed=True)
    pen.fill(ring, mix(WHITE, sitter.skin.base, 0.10))
    with pen.inside(ring):
        _iris(pen, sitter, e, roll, side, low)
        lid_shadow = ribbon(_place(sitter, side, upper), [h * 0.5] * 5)
        pen.fill(lid_shadow, mix(sitter.skin.deep, (0.45, 0.42, 0.62), 0.5), 0.55, MULTIPLY)
    _lids(pen, sitter, roll, side, upper, lower, fall)
    if sitter.is_a(expression="sad") and roll.tears > 0.55:
        x, y = sitter.head.at(side * (sitter.apart + w * 0.5), Y + low, 2)
        pen.fill(oval(x, y + 0.5, 3.4, 2.6), (0.80, 0.93, 1.0), 0.85)
        pen.fill(oval(x - 1, y - 0.3, 1.1, 0.8), WHITE)


def _iris(
    pen: Pen, sitter: Sitter, e: Expression, roll: SimpleNamespace, side: int, low: float
) -> None:
    """A vertical grade from the lid's dark to a lit lower rim, and the lights on it."""
    head, colour = sitter.head, sitter.iris
    rx = sitter.eye_w * roll.iris * e.iris * (1 - 0.16 * side * head.turn)
    ry = max(sitter.eye_h * 0.94, rx * 1.02) * (0.5 + 0.5 * e.iris)
    gaze = roll.gaze_x + 2.4 * head.turn
    x, y = head.at(side * sitter.apart - 0.6 * side + gaze, Y + low - ry * 0.93 + roll.gaze_y, 1)
    dark, rim = tone(colour, roll.depth, 1.0, 0.2), mix(tone(colour, 0.36, 0.9, 0.15), BLACK, 0.3)
    lit = mix(tone(colour, 1.22, 1.0, -0.15), WHITE, 0.18)
    pen.fill(oval(x, y, rx, ry), gradient((x, y - ry * 0.8), (x, y + ry), dark, colour, lit))
    pen.line(oval(x, y, rx - 0.6, ry - 0.6), rim, 1.7)
    px, py = {"round": (0.42, 0.46), "slit": (0.26, 0.56), "ring": (0.36, 0.38)}[roll.pupil]
    pen.fill(oval(x, y - ry * 0.05, rx * px, ry * py), rim, 0.92)
    if roll.pupil == "ring":
        pen.line(oval(x, y - ry * 0.05, rx * 0.58, ry * 0.6), mix(colour, lit, 0.6), 1.2, 0.7)
    bowl = leaf(
        (x - rx * 0.72, y + ry * 0.38), (x + rx * 0.72, y + ry * 0.38), -ry * 0.75, ry * 0.28
    )
    pen.fill(bowl, lit, 0.75)
    pen.fill(
        oval(x, y + ry * 0.55, rx, ry * 0.6), glow((x, y + ry * 0.6), rx, lit, 0.5), 1.0, SCREEN
    )
    _shine(pen, roll.shine, sitter.light, x, y, rx, ry)


def _shine(pen: Pen, kind: str, light: int, x: float, y: float, rx: float, ry: float) -> None:
    hx, hy = x + light * rx * 0.38, y - ry * 0.42
    if kind == "bar":
        pen.fill(
            leaf((hx - rx * 0.5, hy + 1), (hx + rx * 0.45, hy - 1), ry * 0.1, ry * 0.24),
            WHITE,
            0.95,
        )
    elif kind == "star":
        pen.fill(leaf((hx, hy - ry * 0.42), (hx, hy + ry * 0.42), 0, rx * 0.26), WHITE)
        pen.fill(leaf((hx - rx * 0.42, hy), (hx + rx * 0.42, hy), 0, rx * 0.26), WHITE)
    else:
        size = 0.36 if kind == "large" else 0.27
        pen.fill(oval(hx, hy, rx * size * 1.05, ry * size * 0.9), WHITE, 0.98)
    pen.fill(oval(x - light * rx * 0.42, y + ry * 0.42, rx * 0.17, ry * 0.14), WHITE, 0.9)
    if kind == "twin":
        pen.fill(oval(x - light * rx * 0.3, y - ry * 0.1, rx * 0.14, ry * 0.12), WHITE, 0.9)


def _lids(
    pen: Pen, sitter: Sitter, roll: SimpleNamespace, side: int,
    upper: list[Point], lower: list[Point], fall: float,
) -> None:  # fmt: skip
    w, ink, lash = sitter.eye_w, _ink(sitter), roll.lash
    if sitter.is_a(gender="masculine"):
        lash = "fine"
    thick = roll.lid * {"wing": 1.0, "spikes": 0.92, "heavy": 1.2, "fine": 0.72}[lash]
    end = upper[-1]
    wing = {"wing": (4.6, -4.2), "spikes": (2.2, -1.2), "heavy": (3.6, -0.5), "fine": (1.0, 0.2)}[
        lash
    ]
    line = [*upper[:-1], (end[0], end[1]), (end[0] + wing[0], end[1] + wing[1])]
    widths = [0.5, thick * 0.72, thick, thick * 1.12, thick * 0.95, 0.2]
    pen.fill(ribbon(_place(sitter, side, line, 2), widths), ink)
    if lash in ("spikes", "heavy", "wing"):
        for t, dx, dy in _LASHES[lash]:
            x = w * t
            y = upper[3][1] + (end[1] - upper[3][1]) * min(1.0, max(0.0, (t - 0.6) / 0.42))
            a, b = _place(sitter, side, [(x - 1.5, y + 0.6), (x + dx, y + dy)], 2)
            pen.fill(leaf(a, b, -0.8 * side, 1.15), ink)
    corner = [
        (end[0] + 0.4, end[1] + 0.5),
        (w * 0.86, lower[0][1] * 0.55),
        lower[0],
        (w * 0.25, lower[1][1] * 0.99),
    ]
    pen.fill(
        ribbon(_place(sitter, side, corner, 2), [1.6, 1.5, 1.6, 0.2]),
        mix(ink, sitter.skin.line, 0.35),
    )
    inner = [lower[2], (-w * 0.2, lower[1][1])]
    pen.fill(ribbon(_place(sitter, side, inner, 2), [0.3, 1.0]), sitter.skin.line, 0.55)
    if roll.lower > 0.6 and lash != "fine":
        for t in (0.55, 0.8):
            a, b = _place(
                sitter, side, [(w * t, lower[0][1] * 0.95), (w * t + 2.2, lower[0][1] + 3.4)], 2
            )
            pen.fill(leaf(a, b, 0, 0.7), ink, 0.8)
    lift = 3.2 + thick * 0.5
    crease = [(x * 0.94, y - lift - (1.2 if 0 < i < 4 else 0)) for i, (x, y) in enumerate(upper)]
    pen.fill(
        ribbon(_place(sitter, side, crease[1:], 2), [0.2, 1.1, 1.3, 0.2]), sitter.skin.line, 0.65
    )


# Where along half the width a lash stands, and how far its tip is out and up.
_LASHES = {
    "wing": ((0.88, 5.0, -6.2),),
    "spikes": ((0.55, 3.6, -6.2), (0.8, 5.6, -5.6), (1.0, 6.6, -3.4)),
    "heavy": ((0.72, 4.6, -5.4), (1.0, 5.4, -3.8)),
}


def glasses(pen: Pen, sitter: Sitter) -> None:
    kind = sitter.labels["glasses"]
    if kind == "none":
        return
    roll = sitter.dice.roll("glasses", _GLASSES)
    frame: Colour = mix(tone(sitter.iris, 0.4), BLACK, roll.dark)
    rx, ry = sitter.eye_w * 1.16 + 2, {"round": 18.5, "square": 13.5}[kind]
    corner = 0.98 if kind == "round" else 0.4
    inner = []
    for side in (-1, 1):
        ring = [
            (sx * rx * (1 if k else 1 - 0.30 * corner), sy * ry * (1 - 0.30 * corner if k else 1))
            for sx, sy, k in _CORNERS
        ]
        placed = [sitter.head.at(side * (sitter.apart + 0.5) + x, Y + 2 + y, 6) for x, y in ring]
        path = smooth(placed, closed=True)
        pen.fill(path, WHITE, 0.10)
        with pen.inside(path):
            x, y = sitter.head.at(side * sitter.apart, Y, 6)
            for shift, wide in ((-7, 6), (3, 2)):
                streak = ((9, -22), (9 + wide, -22), (-9 + wide, 22), (-9, 22))
                pen.fill(
                    polygon([(x + shift + dx, y + dy) for dx, dy in streak]), WHITE, roll.glare
                )
        pen.line(path, frame, roll.wire)
        inner.append(sitter.head.at(side * (sitter.apart - rx), Y, 6))
        temple = [
            sitter.head.at(side * (sitter.apart + rx), Y - 1, 6),
            sitter.head.at(side * sitter.head.wide * 1.02, Y - 3, -6),
        ]
        pen.line(smooth(temple), frame, roll.wire)
    bridge = ((inner[0][0] + inner[1][0]) / 2, (inner[0][1] + inner[1][1]) / 2 - 3)
    pen.line(smooth([inner[0], bridge, inner[1]]), frame, roll.wire)


_GLASSES: Table = {"dark": (0.3, 0.95), "wire": (1.5, 3.2), "glare": (0.0, 0.3)}
_CORNERS = (
    (-1, -1, 0),
    (1, -1, 0),
    (1, -1, 1),
    (1, 1, 1),
    (1, 1, 0),
    (-1, 1, 0),
    (-1, 1, 1),
    (-1, -1, 1),
)
