"""More messages than a show can heed: what is left of them, and what they may cost.

They are read in threads that share Python's lock with the frame loop. A sensor that sends as fast
as it can, or somebody who means harm, would take the time in which frames are drawn.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

from installation.log import Complaints
from installation.parameters import Bus, Trigger

AT_ONCE = 1 << 14  # bytes that are taken in before they are looked at
_LEAST = 32  # of these, that any packet counts for; a fader's has as many
MUCH = 32  # messages at once, of which the newest are enough
_PORTION = 2048  # bytes of one packet's messages that are taken in without a rest
FLOOD = 256  # packets at once, of which it is said
_SHARE = 0.2  # of a core
_BURST = 0.02 if sys.platform == "win32" else 0.005  # seconds of work before the first rest, and
# more than the steps in which the system counts it
_REST = 0.005  # seconds; for less it does not pay to stop

# One finite number for an address. parsed() would say the same, but takes twenty times as long.
_SETS = re.compile(
    rb"(/[^\0]*)\0{1,4},(?:i\0\0.{4}|f\0\0(?![\x7f\xff][\x80-\xff]).{4}"
    rb"|h\0\0.{8}|d\0\0(?![\x7f\xff][\xf0-\xff]).{8})",
    re.DOTALL,
)

From = TypeVar("From")


def newest(found: Sequence[tuple[bytes, From]], bus: Bus) -> list[tuple[bytes, From]]:
    """OSC messages without those that a later one overtakes, in order: a number for an address
    where another number for the same follows. Triggers, steps and questions all stay, and whatever
    is damaged. From: what belongs to a message."""
    left, overtaken = [], set()
    for one in reversed(found):
        sets = _SETS.fullmatch(one[0]) if len(one[0]) % 4 == 0 else None
        if sets:
            address = sets[1]
            if address in overtaken:
                continue
            if not isinstance(bus.get(address.decode(errors="replace")), Trigger):
                overtaken.add(address)
        left.append(one)
    left.reverse()
    return left


def bundles(found: Sequence[tuple[bytes, int]]) -> Iterator[list[tuple[bytes, int]]]:
    """Messages by the number of the packet in which they came: those of one take effect together
    (OSC 1.0)."""
    for _, packet in groupby(found, key=itemgetter(1)):
        yield list(packet)


def portions(bundle: Sequence[tuple[bytes, int]]) -> Iterator[list[tuple[bytes, int]]]:
    """As many messages of one packet at a time as may be taken in without a rest."""
    some: list[tuple[bytes, int]] = []
    size = 0
    for one in bundle:
        if some and size + weight(one[0]) > _PORTION:
            yield some
            some, size = [], 0
        some.append(one)
        size += weight(one[0])
    yield some


def weight(packet: bytes | str) -> int:
    """What a packet counts for in AT_ONCE."""
    return max(len(packet), _LEAST)


class Share:
    """Keeps what a thread does with messages to a fifth of a core, whatever they are.

    part: or to another part of one. now, worked: seconds; the thread's own work is counted, so
    that one that only waits for Python's lock is not made to wait longer.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.thread_time,
        part: float = _SHARE,
    ) -> None:
        self._now, self._work, self._part = now, worked, part
        self._then, self._worked = now(), 0.0
        self._owed = 0.0  # seconds of work

    def begin(self) -> None:
        """What the thread does from here on counts."""
        self._worked = self._work()

    def rest(self) -> float:
        """Seconds to wait before any more, after what was done since begin() or the last rest()."""
        now, worked = self._now(), self._work()
        self._owed = max(0.0, self._owed - self._part * (now - self._then)) + worked - self._worked
        self._then, self._worked = now, worked
        rest = (self._owed - _BURST) / self._part
        return rest if rest >= _REST else 0.0


def complain_of_flood(complaints: Complaints, source: str) -> None:
    """Say once who is made to wait."""
    complaints.once(
        ("flood", source),
        lambda: (
            f"{source} sends more than can be heeded: of each fader only the newest value is "
            "taken, and all comes late, if at all; a hundred values a second of each are plenty"
        ),
    )
