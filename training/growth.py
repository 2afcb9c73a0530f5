"""Progressive growing (Karras et al. 2018): small pictures first, each doubling faded in.

The large forms are settled while a step costs little. `16:1x64 32:2 64:3` spends one part of the
budget at 16 pixels in batches of 64, two at 32 and three at 64.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from models.architecture import stages_for


@dataclass(frozen=True)
class Size:
    """One stretch of the training: at so many pixels, between two shares of the budget."""

    resolution: int
    begins: float  # share of the budget, 0 to 1
    ends: float
    batch: int

    def fade(self, spent: float, share: float) -> float:
        """How far this size has come in, 0 to 1. share: of its time, in which it fades in."""
        length = share * (self.ends - self.begins)
        return min(1.0, max(0.0, (spent - self.begins) / length)) if length > 0 else 1.0


def plan(text: str, resolution: int, batch: int) -> tuple[Size, ...]:
    """The sizes of a recipe's `growth`, in order; one, where it is empty.

    Sizes beyond the resolution are left out. Raises ValueError with what is wrong.
    """
    found: list[tuple[int, float, int]] = []
    for item in text.split():
        match = re.fullmatch(r"(\d{1,5}):(\d{1,4}(?:\.\d{1,4})?)(?:x(\d{1,4}))?", item)
        if match is None:
            raise ValueError(f"growth: {item!r} is not RESOLUTION:SHARE or RESOLUTION:SHARExBATCH")
        size, share = int(match[1]), float(match[2])
        own = int(match[3]) if match[3] else batch
        if share <= 0 or own < 2:
            raise ValueError(f"growth: {item!r}: the share must be above 0, the batch 2 or more")
        stages_for(size)
        found.append((size, share, own))
    for (one, _, _), (two, _, _) in pairwise(found):
        if two != 2 * one:
            raise ValueError(f"growth: after {one} pixels come {2 * one}, not {two}")
    found = [entry for entry in found if entry[0] <= resolution]
    if not found:
        return (Size(resolution, 0.0, 1.0, batch),)
    if found[-1][0] != resolution:
        raise ValueError(f"growth ends at {found[-1][0]} pixels, the resolution is {resolution}")
    return _spread(found)


def from_size(text: str, start: int, resolution: int) -> str:
    """A recipe's `growth` for networks that are `start` pixels large already: smaller sizes left
    out, those missing between there and the resolution put in. Where nothing has to grow, the last
    size alone, which may have a batch of its own; "" where the recipe says nothing of it."""
    known = {int(item.partition(":")[0]): item for item in text.split()}
    if start >= resolution:
        return known.get(resolution, "")
    sizes = [start]
    while sizes[-1] < max(resolution, *known, 0):
        sizes.append(2 * sizes[-1])
    return " ".join(known.get(size, f"{size}:{9 if size == resolution else 1}") for size in sizes)


def _spread(entries: list[tuple[int, float, int]]) -> tuple[Size, ...]:
    whole = sum(share for _, share, _ in entries)
    sizes, begins = [], 0.0
    for index, (resolution, share, batch) in enumerate(entries):
        ends = 1.0 if index == len(entries) - 1 else begins + share / whole
        sizes.append(Size(resolution, begins, ends, batch))
        begins = ends
    return tuple(sizes)
