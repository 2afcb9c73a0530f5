"""A file that a show keeps from one evening to the next, and that people edit meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from installation import venue
from installation.tables import Table
from installation.venue import VenueError
from installation.writing import replace

log = logging.getLogger(__name__)

_Kind = TypeVar("_Kind", bound=Table)


class KeptFile(Generic[_Kind]):
    """path: "" keeps nothing. kind: what stands in it."""

    def __init__(self, path: str, kind: type[_Kind]) -> None:
        self._path, self._kind = Path(path) if path else None, kind

    def read(self) -> _Kind | None:
        """None where there is none yet. Raises VenueError for one that is not right."""
        if self._path is None or not self._path.exists():
            return None
        return venue.read(self._kind, self._path)

    def write(self, text: Callable[[_Kind | None], str]) -> None:
        """Write it anew. text: is given what stands in it now, which somebody else may have
        written, and is not to be lost. What cannot be kept is said, and stays for the evening."""
        if self._path is None:
            return
        try:
            there = self.read()
        except VenueError as error:  # somebody writes in it, and it is not to be overwritten
            log.warning("%s; what is new is there for this evening alone", error)
            return
        try:
            replace(self._path, text(there))
        except OSError as error:
            log.warning("%s cannot be kept: %s", self._path, error.strerror or error)
