"""Height fields on a square grid: coordinates, noise, blur and the few shapes all parts share.

Blur and noise are products with small banded matrices, `B @ field @ B.T`: exact at the border,
and faster in numpy than a convolution at the sizes a corpus is drawn at.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Grid:
    """A square window on the mask, `n` pixels a side.

    The mask's own space has the head's centre at the origin, the head from y = -1 (crown) to
    y = 1 (chin), y downwards. The window is centred on (cx, cy), `half` from centre to border,
    and rolled by `roll` radians.
    """

    def __init__(
        self, n: int, half: float, cx: float = 0.0, cy: float = 0.0, roll: float = 0.0
    ) -> None:
        self.n = n
        self.half = half
        self.px = 2 * half / n
        line = ((np.arange(n, dtype=np.float32) + 0.5) / n * 2 - 1) * np.float32(half)
        u, v = line[None, :], line[:, None]
        c, s = math.cos(roll), math.sin(roll)
        self.x: Array = c * u + s * v + cx  # (n, n)
        self.y: Array = -s * u + c * v + cy  # (n, n)


@lru_cache(maxsize=64)
def _blur_matrix(n: int, sigma: float) -> Array:
    """(n, n) Gaussian of `sigma` pixels whose rows sum to one."""
    i = np.arange(n, dtype=np.float64)
    m = np.exp(-0.5 * ((i[:, None] - i[None, :]) / sigma) ** 2)
    return (m / m.sum(1, keepdims=True)).astype(np.float32)


@lru_cache(maxsize=128)
def _lift_matrix(n: int, knots: int) -> Array:
    """(n, knots) cubic B-spline weights that spread `knots` lattice values over n pixels."""
    at = np.linspace(0.5, knots - 1.5, n)[:, None] if knots > 2 else np.linspace(0, 1, n)[:, None]
    d = np.abs(at - np.arange(knots)[None, :])
    near = 2 / 3 - d**2 + d**3 / 2
    far = (2 - d).clip(0) ** 3 / 6
    m = np.where(d < 1, near, far)
    return (m / m.sum(1, keepdims=True)).astype(np.float32)


def blur(field: Array, sigma: float) -> Array:
    """Gaussian blur; `sigma` is a share of the field's side, e.g. 0.01."""
    m = _blur_matrix(field.shape[0], round(max(sigma * field.shape[0], 0.3), 3))
    return m @ field @ m.T


def noise(rng: np.random.Generator, n: int, fx: int, fy: int | None = None, octaves: int = 1) -> Array:
    """(n, n) smooth noise, about unit variance, with fx by fy knots over the frame.

    Different fx and fy give a direction: many knots across and few along are wood fibre.
    """
    fy = fx if fy is None else fy
    total = np.zeros((n, n), np.float32)
    for octave in range(octaves):
        kx, ky = (fx << octave) + 3, (fy << octave) + 3
        lattice = rng.standard_normal((ky, kx), np.float32)
        total += (_lift_matrix(n, ky) @ lattice @ _lift_matrix(n, kx).T) * (2.0 * 0.5**octave)
    return total


def ramp(low: float, high: float, field: Array) -> Array:
    """Smoothstep: 0 at `low`, 1 at `high` (either way round)."""
    t = ((field - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def smooth_max(a: Array, b: Array, k: float) -> Array:
    """Maximum with a fillet of radius k where the two meet (Quilez's polynomial blend)."""
    h = (0.5 + 0.5 * (a - b) / k).clip(0, 1)
    return b * (1 - h) + a * h + k * h * (1 - h)


def ellipse(x: Array, y: Array, cx: float, cy: float, rx: float, ry: float, p: float = 2.0) -> Array:
    """1 at the centre, 0 on the border of a superellipse, negative outside."""
    u, v = np.abs(x - cx) / rx, np.abs(y - cy) / ry
    if p == 2.0:
        return 1 - u * u - v * v
    return 1 - u**p - v**p


def hill(x: Array, y: Array, cx: float, cy: float, rx: float, ry: float) -> Array:
    """A Gaussian hill, 1 at the centre."""
    return np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2)


def root(field: Array) -> Array:
    """The square root of the positive part: turns an ellipse into a half ellipsoid."""
    return np.sqrt(np.maximum(field, 0))


def arc(
    x: Array, y: Array, start: tuple[float, float], heading: float, turn: float, length: float
) -> tuple[Array, Array]:
    """Coordinates along and across a circular arc, for horns, leaves and braids.

    heading: radians from straight up, positive towards +x. turn: radians turned on the way.
    Returns t, 0 at the start and 1 at the end, and the distance across in the grid's units.
    """
    sign = math.copysign(1.0, turn)
    total = max(abs(turn), 0.04)
    radius = length / total
    dx, dy = math.sin(heading), -math.cos(heading)
    nx, ny = -dy, dx
    vx = x - (start[0] + sign * radius * nx)
    vy = y - (start[1] + sign * radius * ny)
    angle = np.arctan2(vx * dx + vy * dy, -sign * (vx * nx + vy * ny))
    middle = total / 2
    angle = (angle - middle + math.pi) % (2 * math.pi) - math.pi + middle
    return angle / total, np.sqrt(vx * vx + vy * vy) - radius
