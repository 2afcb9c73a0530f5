"""The displays of this machine: which there are, and where one lies beside the other."""

from __future__ import annotations

import ctypes
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import pygame

log = logging.getLogger(__name__)

_LOOK = 2.0  # seconds between two looks for a display that is not there; each is a sign of life
_PROBE = 16  # pixels of a window that is never seen


class DisplayError(Exception):
    """No window can be opened. One line: what is missing."""


class NoDisplay(DisplayError):
    """There is no display at all."""


@dataclass(frozen=True)
class Place:
    """A rectangle of the desktop, in pixels, from its top left."""

    x: int
    y: int
    width: int
    height: int

    def within(self, whole: Place) -> tuple[float, float, float, float]:
        """Left, top, width and height, in parts of a larger one."""
        return (
            (self.x - whole.x) / whole.width,
            (self.y - whole.y) / whole.height,
            self.width / whole.width,
            self.height / whole.height,
        )


def sizes() -> list[tuple[int, int]]:
    """The size of each display in pixels. Raises NoDisplay where there is none."""
    # SDL's handlers would make of SIGTERM that somebody closed the window
    os.environ["SDL_NO_SIGNAL_HANDLERS"] = "1"
    try:
        pygame.display.init()
        found = pygame.display.get_desktop_sizes()
    except pygame.error as error:
        raise NoDisplay(f"no display to open a window on ({error})") from error
    if pygame.display.get_driver() in ("dummy", "offscreen"):
        raise NoDisplay("no display to open a window on")
    return found


def desktop() -> tuple[int, int] | None:
    """The pixels of all displays together under X11, asked anew; None elsewhere. SDL notices what
    is plugged in and out, and no other resolution of what stays."""
    x11 = _x11() if pygame.display.get_driver() == "x11" else None
    display = x11.XOpenDisplay(None) if x11 is not None else None
    if x11 is None or not display:
        return None
    screen = x11.XDefaultScreen(display)
    size = x11.XDisplayWidth(display, screen), x11.XDisplayHeight(display, screen)
    x11.XCloseDisplay(display)
    return size


@cache
def _x11() -> ctypes.CDLL | None:
    try:
        found = ctypes.CDLL("libX11.so.6")  # SDL has loaded it
    except OSError:
        return None
    found.XOpenDisplay.restype = ctypes.c_void_p
    for name in ("XDefaultScreen", "XCloseDisplay"):
        getattr(found, name).argtypes = [ctypes.c_void_p]
    for name in ("XDisplayWidth", "XDisplayHeight"):
        getattr(found, name).argtypes = [ctypes.c_void_p, ctypes.c_int]
    return found


def around(places: Sequence[Place]) -> Place:
    """The smallest rectangle that holds them all."""
    left, top = min(p.x for p in places), min(p.y for p in places)
    right, bottom = max(p.x + p.width for p in places), max(p.y + p.height for p in places)
    return Place(left, top, right - left, bottom - top)


def side_by_side(count: int) -> list[Place]:
    """So many displays of one size, for want of real ones."""
    return [Place(16 * k, 0, 16, 9) for k in range(count)]


def places(wanted: Sequence[int]) -> list[Place]:
    """Where each of these displays lies. Raises DisplayError where one is not there, or where the
    desktop does not tell. No window may be open: one that is never seen is put on each."""
    there, found = sizes(), []
    for display in wanted:
        if display >= len(there):
            raise DisplayError(f"there is no display {display}; found {len(there)}, from 0")
        # pygame tells of no display where it lies, but where a window in its middle does
        flags = pygame.NOFRAME | pygame.HIDDEN
        pygame.display.set_mode((_PROBE, _PROBE), flags, display=display)
        x, y = pygame.display.get_window_position()
        width, height = there[display]
        found.append(Place(x - (width - _PROBE) // 2, y - (height - _PROBE) // 2, width, height))
    pygame.display.quit()  # a window with OpenGL is another
    pygame.display.init()
    if len({(one.x, one.y) for one in found}) < len(found):
        raise DisplayError(
            "two displays lie in one place: they show the same, or this desktop (Wayland) does not "
            "say where they are; start with SDL_VIDEODRIVER=x11, or join them to one display in "
            "the graphics driver's settings, and give each [[screen]] an area"
        )
    return found


def await_displays(wanted: Sequence[int], waiting: Callable[[], bool]) -> bool:
    """Until these are there: a projector may be switched on after the machine, and off at night.
    waiting: asked at every look; where it says False nobody waits any more, nor does this.
    """
    told = False
    while (missing := _first_missing(wanted)) is not None:
        if not told:
            log.warning("display %d is not there; the show waits until it is switched on", missing)
            told = True
        if not waiting():
            return False
        time.sleep(_LOOK)
    return True


def _first_missing(wanted: Sequence[int]) -> int | None:
    pygame.display.quit()  # it looks for displays when it begins
    try:
        there = len(sizes())
    except NoDisplay:
        there = 0
    return next((display for display in wanted if display >= there), None)
