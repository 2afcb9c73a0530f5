"""The road from latent point to screen: generator, upscaler, passes, mix, present.

A show knows neither a window nor a socket: it draws into the framebuffer that it is given. Before
the first neural picture, and if the generator fails, it shows shaders/output/waiting.glsl.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import moderngl

import shaders
from installation.clock import Frame
from installation.engine.layer import Layer
from installation.engine.mix import Mixer
from installation.engine.player import Player
from installation.engine.programs import Program
from installation.engine.projection import Projection
from installation.engine.resize import carry_over
from installation.engine.shade import Shade
from installation.engine.textures import Size, Target
from installation.engine.wall import Screen
from installation.parameters import Bus, Param, Parameters
from installation.report import FrameStats
from installation.scene import scene_name
from shaders import ShaderError

log = logging.getLogger(__name__)

_SAMPLED = 20  # every so many frames the stations of the path are timed one by one
_FIRST_FADE = 2.0  # seconds from the waiting picture to the piece


class Light(Parameters):
    """What the house can always do to the picture."""

    brightness = Param(1, 0, 1, glide=0.3, doc="The whole picture; 0 is dark.")
    sharpen = Param(1, 0, 1.5, glide=0.3, doc="Strength of the upscaler; 0 is a plain resize.")
    steady = Param(0, 0, 1, unit="s", doc="Averages the upscaler's detail where nothing moves.")


class Show:
    """Everything on stage. players: the pieces by name, the first one where nothing is said; size:
    of the picture that is drawn, in pixels; screens: that share the window."""

    def __init__(
        self,
        ctx: moderngl.Context,
        bus: Bus,
        players: Mapping[str, Player],
        size: Size,
        stats: FrameStats | None = None,
        screens: Sequence[Screen] = (Screen(),),
    ) -> None:
        self.ctx, self.bus, self.players, self.size = ctx, bus, dict(players), size
        self.stats = stats or FrameStats()
        self.layers: list[Layer] = []  # what is on; two while one gives way to the other
        self.hurried = False  # this machine is slow: nothing that only smoothes
        self._progress, self._fade = 1.0, _FIRST_FADE
        self._mixer, self._projection = Mixer(ctx, size), Projection(ctx, bus, screens)
        self._still: Target | None = None  # what a transition cut short had come to
        self.shade = Shade(ctx)  # of those before the wall
        self._waiting, self._dark = Program(ctx, shaders.load("output/waiting")), Target(ctx, size)
        self.walks = False  # all pieces are there, and scenes step
        self._opened = False  # the waiting picture has given way
        self._now, self._frame = 0.0, Frame(0, 0.0, 0.0, 0.0)
        self._sampling = False

    @property
    def scene(self) -> Layer:
        """The scene that is on, or coming on."""
        return self.layers[-1]

    @property
    def player(self) -> Player:
        """The piece that is on, or coming on."""
        return self.scene.player if self.layers else next(iter(self.players.values()))

    @property
    def waiting(self) -> bool:
        """True until the piece's first picture has arrived."""
        return not self._opened

    def start(self) -> None:
        """Let the pieces be opened, beside the renderer."""
        for player in self.players.values():
            player.stream.start()

    def cue(
        self, file: str, transition: str = "mix/dissolve", fade: float = 0.0, piece: str = ""
    ) -> None:
        """Put on a scene over `fade` seconds, on a piece by name or, where it is not named or had
        to be left out, the one that is on. A transition that is under way is cut short, and the
        new one begins from the picture that it had come to.

        Raises SceneError or ShaderError, and then nothing has changed. Where it is the transition
        that is broken, the one before it serves instead.
        """
        player = self.players.get(piece, self.player)
        layer = Layer(self.ctx, self.bus, player, file, self.size, self.shade)
        mixer = self._mixer_of(transition)
        if not self._opened:
            self._leave(self.layers)  # never seen: the waiting picture is still on
        elif self._progress < 1 or not self.scene.ready:
            self._hold()
            self._leave(self.layers)
        if mixer is not self._mixer:
            self._mixer.release()
            self._mixer = mixer
        for other in self.layers:
            other.leave()
        self.layers.append(layer)
        if self._opened:
            self._progress, self._fade = 0.0, fade

    def try_out(self, file: str, piece: str = "") -> None:
        """See whether a scene would start, as by cue(). Raises SceneError or ShaderError."""
        player = self.players.get(piece, self.player)
        Layer(self.ctx, self.bus.copy(), player, file, self.size, self.shade).release()

    def _mixer_of(self, transition: str) -> Mixer:
        """The last one that works, where its shader was broken since the show was opened."""
        try:
            return Mixer(self.ctx, self.size, transition)
        except ShaderError as error:
            log.error("%s; the transition is %s, as it last was", error, self._mixer.name)
            return self._mixer

    def _hold(self) -> None:
        """Keep the picture of this moment, to go on from it."""
        now = self.render(replace(self._frame, dt=0.0))
        still = Target(self.ctx, self.size)
        drawn = self.ctx.framebuffer([now])
        self.ctx.copy_framebuffer(still.framebuffer, drawn)
        drawn.release()
        self._let_go()
        self._still = still

    def _let_go(self) -> None:
        if self._still is not None:
            self._still.release()
            self._still = None

    def _leave(self, layers: Sequence[Layer]) -> None:
        for layer in list(layers):
            self.layers.remove(layer)
            layer.release()

    def warm(self) -> bool:
        """Make the scenes that are on and all pieces ready, one shader a call, while nothing of
        them is seen yet: nothing stutters when the next is put on. True when all pieces are."""
        for layer in self.layers:
            layer.warm(whole=layer.player.at_once)
        return all(player.warm(min(self.size)) for player in self.players.values())

    def step(self, frame: Frame, seen: bool = True) -> None:
        """Walk, ask for the next neural picture, and take in the newest one there is; of frames
        that are not seen none is asked for."""
        self._now, self._frame = time.perf_counter(), frame
        self._sampling = frame.index % _SAMPLED == 0
        if not self.warm():
            return
        self.walks = True
        for player in self.players.values():
            layers = [layer for layer in self.layers if layer.player is player]
            if layers:
                player.request(frame, layers, seen)
                self._take(player)
        self._advance(frame.dt)

    def forget(self, name: str) -> None:
        """Go on without a piece that cannot be painted, and without what still shows it; another
        must be on, or coming on."""
        player = self.players.pop(name)
        left = [layer for layer in self.layers if layer.player is player]
        if left and self._opened:
            self._progress = 1.0  # there is nothing that it could come after
        self._leave(left)
        player.release()

    def _take(self, player: Player) -> None:
        """The newest picture of a piece, if there is a new one."""
        news = player.news()
        if news is None:
            return
        picture, painted = news
        self.stats.neural += painted
        assert player.stream.painter is not None  # noqa: S101 - it has painted
        self.stats.stage("generator", player.stream.painter.seconds)
        player.hand_out(picture, self.layers, self.bus, self._frame.time, self._timed)

    def _advance(self, dt: float) -> None:
        """Let transitions go on; the old scene leaves when the new one is fully there."""
        if not self.layers[-1].ready:
            return
        if self._progress < 1:
            self._progress = 1.0 if self._fade <= 0 else min(1.0, self._progress + dt / self._fade)
        if self._progress >= 1:
            self._leave(self.layers[:-1])
            self._let_go()
        if not self._opened:
            self._opened, self._fade = True, _FIRST_FADE
            self._progress = 1.0 if self.scene.player.at_once else 0.0  # then nobody has waited

    def render(self, frame: Frame) -> moderngl.Texture:
        """The picture of this frame: linear light, half float, `size`."""
        with self._timed("post"):
            if not self.scene.ready:
                return self._before(frame)
            picture = self.scene.render(self._now, frame)
            if self._progress >= 1:
                return picture
            return self._mixer.render(self._before(frame), picture, self._progress, frame.time)

    def _before(self, frame: Frame) -> moderngl.Texture:
        """What the scene that is on has come after, and what is seen until it is ready."""
        if len(self.layers) > 1:
            return self.layers[0].render(self._now, frame)
        return self._wait(frame) if self._still is None else self._still.texture

    def _wait(self, frame: Frame) -> moderngl.Texture:
        self._waiting.draw(self._dark.framebuffer, {}, time=frame.time, dt=frame.dt)
        return self._dark.texture

    def present(
        self,
        picture: moderngl.Texture,
        into: moderngl.Framebuffer,
        frame: Frame,
        lights: float = 1.0,
        keep: bool = False,
    ) -> moderngl.Framebuffer:
        """Encode the picture once, dithered, into a window or file's framebuffer. lights: of the
        house, 0 to 1. Returns, where it is to be kept, the picture as it is without the screens."""
        way = (frame.time, self.brightness(lights), self.hurried)
        self._projection.present(picture, into, *way)
        return self._projection.kept(picture, into, *way) if keep else into

    def brightness(self, lights: float) -> float:
        """Of the picture as it is shown, 0 to 1, by the house's lights and the fader."""
        return lights * self.bus.value("/light/brightness")

    def resize(self, size: Size) -> None:
        """Draw at another size from now on."""
        if size == self.size:
            return
        self.size = size
        self._dark.release()
        self._dark = Target(self.ctx, size)
        self._mixer.resize(size)
        self._resize_still()
        for layer in self.layers:
            layer.resize(size)

    def _resize_still(self) -> None:
        """What is held stays on: what comes after it may not be ready yet."""
        if self._still is None:
            return
        old, self._still = self._still, Target(self.ctx, self.size)
        carry_over(self.ctx, old, self._still)
        old.release()

    def reload_scene(self, path: Path) -> None:
        """A scene's file was saved: those of it that are on take it up."""
        for layer in self.layers:
            if scene_name(path.name) == layer.name:
                layer.reload()

    def reload_shaders(self) -> None:
        """A shader's file was saved: every pass that uses it takes it up, and the transition."""
        told = [line for layer in self.layers for line in layer.reload_shaders()]
        for line in [*told, self._mixer.reload()]:
            if line:
                log.info("%s", line)

    @contextmanager
    def _timed(self, stage: str, tell: Callable[[float], None] | None = None) -> Iterator[None]:
        """Time a station to its end on the GPU; only now and then, since waiting costs time."""
        if not self._sampling:
            yield
            return
        self.ctx.finish()
        started = time.perf_counter()
        yield
        self.ctx.finish()
        seconds = time.perf_counter() - started
        self.stats.stage(stage, seconds)
        if tell is not None:
            tell(seconds)

    def release(self) -> None:
        for layer in self.layers:
            layer.release()
        for part in (self._mixer, self._projection, self._waiting, self._dark, self.shade):
            part.release()
        self._let_go()
        for player in self.players.values():
            player.release()
