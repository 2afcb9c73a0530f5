"""The hair below the cap, by style: what hangs behind the head, beside the face, and before it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.corpus.portrait.colour import Colour, mix
from training.corpus.portrait.locks import Lock, lock, paint, strand_ink
from training.corpus.portrait.pen import Pen, Point, gradient, leaf, oval, ribbon, smooth
from training.corpus.portrait.sitter import Sitter

Part = Callable[[Pen, Sitter, np.random.Generator], None]


@dataclass(frozen=True)
class Style:
    """behind: before the body is drawn. beside: over the face's edges. ears: they show."""

    behind: Part
    beside: Part
    ears: bool = False


def behind(pen: Pen, sitter: Sitter) -> None:
    STYLES[sitter.labels["style"]].behind(pen, sitter, sitter.dice.stream("behind"))


def beside(pen: Pen, sitter: Sitter) -> None:
    STYLES[sitter.labels["style"]].beside(pen, sitter, sitter.dice.stream("beside"))


def shows_ears(sitter: Sitter) -> bool:
    return STYLES[sitter.labels["style"]].ears


def _skull(pen: Pen, sitter: Sitter, low: float = 26.0) -> None:
    """The back of the head down to the nape."""
    (x, y), head = sitter.head.middle(), sitter.head
    rx, ry = head.wide + head.hair, 64 + head.hair
    shape = [(x - rx, y), (x - rx * 0.72, y - ry * 0.72), (x, y - ry), (x + rx * 0.72, y - ry * 0.72),
             (x + rx, y), (x + rx * 0.9, low), (x, low + 14), (x - rx * 0.9, low)]  # fmt: skip
    path = smooth(shape, closed=True)
    pen.fill(path, gradient((0, y - 20), (0, low + 10), sitter.hair.shade, sitter.hair.deep))
    pen.line(path, sitter.hair.line, sitter.manner.line)


def _curtain(
    pen: Pen, sitter: Sitter, rng: np.random.Generator, low: float, spread: float,
    n: int = 9, wave: float = 0.0, flip: float = 0.0, blunt: bool = False,
) -> None:  # fmt: skip
    """Hair hanging behind the neck to `low`, its outer locks in front: overlapping from the middle."""
    (x, y), reach, ramp = sitter.head.middle(), sitter.head.wide + sitter.head.hair, sitter.hair
    _skull(pen, sitter, min(low, 60.0) - 20)
    order = sorted(np.linspace(-1, 1, n).tolist(), key=abs)
    for u in order:
        a, b, c = rng.uniform(-1, 1, 3).tolist()
        root = (x + reach * 0.86 * u, y + 4 - 12 * (1 - u * u))
        tip = (x + reach * spread * u + 5 * a, low + 7 * b - 6 * abs(u))
        bow = -flip * u * 12 + 3 * c - 7 * u
        inner = abs(u) < 0.6
        base = ramp.shade if inner else ramp.base
        fill = gradient((0, y), (0, min(low, 110)), mix(base, ramp.shade, 0.4), base, mix(ramp.shade, ramp.deep, 0.6 if inner else 0.1))
        width = reach * (0.46 if not wave else 0.52) * (1 + 0.15 * b)
        one = lock(root, tip, width, bow, wave * (1 + 0.3 * a) * (1 if u > 0 else -1), (0.3, 0.8, 1.0, 1.0, 0.6) if blunt else (0.3, 0.85, 1.0, 0.8, 0.0), inner)
        paint(pen, sitter, one, fill, 3)


def _frame(
    pen: Pen, sitter: Sitter, rng: np.random.Generator, low: float, n: int = 2,
    width: float = 13.0, inward: float = 0.0, wave: float = 0.0, blunt: bool = False, out: float = 0.0,
) -> None:  # fmt: skip
    """Locks in front of the ears, from under the cap down along the face."""
    head, ramp = sitter.head, sitter.hair
    for side in (-1, 1):
        far = head.turn * side > 0.4
        for k in range(n - 1, -1, -1):
            a, b, c = rng.uniform(-1, 1, 3).tolist()
            lon = math.radians(side * min(70 + 13 * k, 86 - side * math.degrees(head.yaw)))
            root = head.dome(lon, 0.62)
            edge = head.wide * (0.97 - abs(head.turn) * (0.11 if far else 0.04))
            tip = (side * (edge + 3 + 6 * k + out - inward) + 2.5 * a + head.turn * 2, low - 9 * k + 6 * b)
            fill = gradient(root, tip, ramp.base, mix(ramp.base, ramp.light, 0.25 * sitter.manner.soft), ramp.shade)
            bow = side * (4 + inward * 0.8) * (1 if wave == 0 else 0.6)
            one = lock(root, tip, width * (1 + 0.2 * b) * (0.8 if far else 1.0), bow, wave * side * (1 + 0.3 * c), (0.1, 0.8, 1.0, 1.0, 0.6) if blunt else (0.1, 0.85, 1.0, 0.72, 0.0), turns=1.0 if low < 80 else 1.6)
            paint(pen, sitter, one, fill, 2)


def _tail(
    pen: Pen, sitter: Sitter, rng: np.random.Generator, root: Point, tip: Point, width: float, bow: float, n: int = 4
) -> None:
    """A gathered tail: locks from one tie, fanning out towards their tips."""
    ramp = sitter.hair
    for k in range(n):
        u = (k + 0.5) / n * 2 - 1
        a, b = rng.uniform(-1, 1, 2).tolist()
        end = (tip[0] + width * 0.42 * u, tip[1] + 9 * b - 8 * abs(u))
        one = lock(root, end, width * 0.62, bow + u * 9, 4 * a, (0.4, 1.0, 1.0, 0.7, 0.0), back=k == 0)
        fill = gradient(root, end, ramp.base, mix(ramp.base, ramp.shade, 0.35 + 0.2 * a), ramp.shade)
        paint(pen, sitter, one, fill, 2)


def _tie(pen: Pen, sitter: Sitter, at: Point, size: float = 7.0) -> None:
    colour = accent(sitter)
    pen.fill(oval(*at, size, size * 0.8), colour)
    pen.line(oval(*at, size, size * 0.8), mix(colour, (0.1, 0.05, 0.1), 0.6), sitter.manner.line)


def accent(sitter: Sitter) -> Colour:
    """The colour of ties and ribbons: away from the hair's own."""
    rng = sitter.dice.stream("accent")
    palette: list[Colour] = [(0.86, 0.18, 0.26), (0.95, 0.80, 0.30), (0.25, 0.45, 0.85), (0.96, 0.96, 0.98),
                             (0.18, 0.17, 0.24), (0.55, 0.30, 0.65), (0.98, 0.60, 0.72), (0.25, 0.62, 0.55)]  # fmt: skip
    palette.sort(key=lambda c: sum(abs(a - b) for a, b in zip(c, sitter.hair.base, strict=True)))
    return palette[2 + int(rng.integers(len(palette) - 2))]


def _cropped(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    _curtain(pen, sitter, rng, 30, 0.7, 7)


def _short(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    _curtain(pen, sitter, rng, 50 + 10 * rng.uniform(), 1.02, 9, flip=1.0 if rng.uniform() < 0.5 else -0.3)


def _bob(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    _curtain(pen, sitter, rng, 62 + 10 * rng.uniform(), 0.80, 9, flip=1.7, blunt=True)


def _long(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    _curtain(pen, sitter, rng, 150, 1.12, 9)


def _wavy(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    _curtain(pen, sitter, rng, 145, 1.3, 8, wave=13.0)


def _spiky(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    """Spikes all round, longest to the sides."""
    (x, y), head, ramp = sitter.head.middle(), sitter.head, sitter.hair
    _skull(pen, sitter)
    rx, ry = head.wide + head.hair, 64 + head.hair
    wind = rng.uniform(-0.25, 0.25)
    for degrees in sorted((np.linspace(-200, 20, 12) + rng.uniform(-8, 8, 12)).tolist(), key=lambda d: -abs(d + 90)):
        a = math.radians(degrees)
        side, reach = (1 if math.cos(a) > 0 else -1), rng.uniform(0.28, 0.62)
        root = (x + rx * 0.6 * math.cos(a), y + ry * 0.6 * math.sin(a))
        b = a + wind - side * 0.16
        tip = (x + rx * (1 + reach) * math.cos(b), y + ry * (1 + reach * 0.7) * math.sin(b))
        fill = gradient(root, tip, ramp.shade, ramp.base, mix(ramp.base, ramp.light, 0.3))
        paint(pen, sitter, lock(root, tip, rng.uniform(36, 54), 6 * side, taper=(1.0, 0.92, 0.72, 0.4, 0.0)), fill, 1)


def _twintails(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    (x, y), reach = sitter.head.middle(), sitter.head.wide + sitter.head.hair
    high = rng.uniform(-62, -30)
    out, low = rng.uniform(26, 40), rng.uniform(85, 150)
    for side in (-1, 1):
        root = (x + side * reach * 0.93, high)
        _tail(pen, sitter, rng, root, (x + side * (reach + out), low), 34, side * 20 * (1 if low > 0 else -1))
    _skull(pen, sitter)
    for side in (-1, 1):
        _tie(pen, sitter, (x + side * reach * 0.97, high))


def _ponytail(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    (x, y), reach = sitter.head.middle(), sitter.head.wide + sitter.head.hair
    side = -1 if sitter.head.turn > 0.2 else 1 if sitter.head.turn < -0.2 else (1 if rng.uniform() < 0.5 else -1)
    root = (x + side * reach * 0.62, y - 58)
    _tail(pen, sitter, rng, root, (x + side * (reach + rng.uniform(14, 30)), rng.uniform(70, 130)), 46, side * 42, 5)
    _skull(pen, sitter)
    _tie(pen, sitter, (root[0] + side * 6, root[1] - 2), 8)


def _braids(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    _skull(pen, sitter, 34)


def _plaits(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
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
                pen.fill(piece, gradient(a, b, mix(ramp.base, ramp.light, 0.3), ramp.base, ramp.shade))
                pen.line(piece, ramp.line, sitter.manner.line)
                pen.fill(leaf((a[0] - way * 2, a[1] + 2), b, -way * 3.5, 0.6), strand_ink(ramp), 0.7)
    _frame(pen, sitter, rng, 38, 1, 9)


def _buns(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    (x, y), reach, ramp = sitter.head.middle(), sitter.head.wide + sitter.head.hair, sitter.hair
    size, high = rng.uniform(21, 27), rng.uniform(-72, -58)
    for side in (-1, 1):
        cx, cy = x + side * reach * 0.86, y + high + 10
        disc = oval(cx, cy, size, size * 0.94)
        pen.fill(disc, gradient((cx - size * -sitter.light, cy - size), (cx - sitter.light * size, cy + size), mix(ramp.base, ramp.light, 0.4), ramp.base, ramp.deep))
        for k in range(3):
            r = size * (0.8 - 0.24 * k)
            curl = [(cx + r * math.cos(t + k), cy + r * 0.92 * math.sin(t + k)) for t in (0, 0.9, 1.8, 2.7, 3.6, 4.5)]
            pen.line(smooth(curl), strand_ink(ramp), 1.3)
        pen.line(disc, ramp.line, sitter.manner.line * 1.1)
    _skull(pen, sitter)


def _curly(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    """A cloud of curls around the head."""
    (x, y), reach = sitter.head.middle(), sitter.head.wide + sitter.head.hair
    _skull(pen, sitter)
    curls = []
    for ring, n in ((1.14, 17), (1.0, 14)):
        for degrees in np.linspace(-236, 56, n):
            a, out = math.radians(degrees + rng.uniform(-7, 7)), reach * ring * rng.uniform(0.94, 1.06)
            curls.append((x + out * math.cos(a), y + 6 + out * 1.1 * math.sin(a), rng.uniform(11, 20), rng.uniform(0, 6.3)))
    _curls(pen, sitter, curls)


def _curls(pen: Pen, sitter: Sitter, curls: list[tuple[float, float, float, float]]) -> None:
    """Curls at (x, y), each of a radius and a phase, as one mass with one outline."""
    ramp, light = sitter.hair, sitter.light
    for x, y, r, _ in curls:
        pen.line(oval(x, y, r, r * 0.95), ramp.line, sitter.manner.line * 2.2)
    for x, y, r, phase in curls:
        ball = oval(x, y, r, r * 0.95)
        pen.fill(ball, gradient((x + light * r * 0.7, y - r), (x - light * r * 0.5, y + r), mix(ramp.base, ramp.light, 0.3), ramp.base, ramp.shade))
        spiral = [(x + r * k * math.cos(phase + a), y + r * k * math.sin(phase + a)) for k, a in _SPIRAL]
        pen.fill(ribbon(spiral, (0.3, 1.2, 1.7, 1.6, 1.2, 0.3)), ramp.line, 0.85)


_SPIRAL = ((0.97, 0.0), (0.93, 0.9), (0.82, 1.8), (0.66, 2.7), (0.5, 3.7), (0.34, 5.0))


def _ringlets(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    head = sitter.head
    for side in (-1, 1):
        x = side * head.wide * (1.02 - 0.16 * max(0.0, side * head.turn)) + head.middle()[0] * 0.5
        curls = [(x + side * rng.uniform(0, 7), -22.0 + 15 * k, rng.uniform(9, 13), rng.uniform(0, 6.3)) for k in range(4)]
        _curls(pen, sitter, curls)


def _framed(low: float, n: int = 2, width: float = 13.0, **shape: float | bool) -> Part:
    def part(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
        _frame(pen, sitter, rng, low + 12 * rng.uniform(-1, 1), n, width, **shape)  # type: ignore[arg-type]

    return part


STYLES: dict[str, Style] = {
    "cropped": Style(_cropped, _framed(4, 1, 9.0), ears=True),
    "short": Style(_short, _framed(34)),
    "spiky": Style(_spiky, _framed(26, 2, 13.0, out=3.0)),
    "bob": Style(_bob, _framed(56, 2, 17.0, inward=7.0, blunt=True)),
    "long": Style(_long, _framed(104, 2, 13.0)),
    "wavy": Style(_wavy, _framed(100, 2, 16.0, wave=8.0)),
    "hime": Style(_long, _framed(46, 2, 16.0, blunt=True)),
    "twintails": Style(_twintails, _framed(46, 1, 11.0)),
    "ponytail": Style(_ponytail, _framed(40, 1, 9.0), ears=True),
    "braids": Style(_braids, _plaits),
    "buns": Style(_buns, _framed(58, 1, 9.0), ears=True),
    "curly": Style(_curly, _ringlets),
}


def ahoge(pen: Pen, sitter: Sitter) -> None:
    """The one lock that stands up from the whorl; the cap is drawn over its root."""
    if sitter.labels["ahoge"] == "none":
        return
    rng, ramp = sitter.dice.stream("ahoge"), sitter.hair
    x, y = sitter.head.dome(0.0, 0.2)
    side = 1 if rng.uniform() < 0.5 else -1
    tip = (x + side * rng.uniform(18, 36), y - rng.uniform(14, 24))
    one: Lock = lock((x - side * 3, y + 8), tip, rng.uniform(9, 13), -side * rng.uniform(9, 15), taper=(0.9, 1.0, 0.85, 0.5, 0.0))
    paint(pen, sitter, one, gradient(one.spine[0], tip, ramp.base, ramp.light), 1)
