"""What was asked of parameters since the last frame, in order."""

from __future__ import annotations

import math
import reprlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from installation.parameters import Param

Form = Literal["value", "unit", "nudge", "modulation"]

_MOST_EVENTS = 1024  # between two frames; beyond that something is broken


class Post(NamedTuple):
    """One message. by: the address it came by, where that stands for the one it reaches. value:
    as it was posted."""

    address: str
    number: float
    form: Form
    source: str
    by: str
    value: Any = None

    def moves(self, param: Param, going: float) -> float:
        """Where a Param that was going somewhere goes after this."""
        if self.form == "modulation":
            return going
        if self.form == "unit":
            return param.from_unit(self.number)
        if self.form == "nudge":
            return param.clamp(going + self.number * (param.high - param.low))
        return param.clamp(self.number)


class Together(threading.local):
    """Hands posts on as they come; in a `with`, those of its thread at the end, all at once.
    hand_on: takes posts, each with whether it is an event."""

    def __init__(self, hand_on: Callable[[Sequence[tuple[Post, bool]]], None]) -> None:
        self._hand_on = hand_on
        self._waiting: list[tuple[Post, bool]] | None = None

    def add(self, post: Post, event: bool) -> None:
        if self._waiting is None:
            self._hand_on([(post, event)])
        else:
            self._waiting.append((post, event))

    def __enter__(self) -> None:
        self._waiting = []

    def __exit__(self, *exception: object) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting:
            self._hand_on(waiting)


class Posted:
    """The messages of one frame. Not locked by itself: whoever holds it, the bus, is."""

    def __init__(self) -> None:
        self._all: list[Post] = []
        self._latest: dict[str, int] = {}  # where in _all the last absolute value lies

    def add(self, post: Post, event: bool) -> bool:
        """False where a frame cannot hold more. event: a Trigger, each of which counts."""
        if event or post.form in ("nudge", "modulation"):
            if len(self._all) >= _MOST_EVENTS + len(self._latest):
                return False
            self._latest.pop(post.address, None)  # a later absolute value comes after this step
            self._all.append(post)
        elif post.address in self._latest:  # the last value wins, so a flood costs one slot
            self._all[self._latest[post.address]] = post
        else:
            self._latest[post.address] = len(self._all)
            self._all.append(post)
        return True

    def take(self) -> list[Post]:
        """All of them; nothing is left."""
        taken, self._all, self._latest = self._all, [], {}
        return taken

    def leads(self, address: str, param: Param, going: float) -> float:
        """Where a Param will go by all of this."""
        for post in self._all:
            if post.address == address:
                going = post.moves(param, going)
        return going


def number_in(value: Any) -> float | None:
    """A finite float, or None. True and False count as 1 and 0, as OSC's T and F do."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def shortened(value: Any) -> str:
    """A rejected value, in a few characters, whatever it is."""
    if isinstance(value, int):  # too large for a float: Python refuses to print the longest
        return f"a number of {value.bit_length()} bits"
    return reprlib.repr(value)[:60]
