"""One scene that is on: its walk, its neural pictures on the GPU, its passes.

A neural picture is upscaled once, when it arrives, and kept beside the one before it, so that the
display can blend between the two at its own rate.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import moderngl
import numpy as np

from installation.clock import Frame
from installation.engine.compose import Compose
from installation.engine.passes import PassChain
from installation.engine.shade import Shade
from installation.engine.steady import Steady
from installation.engine.textures import Size, Target
from installation.log import Complaints
from installation.parameters import Bus, Param
from installation.patience import Endless, patience
from installation.scene import (
    FAILURES,
    Pass,
    Point,
    Scene,
    SceneError,
    check_passes,
    describe,
    find,
    load,
    scene_name,
)
from models.latent import BEND, GUIDE
from shaders import ShaderError

if TYPE_CHECKING:
    from installation.engine.player import Player

log = logging.getLogger(__name__)

Stepped = tuple[Point, list[dict[str, float]]]  # where it is, and what its passes are told by it

_BENDS = 4  # that a scene may ask for at once


class Dissolve:
    """How far to go from the picture before to the newest one, 0 to 1.

    When pictures come as fast as frames there is nothing to dissolve, and no delay is added. Which
    of the two it is changes only for a clear reason: from one to the other the wall goes back in
    time by up to a picture.
    """

    def __init__(self) -> None:
        self._frame = 0.0  # seconds, smoothed: a single frame may be late
        self._on = False

    def __call__(self, since: float, interval: float, dt: float) -> float:
        """since: seconds since the newest picture came; interval: from one picture to the next;
        dt: from one frame to the next."""
        self._frame = dt if self._frame == 0 else 0.95 * self._frame + 0.05 * dt
        self._on = interval > (1.3 if self._on else 1.7) * self._frame
        return min(1.0, max(0.0, since / interval)) if self._on else 1.0


class Layer:
    """A scene on stage. Raises SceneError when it does not start.

    A scene that fails later keeps its last point, and says so once: an artist's mistake never
    stops the picture.
    """

    def __init__(
        self, ctx: moderngl.Context, bus: Bus, player: Player, file: str, size: Size, shade: Shade
    ) -> None:
        self.file, self.name, self.player = file, scene_name(file), player
        self._ctx, self._bus, self._space, self._size = ctx, bus, player.space, size
        self._shade = shade
        self._path = str(find(file))  # faults name a line of it, also while it is away
        self.scene, (self._point, self.told), self.chain = self._start()
        self._compose, self.steady = Compose(ctx, size), Steady(ctx)
        self._warming: Iterator[None] | None = self._warm()
        self._step_fault = self._file_fault = ""
        self._endless = False  # its last step was
        self._lacks_shader = False  # the file's fault is that of a shader
        self._complaints = Complaints(log)  # of its steps; what fails may do so at every other one
        self.shown: Point | None = None  # of the newest picture
        self._newest: Target | None = None
        self._before: Target | None = None
        self._arrived = 0.0
        self._interval = 0.0
        self._dissolve = Dissolve()
        self._worn: dict[str, float] = {}

    def _start(self) -> tuple[Scene, Stepped, PassChain]:
        """Load the scene, see that its first step, also with the values that the room has set, and
        its shaders work; only then may it have the bus."""
        scene = load(self.file)
        self._first(scene)
        scene.bind(self._bus.copy(), self.name)
        first = self._first(scene)
        chain = PassChain(self._ctx, scene.passes, self._size, self._shade)
        scene.bind(self._bus, self.name)
        return scene, first, chain

    def _first(self, scene: Scene) -> Stepped:
        try:
            with patience():
                scene.start(self._space)
            check_passes(scene.passes)  # it may have set others
            return self._stepped(scene, scene.passes, Frame(0, 0.0, 0.0, 0.0))
        except FAILURES as error:
            said = describe(error, self._path)
            raise SceneError(f"scene {self.file}: {said}") from error

    @property
    def fault(self) -> str:
        """What is wrong with it now: its file, a shader of it, or its last step; "" if nothing."""
        return self._file_fault or self.chain.fault or self._step_fault

    def _stepped(self, scene: Scene, passes: Iterable[Pass], frame: Frame) -> Stepped:
        with patience():
            return self._checked(scene.step(frame)), [one.told(scene) for one in passes]

    def _checked(self, point: object) -> Point:
        wanted = self._space.latent.width
        guides = (0, GUIDE**2) if self._space.guided else (0,)
        lengths = [(wanted + g + k * len(BEND),) for g in guides for k in range(_BENDS + 1)]
        if not isinstance(point, np.ndarray) or point.shape not in lengths:
            raise ValueError(
                f"step() must return a point of this piece, {wanted} numbers, "
                f"{'guided or not, ' if self._space.guided else ''}bent {_BENDS} times at most"
            )
        with np.errstate(over="ignore"):
            point = point.astype(np.float32, copy=False)
        if not np.isfinite(point).all():
            raise ValueError("step() returned a point that is not finite")
        return point

    def fader(self, address: str) -> float:
        """Where one of the room's faders stands; for the piece and the scene itself, once it is
        leaving, stood."""
        return self._worn[address] if address in self._worn else self._bus.value(address)

    def leave(self) -> None:
        """Another scene comes on: what the faders do from now is meant for that."""
        ours = ("/piece/", f"/{self.name}/")
        held = [a for a, what in self._bus if isinstance(what, Param) and a.startswith(ours)]
        self._worn = {address: self._bus.value(address) for address in held}
        self.scene.hold_faders(self._worn)

    def step(self, frame: Frame) -> Point:
        """Where the scene is now. One that has looped for ever is not asked again, or each frame
        would take as long."""
        if self._endless:
            return self._point
        if frame.guide is not None:  # a scene may change it, and others are told of it, too
            frame = replace(frame, guide=frame.guide.copy())
        try:
            self._point, self.told = self._stepped(self.scene, self.chain.passes, frame)
            self._step_fault = ""
        except FAILURES as error:  # keep the last good frame and say so
            fault = f"scene {self.name}: {describe(error, self._path)}"
            self._complaints.once(fault, lambda: f"{fault}; the last picture stays")
            self._step_fault, self._endless = fault, isinstance(error, Endless)
        return self._point

    def reload(self) -> None:
        """Take the scene's file as it is now; if it is broken, keep the old one and say so."""
        try:
            scene, (self._point, self.told), chain = self._start()
        except (SceneError, ShaderError) as error:
            self._file_fault, self._lacks_shader = str(error), isinstance(error, ShaderError)
            log.error("%s; the old one goes on", error)
            return
        self.chain.release()
        self.chain, self.scene = chain, scene
        self.scene.hold_faders(self._worn)
        self._step_fault, self._file_fault = "", ""
        self._endless = self._lacks_shader = False
        self._complaints = Complaints(log)
        log.info("scene %s reloaded", self.name)

    def reload_shaders(self) -> list[str]:
        """Take up shader files that were saved since; what to tell the artist, one line each. The
        scene's file is tried again where it was refused for a shader."""
        if self._lacks_shader:
            self.reload()
        return self.chain.reload()

    def arrive(self, picture: moderngl.Texture, point: Point, now: float, interval: float) -> None:
        """A new neural picture of a point, upscaled. It is copied: the upscaler draws the next one
        into it."""
        self.shown = point
        self._before, self._newest = self._newest, self._before
        if self._newest is None or self._newest.size != picture.size:
            if self._newest is not None:
                self._newest.release()
            self._newest = Target(self._ctx, picture.size)
        drawn = self._ctx.framebuffer([picture])
        self._ctx.copy_framebuffer(self._newest.framebuffer, drawn)
        drawn.release()
        self._arrived, self._interval = now, interval

    @property
    def ready(self) -> bool:
        """Its first picture has arrived and its shaders are compiled: it can be shown."""
        return self._newest is not None and self._warming is None

    def warm(self, whole: bool = False) -> None:
        """Compile one more shader, or all that are left. Called once a frame while not ready."""
        while self._warming is not None:
            if next(self._warming, True):
                self._warming = None
            if not whole:
                return

    def _warm(self) -> Iterator[None]:
        blank, larger = Target(self._ctx, (64, 64)), Target(self._ctx, (128, 128))
        try:
            self._compose.render(blank.texture, blank.texture, 1.0)
            yield
            self.steady.render(larger.texture, blank.texture, 0.0, 1.0)
            self.steady.render(larger.texture, blank.texture, 0.0, 0.0)
            yield
            yield from self.chain.warm()
        finally:
            blank.release()
            larger.release()

    def render(self, now: float, frame: Frame) -> moderngl.Texture:
        """The scene's picture: linear light, dressed. Good until the next call."""
        older, newer, blend = self._pair(now, frame.dt)
        values = [
            {**one.values(self.fader, self.name), **told}
            for one, told in zip(self.chain.passes, self.told, strict=True)
        ]
        linear = self._compose.render(older, newer, blend)
        return self.chain.render(linear, values, frame.time, frame.dt)

    def _pair(self, now: float, dt: float) -> tuple[moderngl.Texture, moderngl.Texture, float]:
        """The two newest pictures and how far to blend from the older to the newer."""
        assert self._newest is not None  # noqa: S101 - see `ready`
        blend = self._dissolve(now - self._arrived, self._interval, dt)
        older = self._newest if self._before is None else self._before
        return older.texture, self._newest.texture, blend

    def resize(self, size: Size) -> None:
        self._size = size
        self._compose.resize(size)
        self.chain.resize(size)

    def release(self) -> None:
        self._warming = None
        self.chain.release()
        self._compose.release()
        self.steady.release()
        for target in (self._newest, self._before):
            if target is not None:
                target.release()
