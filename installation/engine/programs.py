"""A compiled shader and the triangle it is drawn on."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import moderngl

from installation.engine.software import lets_go
from shaders import Shader, ShaderError

LOOP = 4096.0  # seconds after which shaders' time begins again; a float32 stays fine that long

Values = Mapping[str, Any]  # a uniform's name and its number, or numbers for a vector

# One triangle over the whole target, made from the vertex number: no buffer to fill.
_VERTEX = """#version 330 core
out vec2 uv;
void main() {
    uv = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    gl_Position = vec4(uv * 2.0 - 1.0, 0.0, 1.0);
}
"""
_SAMPLER = re.compile(r"^\s*uniform\s+sampler2D\s+(\w+)\s*;", re.MULTILINE)
# Mesa "0:12(5): error: …", NVIDIA "0(12) : error C1008: …", AMD, Intel and Apple "ERROR: 0:12: …"
_COMPLAINT = re.compile(
    r"^(?:ERROR: )?\d+[:(](\d+)(?:\(\d+\)|\))?\s*:\s*"
    r"(?:(?:preprocessor )?error\s*\w*\s*:\s*)?(.+)$",
    re.MULTILINE,
)


class Program:
    """One stage of a shader, compiled. Raises ShaderError with file:line: what is wrong.

    given: the pictures that draw() will get, if the shader is somebody else's and may want more.
    """

    def __init__(
        self, ctx: moderngl.Context, shader: Shader, stage: int = 0, given: Iterable[str] = ()
    ) -> None:
        self._ctx = ctx
        try:
            self._program = ctx.program(vertex_shader=_VERTEX, fragment_shader=shader.source(stage))
        except moderngl.Error as error:
            raise ShaderError(explain(shader, str(error))) from error
        self._array = ctx.vertex_array(self._program, [])
        self._let_go = lets_go(ctx)
        samplers = set(_SAMPLER.findall(shader.body))
        self._units: dict[str, int] = {}
        self._members: dict[str, moderngl.Uniform] = {}
        for name in self._program:
            member = self._program[name]
            if not isinstance(member, moderngl.Uniform):
                continue
            if name in samplers:
                self._units[name] = member.value = len(self._units)
            else:
                self._members[name] = member
        if given and (missing := sorted(set(self._units) - set(given))):
            self.release()
            raise ShaderError(
                f"{shader.name} reads {missing[0]!r}; it is given only {', '.join(given)}"
            )

    def draw(
        self,
        into: moderngl.Framebuffer,
        textures: Mapping[str, moderngl.Texture],
        values: Values | None = None,
        time: float = 0.0,
        dt: float = 0.0,
    ) -> None:
        """Fill a target. Textures and values that the shader does not use are left aside."""
        # the viewport, since a window's framebuffer keeps the width and height it began with
        given = {"time": math.fmod(time, LOOP), "dt": dt, "resolution": into.viewport[2:]}
        for name, value in {**(values or {}), **given}.items():
            if name in self._members:
                self._members[name].value = value
        for name, unit in self._units.items():
            textures[name].use(unit)
        into.use()
        self._ctx.enable_only(moderngl.NOTHING)
        self._array.render(moderngl.TRIANGLES, vertices=3)
        self._let_go()

    def release(self) -> None:
        self._array.release()
        self._program.release()


def explain(shader: Shader, text: str) -> str:
    """The driver's first complaint in one line, with the artist's own file and line."""
    for line, message in _COMPLAINT.findall(text):
        if "warning" not in message:
            return f"{shader.place(int(line))}: {message.strip()}"
    lines = [line.strip() for line in text.splitlines() if line.strip(" =\t")]
    return f"{shader.name}: {lines[-1] if lines else 'the driver refuses it and does not say why'}"
