"""Names as they stand in addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


def slug(text: str) -> str:
    """A name as it stands in an address: lower case, letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()  # é is an e
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or "_"


def slugs(names: Iterable[str]) -> list[str]:
    """Each name as it stands in an address, all different: one that has no Latin letter, or that
    reads like one before it, goes by its number."""
    found: list[str] = []
    for number, name in enumerate(names, 1):
        word = slug(name)
        if word == "_" or word in found:
            word = f"{word.strip('_')}_{number}".strip("_")
        while word in found:
            word += "_"
        found.append(word)
    return found
