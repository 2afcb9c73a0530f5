"""The window on the wall: pygame opens it, moderngl draws into it.

Nothing here knows what is drawn. Keys come out by name, so that the keyboard control needs no
pygame either.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import moderngl
import pygame

from installation.output import displays
from installation.output.displays import DisplayError, Place

log = logging.getLogger(__name__)

VERSIONS = ((4, 3), (3, 3))
"""Of OpenGL: the first that is given. 3.3 is enough, but asked for that NVIDIA's driver gives no
more, and compute shaders are out of reach."""

_LOOK = 5.0  # seconds between two looks for another resolution

_MODIFIERS = (
    ("shift", pygame.KMOD_SHIFT),
    ("ctrl", pygame.KMOD_CTRL),
    ("alt", pygame.KMOD_ALT),
    ("meta", pygame.KMOD_META),
)


@dataclass(frozen=True)
class Event:
    """What the window has to say: a key by its name, a wish to close, another size.

    repeated: the key is being held down and this is not the first of it.
    """

    kind: Literal["key", "quit", "resize"]
    key: str = ""
    modifiers: frozenset[str] = frozenset()
    repeated: bool = False


def key_name(key: int) -> str:
    """As the keyboard's table has it; a digit is one, also on the number pad ("[1]")."""
    return re.sub(r"^\[(.)\]$", r"\1", pygame.key.name(key)).replace("page ", "page")


class Window:
    """A GL 3.3+ core window.

    on: the displays that it fills in fullscreen, from 0; size, in pixels, is what it has otherwise.
    hidden: never seen, to ask what OpenGL there would be. Raises DisplayError.
    """

    def __init__(
        self,
        title: str,
        size: tuple[int, int],
        *,
        fullscreen: bool = False,
        on: Sequence[int] = (0,),
        vsync: bool = True,
        fps: float = 60,
        hidden: bool = False,
    ) -> None:
        self._places = self._look(on, fullscreen)
        pygame.font.init()
        self._hidden = hidden
        self._title, self._windowed_size = title, size
        self._on, self._vsync, self._fps = tuple(on), vsync, fps
        self.fullscreen = self._began_fullscreen = fullscreen
        self._versions: Sequence[tuple[int, int]] = VERSIONS
        self._open()
        self._found, self._others = pygame.display.get_desktop_sizes(), False
        self._desktop, self._looked = displays.desktop(), time.monotonic()
        self.ctx = moderngl.create_context(require=330)
        self._deadline = time.perf_counter()
        self._paced = not self._vsync
        self._swaps: list[float] = []
        self._down: set[int] = set()
        pygame.key.set_repeat(350, 40)
        pygame.display.set_allow_screensaver(False)

    @staticmethod
    def _look(on: Sequence[int], fullscreen: bool) -> list[Place]:
        """Where the displays lie, where there are several and it is to fill them all."""
        found = displays.sizes()
        missing = [display for display in on if display >= len(found)]
        if len(on) == 1 or (missing and not fullscreen):  # a rehearsal, at home
            if on[0] >= len(found):
                raise DisplayError(f"there is no display {on[0]}; found {len(found)}, from 0")
            return []
        return displays.places(on)

    def areas(self, screens: int) -> list[tuple[float, float, float, float]]:
        """What of the window each of its displays shows: left, top, width, height, in parts. Where
        it does not fill so many, at a rehearsal, they lie side by side."""
        lie = self._places if len(self._places) == screens else displays.side_by_side(screens)
        return [place.within(displays.around(lie)) for place in lie]

    def _open(self) -> None:
        flags, at = pygame.OPENGL | pygame.DOUBLEBUF, None
        if self.fullscreen:
            # a borderless window of the display's own size: SDL's FULLSCREEN may change the mode,
            # and does not reach every second display, nor two
            flags |= pygame.NOFRAME
            sizes = pygame.display.get_desktop_sizes()
            size = sizes[self._on[0]] if self._on[0] < len(sizes) else sizes[0]
            if self._places:
                whole = displays.around(self._places)
                size, at = (whole.width, whole.height), (whole.x, whole.y)
        else:
            size = self._windowed_size
            flags |= pygame.RESIZABLE
        if self._hidden:
            flags |= pygame.HIDDEN
        fault = self._set_mode(size, flags)
        if fault is not None and self._vsync:
            self._vsync = False
            fault = self._set_mode(size, flags)
            if fault is None:
                log.warning("the display gives no vsync; frames are paced by the clock instead")
        if fault is not None:
            raise DisplayError(f"no OpenGL window could be opened ({fault})") from fault
        if at is not None:
            pygame.display.set_window_position(at)
        rates = pygame.display.get_desktop_refresh_rates()  # asked once: a display may go away
        self._refresh = float(rates[self._on[0]]) if self._on[0] < len(rates) else 0.0
        pygame.display.set_caption(self._title)
        pygame.mouse.set_visible(not self.fullscreen)

    def _set_mode(self, size: tuple[int, int], flags: int) -> pygame.error | None:
        """Open it with the first version of OpenGL that there is; what was wrong with the last."""
        attribute, fault = pygame.display.gl_set_attribute, None
        attribute(pygame.GL_CONTEXT_PROFILE_MASK, pygame.GL_CONTEXT_PROFILE_CORE)
        attribute(pygame.GL_CONTEXT_FORWARD_COMPATIBLE_FLAG, 1)
        for major, minor in self._versions:
            attribute(pygame.GL_CONTEXT_MAJOR_VERSION, major)
            attribute(pygame.GL_CONTEXT_MINOR_VERSION, minor)
            try:
                pygame.display.set_mode(size, flags, display=self._on[0], vsync=int(self._vsync))
            except pygame.error as error:
                fault = error
            else:
                self._versions = ((major, minor),)  # one that is refused would cost the context
                return None
        return fault

    @property
    def size(self) -> tuple[int, int]:
        """The drawable size in pixels."""
        width, height = pygame.display.get_window_size()
        return max(1, width), max(1, height)

    @property
    def rate(self) -> float:
        """Frames a second that can be seen here at most: the display's, or the clock's."""
        return self._fps if self._paced else self._refresh or self._fps

    @property
    def misplaced(self) -> bool:
        """It was opened to fill displays, and these are others since, or one of them has been
        away: SDL leaves the window as and where it was."""
        return self.fullscreen and self._others and max(self._on) < len(self._found)

    @property
    def screen(self) -> moderngl.Framebuffer:
        """The window's own framebuffer."""
        screen = self.ctx.detect_framebuffer(0)
        screen.viewport = (0, 0, *self.size)
        return screen

    def toggle_fullscreen(self) -> None:
        """Fill the display, or go back; the GL context and everything in it stay."""
        self.fullscreen = not self.fullscreen
        if self._began_fullscreen or self._places:
            self._open()  # SDL takes it for a window that has yet to fill the display
        else:
            pygame.display.toggle_fullscreen()  # on the display to which the window was moved
        pygame.mouse.set_visible(not self.fullscreen)

    def events(self) -> list[Event]:
        """What happened since the last call."""
        before, self._found = self._found, pygame.display.get_desktop_sizes()
        self._others = self._others or self._found != before or self._is_another_desktop()
        out = []
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                out.append(Event("quit"))
            elif event.type == pygame.KEYDOWN:
                held = frozenset(name for name, bit in _MODIFIERS if event.mod & bit)
                out.append(Event("key", key_name(event.key), held, event.key in self._down))
                self._down.add(event.key)
            elif event.type == pygame.KEYUP:
                self._down.discard(event.key)
            elif event.type == pygame.WINDOWFOCUSLOST:  # the keys come up somewhere else
                self._down.clear()
            elif event.type in (pygame.VIDEORESIZE, pygame.WINDOWSIZECHANGED):
                out.append(Event("resize"))
        return out

    def _is_another_desktop(self) -> bool:
        if time.monotonic() - self._looked < _LOOK:
            return False
        self._looked = time.monotonic()
        return displays.desktop() != self._desktop

    def swap(self) -> None:
        """Show what was drawn; returns when it is time for the next frame."""
        pygame.display.flip()
        if self._paced:
            self._deadline = max(
                self._deadline + 1 / self._fps, time.perf_counter() - 1 / self._fps
            )
            wait = self._deadline - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
        else:
            self._watch_vsync()

    def _watch_vsync(self) -> None:
        """Some drivers accept vsync and do not wait: seen over 30 swaps, the clock takes over."""
        self._swaps.append(time.perf_counter())
        if len(self._swaps) < 30:
            return
        mean = (self._swaps[-1] - self._swaps[0]) / (len(self._swaps) - 1)
        if mean < 0.8 / max(self._refresh, self._fps):
            log.info("vsync does not hold frames back here; frames are paced by the clock")
            self._paced, self._deadline = True, time.perf_counter()
        self._swaps.clear()

    def close(self) -> None:
        self.ctx.release()
        pygame.quit()
