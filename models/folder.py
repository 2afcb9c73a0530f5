"""The folder that a piece is written into, whole or not at all. Needs no torch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.card import CARD, PieceError, read_card


def check_target(folder: Path) -> None:
    """Raise PieceError unless a piece may be written here: nothing there, or an older piece, whose
    card can be read, as what a person wrote into it stays."""
    folder = Path(folder)
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        if not (folder / CARD).is_file():
            raise PieceError(f"{folder} holds something that is not a piece; choose another")
        read_card(folder)


def write_synced(path: Path, data: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A scratch folder beside `folder` that takes its place once it is filled without error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.new-{os.getpid()}")
    older = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    try:
        yield fresh
        if folder.exists():
            replaced = {CARD, *(read_card(folder).files if any(folder.iterdir()) else ())}
            folder.rename(older)
        fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        if older.exists() and not folder.exists():
            older.rename(folder)
        raise
    if older.exists():
        for path in older.iterdir():
            if path.name not in replaced and not (folder / path.name).exists():
                path.rename(folder / path.name)
        shutil.rmtree(older, ignore_errors=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system can (Windows cannot)."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
