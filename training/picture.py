"""One image file, whatever it is, to one square RGB picture."""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from training.colour import to_srgb
from training.source import TooLarge

Fit = Literal["pad", "crop"]
Picture = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 100_000_000  # as decoded; more is a bomb, or should be made smaller first
MAX_JPEG = 200_000_000  # of the file, as telephones write them: a JPEG is decoded smaller
Image.MAX_IMAGE_PIXELS = MAX_JPEG  # Pillow's own limit lies between the two
_BAND = 64  # rows
_OPAQUE = 250  # alpha from which a border pixel counts as the image's own
_WHITE = (255, 255, 255)
_TURNS = {  # EXIF's orientation, and what undoes it
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, size: int, fit: Fit) -> Picture:
    """Decode a JPEG, PNG or WebP to (size, size, 3) uint8 sRGB.

    Turned as its EXIF says; transparent parts and the padding take the colour of the image's own
    border (white where that is transparent); the first frame of an animation. "pad" keeps all of
    the image, "crop" fills the square from its centre. Raises ValueError with the reason.
    """
    with _faults(), open_image(data, size) as (image, _):
        return _square(*opaque(image), size, fit)


@dataclass(frozen=True)
class Header:
    """What an image file says of itself. width, height: upright, before any smaller decoding."""

    width: int
    height: int
    frames: int
    bits: int  # per channel


class _Room:
    """Memory for pixels, shared by all threads: one may be as large as it is, if it is alone."""

    def __init__(self, most: int) -> None:
        self._most, self._taken = most, 0
        self._left = threading.Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for so many, and have it."""
        with self._left:
            self._left.wait_for(lambda: not self._taken or self._taken + pixels <= self._most)
            self._taken += pixels
        try:
            yield
        finally:
            with self._left:
                self._taken -= pixels
                self._left.notify_all()


_ROOM = _Room(MAX_PIXELS)  # about 15 bytes each: 1.5 GB, on however many cores


@contextmanager
def open_image(data: bytes, size: int) -> Iterator[tuple[Image.Image, Header]]:
    """The image, upright, RGB or RGBA in sRGB, and its header; a JPEG perhaps smaller, but both
    sides at least twice size. Others wait while it is large: let it go soon.

    Raises ValueError with the reason.
    """
    with ExitStack() as room:
        with _faults():
            found = _loaded(data, size, room)
        yield found


def _loaded(data: bytes, size: int, room: ExitStack) -> tuple[Image.Image, Header]:
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    whole = image.size
    jpeg = image.format in ("JPEG", "MPO")  # MPO: two JPEGs in one, from some cameras
    held = _pixels(image, MAX_JPEG if jpeg else MAX_PIXELS)
    deep = image.mode.startswith(("I", "F")) or (image.format == "PNG" and data[24] == 16)
    if jpeg:
        frames = 1
        image.draft("RGB", (2 * size, 2 * size))  # a smaller decode, never below twice size
        # libjpeg keeps all of a progressive one, in up to 8 bytes a pixel, however small it gets.
        kept = held // 2 if held > MAX_PIXELS or "progressive" in image.info else 0
        held = _pixels(image, MAX_PIXELS) + kept
    else:
        frames = int(getattr(image, "n_frames", 1))
    room.enter_context(_ROOM.taken(held))
    image.load()
    turned = _upright(image)
    if turned.size != image.size:  # on its side
        whole = (whole[1], whole[0])
    return _srgb(turned), Header(*whole, frames, 16 if deep else 8)


def _pixels(image: Image.Image, most: int) -> int:
    """How many an image has. Raises TooLarge."""
    pixels = image.width * image.height
    if pixels > most:
        raise TooLarge(
            f"is too large ({image.width}×{image.height} pixels, {most // 10**6} million are the "
            "most); make it smaller"
        )
    return pixels


@contextmanager
def _faults() -> Iterator[None]:
    """Everything that Pillow raises for a bad file, as a ValueError that says what it means."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise ValueError("is not a JPEG, PNG or WebP image") from error
    except Image.DecompressionBombError as error:
        raise TooLarge("is too large to decode; make it smaller") from error
    except (OSError, SyntaxError, EOFError, IndexError, KeyError, struct.error) as error:
        raise ValueError(f"is damaged ({error})") from error


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says. Pillow's exif_transpose also writes every other tag anew, and fails
    in many ways on the odd ones that cameras and editors leave."""
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def _srgb(image: Image.Image) -> Image.Image:
    """RGB or RGBA, in the colours that the file's own profile means."""
    profile = image.info.get("icc_profile")
    if not profile:
        return _eight_bit(image)
    if image.mode == "CMYK":
        return _eight_bit(to_srgb(image, profile))
    return to_srgb(_eight_bit(image), profile, grey=image.mode.startswith(("1", "L", "I", "F")))


def _eight_bit(image: Image.Image) -> Image.Image:
    """RGB or RGBA, from greyscale, palette, CMYK, 16-bit and float modes."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        # PNG stores 16-bit grey as 0 to 65535, whatever PIL calls the mode.
        scale = 257 if (values.size and values.max() > 255) or image.mode != "I" else 1
        grey = np.empty(values.shape, np.uint8)
        for row in range(0, len(values), _BAND):  # as floats the whole would be eight times as much
            band = slice(row, row + _BAND)
            grey[band] = np.clip(values[band] / scale, 0, 255)
        return Image.fromarray(grey).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


def opaque(image: Image.Image) -> tuple[Image.Image, tuple[int, ...]]:
    """The image without transparency, and its border colour."""
    colour = border_colour(np.asarray(image))
    if image.mode == "RGB":
        return image, colour
    ground = Image.new("RGBA", image.size, (*colour, 255))
    return Image.alpha_composite(ground, image).convert("RGB"), colour


def border_colour(pixels: Picture) -> tuple[int, ...]:
    """The median colour along the four edges of (H, W, 3 or 4); white where mostly transparent."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if edge.shape[1] == 4:
        own = edge[:, 3] >= _OPAQUE
        if own.mean() < 0.5:
            return _WHITE
        edge = edge[own]
    return tuple(int(value) for value in np.median(edge[:, :3], axis=0))


def _square(image: Image.Image, ground: tuple[int, ...], size: int, fit: Fit) -> Picture:
    if fit == "crop":
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        square = image.resize((size, size), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
        return np.array(square)
    scale = size / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    small = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    square = Image.new("RGB", (size, size), ground)
    square.paste(small, ((size - width) // 2, (size - height) // 2))
    return np.array(square)
