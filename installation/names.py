"""Names as they stand in addresses: ASCII, without what OSC 1.0 keeps for itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from anyascii import anyascii

_LONGEST = 48  # characters: an address has two such names at most, and a venue takes 128
_PART = re.compile(r"[!-~]+")  # printable ASCII without space
_RESERVED = frozenset("#*,?[]{}")  # OSC 1.0, "OSC Address Spaces"; / may lead further down


def slug(text: str) -> str:
    """A name as it stands in an address: lower case, letters, digits and underscores. Letters of
    other scripts are transliterated, marks left out."""
    found = _underscored("".join(map(_latin, unicodedata.normalize("NFC", text))))
    return found if found != "_" else _underscored(anyascii(text))  # signs alone: 😀 is "grinning"


def slugs(names: Iterable[str]) -> list[str]:
    """Each name as it stands in an address, all different: one that has no letter, or that reads
    like one before it, has its number. None takes what `formerly` was another's."""
    names = list(names)
    before = formerly(names)
    settled = [slug(name) == former_slug(name) for name in names]
    wanted = [b if s else slug(n) for n, b, s in zip(names, before, settled, strict=True)]
    return _different(wanted, settled, before)


def former_slug(text: str) -> str:
    """What `slug` made of a name while it left out letters that have no Latin one inside: presets
    and maps of MIDI from then have these."""
    return _underscored(_ascii(text))


def formerly(names: Iterable[str]) -> list[str]:
    """What `slugs` made of names then."""
    words = [former_slug(name) for name in names]
    return _different(words, [False] * len(words))


def parts(names: Iterable[str], taken: Collection[str] = ()) -> list[str]:
    """Each name as one part of an address, all different and none of `taken`. What OSC takes stays
    as it is."""
    names = list(names)
    fit = {name for name in names if _PART.fullmatch(name) and not _RESERVED & set(name)}
    words = [name if name in fit else slug(name) for name in names]
    return _different(words, [name in fit for name in names], {*taken, *fit})


def _different(
    words: Sequence[str], settled: Sequence[bool], taken: Collection[str] = ()
) -> list[str]:
    """Words that are settled as they are; the others with their number where there is nothing in
    them, or where they are taken."""
    found, known = [], set(taken)
    for number, (word, stays) in enumerate(zip(words, settled, strict=True), 1):
        if not stays:
            if word == "_" or word in known:
                word = f"{word.strip('_')}_{number}".strip("_")
            while word in known:
                word += "_"
            known.add(word)
        found.append(word)
    return found


def _latin(letter: str) -> str:
    """é as e, ß as ss, 笑 as Xiao; signs as nothing."""
    plain = _ascii(letter)
    if plain or unicodedata.category(letter)[0] not in "LMN":
        return plain
    return "".join(filter(str.isalnum, anyascii(letter)))  # ь is an apostrophe, as ع is


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _underscored(text: str) -> str:
    whole = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return whole[:_LONGEST].rstrip("_") or "_"
