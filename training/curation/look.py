"""Everything that curation knows of one image, from its bytes alone."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.curation import measures
from training.curation.likeness import DETAIL, difference_hash
from training.picture import Header, opaque, open_image

SIDE = 256  # measured at most this large: faults that are not seen here are not learned either
_LEVELS = 10  # of 256, between the 0.1 and 99.9 % pixels: less is one colour, with JPEG's noise
_BYTES = 0.3  # what twice the bytes count for, where twice the sharp pixels count for 1
_STEP = 0.25  # of a logarithm: a JPEG of the same pixels is about a step below its PNG


@dataclass(frozen=True)
class Look:
    """One readable image. All measures are taken upright and on the image's own ground colour."""

    header: Header
    size: int  # bytes
    file_hash: bytes
    pixel_hash: bytes | None  # None where the file was decoded smaller than it is
    code: np.uint64  # difference hash
    mirrored: np.uint64  # that of the mirrored image
    detail: NDArray[np.uint8]  # (DETAIL, DETAIL) grey
    colours: NDArray[np.float32]  # (4, 4, 3) in [0, 1], the mean of each sixteenth
    structure: NDArray[np.float32]  # what is where, see measures.structure
    empty: bool  # one colour
    blur: float  # 0 sharp to 1, see measures.blur
    drawn: bool  # flat areas, few colours, hard edges

    @property
    def pixels(self) -> int:
        return self.header.width * self.header.height

    @property
    def worth(self) -> int:
        """The larger the better a copy: sharp pixels, and bytes, as JPEG has fewer than PNG and its
        blocks look like detail. In coarse steps, so that of two equal copies the first is kept."""
        sharp = max(1.0, self.pixels * (1 - self.blur) ** 3)  # the square lets enlarging win
        return round((math.log(sharp) + _BYTES * math.log(max(1, self.size))) / _STEP)


def look(data: bytes) -> Look:
    """Decode once and measure. Raises ValueError with the reason for what is no readable image."""
    with open_image(data, SIDE) as (image, header):
        return _measured(data, image, header)


def _measured(data: bytes, image: Image.Image, header: Header) -> Look:
    rgb, ground = opaque(image)
    whole = rgb.size == (header.width, header.height)
    pixel_hash = hashlib.sha256(repr(rgb.size).encode() + rgb.tobytes()) if whole else None
    grey = rgb.convert("L")
    small = _at_most(rgb, SIDE)
    colours = np.asarray(small)
    shades = np.asarray(small.convert("L"), np.float32)
    low, high = np.percentile(colours.reshape(-1, 3), (0.1, 99.9), axis=0)
    tile = np.asarray(rgb.resize((32, 32), Image.Resampling.BOX), np.float32) / np.float32(255)
    return Look(
        header=header,
        size=len(data),
        file_hash=hashlib.sha256(data).digest(),
        pixel_hash=pixel_hash.digest() if pixel_hash else None,
        code=difference_hash(grey),
        mirrored=difference_hash(grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        detail=np.asarray(grey.resize((DETAIL, DETAIL), Image.Resampling.BOX)),
        colours=tile.reshape(4, 8, 4, 8, 3).mean((1, 3)),
        structure=measures.structure(tile),
        empty=bool((high - low).max() < _LEVELS),
        blur=measures.blur(shades),
        drawn=measures.is_drawn(colours, ground),
    )


def _at_most(image: Image.Image, side: int) -> Image.Image:
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
