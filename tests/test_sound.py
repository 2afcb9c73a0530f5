"""The room's sound on its way to the bus, from an input that is pulled and comes back."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from unittest.mock import Mock

import numpy as np
import pytest

from installation.clock import Frame, Hearing, Tempo
from installation.control import inlet, sound
from installation.control.sound import Input, NoSound, Sound, Take, open_input
from installation.parameters import Bus
from tests import music
from tests.waiting import until


class Jack:
    """An input that the test plugs in and plays into."""

    opened: list[Jack]
    plugged = True

    def __init__(self, device: str, listens: Callable[[float], Take]) -> None:
        if not Jack.plugged:
            raise NoSound("nothing is plugged in")
        self.device, self.name, self.rate, self.gives = device, "line in", 48000.0, True
        self.take, self.closed = listens(self.rate), False
        Jack.opened.append(self)

    @property
    def alive(self) -> bool:
        return Jack.plugged

    def close(self) -> None:
        self.closed = True

    def play(self, hertz: float) -> None:
        samples = 0.5 * np.sin(2 * np.pi * hertz * np.arange(9600) / self.rate)
        for block in np.split(samples.astype(np.float32), 20):
            self.take(block)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlet, "_EVERY", 0.01)
    Jack.opened, Jack.plugged = [], True


@pytest.fixture
def bus() -> Bus:
    made = Bus()
    made.declare("sound", Hearing.declared())
    return made


def test_what_is_played_is_on_the_bus_and_in_the_frame(bus: Bus) -> None:
    hearing = Hearing()
    hearing.bind(bus, "sound")
    listening = Sound(bus, "line", Jack).start()
    until(lambda: Jack.opened)
    assert Jack.opened[0].device == "line"
    Jack.opened[0].play(60)
    fired = bus.tick(0.01)
    assert "/sound/onset" in fired
    frame = hearing.heard(Frame(1, 2.0, 0.01, 3.0))
    assert (frame.index, frame.time, frame.beat) == (1, 2.0, 3.0)
    assert frame.bass > 0.9
    assert frame.high < 0.1
    assert frame.onset
    assert bus.moved_by("/sound/bass") == "sound"
    listening.close()
    assert Jack.opened[0].closed
    bus.tick(0.01)
    assert hearing.heard(frame).bass == 0  # it comes to rest


@pytest.mark.parametrize(("wanted", "leads"), [(True, False), (True, True), (False, False)])
def test_the_beat_is_found_where_it_is_wanted_and_nobody_else_sets_it(
    monkeypatch: pytest.MonkeyPatch, wanted: bool, leads: bool
) -> None:
    monkeypatch.setattr(sound, "_RECKONED", 0.001)
    bus, tempo = Bus(), Tempo()
    tempo.bind(bus, "clock")
    listening = Sound(bus, "", Jack, beat=wanted, yields=lambda: leads).start()
    until(lambda: Jack.opened)
    assert not listening.leads
    heard = music.drums(100, 10).astype(np.float32)
    for number in range(len(heard) // sound.BLOCK):
        Jack.opened[0].take(heard[number * sound.BLOCK :][: sound.BLOCK])
        if number * sound.BLOCK > 5 * music.RATE and wanted:
            until(lambda: listening.leads)  # it has been reckoned meanwhile
    listening.close()
    assert not listening.leads  # nothing is heard any more
    fired = bus.tick(0.01)
    assert ("/clock/beat" in fired) == (wanted and not leads)
    expected = 100 if wanted and not leads else Tempo.bpm.default
    assert bus.value("/clock/bpm") == pytest.approx(expected, rel=0.03)


def test_an_input_that_is_pulled_is_taken_up_again(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    listening = Sound(bus, "", Jack).start()
    until(lambda: Jack.opened)
    Jack.opened[0].play(60)
    Jack.plugged = False
    until(lambda: Jack.opened[0].closed)
    bus.tick(0.01)
    assert bus.value("/sound/bass") == 0
    until(lambda: "no sound is heard: nothing is plugged in" in caplog.messages)
    Jack.plugged = True
    until(lambda: len(Jack.opened) == 2)
    listening.close()
    said = ["listening to line in", "the sound of line in is gone; it is looked for again"]
    assert [caplog.messages.count(one) for one in said] == [2, 1]
    assert caplog.messages.count("no sound is heard: nothing is plugged in") == 1


def test_an_input_that_gives_nothing_any_more_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its driver calls it active for all that."""
    driver, now, taken = Mock(), [100.0], []
    monkeypatch.setitem(sys.modules, "sounddevice", driver)
    monkeypatch.setattr(sound.time, "monotonic", lambda: now[0])
    line = Input(0, "line in", 48000.0, 2, taken.append)
    now[0] = 200.0
    assert line.alive  # nothing has come yet; it would be opened again and again
    now[0] = 100.0
    heard = driver.InputStream.call_args.kwargs["callback"]
    for now[0] in (104.0, 108.0):  # silence is sound, too
        heard(np.zeros((512, 2), np.float32))
        assert line.alive
    assert len(taken) == 2
    now[0] = 113.5
    assert not line.alive


def test_by_osc_it_is_the_same_road(bus: Bus) -> None:
    hearing = Hearing()
    hearing.bind(bus, "sound")
    bus.post("/sound/bass", 0.7, "osc")
    bus.tick(0.01)
    assert hearing.heard(Frame(0, 0.0, 0.0, 0.0)).bass == 0.7


def test_a_machine_without_an_input_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoSound):  # no library, no PortAudio, or no such input
        open_input("a name that no input has", lambda rate: lambda samples: None)
