"""Files that are whole or not there, and never among the images of a dataset."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from models.folder import write_synced
from training import UsageError


def replace(path: Path, data: bytes) -> None:
    """Write beside, flush, then rename: an interruption leaves the old file or the new one, and
    nobody reads half of it. Raises OSError."""
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]  # a long one would not fit
    beside = path.with_name(f".{name}.part-{os.getpid()}")
    try:
        write_synced(beside, data)
        os.replace(beside, path)
    except OSError:  # a full disk: half a file would only fill it more
        beside.unlink(missing_ok=True)
        raise


def check_writable(folder: Path) -> None:
    """Raise UsageError where no folder can be written in the place of `folder`, by writing one
    there: who is told only by the first save has waited for nothing."""
    try:
        there = next(parent for parent in folder.absolute().parents if parent.exists())
        with TemporaryDirectory(prefix=".", dir=there) as tried:
            write_synced(Path(tried) / "tried", bytes(4096))
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror or error}") from error


def check_outside(out: Path, dataset: Path) -> None:
    """Raise UsageError for a folder in which a report would become part of the dataset."""
    if out.resolve().is_relative_to(dataset.resolve()):
        raise UsageError(
            f"--out {out} lies inside the dataset, where its pictures would be read as images; "
            "name a folder elsewhere"
        )
