"""Who moves a parameter, as posts to the bus say: the house's own parts by these names, controls by
theirs."""

from __future__ import annotations

from installation.parameters import Bus

VENUE, SETLIST, PRESET, MEMORY, LINK = "venue", "setlist", "preset", "memory", "link"
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
