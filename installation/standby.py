"""What is on the wall while no show will start: a picture that needs no piece, scene or torch."""

from __future__ import annotations

import logging
import signal

import shaders
from installation import venue as venues
from installation.clock import WallClock
from installation.engine.compose import Present
from installation.engine.programs import Program
from installation.engine.textures import Target
from installation.output.displays import await_displays
from installation.output.window import Window
from installation.programme import Options
from installation.signals import TERMINATED, ended_by_signals, status
from installation.tables import Venue
from installation.venue import VenueError
from installation.watch.health import Heart
from installation.watch.lights import Lights
from installation.watch.schedule import Hours

log = logging.getLogger(__name__)

_FPS = 30  # it moves slowly


def stand_by(options: Options, heart: Heart) -> int:
    """Show it until it is ended. Returns the exit status, 0 where it was closed by hand. Raises
    DisplayError or ShaderError."""
    try:
        venue = venues.load(options.venue)
    except VenueError as error:
        log.error("%s; the first display is taken", error)
        venue = Venue()
    settings = venue.window
    if not await_displays(venue.displays, lambda: heart.beat(0, resting=True)):
        return TERMINATED
    window = Window(
        "installation",
        options.size or settings.size,
        fullscreen=options.fullscreen or settings.fullscreen,
        on=venue.displays,
        vsync=settings.vsync,
        fps=_FPS,
    )
    try:
        came = _draw(window, Lights(Hours.parse(venue.hours)), heart)
    finally:
        window.close()
    return status(came)


def _draw(window: Window, lights: Lights, heart: Heart) -> list[signal.Signals]:
    """Until it is ended. Returns the signals that ended it."""
    picture, present = Target(window.ctx, window.size), Present(window.ctx)
    program = Program(window.ctx, shaders.load("output/waiting"))
    clock, seconds = WallClock(), 0.0
    try:
        with ended_by_signals(lambda: None) as came:
            while not came:
                dt = clock.tick()
                seconds += dt
                lights.follow(dt)
                if any(event.kind == "quit" for event in window.events()):
                    break
                picture = picture.resized(window.size)
                program.draw(picture.framebuffer, {}, time=seconds, dt=dt)
                present.render(picture.texture, window.screen, seconds, lights.level)
                window.swap()
                if not heart.beat(0, resting=True, misplaced=window.misplaced):
                    break
    finally:
        for part in (program, present, picture):
            part.release()
    return came
