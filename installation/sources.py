"""Who moves a parameter, as posts to the bus say: the house's own parts by these names, controls by
theirs; and what an entry of the setlist moves for as long as it is on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Generic, TypeVar

from installation.parameters import Bus

VENUE, SETLIST, PRESET, MEMORY, LINK = "venue", "setlist", "preset", "memory", "link"
TAP = "tap"  # the tempo that follows from taps
# Who gives back what a hand had set: by the hand's own name, its controller would be taken to know
# where the parameter stands, and its fader would stay where it is.
FOR_THE_HAND = "hand"

_NO_HANDS = {"", VENUE, SETLIST}
# What moves parameters for a hand that was there before, and not in this frame.
_FOR_A_WHILE = {PRESET, MEMORY, LINK, FOR_THE_HAND}


def by_hand(source: str) -> bool:
    """Whether what moved a parameter was somebody in the room, not the venue or the setlist."""
    return source not in _NO_HANDS


def moved_by_hand_now(bus: Bus, address: str) -> bool:
    """Whether somebody in the room has moved it in this frame: together with the scene or preset
    that comes on, as a bundle of OSC does."""
    by = bus.moved_by(address)
    return bus.moved_now(address) and by_hand(by) and by not in _FOR_A_WHILE


T = TypeVar("T")


class Dress(Generic[T]):
    """What an entry of the setlist has put over what was there, by address, until it is over.
    now: what is there, and who wanted it so; put: something else, with who wants it."""

    def __init__(
        self, now: Callable[[str], tuple[T, str]], put: Callable[[str, T, str], object]
    ) -> None:
        self._now, self._put = now, put
        self._before: dict[str, tuple[T, str]] = {}

    def change(self, wanted: Mapping[str, T], spared: Collection[str]) -> None:
        """Put on what the next entry wants, but for what is spared. What the one before it had put
        on goes back to what was there, unless somebody has changed it since."""
        wanted = {a: one for a, one in wanted.items() if a not in spared}
        before = self._set_aside()
        self._before = {a: before.pop(a, self._now(a)) for a in wanted}
        for address, (one, by) in before.items():
            self._put(address, one, FOR_THE_HAND if by_hand(by) else by)
        for address, one in wanted.items():
            self._put(address, one, SETLIST)

    @property
    def covered(self) -> dict[str, T]:
        """What hands had wanted, under what the entry has put there."""
        return {a: one for a, (one, by) in self._set_aside().items() if by_hand(by)}

    def _set_aside(self) -> dict[str, tuple[T, str]]:
        return {a: was for a, was in self._before.items() if self._now(a)[1] == SETLIST}
