"""The crowd at the remote: who is let in, and what all of them may cost."""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import Any, cast

from aiohttp import web

from installation.control.flood import Share
from installation.control.hosts import network

_MOST = 96  # connections at a time, listeners among them: each is a file that the show may need
_KIN = 24  # of one machine, or of one network (a /64 of IPv6); fewer than there may be listeners
_PART = 0.3  # of a core for all that is asked, a fifth of one for what is sent among it


class Door(asyncio.Protocol):
    """Where somebody comes in, or is sent away: the house may be full, or full of his kin."""

    def __init__(self, server: web.Server) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        came = cast(asyncio.Transport, transport)
        there = [one.peername for one in self._server.connections]
        home = _home(came.get_extra_info("peername"))
        if len(there) >= _MOST or sum(_home(peer) == home for peer in there) >= _KIN:
            came.abort()
            return
        guest = self._server()
        came.set_protocol(guest)
        guest.connection_made(came)


def _home(peer: Any) -> str:
    """Where one comes from, by its socket's name; "" where it has left already."""
    return network(peer[0]) if peer else ""


class _Resting(selectors.DefaultSelector):
    """Waits for what comes, and before that as long as the thread has worked too much."""

    def __init__(self) -> None:
        super().__init__()
        self._share = Share(part=_PART)
        self._share.begin()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        rest = self._share.rest()
        if rest:
            time.sleep(rest)
        return super().select(timeout)


def bounded_loop() -> asyncio.AbstractEventLoop:
    """A loop that takes no more than its part of a core from the thread that draws, whatever
    is asked of it. To be made in the thread in which it runs."""
    return asyncio.SelectorEventLoop(_Resting())
