"""What senses the room (an input for sound, a camera): looked for, taken up, and looked for again
every two seconds when it is gone."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

log = logging.getLogger(__name__)

_EVERY = 2.0  # seconds between two looks for it
_PATIENCE = 2.0  # seconds that closing takes at most
_SLOW = 10.0  # seconds without anything from one that has just been opened, and it is said
_STAYS = 60.0  # seconds that it gives anything without a break, and it is all right
_RARELY = 3600.0  # seconds until the same trouble is said once more


class NoInput(Exception):
    """There is nothing to sense the room with. One line: why, and what to do."""


class Opened(Protocol):
    """One that is open. name: whose it is; gives: whether anything has come from it; alive: whether
    it goes on giving."""

    name: str

    @property
    def gives(self) -> bool: ...

    @property
    def alive(self) -> bool: ...

    def close(self) -> None: ...


One = TypeVar("One", bound=Opened)


class Inlet(Generic[One]):
    """Keeps one open, in a thread of its own.

    sense: its name. opens: raises NoInput where there is none. rests: is called when it is gone,
    or closed. taken, none, gone: how the log says so, before its name or the reason. Trouble that
    lasts for weeks, as of a camera that opens and gives nothing, is said rarely.
    """

    def __init__(
        self, sense: str, opens: Callable[[], One], rests: Callable[[], None],
        taken: str, none: str, gone: str,
    ) -> None:  # fmt: skip
        self._opens, self._rests = opens, rests
        self._taken, self._none, self._gone = taken, none, gone
        self._open: One | None = None
        self._since = 0.0  # when it was opened
        self._gives_since: float | None = None  # None: it has not given anything yet
        self._told = False  # that it was taken up
        self._troubles: dict[str, float] = {}  # when each was said, until all is right again
        self._quiet = False  # it came and went too often to be said
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
            self.look()
            self._closing.wait(_EVERY)
        self._let_go()

    def look(self) -> None:
        """See whether it is there, and whether it still is; what its thread does again and again.
        Call it only where that was not started."""
        if self._open is None:
            self._take_up()
        elif not self._open.alive:
            self._lose(self._open)
        elif not self._open.gives and time.monotonic() - self._since >= _SLOW:
            self._since = math.inf
            self._blame(self._open)
        if self._open is not None and self._open.gives:
            self._goes_on(self._open)

    def _take_up(self) -> None:
        try:
            self._open, self._since = self._opens(), time.monotonic()
        except NoInput as error:
            self._warn(f"{self._none}: {error}")

    def _goes_on(self, one: One) -> None:
        now = time.monotonic()
        if self._gives_since is None:
            self._gives_since = now
        if now - self._gives_since >= _STAYS:
            self._troubles.clear()
            self._quiet = False
        if not self._told and not self._quiet:
            self._told = True
            log.info("%s %s", self._taken, one.name)

    def _lose(self, one: One) -> None:
        if one.gives or self._gives_since is not None:
            told = self._warn(f"{self._gone} {one.name} is gone; it is looked for again")
            self._quiet = not told
        else:
            self._blame(one)
        self._let_go()

    def _blame(self, one: One) -> None:
        self._warn(f"{self._none}: {one.name} is there, and gives nothing")

    def _warn(self, trouble: str) -> bool:
        """Say it, unless it was said not long ago: False."""
        now, said = time.monotonic(), self._troubles.get(trouble, -math.inf)
        if now - said < _RARELY:
            return False
        self._troubles[trouble] = now
        log.warning("%s", trouble)
        return True

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open, self._gives_since, self._told = None, None, False
            self._rests()
