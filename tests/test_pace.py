"""On a slow machine the picture is drawn smaller; a hiccup changes nothing."""

from __future__ import annotations

import pytest

from installation.pace import Pace


def frames(pace: Pace, seconds: float, count: int, rate: float = 60) -> int:
    """How often the picture changed its size."""
    return sum(pace.frame(seconds, rate) for _ in range(count))


@pytest.mark.parametrize("rate", [24, 25, 29.97, 30])
def test_a_slow_display_is_not_a_slow_machine(rate: float) -> None:
    pace = Pace(1080, 30)
    for index in range(900):
        pace.frame((1.02 if index % 3 else 0.98) / rate, rate)
    assert pace.longest == 1080
    assert frames(pace, 1 / 15, 45, rate) == 1


def test_fast_frames_and_hiccups_leave_it() -> None:
    pace = Pace(768, 30)
    assert frames(pace, 1 / 60, 500) == 0
    for _ in range(20):
        pace.frame(1.0, 60)
        assert frames(pace, 1 / 60, 44) == 0
    assert pace.longest == 768


def test_slow_frames_shrink_it_step_by_step_and_not_for_ever() -> None:
    pace = Pace(768, 30)
    assert frames(pace, 1 / 20, 45) == 1
    assert pace.longest == 614
    assert frames(pace, 1 / 20, 44) == 0
    assert frames(pace, 1 / 20, 5000) == 4
    assert pace.longest == 256


def test_it_stops_as_soon_as_it_is_fast_enough() -> None:
    pace = Pace(768, 30)
    frames(pace, 1 / 20, 45)
    assert frames(pace, 1 / 31, 5000) == 0
    assert pace.longest == 614


def test_when_it_has_gone_well_for_long_a_larger_picture_is_tried() -> None:
    pace = Pace(768, 30)
    frames(pace, 1 / 20, 90)
    assert pace.longest == 491
    assert not pace.whole
    assert frames(pace, 1 / 60, 60 * 590) == 0
    assert frames(pace, 1 / 60, 60 * 20) == 1
    assert pace.longest == 614
    assert frames(pace, 1 / 60, 60 * 1300) == 1
    assert pace.whole
    assert frames(pace, 1 / 60, 60 * 5000) == 0


def test_a_try_that_goes_wrong_is_not_soon_made_again() -> None:
    pace = Pace(768, 30)
    frames(pace, 1 / 20, 45)
    tries = []
    for minute in range(180):
        if frames(pace, 1 / 60, 60 * 60):
            tries.append(minute)
            assert frames(pace, 1 / 20, 45) == 1  # it is too large still
            assert pace.longest == 614
    assert [b - a for a, b in zip([0, *tries], tries, strict=False)] == [9, 20, 40, 80]


@pytest.mark.parametrize(
    ("window", "picture"),
    [
        ((3840, 2160), (768, 432)),
        ((2160, 3840), (432, 768)),
        ((640, 480), (640, 480)),
        ((3840, 64), (960, 16)),  # a strip of LEDs keeps its shape, and something across
        ((8, 2000), (8, 2000)),
        ((1, 1), (1, 1)),
    ],
)
def test_the_picture_has_the_shape_of_the_window(
    window: tuple[int, int], picture: tuple[int, int]
) -> None:
    assert Pace(768, 30).size(*window) == picture
