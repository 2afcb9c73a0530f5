"""A stage from beginning to end: in a window, into a file, or, with no display, in a short clip."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from installation import controls
from installation import venue as venues
from installation.capture import free_name
from installation.clock import FixedClock, WallClock
from installation.control.film import Film
from installation.control.sight import NoSight
from installation.control.song import Song
from installation.engine.looped import LoopError, close, turn_of
from installation.engine.painter import Painter
from installation.engine.stream import Inline, Stream
from installation.output.displays import NoDisplay, await_displays, sizes
from installation.output.offscreen import Offscreen
from installation.output.window import Window
from installation.programme import Options, Programme
from installation.signals import TERMINATED, ended_by_signals, status
from installation.soundtrack import SoundtrackError
from installation.stage import Stage
from installation.standby import stand_by
from installation.take import Take, TakeError
from installation.watch.health import Heart

log = logging.getLogger(__name__)

_SETTLING = 4.0  # seconds that are drawn before a film out of the middle, so that trails are there
_CLIP_SECONDS = 5  # what `play` renders when there is no display


def play(options: Options) -> int:
    """Play a piece in a window, or offscreen into a file. Returns the exit status: of a show that
    is supervised 0 is that it was closed by hand, and SIGTERM is none.

    Raises what a user can mend (PieceError, SceneError, VenueError, SetlistError, DisplayError,
    ControlError, NdiError, ShaderError, RecorderError, SoundtrackError, NoSight, LoopError,
    TakeError) before the first frame.
    """
    if options.loop:
        _check_loop(options)
    if options.take:
        _check_take(options)
    if options.start and not options.replays:
        raise TakeError("--from goes with --offscreen and --take: it is where the film begins")
    if options.offscreen:
        return _render(options)
    if options.sound:
        raise SoundtrackError("--sound FILE goes with --offscreen; live, a show hears an input")
    if options.sight:
        raise NoSight("--sight FILE goes with --offscreen; live it is `device` under [sight]")
    heart = Heart(sys.stdout if options.supervised else None)
    if options.standby:
        return stand_by(options, heart)
    if options.supervised and not await_displays(
        venues.load(options.venue).displays, lambda: heart.beat(0, resting=True)
    ):
        return TERMINATED  # whoever supervised it is gone
    try:
        stage = live(options)
    except NoDisplay as error:
        if options.names_a_display() or options.take:  # in a clip nobody does anything
            raise
        return _render_clip(options, str(error))
    try:
        stage.open()
        with ended_by_signals(stage.end) as came:
            stage.frame()  # the first picture is on the wall before torch is imported
            stage.show.start()
            while not stage.closing and stage.frames_left():
                stage.frame()
                if not heart.beat(stage.stats.neural, stage.lights.out, stage.window.misplaced):
                    stage.end()  # whoever supervised it is gone
    finally:
        stage.close()
        stage.window.close()
    return status(came) if options.supervised else 0


def live(options: Options, window: Window | Offscreen | None = None) -> Stage:
    """A stage in real time, generators beside the renderer; show.start() lets them begin."""
    program = Programme.of(options)
    if window is None:
        if not options.supervised:  # then what cannot be had is waited for
            sizes()  # without a display a clip is rendered, which listens to nobody
            controls.check(program.venue)
        window = open_window(program, options)

    def stream(folder: Path) -> Stream:
        return Stream(lambda: _painter(program, folder))

    return Stage(options, program, window, stream, WallClock())


def _painter(program: Programme, folder: Path) -> Painter:
    return Painter(folder, kin=program.toward.get(folder))


def open_window(program: Programme, options: Options) -> Window:
    """The window of this venue, and what the command line asks of it."""
    settings, card = program.venue.window, program.card
    return Window(
        f"{card.title or card.name} – installation",
        options.size or settings.size,
        fullscreen=options.fullscreen or settings.fullscreen,
        on=program.venue.displays if options.display is None else [options.display],
        vsync=settings.vsync,
        fps=settings.fps,
    )


def _render(options: Options) -> int:
    """Offscreen: a fixed clock, a picture of its own for every frame, nothing dropped. Ended on
    request, what was rendered until then is whole, and the status is not 0."""
    take = Take.read(Path(options.take)) if options.take else None
    if take:
        options = take.options(options)
    program = Programme.of(options)
    song = Song.read(Path(options.sound), options.fps) if options.sound else None
    mirror = program.venue.sight.mirror
    film = Film(Path(options.sight), options.fps, mirror) if options.sight else None
    lasts = song.frames if song else film.frames if film else 0
    before = waits = 0  # frames of a take that are not drawn, and of these without its pieces
    if take:
        take.check(program)
        first, waits, lasts = take.frames(options.start, options.fps)
        before = max(waits, first - round(_SETTLING * options.fps))
        options = replace(options, lead=first - before)
    frames = options.frames or lasts or round(_CLIP_SECONDS * options.fps)
    if options.loop:
        options = replace(options, lead=turn_of(frames, options.fps))
    with ExitStack() as last:
        screen = Offscreen(options.size or program.venue.window.size)
        last.callback(screen.close)
        clock = FixedClock(options.fps)
        stage = Stage(
            options, program, screen, lambda f: Inline(_painter(program, f)), clock,
            take.head.presets if take else None,
        )  # fmt: skip
        last.callback(stage.close)
        if options.loop:
            moments = stage.ahead(options.lead + frames)
            close(stage.show.scene, moments, stage.bus, options.lead)
        if not options.out and not options.report:
            log.warning("nothing is kept: --out FILE.mp4, or a folder, keeps the pictures")
        if program.venue.ndi.enabled:
            log.warning("by NDI a film is not sent, only a show: [ndi] does nothing here")
        last.enter_context(ended_by_signals(stage.end))
        if film:
            last.callback(film.close)
            stage.controls.watch(film)
        every = range(-before - options.lead, frames)
        for frame in tqdm(every, unit="frame", disable=not sys.stderr.isatty()):
            if stage.closing:
                return 130
            if take:
                at = frame - every.start  # in the show
                take.play(stage.bus, stage.keyboard, (at + 1) / options.fps)
                if at < before:
                    stage.skip(walks=at >= waits)
                    continue
            if song:
                song.play(stage.bus, frame)
            if film:
                film.play(stage.bus, frame)
            if frame == 0:
                stage.stats.reset()  # figures are of the film, not of what leads to it
            stage.frame()
    return 0


def _check_take(options: Options) -> None:
    """Raises TakeError for what a take does not go with."""
    for given in ("sound", "sight", "loop"):
        if getattr(options, given):
            raise TakeError(
                f"--take does not go with --{given}: a take has all that was heard and seen then"
            )


def _check_loop(options: Options) -> None:
    """Raises LoopError for what cannot be a loop."""
    if not options.offscreen:
        raise LoopError("--loop goes with --offscreen: it makes a film, as by --out loop.mp4")
    for given, name in (("--sound", options.sound), ("--sight", options.sight)):
        if name:
            raise LoopError(
                f"--loop does not go with {given}: what {name} plays does not come back to its "
                "beginning; leave one of the two out"
            )


def _render_clip(options: Options, why: str) -> int:
    """No display: say so, render a short clip and name the file."""
    program = Programme.of(options)
    out = options.out or str(free_name(Path(program.venue.record.folder), program.card.name, "mp4"))
    print(f"{why}: rendering a clip of {_CLIP_SECONDS} seconds instead", flush=True)
    size = options.size or (512, 512)
    status = _render(replace(options, offscreen=True, out=out, fps=30.0, size=size))
    print(f"the clip is {out}")
    return status
