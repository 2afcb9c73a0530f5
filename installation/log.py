"""Logging that a flood cannot fill: each complaint once, and only so many in a second."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # a terminal; tabs and line ends do not


def printable(text: str) -> str:
    """Text without what could steer a terminal: names in it may be a stranger's."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


class _Format(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


class _File(RotatingFileHandler):
    """One that cannot be written, on a full disk, is said in a line and not once for each message:
    the show goes on, and its log beside the file."""

    _lost = _known = False  # the message that is written now, and the one before it

    def emit(self, record: logging.LogRecord) -> None:
        self._known, self._lost = self._lost, False
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        self._lost = True
        if not self._known:
            with suppress(OSError):  # there is nowhere else to say it
                print(f"{self.baseFilename} cannot be written: {error.strerror}", file=sys.stderr)


def configure(level: int = logging.INFO) -> None:
    """Send the log to stderr, one line a message; stdout stays free for answers."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Format("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[handler])


def keep(path: str | Path) -> None:
    """Also write the log to a file, with dates; five files of 1 MB at most. Raises OSError."""
    handler = _File(path, maxBytes=1_000_000, backupCount=4, encoding="utf-8")
    handler.setFormatter(_Format("%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"))
    logging.getLogger().addHandler(handler)


class Complaints:
    """Says each thing once, and at most `per_second` things in any second.

    Networks and controllers can send rubbish thousands of times a second; neither the log nor the
    memory of what was already said may grow with it. Safe to call from any thread.
    """

    def __init__(
        self,
        logger: logging.Logger,
        per_second: int = 5,
        remember: int = 512,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._per_second = per_second
        self._remember = remember
        self._now = now
        self._said: dict[Hashable, None] = {}
        self._second = 0
        self._count = 0
        self._held_back = 0
        self._lock = threading.Lock()

    def once(self, key: Hashable, message: Callable[[], str]) -> None:
        """Log message() as a warning unless `key` was said before or the second is full.

        The message is a function, so that composing it costs nothing when it is held back.
        """
        with self._lock:
            if key in self._said:
                return
            second = int(self._now())
            held_back = 0
            if second != self._second:
                held_back, self._held_back = self._held_back, 0
                self._second, self._count = second, 0
            if self._count >= self._per_second:
                self._held_back += 1
                return
            self._count += 1
            while len(self._said) >= self._remember:
                del self._said[next(iter(self._said))]
            self._said[key] = None
        if held_back:
            self._logger.warning("… and %d more such messages", held_back)
        self._logger.warning("%s", message())
