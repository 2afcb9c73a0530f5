"""The venue file: everything that changes when we move house and nothing that is art.

Checked when it is loaded, before the first frame: an unknown key or a value out of range is an
error that names file, key, value and what is allowed.
"""

from __future__ import annotations

import importlib.resources
import json
import logging
import tomllib
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from installation.fault import first_fault
from installation.tables import PASSWORD, Controller, MidiBinding, Venue

log = logging.getLogger(__name__)

_Kind = TypeVar("_Kind", bound=BaseModel)


class VenueError(Exception):
    """A venue file that is not there or not right. One line: file, key, value, what is allowed."""


def shipped() -> list[str]:
    """Names of the venue files that ship."""
    files = importlib.resources.files("venue").iterdir()
    return sorted(f.name[:-5] for f in files if f.name.endswith(".toml"))


def load(name: str = "rehearsal") -> Venue:
    """A venue by a path ending in .toml, or by name: NAME.toml in the working folder, else the one
    that ships. Raises VenueError."""
    if not name.endswith(".toml"):
        own = Path(f"{name}.toml")
        if not own.is_file():
            return _shipped(name)
        _say_whose(name, own.absolute())
        name = str(own)
    try:
        text = Path(name).read_text(encoding="utf-8-sig")  # as some editors on Windows write it
    except (OSError, ValueError) as error:
        raise VenueError(f"cannot read the venue file {name}: {error}") from error
    return parse(text, name)


def _shipped(name: str) -> Venue:
    if name not in shipped():
        there = ", ".join(shipped())
        raise VenueError(f"no venue {name!r}; there are: {there}, or a .toml file of your own")
    text = importlib.resources.files("venue").joinpath(f"{name}.toml").read_text("utf-8")
    return parse(text, f"venue/{name}.toml")


@cache
def _say_whose(name: str, file: Path) -> None:
    """Once: a command may look at its venue several times."""
    log.info("the venue %s is %s, not one that ships", name, file)


def parse(text: str, where: str) -> Venue:
    """Check the text of a venue file. Raises VenueError with one line on the first fault."""
    return _checked(Venue, text, where)


def controllers() -> list[MidiBinding]:
    """What is known of controllers, each control with the port that it belongs to."""
    found = []
    for file in sorted((importlib.resources.files("venue") / "controllers").iterdir(), key=str):
        known = _checked(Controller, file.read_text("utf-8"), f"venue/controllers/{file.name}")
        found += [one.model_copy(update={"port": known.port}) for one in known.map]
    return found


def read(kind: type[_Kind], path: Path) -> _Kind:
    """A file that a show keeps beside the venue's. Raises VenueError in the same way."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise VenueError(f"cannot read {path}: {error}") from error
    return _checked(kind, text, str(path))


def quoted(text: str) -> str:
    """A TOML string: JSON's escapes are among TOML's, but for DEL, which that wants escaped, and
    halves of a character, which it refuses."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _checked(kind: type[_Kind], text: str, where: str) -> _Kind:
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits
        raise VenueError(f"{where}: not valid TOML: {error}") from error
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise VenueError(f"{where}: {_said(error, kind)}") from error


def _said(error: ValidationError, kind: type[BaseModel]) -> str:
    path = error.errors()[0]["loc"]
    if path[-1:] == ("password",):  # which no screen and no log shows
        return f"web.password: a password is text of {PASSWORD[0]} to {PASSWORD[1]} characters"
    return first_fault(error, kind)
