"""The kept sample grids as a film: the same points from the first grid to the last."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from models.shelf import OWN
from training import UsageError
from training.watch.sheet import LINE, captioned

NAME = "timelapse.mp4"
FPS = 10
LONGEST = 20.0  # seconds, the last picture's included
_REST = 2.0  # seconds on the last picture
_MOST = 1920  # pixels on the longer side
_BT709 = 1
_TRAINING = ".training"  # the end of a training's folder's name


class TimelapseError(UsageError):
    """No film can be made. One line."""


def timelapse(folder: Path) -> Path:
    """Write timelapse.mp4 from the grids in a training's folder; returns its path.

    H.264, BT.709, at most 20 s: more grids than fit are thinned out evenly. Grids that cannot be
    read are passed over. Raises TimelapseError, or OSError where it cannot be written.
    """
    grids = sorted((folder / "grids").glob("*.png"))
    chosen = thinned(grids, round((LONGEST - _REST) * FPS))
    last = next((found for path in reversed(chosen) if (found := _open(path))), None)
    if last is None:
        raise TimelapseError(f"{folder} holds no sample grids yet")
    path = folder / NAME
    part = path.with_name("timelapse.part.mp4")
    try:
        _encode(part, chosen, _size(last))
        os.replace(part, path)
    except av.FFmpegError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror) from error
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return path


def of_piece(name: str) -> Path:
    """The film of a piece by name, by its folder, or by the folder of its training."""
    given = Path(name)
    named = not given.name or given.suffix == _TRAINING
    beside = given if named else given.with_name(f"{given.name}{_TRAINING}")
    shelf = OWN / beside
    for folder in (beside, shelf, given):
        if (folder / "grids").is_dir():
            try:
                return timelapse(folder)
            except OSError as error:
                why = error.strerror or error
                raise TimelapseError(f"{folder / NAME} cannot be written: {why}") from error
    raise TimelapseError(f"{name}: no sample grids in {beside} or {shelf}")


def thinned(paths: list[Path], most: int) -> list[Path]:
    """At most so many, evenly apart, the first and the last among them."""
    if len(paths) <= most:
        return paths
    return [paths[round(place)] for place in np.linspace(0, len(paths) - 1, most)]


def _encode(path: Path, grids: list[Path], size: tuple[int, int]) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(FPS), options={"preset": "veryfast", "crf": "18"}
        )
        codec = stream.codec_context
        codec.width, codec.height = size[0], size[1] + LINE
        codec.pix_fmt = "yuv420p"
        codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
        codec.color_range = ColorRange.MPEG
        codec.thread_count = 1  # the training keeps the other cores
        pictures = ((image, grid) for grid in grids if (image := _open(grid)))
        picture: Image.Image | None = None
        for image, grid in pictures:
            picture = _frame(image, size, grid)
            container.mux(stream.encode(_video(picture)))
        if picture is not None:
            for _ in range(round(_REST * FPS)):
                container.mux(stream.encode(_video(picture)))
        container.mux(stream.encode(None))


def _frame(image: Image.Image, size: tuple[int, int], grid: Path) -> Image.Image:
    """A grid at the film's size (it may have grown while training), its kimg under it, both sides
    even as yuv420p wants them."""
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    kimg = f"{int(grid.stem) / 1000:.0f} kimg" if grid.stem.isdigit() else grid.stem
    return captioned(image, kimg)


def _video(picture: Image.Image) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
    return frame.reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )


def _size(image: Image.Image) -> tuple[int, int]:
    scale = min(1.0, _MOST / max(image.size))
    width, height = (max(2, round(side * scale) // 2 * 2) for side in image.size)
    return width, height


def _open(path: Path) -> Image.Image | None:
    """A grid, or None where a kill or a full disk left half of one."""
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return None
