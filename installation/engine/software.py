"""OpenGL that draws on the processor, as Mesa's llvmpipe does where there is no GPU.

There the display and the generator share the cores, and Python's lock too: moderngl keeps it while
a driver draws, and each operation of the generator waits for it. So after every drawing the end of
it is waited for with the lock let go.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import moderngl

# Parts of the names by which drivers that draw on the processor call themselves.
_NAMES = ("llvmpipe", "softpipe", "swiftshader", "swr", "basic render", "gdi generic")
_LIBRARIES = ("libGL.so.1", "libOpenGL.so.0")  # either finds the context, a window's or EGL's


def draws_on_the_processor(renderer: str) -> bool:
    """renderer: GL_RENDERER."""
    return any(name in renderer.lower() for name in _NAMES)


def lets_go(ctx: moderngl.Context) -> Callable[[], None]:
    """What to call after a drawing: on a GPU nothing; else it waits, without Python's lock."""
    if not draws_on_the_processor(ctx.info["GL_RENDERER"]):
        return _nothing
    return _finish() or _nothing


def _nothing() -> None:
    """A GPU draws by itself."""


@cache
def _finish() -> Callable[[], None] | None:
    """OpenGL's own glFinish through ctypes, which lets go of the lock, as moderngl's does not.
    None where there is no such library: only on Linux are they known to be the driver's."""
    for name in _LIBRARIES:
        try:
            finish = ctypes.CDLL(name).glFinish
        except (OSError, AttributeError):
            continue
        finish.restype = None
        finish.argtypes = []
        return finish
    return None
