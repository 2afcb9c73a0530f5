"""The road from latent point to screen: generator, upscaler, passes, mix, present.

A show knows neither a window nor a socket: it draws into the framebuffer that it is given. Before
the first neural picture, and if the generator fails, it shows shaders/output/waiting.glsl.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import moderngl
import numpy as np

import shaders
from installation.clock import Frame
from installation.engine.compose import Present
from installation.engine.layer import Layer
from installation.engine.mix import Mixer
from installation.engine.programs import Program
from installation.engine.stream import Inline, Picture, Stream
from installation.engine.textures import FrameTexture, Size, Target
from installation.engine.walk import LatentSpace, steer
from installation.parameters import Bus, Param, Parameters
from installation.report import FrameStats
from installation.scene import scene_name
from models.card import Card

if TYPE_CHECKING:
    from installation.engine.tiers import Tiers

log = logging.getLogger(__name__)

_SAMPLED = 20  # every so many frames the stations of the path are timed one by one
_FIRST_FADE = 2.0  # seconds from the waiting picture to the piece


class Light(Parameters):
    """What the house can always do to the picture."""

    brightness = Param(1, 0, 1, glide=0.3, doc="The whole picture; 0 is dark.")
    sharpen = Param(1, 0, 1.5, glide=0.3, doc="Strength of the upscaler; 0 is a plain resize.")
    steady = Param(0, 0, 1, unit="s", doc="Averages the upscaler's detail where nothing moves.")


class Show:
    """Everything on stage for one piece. size: of the picture that is drawn, in pixels; slowest:
    seconds that a frame may take before the picture is made cheaper."""

    def __init__(
        self,
        ctx: moderngl.Context,
        bus: Bus,
        card: Card,
        stream: Stream | Inline,
        size: tuple[int, int],
        seed: int = 0,
        stats: FrameStats | None = None,
        slowest: float = 1 / 30,
    ) -> None:
        self.ctx, self.bus, self.card, self.stream, self.size = ctx, bus, card, stream, size
        self.stats = stats or FrameStats()
        self.space = LatentSpace(card.latent, seed)
        self.layers: list[Layer] = []  # what is on; two while one gives way to the other
        self.hurried = False  # this machine is slow: nothing that only smoothes
        self._progress, self._fade = 1.0, _FIRST_FADE
        self._mixer, self._present = Mixer(ctx, size), Present(ctx)
        self._still: Target | None = None  # what a transition cut short had come to
        self._waiting, self._dark = Program(ctx, shaders.load("output/waiting")), Target(ctx, size)
        self._upload = FrameTexture(ctx)
        self.upscaler: Tiers | None = None  # made when the piece's weights are there
        self._slowest = slowest
        self._warming: Iterator[None] | None = None
        self._seen = 0
        self._opened = False  # the waiting picture has given way
        self._now, self._frame = 0.0, Frame(0, 0.0, 0.0, 0.0)
        self._sampling = False
        self._at_once = isinstance(stream, Inline)  # nobody is watching: no need to spread work

    @property
    def scene(self) -> Layer:
        """The scene that is on, or coming on."""
        return self.layers[-1]

    @property
    def waiting(self) -> bool:
        """True until the piece's first picture has arrived."""
        return not self._opened

    def cue(self, file: str, transition: str = "mix/dissolve", fade: float = 0.0) -> None:
        """Put on a scene over `fade` seconds. A transition that is under way is cut short, and the
        new one begins from the picture that it had come to.

        Raises SceneError or ShaderError, and then nothing has changed.
        """
        mixer = Mixer(self.ctx, self.size, transition)
        try:
            layer = Layer(self.ctx, self.bus, self.space, file, self.size)
        except Exception:
            mixer.release()
            raise
        if not self._opened:
            self._leave(self.layers)  # never seen: the waiting picture is still on
        elif self._progress < 1 or not self.scene.ready:
            self._hold()
            self._leave(self.layers)
        self._mixer.release()
        self._mixer = mixer
        self.layers.append(layer)
        if self._opened:
            self._progress, self._fade = 0.0, fade

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

    def step(self, frame: Frame) -> None:
        """Walk, ask for the next neural picture, and take in the newest one there is."""
        self._now, self._frame = time.perf_counter(), frame
        self._sampling = frame.index % _SAMPLED == 0
        for layer in self.layers:
            layer.warm(whole=self._at_once)
        if not self._warm():
            return
        latent, ways = self.card.latent, self.card.directions
        points = [steer(self.bus, latent, layer.step(frame), ways) for layer in self.layers]
        self.stream.request(np.stack(points), tuple(self.layers))
        picture = self.stream.newest
        if picture is not None and picture.number != self._seen:
            self._take(picture)
        self._advance(frame.dt)

    def _warm(self) -> bool:
        """While the waiting picture is on: choose the upscaler as soon as its weights are there,
        one of its shaders each frame. True when all is ready to show the piece."""
        if self.stream.painter is None:
            return False
        if self.upscaler is None:
            self.upscaler = self._make_upscaler()
            self._warming = self.upscaler.choose()
        while self._warming is not None:
            if next(self._warming, True):
                self._warming = None
            if not self._at_once:
                break
        return self._warming is None

    def _take(self, picture: Picture) -> None:
        assert self.stream.painter is not None  # noqa: S101 - it has painted
        assert self.upscaler is not None  # noqa: S101 - made by _warm
        self.stats.neural += 1 if self._seen == 0 else picture.number - self._seen
        self._seen = picture.number
        self.stats.stage("generator", self.stream.painter.seconds)
        layers = picture.key if isinstance(picture.key, tuple) else ()
        for pixels, layer in zip(picture.pixels, layers, strict=True):
            if layer not in self.layers:  # its scene has left the stage meanwhile
                continue
            with self._timed("upload"):
                texture = self._upload.upload(pixels)
            with self._timed("upscale", self.upscaler.took):
                sharp = self.upscaler.render(texture, self.bus.value("/light/sharpen"))
                reach = self.bus.value("/light/steady")
                sharp = layer.steady.render(sharp, texture, self._frame.time, reach)
                layer.arrive(sharp, picture.ready, picture.interval)

    def _make_upscaler(self) -> Tiers:
        """Whatever networks there are for this piece, at the scale that the picture needs."""
        from installation.engine.tiers import Tiers, rungs

        side = self.card.resolution
        own = getattr(self.stream.painter, "upscaler", None)
        found = rungs(own, min(self.size) / side)
        return Tiers(self.ctx, found, (side, side), None if self._at_once else self._slowest)

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
            self._opened, self._progress, self._fade = True, 0.0, _FIRST_FADE

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

    def present(self, picture: moderngl.Texture, into: moderngl.Framebuffer, frame: Frame) -> None:
        """Encode the picture once, dithered, into a window or file's framebuffer."""
        brightness = self.bus.value("/light/brightness")
        self._present.render(picture, into, frame.time, brightness, self.hurried)

    def resize(self, size: Size) -> None:
        """Draw at another size from now on."""
        if size == self.size:
            return
        self.size = size
        self._dark.release()
        self._dark = Target(self.ctx, size)
        self._mixer.resize(size)
        if self._still is not None:  # of the old size: the scene comes on without a transition
            self._let_go()
            self._progress = 1.0
        for layer in self.layers:
            layer.resize(size)

    def reload_scene(self, path: Path) -> None:
        """A scene's file was saved: those of it that are on take it up."""
        for layer in self.layers:
            if scene_name(path.name) == layer.name:
                layer.reload()

    def reload_shaders(self) -> None:
        """A shader's file was saved: every pass that uses it takes it up."""
        for layer in self.layers:
            for line in layer.chain.reload():
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
        for part in (self._mixer, self._present, self._waiting, self._dark, self._upload):
            part.release()
        self._let_go()
        self._warming = None
        if self.upscaler is not None:
            self.upscaler.release()
