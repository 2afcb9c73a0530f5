"""Small folders of images for tests, drawn by code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def squares(folder: Path, count: int = 12) -> Path:
    """Squares of 16 pixels in as many colours."""
    folder.mkdir()
    for index in range(count):
        colour = (index * 240 // count, 90, 200 - index * 108 // count)
        Image.new("RGB", (16, 16), colour).save(folder / f"{index}.png")
    return folder


def noise(folder: Path, count: int = 12, side: int = 16) -> Path:
    """No two alike, and no two of the same colours."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(count):
        pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder
