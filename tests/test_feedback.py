"""Where parameters stand, told to controllers that show it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from threading import Semaphore
from typing import Any
from unittest.mock import Mock

import pytest

from installation.control.feedback import Feedback, encoded, news
from installation.control.message import ControlError
from installation.control.osc import OscServer
from installation.parameters import Bus, Param, Trigger
from tests.waiting import PATIENCE, until


@pytest.fixture
def bus() -> Bus:
    made = Bus()
    made.declare("drift", {"speed": Param(0.5, 0, 2), "calm": Param(0, 0, 1), "flash": Trigger()})
    return made


@pytest.fixture
def desk() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE)
        yield receiver


def place(desk: socket.socket) -> str:
    return "127.0.0.1:" + str(desk.getsockname()[1])


def told(desk: socket.socket, count: int) -> dict[str, float]:
    """So many messages, and none beyond."""
    found = {}
    for _ in range(count):
        data = desk.recv(2048)
        assert data[-8:-4] == b",f\0\0"
        found[data[:-8].rstrip(b"\0").decode()] = struct.unpack(">f", data[-4:])[0]
    desk.setblocking(False)
    with pytest.raises(BlockingIOError):
        desk.recv(2048)
    desk.settimeout(PATIENCE)
    return found


def test_everything_at_first_and_then_what_is_new(bus: Bus, desk: socket.socket) -> None:
    feedback = Feedback(bus, [place(desk)])
    feedback.tell(0.0)
    assert told(desk, 2) == {"/drift/speed": 0.5, "/drift/calm": 0.0}
    feedback.tell(1.0)
    assert told(desk, 0) == {}
    bus.post("/drift/calm", 0.25, "midi nano cc 1")
    bus.tick(0.1)
    feedback.tell(1.01)  # not that often
    assert told(desk, 0) == {}
    feedback.tell(2.0)
    assert told(desk, 1) == {"/drift/calm": 0.25}


def test_who_moved_it_is_not_told(bus: Bus, desk: socket.socket) -> None:
    feedback = Feedback(bus, [place(desk)])
    feedback.tell(0.0)
    told(desk, 2)
    bus.post("/drift/calm", 0.25, "osc 127.0.0.1")
    bus.post("/drift/speed", 1.5, "osc 10.0.0.1")
    bus.tick(0.1)
    feedback.tell(1.0)
    assert told(desk, 1) == {"/drift/speed": 1.5}
    bus.post("/drift/calm", 0.75, "setlist")
    bus.tick(0.1)
    feedback.tell(2.0)
    assert told(desk, 1) == {"/drift/calm": 0.75}


def test_a_large_show_is_told_over_some_turns(desk: socket.socket) -> None:
    bus = Bus()
    bus.declare("many", {f"p{n}": Param(n / 256, 0, 1) for n in range(150)})
    feedback = Feedback(bus, [place(desk)])
    found: dict[str, float] = {}
    for turn, count in enumerate((64, 64, 22, 0)):
        feedback.tell(float(turn))
        found |= told(desk, count)
    assert len(found) == 150
    assert found["/many/p64"] == 0.25


def test_a_tablet_that_is_switched_on_late_is_told_everything(
    bus: Bus, desk: socket.socket
) -> None:
    feedback = Feedback(bus, [place(desk)])
    turns = [n / 20 for n in range(20 * 20)]  # twenty seconds
    for now in turns[:20]:
        feedback.tell(now)
    told(desk, 2)
    for now in turns[20:]:
        feedback.tell(now)
    assert told(desk, 2) == {"/drift/speed": 0.5, "/drift/calm": 0.0}


def test_everything_is_told_anew_a_little_at_a_time(desk: socket.socket) -> None:
    bus = Bus()
    bus.declare("many", {f"p{n}": Param(n / 256, 0, 1) for n in range(50)})
    feedback = Feedback(bus, [place(desk)])
    feedback.tell(0.0)
    feedback.tell(10.0)
    told(desk, 50)
    found: dict[str, float] = {}
    for turn, count in enumerate([4] * 12 + [2] + [0] * 3):
        feedback.tell(12.0 + turn / 16)
        found |= told(desk, count)
    assert len(found) == 50


def test_a_fader_under_a_finger_is_not_told_anew(bus: Bus, desk: socket.socket) -> None:
    feedback = Feedback(bus, [place(desk)])
    feedback.tell(0.0)
    told(desk, 2)
    feedback.tell(10.0)
    bus.post("/drift/calm", 0.25, "osc 127.0.0.1")
    bus.tick(0.1)
    feedback.tell(11.9)
    feedback.tell(12.1)
    assert told(desk, 1) == {"/drift/speed": 0.5}
    feedback.tell(20.1)  # let go long ago
    feedback.tell(22.2)
    assert told(desk, 2) == {"/drift/speed": 0.5, "/drift/calm": 0.25}


def test_the_server_tells_by_itself(bus: Bus, desk: socket.socket) -> None:
    with OscServer(bus, port=0, feedback=[place(desk)]):
        assert told_names(desk, 2) == {"/drift/speed", "/drift/calm"}
        bus.post("/drift/speed", 2, "keyboard")
        bus.tick(0.1)
        assert told_names(desk, 1) == {"/drift/speed"}


def told_names(desk: socket.socket, count: int) -> set[str]:
    return {desk.recv(2048)[:-8].rstrip(b"\0").decode() for _ in range(count)}


@pytest.mark.parametrize("target", ["9000", "host", "127.0.0.1:0", "127.0.0.1:x", ":9000", ""])
def test_a_place_that_cannot_be_is_named(bus: Bus, target: str) -> None:
    with pytest.raises(ControlError, match=r"HOST:PORT, like 192\.168"):
        Feedback(bus, [target])


def test_a_tablet_whose_name_is_not_known_yet_is_looked_for(
    bus: Bus, desk: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ask_system, there, searches = socket.getaddrinfo, threading.Event(), Semaphore(0)

    def names(host: str, port: int, flags: int = 0, **named: Any) -> list[Any]:
        if host != "ipad.local" or flags:
            return ask_system(host, port, flags=flags, **named)
        searches.release()
        if not there.is_set():
            raise socket.gaierror(-2, "Name or service not known")
        return ask_system("127.0.0.1", port, **named)

    monkeypatch.setattr(socket, "getaddrinfo", names)
    feedback = Feedback(bus, [place(desk).replace("127.0.0.1", "ipad.local")])
    feedback.tell(0.0)
    assert searches.acquire(timeout=PATIENCE)
    until(lambda: caplog.messages)
    feedback.tell(9.9)
    assert not searches.acquire(blocking=False)
    feedback.tell(10.0)
    assert searches.acquire(timeout=PATIENCE)
    until(lambda: not [t for t in threading.enumerate() if t.name == "osc name"])
    there.set()
    feedback.tell(11.9)
    assert not searches.acquire(blocking=False)
    feedback.tell(20.0)
    assert searches.acquire(timeout=PATIENCE)
    until(lambda: not [t for t in threading.enumerate() if t.name == "osc name"])
    feedback.tell(20.1)
    assert told(desk, 2) == {"/drift/speed": 0.5, "/drift/calm": 0.0}
    assert caplog.messages == [
        "OSC cannot tell ipad.local where parameters stand ([Errno -2] Name or service not known; "
        "it is looked for every 10 seconds)"
    ]


def test_a_name_that_takes_long_holds_nothing_up(
    bus: Bus, desk: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, searches = threading.Event(), []

    def slow(one: object) -> None:
        searches.append(one)
        go_on.wait(PATIENCE)

    feedback = Feedback(bus, ["ipad.local:9001", place(desk)])
    monkeypatch.setattr(feedback, "_find", slow)
    for now in (0.0, 10.0, 20.0):
        feedback.tell(now)
    assert told_names(desk, 2) == {"/drift/speed", "/drift/calm"}  # the other is told meanwhile
    go_on.set()
    assert len(searches) == 1


def test_a_message_is_as_osc_wants_it() -> None:
    assert encoded("/abc", 1.0) == b"/abc\0\0\0\0,f\0\0\x3f\x80\0\0"
    assert encoded("/ab", 1.0) == b"/ab\0,f\0\0\x3f\x80\0\0"


def test_what_follows_the_scene_is_told_anew_when_it_means_another(
    bus: Bus, desk: socket.socket
) -> None:
    feedback = Feedback(bus, [place(desk)])
    bus.lead({"/on/1": "/drift/speed"})
    bus.post("/drift/calm", 0.75, "osc 127.0.0.1")  # by this very desk, some time ago
    bus.tick(0)
    feedback.tell(0.0)
    assert told(desk, 3) == {"/drift/speed": 0.5, "/drift/calm": 0.75, "/on/1": 0.5}
    bus.post("/on/1", 1.5, "osc 127.0.0.1")
    bus.tick(0)
    feedback.tell(1.0)
    assert told(desk, 1) == {"/drift/speed": 1.5}  # but not /on/1: its own finger is on it
    bus.lead({"/on/1": "/drift/calm"})
    feedback.tell(2.0)
    assert told(desk, 1) == {"/on/1": 0.75}


def test_the_same_fader_elsewhere_on_the_desk_is_told(bus: Bus) -> None:
    """/on/1 stands for what the listener moved by its own address; that fader knows nothing."""
    bus.lead({"/on/1": "/drift/speed"})
    known = dict(news(bus, {}, "osc 10.0.0.5"))
    bus.post("/drift/speed", 1.5, "osc 10.0.0.5")
    bus.tick(0.1)
    assert list(news(bus, known, "osc 10.0.0.5")) == [("/on/1", ("/drift/speed", 1.5))]
    bus.post("/on/1", 1.0, "osc 10.0.0.5")
    bus.tick(0.1)
    assert ("/drift/speed", ("/drift/speed", 1.0)) in list(news(bus, known, "osc 10.0.0.5"))


def test_no_socket_to_tell_by_is_said_and_survived(
    bus: Bus, desk: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    feedback = Feedback(bus, [place(desk)])
    with monkeypatch.context() as none_left:
        none_left.setattr(socket, "socket", Mock(side_effect=OSError(24, "Too many open files")))
        feedback.tell(0.0)
    assert "OSC cannot tell 127.0.0.1 where parameters stand (Too many open files)" in caplog.text
    feedback.tell(1.0)
    assert told(desk, 2) == {"/drift/speed": 0.5, "/drift/calm": 0.0}
