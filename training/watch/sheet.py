"""Sheets: pictures in rows and columns with small captions, as PIL images."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from training.lettering import lines
from training.pixels import pixels

Tile = NDArray[np.uint8]  # (TILE, TILE, 3) sRGB

TILE = 128  # pixels; larger pictures are reduced, smaller ones enlarged
GROUND, INK, FAINT = (24, 24, 24), (225, 225, 225), (150, 150, 150)
_GAP = 4
_SIZE = 13  # of the letters, pixels
LINE = 20  # pixels, an even number: a film of captioned pictures needs even sides
_LEFT_MOST = 150  # pixels for the captions of rows


def tiles(pictures: Tensor) -> list[Tile]:
    """(N, 3, S, S) in [-1, 1] -> N tiles."""
    return [tile(one) for one in pixels(pictures).permute(0, 2, 3, 1).cpu().numpy()]


def tile(picture: NDArray[np.uint8]) -> Tile:
    """(S, S, 3) -> (TILE, TILE, 3)."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((TILE, TILE), Image.Resampling.LANCZOS))


def sheet(
    rows: Sequence[Sequence[Tile]], title: str, left: Sequence[str], top: Sequence[str]
) -> Image.Image:
    """Rows of tiles under a title, with a caption for each row and column."""
    beside, above = lines(left, _SIZE, _LEFT_MOST), lines(top, _SIZE, TILE)
    edge = max([line.width for line in beside] or [0])
    edge += (2 * _GAP if edge else 0) + _GAP
    step = TILE + _GAP
    head = 2 * LINE + _GAP if any(top) else LINE + _GAP
    columns = max(len(row) for row in rows)
    size = max(edge + columns * step, 3 * step), head + len(rows) * step
    image = Image.new("RGB", size, GROUND)
    draw = ImageDraw.Draw(image)
    lines([title], _SIZE, size[0] - 2 * _GAP)[0].draw(draw, (_GAP, 3), INK)
    for c, line in enumerate(above):
        line.draw(draw, (edge + c * step + TILE // 2, LINE + 3), FAINT, "ma")
    for r, line in enumerate(beside):
        line.draw(draw, (edge - 2 * _GAP, head + r * step + TILE // 2), FAINT, "rm")
    for r, row in enumerate(rows):
        y = head + r * step
        for c, picture in enumerate(row):
            image.paste(Image.fromarray(picture), (edge + c * step, y))
    return image


def captioned(image: Image.Image, text: str) -> Image.Image:
    """The image with a line of text under it."""
    made = Image.new("RGB", (image.width, image.height + LINE), GROUND)
    made.paste(image, (0, 0))
    (line,) = lines([text], _SIZE, image.width - 2 * _GAP)
    line.draw(ImageDraw.Draw(made), (_GAP, image.height + 3), INK)
    return made


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=3)
    return file.getvalue()
