"""Sheets: pictures in rows and columns with small captions, as PIL images."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from training.pixels import pixels

Tile = NDArray[np.uint8]  # (TILE, TILE, 3) sRGB

TILE = 128  # pixels; larger pictures are reduced, smaller ones enlarged
GROUND, INK, FAINT = (24, 24, 24), (225, 225, 225), (150, 150, 150)
_GAP = 4
_SIZE = 13  # of the letters, pixels
LINE = 20  # pixels, an even number: a film of captioned pictures needs even sides
_LEFT_MOST = 150  # pixels for the captions of rows
_SIGNS = str.maketrans({"×": "x", "−": "-", "±": "+-"})


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
    font = _font()
    edge = max([_width(font, drawable(text)) for text in left] or [0])
    edge = min(edge, _LEFT_MOST) + (2 * _GAP if edge else 0) + _GAP
    step = TILE + _GAP
    head = 2 * LINE + _GAP if any(top) else LINE + _GAP
    columns = max(len(row) for row in rows)
    size = max(edge + columns * step, 3 * step), head + len(rows) * step
    image = Image.new("RGB", size, GROUND)
    draw = ImageDraw.Draw(image)
    draw.text((_GAP, 3), fitted(title, size[0] - 2 * _GAP, font), fill=INK, font=font)
    for c, text in enumerate(top):
        place = (edge + c * step + TILE // 2, LINE + 3)
        draw.text(place, fitted(text, TILE, font), fill=FAINT, font=font, anchor="ma")
    for r, row in enumerate(rows):
        y = head + r * step
        if r < len(left):
            text = fitted(left[r], _LEFT_MOST, font)
            draw.text((edge - 2 * _GAP, y + TILE // 2), text, fill=FAINT, font=font, anchor="rm")
        for c, picture in enumerate(row):
            image.paste(Image.fromarray(picture), (edge + c * step, y))
    return image


def captioned(image: Image.Image, text: str) -> Image.Image:
    """The image with a line of text under it."""
    made = Image.new("RGB", (image.width, image.height + LINE), GROUND)
    made.paste(image, (0, 0))
    font = _font()
    line = fitted(text, image.width - 2 * _GAP, font)
    ImageDraw.Draw(made).text((_GAP, image.height + 3), line, fill=INK, font=font)
    return made


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=3)
    return file.getvalue()


def fitted(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """One line of at most `width` pixels, cut with … where it is longer."""
    text = drawable(text)
    if _width(font, text) <= width:
        return text
    while text and _width(font, text + "…") > width:
        text = text[:-1]
    return text + "…"


def drawable(text: str) -> str:
    """What Pillow's own font can write, which is ASCII: é as e, 木 as ?."""
    text = unicodedata.normalize("NFKD", " ".join(text.split()).translate(_SIGNS))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return text.encode("ascii", "replace").decode()


def _width(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str) -> int:
    return round(font.getlength(text))


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_SIZE)
