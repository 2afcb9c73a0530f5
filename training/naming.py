"""What a training's result is called, and which files of a dataset were left out of it."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from anyascii import anyascii

from training import UsageError

_SHOWN = 10  # problems that are named one by one


def checked(name: str) -> str:
    """A name that is a folder's on every system. Raises UsageError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise UsageError(f"--name {name}: up to 64 letters, digits, - and _, a letter first")
    return name


def name_of(dataset: Path, otherwise: str) -> str:
    """A name made of the dataset's, in Latin letters; otherwise: where nothing of that is left."""
    path = dataset.resolve()
    if path.name == "images" and (path.parent / "manifest.csv").is_file():
        path = path.parent  # a curated dataset is called as its folder
    name = path.stem if path.is_file() else path.name
    latin = anyascii(unicodedata.normalize("NFC", name))
    return re.sub(r"[^A-Za-z0-9_-]+", "-", latin).strip("-_")[:64] or otherwise


def tell_left_out(problems: Sequence[object]) -> None:
    """Name the first of them on stderr, and count the rest."""
    for problem in problems[:_SHOWN]:
        print(f"  left out {problem}", file=sys.stderr)
    if len(problems) > _SHOWN:
        print(f"  and {len(problems) - _SHOWN} more", file=sys.stderr)
