"""MIDI ports that come and go, through a mido backend in this process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import midi_backend
import mido
import pytest

from installation.clock import Tempo
from installation.control import midi_feedback
from installation.control.binding import Binding
from installation.control.mapping import MidiMap
from installation.control.message import Heard
from installation.control.midi import Midi
from installation.control.takeover import Way
from installation.parameters import Bus, Param, Trigger
from tests.waiting import until

NANO = "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0"
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


@pytest.fixture(autouse=True)
def _unplugged() -> Iterator[None]:
    yield
    midi_backend.pull_all()


def cc(number: int, value: int, channel: int = 3) -> mido.Message:
    return mido.Message("control_change", channel=channel - 1, control=number, value=value)


def note(number: int, velocity: int, channel: int = 3) -> mido.Message:
    return mido.Message("note_on", channel=channel - 1, note=number, velocity=velocity)


def plugged(bus: Bus, mapping: MidiMap, *names: str, **options: object) -> Midi:
    for name in names:
        midi_backend.plug(name)
    midi = Midi(bus, mapping, backend="midi_backend", **options)  # type: ignore[arg-type]
    midi.start()
    until(lambda: len(midi.connected) == len(names))
    return midi


def test_a_knob_moves_a_parameter_and_is_named(bus: Bus, mapping: MidiMap) -> None:
    with plugged(bus, mapping, NANO):
        midi_backend.play(NANO, cc(1, 127))
    bus.tick(0.01)
    assert bus.value("/drift/speed") == 2.0
    assert bus.moved_by("/drift/speed") == "midi nanoKONTROL2 cc 1"


def test_no_note_is_lost_between_two_frames(bus: Bus, mapping: MidiMap) -> None:
    with plugged(bus, mapping, NANO):
        for _ in range(50):
            off = mido.Message("note_off", channel=2, note=36, velocity=64)
            midi_backend.play(NANO, note(36, 100), note(36, 0), note(36, 1), off)
    assert bus.tick(0.01) == ["/drift/flash"] * 100
    assert bus.moved_by("/drift/flash") == "midi nanoKONTROL2 note 36"


def test_a_port_that_is_pulled_and_returned_works_again(
    bus: Bus, mapping: MidiMap, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with plugged(bus, mapping, NANO) as midi:
        midi_backend.pull(NANO)
        until(lambda: midi.connected == [])
        back = NANO.replace("20:0", "24:0")
        midi_backend.plug(back)
        until(lambda: midi.connected == ["nanoKONTROL2"])
        midi_backend.play(back, cc(1, 127))
        bus.tick(0.01)
        assert bus.value("/drift/speed") == 2.0
    assert [m.rsplit(";")[0] for m in caplog.messages] == [
        "MIDI nanoKONTROL2 is connected",
        "MIDI nanoKONTROL2 is gone",
        "MIDI nanoKONTROL2 is connected",
    ]


PRESSURE = mido.Message("aftertouch", value=127, channel=2)


@pytest.mark.parametrize(
    ("held", "down"),
    [
        (Binding("/drift/calm", "note", 36, 3), note(36, 127)),
        (Binding("/drift/calm", "aftertouch", 0, 3), PRESSURE),
    ],
)
def test_what_is_held_on_a_controller_that_is_pulled_holds_nothing(
    bus: Bus, held: Binding, down: mido.Message
) -> None:
    """Its release will never come; a fader stays where it was."""
    known = [held, Binding("/drift/speed", "cc", 1, 3)]
    other = "Launchpad:Launchpad MIDI 1 28:0"
    with plugged(bus, MidiMap(bus, known), NANO, other) as midi:
        midi_backend.play(NANO, cc(1, 127), down)
        bus.tick(0)
        assert bus.target("/drift/calm") == 1
        midi_backend.pull(other)
        until(lambda: midi.connected == ["nanoKONTROL2"])
        bus.tick(0)
        assert bus.target("/drift/calm") == 1
        midi_backend.pull(NANO)
        until(lambda: midi.connected == [])
    bus.tick(0)
    assert bus.target("/drift/calm") == 0
    assert bus.target("/drift/speed") == 2


def test_starting_twice_is_starting_once(bus: Bus, mapping: MidiMap) -> None:
    with plugged(bus, mapping, NANO) as midi:
        midi.start()
        assert len([t for t in threading.enumerate() if t.name == "midi"]) == 1
    midi.close()
    assert not [t for t in threading.enumerate() if t.name == "midi"]


def test_every_port_is_heard_unless_some_are_named(bus: Bus, mapping: MidiMap) -> None:
    midi_backend.plug("Launchpad 0")
    with plugged(bus, mapping, NANO, "Twister 1", ports=["nanokontrol", "TWIST"]) as midi:
        assert sorted(midi.connected) == ["Twister", "nanoKONTROL2"]
        assert midi_backend.listeners("Launchpad 0") == 0
    assert midi_backend.listeners(NANO) == 0  # closed


def test_a_port_that_does_not_open_is_said_once_and_tried_again(
    bus: Bus, mapping: MidiMap, caplog: pytest.LogCaptureFixture
) -> None:
    looks = 0

    class Looking(Midi):
        def _look(self, names: list[str]) -> None:
            nonlocal looks
            super()._look(names)
            looks += 1

    midi_backend.plug("broken")
    with Looking(bus, mapping, backend="midi_backend") as midi:
        until(lambda: looks >= 3)
        assert midi.connected == []
    assert caplog.messages == ["MIDI broken cannot be opened (unknown port 'broken'); trying again"]


def test_controllers_of_every_kind(bus: Bus) -> None:
    mapping = MidiMap(
        bus,
        [
            Binding("/drift/calm", "pitchwheel"),
            Binding("/drift/speed", "nrpn", 5 << 7 | 3, low=0, high=1),
        ],
    )
    wheel = [mido.Message("pitchwheel", pitch=pitch) for pitch in (8191, -8192, 0)]
    seen = []
    with plugged(bus, mapping, NANO):
        for message in wheel:
            midi_backend.play(NANO, message)
            bus.tick(0.01)
            seen.append(bus.value("/drift/calm"))
        midi_backend.play(NANO, cc(38, 9))  # the value of nothing chosen
        midi_backend.play(NANO, cc(99, 5), cc(98, 3), cc(6, 127), cc(38, 127))
        bus.tick(0.01)
        assert bus.value("/drift/speed") == 1.0
        assert bus.moved_by("/drift/speed") == "midi nanoKONTROL2 nrpn 643"
        midi_backend.play(NANO, cc(6, 64))
        midi_backend.play(NANO, cc(38, 1))
        bus.tick(0.01)
        assert bus.value("/drift/speed") == pytest.approx((64 << 7 | 1) / 16383)
        midi_backend.play(NANO, cc(101, 0), cc(100, 0), cc(6, 127))  # an RPN: pitch bend range
        midi_backend.play(NANO, cc(99, 5), cc(98, 4), cc(6, 127))  # another NRPN
        bus.tick(0.01)
    assert seen == [1.0, 0.0, pytest.approx(0.5, abs=1e-4)]
    assert bus.value("/drift/speed") == pytest.approx((64 << 7 | 1) / 16383)


@pytest.mark.parametrize(
    ("before", "heard"),
    [
        ([(98, 10)], True),  # a knob of its own, as factory templates have it
        ([(99, 5), (99, 6)], True),
        ([(98, 3), (101, 0), (99, 5)], True),  # an RPN was chosen in between
        ([(99, 5), (98, 3), (99, 127), (98, 127)], True),
        ([(99, 5), (98, 3)], False),
        ([(99, 5), (98, 3), (98, 4)], False),
    ],
)
def test_half_an_nrpn_chooses_nothing(bus: Bus, before: list[tuple[int, int]], heard: bool) -> None:
    known = MidiMap(bus, [Binding("/drift/calm", "cc", 6), Binding("/drift/speed", "cc", 38)])
    with plugged(bus, known, NANO):
        midi_backend.play(NANO, *(cc(*one) for one in (*before, (6, 127), (38, 127))))
    bus.tick(0)
    found = (bus.target("/drift/calm"), bus.target("/drift/speed"))
    assert found == ((1.0, 2.0) if heard else (0.0, 0.5))


def test_what_chooses_an_nrpn_is_told_and_cannot_be_learned(bus: Bus, mapping: MidiMap) -> None:
    told: list[Heard] = []
    mapping.learn("/drift/calm")
    with plugged(bus, mapping, NANO, on_message=told.append):
        midi_backend.play(NANO, cc(98, 10), cc(101, 5))
    assert [(h.source, h.message, h.address) for h in told] == [
        ("midi nanoKONTROL2 cc 98", "ch 3 cc 98 = 10", ""),
        ("midi nanoKONTROL2 cc 101", "ch 3 cc 101 = 5", ""),
    ]
    assert (mapping.learned, mapping.learning) == ([], "/drift/calm")


def test_clock_and_sysex_pass_by(bus: Bus, mapping: MidiMap) -> None:
    told: list[Heard] = []
    with plugged(bus, mapping, NANO, on_message=told.append):
        midi_backend.play(
            NANO,
            mido.Message("clock"),
            mido.Message("sysex", data=[1, 2, 3]),
            mido.Message("active_sensing"),
        )
    assert told == []


def test_every_message_is_told_to_who_listens(bus: Bus) -> None:
    told: list[Heard] = []
    mapping = MidiMap(bus, [Binding("/drift/calm", "cc", 1), Binding("/drift/speed", "cc", 1)])
    with plugged(bus, mapping, NANO, on_message=told.append):
        midi_backend.play(NANO, cc(1, 127), cc(90, 5))
    assert [(h.source, h.message, h.address, h.value, h.form, h.reached) for h in told] == [
        ("midi nanoKONTROL2 cc 1", "ch 3 cc 1 = 127", "/drift/calm", 1.0, "unit", True),
        ("midi nanoKONTROL2 cc 1", "ch 3 cc 1 = 127", "/drift/speed", 1.0, "unit", True),
        ("midi nanoKONTROL2 cc 90", "ch 3 cc 90 = 5", "", None, "value", False),
    ]


@pytest.mark.parametrize("backend", ["no.such.backend", "mido.backends.rtmidi/NO_SUCH_API", JACK])
def test_without_midi_it_starts_with_one_warning(
    bus: Bus,
    mapping: MidiMap,
    backend: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    with Midi(bus, mapping, backend=backend) as midi:
        until(lambda: caplog.records)
        assert midi.connected == []
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "going on without MIDI" in caplog.messages[0]
    assert "\n" not in caplog.messages[0]


def test_without_a_midi_kernel_the_default_backend_starts(
    bus: Bus, mapping: MidiMap, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rtmidi = pytest.importorskip("rtmidi")

    def refused(*_: object) -> None:
        raise rtmidi.SystemError("error creating ALSA sequencer client object")

    monkeypatch.delenv("MIDO_BACKEND", raising=False)
    monkeypatch.setattr(rtmidi, "MidiIn", refused)
    with Midi(bus, mapping):
        until(lambda: caplog.records)
    assert [m.split(":")[0] for m in caplog.messages] == ["going on without MIDI"]


def test_a_midi_system_that_goes_away_and_comes_back(
    bus: Bus, mapping: MidiMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = midi_backend.get_devices
    gone = threading.Event()

    def devices(**named: Any) -> list[dict[str, Any]]:
        if gone.is_set():
            raise RuntimeError("the server is gone")
        return answers(**named)

    monkeypatch.setattr(midi_backend, "get_devices", devices)
    with plugged(bus, mapping, NANO) as midi:
        gone.set()
        until(lambda: midi.connected == [])
        gone.clear()
        until(lambda: midi.connected == ["nanoKONTROL2"])
        midi_backend.play(NANO, cc(1, 127))
        bus.tick(0)
        assert bus.target("/drift/speed") == 2


def test_a_clock_that_is_sent_sets_the_tempo(mapping: MidiMap) -> None:
    bus = Bus()
    tempo = Tempo()
    tempo.bind(bus, "clock")
    with plugged(bus, mapping, NANO) as midi:
        midi_backend.play(NANO, mido.Message("start"))
        for _ in range(25):
            midi_backend.play(NANO, mido.Message("clock"))
        assert midi.connected
    assert bus.tick(0.01) == ["/clock/beat"] * 2
    assert bus.moved_by("/clock/bpm") == "midi nanoKONTROL2 clock"


def test_a_song_position_is_part_of_the_clock(mapping: MidiMap) -> None:
    bus = Bus()
    Tempo().bind(bus, "clock")
    with plugged(bus, mapping, NANO, f"{NANO[:-1]}1"):
        place = [mido.Message("songpos", pos=6), mido.Message("continue")]
        midi_backend.play(NANO, *place, *[mido.Message("clock")] * 12)
        midi_backend.play(f"{NANO[:-1]}1", *[mido.Message("clock")] * 12)  # not the one followed
        assert bus.tick(0.01) == []
        midi_backend.play(NANO, mido.Message("clock"))
        assert bus.tick(0.01) == ["/clock/beat"]


def test_programs_and_pressure_are_heard(bus: Bus) -> None:
    bus.declare("preset", {"6": Trigger()})
    mapping = MidiMap(bus, [Binding("/drift/calm", "aftertouch", channel=3)])
    with plugged(bus, mapping, NANO):
        midi_backend.play(
            NANO,
            mido.Message("program_change", program=5),
            mido.Message("aftertouch", value=127, channel=2),
        )
        assert bus.tick(100.0) == ["/preset/6"]
        assert bus.value("/drift/calm") == 1.0
        midi_backend.play(NANO, mido.Message("aftertouch", value=0, channel=2))
        bus.tick(100.0)
        assert bus.value("/drift/calm") == bus["/drift/calm"].low


def shown(name: str = NANO) -> dict[tuple[object, ...], int]:
    """What a controller shows, by what it was sent last."""
    found: dict[tuple[object, ...], int] = {}
    for message in midi_backend.sent[name]:
        if message.type == "control_change":
            found["cc", message.control, message.channel + 1] = message.value
        elif message.type == "pitchwheel":
            found["wheel", 0, message.channel + 1] = message.pitch
        else:
            found["note", message.note, message.channel + 1] = message.velocity
    return found


def tells(times: int) -> None:
    """Let as much time pass as it takes to tell controllers so often."""
    time.sleep(times * 0.05)


def test_controllers_show_where_parameters_stand(bus: Bus, mapping: MidiMap) -> None:
    midi_backend.sent[NANO] = []
    with plugged(bus, mapping, NANO, "a keyboard without lights", feedback=True) as midi:
        until(lambda: len(midi_backend.sent[NANO]) == 2)  # buttons have no state
        assert shown() == {("cc", 1, 3): 32, ("cc", 2, 3): 0}
        bus.post("/drift/calm", 1.0, "osc")
        bus.tick(0)
        until(lambda: shown()["cc", 2, 3] == 127)
        midi_backend.play(NANO, cc(1, 100))  # a hand is on it
        bus.post("/drift/calm", 0.5, "osc")
        bus.tick(0)
        until(lambda: shown()["cc", 2, 3] == 64)
        assert shown()["cc", 1, 3] == 32
        bus.post("/drift/speed", 2.0, "preset")
        bus.tick(0)
        until(lambda: shown()["cc", 1, 3] == 127)
        before = len(midi_backend.sent[NANO])
        midi_backend.pull(NANO)
        until(lambda: len(midi.connected) == 1)
        bus.post("/drift/calm", 0.0, "osc")
        bus.tick(0)
        midi_backend.plug(NANO)
        until(lambda: len(midi_backend.sent[NANO]) >= before + 2)  # it is told everything again
        until(lambda: shown() == {("cc", 1, 3): 127, ("cc", 2, 3): 0})


def test_every_kind_of_control_is_shown_in_its_own_way(bus: Bus) -> None:
    midi_backend.sent[NANO] = []
    known = [
        Binding("/drift/speed", "cc", 7, 2, bits=14),
        Binding("/drift/calm", "pitchwheel", channel=4, low=1.0, high=0.0, port="nano"),
        Binding("/drift/loud", "note", 40),
        Binding("/drift/wide", "nrpn", 300, 1),
        Binding("/drift/far", "cc", 9, port="another"),
        Binding("/drift/flash", "note", 50),
    ]
    bus.declare("drift", {name: Param(1, 0, 1) for name in ("loud", "wide", "far")})
    with plugged(bus, MidiMap(bus, known, automatic=False), NANO, feedback=True):
        until(lambda: len(midi_backend.sent[NANO]) == 8)
        assert shown() == {
            ("cc", 7, 2): 4096 >> 7, ("cc", 39, 2): 4096 & 127, ("wheel", 0, 4): 8191,
            ("note", 40, 1): 127, ("cc", 99, 1): 2, ("cc", 98, 1): 44, ("cc", 6, 1): 127,
            ("cc", 38, 1): 127,
        }  # fmt: skip


def test_a_fine_control_in_the_hand_is_not_told_where_it_is(bus: Bus) -> None:
    """A motor fader would pull against the hand."""
    midi_backend.sent[NANO] = []
    known = MidiMap(bus, [Binding("/drift/calm", "cc", 7, 2, bits=14)], automatic=False)
    with plugged(bus, known, NANO, feedback=True):
        until(lambda: shown() == {("cc", 7, 2): 0, ("cc", 39, 2): 0})
        midi_backend.play(NANO, cc(7, 64, 2), cc(39, 9, 2))
        bus.tick(0)
        assert bus.moved_by("/drift/calm") == "midi nanoKONTROL2 cc 7"
        tells(3)
        assert shown() == {("cc", 7, 2): 0, ("cc", 39, 2): 0}


def test_what_comes_back_from_a_loop_is_no_hand(bus: Bus) -> None:
    """ALSA has Midi Through on every machine, macOS IAC: what they are sent they send."""
    through = "Midi Through:Midi Through Port-0 14:0"
    midi_backend.sent[through] = []
    known = [
        Binding("/drift/speed", "cc", 1, 3),
        Binding("/drift/calm", "pitchwheel", channel=3),
        Binding("/drift/wide", "nrpn", 300, 3),
        Binding("/drift/far", "nrpn", 301, 3),
    ]
    bus.declare("drift", {name: Param(0.3, 0, 1) for name in ("wide", "far")})
    bus.post("/drift/speed", 0.3, "preset")
    bus.tick(0)
    with plugged(bus, MidiMap(bus, known, automatic=False), through, feedback=True):
        until(lambda: len(midi_backend.sent[through]) == 10)
        bus.post("/drift/speed", 0.4, "preset")
        bus.tick(0)
        until(lambda: shown(through)["cc", 1, 3] == round(0.2 * 127))
        bus.tick(0)
        assert bus.moved_by("/drift/speed") == "preset"
        assert [bus.moved_by(f"/drift/{name}") for name in ("calm", "wide", "far")] == [""] * 3
        assert bus.target("/drift/speed") == 0.4
        for value in (100, round(0.2 * 127)):  # others send through it too
            midi_backend.play(through, cc(1, value))
            bus.tick(0)
            assert bus.target("/drift/speed") == pytest.approx(2 * value / 127)


def test_an_endless_knob_is_told_where_its_steps_have_led(bus: Bus) -> None:
    midi_backend.sent[NANO] = []
    known = [Binding("/drift/calm", "cc", 7, 2, mode="relative")]
    with plugged(bus, MidiMap(bus, known, automatic=False), NANO, feedback=True):
        until(lambda: shown() == {("cc", 7, 2): 0})
        midi_backend.play(NANO, cc(7, 10, 2))
        bus.tick(0)
        until(lambda: shown() == {("cc", 7, 2): round(10 / 128 * 127)})


def test_an_output_that_cannot_be_opened_is_said_once(
    bus: Bus, mapping: MidiMap, caplog: pytest.LogCaptureFixture
) -> None:
    midi_backend.sent["deaf"] = []
    with plugged(bus, mapping, "deaf", feedback=True):
        until(lambda: "cannot be shown where parameters stand" in caplog.text)
        midi_backend.play("deaf", cc(1, 127))
        bus.tick(0)
        assert bus.target("/drift/speed") == 2.0  # and it is heard
    assert caplog.text.count("cannot be shown") == 1


def test_a_control_that_follows_the_scene_is_shown_anew(bus: Bus) -> None:
    midi_backend.sent[NANO] = []
    known = MidiMap(bus, [Binding("/on/1", "cc", 5, 1)], automatic=False)
    bus.lead({"/on/1": "/drift/speed"})
    with plugged(bus, known, NANO, feedback=True):
        until(lambda: shown() == {("cc", 5, 1): 32})
        midi_backend.play(NANO, cc(5, 127, 1))  # a hand moves what is on …
        bus.lead({"/on/1": "/drift/calm"})
        until(lambda: shown() == {("cc", 5, 1): 0})
        bus.tick(0)
        bus.lead({"/on/1": "/drift/speed"})  # … and comes back to it
        until(lambda: shown() == {("cc", 5, 1): 127})


def test_each_of_two_controllers_alike_is_shown(bus: Bus) -> None:
    twins = "X-TOUCH:X-TOUCH MIDI 1 20:0", "X-TOUCH:X-TOUCH MIDI 1 24:0"
    known = MidiMap(bus, [Binding("/drift/calm", "cc", 5, 1, "X-TOUCH")], automatic=False)
    for name in twins:
        midi_backend.sent[name] = []
    with plugged(bus, known, *twins, feedback=True):
        until(lambda: all(shown(name) == {("cc", 5, 1): 0} for name in twins))
        midi_backend.play(twins[0], cc(5, 127, 1))
        bus.tick(0)
        until(lambda: shown(twins[1]) == {("cc", 5, 1): 127})  # no hand is on that one
        assert shown(twins[0]) == {("cc", 5, 1): 0}


def test_the_ports_of_one_interface_are_shown_each_its_own(bus: Bus) -> None:
    ports = [f"MIDI Express:MIDI Express MIDI {n} 24:{n - 1}" for n in (1, 2)]
    known = [
        Binding("/drift/calm", "cc", 5, 1, "MIDI 2"),
        Binding("/drift/speed", "cc", 6, 1, "MIDI Express"),
    ]
    for name in ports:
        midi_backend.sent[name] = []
    with plugged(bus, MidiMap(bus, known, automatic=False), *ports, feedback=True):
        until(lambda: shown(ports[1]) == {("cc", 5, 1): 0, ("cc", 6, 1): 32})
        until(lambda: shown(ports[0]) == {("cc", 6, 1): 32})


@pytest.mark.parametrize(
    ("inputs", "outputs", "pairs"),
    [
        (["Box 1", "Box 2"], ["Box 1", "Box 2"], {"Box 1": "Box 1", "Box 2": "Box 2"}),
        (["Key 0", "Box 1"], ["Synth 0", "Box 1"], {"Box 1": "Box 1", "Key 0": None}),
        (["Box 0", "Box 1"], ["Synth 0", "Box 1", "Box 2"], {"Box 0": "Box 1", "Box 1": "Box 2"}),
        (["Box:Box A 20:0", "Box:Box B 20:1"], ["Box:Box B 20:1"],
         {"Box:Box A 20:0": None, "Box:Box B 20:1": "Box:Box B 20:1"}),
    ],
)  # fmt: skip
def test_an_input_has_the_output_beside_it(
    inputs: list[str], outputs: list[str], pairs: dict[str, str | None]
) -> None:
    assert {name: midi_feedback._paired(name, inputs, outputs) for name in pairs} == pairs


@pytest.mark.parametrize("way", ["pickup", "scale"])
def test_a_control_that_follows_what_it_is_told_goes_on_from_there(bus: Bus, way: Way) -> None:
    fine = Binding("/drift/calm", "cc", 7, 3, bits=14)
    known = MidiMap(bus, [Binding("/drift/speed", "cc", 5), fine], False, way)
    midi_backend.sent[NANO] = []
    with plugged(bus, known, NANO, feedback=True):
        until(lambda: len(midi_backend.sent[NANO]) == 3)
        midi_backend.play(NANO, *(cc(5, value, 1) for value in range(31, 120)))
        midi_backend.play(NANO, *(cc(7, value) for value in range(120)))
        bus.tick(0)
        for name in ("speed", "calm"):
            bus.post(f"/drift/{name}", 0.6, "osc")
        bus.tick(0)
        until(lambda: shown()["cc", 5, 1] == 38 and shown().get(("cc", 39, 3)) == 9830 & 127)
        midi_backend.play(NANO, cc(5, 45, 1), cc(7, 10500 >> 7), cc(39, 10500 & 127))
        bus.tick(0)
        assert bus.target("/drift/speed") == pytest.approx(2 * 45 / 127)
        assert bus.target("/drift/calm") == pytest.approx(10500 / 16383)


def test_a_controller_that_comes_back_may_stand_elsewhere(bus: Bus) -> None:
    """Its fader was moved while it was away: what it has gone past meanwhile is not picked up."""
    mapping = MidiMap(bus, takeover="pickup")
    with plugged(bus, mapping, NANO) as midi:
        midi_backend.play(NANO, cc(1, 32), cc(1, 26))
        bus.tick(0.01)
        assert bus.target("/drift/speed") == pytest.approx(2 * 26 / 127)
        bus.post("/drift/speed", 1.0, "osc")
        bus.tick(0.01)
        midi_backend.pull(NANO)
        until(lambda: not midi.connected)
        midi_backend.plug(NANO)
        until(lambda: midi.connected == ["nanoKONTROL2"])
        midi_backend.play(NANO, cc(1, 110))
        bus.tick(0.01)
        assert bus.target("/drift/speed") == 1.0
        midi_backend.play(NANO, cc(1, 60))
        bus.tick(0.01)
        assert bus.target("/drift/speed") == pytest.approx(2 * 60 / 127)
