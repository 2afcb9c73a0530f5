"""What a generator is fed: one flat vector, z ⊕ labels ⊕ codes.

The layout is written in the piece's card, so a walk, a fader and the training loop all agree on
which number means what. Only numpy is imported here: the live side needs the layout before torch
has loaded.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

BEND = ("depth", "turn", "larger", "across", "up")
"""What may follow a point's own numbers where a generator plays it: how the maps of one of its
layers are moved (models.bend). depth: 0 is the first layer, 1 the last. turn: degrees, clockwise.
larger: in doublings. across, up: in widths of the picture."""

GUIDE = 16
"""Pixels a side of a guide, a grey picture that a piece follows (models.guide). Where there is one
its GUIDE² numbers, row by row from the top, stand between a point's own and those that bend."""


def more(numbers: int) -> tuple[bool, int]:
    """What so many numbers after a point's own are: whether a guide is among them, and how many
    bends. Raises ValueError where they are neither."""
    for guided in (False, True):
        bends, rest = divmod(numbers - guided * GUIDE**2, len(BEND))
        if bends >= 0 and not rest:
            return guided, bends
    raise ValueError(f"{numbers} numbers after a point's own are no guide and no bends")


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@dataclass(frozen=True)
class Label:
    """An attribute known from the dataset, e.g. hair with the values blonde, brown, black.

    In the vector: one weight per value. One-hot while training, all zero where the value is
    unknown, any convex mix live.
    """

    name: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        """Accents as a keyboard writes them, wherever the words come from: in macOS's names of
        folders, and in pieces made of these, they are letters of their own."""
        object.__setattr__(self, "name", composed(self.name))
        object.__setattr__(self, "values", tuple(map(composed, self.values)))
        if not self.values or len(set(self.values)) != len(self.values):
            raise ValueError(f"label {self.name!r} needs values that differ from each other")

    @property
    def width(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Code:
    """An InfoGAN latent code (Chen et al. 2016), found by training rather than given.

    categorical: `size` weights, one-hot while training. continuous: `size` must be 1, a number
    in [-1, 1].
    """

    name: str
    kind: Literal["categorical", "continuous"]
    size: int = 1

    def __post_init__(self) -> None:
        if self.kind not in ("categorical", "continuous"):
            raise ValueError(f"code {self.name!r}: kind {self.kind!r} is not known")
        if self.kind == "continuous" and self.size != 1:
            raise ValueError(f"code {self.name!r}: a continuous code has size 1, not {self.size}")
        if self.kind == "categorical" and self.size < 2:
            raise ValueError(f"code {self.name!r}: a categorical code needs two values or more")

    @property
    def width(self) -> int:
        return self.size


Part = TypeVar("Part", bound=Label | Code)


def columns(parts: Iterable[Part], start: int = 0) -> list[tuple[Part, slice]]:
    """Labels or codes as they lie beside each other, each with where its numbers are."""
    found = []
    for part in parts:
        found.append((part, slice(start, start + part.width)))
        start += part.width
    return found


@dataclass(frozen=True)
class Latent:
    """The layout of a generator's input: z first, then each label, then each code."""

    z: int
    labels: tuple[Label, ...] = ()
    codes: tuple[Code, ...] = ()

    def __post_init__(self) -> None:
        if self.z < 1:
            raise ValueError(f"z needs at least one dimension, not {self.z}")
        names = [part.name for part in self.parts]
        if len({"z", *names}) != len(names) + 1:
            raise ValueError(
                f"label and code names must differ from each other and from z: {names}"
            )

    @property
    def parts(self) -> tuple[Label | Code, ...]:
        """What follows z, in order."""
        return (*self.labels, *self.codes)

    @property
    def width(self) -> int:
        return self.z + sum(part.width for part in self.parts)

    @property
    def condition_width(self) -> int:
        """How many numbers the labels take."""
        return sum(label.width for label in self.labels)

    def slices(self) -> dict[str, slice]:
        """Where each part lies in the vector: "z", then every label and code by name."""
        parts = {part.name: where for part, where in columns(self.parts, self.z)}
        return {"z": slice(0, self.z)} | parts

    def sample(self, rng: np.random.Generator, count: int) -> Vector:
        """Draw `count` vectors as training does: (count, width) float32.

        z ~ N(0, 1), one value of each label and categorical code, continuous codes ~ U(-1, 1).
        """
        out = np.zeros((count, self.width), np.float32)
        where = self.slices()
        out[:, where["z"]] = rng.standard_normal((count, self.z), np.float32)
        for part in self.parts:
            if isinstance(part, Code) and part.kind == "continuous":
                out[:, where[part.name]] = rng.uniform(-1, 1, (count, 1))
            else:
                chosen = rng.integers(part.width, size=count)
                out[np.arange(count), where[part.name].start + chosen] = 1
        return out
