"""What was asked of parameters since the last frame, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from installation.parameters import Param

Form = Literal["value", "unit", "nudge"]

_MOST_EVENTS = 1024  # between two frames; beyond that something is broken


class Post(NamedTuple):
    """One message. by: the address it came by, where that stands for the one it reaches."""

    address: str
    number: float
    form: Form
    source: str
    by: str

    def moves(self, param: Param, going: float) -> float:
        """Where a Param that was going somewhere goes after this."""
        if self.form == "unit":
            return param.from_unit(self.number)
        if self.form == "nudge":
            return param.clamp(going + self.number * (param.high - param.low))
        return param.clamp(self.number)


class Posted:
    """The messages of one frame. Not locked by itself: whoever holds it, the bus, is."""

    def __init__(self) -> None:
        self._all: list[Post] = []
        self._latest: dict[str, int] = {}  # where in _all the last absolute value lies

    def add(self, post: Post, event: bool) -> bool:
        """False where a frame cannot hold more. event: a Trigger, each of which counts."""
        if event or post.form == "nudge":
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
