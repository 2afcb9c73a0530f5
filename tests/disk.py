"""A disk that is full."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest


def fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whatever is written from now on, a little fits."""
    write = Path.write_bytes

    def until_full(path: Path, data: bytes) -> int:
        write(path, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", until_full)
