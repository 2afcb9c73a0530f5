"""Where pieces are kept: the artist's own in ./pieces, and those that ship. Needs no torch."""

from __future__ import annotations

import difflib
import os
from importlib import resources
from pathlib import Path

from models.card import CARD, PieceError

OWN = Path("pieces")  # where an artist's pieces are, seen from the working folder
SHIPPED = Path(str(resources.files("models") / "pieces"))


def find(name_or_path: str | Path = "", own: Path = OWN) -> Path:
    """The folder of a piece by path, by name in ./pieces, or by the name of one that ships.

    Without a name: the first that ships, else the artist's first. Raises PieceError that lists
    what there is.
    """
    if not str(name_or_path):
        first = [*list_pieces(SHIPPED), *list_pieces(own)]
        if first:
            return first[0]
        raise PieceError("there is no piece yet; `installation train DATASET` makes one")
    given = Path(name_or_path)
    for folder in (given, own / given.name, SHIPPED / given.name):
        if _is_piece(folder) and (folder == given or given.name == str(name_or_path)):
            _check_name(folder)
            return folder
    for place in (given, own / given.name):
        if (place == given or given.name == str(name_or_path)) and (what := _instead(place)):
            raise PieceError(what)
    names = [path.name for path in list_pieces(own)]
    near = difflib.get_close_matches(given.name.lower(), map(str.lower, names), n=1)
    meant = next((f", did you mean {n!r}?" for n in names if n.lower() in near), ";")
    there = ", ".join(names) or "none"
    raise PieceError(
        f"no piece {str(name_or_path)!r}{meant} there is: {there} (`installation train`)"
    )


def _instead(given: Path) -> str:
    """What there is where a piece is not, or nothing, and where the piece is."""
    if given.is_file():
        if given.suffix.lower() == ".zip":
            return f"{given} is a zip; unpack it, and give the folder of the piece"
        if _is_piece(given.parent):
            return f"{given} is a file of a piece; give the folder that it lies in, {given.parent}"
    if given.exists():
        inside = [folder for folder in list_pieces(given) if folder.parent == given]
        piece = given.with_name(given.name.removesuffix(".training")) if given.name else given
        if len(inside) == 1:
            return f"{given} is not a piece, but {inside[0]} in it is one"
        if piece != given and _is_piece(piece):
            return f"{given} is the training of a piece, which is {piece}"
        return f"{given} is not a piece: no readable {CARD} in it"
    if (packed := given.with_name(f"{given.name}.zip")).is_file():
        return f"{packed} is a zip; unpack it, and give the folder of the piece"
    if given.with_name(f"{given.name}.training").is_dir():
        return (
            f"{given} is not there yet: its training still runs, or was ended by force, and then "
            "the same command with --resume goes on"
        )
    return ""


def _is_piece(folder: Path) -> bool:
    try:
        return (folder / CARD).is_file()
    except OSError:  # a folder that may not be looked into
        return False


def _check_name(folder: Path) -> None:
    """A preset, a message and a page name the piece by its folder. Raises PieceError."""
    try:
        folder.name.encode()
    except UnicodeEncodeError as error:  # of an old disk or another system
        raise PieceError(f"the name of {folder} is not Unicode text; rename it") from error


def list_pieces(own: Path = OWN) -> list[Path]:
    """Folders of every piece there is, the artist's own first, then those that ship, by name."""
    found: dict[str, Path] = {}
    for shelf in (own, SHIPPED):
        if os.access(shelf, os.R_OK) and shelf.is_dir():
            for folder in sorted(shelf.iterdir()):
                if _is_piece(folder) and not folder.name.startswith("."):
                    found.setdefault(folder.name, folder)
    return list(found.values())


def ships(folder: Path) -> bool:
    """Whether a piece is one of those that ship, which nobody's training may change."""
    return folder.resolve().is_relative_to(SHIPPED.resolve())
