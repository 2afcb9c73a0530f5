"""Which MIDI control moves which parameter."""

from __future__ import annotations

from typing import Any

import pytest

from installation.control.binding import Binding, Kind, Mode, Move
from installation.control.mapping import MidiMap, automatic, device
from installation.control.message import ControlError
from installation.parameters import Bus, Param, Trigger
from installation.presets import numbers
from installation.tables import MidiBinding

RESERVED = {0, 6, 32, 38, 64, 96, 97, 98, 99, 100, 101, *range(120, 128)}


def params(count: int) -> dict[str, Param | Trigger]:
    return {f"p{n}": Param(0, 0, 1) for n in range(count)}


def house(*scenes: str, each: int = 3) -> Bus:
    """A bus as the stage fills it: the house first, then piece and scenes."""
    bus = Bus()
    bus.declare("clock", {"bpm": Param(72, 20, 300), "tap": Trigger()})
    bus.declare("stage", {"next": Trigger(), **{f"scene/{name}": Trigger() for name in scenes}})
    bus.declare("piece", {"hair/blonde": Param(0, 0, 1), "code/1": Param(0, -1, 1)})
    for name in scenes:
        bus.declare(name, {**params(each), "flash": Trigger()})
        bus.declare(f"{name}/bloom", {"amount": Param(0.2, 0, 1)})
    bus.declare("master", {"bright": Param(1, 0, 1)})
    return bus


@pytest.fixture
def bus() -> Bus:
    return house("drift", "seeds")


def cc(number: int, value: int, channel: int = 1, port: str = "nano") -> Move:
    return Move(port, channel, "cc", number, value)


def heard(mapping: MidiMap, move: Move) -> list[tuple[str, float, str]]:
    return [(binding.address, value, form) for binding, value, form in mapping.hear(move)]


def test_the_automatic_map_is_ordered_by_owner(bus: Bus) -> None:
    assert {b.address: str(b) for b in automatic(bus)} == {
        "/clock/bpm": "ch 1 cc 1",
        "/clock/tap": "ch 1 note 36",
        "/stage/next": "ch 1 note 37",
        "/stage/scene/drift": "ch 1 note 38",
        "/stage/scene/seeds": "ch 1 note 39",
        "/piece/hair/blonde": "ch 2 cc 1",
        "/piece/code/1": "ch 2 cc 2",
        "/drift/p0": "ch 3 cc 1",
        "/drift/p1": "ch 3 cc 2",
        "/drift/p2": "ch 3 cc 3",
        "/drift/flash": "ch 3 note 36",
        "/drift/bloom/amount": "ch 3 cc 4",
        "/seeds/p0": "ch 4 cc 1",
        "/seeds/p1": "ch 4 cc 2",
        "/seeds/p2": "ch 4 cc 3",
        "/seeds/flash": "ch 4 note 36",
        "/seeds/bloom/amount": "ch 4 cc 4",
        "/master/bright": "ch 1 cc 2",
    }


@pytest.mark.parametrize(
    ("scenes", "each"), [(0, 0), (1, 1), (3, 108), (3, 109), (3, 110), (3, 300), (14, 50), (40, 40)]
)
def test_the_automatic_map_covers_everything_once(scenes: int, each: int) -> None:
    bus = house(*(f"s{n}" for n in range(scenes)), each=each)
    bindings = automatic(bus)
    assert [b.address for b in bindings] == [address for address, _ in bus]
    controls = [(b.channel, b.kind, b.number) for b in bindings]
    assert len(set(controls)) == len(controls)
    for b in bindings:
        assert b.channel is not None
        assert 1 <= b.channel <= 16
        if isinstance(bus[b.address], Trigger):
            assert b.kind == "note"
            assert 36 <= b.number <= 127
        else:
            assert b.kind == "cc"
            assert b.number not in RESERVED
    assert bindings == automatic(bus)


def test_a_full_channel_goes_on_after_the_scenes() -> None:
    bus = house("drift", "seeds", each=120)
    where = {b.address: (b.channel, b.number) for b in automatic(bus)}
    assert where["/drift/p0"] == (3, 1)
    assert where["/drift/p119"][0] == 5
    assert where["/seeds/p0"] == (4, 1)  # nobody is pushed out of their own channel
    more = {b.address: (b.channel, b.number) for b in automatic(house("drift", "seeds", each=121))}
    at_home = {address: place for address, place in where.items() if place[0] < 5}
    assert {address: more[address] for address in at_home} == at_home


def test_what_does_not_fit_in_sixteen_channels_has_no_control() -> None:
    bus = Bus()
    bus.declare("piece", params(2000))
    assert len(automatic(bus)) == 1744 == 16 * (128 - len(RESERVED))


def test_the_automatic_map_moves_parameters_over_their_range(bus: Bus) -> None:
    mapping = MidiMap(bus)
    assert heard(mapping, cc(1, 127, channel=3)) == [("/drift/p0", 1.0, "unit")]
    assert heard(mapping, cc(1, 0, channel=3)) == [("/drift/p0", 0.0, "unit")]
    assert heard(mapping, Move("nano", 3, "note", 36, 90)) == [("/drift/flash", 1.0, "value")]
    assert heard(mapping, Move("nano", 3, "note", 36, 0)) == []
    assert heard(mapping, cc(1, 64, channel=16)) == []


def test_refresh_takes_in_what_came_and_went(bus: Bus) -> None:
    mapping = MidiMap(bus)
    bus.withdraw("drift")
    assert mapping.hear(cc(1, 5, channel=3)) == []
    bus.declare("drift", {"new": Param(0, 0, 1)})
    mapping.refresh()
    assert heard(mapping, cc(1, 127, channel=4)) == [("/drift/new", 1.0, "unit")]


def test_explicit_bindings_win_and_one_control_may_move_several(bus: Bus) -> None:
    mapping = MidiMap(
        bus,
        [
            Binding("/drift/p1", "cc", 1, channel=3, low=0.2, high=0.4),
            Binding("/drift/p2", "cc", 1, low=1.0, high=0.0),
            Binding("/seeds/p0", "cc", 1, port="NANO", high=0.5),
            Binding("/seeds/p1", "cc", 1, port="other"),
        ],
    )
    assert heard(mapping, cc(1, 127, channel=3)) == [
        ("/drift/p1", pytest.approx(0.4), "value"),
        ("/drift/p2", 0.0, "value"),
        ("/seeds/p0", 0.5, "value"),
    ]
    rows = dict(mapping.rows())
    assert rows["/drift/p1"] == "ch 3 cc 1, ch 3 cc 2"
    assert rows["/seeds/p0"] == "NANO cc 1"  # its automatic control is taken
    assert rows["/drift/p0"] == ""
    assert list(rows) == [address for address, _ in bus]


def test_a_binding_to_what_is_not_there_waits_for_it(bus: Bus) -> None:
    mapping = MidiMap(bus, [Binding("/later/x", "cc", 1)])
    assert mapping.hear(cc(1, 64)) == []
    bus.declare("later", {"x": Param(0, 0, 1)})
    assert heard(mapping, cc(1, 127)) == [("/later/x", 1.0, "unit")]


@pytest.mark.parametrize(
    ("mode", "values"),
    [
        ("relative", (1, 3, 63, 127, 125, 64, 0)),
        ("offset", (65, 67, 127, 63, 61, 0, 64)),
        ("sign", (1, 3, 63, 65, 67, 127, 64)),
    ],
)
def test_an_endless_knob_steps(bus: Bus, mode: Mode, values: tuple[int, ...]) -> None:
    mapping = MidiMap(bus, [Binding("/drift/p0", "cc", 9, mode=mode)])
    steps = [heard(mapping, cc(9, value))[0][1:] for value in values]
    far = -63 if mode == "sign" else -64
    assert steps == [(n / 128, "nudge") for n in (1, 3, 63, -1, -3, far, 0)]


def test_an_endless_knob_takes_finer_steps_or_turns_the_other_way(bus: Bus) -> None:
    what = bus.get("/drift/p0")
    assert isinstance(what, Param)
    half = (what.low + what.high) / 2
    finer = MidiMap(bus, [Binding("/drift/p0", "cc", 9, low=what.low, high=half, mode="offset")])
    other = Binding("/drift/p0", "cc", 9, low=what.high, high=what.low, mode="offset")
    assert heard(finer, cc(9, 68)) == [("/drift/p0", pytest.approx(2 / 128), "nudge")]
    assert heard(MidiMap(bus, [other]), cc(9, 65)) == [("/drift/p0", -1 / 128, "nudge")]


@pytest.mark.parametrize("what", [{"kind": "note"}, {"kind": "nrpn"}, {"bits": 14}])
def test_only_a_cc_of_seven_bits_is_endless(what: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="endless knob"):
        Binding("/drift/p0", number=9, mode="relative", **what)


def test_a_knob_fires_a_trigger_as_it_passes_half(bus: Bus) -> None:
    mapping = MidiMap(bus, [Binding("/drift/flash", "cc", 9)])
    values = [0, 30, 63, 64, 100, 127, 64, 63, 0, 127]
    assert [len(mapping.hear(cc(9, value))) for value in values] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]


def test_a_note_holds_a_parameter_until_released(bus: Bus) -> None:
    mapping = MidiMap(bus, [Binding("/drift/p0", "note", 60)])
    assert heard(mapping, Move("nano", 1, "note", 60, 127)) == [("/drift/p0", 1.0, "unit")]
    assert heard(mapping, Move("nano", 1, "note", 60, 0)) == [("/drift/p0", 0.0, "unit")]


def test_fourteen_bits(bus: Bus) -> None:
    mapping = MidiMap(bus, [Binding("/drift/p0", "cc", 1, channel=3, bits=14)])

    def units(*pairs: tuple[int, int]) -> list[Any]:
        return [v for number, value in pairs for _, v, _ in heard(mapping, cc(number, value, 3))]

    assert units((33, 5)) == []  # a fine part alone says nothing, and moves nobody else
    assert units((1, 127), (1, 0)) == [1.0, 0.0]  # so far it could be a coarse one only
    assert units((1, 64), (33, 1)) == [64 / 127, (64 << 7 | 1) / 16383]
    assert units((1, 64), (33, 127)) == [(64 << 7) / 16383, (64 << 7 | 127) / 16383]
    assert units((1, 127), (33, 127))[-1] == 1.0
    steps = [units((1, n >> 7), (33, n & 127))[-1] for n in range(0, 16384, 101)]
    assert steps == [n / 16383 for n in range(0, 16384, 101)]
    assert dict(mapping.rows())["/drift/p0"] == "ch 3 cc 1"


def test_a_fine_control_fires_once_as_it_passes_half(bus: Bus) -> None:
    """The coarse and the fine half of one press are one press."""
    mapping = MidiMap(bus, [Binding("/stage/next", number=1, bits=14)], automatic=False)
    heard(mapping, cc(33, 0))
    for _ in range(2):
        fired = [heard(mapping, cc(1, 127)), heard(mapping, cc(33, 127))]
        assert [len(one) for one in fired] == [1, 0]
        assert not heard(mapping, cc(1, 0)) + heard(mapping, cc(33, 0))
    upper = [cc(n, v) for n, v in ((1, 70), (33, 5), (1, 90), (33, 100), (1, 65), (33, 3))]
    assert [len(heard(mapping, move)) for move in upper] == [1, 0, 0, 0, 0, 0]


def test_two_controllers_alike_are_two(bus: Bus) -> None:
    """Where a knob of one was says nothing about that knob of the other."""
    fine = Binding("/drift/p0", "cc", 1, bits=14)
    mapping = MidiMap(bus, [fine, Binding("/stage/next", "cc", 70)], automatic=False)
    left, right = "box:box MIDI 1 20:0", "box:box MIDI 1 24:0"
    assert [len(mapping.hear(cc(70, 127, port=port))) for port in (left, right)] == [1, 1]
    for n, v, port in ((1, 0, left), (33, 9, left), (1, 127, right), (33, 127, right)):
        mapping.hear(cc(n, v, port=port))
    assert heard(mapping, cc(33, 10, port=left)) == [("/drift/p0", 10 / 16383, "unit")]


def test_learning_binds_what_is_moved_next(bus: Bus) -> None:
    mapping = MidiMap(bus, [Binding("/drift/p0", "cc", 70), Binding("/seeds/p0", "cc", 71)])
    mapping.learn("/drift/p0")
    assert mapping.learning == "/drift/p0"
    assert heard(mapping, Move("nano:nano MIDI 1 20:0", 2, "note", 40, 0)) == []  # a release
    move = Move("nano:nano MIDI 1 20:0", 5, "cc", 71, 127)
    assert heard(mapping, move) == [("/drift/p0", 1.0, "unit")]
    learned = Binding("/drift/p0", "cc", 71, channel=5, port="nano")
    assert (mapping.learning, mapping.learned) == ("", [learned])
    assert mapping.bindings == [learned]  # what either had before is replaced
    assert str(learned) == "nano ch 5 cc 71"
    again = Move("nano:nano MIDI 1 24:0", 5, "cc", 71, 0)  # plugged in again
    assert heard(mapping, again) == [("/drift/p0", 0.0, "unit")]


def test_a_fine_part_is_not_learned_alone(bus: Bus) -> None:
    """A fader of 14 bits that is moved from its low end says coarse 0, fine 5."""
    whole = Binding("/drift/p0", "cc", 7, channel=1, port="nano", bits=14)
    mapping = MidiMap(bus, automatic=False)
    mapping.hear(cc(9, 0))
    mapping.learn("/drift/p0")
    for number, value in ((7, 0), (39, 5)):
        mapping.hear(cc(number, value))
    assert mapping.learned == [whole]
    mapping.learn("/drift/p1")
    for number, value in ((40, 0), (72, 127)):  # the release of a button, and another one
        mapping.hear(cc(number, value))
    assert mapping.learned[-1] == Binding("/drift/p1", "cc", 72, channel=1, port="nano")


@pytest.mark.parametrize("number", [7, 39])
def test_a_control_that_is_known_as_fine_is_learned_so(bus: Bus, number: int) -> None:
    mapping = MidiMap(bus, [Binding("/seeds/p0", "cc", 7, bits=14)], automatic=False)
    mapping.learn("/drift/p0")
    mapping.hear(cc(number, 5))
    whole = Binding("/drift/p0", "cc", 7, channel=1, port="nano", bits=14)
    assert mapping.bindings == mapping.learned == [whole]


def test_learning_can_be_given_up(bus: Bus) -> None:
    mapping = MidiMap(bus)
    mapping.learn("/drift/p0")
    mapping.learn("")
    mapping.hear(cc(70, 127))
    mapping.learn("/nowhere")
    assert (mapping.learning, mapping.learned, mapping.bindings) == ("", [], [])


def test_a_fader_of_fourteen_bits_is_learned_wherever_it_stands(bus: Bus) -> None:
    clock = [5.0]
    mapping = MidiMap(bus, automatic=False, now=lambda: clock[0])
    mapping.learn("/drift/p0")
    assert heard(mapping, cc(7, 100)) == [("/drift/p0", 100 / 127, "unit")]
    clock[0] += 0.001
    mapping.hear(Move("other", 1, "cc", 39, 1))  # another device says something in between
    assert heard(mapping, cc(39, 64)) == [("/drift/p0", (100 << 7 | 64) / 16383, "unit")]
    whole = Binding("/drift/p0", "cc", 7, channel=1, port="nano", bits=14)
    assert mapping.bindings == mapping.learned == [whole]


@pytest.mark.parametrize("what", ["late", "not the next", "bound", "another channel"])
def test_what_comes_after_a_control_that_is_learned_may_be_another(bus: Bus, what: str) -> None:
    clock = [5.0]
    bound = [Binding("/drift/p1", "cc", 39)] if what == "bound" else []
    mapping = MidiMap(bus, bound, automatic=False, now=lambda: clock[0])
    mapping.learn("/drift/p0")
    mapping.hear(cc(7, 100))
    if what == "late":
        clock[0] += 0.05
    if what == "not the next":
        mapping.hear(cc(7, 101))
    mapping.hear(Move("nano", 2 if what == "another channel" else 1, "cc", 39, 64))
    assert [b.bits for b in mapping.bindings if b.address == "/drift/p0"] == [7]
    assert len(mapping.bindings) == 1 + len(bound)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "knob"}, "cc, note, pitchwheel, nrpn, program, aftertouch"),
        ({"kind": "program", "number": 128}, "program 128 is not 0 to 127"),
        ({"number": 128}, "cc 128 is not 0 to 127"),
        ({"number": -1}, "is not 0 to 127"),
        ({"kind": "nrpn", "number": 16384}, "is not 0 to 16383"),
        ({"number": 98}, "cc 98 to 101 choose NRPNs"),
        ({"number": 101}, "cc 98 to 101 choose NRPNs"),
        ({"channel": 0}, "channel 0 is not 1 to 16"),
        ({"channel": 17}, "channel 17 is not 1 to 16"),
        ({"low": float("nan")}, "finite"),
        ({"high": float("inf")}, "finite"),
        ({"number": 32, "bits": 14}, "14 bits need a cc from 0 to 31"),
        ({"kind": "note", "bits": 14}, "14 bits need a cc from 0 to 31"),
    ],
)
def test_a_binding_that_makes_no_sense_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ControlError, match=reason) as caught:
        Binding("/drift/p0", **fields)
    assert str(caught.value).startswith("/drift/p0: ")


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ("nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0", "nanoKONTROL2"),
        ("nanoKONTROL2 1", "nanoKONTROL2"),
        ("nanoKONTROL2 SLIDER/KNOB", "nanoKONTROL2 SLIDER/KNOB"),
        ("RtMidiOut Client:nano", "RtMidiOut Client:nano"),
        ("", ""),
    ],
)
def test_a_device_keeps_its_name_when_plugged_in_again(port: str, expected: str) -> None:
    assert device(port) == expected


def test_kinds_are_named_as_in_a_venue_file() -> None:
    kinds: list[Kind] = ["cc", "note", "nrpn", "program", "pitchwheel", "aftertouch"]
    shown = [str(Move("", 1, kind, 0, 0)) for kind in kinds]
    assert shown == ["cc 0", "note 0", "nrpn 0", "program 0", "pitchwheel", "aftertouch"]
    assert {*kinds, "channel", "port"} < {*MidiBinding.model_fields}


def test_programs_call_presets_up_each_time_that_they_come() -> None:
    bus = Bus()
    bus.declare("preset", numbers())
    mapping = MidiMap(bus)
    program = Move("a desk", 1, "program", 2, 127)
    for _ in range(2):
        ((binding, value, form),) = mapping.hear(program)
        assert (binding.address, value, form) == ("/preset/3", 1.0, "value")
    assert mapping.hear(Move("a desk", 2, "program", 2, 127)) == []
    assert mapping.hear(Move("a desk", 1, "program", 100, 127)) == []
    assert dict(mapping.rows())["/preset/3"].endswith("ch 1 program 2")
    assert MidiMap(bus, automatic=False).hear(program) == []


def test_a_program_sets_a_parameter_and_pressure_holds_it(bus: Bus) -> None:
    bindings = [
        Binding("/drift/p0", "program", 5, high=0.75),
        Binding("/drift/p1", "aftertouch"),
    ]
    for way in ("jump", "pickup", "scale"):
        mapping = MidiMap(bus, bindings, takeover=way)  # type: ignore[arg-type]
        assert [f[1:] for f in mapping.hear(Move("k", 3, "program", 5, 127))] == [(0.75, "value")]
        assert [f[1:] for f in mapping.hear(Move("k", 3, "aftertouch", 0, 127))] == [(1.0, "unit")]
        assert [f[1:] for f in mapping.hear(Move("k", 3, "aftertouch", 0, 0))] == [(0.0, "unit")]
