"""The skin: neck and ears behind, the face with its shadows, blush and nose."""

from __future__ import annotations

from types import SimpleNamespace

from training.corpus.dice import Table
from training.corpus.portrait.colour import Colour, mix, tone
from training.corpus.portrait.pen import (
    MULTIPLY,
    Path,
    Pen,
    Point,
    glow,
    gradient,
    leaf,
    oval,
    ribbon,
    smooth,
)
from training.corpus.portrait.sitter import Sitter

_SKIN: Table = {
    "blush": (0.0, 0.55), "hatch": (0.0, 1.0), "nose": ("dot", "line", "wedge", "soft"),
    "mole": (0.0, 1.0),
    "side": (4.0, 9.0),
}  # fmt: skip


def neck(pen: Pen, sitter: Sitter) -> None:
    """The neck in the chin's shadow; clothes are drawn over its foot."""
    head, skin = sitter.head, sitter.skin
    broad = {"feminine": 17.0, "androgynous": 20.0, "masculine": 26.0}[sitter.labels["gender"]]
    x = head.turn * 4
    path = smooth(
        [
            (x - broad, 30), (x - broad, 62), (x - broad - 3, 82), (x - broad - 34, 104),
            (x - 60, 150),
            (x + 60, 150), (x + broad + 34, 104), (x + broad + 3, 82), (x + broad, 62),
            (x + broad, 30),
        ],
        closed=True,
    )  # fmt: skip
    pen.fill(path, skin.base)
    with pen.inside(path):
        outline = smooth(head.outline(), closed=True)
        with pen.moved(-4 * sitter.light, 13):
            pen.fill(outline, skin.deep)
        pen.wash(
            gradient(
                (0, head.chin - 4), (0, head.chin + 30), skin.deep, skin.deep, alphas=(0.6, 0.0)
            )
        )
    pen.line(path, skin.line, sitter.manner.line)


def ears(pen: Pen, sitter: Sitter) -> None:
    """The ears that the turn shows. Most hair covers them."""
    head, skin, width = sitter.head, sitter.skin, sitter.manner.line
    for side in (-1, 1):
        if head.turn * side > 0.45:
            continue
        x = side * head.wide * (0.99 - 0.12 * abs(head.turn))
        y = 9.0
        shell = [(x - side * 4, y - 12), (x + side * 4, y - 17), (x + side * 10, y - 9),
                 (x + side * 7, y + 5), (x + side * 1, y + 13), (x - side * 4, y + 6)]  # fmt: skip
        path = smooth(shell, closed=True)
        pen.fill(path, skin.base)
        with pen.inside(path):
            inner = leaf((x + side * 5, y - 12), (x + side * 1, y + 7), side * 3.0, 3.4)
            pen.fill(inner, skin.deep)
        pen.line(path, skin.line, width)


def face(pen: Pen, sitter: Sitter) -> Path:
    """The face without its features; returns its outline to clip by."""
    head, skin = sitter.head, sitter.skin
    roll = sitter.dice.roll("skin", _SKIN)
    path = smooth(head.outline(), closed=True)
    pen.fill(path, skin.shade)
    with pen.inside(path):
        with pen.moved(sitter.light * roll.side, -roll.side * 0.5):
            pen.fill(path, skin.base)
        _airbrush(pen, sitter)
        for side in (-1, 1):
            _blush(pen, sitter, side, roll)
    pen.line(path, skin.line, sitter.manner.line)
    _nose(pen, sitter, roll.nose)
    if sitter.is_a(age="mature"):
        _years(pen, sitter)
    if roll.mole > 0.93:
        pen.fill(oval(*head.at(sitter.apart + 4, 27), 1.3, 1.3), skin.line)
    return path


def _airbrush(pen: Pen, sitter: Sitter) -> None:
    head, skin, soft = sitter.head, sitter.skin, sitter.manner.soft
    x, y = head.at(-sitter.light * head.wide * 0.9, 34)
    pen.wash(glow((x, y), 62, skin.deep, 0.45 * soft))
    x, y = head.at(sitter.light * 16, -4)
    pen.wash(glow((x, y), 60, skin.light, 0.55 * soft))
    pen.wash(
        gradient(
            (0, head.chin - 16), (0, head.chin + 4), skin.deep, skin.deep, alphas=(0.0, 0.35 * soft)
        )
    )


def _blush(pen: Pen, sitter: Sitter, side: int, roll: SimpleNamespace) -> None:
    head, skin = sitter.head, sitter.skin
    red = mix(tone(skin.base, 0.92), (0.95, 0.25, 0.28), 0.55)
    x, y = head.at(side * sitter.apart * 1.25, 29)
    amount = roll.blush * (1.0 if not sitter.is_a(gender="masculine") else 0.5)
    with pen.moved(x, y, scale=(1.0, 0.62)):
        pen.fill(oval(0, 0, 20, 20), glow((0, 0), 20, red, amount))
    if roll.hatch > 0.9:
        for k in (-1, 0, 1):
            pen.line(
                smooth([(x + k * 4 - 1.5, y + 3), (x + k * 4 + 1.5, y - 3)]),
                mix(red, skin.line, 0.3),
                1.0,
            )


def _nose(pen: Pen, sitter: Sitter, kind: str) -> None:
    head, skin = sitter.head, sitter.skin
    y = head.chin * 0.49
    tip = head.at(0, y, 7)
    side = 1 if head.turn > 0.2 else -1 if head.turn < -0.2 else -sitter.light
    wing = head.at(-side * 3.0, y + 3.5, 2)
    grown = {"young": 0.0, "adult": 0.5, "mature": 1.0}[sitter.labels["age"]]
    if sitter.is_a(gender="masculine"):
        grown += 0.4
    if kind == "dot" and grown < 1:
        pen.fill(oval(tip[0], tip[1] + 1, 1.5, 1.2), mix(skin.deep, skin.line, 0.6))
    elif kind == "soft" and grown < 1:
        pen.fill(leaf(tip, wing, 1.5 * side, 1.6), skin.deep)
        pen.fill(oval(tip[0] + sitter.light * 1.5, tip[1] - 3.5, 1.6, 2.2), skin.light, 0.9)
    else:
        base = head.at(-side * 1.0, y + 4.2, 3)
        top = head.at(side * 0.5, y - 4 - 7 * grown, 3)
        if kind == "wedge" or grown >= 1:
            shade = smooth(
                [top, tip, base, head.at(-side * (2.6 + 1.6 * grown), y + 2, 0)], closed=True
            )
            pen.fill(shade, skin.shade if grown else skin.deep)
        pen.fill(ribbon([top, tip, base], [0.1, 1.1 + 0.5 * grown, 0.5]), skin.line, 0.85)


def _years(pen: Pen, sitter: Sitter) -> None:
    """The lines beside the nose and under the eyes."""
    head, skin = sitter.head, sitter.skin
    colour: Colour = mix(skin.deep, skin.line, 0.45)
    for side in (-1, 1):
        fold = [head.at(side * 8.5, head.chin * 0.5), head.at(side * 14.5, head.chin * 0.63)]
        pen.fill(leaf(fold[0], fold[1], side * -1.2, 0.6), colour, 0.5)
        bag: list[Point] = [
            head.at(side * (sitter.apart - 9), 6 + sitter.eye_h * 0.95),
            head.at(side * (sitter.apart + 3), 6 + sitter.eye_h * 1.15),
        ]
        pen.fill(leaf(bag[0], bag[1], side * -1.5, 0.6), colour, 0.5)


def cast_shadow(pen: Pen, sitter: Sitter, face_path: Path, caster: Path, drop: float) -> None:
    """The shadow of a piece of hair on the face, displaced away from the light."""
    with pen.inside(face_path), pen.moved(-sitter.light * drop * 0.55, drop):
        pen.fill(caster, mix(sitter.skin.deep, (1, 1, 1), 0.25), 0.55, MULTIPLY)
