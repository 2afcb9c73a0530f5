"""When the house is open: the venue's [hours], in the machine's local time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Self

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_WEEK = 7


@dataclass(frozen=True)
class Hours:
    """spans: for each day of the week, Monday first, when it opens and closes, in minutes since
    that day's midnight. A closing time after 1440 is one of the next day. No spans: always open.
    """

    spans: tuple[tuple[tuple[int, int], ...], ...] = ()

    @classmethod
    def parse(cls, table: Mapping[str, str]) -> Self:
        """`{"tue-fri": "10:00-18:00", "sat": "11:00-13:00, 14:00-20:00"}`; days that are not named
        are closed. `daily` is every day; a time before the opening one is after midnight. An empty
        table is always open. Raises ValueError, which says what is allowed.
        """
        if not table:
            return cls()
        found: dict[int, list[tuple[int, int]]] = {day: [] for day in range(_WEEK)}
        for days, spans in table.items():
            for day in _days(days):
                found[day] += [_span(text) for text in spans.split(",")]
        return cls(tuple(tuple(sorted(found[day])) for day in range(_WEEK)))

    def is_open(self, now: datetime) -> bool:
        """At this moment."""
        if not self.spans:
            return True
        minute = now.hour * 60 + now.minute
        today, yesterday = now.weekday(), (now.weekday() - 1) % _WEEK
        return any(start <= minute < end for start, end in self.spans[today]) or any(
            minute < end - 1440 for _, end in self.spans[yesterday]
        )

    def change(self, now: datetime) -> datetime | None:
        """When it next opens or closes; None if never."""
        ends = sorted(
            moment
            for offset in range(-1, _WEEK + 1)
            for span in self._of(now + timedelta(days=offset))
            for minute in span
            if (moment := _midnight(now, offset) + timedelta(minutes=minute)) > now
        )
        here = self.is_open(now)
        return next((moment for moment in ends if self.is_open(moment) != here), None)

    def says(self, now: datetime) -> str:
        """In words: open until, or closed until when."""
        change = self.change(now)
        if change is None:
            return "always open" if self.is_open(now) else "always closed"
        state = "open" if self.is_open(now) else "closed"
        day = "" if change.date() == now.date() else f"{DAYS[change.weekday()]} "
        return f"{state} until {day}{change:%H:%M}"

    def _of(self, day: datetime) -> tuple[tuple[int, int], ...]:
        return self.spans[day.weekday()] if self.spans else ()


def next_time(now: datetime, at: time) -> datetime:
    """The next moment after now at which a clock on the wall shows `at`."""
    today = datetime.combine(now.date(), at)
    return today if today > now else today + timedelta(days=1)


def _midnight(now: datetime, days: int) -> datetime:
    return datetime.combine(now.date() + timedelta(days=days), time())


def time_of_day(text: str) -> time | None:
    """A time like 04:00, by the machine's clock; None for `never`. Raises ValueError, which says
    what is allowed."""
    if text == "never":
        return None
    try:
        found = time.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise ValueError("a time of the day like 04:00, by the machine's clock, or never")
    return found


def _days(text: str) -> list[int]:
    if text == "daily":
        return list(range(_WEEK))
    first, dash, last = text.partition("-")
    last = last if dash else first
    if first not in DAYS or last not in DAYS:
        allowed = f"{', '.join(DAYS)}, from one to another like tue-sun, or daily"
        raise ValueError(f"{text!r} names no days; write {allowed}")
    start, end = DAYS.index(first), DAYS.index(last)
    return [day % _WEEK for day in range(start, end + 1 + _WEEK * (end < start))]


def _span(text: str) -> tuple[int, int]:
    match = _SPAN.fullmatch(text.strip())
    hours = [int(part) for part in match.groups()] if match else [99] * 4
    start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if start >= 1440 or end > 1440 or max(hours[1], hours[3]) > 59 or start == end:
        raise ValueError(
            f"{text.strip()!r} is no opening time; write it as 10:00-18:00, several with commas"
        )
    return start, end if end > start else end + 1440
