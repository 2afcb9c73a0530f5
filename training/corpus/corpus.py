"""What can be drawn: labels dealt from shuffled decks, and the picture that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from training.corpus.dice import Dice

Labels = Mapping[str, tuple[str, ...]]
Picture = Callable[[int, Dice, Mapping[str, str]], NDArray[np.uint8]]
"""(size, dice, labels) to (size, size, 3) sRGB."""


class CorpusError(ValueError):
    """A corpus that cannot be drawn or written as asked; the message is for the artist."""


@dataclass(frozen=True)
class Corpus:
    """A procedural artist. `version` rises when the same seed gives other pictures or labels.

    Within each of `groups` all combinations come up equally often; the groups know nothing of each
    other. `shares` says, by label and value, how often a value comes up for once of the others;
    `hides`, by label and value, which other labels then cannot be seen in the picture.
    """

    name: str
    version: int
    labels: Labels
    groups: tuple[tuple[str, ...], ...]
    picture: Picture
    shares: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    hides: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def label(self, seed: int, index: int, **fixed: str) -> dict[str, str]:
        """The labels of image `index`: in each group every card once in a block, shuffled."""
        found: dict[str, str] = {}
        for number, (names, cards) in enumerate(zip(self.groups, self._decks, strict=True)):
            block, at = divmod(index, len(cards))
            found |= zip(names, cards[_order(len(cards), seed, number, block)[at]], strict=True)
        found |= fixed
        return {name: found[name] for name in self.labels}

    def draw(
        self, count: int, size: int, seed: int, *, start: int = 0, **fixed: str
    ) -> tuple[NDArray[np.uint8], list[dict[str, str]]]:
        """Draw images `start` to `start + count` of the corpus `seed`.

        Returns (count, size, size, 3) uint8 sRGB and the labels of each. Image i depends on seed
        and i alone. `fixed` pins labels, as form="heart". Raises CorpusError for an unknown label
        or value, or a size or count that makes no picture.
        """
        self.check(count, size, seed, fixed)
        labels = [self.label(seed, start + i, **fixed) for i in range(count)]
        images = np.empty((count, size, size, 3), np.uint8)
        for i, wanted in enumerate(labels):
            images[i] = self.picture(size, Dice(seed, start + i), wanted)
        return images, labels

    def seen(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels as a picture shows them: empty, that is unknown, where it cannot tell."""
        hidden = {
            other for name, values in self.hides.items() for other in values.get(labels[name], ())
        }
        return {name: "" if name in hidden else value for name, value in labels.items()}

    def check(self, count: int, size: int, seed: int, fixed: Mapping[str, str]) -> None:
        """Raise CorpusError where the corpus cannot be drawn so."""
        if count < 1:
            raise CorpusError(f"--count {count}: a corpus has 1 image or more")
        if not 16 <= size <= 1024:
            raise CorpusError(f"--size {size}: images are drawn from 16 to 1024 pixels a side")
        if seed < 0:
            raise CorpusError(f"--seed {seed}: a seed is 0 or more")
        for name, value in fixed.items():
            if name not in self.labels:
                raise CorpusError(f"no label {name!r}: there are {', '.join(self.labels)}")
            if value not in self.labels[name]:
                values = ", ".join(self.labels[name])
                raise CorpusError(f"{name} cannot be {value!r}: it is {values}")

    @cached_property
    def _decks(self) -> list[list[tuple[str, ...]]]:
        """Each group's cards: every combination, as many times as its values' shares say."""
        return [list(product(*(self._values(name) for name in names))) for names in self.groups]

    def _values(self, name: str) -> list[str]:
        shares = self.shares.get(name, {})
        return [value for value in self.labels[name] for _ in range(shares.get(value, 1))]


@lru_cache(64)
def _order(count: int, seed: int, number: int, block: int) -> list[int]:
    order: list[int] = np.random.default_rng([seed, number, block]).permutation(count).tolist()
    return order
