"""`installation monitor`: what came in, and what it reached."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import midi_backend
import mido
import pytest

from installation.control.binding import Binding
from installation.control.mapping import MidiMap
from installation.control.message import ControlError, Heard
from installation.control.monitor import _WAITING, _Waiting, as_line, monitor
from installation.control.osc import OscServer
from installation.parameters import Bus, Param, Trigger
from tests.waiting import PATIENCE, until

NANO = "nanoKONTROL2 1"


@pytest.fixture
def bus() -> Bus:
    bus = Bus()
    bus.declare("drift", {"speed": Param(0.5, 0, 2, unit="seeds/s"), "flash": Trigger()})
    return bus


@contextmanager
def running(bus: Bus, out: io.StringIO, as_json: bool) -> Iterator[Callable[[bytes], None]]:
    """A monitor at work; gives a function that sends it a UDP packet."""
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mapping = MidiMap(bus, [Binding("/drift/speed", "cc", 7), Binding("/drift/flash", "note", 60)])
    midi_backend.plug(NANO)
    stop = threading.Event()
    thread = threading.Thread(
        target=monitor,
        args=(bus, mapping, out),
        kwargs={"port": port, "backend": "midi_backend", "as_json": as_json, "stop": stop},
    )
    thread.start()
    try:
        until(lambda: midi_backend.listeners(NANO) == 1)
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", port))
            yield client.send
    finally:
        stop.set()
        thread.join(PATIENCE)
        midi_backend.pull_all()
    assert not thread.is_alive()


def play(bus: Bus, out: io.StringIO, as_json: bool) -> list[str]:
    def lines() -> list[str]:
        return [line for line in out.getvalue().splitlines() if "listening" not in line]

    with running(bus, out, as_json) as send:
        sent = [
            lambda: send(b"/drift/speed\0\0\0\0,f\0\0\x3f\x80\0\0"),
            lambda: send(b"/drift/sped\0,f\0\0\x3f\x80\0\0"),
            lambda: send(b"/\x1b[2J\0\0\0,f\0\0\x3f\x80\0\0"),
            lambda: send(b"/drift/speed\0\0\0\0,s\0\0x\0\0\0"),
            lambda: send(b"/drift/speed\0\0\0\0,s\0\0+1\0\0"),
            lambda: send(b"/drift/speed\0\0\0\0"),
            lambda: send(b"/drift/speed?\0\0\0"),
            lambda: send(b"/drift/flash\0\0\0\0"),
            lambda: send(b"rubbish"),
            lambda: midi_backend.play(NANO, mido.Message("control_change", control=7, value=127)),
            lambda: midi_backend.play(NANO, mido.Message("note_on", note=60, velocity=9)),
            lambda: midi_backend.play(NANO, mido.Message("note_on", note=61, velocity=9)),
        ]
        for number, send_one in enumerate(sent):
            send_one()
            until(lambda number=number: len(lines()) > number)  # type: ignore[misc]
    return lines()


def test_each_message_is_a_line_with_what_it_reaches(bus: Bus) -> None:
    out = io.StringIO()
    lines = play(bus, out, as_json=False)
    assert out.getvalue().startswith("listening to OSC on 127.0.0.1:")
    assert [line.split("  ", 1)[1] for line in lines] == [
        "osc 127.0.0.1  /drift/speed 1  →  /drift/speed 1 seeds/s",
        "osc 127.0.0.1  /drift/sped 1  →  nothing; did you mean '/drift/speed'?",
        r"osc 127.0.0.1  /\x1b[2J 1  →  nothing",
        "osc 127.0.0.1  /drift/speed 'x'  →  /drift/speed, which takes a number",
        "osc 127.0.0.1  /drift/speed '+1'  →  /drift/speed +1 seeds/s",
        "osc 127.0.0.1  /drift/speed  →  /drift/speed is asked for",
        "osc 127.0.0.1  /drift/speed?  →  /drift/speed is asked for",
        "osc 127.0.0.1  /drift/flash  →  /drift/flash fires",
        "osc 127.0.0.1  sent something that is not OSC, or of a type that is not known  →  nothing",
        "midi nanoKONTROL2 cc 7  ch 1 cc 7 = 127  →  /drift/speed 2 seeds/s",
        "midi nanoKONTROL2 note 60  ch 1 note 60 = 9  →  /drift/flash fires",
        "midi nanoKONTROL2 note 61  ch 1 note 61 = 9  →  nothing",
    ]


def test_as_json_every_line_is_an_object(bus: Bus) -> None:
    rows = [json.loads(line) for line in play(bus, io.StringIO(), as_json=True)]
    assert [(row["reaches"], row["value"], row["form"], row["did_you_mean"]) for row in rows] == [
        ("/drift/speed", 1.0, "value", None),
        (None, None, "value", "/drift/speed"),
        (None, None, "value", None),
        (None, None, "value", None),
        ("/drift/speed", 0.5, "nudge", None),
        ("/drift/speed", None, "value", None),
        ("/drift/speed", None, "value", None),
        ("/drift/flash", 1, "value", None),
        (None, None, "value", None),
        ("/drift/speed", 1.0, "unit", None),
        ("/drift/flash", 1.0, "value", None),
        (None, None, "value", None),
    ]
    assert rows[1]["message"] == "/drift/sped 1"
    assert rows[9]["source"] == "midi nanoKONTROL2 cc 7"
    assert all(row["time"] > 0 for row in rows)


def test_a_terminal_that_is_too_slow_loses_lines_and_is_told_how_many() -> None:
    waiting, stop = _Waiting(), threading.Event()
    for n in range(_WAITING + 234):
        waiting.put(Heard(0.0, "osc", str(n)))
    stop.set()
    seen = list(waiting.until(stop))
    assert [heard.message for heard, _ in seen if heard] == [str(n) for n in range(_WAITING)]
    assert sum(missed for _, missed in seen) == 234
    assert seen[-1][0] is None


def test_a_reader_that_has_seen_enough_ends_it(bus: Bus) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monitor(bus, MidiMap(bus), Closed(), port=0, backend="midi_backend")


def test_a_taken_port_is_one_clear_error(bus: Bus) -> None:
    with OscServer(bus, port=0) as server, pytest.raises(ControlError, match="cannot listen"):
        monitor(bus, MidiMap(bus), io.StringIO(), port=server.port, backend="midi_backend")


def test_a_value_out_of_range_is_shown_as_it_is_taken(bus: Bus) -> None:
    heard = Heard(0.0, "osc", "/drift/speed 99", "/drift/speed", 99.0, "value", True)
    assert as_line(bus, heard).endswith("→  /drift/speed 2 seeds/s")


def test_what_follows_the_scene_that_is_on_is_said_by_name(bus: Bus) -> None:
    bus.lead({"/on/1": "/drift/speed", "/go/1": "/drift/flash"})
    fader = Heard(0.0, "midi nano cc 1", "cc 1 = 127", "/on/1", 1.0, "unit", True)
    assert as_line(bus, fader).endswith("→  /drift/speed 2 seeds/s")
    button = Heard(0.0, "osc 127.0.0.1", "/go/1", "/go/1", 1.0, "value", True)
    assert as_line(bus, button).endswith("→  /drift/flash fires")


def test_what_lets_a_parameter_move_by_itself_is_said(bus: Bus) -> None:
    heard = Heard(0.0, "osc", "/drift/speed 'sine'", "/drift/speed", None, "modulation", True)
    assert as_line(bus, heard).endswith("→  /drift/speed and what moves it by itself")
