"""A dataset with every fault planted in it: drawn masks, and copies and wrecks of some of them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from training.corpus import masks

CLEAN = 40  # images without a fault
SPARE = 8  # drawn besides, for faults that are no copies
SIDE = 96

# What each planted file must be named for.
PLANTED = {
    "copy.png": "duplicate",
    "packed.png": "duplicate",
    "mirror.png": "near-duplicate",
    "resaved.jpg": "near-duplicate",
    "smaller.png": "near-duplicate",
    "turned.jpg": "near-duplicate",
    "recoloured.png": "alike",
    "blurred.png": "blurred",
    "vector.png": "drawing",
    "strip.png": "odd-aspect",
    "cut.jpg": "broken",
    "text.png": "broken",
    "dot.png": "tiny",
    "grey.jpg": "empty",
    "clear.png": "empty",
    "moving.gif": "format",
    "moving.webp": "animated",
}
SOUND = ("deep.png", "cmyk.jpg", "alpha.png", "shades.png")  # unusual, and nothing wrong


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def drawn(count: int = CLEAN + SPARE, seed: int = 5) -> list[Image.Image]:
    pictures, _ = masks.draw(count, SIDE, seed, ground="white")
    return [Image.fromarray(picture) for picture in pictures]


def vector(seed: int = 0, side: int = 256) -> Image.Image:
    """Flat shapes with smooth outlines, as an SVG would be drawn."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (3 * side, 3 * side), "white")
    pen = ImageDraw.Draw(image)
    for _ in range(9):
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        x, y = (int(value) for value in rng.integers(0, 2 * side, 2))
        w, h = (int(value) for value in rng.integers(side // 3, 2 * side, 2))
        shape = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        shape((x, y, x + w, y + h), fill=colour, outline="black", width=9)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def turned(image: Image.Image) -> bytes:
    """Stored on its side, with the tag that says so."""
    tags = Image.Exif()
    tags[0x0112] = 6
    on_its_side = image.transpose(Image.Transpose.ROTATE_90)
    return encoded(on_its_side, "JPEG", exif=tags, quality=92)


def wide(grey: NDArray[np.uint8]) -> Image.Image:
    """The same picture with 16 bits a pixel."""
    return Image.fromarray(grey.astype(np.uint16) * 257)


def plant(folder: Path) -> Path:
    """Write the clean images, `00.png` and so on, and everything in PLANTED and SOUND."""
    folder.mkdir(parents=True)
    pictures = drawn()
    clean, spare = pictures[:CLEAN], pictures[CLEAN:]
    files = {f"{n:02d}.png": encoded(picture) for n, picture in enumerate(clean)}
    whole = encoded(spare[0], "JPEG")
    frames = {"save_all": True, "append_images": [spare[2]], "duration": 100}
    red, green, blue = clean[6].split()
    see_through = spare[5].convert("RGBA")
    see_through.putalpha(Image.new("L", (SIDE, SIDE), 255).point(lambda _: 254))
    files |= {
        "copy.png": files["00.png"],
        "packed.png": encoded(clean[1], compress_level=1),
        "mirror.png": encoded(clean[2].transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        "resaved.jpg": encoded(clean[3], "JPEG", quality=70),
        "smaller.png": encoded(clean[4].resize((60, 60), Image.Resampling.LANCZOS)),
        "turned.jpg": turned(clean[5]),
        "recoloured.png": encoded(Image.merge("RGB", (blue, green, red.point(lambda v: v // 3)))),
        "blurred.png": encoded(spare[1].filter(ImageFilter.GaussianBlur(3))),
        "vector.png": encoded(vector()),
        "strip.png": encoded(spare[7].resize((6 * SIDE, SIDE))),
        "cut.jpg": whole[: len(whole) // 2],
        "text.png": b"not an image at all",
        "dot.png": encoded(Image.new("RGB", (1, 1), "red")),
        "grey.jpg": encoded(Image.new("RGB", (SIDE, SIDE), (90, 91, 90)), "JPEG"),
        "clear.png": encoded(Image.new("RGBA", (SIDE, SIDE), (10, 200, 30, 0))),
        "moving.gif": encoded(spare[2], "GIF"),
        "moving.webp": encoded(spare[3], "WEBP", quality=95, **frames),
        "deep.png": encoded(wide(np.asarray(spare[4].convert("L")))),
        "cmyk.jpg": encoded(spare[6].convert("CMYK"), "JPEG", quality=95),
        "alpha.png": encoded(see_through),
        "shades.png": encoded(spare[0].convert("L")),
        "notes.txt": b"not an image, and nobody said so",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
