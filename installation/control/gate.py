"""The remote's door, where the venue has a password for it.

Whoever gives it by HTTP's Basic scheme (RFC 7617) comes in, under any user name: every browser asks
for it in a dialogue, and programs that speak OSCQuery know user:password@host. Not every browser
repeats it for a WebSocket, so who has come in is known by a cookie until the show ends. All this is
plain HTTP: whoever can listen in on that network reads it.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from base64 import b64decode

from aiohttp import web

_PAUSE = 1.0  # seconds that a wrong password costs; all who guess stand in one queue
_QUEUE = 8  # who comes after these is sent away unheard


class Gate:
    """password: what is asked for. port: cookies are shared by the ports of a machine, so its
    name tells them apart."""

    def __init__(self, password: str, port: int) -> None:
        self._password, self._cookie = password, f"installation-{port}"
        self._token = secrets.token_urlsafe(32)
        self._one_by_one = asyncio.Lock()
        self._waiting = 0

    async def admit(self, request: web.Request) -> None:
        """Return where a request may pass. Raises HTTPUnauthorized or HTTPTooManyRequests."""
        if _same(request.cookies.get(self._cookie, ""), self._token):
            return
        given = _password(request.headers.get("Authorization", ""))
        if given is None:
            raise self._closed()
        if self._waiting >= _QUEUE:
            raise web.HTTPTooManyRequests(text="too many ask at once\n")
        self._waiting += 1
        try:
            async with self._one_by_one:
                if _same(given, self._password):
                    return
                await asyncio.sleep(_PAUSE)
        finally:
            self._waiting -= 1
        raise self._closed()

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
