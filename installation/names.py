"""Names as they stand in addresses: ASCII, without what OSC 1.0 keeps for itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from anyascii import anyascii

_LONGEST = 48  # characters: an address has two such names at most, and a venue takes 128


def slug(text: str) -> str:
    """A name as it stands in an address: lower case, letters, digits and underscores. Letters of
    other scripts are transliterated, marks left out."""
    found = _underscored("".join(map(_latin, unicodedata.normalize("NFC", text))))
    return found if found != "_" else _underscored(anyascii(text))  # signs alone: 😀 is "grinning"


def slugs(names: Iterable[str]) -> list[str]:
    """Each name as it stands in an address, all different: one that has no letter, or that reads
    like one before it, has its number."""
    found: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        word = slug(name)
        if word == "_" or word in found:
            word = f"{word.strip('_')}_{number}".strip("_")
        while word in found:
            word += "_"
        found[word] = None
    return list(found)


def _latin(letter: str) -> str:
    """é as e, ß as ss, 笑 as Xiao; signs as nothing."""
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    if plain or unicodedata.category(letter)[0] not in "LMN":
        return plain
    return "".join(filter(str.isalnum, anyascii(letter)))  # ь is an apostrophe, as ع is


def _underscored(text: str) -> str:
    whole = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return whole[:_LONGEST].rstrip("_") or "_"
