"""Pictures back from the GPU, some frames late, so that nobody waits for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import moderngl
import numpy as np
from numpy.typing import NDArray

from installation.engine.textures import Size

Picture = NDArray[np.uint8]  # (height, width, channels), first row at the top


class Readback:
    """A ring of pixel buffers. A picture pushed now comes out `depth` pushes later.

    The copy into a pixel buffer runs on the GPU beside the next frames; by the time it is mapped
    it has long been done, and the render loop does not stall. channels: 3 for RGB, 4 for RGB with
    one that says nothing.
    """

    def __init__(
        self, ctx: moderngl.Context, size: Size, depth: int = 2, channels: int = 3
    ) -> None:
        self._size, self._channels = size, channels
        self._free = [ctx.buffer(reserve=size[0] * size[1] * 4) for _ in range(depth + 1)]
        self._pending: deque[tuple[moderngl.Buffer, float]] = deque()

    @property
    def size(self) -> Size:
        return self._size

    def push(self, source: moderngl.Framebuffer, time: float) -> tuple[Picture, float] | None:
        """Begin to copy what was drawn into an RGBA8 target or the window, of this ring's size.

        Returns the oldest picture and its time once the ring is full, None before.
        """
        if source.viewport[2:] != self._size:  # a window's width and height are those it began with
            raise ValueError(f"reads back {self._size}, was given {source.viewport[2:]}")
        buffer = self._free.pop()
        source.read_into(buffer, viewport=(0, 0, *self._size), components=4, alignment=1)
        self._pending.append((buffer, time))
        return None if self._free else self._oldest()

    def flush(self) -> Iterator[tuple[Picture, float]]:
        """The pictures still under way, in order. Waits for them."""
        while self._pending:
            yield self._oldest()

    def _oldest(self) -> tuple[Picture, float]:
        buffer, time = self._pending.popleft()
        width, height = self._size
        rows = np.frombuffer(buffer.read(), np.uint8).reshape(height, width, 4)
        self._free.append(buffer)
        return rows[::-1, :, : self._channels], time

    def release(self) -> None:
        for buffer in (*self._free, *(buffer for buffer, _ in self._pending)):
            buffer.release()
        self._free.clear()
        self._pending.clear()
