"""Recording: a bounded queue to an encoder in a thread of its own.

The picture on the wall comes first. A slow encoder costs recorded frames, a full disk ends the
recording; neither costs a displayed frame. (PyAV lets go of the GIL while it converts and encodes,
so a thread is enough.) A live one that nobody ends leaves room for what else must be written.
"""

from __future__ import annotations

import logging
import os
import queue
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from installation.output.movie import Folder, Movie, Picture, Sink, part_of

log = logging.getLogger(__name__)

_QUEUE_BYTES = 128 << 20  # of pictures that wait; 20 at 1920×1080
_SPARE = 1e9  # bytes left on the disk at which a live recording ends
_PATIENCE = 0.05  # seconds between two looks whether the recording was stopped


class RecorderError(Exception):
    """A recording that cannot be made. One line, for the artist."""


@dataclass(frozen=True)
class Recording:
    """What became of a recording."""

    path: Path
    frames: int
    dropped: int
    seconds: float
    failure: str = ""

    def __str__(self) -> str:
        if self.failure:
            return self.failure
        lost = f", {self.dropped} frames left out" if self.dropped else ""
        return f"recorded {self.frames} frames, {self.seconds:.1f} s, to {self.path}{lost}"


class Recorder:
    """Writes pictures to an MP4 (a path ending in .mp4) or to a folder of PNG (any other).

    Live: offer() with real times. Offline: write(). One kind per recording. Pictures are
    (height, width, 3) uint8 with the first row at the top, and must not be changed afterwards.
    Raises RecorderError when the place to write to is not usable.
    """

    def __init__(
        self,
        path: Path | str,
        size: tuple[int, int],
        fps: float,
        waiting: int | None = None,
        sound: Path | None = None,
        live: bool = True,
    ) -> None:
        """size: width, height. waiting: how many pictures the queue holds. sound: a file whose
        sound an MP4 gets from its beginning on. live: nobody waits for it, so that its failure is
        said in the log."""
        self.path = Path(path)
        self._size, self._fps, self._sound, self._live = size, fps, sound, live
        _check_place(self.path)
        fitting = min(60, max(4, _QUEUE_BYTES // (size[0] * size[1] * 4)))
        self._queue: queue.Queue[tuple[Picture, float]] = queue.Queue(waiting or fitting)
        self._stopping = threading.Event()
        self._first: float | None = None
        self._last = 0.0
        self._offered = self._dropped = self._written = 0
        self._failure = self._full = ""
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def recording(self) -> bool:
        """False once it was stopped or has failed."""
        return not self._failure and not self._stopping.is_set()

    @property
    def fault(self) -> str:
        """What has ended it by itself; "" for nothing."""
        return self._failure or self._full

    @property
    def done(self) -> bool:
        """True when its thread has ended: the file is whole, or the failure is known."""
        return not self._thread.is_alive()

    @property
    def dropped(self) -> int:
        """Pictures left out because the encoder could not follow."""
        return self._dropped

    def offer(self, picture: Picture, time: float) -> bool:
        """Live: take this picture, seen at `time` seconds, if there is room. Never waits."""
        if not self.recording:
            return False
        self._check(picture)
        if self._first is None:
            self._first = time
        try:
            self._queue.put_nowait((picture, time - self._first))
        except queue.Full:
            self._dropped += 1
            if self._dropped in (1, 100, 10_000):
                log.warning("the encoder is too slow: %d frames not recorded", self._dropped)
            return False
        return True

    def write(self, picture: Picture) -> None:
        """Offline: the next picture, 1/fps after the last. Waits; nothing is left out.

        Raises RecorderError when the recording has failed.
        """
        self._check(picture)
        self._queue.put((picture, self._offered / self._fps))
        self._offered += 1
        if self._failure:
            raise RecorderError(self._failure)

    def stop(self) -> None:
        """End the recording without waiting: what is in the queue is still written."""
        self._stopping.set()

    def close(self) -> Recording:
        """End the recording, wait until the file is whole, and say what became of it."""
        self.stop()
        self._thread.join()
        return self._result()

    def _check(self, picture: Picture) -> None:
        width, height = self._size
        if picture.shape != (height, width, 3):
            raise ValueError(f"records {width}×{height}, was given {picture.shape}")

    def _result(self) -> Recording:
        seconds = self._last + 1 / self._fps if self._written else 0.0
        return Recording(self.path, self._written, self._dropped, seconds, self._failure)

    def _run(self) -> None:
        """The encoder's thread. After a failure it goes on emptying the queue."""
        try:
            _yield_to_the_picture()
            self._encode()
        except Exception as error:  # noqa: BLE001 - unless it is said, write() would wait for good
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            self._failure = f"recording to {self.path} stopped: {reason}{self._kept()}"
            if self._live:
                log.warning("%s", self._failure)
            while self._next() is not None:
                pass
        else:
            log.info("%s", self._result())

    def _kept(self) -> str:
        """What is left of a recording that has failed: a movie that can be played, under the name
        that it has until it is whole, or a folder of pictures."""
        if not self._written:
            return ""
        count = f"{self._written} frame{'s were' if self._written > 1 else ' was'}"
        part = part_of(self.path) if self.path.suffix == ".mp4" else self.path
        return f"; {count} written before, to {part}"

    def _encode(self) -> None:
        sink: Sink
        if self.path.suffix == ".mp4":
            sink = Movie(self.path, self._size, self._fps, self._sound)
        else:
            sink = Folder(self.path)
        while (item := self._next()) is not None:
            sink.add(*item)
            self._written += 1
            self._last = item[1]
            if self._first is not None and self.recording and self._disk_is_short():
                self._full = "the recording ends: less than 1 GB is left on its disk; make room"
                log.warning("%s", self._full)
                self.stop()
        if self._written:
            sink.close()
        else:  # R twice at once, or while the house is closed
            self._failure = f"no recording: no picture came to {self.path} before it ended"

    def _disk_is_short(self) -> bool:
        return shutil.disk_usage(self.path.parent).free < _SPARE

    def _next(self) -> tuple[Picture, float] | None:
        """The next picture; None when stopped and everything was taken."""
        while True:
            last_look = self._stopping.is_set()  # before the look: a picture may come after it
            try:
                return self._queue.get(timeout=_PATIENCE)
            except queue.Empty:
                if last_look:
                    return None


def _check_place(path: Path) -> None:
    """Make the folder to write into; nothing that is there is written over. Raises
    RecorderError."""
    movie = path.suffix == ".mp4"
    if not movie and path.suffix and not path.is_dir():
        raise RecorderError(f"{path}: a recording is an .mp4 file or a folder")
    if movie and path.is_dir():
        raise RecorderError(f"{path} is a folder, an .mp4 file cannot take its name")
    folder = path.parent if movie else path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if movie and path.exists():
            raise RecorderError(f"{path} is there already; choose another name, or remove it first")
        if movie and part_of(path).is_file():  # it can be played, and may be the song of this one
            raise RecorderError(
                f"{part_of(path)} is there already: a recording that was cut off, or one that goes "
                "on; choose another name, or move it away first"
            )
        if not movie and next(folder.glob("frame_*.png"), None):
            raise RecorderError(f"{path} has frames in it already; choose another folder")
    except OSError as error:
        raise RecorderError(f"cannot write to {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise RecorderError(f"cannot write to {folder}: no permission")


def _yield_to_the_picture() -> None:
    """On Linux a thread can be niced by itself, and the encoder's own threads inherit it."""
    if sys.platform == "linux":
        this = threading.get_native_id()
        nice = max(5, os.getpriority(os.PRIO_PROCESS, this))  # back is not allowed
        os.setpriority(os.PRIO_PROCESS, this, nice)
