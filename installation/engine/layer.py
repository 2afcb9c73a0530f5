"""One scene that is on: its walk, its neural pictures on the GPU, its passes.

A neural picture is upscaled once, when it arrives, and kept beside the one before it, so that the
display can blend between the two at its own rate.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import moderngl
import numpy as np

from installation.clock import Frame
from installation.engine.compose import Compose
from installation.engine.passes import PassChain
from installation.engine.textures import Size, Target
from installation.engine.walk import LatentSpace
from installation.parameters import Bus
from installation.scene import Point, Scene, SceneError, describe, find, load, scene_name
from shaders import ShaderError

log = logging.getLogger(__name__)


class Layer:
    """A scene on stage. Raises SceneError when it does not start.

    A scene that fails later keeps its last point, and says so once: an artist's mistake never
    stops the picture.
    """

    def __init__(
        self, ctx: moderngl.Context, bus: Bus, space: LatentSpace, file: str, size: Size
    ) -> None:
        self.file, self.name = file, scene_name(file)
        self._ctx, self._bus, self._space = ctx, bus, space
        self.scene, self._point = self._start()
        self.chain = PassChain(ctx, self.scene.passes, size)
        self._size, self._compose = size, Compose(ctx, size)
        self._warming: Iterator[None] | None = self._warm()
        self._step_fault = self._file_fault = ""
        self._newest: Target | None = None
        self._before: Target | None = None
        self._arrived = 0.0
        self._interval = 0.0

    def _start(self) -> tuple[Scene, Point]:
        """Load the scene and see that its first step works; only then may it have the bus."""
        scene = load(self.file)
        try:
            self._first(scene)
        except Exception as error:
            said = describe(error, str(find(self.file)))
            raise SceneError(f"scene {self.file}: {said}") from error
        scene.bind(self._bus, self.name)
        return scene, self._first(scene)  # again, with the values that the room has set

    def _first(self, scene: Scene) -> Point:
        scene.start(self._space)
        return self._checked(scene.step(Frame(0, 0.0, 0.0, 0.0)))

    def _checked(self, point: object) -> Point:
        wanted = (self._space.latent.width,)
        if not isinstance(point, np.ndarray) or point.shape != wanted:
            raise ValueError(f"step() must return a point of this piece, {wanted[0]} numbers")
        if not np.isfinite(point).all():
            raise ValueError("step() returned a point that is not finite")
        return point.astype(np.float32, copy=False)

    @property
    def fault(self) -> str:
        """What is wrong with the scene's files or its last step, in one line; or nothing."""
        return self._file_fault or self._step_fault

    def step(self, frame: Frame) -> Point:
        """Where the scene is now."""
        try:
            self._point = self._checked(self.scene.step(frame))
            self._step_fault = ""
        except Exception as error:  # noqa: BLE001 - keep the last good frame and say so
            fault = f"scene {self.name}: {describe(error, str(find(self.file)))}"
            if fault != self._step_fault:
                log.error("%s; the last picture stays", fault)
            self._step_fault = fault
        return self._point

    def reload(self) -> None:
        """Take the scene's file as it is now; if it is broken, keep the old one and say so."""
        try:
            scene, point = self._start()
            chain = PassChain(self._ctx, scene.passes, self._size)
        except (SceneError, ShaderError) as error:
            self._file_fault = str(error)
            log.error("%s; the old one goes on", error)
            return
        self.chain.release()
        self.chain, self.scene, self._point, self._file_fault = chain, scene, point, ""
        log.info("scene %s reloaded", self.name)

    def reload_shaders(self) -> None:
        """Take the passes' files as they are now; a broken one keeps the old and says so."""
        reloaded, broken = self.chain.reload()
        for name in reloaded:
            self._file_fault = ""
            log.info("%s reloaded", name)
        for line in broken:
            self._file_fault = line
            log.error("%s; the old one goes on", line)

    def arrive(self, picture: moderngl.Framebuffer, now: float, interval: float) -> None:
        """A new neural picture, upscaled. It is copied: the upscaler draws the next one into it."""
        self._before, self._newest = self._newest, self._before
        if self._newest is None or self._newest.size != picture.size:
            if self._newest is not None:
                self._newest.release()
            self._newest = Target(self._ctx, picture.size)
        self._ctx.copy_framebuffer(self._newest.framebuffer, picture)
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
        blank = Target(self._ctx, (64, 64))
        try:
            self._compose.render(blank.texture, blank.texture, 1.0)
            yield
            yield from self.chain.warm()
        finally:
            blank.release()

    def render(self, now: float, frame: Frame) -> moderngl.Texture:
        """The scene's picture: linear light, dressed. Good until the next call."""
        older, newer, blend = self._pair(now, frame.dt)
        values = [one.values(self._bus, self.name) for one in self.scene.passes]
        linear = self._compose.render(older, newer, blend)
        return self.chain.render(linear, values, frame.time, frame.dt)

    def _pair(self, now: float, dt: float) -> tuple[moderngl.Texture, moderngl.Texture, float]:
        """The two newest pictures and how far to blend from the older to the newer.

        When pictures come as fast as frames there is nothing to blend, and no delay is added.
        """
        assert self._newest is not None  # noqa: S101 - see `ready`
        newest = self._newest.texture
        if self._before is None or self._interval <= 1.5 * dt:
            return newest, newest, 1.0
        blend = min(1.0, (now - self._arrived) / self._interval)
        return self._before.texture, newest, blend

    def resize(self, size: Size) -> None:
        self._size = size
        self._compose.resize(size)
        self.chain.resize(size)

    def release(self) -> None:
        self._warming = None
        self.chain.release()
        self._compose.release()
        for target in (self._newest, self._before):
            if target is not None:
                target.release()
