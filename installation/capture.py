"""What the wall shows, kept: recordings and stills, without ever holding the picture up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import moderngl
import numpy as np

from installation.clock import Cadence
from installation.engine.readback import Readback
from installation.output.recorder import Recorder, RecorderError, Recording
from installation.still import Shown, save

log = logging.getLogger(__name__)

_STILLS = 4  # that wait to be saved; a picture is 25 MB at 4K


class Capture:
    """Takes the picture that is shown, before the wall's screens and the overlay.

    folder, name: where clips and stills of this show go.
    """

    def __init__(self, ctx: moderngl.Context, folder: Path, name: str) -> None:
        self._ctx, self._folder, self._name = ctx, folder, name
        self._recorder: Recorder | None = None
        self._readback: Readback | None = None
        self._live, self._cadence = True, Cadence(1)
        self._lead = 0  # frames still to come before the first that is kept
        self._ending: list[Recorder] = []  # stopped, their encoders still writing
        self._saver = ThreadPoolExecutor(1, "still")
        self._stills: dict[Path, Future[None]] = {}  # that are still being saved
        self._still_wanted = False
        self.fault = ""  # why what a hand wanted last (R, S) was not made, or has ended by itself
        self.dropped = 0

    @property
    def recording(self) -> bool:
        return self._recorder is not None

    @property
    def wanted(self) -> bool:
        """Whether the next frame may be kept."""
        return self.recording or self._still_wanted

    def begin(
        self, path: Path, size: tuple[int, int], fps: float, live: bool,
        sound: Path | None = None, lead: int = 0,
    ) -> None:  # fmt: skip
        """Record from now on. live: real times, frames may be dropped; else every frame is kept.
        sound: a file whose sound goes with it. lead: frames before the first that is kept.

        Raises RecorderError when the place cannot be written to.
        """
        self._recorder = Recorder(path, size, fps, sound=sound, live=live)
        self._readback = Readback(self._ctx, size)
        self._live, self._cadence, self._lead = live, Cadence(fps), lead

    def toggle(self, size: tuple[int, int], fps: float) -> None:
        """R: start a recording, or end the one that runs. A fault is said, never raised."""
        if self._recorder is not None:
            self.end()
            return
        self.fault = ""
        try:
            path = self._free(self._name, "mp4")
            self.begin(path, size, fps, live=True)
        except RecorderError as error:
            self._fail(f"no recording: {error}")
        else:
            log.info("recording to %s", path)

    def take(
        self,
        screen: moderngl.Framebuffer,
        size: tuple[int, int],
        now: float,
        shown: Callable[[], Shown | None] = lambda: None,
    ) -> None:
        """Offer this frame to the recording, if one runs and a frame is due, and to the still,
        which tells what is shown."""
        if self._still_wanted:
            self._still_wanted = False
            self._develop(screen, size, shown())
        if self._recorder is None or self._readback is None:
            return
        if self._lead > 0:
            self._lead -= 1
            return
        if self._live:
            if size != self._readback.size:
                self._fail("the window has another size now: the recording ends here")
                self.end()
                return
            if not self._recorder.recording:  # the disk is full; it has said so in the log
                self.fault = self._recorder.fault
                self.end()
                return
            if not self._cadence.takes(now):
                return
        done = self._readback.push(screen, now)
        if done is not None:
            self._hand_over(*done)

    def _hand_over(self, picture: np.ndarray, moment: float) -> None:
        assert self._recorder is not None  # noqa: S101 - only called while recording
        if self._live:
            self._recorder.offer(picture, moment)
        else:
            self._recorder.write(picture)

    def end(self) -> None:
        """Stop recording; the file is finished beside the show."""
        if self._recorder is None or self._readback is None:
            return
        for picture, moment in self._readback.flush():
            self._hand_over(picture, moment)
        self._readback.release()
        self._recorder.stop()
        self._forget_done()
        self._ending.append(self._recorder)
        self._recorder = self._readback = None

    def _forget_done(self) -> None:
        """Recordings whose files are whole need not be kept until the end of the show."""
        for recorder in [one for one in self._ending if one.done]:
            self._ending.remove(recorder)
            self.dropped += recorder.dropped

    def still(self) -> None:
        """S: save the frame that is drawn next as a PNG, beside the show."""
        self.fault, self._still_wanted = "", True

    def _develop(
        self, screen: moderngl.Framebuffer, size: tuple[int, int], shown: Shown | None
    ) -> None:
        self._stills = {path: one for path, one in self._stills.items() if not one.done()}
        if len(self._stills) >= _STILLS:
            self._fail(f"no still: {_STILLS} are still being saved")
            return
        data = screen.read(viewport=(0, 0, *size), components=3, alignment=1)
        picture = np.frombuffer(data, np.uint8).reshape(size[1], size[0], 3)[::-1]
        try:
            path = self._free(shown.card.name if shown else self._name, "png")
        except RecorderError as error:
            self._fail(f"no still: {error}")
        else:
            self._stills[path] = self._saver.submit(self._save, path, picture, shown)

    def _save(self, path: Path, picture: np.ndarray, shown: Shown | None) -> None:
        try:
            save(path, picture, shown)
        except OSError as error:
            self._fail(f"no still: {self._refused(error)}")
        else:
            log.info("still saved to %s", path)

    def _fail(self, why: str) -> None:
        self.fault = why
        log.error("%s", why)

    def _free(self, name: str, suffix: str) -> Path:
        """A name that no file has and none will have that is being written. Raises
        RecorderError."""
        writing = {*self._stills, *(one.path for one in self._ending)}
        try:
            return free_name(self._folder, name, suffix, writing)
        except OSError as error:
            raise RecorderError(self._refused(error)) from error

    def _refused(self, error: OSError) -> str:
        return f"cannot write to {self._folder}: {error.strerror or error}"

    def close(self) -> list[Recording]:
        """Finish everything that is still being written, and say what became of it.

        Raises RecorderError when a recording that was asked for on the command line has failed.
        """
        asked, live = self._recorder is not None, self._live
        self.end()
        self._saver.shutdown()
        done = [recorder.close() for recorder in self._ending]
        self.dropped += sum(one.dropped for one in done)
        self._ending.clear()
        if asked and not live and done and done[-1].failure:
            raise RecorderError(done[-1].failure)
        return done


def free_name(folder: Path, name: str, suffix: str, taken: Collection[Path] = ()) -> Path:
    """A file name that nobody has yet: name-20261121-060500.mp4. Makes the folder.

    taken: names that will be files soon.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, 10_000):
        extra = "" if number == 1 else f"-{number}"
        path = folder / f"{name}-{stamp}{extra}.{suffix}"
        if path not in taken and not path.exists():
            return path
    raise RecorderError(f"{folder} has no free name left for {name}")
