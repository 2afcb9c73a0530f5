"""A way through a piece: others, alike ones, and other labels, codes and directions of one."""

from __future__ import annotations

import io
import itertools
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from installation import still
from installation.engine.painter import Painter
from installation.engine.walk import LatentSpace
from installation.log import Complaints
from installation.still import Shown, StillError
from models.latent import Vector

log = logging.getLogger(__name__)

_TOGETHER = 16  # shown at once, and painted
_REMEMBERED = 1 << 14  # points that can be gone back to; a kilobyte each
_PICTURES = 512  # PNGs at hand; others are painted anew
_STEPS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)  # along a direction, as far as its fader goes
_VALUES = (-1.0, -0.5, 0.0, 0.5, 1.0)  # of a continuous code


@dataclass(frozen=True)
class Candidate:
    """One that can be chosen. number: by which it is asked for. says: what tells it from the others
    that are shown with it; now: it is as the one is that they vary; ours: it was kept here, and
    can be taken back."""

    number: int
    says: str = ""
    now: bool = False
    ours: bool = False


class Choice:
    """What is shown, by number, and what is kept of it in a folder of stills.

    Not to be used by two threads at once. truncation: of random ones; what comes of one is as long
    as that is. Raises StillError for what is not there.
    """

    def __init__(
        self, painter: Painter, out: Path, *, seed: int = 0, truncation: float = 0.8
    ) -> None:
        self.card, self.out = painter.card, out
        self._painter, self._truncation = painter, truncation
        self._space = LatentSpace(self.card.latent)
        self._seeds, self._numbers = itertools.count(seed), itertools.count(1)
        self._points: OrderedDict[int, Vector] = OrderedDict()
        self._pictures: OrderedDict[int, bytes] = OrderedDict()
        self._files: dict[str, int] = {}  # of the stills that were looked at, or kept here
        self._ours: set[str] = set()  # kept here
        self._complaints = Complaints(log)

    def describe(self) -> dict[str, Any]:
        """The piece, and what of it can be varied."""
        latent = self.card.latent
        return {
            "title": self.card.title or self.card.name,
            "folder": str(self.out),
            "labels": [label.name for label in latent.labels],
            "codes": [code.name for code in latent.codes],
            "directions": len(self.card.directions),
        }

    def others(self) -> list[Candidate]:
        """Random ones, others with each call."""
        return self._offer(self._random())

    def alike(self, number: int, far: float) -> list[Candidate]:
        """Some with the labels and codes of one, and its z as far as `far` lets it, 0 to 1."""
        space, one = self._space, self._point(number)
        points = [space.wear(space.blend(one, point, far), one) for point in self._random()]
        return self._offer(points)

    def label(self, number: int, name: str) -> list[Candidate]:
        """One with each value of a label."""
        values = {label.name: label.values for label in self.card.latent.labels}.get(name)
        if values is None:
            raise StillError(f"{self.card.name} has no label {name!r}")
        one = self._point(number)
        points = [self._space.label(one, name, alone) for alone in np.eye(len(values))]
        return self._offer(points, values, self._most(one, name))

    def code(self, number: int, name: str) -> list[Candidate]:
        """One with each value of a code, or some of them."""
        found = {code.name: code for code in self.card.latent.codes}.get(name)
        if found is None:
            raise StillError(f"{self.card.name} has no code {name!r}")
        one = self._point(number)
        if found.kind == "continuous":
            points = [self._space.code(one, name, value) for value in _VALUES]
            return self._offer(points, [f"{value:+.1f}" for value in _VALUES])
        points = [self._space.code(one, name, alone) for alone in np.eye(found.size)]
        says = [str(k + 1) for k in range(found.size)]
        return self._offer(points, says, self._most(one, name))

    def direction(self, number: int, way: int) -> list[Candidate]:
        """One, and moved along a direction, from 1, to both sides."""
        if not 1 <= way <= len(self.card.directions):
            raise StillError(f"{self.card.name} has no direction {way}")
        one, z = self._point(number), self.card.latent.z
        along = np.zeros_like(one)
        along[:z] = self.card.directions[way - 1]
        points = []
        for step in _STEPS:
            moved = one + np.float32(step) * along
            moved[:z] *= np.linalg.norm(one[:z]) / (np.linalg.norm(moved[:z]) or 1.0)
            points.append(moved)
        says = [f"{step:+.0f}" if step else "0" for step in _STEPS]
        return self._offer(points, says, _STEPS.index(0))

    def picture(self, number: int) -> bytes:
        """A PNG of one."""
        if number not in self._pictures:
            self._paint([(number, self._point(number))])
        return self._pictures[number]

    def keep(self, number: int) -> Candidate:
        """Save one as a still into the folder, which is made anew if somebody has taken it away;
        says: the file's name."""
        point = self._point(number)
        picture = np.asarray(self._painter.paint(point[None]))[0, ..., :3]
        names = (f"{self.card.name}-{k:05}.png" for k in itertools.count(1))
        still.make_folder(self.out)
        try:
            taken = {path.name for path in self.out.iterdir()}
            name = next(one for one in names if one not in taken)
            still.save(self.out / name, picture, Shown(self.card, point))
        except OSError as error:
            raise StillError(f"{self.out} cannot be written: {error.strerror or error}") from error
        self._files[name] = number
        self._ours.add(name)
        return Candidate(number, name)

    def drop(self, name: str) -> None:
        """Take one back that was kept here, and may be gone already. What was in the folder before
        stays: it is a file of somebody's."""
        if name not in self._ours:
            raise StillError(f"{name} was there before: take it away in a file manager")
        try:
            (self.out / name).unlink(missing_ok=True)
        except OSError as error:
            why = error.strerror or error
            raise StillError(f"{name} cannot be taken away: {why}") from error
        self._files.pop(name, None)

    def kept(self) -> list[Candidate]:
        """The stills of this piece that are in the folder, by name; a file that is none is said,
        and looked at again the next time: it may not have been whole."""
        for path in still.pictures(self.out):
            if path.name in self._files:
                continue
            self._ours.discard(path.name)  # of ours that was taken away somebody has the name
            try:
                told = still.read(path)
                if told.piece == self.card.name:
                    point = told.point(self.card.latent)
                    self._files[path.name] = self._remember(point)
            except StillError as error:
                fault = f"{path} is left out: {error}"
                self._complaints.once(fault, partial(str, fault))
        there = {name: number for name, number in self._files.items() if (self.out / name).exists()}
        self._files = there
        return [
            Candidate(number, name, ours=name in self._ours)
            for name, number in sorted(there.items())
        ]

    def _random(self) -> list[Vector]:
        found = [self._space.seed(next(self._seeds)) for _ in range(_TOGETHER)]
        return [self._space.blend(one, one, 0, self._truncation) for one in found]

    def _most(self, point: Vector, name: str) -> int:
        """Which value of a label, or of a categorical code, a point has most of."""
        return int(point[self.card.latent.slices()[name]].argmax())

    def _offer(
        self, points: Sequence[Vector], says: Sequence[str] = (), now: int = -1
    ) -> list[Candidate]:
        """Painted, and by numbers. says, now: as of Candidate, and which of them it is."""
        for kept in self._points.keys() & self._files.values():  # these are seen all the time
            self._points.move_to_end(kept)
        numbers = [self._remember(point) for point in points]
        self._paint(list(zip(numbers, points, strict=True)))
        texts = says or [""] * len(points)
        return [Candidate(n, texts[k], k == now) for k, n in enumerate(numbers)]

    def _remember(self, point: Vector) -> int:
        number = next(self._numbers)
        self._points[number] = point
        while len(self._points) > _REMEMBERED:
            self._points.popitem(last=False)
        return number

    def _point(self, number: int) -> Vector:
        if number not in self._points:
            raise StillError("that one is forgotten, it was so long ago; choose another")
        self._points.move_to_end(number)
        return self._points[number]

    def _paint(self, points: Sequence[tuple[int, Vector]]) -> None:
        for at in range(0, len(points), _TOGETHER):
            some = points[at : at + _TOGETHER]
            pictures = np.asarray(self._painter.paint(np.stack([point for _, point in some])))
            for (number, _), picture in zip(some, pictures, strict=True):
                file = io.BytesIO()
                Image.fromarray(picture[..., :3]).save(file, "PNG", compress_level=1)
                self._pictures[number] = file.getvalue()
        while len(self._pictures) > _PICTURES:
            self._pictures.popitem(last=False)
