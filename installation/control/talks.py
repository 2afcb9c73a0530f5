"""The WebSockets of the remote and of OSCQuery: what is told there, and what comes in."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import WSMessage, WSMsgType, web

from installation.control.feedback import Stand, news
from installation.control.flood import FLOOD, MUCH, bundles, complain_of_flood, newest
from installation.control.intake import Intake
from installation.control.packet import LARGEST, ParseError, asked, encoded, messages, parsed
from installation.log import Complaints
from installation.parameters import Bus

FAREWELL = 1.0  # seconds for whoever is still there when the show ends
_EVERY = 0.05  # seconds between two looks for news
_MOST = 32  # listeners at a time
_ALIVE = 20.0  # seconds between two pings: a telephone that went home is forgotten


@dataclass
class _Listener:
    """One WebSocket. told: what it knows of the values it listens to."""

    socket: web.WebSocketResponse
    source: str
    paths: set[str] = field(default_factory=set)
    status: dict[str, str] = field(default_factory=dict)
    told: dict[str, Stand] = field(default_factory=dict)

    def wants(self, address: str) -> bool:
        return any(_within(path, address) for path in self.paths)


_Came = tuple[_Listener, WSMessage]


class Talks:
    """All who listen. status: what is on, in words; asked now and then."""

    def __init__(
        self, bus: Bus, status: Callable[[], dict[str, str]], complaints: Complaints
    ) -> None:
        self._bus, self._status, self._complaints = bus, status, complaints
        self.listeners: list[_Listener] = []
        self._intake = Intake(self._heed, self._complain_of)

    async def talk(self, request: web.Request) -> web.StreamResponse:
        """With whoever asks for a WebSocket, until it leaves."""
        if len(self.listeners) >= _MOST:
            raise web.HTTPServiceUnavailable(text=f"{_MOST} listeners are the most\n")
        talk = web.WebSocketResponse(
            max_msg_size=LARGEST, heartbeat=_ALIVE, timeout=FAREWELL, autoping=False
        )
        await talk.prepare(request)
        peer = request.transport.get_extra_info("peername") if request.transport else None
        one = _Listener(talk, "web {}:{}".format(*peer[:2]) if peer else "web")
        self.listeners.append(one)
        teller = asyncio.create_task(self._tell(one))
        try:
            async for message in talk:
                if message.type is WSMsgType.ERROR:  # it broke the rules, and has been closed
                    break
                await self._intake.add((one, message), message.data)
                if message.type is WSMsgType.PING:  # answered here, so that it counts
                    await talk.pong(message.data)
        except ConnectionError:  # it went away meanwhile
            return talk
        finally:
            self.listeners.remove(one)
            teller.cancel()
        return talk

    async def _tell(self, one: _Listener) -> None:
        """Tell what has moved; whoever is slow misses what lies between."""
        known = _addresses(self._bus)
        while not one.socket.closed:
            await asyncio.sleep(_EVERY)
            before, known = known, _addresses(self._bus)
            try:
                for path in _changed(before, known):
                    await one.socket.send_json({"COMMAND": "PATH_CHANGED", "DATA": path})
                status = self._status()
                if one.status != status:
                    one.status = status
                    await one.socket.send_json({"COMMAND": "STATUS", "DATA": one.status})
                for address, stand in news(self._bus, one.told, one.source, one.wants):
                    await one.socket.send_bytes(encoded(address, stand[1]))
                    one.told[address] = stand
            except ConnectionError:  # it went away meanwhile; the loop over its messages ends too
                return

    def _heed(self, came: list[_Came]) -> None:
        """Take messages in; of many, the newest."""
        found = [
            (data, number)
            for number, (one, message) in enumerate(came)
            for data in self._opened(one, message)
        ]
        if len(found) >= MUCH:
            found = newest(found, self._bus)
        for part in bundles(found):
            with self._bus.together:
                for data, number in part:
                    self._take(came[number][0], data)

    def _take(self, one: _Listener, data: bytes) -> None:
        with self._forgiving(one):
            address, arguments = parsed(data)
            value, form = asked(arguments, self._bus.get(address))
            self._bus.post(address, value, one.source, form)

    def _opened(self, one: _Listener, message: WSMessage) -> list[bytes]:
        """The OSC in a message. A command is obeyed."""
        with self._forgiving(one):
            if message.type is WSMsgType.BINARY:
                return messages(message.data)
            if message.type is WSMsgType.TEXT:
                self._obey(one, message.data)
        return []

    @contextmanager
    def _forgiving(self, one: _Listener) -> Iterator[None]:
        try:
            yield
        except (ParseError, ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, ParseError) else "sent what is not OSCQuery"
            host = _host(one.source)
            self._complaints.once((host, why), lambda: f"{host}: {why}; ignored")

    def _complain_of(self, came: list[_Came]) -> None:
        if len(came) >= FLOOD:
            source, _ = Counter(one.source for one, _ in came).most_common(1)[0]
            complain_of_flood(self._complaints, _host(source))

    def _obey(self, one: _Listener, text: str) -> None:
        """A command of OSCQuery. Raises ValueError for what is none."""
        order = json.loads(text)
        if not isinstance(order, dict) or not isinstance(order.get("DATA"), str):
            raise ValueError("no command")
        path = order["DATA"].rstrip("/") or "/"
        if order.get("COMMAND") == "IGNORE":
            one.paths.discard(path)
        elif order.get("COMMAND") == "LISTEN":
            if any(_within(path, a) for a, _ in (*self._bus, *self._bus.others())):
                one.paths.add(path)
                one.told.pop(path, None)  # it is told where that stands
        else:
            raise ValueError("no command")

    async def close(self) -> None:
        """All at once, and not for long: one that does not read would keep a farewell for good."""
        farewells = [
            asyncio.create_task(one.socket.close(message=b"the show is over"))
            for one in self.listeners
        ]
        if farewells:
            await asyncio.wait(farewells, timeout=FAREWELL)


def _host(source: str) -> str:
    return source.rpartition(":")[0]


def _addresses(bus: Bus) -> dict[str, str]:
    """All there are, and what each stands for."""
    own = {address: address for address, _ in bus}
    return own | {address: bus.meant(address) for address, _ in bus.others()}


def _changed(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Where to look anew: everywhere after a scene was saved with other parameters; where only
    other names mean something else, because another scene is on, at those."""
    moved = dict(before.items() ^ now.items())
    if any(address == meant for address, meant in moved.items()):
        return ["/"]
    return sorted({"/" + address.split("/")[1] for address in moved})


def _within(path: str, address: str) -> bool:
    """Whether an address is at or below a path."""
    return path in ("/", address) or address.startswith(f"{path}/")
