"""Chance, by part: what a part may be is a table, and each part rolls on a stream of its own."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np

Choice = tuple[float, float] | tuple[str, ...]
"""Two numbers: uniform between them. Words: one of them, each as likely."""

Table = Mapping[str, Choice]


class Dice:
    """The chance in image `index` of the corpus `seed`.

    Every part draws from its own stream, so a change to one part leaves all others, and every
    other image, as they were.
    """

    def __init__(self, seed: int, index: int) -> None:
        self.seed = seed
        self.index = index

    def stream(self, part: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.index, zlib.crc32(part.encode())])

    def roll(self, part: str, table: Table) -> SimpleNamespace:
        """One value for every row of the table, as plain floats and words."""
        rng = self.stream(part)
        found: dict[str, float | str] = {}
        for name, choice in table.items():
            if isinstance(choice[0], str):
                found[name] = str(choice[int(rng.integers(len(choice)))])
            else:
                low, high = choice
                found[name] = float(rng.uniform(low, high))
        return SimpleNamespace(**found)
