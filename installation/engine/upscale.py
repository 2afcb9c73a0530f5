"""The upscaler as GLSL passes on a frame's texture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import moderngl
import numpy as np
from numpy.typing import NDArray

from installation.engine import convolution
from models.upscaler import Upscaler

Half = Literal["f2", "f4"]


@dataclass(frozen=True)
class _Pass:
    """One draw: a program, what it reads by sampler name, where it draws."""

    layer: str
    vertices: moderngl.VertexArray
    reads: dict[str, moderngl.Texture | None]  # None: the frame given to render()
    target: moderngl.Framebuffer
    viewport: tuple[int, int, int, int]


class ShaderUpscaler:
    """Runs a `models.upscaler.Upscaler` on textures of one size, on any GL 3.3 context.

    size (width, height) of the frames. Frames are RGBA8 or RGBA16F textures with sRGB-encoded
    values in [0, 1]; alpha is ignored. Texel row 0 is the picture's top row, as an image array is
    uploaded; nothing in here flips. dtype is the precision between passes and of the result: "f2"
    half-float, "f4" float (for checking against torch). `targets` limits the render targets of
    one pass, below what the context allows.

    Everything made here lives until release(). Raises ValueError for an empty size and
    moderngl.Error where the driver refuses a shader.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        upscaler: Upscaler,
        size: tuple[int, int],
        dtype: Half = "f2",
        targets: int | None = None,
    ) -> None:
        if min(size) < 1:
            raise ValueError(f"cannot upscale a frame of {size[0]} × {size[1]} pixels")
        self.ctx, self.size, self.dtype = ctx, size, dtype
        self.scale = upscaler.scale
        self.strength = 1.0  # live: 0 is plain Catmull-Rom, 1 as trained, above 1 exaggerates
        allowed = min(ctx.info["GL_MAX_DRAW_BUFFERS"], ctx.info["GL_MAX_COLOR_ATTACHMENTS"])
        self._targets = max(3, min(targets or allowed, allowed))  # red, green, blue at the least
        self._owned: list[
            moderngl.Texture
            | moderngl.Sampler
            | moderngl.Framebuffer
            | moderngl.Program
            | moderngl.VertexArray
        ] = []
        self._passes: list[_Pass] = []
        self._strengths: list[moderngl.Uniform] = []
        try:
            self._build(upscaler)
        except BaseException:
            self.release()
            raise

    def render(self, frame: moderngl.Texture) -> moderngl.Texture:
        """Upscale one frame. The texture returned is the same each time, drawn anew.

        Leaves its own framebuffer bound, blending and depth test off: bind yours before you draw.
        """
        for _ in self._draw(frame):
            pass
        return self.output

    def warm(self) -> Iterator[None]:
        """Draw a blank frame, pausing after each pass, and bind your framebuffer in each pause.

        A driver compiles a shader at its first draw: on software GL up to 0.3 s for a pass of tier
        S. Spread over frames, that is no stutter.
        """
        blank = self.ctx.texture(self.size, 4, bytes(4 * self.size[0] * self.size[1]))
        try:
            for _ in self._draw(blank):
                yield
        finally:
            blank.release()

    def layers(self, frame: moderngl.Texture) -> dict[str, NDArray[np.float32]]:
        """Render, reading every layer back as (channels, height, width); for checking.

        Names and layouts are those of Upscaler.layers(), with "output" after them.
        """
        parts: dict[str, list[NDArray[np.float32]]] = {}
        for step in self._draw(frame):
            x, y, width, height = step.viewport
            for index, texture in enumerate(step.target.color_attachments):
                assert isinstance(texture, moderngl.Texture)  # noqa: S101 - made in _textures
                kind = np.float16 if self.dtype == "f2" else np.float32
                pixels = np.frombuffer(texture.read(alignment=1), kind)
                pixels = pixels.reshape(texture.height, texture.width, texture.components)
                part = pixels[y : y + height, x : x + width].transpose(2, 0, 1)
                name = f"{step.layer}.{index}" if step.layer == "phases" else step.layer
                parts.setdefault(name, []).append(part.astype(np.float32))
        # The phases come row by row in three colours; torch has colour, row, column.
        parts["phases"] = [part for c in range(3) for part in parts.pop(f"phases.{c}")]
        found = {name: np.concatenate(arrays) for name, arrays in parts.items()}
        found["output"] = found.pop("output")[:3]
        return found

    def release(self) -> None:
        """Free every GL object. moderngl's default never does. Safe to call twice."""
        while self._owned:
            self._owned.pop().release()
        self._passes.clear()
        self._strengths.clear()

    def _draw(self, frame: moderngl.Texture) -> Iterator[_Pass]:
        if frame.size != self.size:
            raise ValueError(f"upscaler made for {self.size}, got a frame of {frame.size}")
        for uniform in self._strengths:
            uniform.value = float(self.strength)
        for step in self._passes:
            self.ctx.disable(moderngl.BLEND | moderngl.DEPTH_TEST | moderngl.CULL_FACE)
            for unit, texture in enumerate(step.reads.values()):
                (texture or frame).use(unit)
                if texture is None:
                    self._nearest.use(unit)
            step.target.use()
            step.target.viewport = step.viewport
            step.vertices.render(moderngl.TRIANGLES, vertices=3)
            self._nearest.clear(0)  # the frame is always the first that is read
            yield step

    def _build(self, upscaler: Upscaler) -> None:
        # The frame keeps its own filter and wrapping; here it is read by the texel, clamped.
        self._nearest = self.ctx.sampler(
            repeat_x=False, repeat_y=False, filter=(moderngl.NEAREST, moderngl.NEAREST)
        )
        self._owned.append(self._nearest)
        weights = {name: tensor.detach().cpu() for name, tensor in upscaler.state_dict().items()}
        groups = upscaler.channels // 4
        # The first features stay for the long skip; two more sets take turns.
        first, *turns = [self._textures(self.size, groups, 4) for _ in range(3)]
        features: list[moderngl.Texture | None] = [None]
        for index, name in enumerate(["head", *(f"body.{k}" for k in range(upscaler.depth))]):
            made = turns[index % 2] if index else first
            for start in range(0, groups, self._targets):
                stop = min(start + self._targets, groups)
                skip = index == upscaler.depth
                text = convolution.convolution(
                    weights[f"{name}.weight"],
                    weights[f"{name}.bias"],
                    range(4 * start, 4 * stop),
                    skip,
                )
                reads = {f"x{k}": texture for k, texture in enumerate(features)}
                if skip:
                    reads |= {f"skip{k}": texture for k, texture in enumerate(first[start:stop])}
                self._add(name, text, reads, made[start:stop], (0, 0, *self.size))
            features = list(made)
        self._build_output(upscaler, features)

    def _build_output(self, upscaler: Upscaler, features: list[moderngl.Texture | None]) -> None:
        width, height = self.size
        scale = self.scale
        rows = self._textures((width, height * scale), 3, scale)
        reads = {"frame": None} | {f"x{k}": texture for k, texture in enumerate(features)}
        for row in range(scale):
            text = convolution.phases(upscaler, row)
            self._add("phases", text, reads, rows, (0, row * height, width, height))
        self.output = self._textures((width * scale, height * scale), 1, 4)[0]
        self.output.filter = (moderngl.LINEAR, moderngl.LINEAR)
        colours: dict[str, moderngl.Texture | None]
        colours = dict(zip(("red", "green", "blue"), rows, strict=True))
        whole = (0, 0, width * scale, height * scale)
        self._add("output", convolution.shuffle(scale), colours, [self.output], whole)

    def _textures(
        self, size: tuple[int, int], count: int, components: int
    ) -> list[moderngl.Texture]:
        found = []
        for _ in range(count):
            texture = self.ctx.texture(size, components, dtype=self.dtype)
            self._owned.append(texture)
            texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
            texture.repeat_x = texture.repeat_y = False
            found.append(texture)
        return found

    def _add(
        self,
        layer: str,
        fragment: str,
        reads: dict[str, moderngl.Texture | None],
        targets: list[moderngl.Texture],
        viewport: tuple[int, int, int, int],
    ) -> None:
        program = self.ctx.program(
            vertex_shader=convolution.template("quad"), fragment_shader=fragment
        )
        self._owned.append(program)
        vertices = self.ctx.vertex_array(program, [])
        self._owned.append(vertices)
        target = self.ctx.framebuffer(targets)
        self._owned.append(target)
        for unit, name in enumerate(reads):
            sampler = program.get(name, None)
            if isinstance(sampler, moderngl.Uniform):  # one that only zeros read is dropped
                sampler.value = unit
        strength = program.get("strength", None)
        if isinstance(strength, moderngl.Uniform):
            self._strengths.append(strength)
        self._passes.append(_Pass(layer, vertices, dict(reads), target, viewport))
