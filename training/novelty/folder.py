"""The folder of a report: written beside, put in place whole; what is not ours stays."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from training import UsageError

RECORD = "novelty.json"
KIND = "installation novelty"
_RECORD_BYTES = 1 << 28


def check_target(folder: Path) -> None:
    """Raise UsageError unless a report may be written here: nothing there, or an older report."""
    _own_files(folder)


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `folder` once that is done without error.

    An older report's own files go; whatever else lies in its folder stays where it is. Raises
    UsageError, with everything as it was, for a folder that is not ours or cannot be written.
    """
    _own_files(folder)
    fresh = folder.with_name(f".{folder.name}.new-{os.getpid()}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        yield fresh
        _swap(fresh, folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _swap(fresh: Path, folder: Path) -> None:
    if not folder.exists():
        fresh.rename(folder)
        return
    ours = _own_files(folder)
    foreign = [name for name in _files(folder) if name not in ours]
    for name in foreign:
        if _taken(fresh, name):
            raise UsageError(f"{folder / name} is in the way and not ours; move it elsewhere")
    older = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    folder.rename(older)
    try:
        fresh.rename(folder)
    except OSError:
        older.rename(folder)
        raise
    for name in foreign:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (older / name).rename(folder / name)
    shutil.rmtree(older)


def _taken(fresh: Path, name: str) -> bool:
    """Whether a file of that name, or one in place of its folder, is among the new ones."""
    places = [fresh / name, *((fresh / part) for part in PurePosixPath(name).parents)]
    return (fresh / name).exists() or any(place.is_file() for place in places)


def _files(folder: Path) -> list[str]:
    """Every file and link below a folder, as paths inside it."""
    found = []
    for root, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        found += [(Path(root) / name).relative_to(folder).as_posix() for name in files + links]
    return sorted(found)


def _own_files(folder: Path) -> set[str]:
    """What an older report wrote here; empty where there is nothing. Raises UsageError."""
    if folder.name in ("", ".."):
        raise UsageError(f"--out {folder}: name a folder for the report")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"--out {folder} is not a folder; name a new one")
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return set()
        record = _read(folder / RECORD)
    except (OSError, ValueError, RecursionError):
        record = {}
    files = record.get("files")
    if record.get("kind") != KIND or not isinstance(files, list):
        raise UsageError(f"--out {folder} holds other files; name a new folder")
    return {RECORD, *(name for name in files if isinstance(name, str))}


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file() or path.stat().st_size > _RECORD_BYTES:
        raise ValueError
    found = json.loads(path.read_text("utf-8"))
    return found if isinstance(found, dict) else {}
