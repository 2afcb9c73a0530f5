"""A network's shape in a line: `4:384 8:192 16:96 32:48` is 384 channels at 4 pixels, and so on.

Pixels double from one item to the next. A generator reads the line from the left, from 4 pixels to
half its resolution, a discriminator from the right; a last convolution leads from there to the
picture, or from it. A line may go on beyond what a resolution needs: the rest is for larger ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

FIRST = 4  # pixels a side where every generator begins and every discriminator ends
MOST = 4096  # channels
LARGEST = 1 << 26  # numbers in all maps of one size, of one picture: a quarter of a GB


def parse(text: str) -> tuple[int, ...]:
    """Channels at 4, 8, 16 … pixels. Raises ValueError with what is wrong and what is meant."""
    items = text.split()
    if not items:
        raise ValueError(f"is empty; write it as {FIRST}:384 {2 * FIRST}:192 …")
    channels: list[int] = []
    for item in items:
        match = re.fullmatch(r"(\d{1,5}):(\d{1,5})", item)
        if match is None:
            raise ValueError(f"{item!r} is not SIZE:CHANNELS, e.g. {FIRST}:384")
        size, count = int(match[1]), int(match[2])
        wanted = FIRST << len(channels)
        if size != wanted:
            before = f"after {wanted // 2} pixels" if channels else "at the start"
            raise ValueError(f"{item!r}: {before} come {wanted} pixels, not {size}")
        if not 1 <= count <= MOST:
            raise ValueError(f"{item!r}: from 1 to {MOST} channels")
        channels.append(count)
    check_maps(channels)
    return tuple(channels)


def check_maps(channels: Sequence[int]) -> None:
    """Raise ValueError where channels at 4, 8, 16 … pixels would fill a machine's memory, which a
    file of a few KB can ask for."""
    for stage, count in enumerate(channels):
        side = FIRST << stage
        if count > LARGEST // side**2:
            most = LARGEST // side**2
            raise ValueError(f"{count} channels at {side} pixels fill the memory; {most} at most")


def stages_for(resolution: int) -> int:
    """How often 4 pixels are doubled to reach a resolution. Raises ValueError where none does."""
    stages = (resolution // FIRST).bit_length() - 1
    if stages < 1 or resolution != FIRST << stages:
        raise ValueError(f"resolution {resolution} is not a power of two of {2 * FIRST} or more")
    return stages


def fit_to(channels: tuple[int, ...], resolution: int) -> tuple[int, ...]:
    """As many stages as a resolution needs. Raises ValueError where there are too few."""
    stages = stages_for(resolution)
    if len(channels) < stages:
        raise ValueError(
            f"ends at {FIRST << (len(channels) - 1)} pixels, and {resolution} pixels need a line "
            f"up to {resolution // 2}:…"
        )
    return channels[:stages]
