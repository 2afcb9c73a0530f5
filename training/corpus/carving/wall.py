"""The wall a carving hangs on: its colour, the pool of light on it, the shadow that is thrown."""

from __future__ import annotations

import math

import numpy as np

from training.corpus.carving.field import Array, blur, noise
from training.corpus.carving.head import Carving
from training.corpus.carving.light import LIGHT, tint
from training.corpus.dice import Dice, Table

COLOURS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "white": ((0.55, 0.55, 0.55), (0.86, 0.86, 0.86)),
    "stone": ((0.13, 0.13, 0.13), (0.40, 0.40, 0.40)),
    "black": ((0.012, 0.012, 0.012), (0.05, 0.05, 0.05)),
    "earth": ((0.20, 0.065, 0.035), (0.50, 0.29, 0.12)),
    "indigo": ((0.012, 0.022, 0.065), (0.055, 0.085, 0.17)),
}
"""Linear light, between two ends."""

GROUNDS = tuple(COLOURS)

WALL: Table = {
    "shade": (0.0, 1.0),
    "warm": (-0.03, 0.05),
    "plaster": (0.0, 0.05),  # how uneven it is
}

POOL: Table = {
    "x": (-0.9, 0.9),  # of its centre, in half frames
    "y": (-0.9, 0.5),
    "reach": (0.6, 1.6),
    "depth": (0.2, 0.9),  # how much darker it is far from the pool
    "fall": (0.0, 0.5),  # from the lit side to the other
}

THROWN: Table = {
    "distance": (0.02, 0.06),  # of the wall behind the mask, as a share of the frame
    "soft": (0.014, 0.034),
    "dark": (0.3, 0.5),
}


def hang(c: Carving, lit: Array, dice: Dice, ground: str) -> Array:
    """Put the wall behind it, with the shadow the mask throws: (3, n, n) linear in [0, 1]."""
    light = dice.roll("light", LIGHT)
    lx, ly = math.cos(light.azimuth), math.sin(light.azimuth)
    wall = _colour(c.grid.n, dice, ground) * _pool(c.grid.n, dice, lx, ly)
    wall = wall * (1 - _shadow(c, dice, lx, ly))
    edge = blur(c.cover, 0.9 / c.grid.n)
    return (wall * (1 - edge) + lit * edge).clip(0, 1)


def _colour(n: int, dice: Dice, ground: str) -> Array:
    """The wall in even light, (3, n, n)."""
    p = dice.roll("ground", WALL)
    low, high = (np.array(end, np.float32)[:, None, None] for end in COLOURS[ground])
    even = (low + (high - low) * np.float32(p.shade)) * tint(p.warm)
    return even * (1 + p.plaster * noise(dice.stream("plaster"), n, 5, octaves=3))


def _pool(n: int, dice: Dice, lx: float, ly: float) -> Array:
    """What of the light falls on the wall, (n, n) in [0, 1]."""
    p = dice.roll("pool", POOL)
    line = np.linspace(-1, 1, n, dtype=np.float32)
    x, y = line[None, :], line[:, None]
    near = np.exp(-((x - p.x) ** 2 + (y - p.y) ** 2) / p.reach**2)
    across = 0.5 - 0.5 * (x * lx + y * ly)
    return (1 - p.depth * (1 - near)) * (1 - p.fall * across)


def _shadow(c: Carving, dice: Dice, lx: float, ly: float) -> Array:
    """What the mask takes of that light, (n, n): thrown away from the key light, and around it."""
    p = dice.roll("thrown", THROWN)
    away = c.grid.n * p.distance
    thrown = np.roll(c.cover, (round(-ly * away), round(-lx * away)), (0, 1))
    return p.dark * blur(thrown, p.soft) + 0.22 * blur(c.cover, 0.045)
