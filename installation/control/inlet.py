"""What senses the room (an input for sound, a camera): looked for, taken up, and looked for again
every two seconds when it is gone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

log = logging.getLogger(__name__)

_EVERY = 2.0  # seconds between two looks for it
_PATIENCE = 2.0  # seconds that closing takes at most


class NoInput(Exception):
    """There is nothing to sense the room with. One line: why, and what to do."""


class Opened(Protocol):
    """One that is open. name: whose it is; alive: whether it goes on giving anything."""

    name: str

    @property
    def alive(self) -> bool: ...

    def close(self) -> None: ...


One = TypeVar("One", bound=Opened)


class Inlet(Generic[One]):
    """Keeps one open, in a thread of its own.

    sense: its name. opens: raises NoInput where there is none. rests: is called when it is gone,
    or closed. taken, none, gone: how the log says so, before its name or the reason.
    """

    def __init__(
        self, sense: str, opens: Callable[[], One], rests: Callable[[], None],
        taken: str, none: str, gone: str,
    ) -> None:  # fmt: skip
        self._opens, self._rests = opens, rests
        self._taken, self._none, self._gone = taken, none, gone
        self._open: One | None = None
        self._said = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=sense, daemon=True)

    def start(self) -> None:
        """Begin to look for it, at once and then for good. Returns immediately."""
        self._thread.start()

    def close(self) -> None:
        """One that is just being opened, as over a network, is not waited for: it is closed once it
        is there."""
        self._closing.set()
        self._thread.join(_PATIENCE)

    def _watch(self) -> None:
        while not self._closing.is_set():
            if self._open is None:
                self._take_up()
            elif not self._open.alive:
                log.warning("%s %s is gone; it is looked for again", self._gone, self._open.name)
                self._let_go()
            self._closing.wait(_EVERY)
        self._let_go()

    def _take_up(self) -> None:
        try:
            self._open = self._opens()
        except NoInput as error:
            if str(error) != self._said:
                self._said = str(error)
                log.warning("%s: %s", self._none, error)
            return
        self._said = ""
        log.info("%s %s", self._taken, self._open.name)

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
            self._rests()
