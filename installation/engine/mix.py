"""Transitions between two scenes' pictures."""

from __future__ import annotations

from collections.abc import Mapping

import moderngl

import shaders
from installation.engine.programs import Program
from installation.engine.textures import Size, Target


class Mixer:
    """Goes from one picture to another through a shader of shaders/mix/.

    Raises ShaderError when the shader is missing or broken.
    """

    def __init__(self, ctx: moderngl.Context, size: Size, shader: str = "mix/dissolve") -> None:
        self._program = Program(ctx, shaders.load(shader), given=("a", "b", "source"))
        self._target = Target(ctx, size)

    def resize(self, size: Size) -> None:
        self._target = self._target.resized(size)

    def render(
        self,
        a: moderngl.Texture,
        b: moderngl.Texture,
        progress: float,
        time: float = 0.0,
        values: Mapping[str, float] | None = None,
    ) -> moderngl.Texture:
        """Between a (progress 0) and b (1), both of this mixer's size. At the ends it is them.

        The texture is good until the next call.
        """
        if progress <= 0.0:
            return a
        if progress >= 1.0:
            return b
        textures = {"a": a, "b": b, "source": a}
        self._program.draw(
            self._target.framebuffer, textures, {**(values or {}), "progress": progress}, time
        )
        return self._target.texture

    def release(self) -> None:
        self._program.release()
        self._target.release()
