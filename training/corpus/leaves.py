"""Dead leaves: shapes of every size that hide one another, drawn by code alone.

The simplest pictures that share the statistics of photographs: occlusion, edges of every contrast,
and the same look at every scale, since radii follow 1 / r³ (Lee, Mumford and Huang 2001). Networks
that restore photographs learn on them nearly as well as on photographs (Achddou, Gousseau and
Ladjal 2023). Leaves are tinted, lit from a side; some carry a texture with a power-law spectrum.

Painted at three times the size and averaged down, as training.corpus.shapes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Plane = NDArray[np.float32]  # (side, side)
_OVER = 3  # supersampling
_LAYERS = 2.5  # how often the leaves would cover the picture: little of the ground is left
_MOST = 12_000  # leaves in a picture
_TEXTURES = 3  # different ones in a picture


def draw(count: int, size: int, seed: int = 0) -> NDArray[np.uint8]:
    """Draw `count` pictures: (count, size, size, 3) uint8. The same seed draws the same."""
    return np.stack([_draw_one(size, np.random.default_rng((seed, k))) for k in range(count)])


def _draw_one(size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    side = size * _OVER
    leaf = _scatter(side, rng)  # which leaf each pixel shows
    count = int(leaf.max()) + 1
    tint = _tints(count, rng)
    picture = tint[leaf]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    slope = rng.normal(0, rng.uniform(0, 0.5), (2, count)).astype(np.float32)
    middle = rng.random((2, count), np.float32)
    light = slope[0, leaf] * (x - middle[0, leaf]) + slope[1, leaf] * (y - middle[1, leaf])
    kind = rng.integers(2 * _TEXTURES, size=count)  # half of the leaves are smooth
    depth = rng.uniform(0, 0.12, count).astype(np.float32)
    for index in range(_TEXTURES):
        light += np.where(kind[leaf] == index, depth[leaf], 0) * texture(side, rng)
    picture = picture * (1 + light[..., None])
    small = picture.reshape(size, _OVER, size, _OVER, 3).mean((1, 3))
    made = Image.fromarray(np.round(small.clip(0, 1) * 255).astype(np.uint8))
    if rng.random() < 0.25:  # a lens is never quite sharp
        made = made.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.8)))
    return np.array(made)


def _scatter(side: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """The picture as numbers of leaves; later ones lie on top, 0 is the ground."""
    smallest = _OVER * 2 ** rng.uniform(-0.7, 3)
    radii = _radii(side, smallest, side * rng.uniform(0.08, 0.45), rng)
    image = Image.new("I", (side, side))
    pen = ImageDraw.Draw(image)
    form = rng.choice(3, p=(0.5, 0.3, 0.2))  # discs, anything, blades
    for number, radius in enumerate(radii, start=1):
        cx, cy = rng.random(2) * side
        if form == 0:
            pen.ellipse((cx - radius, cy - radius, cx + radius, cy + radius), fill=number)
            continue
        corners = int(rng.integers(3, 7)) if form == 1 else 4
        flat = rng.uniform(0.3, 1) if form == 1 else rng.uniform(0.04, 0.25)
        pen.polygon(_polygon(cx, cy, radius, flat, corners, rng), fill=number)
    return np.asarray(image, np.int32)


def _radii(side: int, smallest: float, largest: float, rng: np.random.Generator) -> Plane:
    """Radii with density 1 / r³, as many as cover the picture a few times."""
    mean_square = 2 * smallest**2 * math.log(largest / smallest)  # of r, nearly
    count = min(_MOST, int(_LAYERS * side**2 / (math.pi * mean_square)) + 1)
    share = rng.random(count) * (1 - (smallest / largest) ** 2)
    return (smallest / np.sqrt(1 - share)).astype(np.float32)


def _polygon(
    cx: float, cy: float, radius: float, flat: float, corners: int, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """A flattened, turned polygon about a place."""
    turn, start = rng.uniform(0, 2 * math.pi, 2)
    found = []
    for k in range(corners):
        angle = start + 2 * math.pi * k / corners
        u, v = radius * math.cos(angle), flat * radius * math.sin(angle)
        x, y = u * math.cos(turn) - v * math.sin(turn), u * math.sin(turn) + v * math.cos(turn)
        found.append((cx + x, cy + y))
    return found


def _tints(count: int, rng: np.random.Generator) -> Plane:
    """(count, 3): brightness differs much from leaf to leaf, hue little, as in photographs."""
    bright = rng.beta(rng.uniform(0.6, 2), rng.uniform(0.6, 2), (count, 1))
    hue = rng.normal(0, rng.uniform(0.02, 0.15), (1, 3)) + rng.normal(
        0, rng.uniform(0.01, 0.12), (count, 3)
    )
    return (bright + hue).clip(0.01, 0.99).astype(np.float32)


def texture(side: int, rng: np.random.Generator) -> Plane:
    """(side, side) about 0, deviation 1: noise with a spectrum of 1 / f^a, a from 1 to 2.5."""
    f = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    f[0, 0] = 1
    finest = 0.5 / _OVER  # nothing finer than the picture's own pixels
    amplitude = f ** -rng.uniform(1, 2.5) * (f < finest)
    amplitude[0, 0] = 0
    phase = rng.standard_normal(f.shape) + 1j * rng.standard_normal(f.shape)
    found = np.fft.irfft2(amplitude * phase, s=(side, side))
    return (found / found.std()).astype(np.float32)
