"""Height fields on a square grid: coordinates, noise, blur and the few shapes all parts share.

One picture is drawn at a time: its arrays of some 200 by 200 floats stay in the processor's cache,
which is quicker in numpy than a batch, and image i cannot depend on the batch it came in.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
"""float32 in practice: numpy's types lose sight of it wherever a plain float takes part."""


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
    """Gaussian blur, the border repeated; `sigma` is a share of the field's side, e.g. 0.01.

    A wide one is taken at a half, quarter or eighth of the size: what it leaves has no finer
    detail to lose.
    """
    n = field.shape[0]
    pixels = max(sigma * n, 0.3)
    fold = next((f for f in (8, 4, 2) if pixels / f >= 1.2 and n % f == 0), 1)
    if fold == 1:
        return _blur_shifted(field, pixels)
    m = n // fold
    small = _blur_shifted(field.reshape(m, fold, m, fold).mean((1, 3)), pixels / fold)
    up = _stretch_matrix(n, m)
    return up @ small @ up.T


def _blur_shifted(field: Array, sigma: float) -> Array:
    """Separable Gaussian as a sum of shifted copies, for a sigma of few pixels."""
    reach = max(1, math.ceil(2.5 * sigma))
    weights = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(reach + 1)]
    total = weights[0] + 2 * sum(weights[1:])
    n = field.shape[0]
    for _ in range(2):  # along rows, transposed, twice: both directions and the right way round
        wide = np.pad(field, ((reach, reach), (0, 0)), mode="edge")
        out = wide[reach : reach + n] * (weights[0] / total)
        for i in range(1, reach + 1):
            pair = wide[reach - i : reach - i + n] + wide[reach + i : reach + i + n]
            pair *= weights[i] / total
            out += pair
        field = np.ascontiguousarray(out.T)
    return field


@lru_cache(maxsize=64)
def _stretch_matrix(n: int, m: int) -> Array:
    """(n, m) linear interpolation from m pixel centres to n."""
    at = ((np.arange(n) + 0.5) * m / n - 0.5).clip(0, m - 1)[:, None]
    return (1 - np.abs(at - np.arange(m)[None, :])).clip(0).astype(np.float32)


def noise(
    rng: np.random.Generator, n: int, fx: int, fy: int | None = None, octaves: int = 1
) -> Array:
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


def ellipse(
    x: Array, y: Array, cx: float, cy: float, rx: float, ry: float, p: float = 2.0
) -> Array:
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
