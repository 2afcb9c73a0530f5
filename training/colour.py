"""Colours as an image's own profile means them, brought to sRGB."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}  # by the colour space in its header
_SAME = 2  # levels of 256: a profile that moves no colour further is sRGB


def to_srgb(image: Image.Image, profile: bytes, grey: bool = False) -> Image.Image:
    """An RGB, RGBA or CMYK image in sRGB, its alpha as it was. grey: it was stored as shades.

    Where the profile is damaged or meant for another kind of image, the image as it is: its
    numbers are all that is known.
    """
    mode = _MODES.get(profile[16:20], "")
    if not {"RGB": image.mode != "CMYK", "L": grey, "CMYK": image.mode == "CMYK"}.get(mode):
        return image
    transform = _transform(profile, mode)
    if transform is None:
        return image
    found = transform.apply(image if image.mode == mode else image.convert(mode))
    if image.mode == "RGBA":
        found.putalpha(image.getchannel("A"))
    return found


@lru_cache(16)  # the images of one dataset share a few
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None for a damaged profile, and for sRGB, which is what most files name."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        found = ImageCms.ImageCmsTransform(source, target, mode, "RGB")
    except (OSError, ValueError):
        return None
    return None if mode == "RGB" and _changes_nothing(found) else found


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    steps = np.linspace(0, 255, 9, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3)
    found = np.asarray(transform.apply(Image.fromarray(colours)))
    return bool(np.abs(found.astype(int) - colours).max() <= _SAME)
