"""The pulse of a show, and the light in the house."""

from __future__ import annotations

import io
import os
from datetime import datetime, timedelta

import pytest

from installation import patience
from installation.venue import VenueError, parse
from installation.watch.health import EVERY, FIRST, STILL, Health, Heart, Pulse
from installation.watch.lights import Lights
from installation.watch.schedule import Hours


def test_a_pulse_is_a_line() -> None:
    pulse = Pulse(120, 60, False, True, 512.5)
    assert Pulse.read(pulse.line()) == pulse


@pytest.mark.parametrize(
    "line", ["", "hello", "{}", '{"pulse": 3}', '{"pulse": {"frames": 1}}', "[]"]
)
def test_other_lines_are_none(line: str) -> None:
    assert Pulse.read(line) is None


def test_the_heart_beats_twice_a_second_and_counts_every_frame() -> None:
    seconds = iter(i / 10 for i in range(100))
    pipe = io.StringIO()
    clock = [0.0]

    def now() -> float:
        return clock[0]

    heart = Heart(pipe, now)
    for i in range(21):
        clock[0] = next(seconds)
        assert heart.beat(pictures=i, resting=False)
    told = [Pulse.read(line) for line in pipe.getvalue().splitlines()]
    assert [pulse.frames for pulse in told if pulse] == [1, 6, 11, 16, 21]
    assert told[-1] is not None
    assert told[-1].memory > 1


def test_a_heart_that_nobody_hears_stops_the_show() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with pytest.raises(BrokenPipeError), os.fdopen(theirs, "w") as pipe:
        assert not Heart(pipe).beat(0, False)


def test_a_scene_that_loops_for_ever_is_ended_before_the_show_is() -> None:
    """Whatever a venue says; the last pulse may have been told a while before that frame."""
    least = 5
    with pytest.raises(VenueError):
        parse(f"[watch]\nhang = {least - 0.1}", "x")
    health = Health(began=0, hang=parse(f"[watch]\nhang = {least}", "x").watch.hang)
    health.note(Pulse(1, 1, False), 0)
    assert not health.fault(EVERY + patience.LONGEST)


def test_health_sees_frames_and_pictures() -> None:
    health = Health(began=0, hang=30)
    assert not health.fault(FIRST)
    assert health.fault(FIRST + 31) == "it never showed a frame"
    health.note(Pulse(1, 0, False), 200)
    assert not health.fault(229)
    assert health.fault(231) == "it shows no frames any more"
    health.note(Pulse(1, 0, False), 230)  # a pulse without a frame is no sign of life
    assert health.fault(231)
    health.note(Pulse(2, 1, False), 231)
    assert not health.fault(232)
    for second in range(232, 231 + round(STILL), 10):
        health.note(Pulse(second, 1, False), second)
    assert not health.fault(231 + STILL)
    health.note(Pulse(10_000, 1, False), 232 + STILL)
    assert health.fault(232 + STILL) == "its picture stands still"
    health.note(Pulse(10_001, 1, True), 233 + STILL)  # the house closed
    assert not health.fault(234 + STILL)


def test_a_first_picture_that_never_comes() -> None:
    health = Health(began=0, hang=30)
    for second in range(0, round(FIRST + STILL) + 2):
        health.note(Pulse(second + 1, 0, False), second)
    assert health.fault(FIRST + STILL + 1) == "its first picture never came"


def test_the_first_picture_after_closed_hours_has_as_long_as_at_the_start() -> None:
    health = Health(began=0, hang=30)
    for second in range(0, 10_000, 10):
        health.note(Pulse(second + 1, 0, True), second)
    for second in range(10_000, 10_000 + round(FIRST + STILL), 10):
        health.note(Pulse(second + 1, 0, False), second)
        assert not health.fault(second)
    health.note(Pulse(20_000, 0, False), 10_001 + FIRST + STILL)
    assert health.fault(10_001 + FIRST + STILL) == "its first picture never came"


def test_lights_go_down_and_up_by_the_hours() -> None:
    clock = [datetime(2026, 11, 26, 17, 59, 58)]
    lights = Lights(Hours.parse({"daily": "10:00-18:00"}), lambda: clock[0])
    assert (lights.level, lights.news) == (1, "")
    seen = []
    for _ in range(30):
        clock[0] += timedelta(seconds=0.5)
        lights.follow(0.5)
        seen.append(lights.level)
    assert seen[0] == 1
    assert lights.news == "dark: closed until fri 10:00"
    assert any(0 < level < 1 for level in seen)
    assert sorted(seen, reverse=True) == seen
    assert lights.out
    clock[0] = datetime(2026, 11, 27, 10, 0)
    lights.follow(1.0)
    assert not lights.out
    assert 0 < lights.level < 1


def test_a_house_that_is_closed_begins_dark() -> None:
    night = datetime(2026, 11, 26, 3)
    assert Lights(Hours.parse({"daily": "10:00-18:00"}), lambda: night).out
    assert not Lights(Hours.parse({}), lambda: night).out


def test_a_hand_puts_the_light_out_and_the_show_goes_on() -> None:
    lights = Lights(Hours.parse({}))
    lights.switched_off = True
    lights.follow(0.2)
    assert 0 < lights.level < 1
    lights.follow(0.3)
    assert lights.level == 0
    assert not lights.out  # it is drawn, behind the dark
    lights.switched_off = False
    lights.follow(1.0)
    assert lights.level == 1
