"""Stills of a piece to choose from: random ones, or some that are like one that was chosen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from installation import still
from installation.engine.painter import Painter
from installation.engine.walk import LatentSpace
from installation.still import Shown, StillError
from models import shelf
from models.card import Card, verify
from models.latent import Vector

_COUNT = 48
_FAR = 0.3
_TOGETHER = 16  # pictures that are drawn at once


def draw(
    piece: str,
    out: Path,
    *,
    count: int | None = None,
    seed: int = 0,
    truncation: float = 0.8,
    labels: Iterable[tuple[str, str]] = (),
    each: str = "",
    like: Path | None = None,
    far: float | None = None,
) -> list[Path]:
    """Draw `count` stills into a folder, of the seeds from `seed` on, and name them after these.

    labels: name and value of what all of them are. each: a label of which they have one value after
    the other; then there are as many as it has values, if nothing is said. like: a still that they
    resemble, whose labels and codes they have; far, 0 to 1: how much of the way to the seed's own z
    they are (0.3, and with `each` 0).

    Raises StillError: for a label that the piece has not, a still of another training, or a file
    that is there already; PieceError.
    """
    folder = shelf.find(piece)
    card = verify(folder)
    most = len(_values(card, each)) if each else _COUNT
    seeds = range(seed, seed + (count or most))
    if far is None:
        far = 0.0 if each else _FAR
    points = _points(card, seeds, truncation, labels, each, like, far)
    stem = card.name if like is None else like.stem
    paths = [out / f"{stem}-{number:05}.png" for number in seeds]
    for path in paths:
        if path.exists():
            raise StillError(f"{path} is there already: name another folder, or another --seed")
    painter = Painter(folder)
    painter.to_host = True
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tqdm(total=len(points), unit="still", delay=2, disable=None) as bar:
            for at in range(0, len(points), _TOGETHER):
                some = points[at : at + _TOGETHER]
                pictures = np.asarray(painter.paint(np.stack(some)))
                for path, point, picture in zip(paths[at:], some, pictures, strict=False):
                    still.save(path, picture[..., :3], Shown(card, point))
                    bar.update()
    except OSError as error:
        raise StillError(f"{out} cannot be written: {error.strerror or error}") from error
    return paths


def _points(
    card: Card,
    seeds: Iterable[int],
    truncation: float,
    labels: Iterable[tuple[str, str]],
    each: str,
    like: Path | None,
    far: float,
) -> list[Vector]:
    space = LatentSpace(card.latent)
    points = [space.seed(number) for number in seeds]
    if like is not None:
        try:
            one = still.read(like).point(card.latent)
        except StillError as error:
            raise StillError(f"{like}: {error}") from error
        points = [space.wear(space.blend(one, point, far), one) for point in points]
    for name, value in labels:
        known = _values(card, name)
        if value not in known:
            raise StillError(f"{card.name}: {name} is never {value!r}, but {', '.join(known)}")
        alone = np.eye(len(known))[known.index(value)]
        points = [space.label(point, name, alone) for point in points]
    if each:
        alone = np.eye(len(_values(card, each)))
        points = [space.label(p, each, alone[k % len(alone)]) for k, p in enumerate(points)]
    return [space.blend(point, point, 0, truncation) for point in points]


def _values(card: Card, name: str) -> tuple[str, ...]:
    """Of a label."""
    known = {label.name: label.values for label in card.latent.labels}
    if name not in known:
        raise StillError(f"{card.name} has no label {name!r}; it has {', '.join(known) or 'none'}")
    return known[name]
