"""A file of sound, decoded block by block: whoever listens to it and whoever copies it into a movie
read the same samples. FFmpeg, inside PyAV, knows the formats."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE = 48_000  # samples a second, whatever the file has

# Containers of sound alone and of movies; no playlists, which name other files and addresses.
_FORMATS = "wav,w64,aiff,flac,mp3,ogg,aac,ac3,caf,asf,mov,mp4,matroska,webm"


class SoundtrackError(Exception):
    """A file of sound that cannot be read. One line: what happened and what to do."""


def blocks(path: Path, channels: int, size: int) -> Iterator[NDArray[np.float32]]:
    """All of a file's sound from its beginning: (channels, size) in [-1, 1], the last one perhaps
    shorter. channels: 1 or 2, into which the file's are mixed.

    Raises SoundtrackError.
    """
    if not path.is_file():
        raise SoundtrackError(f"there is no sound file {path}")
    try:
        with av.open(str(path), options={"format_whitelist": _FORMATS}) as container:
            if not container.streams.audio:
                raise SoundtrackError(f"{path} has no sound in it")
            one = channels == 1 or container.streams.audio[0].channels == 1
            layout = "mono" if one else "stereo"
            resampler = av.AudioResampler("fltp", layout, RATE, frame_size=size)
            for frame in chain(container.decode(audio=0), [None]):
                if frame is not None:
                    frame.pts = None  # what is missing in the file is no silence here
                for even in resampler.resample(frame):
                    # FFmpeg makes two channels of one 3 dB quieter
                    yield np.broadcast_to(even.to_ndarray(), (channels, even.samples))
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SoundtrackError(f"{path} is no sound that can be read: {reason}") from error
