"""Time and the beat: integrated, so that nothing jumps when a fader is touched."""

from __future__ import annotations

import pytest

from installation.clock import FixedClock, Tempo, WallClock
from installation.parameters import Bus


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def tempo(bus: Bus) -> Tempo:
    tempo = Tempo()
    tempo.bind(bus, "clock")
    return tempo


def tap_every(bus: Bus, tempo: Tempo, seconds: float, taps: int, fps: int = 100) -> None:
    gap = round(seconds * fps)
    for n in range(gap * (taps - 1) + 1):
        if n % gap == 0:
            bus.post("/clock/tap", 1)
        bus.tick(1 / fps)
        tempo.frame(1 / fps)
    bus.tick(0)


def test_a_fixed_clock_gives_exactly_one_frame() -> None:
    clock = FixedClock(60)
    assert [clock.tick() for _ in range(3)] == [1 / 60] * 3


def test_a_wall_clock_never_leaps() -> None:
    clock = WallClock()
    clock._last -= 5.0  # as after a hiccup of five seconds
    assert clock.tick() == 0.1
    assert 0 <= clock.tick() <= 0.1


def test_frames_count_and_time_adds_up(bus: Bus, tempo: Tempo) -> None:
    frames = [tempo.frame(0.25) for _ in range(4)]
    assert [f.index for f in frames] == [0, 1, 2, 3]
    assert [f.time for f in frames] == [0.25, 0.5, 0.75, 1.0]
    assert frames[-1].beat == pytest.approx(72 / 60)


def test_a_change_of_tempo_does_not_jump_the_beat(bus: Bus, tempo: Tempo) -> None:
    before = tempo.frame(0.01)
    for _ in range(1000):
        before = tempo.frame(0.01)
    bus.post("/clock/bpm", 300)
    bus.tick(0.01)
    after = tempo.frame(0.01)
    assert after.beat - before.beat == pytest.approx(0.01 * 300 / 60)


def test_without_a_bus_it_beats_at_its_default() -> None:
    assert Tempo().frame(60).beat == pytest.approx(72)


@pytest.mark.parametrize(("seconds", "taps"), [(0.5, 2), (0.5, 4), (0.4, 12), (1.0, 3)])
def test_tapping_sets_the_tempo(bus: Bus, tempo: Tempo, seconds: float, taps: int) -> None:
    tap_every(bus, tempo, seconds, taps)
    assert bus.value("/clock/bpm") == pytest.approx(60 / seconds)
    assert bus.moved_by("/clock/bpm") == "tap"


@pytest.mark.parametrize("bounce", [0.01, 0.03, 0.06])
@pytest.mark.parametrize("bounces", [{0}, {3}, {0, 1, 2, 3, 4}])
def test_a_pad_that_bounces_taps_once(
    bus: Bus, tempo: Tempo, bounce: float, bounces: set[int]
) -> None:
    """The same tempo and the same beat as without."""
    even, steady = Bus(), Tempo()
    steady.bind(even, "clock")
    for n in range(201):  # hundredths of a second: five taps, 0.5 s apart
        tap, at = divmod(n, 50)
        if at == 0:
            even.post("/clock/tap", 1)
        if at == 0 or (tap in bounces and at == round(100 * bounce)):
            bus.post("/clock/tap", 1)
        bus.tick(0.01)
        even.tick(0.01)
        assert tempo.frame(0.01).beat == steady.frame(0.01).beat
        assert n < 60 or bus.value("/clock/bpm") == pytest.approx(120)


def test_the_fastest_tempo_can_be_tapped_by_a_hand_that_is_not_even(bus: Bus, tempo: Tempo) -> None:
    for gap in (18, 22, 17, 23, 20, 21, 19):
        for _ in range(gap):
            bus.tick(0.01)
            tempo.frame(0.01)
        bus.post("/clock/tap", 1)
    bus.tick(0.01)
    tempo.frame(0.01)  # takes in the last tap
    bus.tick(0)
    assert bus.value("/clock/bpm") == pytest.approx(60 * 6 / 1.22)


def test_one_tap_or_a_slow_one_changes_nothing(bus: Bus, tempo: Tempo) -> None:
    tap_every(bus, tempo, 3.0, 3)
    assert bus.value("/clock/bpm") == 72


def test_a_tap_is_on_the_beat(bus: Bus, tempo: Tempo) -> None:
    for _ in range(50):
        tempo.frame(0.01)
    bus.post("/clock/tap", 1)
    bus.tick(0.01)
    phase = tempo.frame(0.0).beat % 1
    assert phase == 0


def test_somebody_elses_beats_draw_ours_to_them(bus: Bus, tempo: Tempo) -> None:
    bus.post("/clock/bpm", 120)
    before = 0.0
    for n in range(1000):
        if n % 50 == 20:  # a beat at 0.2 s, 0.7 s …, while ours began at 0
            bus.post("/clock/beat", 1)
        bus.tick(0.01)
        beat = tempo.frame(0.01).beat
        assert 0.014 < beat - before < 0.026  # it hurries or lags a little, and never goes back
        before = beat
        if n > 300 and n % 50 == 20:
            assert abs(beat - round(beat)) < 0.001
