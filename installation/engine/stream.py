"""Neural pictures beside the display: a thread paints the newest point, whenever it is free.

The display never waits for the network. It takes the newest picture there is and blends from the
one before, so that a slow generator looks like a slow dissolve and not like a stutter.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from installation.engine.painter import Pixels

log = logging.getLogger(__name__)

_PATIENCE = 10.0  # seconds
_REST = 1.0  # seconds without a request: nobody was looking, as in closed hours

Points = NDArray[np.float32]  # (N, width): one latent point for each scene that is on


class Paints(Protocol):
    """What a stream needs of a painter."""

    seconds: float
    to_host: bool  # pictures come back as numpy arrays, whatever made them
    toward: float  # how far it is to go to another piece, from the next picture on

    def paint(self, points: Points) -> Pixels: ...


@dataclass(frozen=True)
class Picture:
    """One result: pixels (N, S, S, 4) of the points, its number in the stream, and when it was
    ready."""

    points: Points
    pixels: Pixels
    number: int
    key: object  # what the request was for; a picture of another cast is not shown
    ready: float
    interval: float  # seconds since the picture before, smoothed: how long to blend


class Stream:
    """Paints in its own thread.

    open_painter is called in that thread, since it imports torch and reads weights, which takes
    seconds. If it fails the stream ends and `error` says why; if a single picture fails, the
    fault is logged and the next point is tried. After _PATIENCE seconds without a good one the
    painter is opened anew, and if that does not help either, the stream ends: a GPU that was lost
    comes back in a new process alone. `painter` is None where there is nobody to paint.
    """

    def __init__(
        self, open_painter: Callable[[], Paints], now: Callable[[], float] = time.perf_counter
    ) -> None:
        self._open = open_painter
        self._now = now
        self._wanted: tuple[Points, object] | None = None
        self._wake = threading.Condition()
        self._closing = False
        self.painter: Paints | None = None
        self.newest: Picture | None = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="generator", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def request(self, points: Points, key: object = None) -> None:
        """Ask for a picture of these points; an older request not yet begun is dropped."""
        with self._wake:
            self._wanted = (points, key)
            self._wake.notify()

    def close(self) -> None:
        """End the thread and wait for it: a picture that has begun is finished first."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def _run(self) -> None:
        self.painter = self._opened()
        number, interval, last, cast = 0, 0.0, self._now(), None
        failing: float | None = None  # since when
        anew = False  # the painter was, and has not painted yet
        while self.painter is not None and (wanted := self._next()) is not None:
            points, key = wanted
            rested = self._now() - last > _REST
            try:
                pixels = self.painter.paint(points)
            except Exception as error:  # noqa: BLE001 - the show goes on with the last picture
                if str(error) != str(self.error):
                    log.error("the generator failed, the last picture stays: %s", error)
                self.error = error
                failing = self._now() if failing is None else failing
                if self._now() - failing > _PATIENCE:
                    log.error("the generator does not recover%s", "" if anew else "; opened anew")
                    self.painter = None if anew else self._opened()
                    failing, anew = None, True
                continue
            now = self._now()
            failing, anew = None, False
            took, last = now - last, now
            if number <= 1:
                interval = took  # the first one also waited for somebody to ask
            elif key == cast and not rested:  # with another cast there may have been one, too
                interval = 0.8 * interval + 0.2 * took
            number, cast = number + 1, key
            self.newest = Picture(points, pixels, number, key, now, interval)

    def _opened(self) -> Paints | None:
        try:
            return self._open()
        except Exception as error:  # noqa: BLE001 - reported by whoever reads `error`
            self.error = error
            return None

    def _next(self) -> tuple[Points, object] | None:
        with self._wake:
            while self._wanted is None and not self._closing:
                self._wake.wait()
            if self._closing:
                return None
            wanted, self._wanted = self._wanted, None
            return wanted


class Inline:
    """The same interface without a thread: every request is painted at once. For rendering to a
    file, where each frame has its own picture and two runs must be the same."""

    def __init__(self, painter: Paints) -> None:
        self.painter = painter
        self.newest: Picture | None = None
        self.error: Exception | None = None

    def start(self) -> None:
        """It paints when asked; there is nothing to start."""

    def request(self, points: Points, key: object = None) -> None:
        number = 1 if self.newest is None else self.newest.number + 1
        self.newest = Picture(points, self.painter.paint(points), number, key, 0.0, 0.0)

    def close(self) -> None:
        pass
