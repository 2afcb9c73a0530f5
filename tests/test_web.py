"""The remote and OSCQuery, over real sockets, by friends and by others."""

from __future__ import annotations

import asyncio
import itertools
import json
import select
import socket
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from http.client import HTTPConnection
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from installation.control import crowd, gate, intake
from installation.control import web as control_web
from installation.control.flood import Share
from installation.control.message import ControlError
from installation.control.packet import encoded, parsed
from installation.control.query import describe
from installation.control.web import Web
from installation.parameters import Bus, Param, Trigger
from tests.waiting import until


@pytest.fixture
def bus() -> Bus:
    made = Bus()
    made.declare("drift", {"speed": Param(0.1, 0, 2, unit="seeds/s", doc="How fast.")})
    made.declare("light", {"brightness": Param(1, 0, 1, doc="The whole picture.")})
    made.declare("piece/code", {"1": Param(0, -1, 1, doc="mood")})
    made.declare("piece/code/1", {"3": Param(0, 0, 1, doc="the third")})
    made.declare("stage", {"next": Trigger(doc="The next scene.")})
    return made


@pytest.fixture
def web(bus: Bus) -> Iterator[Web]:
    made = Web(bus, port=0, name="Masks", osc_port=9000, picture=lambda: b"a picture").start()
    yield made
    made.close()


def get(port: int, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    asked = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asked.request("GET", path, headers=headers)
        answer = asked.getresponse()
        return answer.status, answer.read(), dict(answer.headers)
    finally:
        asked.close()


def read(web: Web, path: str) -> Any:
    status, body, _ = get(web.port, path)
    assert status == 200
    return json.loads(body)


@asynccontextmanager
async def listening(
    web: Web, *paths: str, **headers: str
) -> AsyncIterator[ClientWebSocketResponse]:
    async with ClientSession() as session:
        where = f"ws://127.0.0.1:{web.port}/"
        async with session.ws_connect(where, headers=headers) as talk:
            for path in paths:
                await talk.send_json({"COMMAND": "LISTEN", "DATA": path})
            yield talk


async def heard(talk: ClientWebSocketResponse, count: int) -> dict[str, float]:
    found: dict[str, float] = {}
    while len(found) < count:
        message = await talk.receive(timeout=5)
        assert message.type is WSMsgType.BINARY, message
        address, (value,) = parsed(message.data)
        found[address] = round(value, 5)
    return found


async def taken(bus: Bus, address: str, value: float) -> None:
    """Until what was sent is there; somebody else lets the frames pass."""
    await asyncio.to_thread(until, lambda: bus.target(address) == value)


def moving(bus: Bus, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do something while frames pass."""
    over = threading.Event()

    def frames() -> None:
        while not over.wait(0.005):
            bus.tick(0.005)

    thread = threading.Thread(target=frames)
    thread.start()
    try:
        asyncio.run(work())
    finally:
        over.set()
        thread.join()


def test_every_address_is_described(web: Web, bus: Bus) -> None:
    tree = read(web, "/")
    assert tree["FULL_PATH"] == "/"
    assert list(tree["CONTENTS"]) == ["drift", "light", "piece", "stage"]
    assert tree["CONTENTS"]["drift"]["CONTENTS"]["speed"] == {
        "FULL_PATH": "/drift/speed", "TYPE": "f", "ACCESS": 3, "VALUE": [0.1],
        "RANGE": [{"MIN": 0, "MAX": 2}], "CLIPMODE": ["both"], "DESCRIPTION": "How fast.",
        "UNIT": ["seeds/s"],
    }  # fmt: skip
    assert tree["CONTENTS"]["stage"]["CONTENTS"]["next"] == {
        "FULL_PATH": "/stage/next", "TYPE": "N", "ACCESS": 2, "DESCRIPTION": "The next scene.",
    }  # fmt: skip
    code = read(web, "/piece/code/1")  # a parameter, and others below it
    assert (code["VALUE"], list(code["CONTENTS"])) == ([0], ["3"])
    assert code["CONTENTS"]["3"]["FULL_PATH"] == "/piece/code/1/3"
    assert code == tree["CONTENTS"]["piece"]["CONTENTS"]["code"]["CONTENTS"]["1"]
    found = [a for a, _ in bus if describe(bus, a)]
    assert found == [a for a, _ in bus]


def test_what_follows_the_scene_that_is_on_is_described(web: Web, bus: Bus) -> None:
    bus.lead({"/on/1": "/drift/speed", "/go/1": "/stage/next"})
    tree = read(web, "/")
    assert tree["CONTENTS"]["on"]["CONTENTS"]["1"] == {
        **tree["CONTENTS"]["drift"]["CONTENTS"]["speed"],
        "FULL_PATH": "/on/1", "DESCRIPTION": "/drift/speed: How fast.",
    }  # fmt: skip
    assert read(web, "/go/1")["DESCRIPTION"] == "/stage/next: The next scene."
    assert get(web.port, "/on/2")[0] == 404


def test_one_attribute_at_a_time(web: Web, bus: Bus) -> None:
    bus.post("/drift/speed", 1.5)
    bus.tick(0)
    assert read(web, "/drift/speed?VALUE") == {"VALUE": [1.5]}
    assert read(web, "/drift/speed?RANGE") == {"RANGE": [{"MIN": 0, "MAX": 2}]}
    assert get(web.port, "/stage/next?VALUE")[:2] == (204, b"")
    assert get(web.port, "/stage/next?COLOUR")[0] == 400
    assert get(web.port, "/drift/sped")[0] == 404
    info = read(web, "/?HOST_INFO")
    assert (info["NAME"], info["OSC_PORT"], info["OSC_TRANSPORT"]) == ("Masks", 9000, "UDP")
    assert info["EXTENSIONS"]["LISTEN"] is True


def test_a_browser_gets_the_remote(web: Web) -> None:
    status, body, headers = get(web.port, "/", Accept="text/html,application/xhtml+xml")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "script-src" not in headers["Content-Security-Policy"]  # default-src: ours alone
    assert b"/remote.js" in body
    for path, kind in (("/remote.js", "text/javascript"), ("/remote.css", "text/css")):
        status, body, headers = get(web.port, path)
        assert (status, headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert body
    assert get(web.port, "/preview.jpg")[:2] == (200, b"a picture")


def test_without_a_picture_it_says_so(bus: Bus) -> None:
    made = Web(bus, port=0).start()
    try:
        assert get(made.port, "/preview.jpg")[0] == 503
    finally:
        made.close()


def test_what_moves_is_told_and_what_is_sent_moves(web: Web, bus: Bus) -> None:
    async def work() -> None:
        async with listening(web, "/") as talk, listening(web, "/drift") as other:
            assert await heard(talk, 4) == {
                "/drift/speed": 0.1, "/light/brightness": 1, "/piece/code/1": 0,
                "/piece/code/1/3": 0,
            }  # fmt: skip
            assert await heard(other, 1) == {"/drift/speed": 0.1}
            bus.post("/light/brightness", 0.5, "osc")
            bus.post("/drift/speed", 0.7, "osc")
            assert await heard(talk, 2) == {"/light/brightness": 0.5, "/drift/speed": 0.7}
            assert await heard(other, 1) == {"/drift/speed": 0.7}
            await talk.send_bytes(encoded("/drift/speed", 1.25))
            await taken(bus, "/drift/speed", 1.25)
            assert bus.moved_by("/drift/speed").startswith("web 127.0.0.1:")
            assert await heard(other, 1) == {"/drift/speed": 1.25}
            await other.send_json({"COMMAND": "IGNORE", "DATA": "/drift"})
            await other.send_bytes(encoded("/light/brightness", 0.25))
            # who has moved something is not told so: the next that it hears is another's
            assert await heard(talk, 1) == {"/light/brightness": 0.25}
            await other.send_json({"COMMAND": "LISTEN", "DATA": "/light/brightness"})
            assert await heard(other, 1) == {"/light/brightness": 0.25}

    moving(bus, work)


def test_a_trigger_fires_without_an_argument_or_with_nil(web: Web, bus: Bus) -> None:
    async def work() -> None:
        async with listening(web) as talk:
            for data in (b"/stage/next\0,\0\0\0", b"/stage/next\0,N\0\0", b"/stage/next\0,T\0\0"):
                await talk.send_bytes(data)
            found: list[str] = []

            def three() -> bool:
                found.extend(bus.tick(0))
                return len(found) == 3

            await asyncio.to_thread(until, three)

    asyncio.run(work())


def test_other_parameters_are_announced(web: Web, bus: Bus) -> None:
    async def work() -> None:
        async with listening(web, "/drift") as talk:
            await heard(talk, 1)
            bus.declare("drift", {"calm": Param(0.5, 0, 1)})
            message = await talk.receive(timeout=5)
            assert json.loads(message.data) == {"COMMAND": "PATH_CHANGED", "DATA": "/"}
            assert await heard(talk, 1) == {"/drift/calm": 0.5}
            for meant in ("/drift/speed", "/drift/calm"):
                bus.lead({"/on/1": meant})
                message = await talk.receive(timeout=5)
                assert json.loads(message.data) == {"COMMAND": "PATH_CHANGED", "DATA": "/on"}

    asyncio.run(work())


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "[", ""]
)
def test_another_name_for_this_machine_is_refused(web: Web, host: str) -> None:
    assert get(web.port, "/", Host=host)[0] in (400, 403)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8080", "192.168.1.20"])
def test_its_own_names_are_not(web: Web, host: str) -> None:
    assert get(web.port, "/?HOST_INFO", Host=host)[0] == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "x", "http://["]
)
def test_a_page_of_another_site_is_refused(web: Web, origin: str) -> None:
    async def work() -> None:
        with pytest.raises(WSServerHandshakeError) as refused:
            async with listening(web, Origin=origin):
                pass
        assert refused.value.status == 403

    asyncio.run(work())
    assert get(web.port, "/preview.jpg", Origin=origin)[0] == 403
    ours = f"http://127.0.0.1:{web.port}"
    assert get(web.port, "/preview.jpg", Origin=ours)[0] == 200


def test_what_is_on_is_said_when_it_changes(web: Web) -> None:
    async def work() -> None:
        async with listening(web) as talk:
            for scene in ("drift", "kin"):
                web.status = {"scene": scene}
                said = await talk.receive_json(timeout=5)
                assert said == {"COMMAND": "STATUS", "DATA": {"scene": scene}}

    asyncio.run(work())


def test_whatever_comes_in_nothing_breaks(
    web: Web, bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [
        "", "[]", "{", "null", '{"COMMAND": "LISTEN"}', '{"COMMAND": "LISTEN", "DATA": 3}',
        '{"COMMAND": "RUN", "DATA": "/"}', '{"COMMAND": "LISTEN", "DATA": "/gone"}', "[" * 2000,
        '{"COMMAND": "LISTEN", "DATA": "' + "/" * 900 + '"}',
    ]  # fmt: skip
    packets = [b"", b"\0", b"#bundle\0" + b"\xff" * 40, b"/drift/speed\0\0\0\0,f\0\0\x7f\xc0\0\0",
               b"/drift/speed\0\0\0\0,f\0\0", b"/gone\0\0\0,f\0\0\0\0\0\0"]  # fmt: skip

    async def work() -> None:
        async with listening(web) as talk:
            for text in texts:
                await talk.send_str(text)
            for data in packets:
                await talk.send_bytes(data)
            await talk.send_bytes(encoded("/drift/speed", 0.5))
            await taken(bus, "/drift/speed", 0.5)

    moving(bus, work)
    assert "Traceback" not in caplog.text
    assert "sent what is not OSCQuery" in caplog.text
    assert len(caplog.messages) < 12  # once for each kind


def test_what_is_no_http_is_said_once_in_a_line(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(20):
        with socket.create_connection(("127.0.0.1", web.port)) as raw:
            raw.sendall(f"GET /{number} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".encode())
            assert b" 400 " in raw.recv(4096)
    says = "Error handling request from 127.0.0.1: it is not HTTP; ignored"
    assert caplog.messages.count(says) == 1
    assert "Traceback" not in caplog.text


def test_a_message_that_is_too_long_ends_the_talk_alone(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        async with listening(web) as talk, listening(web, "/drift") as other:
            await talk.send_bytes(b"/" + b"x" * 5000)
            assert (await talk.receive(timeout=5)).type is WSMsgType.CLOSE
            assert await heard(other, 1) == {"/drift/speed": 0.1}

    asyncio.run(work())
    assert not caplog.messages


def test_there_is_an_end_to_listeners(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("installation.control.talks._MOST", 1)

    async def work() -> None:
        async with listening(web, "/drift") as talk:
            await heard(talk, 1)
            with pytest.raises(WSServerHandshakeError):
                async with listening(web):
                    pass
        async with listening(web, "/drift") as again:  # when the first has left
            await heard(again, 1)

    asyncio.run(work())


def test_it_closes_while_somebody_listens(bus: Bus) -> None:
    made = Web(bus, port=0).start()

    async def work() -> None:
        async with listening(made, "/drift") as talk:
            await heard(talk, 1)
            await asyncio.to_thread(made.close)
            assert (await talk.receive(timeout=5)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)

    asyncio.run(work())
    assert "web" not in [thread.name for thread in threading.enumerate()]
    Web(bus, port=made.port).start().close()  # the port is free again


def handshake(port: int, *paths: str) -> socket.socket:
    """A WebSocket by hand, for who does not play by the rules."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    made.settimeout(5)
    made.connect(("127.0.0.1", port))
    made.sendall(
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert b"101" in made.recv(4096)
    for path in paths:
        text = json.dumps({"COMMAND": "LISTEN", "DATA": path}).encode()
        made.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)  # masked with zeros
    return made


def test_it_closes_whoever_does_not_read(bus: Bus) -> None:
    """Its buffers full, a farewell to it never gets away."""
    many = {f"{'p' * 90}{i:03d}": Param(0.1, 0, 1) for i in range(300)}
    bus.declare("drift", many)
    made = Web(bus, port=0).start()
    with handshake(made.port):
        until(lambda: made._talks.listeners)
        one = made._talks.listeners[0]
        to_it: Any = one.socket._req.transport  # type: ignore[union-attr]
        to_it.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
        made._loop.call_soon_threadsafe(to_it.set_write_buffer_limits, 1024)  # type: ignore[union-attr]
        one.paths.add("/drift")
        moves = itertools.count()

        def full() -> bool:
            turn = next(moves) % 100 / 100
            for name in many:
                bus.post(f"/drift/{name}", turn)
            bus.tick(0.01)
            return to_it.get_write_buffer_size() > 1024

        until(full)
        closing = threading.Thread(target=made.close, daemon=True)
        closing.start()
        closing.join(30)
        assert not closing.is_alive()


def frames(*payloads: bytes, kind: int = 2) -> bytes:
    """Messages of a WebSocket's client, each masked with zeros. kind: 2 is binary, 9 a ping."""
    return b"".join(bytes([0x80 | kind, 0x80 | len(one), 0, 0, 0, 0]) + one for one in payloads)


def held_up(web: Web) -> threading.Event:
    """The server stands still until this is set."""
    reached, go_on = threading.Event(), threading.Event()
    assert web._loop is not None
    web._loop.call_soon_threadsafe(lambda: (reached.set(), go_on.wait(20)))
    assert reached.wait(20)
    return go_on


def noted(bus: Bus) -> list[tuple[str, Any]]:
    """What is posted from now on."""
    posted: list[tuple[str, Any]] = []
    post = bus.post

    def note(address: str, value: Any, *rest: Any) -> bool:
        posted.append((address, value))
        return post(address, value, *rest)

    bus.post = note  # type: ignore[method-assign]
    return posted


def test_of_what_has_queued_up_the_newest_values_are_taken(web: Web, bus: Bus) -> None:
    posted = noted(bus)
    with handshake(web.port) as talk:
        go_on = held_up(web)
        speeds = [encoded("/drift/speed", n / 200) for n in range(200)]
        next_scene = encoded("/stage/next", 1)
        talk.sendall(
            frames(*speeds, next_scene, b"rubbish", next_scene, encoded("/drift/speed", 2))
        )
        go_on.set()
        until(lambda: ("/drift/speed", 2.0) in posted)
    assert posted == [("/stage/next", 1.0), ("/stage/next", 1.0), ("/drift/speed", 2.0)]
    assert bus.tick(0) == ["/stage/next"] * 2


def test_however_much_comes_it_is_taken_so_much_at_a_time(
    web: Web, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "AT_ONCE", 100 * 32)
    posted = noted(bus)
    with handshake(web.port) as talk:
        go_on = held_up(web)
        talk.sendall(frames(*(encoded("/drift/speed", n) for n in range(1, 201))))
        go_on.set()
        until(lambda: ("/drift/speed", 200.0) in posted)
    assert posted == [("/drift/speed", 100.0), ("/drift/speed", 200.0)]


def test_a_burst_of_thousands_ends_with_the_last_value(web: Web, bus: Bus) -> None:
    with handshake(web.port) as talk:
        for n in range(50):
            values = [encoded("/drift/speed", (100 * n + k) / 2500) for k in range(1, 101)]
            talk.sendall(frames(*values, encoded("/stage/next", 1)))
        until(lambda: bus.asked("/drift/speed") == 2)
    assert bus.tick(0) == ["/stage/next"] * 50


class Resting:
    """In the place of a Share: whatever is done is too much."""

    def begin(self) -> None:
        """Nothing is measured."""

    def rest(self) -> float:
        return 1e-9


@pytest.mark.parametrize(
    ("kind", "message"), [(2, encoded("/drift/speed", 1)), (2, b"rubbish"), (1, b"{}"), (9, b"?")]
)
def test_whoever_floods_is_made_to_wait_and_it_is_said_once(
    bus: Bus,
    kind: int,
    message: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(intake, "Share", Resting)
    web = Web(bus, port=0).start()
    said = "web 127.0.0.1 sends more than can be heeded"
    try:
        with handshake(web.port) as talk:
            talk.sendall(frames(message, kind=kind))  # one is no flood
            talk.sendall(frames(encoded("/drift/speed", 0.5)))
            until(lambda: bus.asked("/drift/speed") == 0.5)
            assert said not in caplog.text
            for _ in range(3):
                go_on = held_up(web)
                talk.sendall(frames(*[message] * 300, kind=kind))
                go_on.set()
            talk.sendall(frames(encoded("/drift/speed", 1.5)))
            until(lambda: bus.asked("/drift/speed") == 1.5)
    finally:
        web.close()
    assert caplog.text.count(said) == 1


def test_pings_are_answered(web: Web) -> None:
    with handshake(web.port) as talk:
        talk.sendall(frames(b"one", b"two", kind=9))
        assert talk.recv(5, socket.MSG_WAITALL) == b"\x8a\x03one"
        assert talk.recv(5, socket.MSG_WAITALL) == b"\x8a\x03two"


def test_who_pings_and_leaves_is_not_worth_a_line(
    web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(intake, "AT_ONCE", 1)  # a turn of the loop for each, in which it is gone
    with handshake(web.port) as talk:
        until(lambda: web._talks.listeners)
        go_on = held_up(web)
        talk.sendall(frames(*[b"ping"] * 100, kind=9))
    go_on.set()
    until(lambda: not web._talks.listeners)
    web.close()
    assert not caplog.messages


def test_who_asks_for_nothing_is_sent_home(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_web, "_IDLE", 0.2)
    monkeypatch.setattr(crowd, "_MOST", 3)
    made = Web(bus, port=0).start()
    where = ("127.0.0.1", made.port)
    try:
        with (
            handshake(made.port) as listener,
            socket.create_connection(where, 5) as silent,
            socket.create_connection(where, 5) as slow,
        ):
            slow.sendall(b"GET / HTTP/1.1\r\nHo")
            until(lambda: refused(where))  # the house is full
            assert silent.recv(1) == b""
            assert slow.recv(1) == b""
            until(lambda: not refused(where))
            listener.settimeout(0.3)
            with pytest.raises(TimeoutError):  # it may stay
                listener.recv(1)
    finally:
        made.close()


@pytest.mark.parametrize("path", ["/", "/nothing"])
def test_who_does_not_read_what_he_asks_for_is_sent_home(
    bus: Bus, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control_web, "_IDLE", 0.2)
    monkeypatch.setattr(crowd, "_MOST", 1)
    listen = control_web.listen

    def narrow(*where: Any) -> socket.socket:
        opened = listen(*where)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return opened

    monkeypatch.setattr(control_web, "listen", narrow)
    made = Web(bus, port=0).start()
    where = ("127.0.0.1", made.port)
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    try:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.settimeout(1)
            deaf.connect(where)
            with suppress(TimeoutError, ConnectionError):
                while True:  # until the server reads no more of it, or has sent it away
                    deaf.sendall(request * 100)
            until(lambda: not refused(where))
    finally:
        made.close()
    assert not caplog.messages


def test_one_machine_alone_does_not_fill_the_house(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "_KIN", 2)
    where = ("127.0.0.1", web.port)
    with socket.create_connection(where, 5), socket.create_connection(where, 5):
        until(lambda: refused(where))
        assert not refused(where, "127.0.0.2")
    until(lambda: not refused(where))


def test_whatever_is_asked_takes_but_a_part_of_a_core(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    worked = [0.0]

    def work() -> float:
        worked[0] += 1
        return worked[0]

    monkeypatch.setattr(crowd, "Share", lambda part: Share(lambda: 0.0, work, part))
    monkeypatch.setattr(crowd, "time", Mock(sleep=rests.append))
    made = Web(bus, port=0).start()
    try:
        assert get(made.port, "/")[0] == 200
    finally:
        made.close()
    assert rests[0] == pytest.approx(1 / 0.3, rel=0.02)


def refused(where: tuple[str, int], source: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection(where, 5, (source, 0)) as tried:
            tried.sendall(
                f"GET /?HOST_INFO HTTP/1.1\r\nHost: 127.0.0.1:{where[1]}\r\n\r\n".encode()
            )
            return tried.recv(1) == b""
    except ConnectionError:
        return True


def test_a_picture_nobody_waits_for_any_more_is_not_made(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "_KIN", 96)
    go, asked = threading.Event(), []

    def picture() -> bytes:
        asked.append(True)
        go.wait(30)
        return b"a picture"

    made = Web(bus, port=0, picture=picture).start()
    try:
        for _ in range(100):
            with socket.create_connection(("127.0.0.1", made.port), 5) as gone:
                gone.sendall(
                    f"GET /preview.jpg HTTP/1.1\r\nHost: 127.0.0.1:{made.port}\r\n\r\n".encode()
                )
        until(lambda: len(asyncio.all_tasks(made._loop)) < 10)
        go.set()
        assert get(made.port, "/preview.jpg")[1] == b"a picture"
        assert len(asked) < 50
    finally:
        go.set()
        made.close()


def test_a_port_that_is_taken_is_said(bus: Bus) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ControlError, match=f"port {port}.*another program"):
            Web(bus, port=port).start()
    with pytest.raises(ControlError, match=r"cannot listen on no\.such\.host\.invalid"):
        Web(bus, "no.such.host.invalid", 0).start()


# The password


@pytest.fixture
def closed(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(gate, "_PAUSE", 0.05)
    made = Web(bus, port=0, password="Nwanyị oma: 9", picture=lambda: b"a picture").start()  # noqa: S106
    yield made
    made.close()


def basic(password: str) -> str:
    return "Basic " + b64encode(f"anyone:{password}".encode()).decode()


@pytest.mark.parametrize("path", ["/", "/?HOST_INFO", "/preview.jpg", "/remote.js", "/drift/speed"])
def test_nothing_is_told_without_the_password(closed: Web, path: str) -> None:
    status, body, headers = get(closed.port, path)
    assert (status, body) == (401, b"the password is wanted\n")
    assert headers["WWW-Authenticate"] == 'Basic realm="installation", charset="UTF-8"'
    for wrong in (
        basic("Nwanyi oma: 9"),
        basic(""),
        "Basic ###",
        "Basic /w==",
        "Bearer x",
        "",
        basic("x" * 5000),
    ):
        assert get(closed.port, path, Authorization=wrong)[0] == 401
    assert get(closed.port, path, Authorization=basic("Nwanyị oma: 9"))[0] == 200
    for cookie in ("guessed", "\xff", ""):
        assert get(closed.port, path, Cookie=f"installation-{closed.port}={cookie}")[0] == 401


def test_a_websocket_comes_in_by_password_or_by_the_cookie(closed: Web, bus: Bus) -> None:
    async def turn(value: float, **headers: str) -> None:
        async with listening(closed, "/drift", **headers) as talk:
            await talk.send_bytes(encoded("/drift/speed", value))
            await taken(bus, "/drift/speed", value)

    async def work() -> None:
        with pytest.raises(WSServerHandshakeError, match="401"):
            await turn(0.5)
        await turn(0.5, Authorization=basic("Nwanyị oma: 9"))
        answer = get(closed.port, "/", Authorization=basic("Nwanyị oma: 9"))[2]["Set-Cookie"]
        cookie, _, rules = answer.partition("; ")
        assert {"HttpOnly", "SameSite=Strict"} <= set(rules.split("; "))
        await turn(0.75, Cookie=cookie)

    moving(bus, work)


def test_guesses_of_others_do_not_keep_the_owner_out(
    closed: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_PAUSE", 1000.0)

    def ask(password: str, source: str) -> HTTPConnection:
        asked = HTTPConnection("127.0.0.1", closed.port, timeout=5, source_address=(source, 0))
        asked.request("GET", "/", headers={"Authorization": basic(password)})
        return asked

    with ExitStack() as open_ones:
        others = [ask(f"guess {n}", "127.0.0.2") for n in range(20)]
        for one in others:
            open_ones.callback(one.close)
        until(lambda: len(select.select([one.sock for one in others], [], [], 0)[0]) > 10)
        owner = ask("Nwanyị oma: 9", "127.0.0.1")
        open_ones.callback(owner.close)
        assert owner.getresponse().status == 200
