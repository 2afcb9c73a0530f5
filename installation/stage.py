"""The only composition root: every part of the house is made and joined here, and nowhere else.

controls ─▶ Bus ─▶ Scene ─▶ latent point ─▶ generator ─▶ upscaler ─▶ passes ─▶ mix ─▶ window
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from installation import focus, report
from installation.broadcast import Broadcast
from installation.capture import Capture
from installation.clock import Clock, Frame, Senses, Tempo
from installation.control.keyboard import Keyboard
from installation.controls import Controls
from installation.desk import Desk
from installation.engine.painter import Painter
from installation.engine.player import Player
from installation.engine.show import Show
from installation.engine.stream import Inline, Stream
from installation.engine.wall import picture_size
from installation.evening import Evening
from installation.fired import in_turn
from installation.house import House, declare_all
from installation.memory import Memory
from installation.modulation import Modulations
from installation.names import slugs
from installation.news import News
from installation.output.offscreen import Offscreen
from installation.output.window import Window
from installation.pace import Pace
from installation.parameters import Bus
from installation.presets import Preset, Presets
from installation.preview import Preview
from installation.programme import Options, Programme, own_shaders, watched
from installation.rehearsal import FileWatch
from installation.report import FrameStats
from installation.scene import SceneError
from installation.screens import screens
from installation.sources import VENUE
from installation.still import Shown
from installation.take import Writer
from installation.watch.lights import Lights
from installation.watch.schedule import Hours

_REST = 0.1  # seconds more from frame to frame while the house is closed


class Stage:
    """One performance: the frame loop and what the controls ask of it. presets: in the stead of
    those in the venue's file."""

    closing = False
    _writer: Writer | None = None  # of a take, from open() on

    def __init__(
        self, options: Options, program: Programme, window: Window | Offscreen,
        stream_of: Callable[[Path], Stream | Inline], clock: Clock,
        presets: Sequence[Preset] | None = None,
    ) -> None:  # fmt: skip
        venue, order = program.venue, program.order
        self.options, self.program, self.venue, self.order = options, program, venue, order
        self.window, self._clock, self.tempo = window, clock, Tempo(follows=not options.replays)
        self.bus, self.house, self.senses = Bus(), House(), Senses()
        self._screens = screens(venue.screen, program.masks, window)
        self._scene_files = declare_all(self.bus, program)
        self._pieces = dict(zip(slugs(program.cards), program.cards, strict=True))
        self.house.bind(self.bus, "stage")
        self.tempo.bind(self.bus, "clock")
        self.senses.bind(self.bus)
        settings = venue.window
        self.stats, self._pace = FrameStats(), Pace(settings.picture, settings.least_fps)
        self.lights = Lights(Hours.parse(venue.hours if options.supervised else {}))
        seed = venue.play.seed if options.seed is None else options.seed
        slowest = 1 / min(settings.least_fps, window.rate)
        players = {
            name: Player(
                window.ctx, program.cards[name], stream_of(folder), seed, slowest,
                program.chosen.get(name, ()),
            )
            for name, folder in program.pieces.items()
        }  # fmt: skip
        self.show = Show(window.ctx, self.bus, players, self._canvas(), self.stats, self._screens)
        self.keyboard = Keyboard(self.bus, self.scene_names)
        self.modulations = Modulations(self.bus, seed)
        self._desk = Desk(window, self.keyboard, self.modulations, settings.overlay)
        self._preview, self._broadcast = Preview(window.ctx), Broadcast(window.ctx, venue.ndi)
        title = program.card.title or program.card.name
        self.controls = Controls(
            self.bus, venue, title, self._preview.jpeg, patient=options.supervised
        )
        self._capture = Capture(window.ctx, Path(venue.record.folder), program.card.name)
        reloads = venue.rehearsal.reload and not options.offscreen  # a film is of one state of them
        self._watch = FileWatch(watched(self._scene_files.values(), order) if reloads else [])
        self._last = time.perf_counter()
        first = options.scene or venue.play.scene
        hold = bool(first) or not venue.play.advance or options.loop
        self._evening = Evening(program, self.show, self.modulations, hold, self._scene_changed)
        program.check(self.bus, options.venue)
        for address, value in venue.parameters.items():
            self.bus.post(address, value, VENUE)
        # without a glide to them; the first entry goes back to these when it is over
        self.bus.tick(math.inf)
        kept = "" if options.offscreen else venue.play.presets
        self._presets = Presets(
            self.bus, self.modulations, self._evening, self._scene_files, kept, presets
        )
        self._memory = Memory(
            options.memory, self.bus, self.modulations, self._evening, self._presets, self.lights
        )
        self._memory.take_up(self._scene_files, first)
        self.bus.tick(math.inf)  # nor to what the first entry sets, or a show that crashed had
        self._scene_changed()
        if options.out:
            self._record(options)

    @property
    def scene_names(self) -> list[str]:
        return list(self._scene_files)

    def _record(self, options: Options) -> None:
        """What was asked for on the command line."""
        live = not options.offscreen
        fps = self.venue.record.fps if live else options.fps
        sound = Path(options.sound) if options.sound else None
        path, size = Path(options.out), self._picture_size
        self._capture.begin(path, size, fps, live, sound, options.lead)

    @cached_property
    def news(self) -> News:
        return News(
            self.show, self._evening, self._presets, self.modulations, self.controls,
            self._capture, self.lights, self._pieces,
        )  # fmt: skip

    def open(self) -> None:
        """Let the room in. Raises ControlError, NdiError, VenueError for what was learned, or
        TakeError."""
        if self.options.take:
            known = self._presets.known
            self._writer = Writer(Path(self.options.take), self.program, self.options, known)
        self.controls.open()
        self._broadcast.open(patient=self.options.supervised)

    def end(self) -> None:
        """Close the house after this frame."""
        self.closing = True

    def frames_left(self) -> bool:
        return self.options.frames is None or self.stats.frames < self.options.frames

    def _go_on(self) -> float:
        """What the room said since the frame before; returns how long ago that was, in seconds."""
        dt = self._clock.tick()
        self._take_events()
        fired = self.bus.tick(dt)
        self.modulations.take()  # as values: what is carried out finds all as it stands now
        for address in in_turn(fired, self._presets.storing):
            self._happened(address)
        self.lights.follow(dt)
        # while the house is closed the setlist waits, but what a hand asks for is done
        self._evening.follow(0.0 if self.lights.out else dt)
        self._presets.follow(dt)
        self._memory.keep(dt)
        self.controls.keep(dt, self.news.all)
        return dt

    def skip(self, walks: bool) -> None:
        """One frame that is not seen, of a film that begins later. walks: the scenes do; else the
        show still waits for its pieces."""
        moment = self._moment(self._go_on())
        if walks:
            self.show.step(moment, seen=False)

    def frame(self) -> None:
        """One frame, from what the room said to what the wall shows."""
        dt = self._go_on()
        if self.lights.out:
            self._rest()
            return
        self._reload(self._watch.changed())
        moment = self._moment(dt)
        self.show.shade.show(self.controls.shade)
        self.show.step(moment)
        picture = self.show.render(moment)
        bright = self.show.brightness(self.lights.level)
        self._preview.offer(picture, moment.time, bright)
        self._broadcast.offer(picture, moment.time, bright)
        shown = self.show.present(
            picture, self.window.screen, moment, self.lights.level, keep=self._capture.wanted
        )
        self._capture.take(shown, self._picture_size, moment.time, self._shown)
        if self._writer is not None:
            self._writer.note(dt, self.bus, self.keyboard.selected, self.show.walks)
            self._writer.recording(self._capture.recording)
        self._desk.draw(self.show, self.news.first)
        self.window.swap()
        self._count()

    def _moment(self, dt: float) -> Frame:
        """What the scenes are told; what moves by itself has been moved to there."""
        moment = self.senses.tell(self.tempo.frame(dt))
        moment = replace(moment, guide=self.controls.guide)
        self.modulations.follow(moment)
        return moment

    def ahead(self, frames: int) -> Iterator[Frame]:
        """So many frames of which nothing is drawn: each is there while it is given."""
        for _ in range(frames):
            dt = self._clock.tick()
            self.bus.tick(dt)
            yield self._moment(dt)

    def _shown(self) -> Shown | None:
        """What the picture shows, of the scene that is on or coming on."""
        point = self.show.scene.shown
        return None if point is None else Shown(self.show.player.card, point)

    def _rest(self) -> None:
        """A frame while the house is closed: dark, and nothing is painted, but all that this needs
        is made ready for the opening."""
        ready = self.show.warm()
        self.window.screen.clear()
        self.window.swap()
        self._broadcast.rest()
        if ready:  # not before: upscalers are timed, and a GPU that rests is slow
            time.sleep(_REST)
        self._last = time.perf_counter()

    def _count(self) -> None:
        now = time.perf_counter()
        if not self.show.waiting:  # figures are of the piece, not of the wait for it
            self.stats.frame(now - self._last)
            asked = self.options.size is not None  # then exactly that size is drawn
            if not asked and self._pace.frame(now - self._last, self.window.rate):
                self.show.hurried = not self._pace.whole
                self.show.resize(self._canvas())
        self._last = now

    def _take_events(self) -> None:
        events = self.window.events()
        for event in events:
            if event.kind == "quit":
                self.end()
            elif event.kind == "resize":
                self.show.resize(self._canvas())
        self.keyboard.take(event for event in events if event.kind == "key")

    @property
    def _picture_size(self) -> tuple[int, int]:
        """Of a picture that the window shows pixel by pixel."""
        return picture_size(self._screens, self.window.size)

    def _canvas(self) -> tuple[int, int]:
        """The picture's size: the wall's shape, no longer than venue and machine allow."""
        width, height = self._picture_size
        if self.options.offscreen or self.options.size is not None:
            return width, height
        return self._pace.size(width, height)

    def _happened(self, address: str) -> None:
        """A trigger was fired."""
        owner, _, name = address.rpartition("/")
        if owner == "/stage/scene":
            self._evening.scene(self._scene_files[name], self.house.fade)
        elif owner == "/stage/piece":
            self._evening.piece(self._pieces[name], self.house.fade)
        elif owner == "/preset":
            self._presets.press(name)
        elif owner == "/modulation":
            self.modulations.press(name, self.keyboard.selected, self.bus.moved_by(address))
        match address:
            case "/stage/next":
                self._evening.next()
            case "/stage/next_piece":
                self._evening.next_piece(self.house.fade)
            case "/stage/record":
                self._capture.toggle(self._picture_size, self.venue.record.fps)
            case "/stage/still":
                self._capture.still()
            case "/stage/overlay":
                self._desk.on = not self._desk.on
            case "/stage/black":
                self.lights.switched_off = not self.lights.switched_off
            case "/stage/fullscreen":
                self.window.toggle_fullscreen()
            case "/stage/learn":
                self.controls.learn(self.keyboard.selected)
            case "/stage/quit":
                self.end()

    def _scene_changed(self) -> None:
        """Another one is on, or its file was saved, with other parameters."""
        self.bus.lead(focus.meant(self.bus, self.show.scene.name, self.scene_names))
        self.controls.refresh()

    def _reload(self, saved: list[Path]) -> None:
        for path in saved:
            if path.suffix == ".py":
                self.show.reload_scene(path)
                with suppress(SceneError):  # what is wrong is said where it is put on
                    self._watch.add(own_shaders(str(path)))
            else:
                self.show.reload_shaders()
        if saved:
            self._evening.look_again()
            self._scene_changed()

    def report(self) -> dict[str, object]:
        """The frame statistics of this show, with the fields of --report."""
        player = self.show.player
        painter = player.stream.painter
        return self.stats.report(
            host_copy=player.host_copy,
            device=painter.device_name if isinstance(painter, Painter) else "none",
            renderer=self.window.ctx.info["GL_RENDERER"],
            size=list(self.window.size),
            upscaler=player.upscaler.report() if player.upscaler is not None else None,
        )

    def close(self) -> None:
        """Finish the recording, write the report, close the ports, free the GPU; each of them also
        where one before it fails."""
        with ExitStack() as last:
            for part in (self.show, self._preview, self._broadcast, self._desk):
                last.callback(part.release)
            last.callback(self.controls.close)
            if self._writer is not None:
                last.callback(self._writer.close)
            try:
                self._capture.close()
            finally:
                self.stats.dropped += self._capture.dropped
                if self.options.report:
                    report.write(Path(self.options.report), self.report())
