"""A room before the wall, drawn by code: with a camera's noise, somebody in it or nobody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from installation.control.eye import WIDTH, Eye, Seen

RATE = 15  # pictures a second
HEIGHT = 48

Picture = NDArray[np.floating]  # (HEIGHT, WIDTH), 0 to 1


def silhouette() -> NDArray[np.bool_]:
    """Somebody before the wall, (HEIGHT, WIDTH): head, shoulders, and an arm held out."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    head, neck = np.hypot(x - 32, y - 13) < 6, (np.abs(x - 32) < 3) & (y > 13) & (y < 24)
    body = (np.abs(x - 32) < 9 - np.clip(24 - y, 0, 9)) & (y > 20)
    arm = (np.abs(y - 26 - (x - 32) / 4) < 2.5) & (np.abs(x - 32) < 22)
    return head | neck | body | arm


class Room:
    """A camera's picture of it, with what stands and moves there."""

    def __init__(self, seed: int = 0) -> None:
        self._chance = np.random.default_rng(seed)
        self.walls = self._tiles(8, 0.25, 0.7)
        self._clothes = self._tiles(4, 0.05, 0.95)
        self.light, self.noise = 1.0, 0.02
        self.eye = Eye()

    def _tiles(self, size: int, low: float, high: float) -> Picture:
        drawn = self._chance.uniform(low, high, (HEIGHT // size, WIDTH // size))
        return drawn.repeat(size, 0).repeat(size, 1)

    def screen(self) -> Picture:
        """A television that is on."""
        picture = self.walls.copy()
        picture[8:16, 8:20] = self._chance.uniform(0.2, 0.6)
        return picture

    def person(self, x: float, width: int = 8, height: int = 30) -> Picture:
        """Somebody whose middle is at this column."""
        across = np.abs(np.arange(WIDTH) - x) < width / 2
        where = np.zeros((HEIGHT, WIDTH), bool)
        where[HEIGHT - height :] = across
        return np.where(where, np.roll(self._clothes, int(x), 1), self.walls)

    def dancer(self, x: int) -> Picture:
        """Somebody with a silhouette, so many columns to the right of the middle."""
        return np.where(np.roll(silhouette(), x, 1), self._clothes, self.walls)

    def watch(
        self, seconds: float, who: Callable[[int], Picture] | None = None,
        rate: float = RATE,
    ) -> list[Seen]:  # fmt: skip
        """What is seen meanwhile. who: draws the picture of a number. rate: pictures a second."""
        seen = []
        for number in range(round(seconds * rate)):
            drawn = self.walls if who is None else who(number)
            noise = self._chance.normal(0, self.noise, drawn.shape)
            picture = np.clip(drawn * self.light + noise, 0, 1) * 255
            seen.append(self.eye.see(picture.astype(np.uint8), 1 / rate))
        return seen


def film(path: Path, pictures: list[Picture], rate: int = RATE) -> Path:
    """A movie of these pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = pictures[0].shape
        stream.bit_rate = 4_000_000
        for picture in pictures:
            grey = (picture.clip(0, 1) * 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, "gray")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return path
