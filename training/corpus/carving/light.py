"""Light on the carving: from height and colour to linear light, and to an sRGB picture."""

from __future__ import annotations

import math

import numpy as np

from training.corpus.carving.field import Array, blur, ramp
from training.corpus.carving.head import Carving
from training.corpus.dice import Dice, Table

LIGHT: Table = {
    "azimuth": (-2.7, -0.44),  # radians; -pi/2 is straight from above, then left and right of it
    "rise": (0.55, 1.0),  # radians above the wall's plane
    "key": (1.9, 2.6),
    "fill": (0.35, 0.7),
    "warm": (-0.05, 0.08),
    "shadow": (0.55, 0.85),
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
    sun = tint(p.warm)
    sky = tint(-p.warm)
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


def encode(linear: Array) -> Array:
    """The sRGB transfer function (IEC 61966-2-1), [0, 1] to [0, 1]."""
    bright = 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, bright).astype(np.float32)


def tint(warm: float) -> Array:
    """(3, 1, 1) factors of a light that is warm above 0 and cool below."""
    return np.array([1 + warm, 1, 1 - 1.3 * warm], np.float32)[:, None, None]
