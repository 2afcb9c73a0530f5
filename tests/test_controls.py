"""What listens to the room, where a port of it cannot be had."""

from __future__ import annotations

import itertools
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn
from unittest.mock import Mock

import midi_backend
import mido
import numpy as np
import pytest

from installation import controls, playing, tables, venue
from installation.clock import Senses, Tempo
from installation.control import sound
from installation.control.link import Link
from installation.control.message import ControlError
from installation.control.osc import OscServer
from installation.control.sound import Take
from installation.controls import Controls
from installation.output.displays import NoDisplay
from installation.parameters import Bus, Param
from installation.programme import Options
from installation.venue import VenueError
from tests import music
from tests.visitors import Room, film
from tests.waiting import until


@pytest.fixture
def bus() -> Bus:
    made = Bus()
    made.declare("light", {"brightness": Param(1, 0, 1)})
    return made


def place(port: int) -> tables.Venue:
    text = f"[osc]\nport = {port}\n[midi]\nenabled = false\n"
    return venue.parse(text, "here.toml")


def test_a_port_that_is_taken_is_an_error(bus: Bus) -> None:
    with OscServer(Bus(), port=0) as other:
        made = Controls(bus, place(other.port))
        with pytest.raises(ControlError, match="another program"):
            made.open()
        made.close()


@pytest.mark.parametrize("missing", ["osc", "web", "link", "learned"])
def test_what_cannot_be_had_is_said_before_a_window_opens(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, here = Mock(), tmp_path / "here.toml"
    monkeypatch.setattr(playing, "open_window", window)
    monkeypatch.setattr(playing, "sizes", lambda: [(640, 480)])
    monkeypatch.setitem(sys.modules, "aalink", None)
    learned = tmp_path / "learned.toml"
    learned.write_text("map = 3")
    with OscServer(Bus(), port=0) as other, socket.create_server(("127.0.0.1", 0)) as web:
        here.write_text(
            {
                "osc": f"[osc]\nport = {other.port}\n",
                "web": f"[web]\nenabled = true\nport = {web.getsockname()[1]}\n",
                "link": "[link]\nenabled = true\n",
                "learned": f"[midi]\nlearned = '{learned}'\n",
            }[missing]
            + ("" if missing == "osc" else "[osc]\nenabled = false\n")
        )
        with pytest.raises((ControlError, VenueError)):
            playing.play(Options(venue=str(here)))
    assert not window.called
    monkeypatch.setattr(playing, "sizes", Mock(side_effect=NoDisplay("to be")))
    monkeypatch.setattr(playing, "_render_clip", Mock(return_value=3))
    monkeypatch.delenv("DISPLAY", raising=False)
    # a clip is rendered then, which listens to nobody
    assert playing.play(Options(venue=str(here))) == 3


def test_with_nobody_to_mend_it_a_port_is_waited_for(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(controls, "_AGAIN", 0.01)
    with OscServer(Bus(), port=0) as other:
        made = Controls(bus, place(other.port), patient=True)
        made.open()
        made.keep(1.0, dict)  # the show goes on
        until(lambda: "tries again" in caplog.text)
    until(lambda: not made._trying.is_alive())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        packet = b"/light/brightness\0\0\0,f\0\0\0\0\0\0"
        sender.sendto(packet, ("127.0.0.1", other.port))

    def dark() -> bool:
        bus.tick(0.1)
        return bus.target("/light/brightness") == 0

    until(dark)
    assert caplog.text.count("tries again") == 1
    made.close()


def test_link_that_is_missing_keeps_nothing_else_away(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(controls, "_AGAIN", 0.01)
    bus.declare("clock", {"bpm": Param(120, 20, 300)})

    def missing(_: float) -> NoReturn:
        raise ControlError("Link needs aalink")

    monkeypatch.setattr(controls, "Link", lambda bus: Link(bus, missing))
    text = "[osc]\nport = {}\n[midi]\nenabled = false\n[link]\nenabled = true\n"
    with OscServer(Bus(), port=0) as other:
        made = Controls(bus, venue.parse(text.format(other.port), "here.toml"), patient=True)
        made.open()
        until(lambda: "Link needs aalink" in caplog.text)
    until(lambda: len(made._opened) == 1)  # OSC, though Link is tried and tried
    made.close()
    assert caplog.text.count("Link needs aalink") == 1


def test_a_midi_clock_that_never_began_leaves_the_beat_to_what_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a clock, which many keyboards send all the time, says nothing of where beats lie."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIDO_BACKEND", "midi_backend")
    monkeypatch.setattr(sound, "_RECKONED", 0.001)
    take: list[Take] = []

    def opens(device: str, listens: Callable[[float], Take]) -> Mock:
        take.append(listens(music.RATE))
        return Mock(alive=True)

    monkeypatch.setattr(sound, "open_input", opens)
    midi_backend.plug("keys")
    bus = Bus()
    Tempo().bind(bus, "clock")
    text = "[osc]\nenabled = false\n[sound]\nenabled = true\nbeat = true\n"
    made = Controls(bus, venue.parse(text, "here.toml"))
    made.open()
    until(lambda: take and midi_backend.listeners("keys"))
    heard = itertools.cycle(music.drums(100, 12).astype(np.float32).reshape(-1, sound.BLOCK))

    def beat(blocks: int) -> bool:
        """A pulse of the clock, and so much of the music: whether a beat falls."""
        midi_backend.play("keys", mido.Message("clock"))
        for _ in range(blocks):
            take[0](next(heard))
        return "/clock/beat" in bus.tick(0.01)

    until(lambda: beat(0) or bus.moved_by("/clock/bpm") == "midi keys clock")
    until(lambda: beat(20))
    for _ in range(75):
        beat(20)
        assert bus.moved_by("/clock/bpm") == "sound"
    assert bus.value("/clock/bpm") == pytest.approx(100, rel=0.03)
    made.close()
    midi_backend.pull_all()


def test_a_venue_has_its_camera_and_says_where_it_hangs(tmp_path: Path) -> None:
    room = Room()
    shown = [room.walls] * 40 + [room.person(12)] * 30
    movie = film(tmp_path / "visitor.mp4", shown)
    for mirror, side in (("true", 1), ("false", -1)):
        bus = Bus()
        Senses().bind(bus)
        where = f"[sight]\nenabled = true\ndevice = '{movie}'\nmirror = {mirror}\n"
        made = Controls(bus, venue.parse(f"[osc]\nenabled = false\n{where}", "here.toml"))
        made.open()
        until(lambda bus=bus: bus.tick(0.01) is not None and bus.value("/sight/presence") > 0.3)
        assert np.sign(bus.value("/sight/across")) == side
        made.close()


def test_a_show_that_waits_for_a_port_can_be_closed(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "_AGAIN", 600.0)
    with OscServer(Bus(), port=0) as other:
        made = Controls(bus, place(other.port), patient=True)
        made.open()
        made.close()
    until(lambda: not made._trying.is_alive())
