"""Files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

from models.piece import write_synced


def replace(path: Path, data: bytes) -> None:
    """Write beside, flush, then rename: an interruption leaves the old file or the new one, and
    nobody reads half of it. Raises OSError."""
    beside = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        write_synced(beside, data)
        os.replace(beside, path)
    except OSError:  # a full disk: half a file would only fill it more
        beside.unlink(missing_ok=True)
        raise
