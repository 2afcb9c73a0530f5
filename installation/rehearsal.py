"""In rehearsal, saving a file shows it at once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path


class FileWatch:
    """Says which of some files were saved since the last look.

    It looks at modification times a few times a second: that works on every file system, network
    drives and editors that replace files included, and needs no thread.
    """

    def __init__(self, paths: Iterable[Path], every: float = 0.3) -> None:
        self._every = every
        self._next = 0.0
        self._seen = {path: _stamp(path) for path in paths}

    def add(self, paths: Iterable[Path]) -> None:
        """Watch these, too, from now on."""
        self._seen |= {path: _stamp(path) for path in paths if path not in self._seen}

    def changed(self) -> list[Path]:
        """Files saved since the last call; at most every `every` seconds, else none."""
        now = time.monotonic()
        if now < self._next:
            return []
        self._next = now + self._every
        out = []
        for path, before in self._seen.items():
            stamp = _stamp(path)
            self._seen[path] = stamp
            if stamp != before and stamp is not None:  # gone for a moment while it is replaced
                out.append(path)
        return out


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
