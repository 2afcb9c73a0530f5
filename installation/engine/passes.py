"""Post passes: the shaders that dress a scene, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import moderngl

from installation.engine.live import LiveShader
from installation.engine.programs import Program
from installation.engine.resize import carry_over
from installation.engine.shade import Shade
from installation.engine.textures import Size, Target
from installation.scene import Pass
from shaders import Shader, ShaderError

Values = Mapping[str, float]
_GIVEN = ("source", "original", "previous", "shade")


class PassChain:
    """The passes of a scene, compiled. Pictures in and out are linear half-float textures.

    shade: of those before the wall. Raises ShaderError when a shader is missing or broken, or when
    a pass sets a uniform that its shader does not have.
    """

    def __init__(
        self, ctx: moderngl.Context, passes: Sequence[Pass], size: Size, shade: Shade
    ) -> None:
        self._ctx, self.passes, self._shade = ctx, tuple(passes), shade
        self._pool: list[Target] = []
        self._running: list[_RunningPass] = []
        try:
            for one in self.passes:
                self._running.append(_RunningPass(ctx, one))
            self.resize(size)
        except ShaderError:
            self.release()
            raise

    def resize(self, size: Size) -> None:
        """Draw at another size from now on; what feeds back goes along."""
        self._release_targets()
        if self._running:
            self._pool = [Target(self._ctx, size) for _ in range(2)]
        for one in self._running:
            one.resize(size)

    def render(
        self, source: moderngl.Texture, values: Sequence[Values], time: float, dt: float
    ) -> moderngl.Texture:
        """Send a picture through all passes; values holds one mapping for each pass.

        A uniform without a value keeps what its GLSL says. The texture is good until the next call.
        """
        for one, now in zip(self._running, values, strict=True):
            into = self._pool[0] if source is not self._pool[0].texture else self._pool[1]
            source = one.draw(source, self._shade.texture, into, now, time, dt)
        return source

    def warm(self) -> Iterator[None]:
        """Draw each pass once on nothing, pausing after each: a driver compiles a shader at its
        first draw, and spread over frames that is no stutter."""
        for one in self._running:
            one.draw(self._pool[1].texture, self._shade.texture, self._pool[0], {}, 0.0, 0.0)
            one.forget()
            yield

    @property
    def fault(self) -> str:
        """What is wrong with a shader file that was saved since; "" if nothing."""
        return next((one.fault for one in self._running if one.fault), "")

    def reload(self) -> list[str]:
        """Take up shader files that were saved since; what to tell the artist, one line each.

        A broken one is told once, and the old one goes on.
        """
        return [said for one in self._running if (said := one.reload())]

    def release(self) -> None:
        self._release_targets()
        for one in self._running:
            one.release()
        self._running.clear()

    def _release_targets(self) -> None:
        for target in self._pool:
            target.release()
        self._pool.clear()


class _RunningPass:
    """One pass: its stages' programs, the targets between them, and its last output if it feeds
    back."""

    def __init__(self, ctx: moderngl.Context, one: Pass) -> None:
        self._ctx = ctx
        self._keywords = {*one.params, *one.fixed, *one.moved}
        self._size: Size = (1, 1)
        self._between: list[Target] = []
        self._own: list[Target] = []
        self._has_previous = False
        self._live = LiveShader(one.shader, self._compile)

    @property
    def fault(self) -> str:
        return self._live.fault

    def _compile(self, shader: Shader) -> list[Program]:
        known = {uniform.name for uniform in shader.uniforms}
        for keyword in sorted(self._keywords - known):
            offered = ", ".join(sorted(known)) or "none"
            raise ShaderError(f"{shader.name} has no uniform {keyword!r}; there are: {offered}")
        programs: list[Program] = []
        try:
            for stage in range(len(shader.stages)):
                programs.append(Program(self._ctx, shader, stage, _GIVEN))
        except ShaderError:
            for program in programs:
                program.release()
            raise
        return programs

    def reload(self) -> str:
        """What to tell the artist of a file that was saved since; "" if nothing."""
        before, said = self._live.shader, self._live.reload()
        if self._live.shader is not before:
            self._make_targets(self._size)
        return said

    def resize(self, size: Size) -> None:
        last, self._own = self._own, []
        kept = self._has_previous
        self._make_targets(size)
        if kept:
            carry_over(self._ctx, last[0], self._own[0])
            self._has_previous = True
        for target in last:
            target.release()

    def _make_targets(self, size: Size) -> None:
        """Feedback begins anew."""
        self._size = size
        self._release_targets()
        for part in self._live.shader.stages[:-1]:
            smaller = (max(1, round(size[0] * part)), max(1, round(size[1] * part)))
            self._between.append(Target(self._ctx, smaller))
        if self._live.shader.feedback:  # float32: a slow trail would stick in half-float's steps
            self._own = [Target(self._ctx, size, "f4") for _ in range(2)]
        self._has_previous = False

    def draw(
        self, source: moderngl.Texture, shade: moderngl.Texture, into: Target, values: Values,
        time: float, dt: float,
    ) -> moderngl.Texture:  # fmt: skip
        textures = {"source": source, "original": source, "previous": source, "shade": shade}
        if self._live.shader.feedback:
            if self._has_previous:
                textures["previous"] = self._own[0].texture
            into = self._own[1]
        for program, target in zip(self._live.programs, [*self._between, into], strict=True):
            program.draw(target.framebuffer, textures, values, time, dt)
            textures["source"] = target.texture
        if self._live.shader.feedback:
            self._own.reverse()
            self._has_previous = True
        return into.texture

    def forget(self) -> None:
        """Begin feedback anew."""
        self._has_previous = False

    def _release_targets(self) -> None:
        for target in (*self._between, *self._own):
            target.release()
        self._between, self._own = [], []

    def release(self) -> None:
        self._release_targets()
        self._live.release()
