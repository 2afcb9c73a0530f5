"""The remote's door, where the venue has a password for it.

Whoever gives it by HTTP's Basic scheme (RFC 7617) comes in, under any user name: every browser asks
for it in a dialogue, and programs that speak OSCQuery know user:password@host. Not every browser
repeats it for a WebSocket, so who has come in is known by a cookie until the show ends. All this is
plain HTTP: whoever can listen in on that network reads it.

A wrong password is paid for where it came from, so that one who guesses keeps nobody out but those
who share his address; and of them nobody who has the cookie.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from base64 import b64decode
from dataclasses import dataclass, field

from aiohttp import web

from installation.control.hosts import network, plain

_PAUSE = 1.0  # seconds after a wrong password before another from that address is heard
_QUEUE = 8  # that wait there; who comes after these is sent away unheard
_KIN = 8  # addresses of one network (a /64 of IPv6) that have a queue each
_MOST = 64  # queues in all, and so wrong passwords a second; who comes from elsewhere shares one


@dataclass
class _Place:
    """One queue. free: when the next password is heard, by the loop's clock, whether or not whoever
    gave the last has stayed for the answer."""

    network: str
    one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    free: float = 0.0


class Gate:
    """password: what is asked for. port: cookies are shared by the ports of a machine, so its
    name tells them apart."""

    def __init__(self, password: str, port: int) -> None:
        self._password, self._cookie = password, f"installation-{port}"
        self._token = secrets.token_urlsafe(32)
        self._places: dict[str, _Place] = {}  # only where somebody waits or has yet to pay

    async def admit(self, request: web.Request) -> None:
        """Return where a request may pass. Raises HTTPUnauthorized or HTTPTooManyRequests."""
        if _same(request.cookies.get(self._cookie, ""), self._token):
            return
        given = _password(request.headers.get("Authorization", ""))
        if given is None:
            raise self._closed()
        place = self._place(request.remote)
        if place.waiting >= _QUEUE:
            raise web.HTTPTooManyRequests(text="too many ask at once\n")
        place.waiting += 1
        try:
            async with place.one_by_one:
                now = asyncio.get_running_loop().time
                if place.free > now():
                    await asyncio.sleep(place.free - now())
                if _same(given, self._password):
                    return
                place.free = now() + _PAUSE
        finally:
            place.waiting -= 1
        raise self._closed()

    def _place(self, remote: str | None) -> _Place:
        """Where an address waits: by itself, or with its network where many of that guess already,
        or with everybody where too many do."""
        now = asyncio.get_running_loop().time()
        left = {name: one for name, one in self._places.items() if one.waiting or one.free > now}
        name, kin = (plain(remote), network(remote)) if remote else ("", "")
        if name not in left and sum(one.network == kin for one in left.values()) >= _KIN:
            name = kin
        if name not in left and len(left) >= _MOST:
            name = kin = ""
        self._places = left
        return left.setdefault(name, _Place(kin))

    def remember(self, answer: web.StreamResponse) -> None:
        """Give who has come in the cookie, where there is still time to."""
        if not answer.prepared:
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict")

    def _closed(self) -> web.HTTPException:
        asks = {"WWW-Authenticate": 'Basic realm="installation", charset="UTF-8"'}
        return web.HTTPUnauthorized(headers=asks, text="the password is wanted\n")


def _password(header: str) -> str | None:
    """What an Authorization header gives; None where that is no Basic scheme's."""
    scheme, _, code = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(code.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return None


def _same(given: str, wanted: str) -> bool:
    """Compared in a time that does not tell how much is right. A header may hold bytes that are no
    text, which aiohttp hands on as surrogates."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode())
