"""Who is drawn: the labels, and all that follows from them for every part together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace

from training.corpus.dice import Dice, Table
from training.corpus.portrait.colour import Colour, from_hex, mix, tone
from training.corpus.portrait.head import Head

HAIR = {
    "blonde": "efcf72", "brown": "7d4f33", "black": "33313c", "blue": "4a6fd0", "pink": "f49bb8",
    "purple": "8a62bd", "aqua": "55c6cb", "green": "62ad5c", "gray": "9499a6", "red": "c5363a",
    "white": "eeedf2", "orange": "f08a37",
}  # fmt: skip
EYES = {
    "blue": "3a6fe0", "red": "d42c38", "brown": "7d4a26", "green": "38a052", "purple": "8646c4",
    "aqua": "34c4cc", "yellow": "eec42c", "pink": "f0699f", "orange": "f07f1e", "black": "2c2a33",
    "gray": "8d939c",
}  # fmt: skip
SKIN = {
    "porcelain": "ffe3d2", "fair": "f8cda9", "tan": "e9b98e", "olive": "cf9a6c", "brown": "9c663f",
    "deep": "6b4029",
}  # fmt: skip
GENDER = ("feminine", "androgynous", "masculine")
AGE = ("young", "adult", "mature")
ANGLE = ("front", "left", "right")
TILT = ("upright", "left", "right")

_TURN: Table = {"front": (-6.0, 6.0), "three_quarter": (18.0, 32.0), "nod": (-7.0, 7.0)}
_LEAN: Table = {"upright": (-3.5, 3.5), "leaning": (9.0, 24.0)}
_BUILD: Table = {
    "wide": (50.0, 54.0), "chin": (-2.0, 3.0), "jaw": (-0.04, 0.05), "hair": (9.0, 16.0),
    "eye": (0.94, 1.10), "tall": (0.92, 1.12), "apart": (0.96, 1.05), "slant": (-2.0, 2.5),
}  # fmt: skip
_MANNER: Table = {
    "ink": (-0.1, 0.9),  # of the line: from a darker tone of what it bounds to nearly black
    "line": (0.8, 1.7),  # width
    "contrast": (0.65, 1.35),  # of the shadows
    "soft": (0.1, 1.0),  # how much airbrush lies over the flat tones
    "chroma": (0.72, 1.14), "value": (0.97, 1.06), "hue": (-0.07, 0.07),
    "light": ("left", "right"),
}  # fmt: skip

# Of age and gender: the chin's y, the jaw's width, the eye's height, its width.
_AGES = {
    "young": (61, -0.02, 1.08, 1.05),
    "adult": (66, 0.0, 0.88, 1.0),
    "mature": (70, 0.03, 0.66, 0.95),
}
_GENDERS = {
    "feminine": (0, 0.53, 1.06, 1.03),
    "androgynous": (1, 0.59, 0.96, 1.0),
    "masculine": (4, 0.70, 0.74, 0.97),
}


@dataclass(frozen=True)
class Ramp:
    """The tones of one material, and the colour of its line."""

    base: Colour
    shade: Colour
    deep: Colour
    light: Colour
    line: Colour


@dataclass(frozen=True)
class Sitter:
    """labels: what was asked for. light: -1 from the viewer's left, 1 from the right. roll:
    degrees that the head leans. eye_w, eye_h: half the eye's width and height."""

    labels: Mapping[str, str]
    dice: Dice
    head: Head
    manner: SimpleNamespace
    roll: float
    light: int
    eye_w: float
    eye_h: float
    apart: float
    slant: float
    hair: Ramp
    skin: Ramp
    iris: Colour

    def is_a(self, **labels: str) -> bool:
        return all(self.labels[name] == value for name, value in labels.items())


def sit(labels: Mapping[str, str], dice: Dice) -> Sitter:
    """The sitter whom the labels and the dice describe."""
    build, manner = dice.roll("build", _BUILD), dice.roll("manner", _MANNER)
    turn, lean = dice.roll("turn", _TURN), dice.roll("lean", _LEAN)
    sides = {"left": -1, "right": 1}
    yaw = sides[labels["angle"]] * turn.three_quarter if labels["angle"] in sides else turn.front
    roll = sides[labels["tilt"]] * lean.leaning if labels["tilt"] in sides else lean.upright
    chin, wider, tall, broad = _AGES[labels["age"]]
    longer, jaw, taller, broader = _GENDERS[labels["gender"]]
    head = Head(
        yaw=math.radians(yaw),
        pitch=math.radians(turn.nod),
        wide=build.wide,
        chin=chin + longer + build.chin,
        jaw=jaw + wider + build.jaw,
        hair=build.hair,
    )
    return Sitter(
        labels=labels,
        dice=dice,
        head=head,
        manner=manner,
        roll=roll,
        light=sides[manner.light],
        eye_w=18.5 * broad * broader * build.eye,
        eye_h=19.4 * tall * taller * build.tall,
        apart=27.0 * build.apart * build.wide / 52,
        slant=build.slant,
        hair=ramp(from_hex(HAIR[labels["hair"]]), manner, manner.hue),
        skin=_skin(from_hex(SKIN[labels["skin"]]), manner),
        iris=tone(from_hex(EYES[labels["eyes"]]), manner.value, 1.0, manner.hue / 2),
    )


def ramp(colour: Colour, manner: SimpleNamespace, hue: float = 0.0) -> Ramp:
    """The tones that a painter of this manner would give a material of this colour."""
    base = tone(colour, manner.value, manner.chroma, hue)
    pale = max(base) > 0.8 and min(base) > 0.75  # white shades by far less than a colour does
    k = manner.contrast * (0.75 if pale else 1.0)
    dark = tone(base, 0.42, 1.0, 0.25)
    return Ramp(
        base=base,
        shade=tone(base, 1 - 0.15 * k, 1.12 if not pale else 2.2, 0.22),
        deep=tone(base, 1 - 0.29 * k, 1.08 if not pale else 2.6, 0.32),
        light=mix(tone(base, 1.14, 0.8, -0.2), (1.0, 1.0, 1.0), 0.22),
        line=mix(dark, (0.10, 0.07, 0.10), 0.25 + 0.6 * max(0.0, manner.ink)),
    )


def _skin(colour: Colour, manner: SimpleNamespace) -> Ramp:
    """Skin shades towards red, not blue: blood under it, not sky over it."""
    base = tone(colour, min(1.0, manner.value), 0.95 + 0.2 * manner.soft)
    blood = mix(base, (0.80, 0.25, 0.25), 0.20)
    k = manner.contrast
    return Ramp(
        base=base,
        shade=tone(blood, 1 - 0.085 * k, 1.0),
        deep=tone(blood, 1 - 0.18 * k, 1.05),
        light=mix(base, (1.0, 0.97, 0.92), 0.35),
        line=mix(
            tone(mix(base, (0.55, 0.12, 0.12), 0.45), 0.5),
            (0.12, 0.06, 0.08),
            0.7 * max(0.0, manner.ink),
        ),
    )
