"""Names as they stand in addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_LONGEST = 48  # characters: an address has two such names at most, and a venue takes 128


def slug(text: str) -> str:
    """A name as it stands in an address: lower case, letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()  # é is an e
    whole = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    return whole[:_LONGEST].rstrip("_") or "_"


def slugs(names: Iterable[str]) -> list[str]:
    """Each name as it stands in an address, all different: one that has no Latin letter, or that
    reads like one before it, goes by its number."""
    found: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        word = slug(name)
        if word == "_" or word in found:
            word = f"{word.strip('_')}_{number}".strip("_")
        while word in found:
            word += "_"
        found[word] = None
    return list(found)
