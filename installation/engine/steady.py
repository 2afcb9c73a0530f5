"""What the upscaler adds, averaged over time where the picture stands still."""

from __future__ import annotations

import math

import moderngl

import shaders
from installation.engine.programs import Program
from installation.engine.textures import Target, release_framebuffer


class Steady:
    """Smooths the upscaler's residual alone, and only where two frames agree, so that detail that
    shimmers comes to rest and nothing that moves drags a ghost. One for each scene that is on."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._program = Program(ctx, shaders.load("output/steady"))
        self._before: Target | None = None
        self._history: list[Target] = []  # of the last picture, and the one to draw
        self._into: list[moderngl.Framebuffer] = []  # what is drawn, with each of the history
        self._drawn: Target | None = None
        self._time: float | None = None  # of the last picture; None: there is no history

    def render(
        self, picture: moderngl.Texture, frame: moderngl.Texture, time: float, seconds: float
    ) -> moderngl.Texture:
        """The upscaled `picture` of `frame`, steadied. Good until the next call.

        time: of this picture, in seconds. seconds: how long the average reaches back; at 0 the
        picture is returned as it is and what was is forgotten.
        """
        if seconds <= 0 or picture.size == frame.size:
            self._time = None
            return picture
        drawn, before = self._fit(picture, frame)
        keep = 0.0
        if self._time is not None:
            keep = math.exp(-max(0.0, time - self._time) / seconds)
        textures = {"source": picture, "original": frame}
        textures |= {"before": before.texture, "previous": self._history[0].texture}
        self._program.draw(self._into[1], textures, {"keep": keep})
        self._copy(frame, before)
        self._history.reverse()
        self._into.reverse()
        self._time = time
        return drawn.texture

    def _fit(self, picture: moderngl.Texture, frame: moderngl.Texture) -> tuple[Target, Target]:
        """Targets of the right sizes; where one is new, there is no history."""
        drawn, before = self._drawn, self._before
        if (
            drawn is None
            or drawn.size != picture.size
            or before is None
            or before.size != frame.size
        ):
            self._forget()
            self._history = [Target(self._ctx, picture.size) for _ in range(2)]
            drawn = self._drawn = Target(self._ctx, picture.size)
            both = [[drawn.texture, one.texture] for one in self._history]
            self._into = [self._ctx.framebuffer(textures) for textures in both]
            before = self._before = Target(self._ctx, frame.size)
            self._time = None
        return drawn, before

    def _copy(self, frame: moderngl.Texture, into: Target) -> None:
        source = self._ctx.framebuffer([frame])
        self._ctx.copy_framebuffer(into.framebuffer, source)
        source.release()

    def _forget(self) -> None:
        for framebuffer in self._into:
            release_framebuffer(self._ctx, framebuffer)
        for target in (*self._history, self._drawn, self._before):
            if target is not None:
                target.release()
        self._history, self._into, self._drawn, self._before = [], [], None, None

    def release(self) -> None:
        self._forget()
        self._program.release()
