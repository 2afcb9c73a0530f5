"""Ableton Link: one tempo and one beat with every other program on the network that speaks it.

Needs aalink (the extra `link`), which is GPLv3, and so never comes along by itself. Whoever joins
takes up the tempo that is there; after that whoever moves it, by hand or by Link, moves it for all.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Protocol, Self

from installation.control.message import ControlError
from installation.parameters import Bus
from installation.sources import LINK

log = logging.getLogger(__name__)

BPM, BEAT = "/clock/bpm", "/clock/beat"
_PART = 0.25  # of a beat, between two looks at the tempo
_CLOSE = 0.02  # of a beat: nearer to a whole one than this it is on it


class Session(Protocol):
    """What is used of aalink.Link. sync waits for the next multiple of a part of a beat and gives
    the beat that it is."""

    enabled: bool
    tempo: float

    @property
    def num_peers(self) -> int: ...

    def sync(self, beat: float) -> Awaitable[float]: ...


def library() -> ModuleType:
    """What speaks Link. Raises ControlError where it is missing."""
    try:
        import aalink
    except ImportError as error:
        raise ControlError(
            "Link needs aalink, which is not there: pip install 'installation[link]', or say "
            "enabled = false under [link]"
        ) from error
    return aalink


def join(bpm: float) -> Session:
    """A session of Link, in the running loop. Raises ControlError."""
    session: Session = library().Link(bpm)
    return session


class Link:
    """Keeps /clock/bpm and Link's tempo the same, and posts /clock/beat with every beat of Link's
    while anybody else is there."""

    def __init__(self, bus: Bus, joins: Callable[[float], Session] = join) -> None:
        self._bus, self._join = bus, joins
        self._closing = threading.Event()
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._thread: threading.Thread | None = None
        self._theirs = self._ours = 0.0  # tempo, beats a minute, as last seen on either side
        self._peers = 0

    def start(self) -> Self:
        """Join. Raises ControlError where aalink is missing; then it may be tried again."""
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    @property
    def leads(self) -> bool:
        """Somebody else is there, whose beat is the one that counts: a MIDI clock's, which is never
        quite even, would move the tempo of all of them with every beat."""
        return self._peers > 0 and self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        try:
            session = self._join(self._bus.target(BPM))
        except ControlError as error:
            self._failure = error
            return
        finally:
            self._ready.set()
        self._theirs, self._ours = session.tempo, self._bus.target(BPM)
        session.enabled = True
        while not self._closing.is_set():
            beat = await session.sync(_PART)
            self._meet(session)
            if session.num_peers and abs(beat - round(beat)) < _CLOSE:
                self._bus.post(BEAT, 1, LINK)
        session.enabled = False

    def _meet(self, session: Session) -> None:
        """Whoever has moved the tempo since the last look has it."""
        peers = session.num_peers
        if peers != self._peers:
            self._peers = peers
            log.info("Link: %d other%s", peers, "" if peers == 1 else "s")
        ours = self._bus.asked(BPM)
        if session.tempo != self._theirs:
            self._theirs = session.tempo
            steered = self._bus.steer(BPM, self._theirs, LINK)
            self._ours = ours if steered is None else steered  # as far as it goes here
        elif ours != self._ours:
            self._ours = ours
            session.tempo = ours
            self._theirs = session.tempo
