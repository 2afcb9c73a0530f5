"""Which file a line of labels.csv, provenance.csv or manifest.csv means, however it is written.

A spreadsheet writes é as one character where macOS names a file with e and an accent, Windows
separates folders by \\, neither tells a.JPG from a.jpg, and a table that lies beside the folder of
all images names that folder.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from training.source import Entry


class Lookup:
    """The names of files or folders in a dataset, by what a line may say of each."""

    def __init__(self, names: Iterable[str], entries: Iterable[Entry]) -> None:
        names, entries = tuple(names), tuple(entries)
        outer = next((entry.outer for entry in entries if entry.outer), "")
        self._known = {_plain(f"{outer}/{name}"): name for name in names} if outer else {}
        self._known |= {_plain(name): name for name in names}
        self._known |= {name: name for name in names}  # to the letter before any likeness
        alike: dict[str, set[str]] = {}
        for name, meant in (*((e.name, e.name) for e in entries), *self._known.items()):
            alike.setdefault(_plain(name).casefold(), set()).add(meant)
        one = {key: found.pop() for key, found in alike.items() if len(found) == 1}
        self._in_any_case = {key: name for key, name in one.items() if name in self._known}

    def __call__(self, written: str) -> str | None:
        """The name that is meant, or None where there is no such file."""
        if not written.strip():
            return None
        plain = _plain(written)
        return (
            self._known.get(written)
            or self._known.get(plain)
            or self._in_any_case.get(plain.casefold())
        )


def _plain(path: str) -> str:
    path = str(PurePosixPath(path.strip().replace("\\", "/")))
    return unicodedata.normalize("NFC", path)
