"""Drawn pictures for training an upscaler: edges, curves, strokes, marks, gradients, textures.

Everything is painted at three times the size and averaged down, so that a picture holds what a
camera or a careful renderer would: antialiased edges, and no detail finer than its pixels. No
photograph, font or other person's image is involved.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Picture = NDArray[np.float32]  # (H, W, 3), sRGB-encoded, [0, 1]
Colour = tuple[int, int, int]
_OVER = 3  # supersampling


def draw(count: int, size: int, seed: int = 0) -> NDArray[np.uint8]:
    """Draw `count` pictures: (count, size, size, 3) uint8. The same seed draws the same."""
    return np.stack([_draw_one(size, np.random.default_rng((seed, k))) for k in range(count)])


def _draw_one(size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    side = size * _OVER
    palette = _palette(rng)
    picture = _ground(side, palette, rng)
    for _ in range(rng.integers(3, 11)):
        mask = Image.new("L", (side, side))
        paint = _SHAPES[rng.choice(len(_SHAPES), p=_ODDS)]
        paint(ImageDraw.Draw(mask), side, rng)
        mask = _out_of_focus(mask, rng)
        alpha = np.asarray(mask, np.float32)[..., None] / 255 * rng.choice((1, 1, 1, 0.6))
        picture += alpha * (_fill(side, palette, rng) - picture)
    if rng.random() < 0.2:
        picture *= 1 + rng.uniform(0.03, 0.2) * _noise(side, rng.uniform(20, 90), rng)[..., None]
    picture = picture.reshape(size, _OVER, size, _OVER, 3).mean((1, 3))
    return np.round(picture.clip(0, 1) * 255).astype(np.uint8)


def _out_of_focus(mask: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Half of all shapes as sharp as pixels are, the others up to some pixels away from it: who
    has seen sharp edges alone sharpens what a lens left soft."""
    if rng.random() < 0.5:
        return mask
    return mask.filter(ImageFilter.GaussianBlur(_OVER * 2 ** rng.uniform(-1.5, 1.5)))


def _palette(rng: np.random.Generator) -> Picture:
    """(5, 3): a few colours around one tone, with black or white among them."""
    tone = rng.uniform(0.1, 0.9, 3)
    colours = (tone + rng.normal(0, rng.uniform(0.05, 0.4), (5, 3))).clip(0, 1)
    if rng.random() < 0.7:
        colours[0] = rng.choice((0.02, 0.97))
    if rng.random() < 0.2:
        colours[:] = colours.mean(1, keepdims=True)
    return colours.astype(np.float32)


def _noise(side: int, cells: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(side, side) of smooth noise about 0, `cells` lumps across, with two finer octaves."""
    total = np.zeros((side, side), np.float32)
    for octave in range(3):
        n = min(side, max(2, int(cells * 2**octave)))
        grid = Image.fromarray(rng.standard_normal((n, n), np.float32))
        total += np.asarray(grid.resize((side, side), Image.Resampling.BICUBIC)) / 2**octave
    return total / 1.5


def _gradient(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(side, side) in [0, 1]: linear, round, or a lit bulge."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * math.pi)
        ramp = (x - 0.5) * math.cos(angle) + (y - 0.5) * math.sin(angle)
        return (ramp * rng.uniform(0.7, 4) + 0.5).clip(0, 1)
    cx, cy = rng.random(2)
    return (np.hypot(x - cx, y - cy) * rng.uniform(0.8, 4)).clip(0, 1) ** rng.uniform(0.5, 2)


def _fill(side: int, palette: Picture, rng: np.random.Generator) -> Picture:
    """What a shape is painted with: (side, side, 3)."""
    a, b = palette[rng.choice(5, 2, replace=False)]
    kind = rng.choice(4, p=(0.45, 0.35, 0.12, 0.08))
    if kind == 0:
        return np.broadcast_to(a, (side, side, 3))
    if kind == 1:
        t = _gradient(side, rng)
    elif kind == 2:
        t = (_noise(side, 2 ** rng.uniform(1, 5.5), rng) * 0.5 + 0.5).clip(0, 1)
    else:
        t = _weave(side, rng)
    return a + t[..., None] * (b - a)


def _weave(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Stripes, checks or dots with hard or soft edges: (side, side) in [0, 1]."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    angle = rng.uniform(0, math.pi)
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    f = 2 * math.pi * rng.uniform(6, 30)
    wave = np.sin(u * f + rng.uniform(0, 3) * np.sin(v * f / rng.uniform(2, 8)))
    if rng.random() < 0.5:
        wave = wave * np.sin(v * f)
    return (wave * rng.choice((0.5, 2, 30)) + 0.5).clip(0, 1)


def _ground(side: int, palette: Picture, rng: np.random.Generator) -> Picture:
    return np.array(_fill(side, palette, rng))


def _curve(
    side: int, rng: np.random.Generator, points: int, reach: float
) -> list[tuple[float, float]]:
    """A smooth open curve through a few random places (Catmull-Rom spline)."""
    start = rng.random(2)
    knots = start + np.cumsum(rng.normal(0, reach, (points + 2, 2)), 0)
    t = np.linspace(0, 1, 24, endpoint=False)[:, None]
    line = []
    for p0, p1, p2, p3 in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        bend = 2 * p0 - 5 * p1 + 4 * p2 - p3
        line.append(
            0.5 * (2 * p1 + (p2 - p0) * t + bend * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
        )
    return [(float(x), float(y)) for x, y in np.concatenate(line) * side]


def _blob(pen: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    """A closed round outline, sometimes only its line."""
    angles = np.linspace(0, 2 * math.pi, 120, endpoint=False)
    radius = np.full(120, 1.0)
    for k in range(1, 6):
        radius += rng.normal(0, 0.25 / k) * np.cos(k * angles + rng.uniform(0, 6.3))
    rx, ry = rng.uniform(0.05, 0.4, 2) * side
    cx, cy = rng.uniform(0, 1, 2) * side
    outline = np.stack([cx + rx * radius * np.cos(angles), cy + ry * radius * np.sin(angles)], 1)
    points = [(float(x), float(y)) for x, y in outline]
    if rng.random() < 0.65:
        pen.polygon(points, fill=255)
    else:
        pen.line([*points, points[0]], fill=255, width=_width(rng), joint="curve")


def _polygon(pen: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    centre, reach = rng.random(2), rng.uniform(0.05, 0.5)
    corners = (centre + rng.uniform(-reach, reach, (rng.integers(3, 7), 2))) * side
    pen.polygon([(float(x), float(y)) for x, y in corners], fill=255)


def _width(rng: np.random.Generator) -> int:
    """A stroke's width in supersampled pixels: from a hair to a brush."""
    return max(2, int(_OVER * 2 ** rng.uniform(-0.3, 3.3)))


def _strokes(pen: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    width = _width(rng)
    for _ in range(rng.integers(1, 7)):
        points = _curve(side, rng, int(rng.integers(2, 6)), rng.uniform(0.03, 0.25))
        pen.line(points, fill=255, width=width, joint="curve")


def _strands(pen: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    """Hair, raffia, hatching: many nearly parallel lines."""
    angle, length = rng.uniform(0, 2 * math.pi), rng.uniform(0.1, 0.6) * side
    origin, spread = rng.random(2) * side, rng.uniform(0.05, 0.3) * side
    bend, width = rng.normal(0, 0.4), max(2, _width(rng) // 2)
    for _ in range(rng.integers(15, 70)):
        x, y = origin + rng.normal(0, spread, 2)
        points = []
        for t in np.linspace(0, 1, 10):
            turn = angle + bend * t
            points.append((x + t * length * math.cos(turn), y + t * length * math.sin(turn)))
        pen.line(points, fill=255, width=width)


def _marks(pen: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    """Rows of small signs, like writing or scarification."""
    step, width = rng.uniform(0.03, 0.1) * side, max(2, _width(rng) // 2)
    x0, y0 = rng.uniform(0, 0.7, 2) * side
    for row in range(rng.integers(1, 6)):
        for column in range(rng.integers(3, 12)):
            corner = np.array([x0 + column * step, y0 + row * step * 1.4])
            joints = corner + rng.integers(0, 3, (rng.integers(2, 5), 2)) * step * 0.38
            pen.line([(float(x), float(y)) for x, y in joints], fill=255, width=width)


def _dots(pen: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    radius = _OVER * 2 ** rng.uniform(0, 4)
    for x, y in rng.random((rng.integers(5, 60), 2)) * side:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


_SHAPES: tuple[Callable[[ImageDraw.ImageDraw, int, np.random.Generator], None], ...] = (
    _blob, _polygon, _strokes, _strands, _marks, _dots,
)  # fmt: skip
_ODDS = (0.35, 0.15, 0.2, 0.12, 0.08, 0.1)
