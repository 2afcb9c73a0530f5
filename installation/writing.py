"""Files that are whole or not there."""

from __future__ import annotations

from pathlib import Path


def replace(path: Path, content: str | bytes) -> None:
    """Write beside, then rename: nobody reads half a file, and where this fails the one before
    stays. Not flushed to the disk, which would hold a frame up. Raises OSError."""
    beside = path.with_name(f"{path.name}.part")
    try:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)
        beside.replace(path)
    except OSError:  # a full disk: half a file would only fill it more
        beside.unlink(missing_ok=True)
        raise
