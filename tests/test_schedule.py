"""Opening hours."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from installation.watch.schedule import DAYS, Hours, next_time

WEEK = {"tue-fri": "10:00-18:00", "sat": "11:00-13:00, 14:00-20:00", "sun": "20:00-02:30"}


def at(day: str, clock: str) -> datetime:
    """A day of the week that begins on Monday, 23 November 2026."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, 23 + DAYS.index(day), hour, minute)


def test_without_hours_it_is_always_open() -> None:
    hours = Hours.parse({})
    assert hours.is_open(at("mon", "3:00"))
    assert hours.change(at("mon", "3:00")) is None
    assert hours.says(at("mon", "3:00")) == "always open"


@pytest.mark.parametrize(
    ("day", "clock", "is_open"),
    [
        ("mon", "12:00", False),  # not named
        ("tue", "9:59", False),
        ("tue", "10:00", True),
        ("fri", "17:59", True),
        ("fri", "18:00", False),
        ("sat", "13:30", False),  # between two spans
        ("sat", "14:00", True),
        ("sun", "23:59", True),
        ("mon", "2:29", True),  # still Sunday's evening
        ("mon", "2:30", False),
        ("sun", "1:00", False),  # Saturday closes before midnight
    ],
)
def test_hours_of_a_week(day: str, clock: str, is_open: bool) -> None:
    assert Hours.parse(WEEK).is_open(at(day, clock)) is is_open


@pytest.mark.parametrize(
    ("now", "change"),
    [
        (("mon", "12:00"), ("tue", "10:00")),
        (("tue", "10:00"), ("tue", "18:00")),
        (("sat", "12:00"), ("sat", "13:00")),
        (("mon", "1:00"), ("mon", "2:30")),
        (("wed", "20:00"), ("thu", "10:00")),
    ],
)
def test_the_next_change(now: tuple[str, str], change: tuple[str, str]) -> None:
    assert Hours.parse(WEEK).change(at(*now)) == at(*change)


def test_spans_that_touch_are_one() -> None:
    hours = Hours.parse({"mon": "10:00-24:00", "tue": "0:00-6:00"})
    assert hours.change(at("mon", "12:00")) == at("tue", "6:00")
    assert hours.says(at("mon", "12:00")) == "open until tue 06:00"
    round_the_clock = Hours.parse({"daily": "0:00-24:00"})
    assert round_the_clock.change(at("mon", "12:00")) is None
    assert round_the_clock.says(at("mon", "12:00")) == "always open"


def test_days_go_round_the_end_of_the_week() -> None:
    hours = Hours.parse({"sat-mon": "10:00-12:00"})
    assert [hours.is_open(at(day, "11:00")) for day in DAYS] == [True, *[False] * 4, True, True]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"tuesday": "10:00-18:00"}, "'tuesday' names no days; write mon, tue"),
        ({"mon": "10-18"}, "'10-18' is no opening time; write it as 10:00-18:00"),
        ({"mon": "10:00-25:00"}, "no opening time"),
        ({"mon": "10:61-18:00"}, "no opening time"),
        ({"mon": "24:00-2:00"}, "no opening time"),
        ({"mon": "10:00-10:00"}, "no opening time"),
        ({"mon": ""}, "no opening time"),
    ],
)
def test_what_is_not_understood_is_said(table: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Hours.parse(table)


def test_the_next_time_a_clock_shows() -> None:
    assert next_time(at("mon", "3:00"), time(4)) == at("mon", "4:00")
    assert next_time(at("mon", "4:00"), time(4)) == at("tue", "4:00")
