"""Transitions between two scenes' pictures."""

from __future__ import annotations

from collections.abc import Mapping

import moderngl

from installation.engine.live import LiveShader
from installation.engine.programs import Program
from installation.engine.textures import Size, Target
from shaders import Shader


class Mixer:
    """Goes from one picture to another through a shader of shaders/mix/.

    Raises ShaderError when the shader is missing or broken.
    """

    def __init__(self, ctx: moderngl.Context, size: Size, shader: str = "mix/dissolve") -> None:
        def compiled(text: Shader) -> list[Program]:
            return [Program(ctx, text, given=("a", "b", "source"))]

        self._live = LiveShader(shader, compiled)
        self._target = Target(ctx, size)

    @property
    def name(self) -> str:
        """Its shader."""
        return self._live.name

    def reload(self) -> str:
        """Take up its shader's file if it was saved since: what to tell the artist, "" if nothing.
        The old one goes on where the file is broken."""
        return self._live.reload()

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
        self._live.programs[0].draw(
            self._target.framebuffer, textures, {**(values or {}), "progress": progress}, time
        )
        return self._target.texture

    def release(self) -> None:
        self._live.release()
        self._target.release()
