"""OSC over a real socket, from real clients, friendly and hostile."""

from __future__ import annotations

import logging
import math
import random
import socket
import struct
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from installation.control import osc
from installation.control.message import ControlError, Heard
from installation.control.osc import OscServer
from installation.control.web import Web
from installation.modulation import Modulation
from installation.parameters import Bus, Param, Trigger
from tests.waiting import PATIENCE, until


@pytest.fixture
def bus() -> Bus:
    bus = Bus()
    bus.declare("drift", {"speed": Param(0.5, 0, 2), "calm": Param(0, 0, 1), "flash": Trigger()})
    return bus


@pytest.fixture
def server(bus: Bus) -> Iterator[OscServer]:
    with OscServer(bus, port=0) as server:
        yield server


@pytest.fixture
def client(server: OscServer) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        client.settimeout(PATIENCE)
        yield client


def text(value: str | bytes) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return value + b"\0" * (4 - len(value) % 4)


def message(address: str, *arguments: float | str | bool) -> bytes:
    tags, data = ",", b""
    for argument in arguments:
        if isinstance(argument, bool):
            tags += "T" if argument else "F"
        elif isinstance(argument, str):
            tags, data = tags + "s", data + text(argument)
        elif isinstance(argument, int):
            tags, data = tags + "i", data + struct.pack(">i", argument)
        else:
            tags, data = tags + "f", data + struct.pack(">f", argument)
    return text(address) + text(tags) + data


def bundle(*elements: bytes, when: float = 0.0) -> bytes:
    """when: seconds from now, as OSC's NTP time tag."""
    tag = int((time.time() + when + 2_208_988_800) * 2**32)
    sized = (struct.pack(">i", len(element)) + element for element in elements)
    return b"#bundle\0" + struct.pack(">Q", tag) + b"".join(sized)


def ask(client: socket.socket, address: str, *arguments: str) -> float:
    """Also tells that everything sent before has been worked through."""
    client.send(message(address, *arguments))
    reply = client.recv(2048)
    assert reply[:-4] == text(address) + b",f\0\0"
    return float(struct.unpack(">f", reply[-4:])[0])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["f", "1.25"], 1.25),
        (["i", "1"], 1.0),
        (["h", "1"], 1.0),
        (["d", "0.75"], 0.75),
        (["T"], 1.0),
        (["F"], 0.0),
        (["f", "99"], 2.0),
        (["ffs", "1.5", "7", "more"], 1.5),
        (["sf", "+", "0.25"], 0.75),
        (["sf", "-", "0.25"], 0.25),
        (["si", "+", "1"], 1.5),
        (["s", "+0.125"], 0.625),
        (["s", "-0.125"], 0.375),
    ],
)
def test_oscsend_moves_a_parameter(
    bus: Bus, server: OscServer, arguments: list[str], expected: float
) -> None:
    """oscsend is liblo's client: not one line of it is ours."""
    command = ["oscsend", "127.0.0.1", str(server.port), "/drift/speed", *arguments]
    subprocess.run(command, check=True)
    until(lambda: bus.tick(0.01) or bus.value("/drift/speed") == pytest.approx(expected))
    assert bus.moved_by("/drift/speed") == "osc 127.0.0.1"


def test_oscsend_fires_a_trigger_with_and_without_an_argument(bus: Bus, server: OscServer) -> None:
    fired: list[str] = []
    for arguments in ([], ["i", "1"], ["T"], ["i", "0"], ["F"], ["f", "0.5"], ["N"], ["I"]):
        command = ["oscsend", "127.0.0.1", str(server.port), "/drift/flash", *arguments]
        subprocess.run(command, check=True)
    subprocess.run(["oscsend", "127.0.0.1", str(server.port), "/drift/calm", "f", "1"], check=True)

    def calm() -> bool:
        fired.extend(bus.tick(0.01))
        return bus.value("/drift/calm") == 1

    until(calm)
    assert fired == ["/drift/flash"] * 6


@pytest.mark.parametrize("question", [(), ("?",)])
def test_a_question_is_answered_to_whoever_asked(
    bus: Bus, client: socket.socket, question: tuple[str, ...]
) -> None:
    assert ask(client, "/drift/speed", *question) == 0.5
    client.send(message("/drift/speed", 1.5))
    ask(client, "/drift/speed")
    bus.tick(0.01)
    assert ask(client, "/drift/speed", *question) == 1.5


def test_a_word_lets_it_move_by_itself(bus: Bus, client: socket.socket) -> None:
    client.send(message("/drift/speed", "sine", 0.5, 8.0))
    assert ask(client, "/drift/speed") == 0.5
    bus.tick(0)
    [post] = bus.modulations
    assert (post.address, post.value) == ("/drift/speed", Modulation(by="sine", depth=0.5, beats=8))
    assert bus.target("/drift/speed") == 0.5


def test_the_answer_is_where_the_fader_stands_whatever_moves_it_by_itself(
    bus: Bus, client: socket.socket
) -> None:
    bus.modulate({"/drift/speed": 0.25})
    assert bus.value("/drift/speed") != 0.5
    assert ask(client, "/drift/speed", "?") == 0.5


def test_a_question_mark_at_the_address_asks_too(bus: Bus, client: socket.socket) -> None:
    bus.lead({"/on/1": "/drift/speed"})
    for question in ("/drift/speed?", "/on/1?"):
        client.send(message(question))
        reply = client.recv(2048)
        assert reply == text(question[:-1]) + b",f\0\0" + struct.pack(">f", 0.5)


def test_a_message_without_type_tags_is_a_question_too(client: socket.socket) -> None:
    client.send(text("/drift/speed"))
    assert client.recv(2048)[:-4] == text("/drift/speed") + b",f\0\0"


def test_only_questions_about_numbers_are_answered(bus: Bus, client: socket.socket) -> None:
    for address in ("/drift/flash", "/nowhere", "/drift/*", "/drift/flash?", "/drift/speed??"):
        client.send(message(address))
        client.send(message(address, "?"))
    client.send(message("/drift/speed", "what", "?"))
    client.send(message("/drift/speed?", 1.0))
    assert ask(client, "/drift/calm") == 0  # the first and only answer
    assert bus.tick(0.01) == ["/drift/flash"]


@pytest.mark.parametrize("sign", ["+", "-", "+x", "-nan", "+inf", "+ 1e999", "x", "0.5", ""])
def test_text_that_is_no_step_is_ignored(bus: Bus, client: socket.socket, sign: str) -> None:
    client.send(message("/drift/speed", sign))
    client.send(message("/drift/speed", sign, "x"))
    ask(client, "/drift/speed")
    bus.tick(0.01)
    assert bus.value("/drift/speed") == 0.5


def test_a_bundle_acts_at_once_whatever_its_date(bus: Bus, client: socket.socket) -> None:
    inner = bundle(message("/drift/calm", 0.25), when=-1e6)
    client.send(bundle(message("/drift/speed", 1.0), inner, message("/drift/flash"), when=3600))
    ask(client, "/drift/speed")
    assert bus.tick(0.01) == ["/drift/flash"]
    assert (bus.value("/drift/speed"), bus.value("/drift/calm")) == (1.0, 0.25)


def test_the_order_within_a_bundle_is_kept(bus: Bus, client: socket.socket) -> None:
    client.send(bundle(message("/drift/speed", 1.0), bundle(message("/drift/speed", 1.5))))
    ask(client, "/drift/speed")
    bus.tick(0.01)
    assert bus.value("/drift/speed") == 1.5


def nested(depth: int) -> bytes:
    packet = message("/drift/speed", 1.0)
    for _ in range(depth):
        packet = bundle(packet)
    return packet


@pytest.mark.parametrize(
    ("packet", "acts"),
    [
        (nested(8), True),
        (nested(9), False),
        (nested(90), False),
        (bundle(*[message("/drift/speed", 1.0)] * 80), True),  # 2,256 bytes
        (bundle(*[text("/")] * 2047, message("/drift/speed", 1.0)), True),
        (bundle(*[text("/")] * 2048, message("/drift/speed", 1.0)), False),
        (bundle(message("/drift/speed", 1.0), text(b"/" * 2048)), False),
        (bundle()[:16] + struct.pack(">i", -4) * 2, False),  # python-osc's own never returns
        (bundle(message("/drift/speed", 1.0))[:-1], False),
        (bundle(message("/drift/speed", 1.0), b"")[:-1], False),
        (message("/drift/speed", 1.0) + b"\0" * 2040, False),
        (text("/drift/speed") + text(",I"), False),  # a bang is no number
        (text("/drift/speed") + text(",cf") + b"\0\0\0a" + struct.pack(">f", 1.0), False),
        (text("/drift/speed") + text(",[f]") + struct.pack(">f", 1.0), False),
        (text("/drift/speed") + text("," + "[" * 900 + "]" * 900), False),
        (text("/drift/speed") + text(",s") + text(b"\xff\xfe"), False),
        (text("/drift/speed") + text(",b") + struct.pack(">i", -8) + b"\0" * 16, False),
        (text("/drift/speed") + text(",f") + struct.pack(">f", float("nan")), False),
        (text("/drift/speed") + text(",f") + struct.pack(">f", float("inf")), False),
        (text(b"/drift/\xff"), False),
        (b"", False),
        (b"/", False),
        (b"#bundle\0", False),
        (b"GET / HTTP/1.1\r\n\r\n", False),
    ],
    ids=lambda value: f"{len(value)}_bytes" if isinstance(value, bytes) else "",
)
def test_what_is_malformed_or_too_much_is_refused(
    bus: Bus, client: socket.socket, packet: bytes, acts: bool, caplog: pytest.LogCaptureFixture
) -> None:
    client.send(packet)
    ask(client, "/drift/calm")
    bus.tick(0.01)
    assert bus.value("/drift/speed") == (1.0 if acts else 0.5)
    assert not [r for r in caplog.records if r.name == "root"]  # python-osc kept quiet
    assert all("\n" not in r.getMessage() for r in caplog.records)


@pytest.mark.parametrize(
    "address",
    ["/drift/*", "/*/speed", "/drift/spee?", "/drift/[a-z]peed", "/drift/{speed,calm}", "//speed",
     "/drift/speed/", "/DRIFT/SPEED", "/drift/" + "{a,b}" * 200, "/" + "*" * 1000 + "x"],
)  # fmt: skip
def test_wildcards_do_nothing(bus: Bus, client: socket.socket, address: str) -> None:
    client.send(message(address, 1.0))
    ask(client, "/drift/calm")
    bus.tick(0.01)
    assert (bus.value("/drift/speed"), bus.value("/drift/calm")) == (0.5, 0)


def hostile(rng: random.Random) -> bytes:
    """A packet that is random, or was OSC before it was damaged."""

    def one() -> bytes:
        address = rng.choice([b"/drift/speed", b"/drift/flash", b"/x", b"/*", rng.randbytes(20)])
        tags = bytes(rng.choices(b"ihfdsbrmtTFNI[]xSc", k=rng.randrange(12)))
        return text(address) + text(b"," + tags) + rng.randbytes(rng.randrange(64))

    def many(depth: int = 0) -> bytes:
        packet = b"#bundle\0" + rng.randbytes(8)
        for _ in range(rng.randrange(4)):
            part = many(depth + 1) if depth < 12 and rng.random() < 0.5 else one()
            size = len(part) if rng.random() < 0.9 else rng.choice([-4, 0, 2**31 - 1, -(2**31)])
            packet += struct.pack(">i", size) + part
        return packet

    packet = bytearray(rng.choice([lambda: rng.randbytes(rng.randrange(2100)), one, many])())
    if packet and rng.random() < 0.5:
        packet[rng.randrange(len(packet))] = rng.randrange(256)
    return bytes(packet[:2500] if rng.random() < 0.8 else packet[: len(packet) // 2])


def test_hostile_packets_leave_it_answering_and_no_larger(
    bus: Bus, client: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    """10,000 of them, in step with the server so that each is looked at. Growth under 256 KB: the
    complaints remember 512 texts, and that is all there is to remember."""
    rng = random.Random(7)

    def send(count: int) -> None:
        for n in range(count):
            client.send(hostile(rng))
            if n % 20 == 19:
                send_and_drain()

    def send_and_drain() -> None:
        client.send(message("/drift/calm", "?"))
        while not client.recv(4096).startswith(text("/drift/calm")):
            pass  # an answer to a question that was hidden among the rubbish
        bus.tick(0.01)
        caplog.clear()

    send(2_000)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        send(10_000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 256 * 1024
    client.send(message("/drift/speed", 1.25))
    send_and_drain()
    bus.tick(0.01)
    assert bus.value("/drift/speed") == 1.25


def test_a_flood_of_rubbish_is_told_in_a_few_lines(
    client: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(2000):
        client.send(message(f"/rubbish/{n}", 1.0))
        if n % 20 == 19:
            ask(client, "/drift/calm")
    seconds = caplog.records[-1].created - caplog.records[0].created
    assert len(caplog.records) <= 6 * (seconds + 2)  # five and a count in each second


def test_a_busy_port_is_one_clear_error(bus: Bus, server: OscServer) -> None:
    with pytest.raises(ControlError, match=rf"port {server.port} .*another port"):
        OscServer(bus, port=server.port).start()


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 9000), ("127.0.0.1", 99999)])
def test_an_impossible_address_is_one_clear_error(bus: Bus, host: str, port: int) -> None:
    with pytest.raises(ControlError, match="OSC cannot listen") as caught:
        OscServer(bus, host, port).start()
    assert "\n" not in str(caught.value)


def test_an_address_of_another_machine_is_answered_with_those_of_this_one(bus: Bus) -> None:
    for server in (OscServer(bus, "192.0.2.1"), Web(bus, "192.0.2.1")):  # nobody's (RFC 5737)
        with pytest.raises(ControlError, match="no such address just now") as caught:
            server.start()
        assert "close that one" not in str(caught.value)


def test_closing_frees_the_port_and_it_can_be_opened_again(bus: Bus) -> None:
    first = OscServer(bus, port=0).start()
    port = first.port
    assert first.start().port == port  # starting twice is starting once
    first.close()
    first.close()  # closing twice is no mistake
    assert not [t for t in threading.enumerate() if t.name == "osc"]
    with OscServer(bus, port=port) as second, socket.socket(type=socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", second.port))
        client.settimeout(PATIENCE)
        assert ask(client, "/drift/speed") == 0.5


def test_every_message_is_told_to_who_listens(bus: Bus) -> None:
    told: list[Heard] = []
    with (
        OscServer(bus, port=0, on_message=told.append) as server,
        socket.socket(type=socket.SOCK_DGRAM) as client,
    ):
        client.connect(("127.0.0.1", server.port))
        for packet in (
            message("/drift/speed", 1.5, "x"),
            message("/drift/sped", 1.5),
            message("/drift/speed", "+", 1.0),
            message("/drift/speed", "x"),
            b"rubbish",
        ):
            client.send(packet)
        until(lambda: len(told) == 5)
    assert [(h.message, h.address, h.value, h.form, h.reached) for h in told] == [
        ("/drift/speed 1.5 'x'", "/drift/speed", 1.5, "value", True),
        ("/drift/sped 1.5", "/drift/sped", None, "value", False),
        ("/drift/speed '+' 1", "/drift/speed", 0.5, "nudge", True),
        ("/drift/speed 'x'", "/drift/speed", None, "value", False),
        ("sent something that is not OSC, or of a type that is not known", "", None, "value",
         False),
    ]  # fmt: skip
    assert {h.source for h in told} == {"osc 127.0.0.1"}
    assert [h.time for h in told] == sorted(h.time for h in told)


@pytest.mark.parametrize("many", [0, 60, 900], ids=["a few", "a flood", "as many as may be"])
def test_a_frame_never_sees_half_a_bundle(bus: Bus, many: int) -> None:
    seen: list[tuple[float, float]] = []

    def frame(heard: Heard) -> None:
        """A frame is drawn while the messages of a packet are still being taken in."""
        bus.tick(math.inf)
        seen.append((bus.value("/drift/speed"), bus.value("/drift/calm")))

    with (
        OscServer(bus, port=0, on_message=frame) as server,
        socket.socket(type=socket.SOCK_DGRAM) as client,
    ):
        client.connect(("127.0.0.1", server.port))
        steps = [message("/drift/speed", "+", 0.0)] * many
        client.send(bundle(message("/drift/speed", 2.0), *steps, message("/drift/calm", 1.0)))
        until(lambda: len(seen) == 2 + many)
        client.send(message("/drift/flash"))
        until(lambda: len(seen) == 3 + many)
    assert set(seen) == {(0.5, 0.0), (2.0, 1.0)}


class Rests:
    """In the place of a Share: notes where a rest could be taken."""

    def __init__(self, noted: list[str]) -> None:
        self._noted = noted

    def begin(self) -> None:
        pass

    def rest(self) -> float:
        self._noted.append("rest")
        return 0.0


def test_a_large_bundle_is_taken_in_with_rests(bus: Bus) -> None:
    """It could take every other frame's time, in one go."""
    noted: list[str] = []
    step, tags = message("/drift/speed", "+", 0.0), text("/drift/speed") + text("," + "T" * 2000)
    server = OscServer(bus, port=0, on_message=lambda heard: noted.append(heard.message))
    server._share = Rests(noted)  # type: ignore[assignment]
    with server, socket.socket(type=socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        for one, count, together in ((step, 1000, 64), (tags, 30, 1)):
            noted.clear()
            client.send(bundle(*[one] * count, message("/drift/flash")))
            until(lambda: "/drift/flash" in noted and noted[-1] == "rest")
            heard = "".join("." if said != "rest" else " " for said in noted)
            assert len(heard.replace(" ", "")) == count + 1
            assert max(map(len, heard.split())) <= together


class HeldUp:
    """Hears messages, and holds the server up at the first until all of a flood has been sent."""

    def __init__(self) -> None:
        self.told: list[Heard] = []
        self.go_on = threading.Event()

    def __call__(self, heard: Heard) -> None:
        self.told.append(heard)
        assert self.go_on.wait(PATIENCE)


def test_of_what_has_queued_up_the_newest_values_are_taken(bus: Bus) -> None:
    held = HeldUp()
    speeds = [n / 100 for n in range(100)]
    with (
        OscServer(bus, port=0, on_message=held) as server,
        socket.socket(type=socket.SOCK_DGRAM) as client,
    ):
        client.connect(("127.0.0.1", server.port))
        client.settimeout(PATIENCE)
        client.send(message("/drift/calm", 1.0))
        until(lambda: held.told)
        for speed in speeds:
            client.send(message("/drift/speed", speed))
        client.send(bundle(message("/drift/flash"), message("/drift/speed", "+", 0.5)))
        client.send(message("/drift/flash", 1.0))
        client.send(message("/drift/calm"))
        held.go_on.set()
        client.recv(2048)
    assert [h.message for h in held.told[1:]] == [
        "/drift/speed 0.99", "/drift/flash", "/drift/speed '+' 0.5", "/drift/flash 1",
        "/drift/calm",
    ]  # fmt: skip
    assert bus.tick(0.01) == ["/drift/flash"] * 2
    assert bus.value("/drift/speed") == pytest.approx(1.49)


def test_however_much_comes_it_is_taken_so_much_at_a_time(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osc, "AT_ONCE", 100 * 32)
    held = HeldUp()
    with (
        OscServer(bus, port=0, on_message=held) as server,
        socket.socket(type=socket.SOCK_DGRAM) as client,
    ):
        client.connect(("127.0.0.1", server.port))
        client.send(message("/drift/calm", 1.0))
        until(lambda: held.told)
        for n in range(1, 201):
            client.send(message("/drift/speed", n / 100))
        held.go_on.set()
        until(lambda: len(held.told) == 3)
    assert [h.value for h in held.told] == [1.0, 1.0, 2.0]


def test_a_message_waits_for_no_other(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osc, "_WAKE", 1000.0)
    server = OscServer(bus, port=0).start()
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        client.settimeout(PATIENCE)
        assert ask(client, "/drift/speed") == 0.5
        closing = threading.Thread(target=server.close, daemon=True)
        closing.start()
        until(server._closing.is_set)
        client.send(b"")  # it listens for that long
        closing.join(PATIENCE)
    assert not closing.is_alive()


def test_a_burst_of_thousands_ends_with_the_last_value(bus: Bus, client: socket.socket) -> None:
    """In parts that every system's buffer holds."""
    for n in range(1, 5001):
        client.send(message("/drift/speed", n / 5000))
        if n % 200 == 0:
            client.send(message("/drift/flash"))
            ask(client, "/drift/speed")
    assert bus.tick(0.01) == ["/drift/flash"] * 25
    assert bus.value("/drift/speed") == 1.0


class Resting:
    """In the place of a Share: whatever is done is too much."""

    def __init__(self, rest: float) -> None:
        self.rested, self._rest = threading.Event(), rest

    def begin(self) -> None:
        """Nothing is measured."""

    def rest(self) -> float:
        self.rested.set()
        return self._rest


def test_whoever_floods_is_made_to_wait_and_it_is_said_once(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(osc, "Share", lambda: Resting(0.001))
    monkeypatch.setattr(osc, "FLOOD", 1)
    with OscServer(bus, port=0) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        client.settimeout(PATIENCE)
        for n in range(20):
            client.send(message("/drift/speed", n / 10))
            ask(client, "/drift/calm")
    bus.tick(0.01)
    assert bus.value("/drift/speed") == pytest.approx(1.9)
    said = "osc 127.0.0.1 sends more than can be heeded"
    assert [line.partition(":")[0] for line in caplog.messages] == [said]


def test_one_message_now_and_then_is_no_flood(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(osc, "Share", lambda: Resting(0.001))
    with OscServer(bus, port=0) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        client.settimeout(PATIENCE)
        ask(client, "/drift/calm")
    assert not caplog.messages


@pytest.mark.parametrize(
    "packet",
    [message("/drift/speed", 1.0), b"rubbish", bundle()[:-1]],
    ids=["a fader", "rubbish", "half a bundle"],
)
def test_it_closes_while_somebody_floods(
    bus: Bus, packet: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = Resting(1000.0)
    monkeypatch.setattr(osc, "Share", lambda: share)
    server = OscServer(bus, port=0).start()
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        client.send(packet)
        assert share.rested.wait(PATIENCE)
    closing = threading.Thread(target=server.close, daemon=True)
    closing.start()
    closing.join(PATIENCE)
    assert not closing.is_alive()


def test_the_reason_stands_in_the_log(
    client: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    client.send(b"rubbish")
    ask(client, "/drift/calm")
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert caplog.messages[0].startswith("osc 127.0.0.1: sent something that is not OSC")


def test_localhost_is_where_everybody_sends(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS, Windows and Debian name ::1 first."""
    ask_system = socket.getaddrinfo

    def six_first(host: str, port: int, **named: Any) -> list[Any]:
        six = (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", port, 0, 0))
        return [six, *ask_system("127.0.0.1", port, **named)]

    with monkeypatch.context() as names:
        names.setattr(socket, "getaddrinfo", six_first)
        server = OscServer(bus, "localhost", 0).start()
    with server, socket.socket(type=socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        client.settimeout(PATIENCE)
        assert ask(client, "/drift/speed") == 0.5


def test_who_comes_by_ipv4_is_called_so_everywhere(bus: Bus) -> None:
    """A socket of both kinds calls it ::ffff:127.0.0.1; feedback knows it as 127.0.0.1."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    told: list[Heard] = []
    with (
        OscServer(bus, "::", 0, told.append) as server,
        socket.socket(type=socket.SOCK_DGRAM) as client,
    ):
        client.connect(("127.0.0.1", server.port))
        client.settimeout(PATIENCE)
        client.send(message("/drift/speed", 1.5))
        client.send(b"rubbish")
        ask(client, "/drift/speed")
        until(lambda: len(told) == 3)
    assert {heard.source for heard in told} == {"osc 127.0.0.1"}
    bus.tick(0)
    assert bus.moved_by("/drift/speed") == "osc 127.0.0.1"
