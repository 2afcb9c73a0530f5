"""Stills of a piece to choose from: random ones, some that are like one that was chosen, or those
that are most like a picture from elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from installation import still
from installation.engine.enlarge import enlarged
from installation.engine.painter import Painter
from installation.engine.played import guided
from installation.engine.walk import LatentSpace
from installation.still import Shown, StillError
from models import shelf
from models.card import Card, verify
from models.latent import GUIDE, Label, Vector, composed
from training.picture import decode

log = logging.getLogger(__name__)

_COUNT = 48
_RELATIVES = 8
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
    of: Path | None = None,
    guide: Path | None = None,
    size: int | None = None,
) -> list[Path]:
    """Draw `count` stills into a folder, of the seeds from `seed` on, and name them after these.

    labels: name and value of what all of them are. each: a label of which they have one value after
    the other; then there are as many as it has values, if nothing is said. like: a still that they
    resemble, whose labels and codes they have; far, 0 to 1: how much of the way to the seed's own z
    they are (0.3, and with `each` 0; at 0 they have that one's). truncation: of random ones. of:
    any picture, of which they are the piece's relatives, nearest first, found by a search that
    begins at `seed`; 8 of them. guide: any picture, whose shape and light all of them take; the
    points that they tell are those without. size: a side's, in pixels (the piece's own).

    Raises StillError: for a label that the piece has not, a still of another training, a picture
    that cannot be read, or a file that is there already; PieceError.
    """
    if far is not None and not like:
        raise StillError("--far does nothing without --like; leave it out")
    if of and (like or each):
        raise StillError("--of goes with neither --like nor --each; leave it out, or them")
    card = verify(folder := shelf.find(piece))
    each = _label(card, each).name if each else ""
    most = _RELATIVES if of else len(_label(card, each).values) if each else _COUNT
    seeds = range(seed, seed + (count or most))
    far = (0.0 if each else _FAR) if far is None else far
    held = _held(card, labels)
    if each in held:
        raise StillError(f"--each {each} has all of its values; leave --label {each}=… out")
    seen = _seen(of, card.resolution) if of else None
    shape = _shape(guide, card) if guide else None
    points = [] if of else _points(card, seeds, truncation, held, each, like, far)
    stem = next((path.stem for path in (of, like) if path), card.name)
    paths = [out / f"{stem}-{number:05}.png" for number in seeds]
    try:
        _make_room(out, paths)
        painter = Painter(folder)
        if seen is not None:
            points = _relatives(painter, seen, len(seeds), seed, truncation, held)
        pictures = _painted(painter, points, shape)
        with tqdm(total=len(points), unit="still", delay=2, disable=None) as bar:
            for path, point, picture in zip(paths, points, pictures, strict=True):
                if size is not None:
                    picture = enlarged(picture, size, painter.upscaler)
                still.save(path, picture, Shown(card, point))
                bar.update()
    except OSError as error:
        raise StillError(f"{out} cannot be written: {error.strerror or error}") from error
    return paths


def _painted(
    painter: Painter, points: Sequence[Vector], shape: Vector | None
) -> Iterator[NDArray[np.uint8]]:
    """The pictures of some points, (S, S, 3) each, which follow a shape."""
    painter.to_host, width = True, painter.card.latent.width
    for at in range(0, len(points), _TOGETHER):
        some = points[at : at + _TOGETHER]
        follow = some if shape is None else [guided(p, width, shape) for p in some]
        yield from np.asarray(painter.paint(np.stack(follow)))[..., :3]


def _make_room(out: Path, paths: Iterable[Path]) -> None:
    """A folder in which these names are free. Before any work, which may take minutes."""
    still.make_folder(out)
    for path in paths:
        if path.exists():
            raise StillError(f"{path} is there already: name another folder, or another --seed")


def _points(
    card: Card,
    seeds: Iterable[int],
    truncation: float,
    held: Mapping[str, Vector],
    each: str,
    like: Path | None,
    far: float,
) -> list[Vector]:
    space = LatentSpace(card.latent)
    random = [space.seed(number) for number in seeds]
    points = [space.blend(point, point, 0, truncation) for point in random]
    if like is not None:
        try:
            told = still.read(like)
            one = told.point(card.latent)
        except StillError as error:
            raise StillError(f"{like}: {error}") from error
        if told.piece != card.name:
            log.warning(
                "%s shows %s, and not %s: it says something only where one was trained from the "
                "other", like, told.piece, card.name,
            )  # fmt: skip
        points = [space.wear(space.blend(one, point, far), one) if far else one for point in points]
    for name, shares in held.items():
        points = [space.label(point, name, shares) for point in points]
    if each:
        alone = np.eye(len(_label(card, each).values))
        points = [space.label(p, each, alone[k % len(alone)]) for k, p in enumerate(points)]
    return points


def _held(card: Card, labels: Iterable[tuple[str, str]]) -> dict[str, Vector]:
    """Shares of the labels that all of them have."""
    held: dict[str, Vector] = {}
    for called, value in labels:
        label = _label(card, called)
        name, known = label.name, label.values
        value = composed(value)
        if value not in known:
            raise StillError(f"{card.name}: {name} is never {value!r}, but {', '.join(known)}")
        if name in held:
            before = known[int(held[name].argmax())]
            raise StillError(f"{name} is both {before} and {value}; leave one --label out")
        held[name] = np.eye(len(known), dtype=np.float32)[known.index(value)]
    return held


def _seen(path: Path, side: int) -> NDArray[np.uint8]:
    """The middle of a picture, (side, side, 3), as a training would see it."""
    try:
        return decode(path.read_bytes(), side, "crop")
    except OSError as error:
        raise StillError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise StillError(f"{path} {error}") from error


def _shape(path: Path, card: Card) -> Vector:
    """The middle of a picture as a guide."""
    if not card.guided:
        raise StillError(
            f"{card.name} has not learned to follow a guide; `installation train` teaches it, with "
            f"--recipe guide --from {card.name}"
        )
    from models.guide import guide_of  # torch

    return guide_of(_seen(path, 4 * GUIDE))


def _relatives(
    painter: Painter, seen: NDArray[np.uint8], count: int, seed: int, truncation: float,
    held: Mapping[str, Vector],
) -> list[Vector]:  # fmt: skip
    from installation.engine import likeness  # torch

    with tqdm(total=likeness.STEPS, unit="step", desc="looking", delay=2, disable=None) as bar:
        points, far = likeness.nearest(
            painter.generator, painter.card.latent, seen, count,
            seed=seed, truncation=truncation, held=held, progress=bar.update,
        )  # fmt: skip
    log.info("the nearest one differs by %.0f %% of what a random one does", 100 * far[0])
    return list(points)


def _label(card: Card, name: str) -> Label:
    """By its name, however its accents are typed."""
    known = {label.name: label for label in card.latent.labels}
    if composed(name) not in known:
        raise StillError(f"{card.name} has no label {name!r}; it has {', '.join(known) or 'none'}")
    return known[composed(name)]
