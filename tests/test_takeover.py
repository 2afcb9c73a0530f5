"""What a control does that stands elsewhere than its parameter."""

from __future__ import annotations

from typing import Literal

import mido
import pytest

from installation.control.binding import Binding, Kind, Move
from installation.control.mapping import MidiMap
from installation.control.midi import _Numbers
from installation.control.takeover import Takeover, Way
from installation.parameters import Bus, Param, Trigger


class Hand:
    """One knob at a map, and the parameter behind it."""

    def __init__(self, way: Way, low: float | None = None, high: float | None = None) -> None:
        self.bus = Bus()
        self.bus.declare("drift", {"speed": Param(1, 0, 2), "flash": Trigger()})
        knob = Binding("/drift/speed", "cc", 1, low=low, high=high)
        self.map = MidiMap(self.bus, [knob, Binding("/drift/flash", "cc", 2)], False, way)

    def turn(self, *values: int, number: int = 1, kind: str = "cc") -> None:
        """Move the knob, all within one frame."""
        for value in values:
            for binding, posted, form in self.map.hear(Move("nano", 1, kind, number, value)):  # type: ignore[arg-type]
                assert self.bus.post(binding.address, posted, "midi", form)

    @property
    def speed(self) -> float:
        self.bus.tick(0.1)
        return self.bus.target("/drift/speed")

    def shown(self, value: float) -> None:
        """Somebody else moves it, and the controller is told."""
        self.elsewhere(value)
        self.map.shown(("nano", 1, "cc", 1), value / 2)

    def elsewhere(self, value: float) -> None:
        """Somebody else moves it."""
        self.bus.post("/drift/speed", value, "osc")
        self.bus.tick(0.1)


def test_jump_goes_there_at_once() -> None:
    hand = Hand("jump")
    hand.turn(127)
    assert hand.speed == 2
    hand.elsewhere(0.5)
    hand.turn(126)
    assert hand.speed == pytest.approx(2 * 126 / 127)


def test_pickup_waits_until_the_knob_comes_by() -> None:
    hand = Hand("pickup")
    hand.turn(0, 20, 40)
    assert hand.speed == 1  # the parameter stands at half
    assert hand.map.waiting == "cc 1 takes up /drift/speed at 50%"
    hand.turn(80)  # it came by
    assert hand.speed == pytest.approx(2 * 80 / 127)
    assert hand.map.waiting == ""
    hand.turn(120, 10, 90)  # in hand, however fast, also within a frame
    assert hand.speed == pytest.approx(2 * 90 / 127)
    hand.elsewhere(0.2)
    hand.turn(91)
    assert hand.speed == pytest.approx(0.2)
    hand.turn(60, 12)
    assert hand.speed == pytest.approx(2 * 12 / 127)


def test_pickup_of_a_knob_that_nobody_has_heard_of() -> None:
    hand = Hand("pickup")
    hand.turn(127)
    assert hand.speed == 1
    hand.turn(64)  # from one end past the middle
    assert hand.speed == pytest.approx(2 * 64 / 127)
    close = Hand("pickup")
    close.turn(63)  # where the parameter stands already
    assert close.speed == pytest.approx(2 * 63 / 127)


@pytest.mark.parametrize(("low", "high", "end"), [(0.0, 0.5, 127), (1.5, 2.0, 0)])
def test_pickup_of_what_stands_beyond_the_control(low: float, high: float, end: int) -> None:
    """It is taken up where the control comes nearest, or the control would be dead for good."""
    hand = Hand("pickup", low=low, high=high)  # the parameter stands at 1
    hand.turn(60, 70)
    assert hand.speed == 1
    hand.turn(end)
    assert hand.speed == pytest.approx(high if end else low)
    hand.turn(64)
    assert hand.speed == pytest.approx(low + 64 / 127 * (high - low))


def test_scale_never_jumps_and_is_never_dead() -> None:
    hand = Hand("scale")
    hand.turn(100)  # the first that is heard of it
    assert hand.speed == 1
    hand.turn(110)
    first = hand.speed
    assert 1 < first < 2 * 110 / 127
    hand.turn(120)
    assert first < hand.speed < 2
    hand.turn(127)
    assert hand.speed == pytest.approx(2)  # they meet at the end
    hand.turn(100, 50)
    assert hand.speed == pytest.approx(2 * 50 / 127)  # and go together from there
    hand.elsewhere(1.9)
    hand.turn(40)
    assert 1.3 < hand.speed < 1.9
    hand.turn(20, 5, 0)
    assert hand.speed == pytest.approx(0)


@pytest.mark.parametrize("kind", ["cc", "nrpn"])
def test_scale_takes_both_halves_of_a_control_at_once(kind: Kind) -> None:
    """By its coarse half it goes down too far, and up again by its fine one."""
    bus, numbers = Bus(), _Numbers()
    bus.declare("drift", {"speed": Param(1, 0, 2), "flash": Trigger()})
    bits: Literal[7, 14] = 14 if kind == "cc" else 7
    known = [Binding(address, kind, 1, bits=bits) for address in ("/drift/speed", "/drift/flash")]
    mapping, flashes = MidiMap(bus, known, False, "scale"), 0

    def turn(value: int) -> None:
        nonlocal flashes
        halves = [(1, value >> 7), (33, value & 127)]
        if kind == "nrpn":
            halves = [(99, 0), (98, 1), (6, value >> 7), (38, value & 127)]
        for control, amount in halves:
            message = mido.Message("control_change", control=control, value=amount)
            move = numbers.move("nano", message)
            assert move is not None
            for binding, posted, form in mapping.hear(move):
                bus.post(binding.address, posted, "midi", form)
        flashes += len(bus.tick(0))

    turn(8192 + 5)
    turn(8192 + 3)
    bus.post("/drift/speed", 1.8, "osc")
    bus.tick(0)
    for _ in range(20):
        turn(8192 - 1)
        turn(8192 + 3)
    assert bus.target("/drift/speed") == pytest.approx(1.8, abs=0.02)  # down it has more way to go
    flashes = 0
    turn(0)
    turn(16383)
    assert flashes == 1
    assert bus.target("/drift/speed") == pytest.approx(2)


def test_the_ends_of_a_binding_may_be_turned_round() -> None:
    for way in ("pickup", "scale"):
        hand = Hand(way, low=2, high=0)  # type: ignore[arg-type]
        hand.turn(63, 64)
        assert hand.speed == pytest.approx(2 - 2 * 64 / 127)
        hand.elsewhere(2)  # now the knob would have to be at its low end
        hand.turn(70)
        assert hand.speed == pytest.approx(2 if way == "pickup" else 2 * 57 / 63, abs=0.01)


@pytest.mark.parametrize("way", ["pickup", "scale"])
@pytest.mark.parametrize("left", [0, 25, 115, 127])
def test_a_motor_fader_is_where_it_was_told_to_go(way: Way, left: int) -> None:
    hand = Hand(way)
    hand.turn(0, 64, left, 64, left)
    hand.shown(1.2)
    for value in (77, 78, 80, 79):
        hand.turn(value)
        assert hand.speed == pytest.approx(2 * value / 127, abs=0.02)


@pytest.mark.parametrize("way", ["pickup", "scale"])
def test_a_motor_fader_that_no_hand_has_moved_yet(way: Way) -> None:
    hand = Hand(way)
    hand.shown(1.2)
    hand.turn(77)
    assert hand.speed == pytest.approx(2 * 77 / 127)


@pytest.mark.parametrize("left", [None, 20, 60])
def test_a_fader_without_a_motor_stays_where_the_hand_left_it(left: int | None) -> None:
    """Whoever shows where parameters stand may have one too; told it is all the same."""
    hand = Hand("pickup")
    if left is not None:
        hand.turn(127, left)
    hand.shown(1.2)
    start = 20 if left is None else left
    hand.turn(start + 1, start + 2, start + 3)
    assert hand.speed == pytest.approx(1.2)
    hand.turn(80)
    assert hand.speed == pytest.approx(2 * 80 / 127)


def test_triggers_are_not_held_back() -> None:
    hand = Hand("pickup")
    hand.turn(127, number=2)
    hand.bus.tick(0.1)
    assert hand.bus.value("/drift/flash") == 1


def test_a_note_and_an_endless_knob_never_jump() -> None:
    bus = Bus()
    bus.declare("drift", {"speed": Param(1, 0, 2)})
    note = Binding("/drift/speed", "note", 60)
    knob = Binding("/drift/speed", "cc", 9, mode="relative")
    mapping = MidiMap(bus, [note, knob], False, "pickup")
    assert mapping.hear(Move("nano", 1, "note", 60, 127)) == [(note, 1.0, "unit")]
    assert mapping.hear(Move("nano", 1, "cc", 9, 1)) == [(knob, 1 / 128, "nudge")]


def test_what_was_asked_within_a_frame() -> None:
    bus = Bus()
    bus.declare("drift", {"speed": Param(1, 0, 2)})
    assert bus.asked("/drift/speed") == 1
    bus.post("/drift/speed", 0.25, "midi", "unit")
    assert (bus.asked("/drift/speed"), bus.target("/drift/speed")) == (0.5, 1)
    bus.post("/drift/speed", 9, "osc")
    assert bus.asked("/drift/speed") == 2
    bus.tick(0.1)
    assert bus.asked("/drift/speed") == 2


def test_what_was_moved_in_vain_is_said_for_some_seconds() -> None:
    clock, bus = [100.0], Bus()
    bus.declare("drift", {"speed": Param(1, 0, 2)})
    takeover, knob = Takeover(bus, "pickup", lambda: clock[0]), Binding("/drift/speed", "cc", 1)

    def turn(value: int) -> None:
        takeover(knob, Move("nano", 1, "cc", 1, value), None, (value / 127, "unit"))

    turn(0)
    assert "takes up /drift/speed" in takeover.waiting
    clock[0] += 3
    turn(1)
    clock[0] += 3
    assert takeover.waiting
    clock[0] += 2
    assert takeover.waiting == ""  # other news may be told
