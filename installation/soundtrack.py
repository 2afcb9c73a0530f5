"""A file of sound, decoded block by block: whoever listens to it and whoever copies it into a movie
read the same samples. FFmpeg, inside PyAV, knows the formats."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from installation.log import Complaints

_complaints = Complaints(logging.getLogger(__name__))  # a film of a file reads it twice

RATE = 48_000  # samples a second, whatever the file has

# Containers of sound alone and of movies; no playlists, which name other files and addresses.
FORMATS = "wav,w64,aiff,flac,mp3,ogg,aac,ac3,caf,asf,mov,mp4,matroska,webm"


class SoundtrackError(Exception):
    """A file of sound that cannot be read. One line: what happened and what to do."""


def blocks(path: Path, channels: int, size: int) -> Iterator[NDArray[np.float32]]:
    """All of a file's sound from its beginning: (channels, size) in [-1, 1], the last one perhaps
    shorter. channels: 1 or 2, into which the file's are mixed. What is damaged is left out.

    Raises SoundtrackError.
    """
    if not path.is_file():
        raise SoundtrackError(f"there is no sound file {path}")
    heard = False
    try:
        # absolute: to FFmpeg 12:30.wav is an address
        with av.open(str(path.absolute()), options={"format_whitelist": FORMATS}) as container:
            streams = container.streams.audio
            one = channels == 1 or (bool(streams) and streams[0].channels == 1)
            layout = "mono" if one else "stereo"
            resampler = av.AudioResampler("fltp", layout, RATE, frame_size=size)
            for frame in _frames(container, path) if streams else ():
                for even in resampler.resample(frame):
                    heard = True
                    # floats may be no numbers; and six channels in two, louder than all
                    found = np.nan_to_num(even.to_ndarray(), posinf=0.0, neginf=0.0).clip(-1, 1)
                    # FFmpeg makes two channels of one 3 dB quieter
                    yield np.broadcast_to(found, (channels, even.samples))
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SoundtrackError(f"{path} is no sound that can be read: {reason}") from error
    if not heard:
        raise SoundtrackError(f"{path} has no sound in it")


def _frames(container: InputContainer, path: Path) -> Iterator[av.AudioFrame | None]:
    """What is decoded; None is the end."""
    for packet in container.demux(audio=0):
        try:
            found = packet.decode()
        except av.InvalidDataError:  # as in an MP3 with something of another program's at its end
            _complaints.once(path, lambda: f"{path} is damaged; what cannot be read is left out")
            continue
        for frame in found:
            frame.pts = None  # what is missing in the file is no silence here
            yield frame
    yield None
