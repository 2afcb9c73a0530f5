"""MIDI over a real port: a JACK server without sound, and RtMidi on both ends."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

import mido
import pytest

from installation.control.binding import Binding
from installation.control.mapping import MidiMap
from installation.control.message import Heard
from installation.control.midi import Midi
from installation.parameters import Bus, Param, Trigger
from tests.waiting import PATIENCE, until

rtmidi = pytest.importorskip("rtmidi")  # has no wheel for Python 3.13

JACK = "mido.backends.rtmidi/UNIX_JACK"


@pytest.fixture
def bus() -> Bus:
    bus = Bus()
    bus.declare("stage", {"scene/drift": Trigger()})
    bus.declare("drift", {"speed": Param(0.5, 0, 2), "calm": Param(0, 0, 1), "flash": Trigger()})
    return bus


@pytest.fixture
def mapping(bus: Bus) -> MidiMap:
    return MidiMap(bus)


def cc(number: int, value: int, channel: int = 3) -> mido.Message:
    return mido.Message("control_change", channel=channel - 1, control=number, value=value)


def note(number: int, velocity: int, channel: int = 3) -> mido.Message:
    return mido.Message("note_on", channel=channel - 1, note=number, velocity=velocity)


def listed() -> bool:
    try:
        client = rtmidi.MidiIn(rtmidi.API_UNIX_JACK)
    except rtmidi.SystemError:
        return False
    client.delete()
    return True


@pytest.fixture(scope="module")
def jack() -> Iterator[mido.Backend]:
    """A JACK server of our own, without sound: its MIDI ports are real ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JACK_DEFAULT_SERVER", f"installation-{os.getpid()}")
        patch.setenv("JACK_NO_START_SERVER", "1")
        server = subprocess.Popen(
            ["jackd", "--no-realtime", "-S", "-d", "dummy", "-r", "48000", "-p", "128"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(lambda: listed() or server.poll() is not None)
            assert server.poll() is None, "jackd did not start"
            yield mido.Backend(JACK)
        finally:
            server.terminate()
            server.wait(PATIENCE)


def until_carried(out: mido.ports.BaseOutput, told: list[Heard]) -> None:
    """Wait until what is sent comes through: JACK says that two ports are connected before its next
    period, from which on they are, and loses what is sent meanwhile. Nothing is bound to this."""
    told.clear()
    until(lambda: out.send(cc(119, 0, channel=16)) or told)


def test_a_real_port_moves_a_parameter_and_recovers(
    bus: Bus, mapping: MidiMap, jack: mido.Backend
) -> None:
    told: list[Heard] = []
    with (
        jack.open_output("nano", virtual=True) as out,
        Midi(bus, mapping, ["nano"], JACK, told.append) as midi,
    ):
        until(lambda: len(midi.connected) == 1)
        until_carried(out, told)
        out.send(cc(1, 127))
        until(lambda: bus.tick(0.01) or bus.value("/drift/speed") == 2.0)
        assert bus.moved_by("/drift/speed") == "midi RtMidiOut Client:nano cc 1"
        out.close()
        until(lambda: midi.connected == [])
        with jack.open_output("nano", virtual=True) as again:
            until(lambda: len(midi.connected) == 1)
            until_carried(again, told)
            again.send(cc(1, 0))
            until(lambda: bus.tick(0.01) or bus.value("/drift/speed") == 0.0)


def test_a_real_port_keeps_every_note_in_order(
    bus: Bus, mapping: MidiMap, jack: mido.Backend
) -> None:
    told: list[Heard] = []

    def notes() -> list[str]:
        return [heard.message for heard in list(told) if "note" in heard.message]

    with (
        jack.open_output("pads", virtual=True) as out,
        Midi(bus, mapping, ["pads"], JACK, told.append) as midi,
    ):
        until(lambda: len(midi.connected) == 1)
        until_carried(out, told)
        for n in range(500):
            out.send(note(36, 1 + n % 127))
            time.sleep(0.0005)
        until(lambda: len(notes()) == 500)
    assert notes() == [f"ch 3 note 36 = {1 + n % 127}" for n in range(500)]
    assert bus.tick(0.01) == ["/drift/flash"] * 500


def test_a_real_port_carries_fourteen_bits(bus: Bus, jack: mido.Backend) -> None:
    mapping = MidiMap(bus, [Binding("/drift/calm", "cc", 7, bits=14)])
    told: list[Heard] = []
    with (
        jack.open_output("fine", virtual=True) as out,
        Midi(bus, mapping, ["fine"], JACK, told.append) as midi,
    ):
        until(lambda: len(midi.connected) == 1)
        until_carried(out, told)
        out.send(cc(7, 64))
        out.send(cc(39, 1))
        wanted = (64 << 7 | 1) / 16383
        until(lambda: bus.tick(0.01) or bus.value("/drift/calm") == pytest.approx(wanted))


def test_what_is_sent_to_a_device_is_not_listened_to(
    bus: Bus, mapping: MidiMap, jack: mido.Backend
) -> None:
    """RtMidi's outputs are listed among the inputs: our own feedback would move parameters."""
    told: list[Heard] = []
    with (
        jack.open_input("lamp", virtual=True),
        jack.open_output(next(n for n in jack.get_output_names() if n.endswith(":lamp"))) as feed,
        jack.open_output("nano", virtual=True) as out,
        Midi(bus, mapping, backend=JACK, on_message=told.append) as midi,
    ):
        assert len(jack.get_input_names()) == 2
        until(lambda: any(name.endswith(":nano") for name in midi.connected))
        until_carried(out, told)
        feed.send(cc(1, 127))
        out.send(cc(2, 127))
        until(lambda: bus.tick(0.01) or bus.value("/drift/calm") == 1.0)
        assert [name.rpartition(":")[2] for name in midi.connected] == ["nano"]
        assert bus.value("/drift/speed") == 0.5
