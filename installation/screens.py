"""The screens of a venue, with their masks, as the engine wants them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from installation.engine.wall import Screen
from installation.output.offscreen import Offscreen
from installation.output.window import Window
from installation.tables import Screen as Wanted
from installation.venue import VenueError

_FORMATS = ("PNG", "JPEG", "WEBP")
_LONGEST = 8192  # pixels; a larger one fits no texture of small GPUs

Mask = NDArray[np.uint8]


def screens(
    wanted: Sequence[Wanted], masks: Sequence[Mask | None], window: Window | Offscreen
) -> list[Screen]:
    """Those of a venue, a mask or None for each. Without any, and in a film, one that is all of
    the window."""
    if not wanted or isinstance(window, Offscreen):
        return [Screen()]
    areas = [one.area for one in wanted] if wanted[0].display is None else window.areas(len(wanted))
    return [
        Screen(area, one.part, one.turn, one.mirror, one.blend, mask)
        for area, one, mask in zip(areas, wanted, masks, strict=True)
    ]


def read_masks(wanted: Sequence[Wanted]) -> tuple[list[Mask | None], list[VenueError]]:
    """The mask of each screen, None where there is none, or where it cannot be read: then what is
    wrong with it is among the faults."""
    masks: list[Mask | None] = []
    faults = []
    for number, one in enumerate(wanted, 1):
        try:
            masks.append(_read(one.mask) if one.mask else None)
        except VenueError as error:
            masks.append(None)
            faults.append(VenueError(f"screen {number}: mask: {error}"))
    return masks, faults


def _read(path: str) -> Mask:
    """(height, width) grey, first row at the top; what is transparent counts as black."""
    try:
        with Image.open(Path(path), formats=_FORMATS) as image:
            if max(image.size) > _LONGEST:
                raise VenueError(f"{path} has a side of more than {_LONGEST} pixels")
            if image.mode.startswith("I"):  # 16 bits, of which Pillow would keep the brightest
                return (np.asarray(image) / 257).astype(np.uint8)
            black = Image.new("RGBA", image.size, "black")
            return np.asarray(Image.alpha_composite(black, image.convert("RGBA")).convert("L"))
    except FileNotFoundError as error:
        raise VenueError(f"there is no file {path}") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise VenueError(f"{path} is no PNG, JPEG or WebP that can be read") from error
