"""The hair below the cap, by style: what hangs behind the head and beside the face."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from training.corpus.portrait.colour import mix
from training.corpus.portrait.gathered import braids, buns, plaits, ponytail, twintails
from training.corpus.portrait.hanging import curtain, frame, skull
from training.corpus.portrait.locks import lock, paint
from training.corpus.portrait.pen import Pen, gradient, oval, ribbon
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


def _short(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    curtain(
        pen,
        sitter,
        rng,
        50 + 10 * rng.uniform(),
        1.02,
        9,
        flip=1.0 if rng.uniform() < 0.5 else -0.3,
    )


def _bob(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    curtain(pen, sitter, rng, 62 + 10 * rng.uniform(), 0.80, 9, flip=1.7, blunt=True)


def _spiky(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    """Spikes all round, longest to the sides."""
    (x, y), head, ramp = sitter.head.middle(), sitter.head, sitter.hair
    skull(pen, sitter)
    rx, ry = head.reach, head.rise
    wind = rng.uniform(-0.25, 0.25)
    for degrees in sorted(
        (np.linspace(-200, 20, 12) + rng.uniform(-8, 8, 12)).tolist(), key=lambda d: -abs(d + 90)
    ):
        a = math.radians(degrees)
        side, reach = (1 if math.cos(a) > 0 else -1), rng.uniform(0.28, 0.62)
        root = (x + rx * 0.6 * math.cos(a), y + ry * 0.6 * math.sin(a))
        b = a + wind - side * 0.16
        tip = (x + rx * (1 + reach) * math.cos(b), y + ry * (1 + reach * 0.7) * math.sin(b))
        fill = gradient(root, tip, ramp.shade, ramp.base, mix(ramp.base, ramp.light, 0.3))
        paint(
            pen,
            sitter,
            lock(root, tip, rng.uniform(36, 54), 6 * side, taper=(1.0, 0.92, 0.72, 0.4, 0.0)),
            fill,
            1,
        )


def _curly(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    """A cloud of curls around the head."""
    (x, y), reach = sitter.head.middle(), sitter.head.reach
    skull(pen, sitter)
    curls = []
    for ring, n in ((1.14, 17), (1.0, 14)):
        for degrees in np.linspace(-236, 56, n):
            a, out = (
                math.radians(degrees + rng.uniform(-7, 7)),
                reach * ring * rng.uniform(0.94, 1.06),
            )
            curls.append(
                (
                    x + out * math.cos(a),
                    y + 6 + out * 1.1 * math.sin(a),
                    rng.uniform(11, 20),
                    rng.uniform(0, 6.3),
                )
            )
    _curls(pen, sitter, curls)


def _curls(pen: Pen, sitter: Sitter, curls: list[tuple[float, float, float, float]]) -> None:
    """Curls at (x, y), each of a radius and a phase, as one mass with one outline."""
    ramp, light = sitter.hair, sitter.light
    for x, y, r, _ in curls:
        pen.line(oval(x, y, r, r * 0.95), ramp.line, sitter.manner.line * 2.2)
    for x, y, r, phase in curls:
        ball = oval(x, y, r, r * 0.95)
        pen.fill(
            ball,
            gradient(
                (x + light * r * 0.7, y - r),
                (x - light * r * 0.5, y + r),
                mix(ramp.base, ramp.light, 0.3),
                ramp.base,
                ramp.shade,
            ),
        )
        spiral = [
            (x + r * k * math.cos(phase + a), y + r * k * math.sin(phase + a)) for k, a in _SPIRAL
        ]
        pen.fill(ribbon(spiral, (0.3, 1.2, 1.7, 1.6, 1.2, 0.3)), ramp.line, 0.85)


_SPIRAL = ((0.97, 0.0), (0.93, 0.9), (0.82, 1.8), (0.66, 2.7), (0.5, 3.7), (0.34, 5.0))


def _ringlets(pen: Pen, sitter: Sitter, rng: np.random.Generator) -> None:
    head = sitter.head
    for side in (-1, 1):
        x = side * head.wide * (1.09 - 0.08 * max(0.0, side * head.turn))
        curls = [
            (x + side * rng.uniform(0, 7), -22.0 + 15 * k, rng.uniform(9, 13), rng.uniform(0, 6.3))
            for k in range(4)
        ]
        _curls(pen, sitter, curls)


STYLES: dict[str, Style] = {
    "cropped": Style(
        partial(curtain, low=30, spread=0.7, n=7), partial(frame, low=4, n=1, width=9), ears=True
    ),
    "short": Style(_short, partial(frame, low=34)),
    "spiky": Style(_spiky, partial(frame, low=26, out=3.0)),
    "bob": Style(_bob, partial(frame, low=56, width=17, inward=7.0, blunt=True)),
    "long": Style(partial(curtain, low=150, spread=1.12), partial(frame, low=104)),
    "wavy": Style(
        partial(curtain, low=145, spread=1.42, n=8, wave=19.0),
        partial(frame, low=104, width=19, wave=15.0),
    ),
    "hime": Style(
        partial(curtain, low=150, spread=1.12),
        partial(frame, low=50, width=27, inward=9.0, blunt=True),
    ),
    "twintails": Style(twintails, partial(frame, low=46, n=1, width=11)),
    "ponytail": Style(ponytail, partial(frame, low=40, n=1, width=9), ears=True),
    "braids": Style(braids, plaits),
    "buns": Style(buns, partial(frame, low=58, n=1, width=9), ears=True),
    "curly": Style(_curly, _ringlets),
}


def ahoge(pen: Pen, sitter: Sitter) -> None:
    """The one lock that stands up, on one head in four. No label: a crop may hide it."""
    rng, ramp = sitter.dice.stream("ahoge"), sitter.hair
    if rng.uniform() > 0.25:
        return
    side = 1 if rng.uniform() < 0.5 else -1
    x, y = sitter.head.dome(side * 0.15, 0.76)
    tip = (x + side * rng.uniform(34, 48), y + rng.uniform(-4, 8))
    taper = (0.0, 0.8, 1.0, 0.7, 0.0)
    one = lock((x, y), tip, rng.uniform(10, 14), side * rng.uniform(13, 20), taper=taper)
    fill = gradient((x, y), tip, ramp.base, mix(ramp.base, ramp.light, 0.7), ramp.base)
    paint(pen, sitter, one, fill, 1)
