"""Colours and how a painter moves them: shadows turn cooler and richer, lights warmer and paler.

A colour is sRGB as three floats in [0, 1]. Steps are taken in OKLab (Ottosson 2020), where equal
steps look equal for every hue; HSV would make blue's shadow black and yellow's mud.
"""

from __future__ import annotations

import math
from functools import lru_cache

Colour = tuple[float, float, float]

WHITE: Colour = (1.0, 1.0, 1.0)
BLACK: Colour = (0.05, 0.04, 0.06)


def from_hex(text: str) -> Colour:
    """ "e8c26a" as a colour."""
    r, g, b = (int(text[k : k + 2], 16) / 255 for k in (0, 2, 4))
    return r, g, b


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """From a (t = 0) to b (t = 1)."""
    return (
        a[0] + (b[0] - a[0]) * t,
        a[1] + (b[1] - a[1]) * t,
        a[2] + (b[2] - a[2]) * t,
    )


@lru_cache(4096)
def tone(colour: Colour, light: float, chroma: float = 1.0, turn: float = 0.0) -> Colour:
    """The colour with its lightness times `light`, its chroma times `chroma`, its hue turned by
    `turn` radians as shadows turn: warm hues to red, the others to blue. Negative: to yellow."""
    lightness, a, b = _oklab(colour)
    c, hue = math.hypot(a, b) * chroma, math.atan2(b, a)
    warm = 0 < hue < 2.2  # red to yellow: by way of green, gold would look mouldy in the shade
    goal = 1.9 if turn < 0 else 0.4 if warm else -1.6  # where yellow, red and blue lie
    gap = (goal - hue + math.pi) % (2 * math.pi) - math.pi
    hue += math.copysign(min(abs(turn), abs(gap)), gap)
    return _srgb(min(1.0, lightness * light), c * math.cos(hue), c * math.sin(hue))


def from_lch(lightness: float, chroma: float, hue: float) -> Colour:
    """OKLab's lightness [0, 1], chroma (0.3 is vivid) and hue in turns."""
    return _srgb(
        lightness, chroma * math.cos(2 * math.pi * hue), chroma * math.sin(2 * math.pi * hue)
    )


def _oklab(colour: Colour) -> Colour:
    r, g, b = ((v / 12.92) if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour)
    m1 = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    m2 = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    m3 = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * m1 + 0.7936177850 * m2 - 0.0040720468 * m3,
        1.9779984951 * m1 - 2.4285922050 * m2 + 0.4505937099 * m3,
        0.0259040371 * m1 + 0.7827717662 * m2 - 0.8086757660 * m3,
    )


def _srgb(lightness: float, a: float, b: float) -> Colour:
    m1 = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    m2 = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    m3 = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _encode(4.0767416621 * m1 - 3.3077115913 * m2 + 0.2309699292 * m3),
        _encode(-1.2684380046 * m1 + 2.6097574011 * m2 - 0.3413193965 * m3),
        _encode(-0.0041960863 * m1 - 0.7034186147 * m2 + 1.7076147010 * m3),
    )


def _encode(v: float) -> float:
    v = min(1.0, max(0.0, v))
    return 12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055
