"""What is worn at the neck and shoulders; the frame shows little more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

from training.corpus.dice import Table
from training.corpus.portrait.colour import from_lch, mix
from training.corpus.portrait.pen import Pen, Point, gradient, leaf, oval, polygon, smooth
from training.corpus.portrait.sitter import Ramp, Sitter, ramp

CLOTHES = ("shirt", "sailor", "hood", "turtleneck", "kimono", "jacket", "frill")

_TABLE: Table = {
    "light": (0.22, 0.93),
    "chroma": (0.01, 0.17),
    "hue": (0.0, 1.0),
    "other": (0.0, 1.0),
    "pale": (0.0, 1.0),
}


@dataclass(frozen=True)
class Cut:
    """The garment's place: the neck's middle x, its half width, the chin's y, the shoulders."""

    x: float
    neck: float
    y: float
    shoulder: float
    cloth: Ramp
    trim: Ramp


def clothes(pen: Pen, sitter: Sitter) -> None:
    roll = sitter.dice.roll("clothes", _TABLE)
    neck = {"feminine": 18.0, "androgynous": 21.0, "masculine": 27.0}[sitter.labels["gender"]]
    cut = Cut(
        x=sitter.head.turn * 4, neck=neck, y=sitter.head.chin + 13, shoulder=74 + 0.9 * neck,
        cloth=ramp(from_lch(roll.light, roll.chroma, roll.hue), sitter.manner),
        trim=_trim(roll, sitter),
    )  # fmt: skip
    _GARMENTS[sitter.labels["clothes"]](pen, sitter, cut)


def _trim(roll: SimpleNamespace, sitter: Sitter) -> Ramp:
    light = 0.95 if roll.pale > 0.4 else 0.35
    return ramp(from_lch(light, 0.02 if roll.pale > 0.4 else 0.12, roll.other), sitter.manner)


def _piece(pen: Pen, sitter: Sitter, points: list[Point], cloth: Ramp, round_: bool = True) -> None:
    """A piece of cloth with its line and the shadow of a fold on the side away from the light."""
    path = smooth(points, closed=True) if round_ else polygon(points)
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    side = (min(xs), max(xs)) if sitter.light < 0 else (max(xs), min(xs))
    pen.fill(
        path,
        gradient(
            (side[0], min(ys)),
            (side[1], max(ys) * 0.8 + 20),
            cloth.base,
            mix(cloth.base, cloth.shade, 0.5),
            cloth.deep,
        ),
    )
    pen.line(path, cloth.line, sitter.manner.line)


def _torso(pen: Pen, sitter: Sitter, cut: Cut, open_: float = 1.0, drop: float = 16.0) -> None:
    """Shoulders and chest with a neckline `drop` deep and `open_` necks wide."""
    x, n, y, s = cut.x, cut.neck * open_, cut.y, cut.shoulder
    shape = [
        (x - n - 2, y - 2), (x - n - 24, y + 9), (x - s, y + 26), (x - s - 16, y + 60),
        (x - s - 16, 170), (x + s + 16, 170),
        (x + s + 16, y + 60), (x + s, y + 26), (x + n + 24, y + 9), (x + n + 2, y - 2),
        (x + n * 0.55, y + drop * 0.8), (x, y + drop), (x - n * 0.55, y + drop * 0.8),
    ]  # fmt: skip
    _piece(pen, sitter, shape, cut.cloth)
    for side in (-1, 1):
        pen.fill(
            leaf((x + side * (n + 12), y + 8), (x + side * (n + 24), y + 48), side * 4, 2.4),
            cut.cloth.deep,
            0.8,
        )


def _bow(pen: Pen, sitter: Sitter, x: float, y: float, size: float, cloth: Ramp) -> None:
    for side in (-1, 1):
        tail = [
            (x, y),
            (x + side * size * 0.5, y + size * 1.1),
            (x + side * size * 0.15, y + size * 1.2),
        ]
        _piece(pen, sitter, tail, cloth, round_=False)
        loop = [
            (x, y),
            (x + side * size * 0.9, y - size * 0.55),
            (x + side * size * 1.05, y + size * 0.1),
            (x + side * size * 0.8, y + size * 0.5),
        ]
        _piece(pen, sitter, loop, cloth)
        pen.fill(leaf((x, y), (x + side * size * 0.7, y - 1), 0, 1.0), cloth.deep)
    pen.fill(oval(x, y, size * 0.24, size * 0.26), cloth.shade)
    pen.line(oval(x, y, size * 0.24, size * 0.26), cloth.line, sitter.manner.line)


def _shirt(pen: Pen, sitter: Sitter, cut: Cut) -> None:
    _torso(pen, sitter, cut, 1.0, 26)
    x, n, y = cut.x, cut.neck, cut.y
    for side in (-1, 1):
        collar = [
            (x + side * (n + 1), y - 9),
            (x + side * (n + 15), y + 4),
            (x + side * (n + 5), y + 27),
            (x + side * 1, y + 16),
            (x + side * n * 0.7, y + 5),
        ]
        _piece(pen, sitter, collar, cut.trim, round_=False)
    if sitter.is_a(gender="masculine"):
        _piece(
            pen,
            sitter,
            [(x - 5, y + 15), (x + 5, y + 15), (x + 8, y + 70), (x - 8, y + 70)],
            ramp(sitter.iris, sitter.manner),
            round_=False,
        )
    else:
        _bow(pen, sitter, x, y + 19, 13, ramp(sitter.iris, sitter.manner))


def _sailor(pen: Pen, sitter: Sitter, cut: Cut) -> None:
    _torso(pen, sitter, cut, 1.05, 34)
    x, n, y = cut.x, cut.neck, cut.y
    for side in (-1, 1):
        flap = [
            (x + side * (n + 1), y - 5),
            (x + side * (n + 30), y + 12),
            (x + side * (n + 34), y + 60),
            (x + side * 3, y + 42),
            (x + side * n * 0.8, y + 12),
        ]
        _piece(pen, sitter, flap, cut.trim, round_=False)
        stripe = [
            (x + side * (n + 25), y + 14),
            (x + side * (n + 28), y + 52),
            (x + side * 8, y + 39),
        ]
        path = smooth(stripe)
        pen.line(path, cut.cloth.base, 2.2)
    _bow(pen, sitter, x, y + 40, 15, ramp(sitter.iris, sitter.manner))


def _hood(pen: Pen, sitter: Sitter, cut: Cut) -> None:
    x, n, y = cut.x, cut.neck, cut.y
    _torso(pen, sitter, cut, 1.2, 18)
    for side in (-1, 1):
        roll = [
            (x + side * (n + 4), y - 12),
            (x + side * (n + 26), y - 6),
            (x + side * (n + 30), y + 14),
            (x + side * 12, y + 34),
            (x, y + 30),
            (x + side * n * 0.8, y + 12),
        ]
        _piece(pen, sitter, roll, cut.cloth)
        pen.line(smooth([(x + side * 9, y + 30), (x + side * 10, y + 60)]), cut.trim.base, 2.2)


def _turtleneck(pen: Pen, sitter: Sitter, cut: Cut) -> None:
    x, n, y = cut.x, cut.neck, cut.y
    _torso(pen, sitter, cut, 1.1, 6)
    tube = [
        (x - n - 1, y - 16),
        (x, y - 10),
        (x + n + 1, y - 16),
        (x + n + 5, y + 6),
        (x, y + 12),
        (x - n - 5, y + 6),
    ]
    _piece(pen, sitter, tube, cut.cloth)
    for k in range(-3, 4):
        pen.line(
            smooth([(x + k * n * 0.28, y - 10), (x + k * n * 0.31, y + 8)]),
            cut.cloth.deep,
            1.0,
            0.7,
        )


def _kimono(pen: Pen, sitter: Sitter, cut: Cut) -> None:
    x, n, y = cut.x, cut.neck, cut.y
    _torso(pen, sitter, cut, 1.2, 30)
    for side in (1, -1):
        for out, cloth in ((0.0, cut.trim), (6.0, cut.cloth)):
            lapel = [
                (x + side * (n + out), y - 8),
                (x + side * (n + 9 + out), y - 2),
                (x - side * (22 - out), y + 70),
                (x - side * (34 - out), y + 62),
            ]
            _piece(pen, sitter, lapel, cloth, round_=False)


def _jacket(pen: Pen, sitter: Sitter, cut: Cut) -> None:
    x, n, y = cut.x, cut.neck, cut.y
    _torso(pen, sitter, Cut(cut.x, cut.neck, cut.y, cut.shoulder, cut.trim, cut.cloth), 0.95, 12)
    for side in (-1, 1):
        front = [
            (x + side * (n + 6), y - 5),
            (x + side * (n + 26), y + 8),
            (x + side * cut.shoulder, y + 26),
            (x + side * (cut.shoulder + 18), y + 64),
            (x + side * (cut.shoulder + 18), 170),
            (x + side * 10, 170),
            (x + side * 15, y + 52),
        ]
        _piece(pen, sitter, front, cut.cloth, round_=False)
        lapel = [
            (x + side * (n + 5), y - 6),
            (x + side * (n + 22), y + 14),
            (x + side * (n + 13), y + 22),
            (x + side * (n + 14), y + 30),
            (x + side * 15, y + 56),
            (x + side * 17, y + 36),
        ]
        _piece(pen, sitter, lapel, cut.cloth, round_=False)


def _frill(pen: Pen, sitter: Sitter, cut: Cut) -> None:
    """A low neckline edged with frills, and a choker."""
    x, n, y = cut.x, cut.neck, cut.y
    _torso(pen, sitter, cut, 2.2, 34)
    for k in range(-4, 5):
        u = k / 4
        _piece(pen, sitter, _scallop(x + u * n * 2.1, y + 33 - 27 * u * u, 9.0), cut.trim)
    band = [
        (x - n - 1, y - 10),
        (x, y - 4),
        (x + n + 1, y - 10),
        (x + n + 1, y - 4),
        (x, y + 2),
        (x - n - 1, y - 4),
    ]
    _piece(pen, sitter, band, cut.cloth)


def _scallop(x: float, y: float, r: float) -> list[Point]:
    return [
        (x - r, y - r * 0.5),
        (x + r, y - r * 0.5),
        (x + r * 0.8, y + r * 0.5),
        (x, y + r * 0.8),
        (x - r * 0.8, y + r * 0.5),
    ]


_GARMENTS: dict[str, Callable[[Pen, Sitter, Cut], None]] = {
    "shirt": _shirt, "sailor": _sailor, "hood": _hood, "turtleneck": _turtleneck,
    "kimono": _kimono, "jacket": _jacket, "frill": _frill,
}  # fmt: skip
