"""Points as they are played: their own numbers, those of a guide, if they follow one, and those by
which they bend the generator, as models.latent says. numpy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.latent import GUIDE, Vector, more


def split(point: Vector, width: int) -> tuple[Vector, Vector, Vector]:
    """Its own numbers, so many; a guide's, GUIDE² or none; and five for each bend."""
    guided, _ = more(len(point) - width)
    bends = width + guided * GUIDE**2
    return point[:width], point[width:bends], point[bends:]


def guided(point: Vector, width: int, guide: Vector, keeps: float = 1.0) -> Vector:
    """The point with one more guide, and so much of what it followed before."""
    own, before, bends = split(point, width)
    followed = keeps * before + guide if len(before) else guide
    return np.concatenate([own, followed, bends]).astype(np.float32, copy=False)


def alike(points: Sequence[Vector], width: int) -> Vector:
    """Points as rows of one length: zeros where one has no guide, or fewer bends than another. Such
    a guide is not followed, and such a bend moves nothing."""
    parts = [split(point, width) for point in points]
    sizes = [max(map(len, kind)) for kind in zip(*parts, strict=True)]
    rows = np.zeros((len(points), sum(sizes)), np.float32)
    for row, point in zip(rows, parts, strict=True):
        for start, part in zip(np.cumsum([0, *sizes]), point, strict=False):
            row[start : start + len(part)] = part
    return rows
