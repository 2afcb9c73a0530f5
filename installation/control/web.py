"""A remote for the browser, and OSCQuery for other programs: one port, HTTP and WebSocket.

    http://127.0.0.1:8080         the remote: the picture, every trigger, every fader
    GET /drift/speed?VALUE        OSCQuery: what is there and where it stands, as JSON
    a WebSocket                   OSC packets both ways; {"COMMAND": "LISTEN", "DATA": "/drift"}
                                  asks for what moves at or below an address, "IGNORE" no longer;
                                  {"COMMAND": "STATUS", …} says what is on, beyond OSCQuery

The remote is a client of OSCQuery like any other. What comes in is hostile until checked: a page of
another site, which the browser at this desk may have open as well, is told nothing and moves
nothing, under whatever name it comes (DNS rebinding). Who else is on the network is asked for the
password, where there is one.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Self, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from installation.control.crowd import Door, bounded_loop
from installation.control.gate import Gate
from installation.control.hosts import (
    is_ours,
    names_of_this_machine,
    reached_at,
    remedy,
    resolved,
)
from installation.control.message import ControlError
from installation.control.packet import LARGEST
from installation.control.pages import HEADERS, page
from installation.control.query import ATTRIBUTES, describe, host_info
from installation.control.talks import FAREWELL, Talks
from installation.log import Complaints
from installation.parameters import Bus

log = logging.getLogger(__name__)

_LINE = 32  # that wait to be let in; so many beyond may come in before they are counted
_IDLE = 10.0  # seconds that one may be there without asking for anything, or reading the answer
_PICTURE = "/preview.jpg"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Web:
    """Serves the remote and OSCQuery, and posts to the bus what comes in.

    port: 0 lets the system choose; after start() it is the one in use. password: asked for, unless
    empty. name: of the show. osc_port: where OSC by UDP goes. picture: waits for a JPEG of the
    wall, None where there is none; called in threads of its own.
    """

    def __init__(
        self,
        bus: Bus,
        host: str = "127.0.0.1",
        port: int = 8080,
        *,
        password: str = "",
        name: str = "installation",
        osc_port: int | None = None,
        picture: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        self.host, self.port, self._password = host, port, password
        self._gate: Gate | None = None
        self._bus, self._name, self._osc_port, self._picture = bus, name, osc_port, picture
        self.status: dict[str, str] = {}  # what is on, in words; put here from any thread
        self._complaints = Complaints(log)
        self._talks = Talks(bus, lambda: self.status, self._complaints)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event
        self._thread: threading.Thread | None = None
        self._names = {"localhost", host.lower(), *names_of_this_machine()}
        self._files = page(resources.files("installation.control") / "remote", "remote")

    def start(self) -> Self:
        """Open the port and begin to serve. Raises ControlError."""
        opened = listen(self.host, self.port)
        self.port = opened.getsockname()[1]
        self._gate = Gate(self._password, self.port) if self._password else None
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(opened, ready), name="web", daemon=True
        )
        self._thread.start()
        ready.wait()
        log.info("the remote is at http://%s:%d", reached_at(self.host), self.port)
        return self

    def close(self) -> None:
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self._thread = self._loop = None

    def _run(self, opened: socket.socket, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=bounded_loop) as runner:
            runner.run(self._serve(opened, ready))

    async def _serve(self, opened: socket.socket, ready: threading.Event) -> None:
        app = web.Application(middlewares=[_deliver, self._guard], client_max_size=LARGEST)
        app.router.add_get("/{path:.*}", self._answer)
        # A request whose sender has gone is dropped, or those for pictures would pile up.
        runner = web.AppRunner(
            app, access_log=None, logger=_ServerLog(self._complaints), shutdown_timeout=FAREWELL,
            keepalive_timeout=_IDLE, handler_cancellation=True,
        )  # fmt: skip
        loop = asyncio.get_running_loop()
        try:
            await runner.setup()
            server = cast(web.Server, runner.server)
            listening = await loop.create_server(lambda: Door(server), sock=opened, backlog=_LINE)
            self._loop, self._stop = loop, asyncio.Event()
        finally:
            ready.set()
        await self._stop.wait()
        listening.close()
        await self._talks.close()
        await runner.cleanup()

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: _Handler,
    ) -> web.StreamResponse:
        """Answer only who calls this machine by a name that is its own, is no page of others, and
        has the password."""
        if not is_ours(request.host, request.headers.get("Origin"), self._names):
            raise web.HTTPForbidden(text="this is not for pages of another site\n")
        if self._gate is None:
            return await handler(request)
        await self._gate.admit(request)
        answer = await handler(request)
        self._gate.remember(answer)
        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """The remote, its picture, a WebSocket, or a node of OSCQuery."""
        path, query = request.path, request.query_string
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._talks.talk(request)
        if path == _PICTURE:
            return await self._show_picture()
        browser = "text/html" in request.headers.get("Accept", "")
        if path in self._files and (path != "/" or query == "HTML" or (browser and not query)):
            body, kind = self._files[path]
            return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)
        return self._describe(path, query)

    def _describe(self, path: str, query: str) -> web.Response:
        if query == "HOST_INFO":
            return web.json_response(host_info(self._name, self._osc_port), headers=HEADERS)
        if query and query not in ATTRIBUTES:
            raise web.HTTPBadRequest(text="there is no such attribute\n")
        node = describe(self._bus, path)
        if node is None:
            raise web.HTTPNotFound(text="there is nothing at this address\n")
        if query and query not in node:
            return web.Response(status=204)
        found = {query: node[query]} if query else node
        return web.json_response(found, headers=HEADERS)

    async def _show_picture(self) -> web.Response:
        picture = await asyncio.get_running_loop().run_in_executor(None, self._picture)
        if picture is None:
            raise web.HTTPServiceUnavailable(text="nothing is on the wall\n")
        return web.Response(body=picture, content_type="image/jpeg", headers=HEADERS)


class _ServerLog(logging.Logger):
    """What aiohttp says of requests, each thing once: damaged ones, which anybody may send by the
    thousand, in a line and without their tracebacks."""

    def __init__(self, complaints: Complaints) -> None:
        super().__init__(log.name, logging.ERROR)
        self._complaints = complaints

    def handle(self, record: logging.LogRecord) -> None:
        text = logging.Formatter().format(record)
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
            text = f"{record.getMessage()}: it is not HTTP; ignored"
        self._complaints.once(text, lambda: text)


@web.middleware
async def _deliver(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Send the answer. Who asks and does not read would keep his place for good."""
    refusal = None
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        answer = refusal = error
    if not answer.prepared:  # a talk is over by now
        try:
            async with asyncio.timeout(_IDLE):
                await answer.prepare(request)
                await answer.write_eof()
        except (TimeoutError, ConnectionError):  # or he has left meanwhile
            if request.transport is not None:
                request.transport.abort()
    if refusal is not None:
        raise refusal
    return answer


def listen(host: str, port: int) -> socket.socket:
    """The port of the remote, open. Raises ControlError."""
    if not 0 <= port <= 65535:
        raise ControlError(f"the remote cannot listen on port {port}: ports are 1 to 65535")
    try:
        family, where = resolved(host, port, socket.SOCK_STREAM)
        return socket.create_server(where[:2], family=family)
    except (OSError, UnicodeError) as error:
        raise ControlError(
            f"the remote cannot listen on {host} port {port} ({error}): {remedy(error)}"
        ) from error
