"""Light on the carving and the wall it hangs on: from height and colour to an sRGB picture."""

from __future__ import annotations

import math

import numpy as np

from training.corpus.carving.field import Array, blur, ramp
from training.corpus.carving.head import Carving
from training.corpus.dice import Dice, Table

LIGHT: Table = {
    "azimuth": (-2.5, -0.64),  # radians; -pi/2 is straight from above, then left and right of it
    "rise": (0.7, 1.0),  # radians above the wall's plane
    "key": (1.9, 2.5),
    "fill": (0.45, 0.7),
    "warm": (-0.05, 0.08),
    "shadow": (0.55, 0.85),
}

GROUND: Table = {
    "tone": (*("light",) * 8, "grey", "deep"),
    "shade": (0.0, 1.0),
    "warm": (-0.02, 0.04),
    "fall": (0.0, 0.25),
}

TONES: dict[str, tuple[float, float]] = {
    "light": (0.66, 0.88),
    "grey": (0.28, 0.5),
    "deep": (0.03, 0.08),
}


def shade(c: Carving, body: Array, gloss: Array, dice: Dice) -> Array:
    """Light the carving: (3, n, n) linear, before any wall is behind it.

    A key light with cast shadows, a sky fill, ambient occlusion from blurred differences of the
    height, and a Blinn highlight.
    """
    p = dice.roll("light", LIGHT)
    height = blur(c.height, 0.0028)
    gy, gx = np.gradient(height, c.grid.px)
    length = np.sqrt(gx * gx + gy * gy + 1)
    nx, ny, nz = -gx / length, -gy / length, 1 / length
    flat = math.cos(p.rise)
    lx, ly, lz = flat * math.cos(p.azimuth), flat * math.sin(p.azimuth), math.sin(p.rise)
    key = (nx * lx + ny * ly + nz * lz).clip(0, None)
    key = key * (1 - p.shadow * _cast(c, height, p.azimuth, lz / flat))
    fill = (0.62 - 0.38 * ny - 0.25 * nx * math.copysign(1, lx)).clip(0, None)
    open_ = np.ones_like(height)
    for sigma, much in ((0.008, 2.6), (0.022, 1.9), (0.06, 0.9)):
        open_ -= (blur(height, sigma) - height).clip(0, None) * much
    open_ = open_.clip(0.12, 1)
    hx, hy, hz = lx, ly, lz + 1
    norm = math.sqrt(hx * hx + hy * hy + hz * hz)
    spec = ((nx * hx + ny * hy + nz * hz) / norm).clip(0, 1)
    shine = gloss * open_ * (0.22 * spec**12 + 0.5 * spec**60) * (key > 0)
    sun = _tint(p.warm)
    sky = _tint(-p.warm)
    lit = p.key * 0.5 * key * sun + (p.fill * fill * open_) * sky
    return body * lit * (0.4 + 0.6 * open_) + shine * sun


def _cast(c: Carving, height: Array, azimuth: float, slope: float) -> Array:
    """Shadow in [0, 1]: what lies towards the light and higher than the ray (8 steps)."""
    n = c.grid.n
    dark = np.zeros_like(height)
    for step in range(1, 9):
        away = n * 0.0075 * step**1.2
        dx, dy = round(math.cos(azimuth) * away), round(math.sin(azimuth) * away)
        reach = math.hypot(dx, dy) * c.grid.px
        moved = np.roll(height, (-dy, -dx), (0, 1))
        dark = np.maximum(dark, moved - height - slope * reach)
    return blur(ramp(0.0, 0.05, dark), 0.006)


def hang(c: Carving, lit: Array, dice: Dice) -> Array:
    """Put the wall behind it, with the shadow the mask throws: (3, n, n) sRGB in [0, 1]."""
    p, light = dice.roll("ground", GROUND), dice.roll("light", LIGHT)
    n = c.grid.n
    low, high = TONES[p.tone]
    tone = low + (high - low) * p.shade
    wall = _tint(p.warm) * np.float32(tone)
    line = np.linspace(-1, 1, n, dtype=np.float32)
    lx, ly = math.cos(light.azimuth), math.sin(light.azimuth)
    across = line[None, :] * lx + line[:, None] * ly
    fall = 1 - p.fall * (0.5 - 0.5 * across)
    away = n * 0.03
    thrown = np.roll(c.cover, (round(-ly * away), round(-lx * away)), (0, 1))
    dark = 0.32 * blur(thrown, 0.02) + 0.22 * blur(c.cover, 0.045)
    ground = wall * (fall * (1 - dark))
    edge = blur(c.cover, 0.9 / n)
    return (ground * (1 - edge) + lit * edge).clip(0, 1)


def encode(linear: Array) -> Array:
    """The sRGB transfer function (IEC 61966-2-1), [0, 1] to [0, 1]."""
    bright = 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, bright).astype(np.float32)


def _tint(warm: float) -> Array:
    return np.array([1 + warm, 1, 1 - 1.3 * warm], np.float32)[:, None, None]
