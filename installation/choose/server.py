"""The page on which somebody chooses, served to the browser of this machine alone."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import webbrowser
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib import resources
from typing import Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from installation.choose.choice import Candidate, Choice
from installation.control.hosts import is_ours
from installation.control.pages import HEADERS, page
from installation.signals import ended_by_signals
from installation.still import StillError

log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_LARGEST = 4096  # bytes that a request says
_FAREWELL = 1.0  # seconds for answers that are under way at the end

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_T = TypeVar("_T")


class _Wish(BaseModel):
    """What is to be shown next: of which one, and how it is varied."""

    model_config = ConfigDict(extra="forbid", strict=True)
    way: Literal["others", "alike", "label", "code", "direction"]
    number: int = 0
    name: str = Field("", max_length=256)
    far: float = Field(0.5, ge=0, le=1)


class _One(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    number: int


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    file: str = Field(max_length=256)


_Asked = TypeVar("_Asked", bound=BaseModel)


def serve(choice: Choice, opened: Callable[[str], object] | None = None) -> None:
    """Serve the page until it, or a signal, says that it is done. opened: is told its address; if
    left out, the browser opens it, and it is printed."""
    asyncio.run(_Server(choice).run(opened or _announce))


def _announce(url: str) -> None:
    print(f"choose at {url}; Ctrl-C, or Done on the page, ends it", flush=True)
    # without a desktop a browser would open within the terminal
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)


class _Server:
    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._painting = ThreadPoolExecutor(1, "choice")  # one thing after the other
        self._stop = asyncio.Event()
        self._files = page(resources.files("installation.choose"), "choose")

    async def run(self, opened: Callable[[str], object]) -> None:
        app = web.Application(middlewares=[_guard, _explain], client_max_size=_LARGEST)
        app.add_routes([web.get(path, self._page) for path in self._files])
        app.add_routes([
            web.get("/piece", self._describe),
            web.get("/kept", self._kept),
            web.get(r"/picture/{number:\d{1,9}}", self._picture),
            web.post("/show", self._show),
            web.post("/keep", self._keep),
            web.post("/drop", self._drop),
            web.post("/done", self._done),
        ])  # fmt: skip
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_FAREWELL)
        await runner.setup()
        listening = socket.create_server((_HOST, 0))
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.call_soon_threadsafe(self._stop.set)

        try:
            await web.SockSite(runner, listening).start()
            with ended_by_signals(end):
                url = f"http://{_HOST}:{listening.getsockname()[1]}"
                browser = loop.run_in_executor(None, opened, url)  # it may wait for the page
                await self._stop.wait()
                await browser
        finally:
            await runner.cleanup()
            self._painting.shutdown()

    async def _work(self, work: Callable[..., _T], *given: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._painting, work, *given)

    async def _page(self, request: web.Request) -> web.Response:
        body, kind = self._files[request.path]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=HEADERS)

    async def _describe(self, _: web.Request) -> web.Response:
        return _json(self._choice.describe())

    async def _kept(self, _: web.Request) -> web.Response:
        return _json([asdict(one) for one in await self._work(self._choice.kept)])

    async def _picture(self, request: web.Request) -> web.Response:
        picture = await self._work(self._choice.picture, int(request.match_info["number"]))
        return web.Response(body=picture, content_type="image/png", headers=HEADERS)

    async def _show(self, request: web.Request) -> web.Response:
        wish = await _read(request, _Wish)
        return _json([asdict(one) for one in await self._work(self._shown, wish)])

    def _shown(self, wish: _Wish) -> list[Candidate]:
        match wish.way:
            case "others":
                return self._choice.others()
            case "alike":
                return self._choice.alike(wish.number, wish.far)
            case "label":
                return self._choice.label(wish.number, wish.name)
            case "code":
                return self._choice.code(wish.number, wish.name)
            case "direction":
                way = int(wish.name) if wish.name.isdecimal() and len(wish.name) < 4 else 0
                return self._choice.direction(wish.number, way)

    async def _keep(self, request: web.Request) -> web.Response:
        wish = await _read(request, _One)
        return _json(asdict(await self._work(self._choice.keep, wish.number)))

    async def _drop(self, request: web.Request) -> web.Response:
        await self._work(self._choice.drop, (await _read(request, _File)).file)
        return _json({})

    async def _done(self, _: web.Request) -> web.Response:
        asyncio.get_running_loop().call_later(0.1, self._stop.set)  # after this is answered
        return _json({})


def _json(said: object) -> web.Response:
    return web.json_response(said, headers=HEADERS)


async def _read(request: web.Request, kind: type[_Asked]) -> _Asked:
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError as error:
        raise web.HTTPBadRequest(text="this is no wish of the page's\n") from error


@web.middleware
async def _guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Pages of other sites that the browser has open are told nothing, and move nothing."""
    if not is_ours(request.host, request.headers.get("Origin"), {_HOST, "localhost"}):
        raise web.HTTPForbidden(text="this is not for pages of another site\n")
    return await handler(request)


@web.middleware
async def _explain(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except StillError as error:
        raise web.HTTPConflict(text=f"{error}\n") from error
