"""A show without a window or a clock: every frame is painted, in the thread that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from installation import stage
from installation.clock import FixedClock
from installation.engine.painter import Painter
from installation.engine.stream import Inline
from installation.output.offscreen import Offscreen
from installation.programme import Options, Programme


def paint(folder: Path) -> Inline:
    return Inline(Painter(folder))


@contextmanager
def opened(
    options: Options,
    size: tuple[int, int] = (96, 64),
    fps: float = 30,
    stream_of: Callable[[Path], Inline] | None = None,
) -> Iterator[stage.Stage]:
    screen, program = Offscreen(size), Programme.of(options)

    def painted(folder: Path) -> Inline:
        return Inline(Painter(folder, kin=program.toward.get(folder)))

    made = stage.Stage(options, program, screen, stream_of or painted, FixedClock(fps))
    try:
        yield made
    finally:
        made.close()
        screen.close()


def run(show: stage.Stage, frames: int) -> np.ndarray:
    """What is seen after so many frames more: (height, width, 3), the first row at the bottom."""
    for _ in range(frames):
        show.frame()
    width, height = show.window.size
    data = show.window.screen.read(components=3, alignment=1)
    return np.frombuffer(data, np.uint8).reshape(height, width, 3).astype(int)
