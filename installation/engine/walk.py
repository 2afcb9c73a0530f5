"""Walks through a piece's latent space. numpy only: a scene can walk before torch has loaded.

A point is the flat vector the generator is fed, z ⊕ labels ⊕ codes. Every seed is a whole point, so
a walk carries its labels and codes along; the room's faders are laid over it by `steer`.

z is kept at the length that random z have: a straight mean of two would be too near the centre,
where everything looks average (White 2016, "Sampling Generative Networks").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from installation.engine.played import guided
from installation.names import slug, slugs
from installation.parameters import Bus, Param
from models.latent import BEND, GUIDE, Label, Latent, Vector

_OURS = ("code", "direction", "bend", "guide", "toward")  # under /piece, beside the labels
_DECISION = 8.0  # how clearly a loop holds one label value at a time; 0 would mix all of them


class LatentSpace:
    """The space of one piece; implements installation.scene.Space. chosen: points that are its
    seeds, over and over, in place of random ones. guided: the piece can follow a guide."""

    def __init__(
        self, latent: Latent, seed: int = 0, chosen: Sequence[Vector] = (), guided: bool = False
    ) -> None:
        self.latent, self.guided = latent, guided
        self._seed, self._chosen = seed, chosen
        self._where = latent.slices()
        # where shares stand in the vector, each label and each categorical code; and single numbers
        free = {c.name for c in latent.codes if c.kind == "continuous"}
        self.weighted = [self._where[p.name] for p in latent.parts if p.name not in free]
        self._free = [self._where[name] for name in free]

    @property
    def labels(self) -> dict[str, int]:
        return {label.name: label.width for label in self.latent.labels}

    @property
    def codes(self) -> dict[str, int]:
        return {code.name: code.width for code in self.latent.codes}

    def seed(self, seed: int) -> Vector:
        if self._chosen:
            return self._chosen[seed % len(self._chosen)].copy()
        return self.latent.sample(np.random.default_rng((self._seed, seed)), 1)[0]

    def loop(self, seed: int = 0, radius: float = 1.0) -> Loop:
        return Loop(self, seed, radius)

    def spline(self, seeds: Iterable[int]) -> Spline:
        return Spline(self, list(self._chosen) or [self.seed(seed) for seed in seeds])

    def blend(self, a: Vector, b: Vector, amount: float, truncation: float = 1.0) -> Vector:
        out = ((1 - amount) * a + amount * b).astype(np.float32)
        z = self._where["z"]
        out[z] = slerp(a[z], b[z], amount) * truncation
        return out

    def label(self, point: Vector, name: str, weights: Iterable[float]) -> Vector:
        return self._with(point, name, _shares(weights))

    def code(self, point: Vector, name: str, value: float | Iterable[float]) -> Vector:
        if isinstance(value, Iterable):
            return self._with(point, name, _shares(value))
        return self._with(point, name, np.clip(np.float32(value), -1, 1))

    def wear(self, point: Vector, other: Vector) -> Vector:
        return np.concatenate([point[: self.latent.z], other[self.latent.z :]])

    def guide(
        self, point: Vector, picture: NDArray[np.floating] | None, amount: float = 1.0
    ) -> Vector:
        if picture is None:
            return point
        numbers = np.asarray(picture, np.float32)
        if numbers.shape != (GUIDE, GUIDE):
            raise ValueError(f"a guide is {GUIDE} rows of {GUIDE} numbers, not {numbers.shape}")
        if not self.guided:
            return point
        return guided(point, self.latent.width, np.float32(amount) * numbers.ravel())

    def bend(
        self, point: Vector, depth: float = 0.25, turn: float = 0.0, larger: float = 0.0,
        across: float = 0.0, up: float = 0.0,
    ) -> Vector:  # fmt: skip
        return np.concatenate([point, np.array([depth, turn, larger, across, up], np.float32)])

    def _with(self, point: Vector, name: str, value: NDArray[np.float32] | np.float32) -> Vector:
        out = point.copy()
        out[self._where[name]] = value
        return out

    def finish(
        self, z: NDArray[np.float64], rest: NDArray[np.float64], truncation: float
    ) -> Vector:
        """A point from a walk's raw numbers: z to its proper length, weights to shares."""
        out = np.empty(self.latent.width, np.float32)
        length = float(np.linalg.norm(z)) or 1.0
        out[: self.latent.z] = z * (np.sqrt(self.latent.z) / length * truncation)
        out[self.latent.z :] = rest
        for where in self.weighted:
            out[where] = _shares(out[where])
        for where in self._free:
            out[where] = np.clip(out[where], -1, 1)
        return out


def slerp(a: Vector, b: Vector, amount: float) -> Vector:
    """Along the great circle from a to b (Shoemake 1985), the length going evenly over."""
    long_a, long_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if not long_a or not long_b:
        return ((1 - amount) * a + amount * b).astype(np.float32)
    angle = np.arccos(np.clip(np.dot(a, b) / (long_a * long_b), -1, 1))
    length = (1 - amount) * long_a + amount * long_b
    if angle < 1e-4 or np.pi - angle < 1e-4:  # (nearly) parallel: no circle to follow
        straight = (1 - amount) * a / long_a + amount * b / long_b
        return (length * straight / (np.linalg.norm(straight) or 1.0)).astype(np.float32)
    along = (np.sin((1 - amount) * angle) * a / long_a + np.sin(amount * angle) * b / long_b) / (
        np.sin(angle)
    )
    return (length * along).astype(np.float32)


def _shares(weights: Iterable[float]) -> NDArray[np.float32]:
    """Weights of 0 or more brought to a sum of 1; all zero stays zero (value unknown)."""
    out = np.maximum(np.fromiter(weights, np.float32), 0)
    total = out.sum()
    return out / total if total > 0 else out


class Loop:
    """A closed loop of smooth noise: every number follows its own few sine waves around a circle,
    so the end meets the beginning and no two stretches are alike.

    radius: how far the loop strays; 1 visits what random seeds look like, less stays near one.
    """

    _WAVES = 3  # harmonics per number: enough to wander, few enough to stay smooth

    def __init__(self, space: LatentSpace, seed: int, radius: float) -> None:
        self._space = space
        self._at = 0.0
        self._home = space.seed(seed).astype(np.float64)
        rng = np.random.default_rng((space._seed, seed, 1))
        width = space.latent.width
        order = np.arange(1, self._WAVES + 1)
        # the waves' powers add up to `radius` squared: the cloud is as wide as the seeds' own
        self._amplitude = rng.standard_normal((2, self._WAVES, width)) * (
            radius / np.sqrt(order * (1 / order).sum())
        ).reshape(1, -1, 1)
        self._home[: space.latent.z] *= np.sqrt(max(0.0, 1 - radius**2))

    def advance(self, distance: float) -> None:
        self._at = (self._at + distance) % 1.0

    def point(self, truncation: float = 1.0) -> Vector:
        turn = 2 * np.pi * self._at * np.arange(1, self._WAVES + 1)
        waves = np.einsum("w,wd->d", np.cos(turn), self._amplitude[0])
        waves += np.einsum("w,wd->d", np.sin(turn), self._amplitude[1])
        at = self._home + waves
        for where in self._space.weighted:  # one value leads and gives way to the next
            at[where] = np.exp(_DECISION * (at[where] - at[where].max()))
        n = self._space.latent.z
        return self._space.finish(at[:n], at[n:], truncation)


class Spline:
    """A closed Catmull-Rom spline: it passes through each point and never turns a corner."""

    def __init__(self, space: LatentSpace, points: list[Vector]) -> None:
        if len(points) < 2:
            raise ValueError("a spline needs two seeds or more")
        self._space = space
        self._points = np.asarray(points, np.float64)
        self._at = 0.0

    def advance(self, distance: float) -> None:
        self._at = (self._at + distance) % len(self._points)

    def point(self, truncation: float = 1.0) -> Vector:
        i, t = int(self._at), self._at % 1.0
        p0, p1, p2, p3 = (self._points[(i + k) % len(self._points)] for k in (-1, 0, 1, 2))
        p = p1 + 0.5 * t * (
            p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0))
        )
        n = self._space.latent.z
        return self._space.finish(p[:n], p[n:], truncation)


Directions = Sequence[Sequence[float]]  # each of z numbers; a card's `directions`

_BENDS = {
    "depth": Param(
        0.25, 0, 1, glide=0.6, doc="Which layer is bent: 0 the first, where all is still open."
    ),
    "turn": Param(0, -180, 180, unit="degrees", glide=0.6, doc="Turns its maps clockwise."),
    "larger": Param(0, -2, 2, unit="doublings", glide=0.6, doc="Enlarges them, or makes smaller."),
    "across": Param(0, -1, 1, unit="widths", glide=0.6, doc="Moves them to the right."),
    "up": Param(0, -1, 1, unit="widths", glide=0.6, doc="Moves them up."),
}  # as models.latent.BEND


_GUIDE = Param(0, 0, 1, glide=0.6, doc="How far pictures take the shape of who is before the wall.")
_TOWARD = Param(0, 0, 1, glide=0.6, doc="How far the piece draws as another does, its kin.")


def declare_pieces(
    bus: Bus,
    pieces: Iterable[tuple[Latent, Directions]],
    guided: bool = False,
    toward: bool = False,
) -> None:
    """Offer the labels, codes and directions of all pieces to the room: /piece/hair/blonde,
    /piece/code/2, /piece/direction/1. What two pieces share is one address. guided: one of them
    can follow a guide; toward: one can go to its kin.

    At rest every fader is 0 and the scene decides; raising label faders hands the choice over.
    """
    bus.withdraw("piece")
    offered: dict[str, dict[str, Param]] = {}
    for latent, directions in pieces:
        for owner, declared in _offered(latent, directions):
            offered.setdefault(owner, {}).update(declared)
    for owner, declared in offered.items():
        bus.declare(owner, declared)
    if guided:
        bus.declare("piece", {"guide": _GUIDE})
    if toward:
        bus.declare("piece", {"toward": _TOWARD})


def _offered(latent: Latent, directions: Directions) -> Iterator[tuple[str, dict[str, Param]]]:
    """One piece's parameters, by what they stand under."""
    for label, owner, names in _labels(latent):
        yield (
            owner,
            {
                name: Param(0, 0, 1, glide=0.4, doc=f"{label.name}: {value}.")
                for name, value in zip(names, label.values, strict=True)
            },
        )
    for number, code in enumerate(latent.codes, start=1):
        if code.kind == "continuous":
            moved = Param(0, -2, 2, glide=0.4, doc=f"{code.name}: moves it from where the walk is.")
            yield "piece/code", {str(number): moved}
        else:
            yield (
                f"piece/code/{number}",
                {
                    str(k + 1): Param(0, 0, 1, glide=0.4, doc=f"{code.name}: value {k + 1}.")
                    for k in range(code.size)
                },
            )
    yield (
        "piece/direction",
        {
            str(k + 1): Param(0, -3, 3, glide=0.6, doc=f"Moves z along direction {k + 1}.")
            for k in range(len(directions))
        },
    )
    yield "piece/bend", _BENDS


@lru_cache(16)  # asked for in every frame, and a piece may have hundreds of labels
def _labels(latent: Latent) -> list[tuple[Label, str, list[str]]]:
    """Each label, what its values stand under, where two names are taken, and their own names."""
    own = [label.name for label in latent.labels]
    names = slugs(f"{slug(name)}_label" if slug(name) in _OURS else name for name in own)
    return [
        (label, f"piece/{name}", slugs(label.values))
        for label, name in zip(latent.labels, names, strict=True)
    ]


def steer(
    fader: Callable[[str], float], latent: Latent, point: Vector, directions: Directions = ()
) -> Vector:
    """Lay the room's faders over the walk's point: what a hand holds up wins over the scene.

    fader: where the one of an address stands.
    """
    out = point.copy()
    where = latent.slices()
    for number, way in enumerate(directions, start=1):
        out[where["z"]] += fader(f"/piece/direction/{number}") * np.asarray(way, np.float32)
    for label, owner, names in _labels(latent):
        held = [fader(f"/{owner}/{name}") for name in names]
        out[where[label.name]] = _hold(out[where[label.name]], held)
    for number, code in enumerate(latent.codes, start=1):
        if code.kind == "continuous":
            moved = out[where[code.name]] + fader(f"/piece/code/{number}")
            out[where[code.name]] = np.clip(moved, -1, 1)
        else:
            held = [fader(f"/piece/code/{number}/{k + 1}") for k in range(code.size)]
            out[where[code.name]] = _hold(out[where[code.name]], held)
    return out


def follow(
    fader: Callable[[str], float], latent: Latent, point: Vector, seen: NDArray[np.float32] | None
) -> Vector:
    """Lay whoever is seen before the wall, (GUIDE, GUIDE), over the guide of the scene: as far as
    the room's fader is up. None is nobody."""
    share = fader("/piece/guide")
    if share <= 0:
        return point
    numbers = np.zeros(GUIDE**2, np.float32) if seen is None else share * seen.ravel()
    return guided(point, latent.width, numbers, keeps=1 - share)


def bend(fader: Callable[[str], float]) -> Vector:
    """How the room's faders bend the generator, as models.latent.BEND says; none where they are at
    rest. The depth alone moves nothing."""
    found = np.array([fader(f"/piece/bend/{name}") for name in BEND], np.float32)
    return found if found[1:].any() else found[:0]


def _hold(weights: Vector, held: list[float]) -> Vector:
    """Faders against the walk's weights: their sum, up to 1, is the share that the hand takes."""
    total = sum(held)
    if total <= 0:
        return weights
    share = min(total, 1.0)
    return ((1 - share) * weights + share * np.asarray(held, np.float32) / total).astype(np.float32)
