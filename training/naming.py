"""What a training's result is called, and which files of a dataset were left out of it."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from anyascii import anyascii

from models.shelf import OWN
from training import UsageError

_SHOWN = 10  # problems that are named one by one


def checked(name: str) -> str:
    """A name that is a folder's on every system. Raises UsageError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise UsageError(f"--name {name}: up to 64 letters, digits, - and _, a letter first")
    return name


def called(dataset: Path) -> str:
    """What a dataset is called: as its folder or zip; a curated one, whose images all lie in a
    folder `images`, as the folder around that."""
    if dataset.is_file():
        return dataset.stem
    path = dataset.resolve()
    curated = path.name == "images" and (path.parent / "manifest.csv").is_file()
    return path.parent.name if curated else path.name


def name_of(dataset: Path, otherwise: str) -> str:
    """A name made of the dataset's, in Latin letters; otherwise: where nothing of that is left."""
    latin = anyascii(unicodedata.normalize("NFC", called(dataset)))
    return re.sub(r"[^A-Za-z0-9_-]+", "-", latin).strip("-_")[:64] or otherwise


def piece_folder(out: str | Path | None, name: str) -> Path:
    """Where a piece is written: `out`, or a folder of its name in ./pieces. Raises UsageError."""
    piece = Path(out) if out is not None else OWN / name
    if piece.name in ("", ".."):
        raise UsageError(f"--out {out}: name a folder for the piece")
    return piece


def tell_left_out(problems: Sequence[object]) -> None:
    """Name the first of them on stderr, and count the rest."""
    for problem in problems[:_SHOWN]:
        print(f"  left out {problem}", file=sys.stderr)
    if len(problems) > _SHOWN:
        print(f"  and {len(problems) - _SHOWN} more", file=sys.stderr)
