"""Labels by index: dealt from shuffled decks, so that every value comes up as often as it should."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product

import numpy as np

Labels = Mapping[str, tuple[str, ...]]


def deck(labels: Labels, shares: Mapping[str, int] | None = None) -> list[dict[str, str]]:
    """Every combination of the labels once, or as often as `shares` says of a value."""
    shares = shares or {}
    cards = [dict(zip(labels, values, strict=True)) for values in product(*labels.values())]
    return [card for card in cards for _ in range(max(shares.get(v, 1) for v in card.values()))]


def deal(cards: Sequence[dict[str, str]], seed: int, index: int, name: str = "") -> dict[str, str]:
    """The card of image `index`: each once in every block of len(cards) images, shuffled anew.

    `name` tells decks apart that are dealt side by side.
    """
    block, at = divmod(index, len(cards))
    return cards[_order(len(cards), seed, block, name)[at]]


@lru_cache(64)
def _order(count: int, seed: int, block: int, name: str) -> list[int]:
    stream = [seed, block, zlib.crc32(name.encode())] if name else [seed, block]
    order: list[int] = np.random.default_rng(stream).permutation(count).tolist()
    return order
