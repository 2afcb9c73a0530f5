"""The same place to draw into without a window: for rendering to files, for tests, for CI."""

from __future__ import annotations

import math
from typing import Any

import moderngl

from installation.output.displays import DisplayError
from installation.output.window import VERSIONS, Event


class Offscreen:
    """A standalone GL 3.3+ context with one RGBA8 framebuffer; the interface of Window."""

    fullscreen = misplaced = False
    rate = math.inf  # nothing holds the frames back

    def __init__(self, size: tuple[int, int]) -> None:
        self.ctx = _context()
        self.size = size
        self._texture = self.ctx.texture(size, 4)
        self.screen = self.ctx.framebuffer([self._texture])

    def toggle_fullscreen(self) -> None:
        """There is nothing to fill."""

    def events(self) -> list[Event]:
        return []

    def swap(self) -> None:
        self.ctx.finish()

    def close(self) -> None:
        self.screen.release()
        self._texture.release()
        self.ctx.release()


def _context() -> moderngl.Context:
    """EGL where it is (Linux with no display), else the platform's own hidden context."""
    faults = []
    kinds: tuple[dict[str, Any], ...] = {"backend": "egl"}, {}
    for kind in kinds:
        for major, minor in VERSIONS:
            require = 100 * major + 10 * minor
            try:
                return moderngl.create_context(standalone=True, require=require, **kind)
            except Exception as error:  # noqa: BLE001 - glcontext raises plain Exception
                faults.append(str(error))
    raise DisplayError(
        f"no OpenGL 3.3 to draw with ({faults[0]}); on Debian or Ubuntu install "
        "libegl1 and libgl1-mesa-dri, elsewhere the graphics driver"
    )
