"""Which file a line of labels.csv, provenance.csv or manifest.csv means, however it is written.

A spreadsheet writes é as one character where macOS names a file with e and an accent, Windows
separates folders by \\, and a table that lies beside the folder of all images names that folder.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from training.source import Entry


class Lookup:
    """The names of files or folders in a dataset, by what a line may say of each."""

    def __init__(self, names: Iterable[str], entries: Iterable[Entry]) -> None:
        names = tuple(names)
        outer = next((entry.outer for entry in entries if entry.outer), "")
        self._known = {_plain(f"{outer}/{name}"): name for name in names} if outer else {}
        self._known |= {_plain(name): name for name in names}
        self._known |= {name: name for name in names}  # to the letter before any likeness

    def __call__(self, written: str) -> str | None:
        """The name that is meant, or None where there is no such file."""
        if not written.strip():
            return None
        return self._known.get(written) or self._known.get(_plain(written))


def _plain(path: str) -> str:
    path = str(PurePosixPath(path.strip().replace("\\", "/")))
    return unicodedata.normalize("NFC", path)
