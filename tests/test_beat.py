"""MIDI clock: somebody else's tempo and beat."""

from __future__ import annotations

import itertools

import pytest

from installation.clock import Tempo
from installation.control.beat import PULSES, BeatClock
from installation.parameters import Bus


class Room:
    """A clock's pulses on their way to the bus."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.tempo = Tempo()
        self.tempo.bind(self.bus, "clock")
        self.clock = BeatClock(self.bus)
        self.now = 100.0

    def say(self, kind: str, sixteenths: int = 0, port: str = "drums") -> None:
        assert self.clock.hear(port, kind, self.now, sixteenths)

    def play(self, bpm: float, beats: float, port: str = "drums") -> int:
        """So many beats; how many of them were posted."""
        posted = 0
        for _ in range(round(beats * PULSES)):
            assert self.clock.hear(port, "clock", self.now)
            self.now += 60 / bpm / PULSES
            posted += self.bus.tick(0.0).count("/clock/beat")
        return posted

    @property
    def bpm(self) -> float:
        return self.bus.target("/clock/bpm")


@pytest.mark.parametrize("bpm", [60.0, 128.0, 174.5])
def test_the_tempo_is_followed(bpm: float) -> None:
    room = Room()
    assert room.play(bpm, 3) == 0  # nobody has said where beats lie
    assert room.bpm == pytest.approx(bpm, rel=1e-6)
    assert room.bus.moved_by("/clock/bpm") == "midi drums clock"


def test_times_that_are_a_millisecond_off_move_it_little() -> None:
    room = Room()
    late = itertools.cycle([0.001, -0.001, 0.0005, 0.0])
    for n in range(20 * PULSES):
        room.clock.hear("drums", "clock", 10 + n * 60 / 120 / PULSES + next(late))
        room.bus.tick(0.0)
        if n > 3 * PULSES:
            assert room.bpm == pytest.approx(120, rel=0.005)


def test_a_change_of_tempo_is_there_within_three_beats() -> None:
    room = Room()
    room.play(100, 8)
    room.play(140, 3)
    assert room.bpm == pytest.approx(140, rel=0.01)


def test_start_says_where_the_beats_lie() -> None:
    room = Room()
    room.play(120, 1.5)
    assert room.clock.hear("drums", "start", room.now)
    assert room.play(120, 4) == 4
    assert room.clock.hear("drums", "stop", room.now)


def test_continue_goes_on_where_the_song_was_stopped() -> None:
    """Most clocks go on while the song stands."""
    room = Room()
    room.say("start")
    room.play(120, 1.25)
    room.say("stop")
    room.play(120, 4.5)
    room.say("stop")  # pressed once more
    room.play(120, 0.25)
    room.say("continue")
    assert room.play(120, 0.75) == 0
    assert room.play(120, 1 / PULSES) == 1


def test_a_song_position_says_where_continue_goes_on() -> None:
    """What a sequencer sends that is started anywhere but at the beginning."""
    room = Room()
    room.play(120, 1.6)
    room.say("songpos", 4 * 16 + 3)  # the last sixteenth of a beat
    assert room.play(120, 0.3) == 0
    room.say("continue")
    assert room.play(120, 0.25) == 0
    assert room.play(120, 4) == 4
    room.say("songpos", 1)  # means nothing while it plays
    assert room.play(120, 1 / PULSES) == 1


def test_a_clock_that_begins_anew_at_start_is_no_other_tempo() -> None:
    room = Room()
    room.say("start")
    room.play(120, 4)
    room.say("stop")
    room.now += 0.4
    room.say("start")
    for _ in range(4):
        room.play(120, 1)
        assert room.bpm == pytest.approx(120)


def test_where_the_beats_of_another_clock_lie_is_not_known() -> None:
    room = Room()
    room.say("start")
    assert room.play(120, 2) == 2
    room.now += 3
    assert room.play(120, 3, "keys") == 0
    assert room.play(120, 3, "drums") == 0


def test_two_inputs_of_one_interface_are_two_clocks() -> None:
    room = Room()
    for _ in range(6 * PULSES):
        for port in ("box:box MIDI 1 20:0", "box:box MIDI 2 20:1"):
            room.say("clock", port=port)
        room.now += 60 / 120 / PULSES
    room.bus.tick(0)
    assert room.bpm == pytest.approx(120)
    assert room.bus.moved_by("/clock/bpm") == "midi box clock"


def test_of_two_clocks_the_first_is_followed_until_it_is_silent() -> None:
    room = Room()
    room.play(120, 2)
    for _ in range(2 * PULSES):  # both at once
        room.clock.hear("drums", "clock", room.now)
        room.clock.hear("keys", "clock", room.now + 0.004)
        room.now += 60 / 120 / PULSES
    room.bus.tick(0.0)
    assert room.bpm == pytest.approx(120)
    room.now += 3
    room.play(90, 3, "keys")
    assert room.bpm == pytest.approx(90)


def test_after_a_rest_the_gap_is_no_tempo() -> None:
    room = Room()
    room.play(120, 3)
    room.now += 5
    room.play(120, 3)
    assert room.bpm == pytest.approx(120)


def test_other_messages_are_left_to_others() -> None:
    assert not BeatClock(Bus()).hear("drums", "note_on", 1.0)


def test_another_beat_comes_before_it() -> None:
    room, there = Room(), [True]
    room.clock = BeatClock(room.bus, lambda: there[0])
    before = room.bpm
    room.say("start")
    assert room.play(90, 4) == 0
    assert room.bpm == before
    there[0] = False  # they went: its own beat is where it was
    assert room.play(90, 4) == 4
    assert room.bpm == pytest.approx(90)


def test_it_leads_once_it_is_known_where_its_beats_lie() -> None:
    room = Room()
    room.play(120, 2)
    assert not room.clock.leads(room.now)  # the tempo is known alone
    room.say("start")
    room.play(120, 1)
    assert room.clock.leads(room.now)
    assert not room.clock.leads(room.now + 3)
