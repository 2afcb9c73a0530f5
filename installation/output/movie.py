"""What a recording is written to: an MP4 or a folder of PNG."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray
from PIL import Image

from installation.soundtrack import RATE, blocks

Picture = NDArray[np.uint8]  # (height, width, 3) sRGB, first row at the top

_TICKS = 90_000  # a second, as video has always counted
_KEYFRAME = 2.0  # seconds; also how much a crash can cost
_BT709 = 1
_AAC_FRAME = 1024  # samples
_BITS = 256_000  # of sound a second
_EXACTLY = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


class Sink(Protocol):
    """Takes pictures in order. Raises OSError or av.FFmpegError when it cannot go on."""

    def add(self, picture: Picture, time: float) -> None: ...
    def close(self) -> None: ...


class Movie:
    """H.264 in MP4, yuv420p, BT.709, each picture at its own time.

    Written in fragments under another name (clip.part.mp4), so that it can be played even after a
    power cut, and made an ordinary MP4 and renamed when whole. sound: a file whose sound goes with
    the pictures, from its beginning, as AAC.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], fps: float, sound: Path | None = None
    ) -> None:
        self.path, self.part = path, part_of(path)
        self._last, self._frame = -1, 1 / fps
        self._container = av.open(
            str(self.part), "w", format="mp4",
            container_options={
                "movflags": "hybrid_fragmented",
                "fflags": "+bitexact",
                "flush_packets": "1",  # on disk at once, not in a buffer that a crash would empty
            },
        )  # fmt: skip
        self._stream = self._container.add_stream(
            "libx264",
            rate=Fraction(fps).limit_denominator(1001),
            # bf: begin at 0 s sharp. mbtree: with it, 11 of 2,000 encodings of the same small
            # pictures were not like the others; without, none, and files are a seventh larger.
            options={"preset": "veryfast", "crf": "17", "bf": "0", "x264-params": "mbtree=0"},
        )
        codec = self._stream.codec_context
        codec.width, codec.height = size[0] + size[0] % 2, size[1] + size[1] % 2
        codec.pix_fmt = "yuv420p"
        codec.time_base = Fraction(1, _TICKS)
        codec.gop_size = max(1, round(_KEYFRAME * fps))
        codec.colorspace = codec.color_primaries = codec.color_trc = _BT709
        codec.color_range = ColorRange.MPEG
        # One thread is enough for 1080p at this preset and leaves the other cores to the picture;
        # with more, two encodings of the same pictures were seen to differ.
        codec.thread_count = 1
        self._sound = None if sound is None else _Track(sound, self._container)

    def add(self, picture: Picture, time: float) -> None:
        height, width = picture.shape[:2]
        if width % 2 or height % 2:  # yuv420p halves both sides: the last line is doubled
            picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame = rgb.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG,
            interpolation=_EXACTLY, threads=1,  # by itself it takes all cores, and slices differ
        )  # fmt: skip
        if self._sound is not None:
            self._sound.copy(time)
        self._last = max(round(time * _TICKS), self._last + 1)
        frame.pts, frame.time_base = self._last, Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        if self._sound is not None:
            self._sound.copy(self._last / _TICKS + self._frame)
            self._sound.close()
        self._container.mux(self._stream.encode(None))
        self._container.close()
        os.replace(self.part, self.path)


class _Track:
    """The sound of a movie, copied from a file as far as the pictures have come."""

    def __init__(self, path: Path, container: OutputContainer) -> None:
        self._container = container
        self._stream = container.add_stream("aac", rate=RATE, layout="stereo", bit_rate=_BITS)
        self._blocks = blocks(path, 2, _AAC_FRAME)
        self._samples = 0

    def copy(self, until: float) -> None:
        """All that is heard before a moment, in seconds, in whole frames of AAC."""
        end = round(until * RATE)
        while self._samples < end and (block := next(self._blocks, None)) is not None:
            self._encode(block)

    def _encode(self, block: NDArray[np.float32]) -> None:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._samples, Fraction(1, RATE)
        self._samples += frame.samples
        self._write(self._stream.encode(frame))

    def _write(self, packets: list[Packet[Any]]) -> None:
        """Without the encoder's run-up, a frame before the first: an MP4 in fragments cannot tell
        players to skip it, and all sound would be 21 ms late."""
        self._container.mux([packet for packet in packets if (packet.pts or 0) >= 0])

    def close(self) -> None:
        self._write(self._stream.encode(None))


class Folder:
    """frame_00000.png, frame_00001.png, … without loss."""

    def __init__(self, path: Path) -> None:
        self.path = self.part = path
        self._count = 0

    def add(self, picture: Picture, time: float) -> None:
        file = self.path / f"frame_{self._count:05d}.png"
        Image.fromarray(np.ascontiguousarray(picture)).save(file, compress_level=3)
        self._count += 1

    def close(self) -> None:
        pass


def part_of(path: Path) -> Path:
    """The name a movie has while it is being written."""
    return path.with_name(f"{path.stem}.part{path.suffix}")
