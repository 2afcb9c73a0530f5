"""What is carried out of the triggers of one frame: of a hundred alike one would be seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_TOGGLES = {f"/stage/{name}" for name in ("record", "overlay", "fullscreen", "black", "learn")}
_STEPS = {"/stage/next", "/stage/next_piece"}
_STEPS |= {f"/modulation/{name}" for name in ("next", "more", "less", "slower", "faster")}
_STORE = "/preset/store"


def in_turn(fired: Sequence[str], storing: bool) -> Iterator[str]:
    """Steps count; what only goes forth and back again is not begun; all else is done once, where
    it came last, so that of several scenes the last comes on. A preset's number that is to be
    stored stays with the wish to. storing: there is one from an earlier frame."""
    turns: dict[tuple[str, bool], int] = {}  # with whether it is stored; in order of their last
    wish = storing
    for address in fired:
        if address == _STORE:
            wish = True
            continue
        stored = wish and address.startswith("/preset/")
        wish = wish and not stored
        times = turns.pop((address, stored), 0)
        turns[address, stored] = times + 1
    for (address, stored), times in turns.items():
        if stored:
            yield _STORE
        done = times if address in _STEPS else times % 2 if address in _TOGGLES else 1
        yield from [address] * done
    if wish and _STORE in fired:
        yield _STORE
