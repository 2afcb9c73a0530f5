"""The upscaler as GLSL on a frame's texture: what every back end of it is and does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, TypeVar

import moderngl
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.upscaler import Upscaler

Half = Literal["f2", "f4"]


class _Releases(Protocol):
    def release(self) -> None: ...


_Made = TypeVar("_Made", bound=_Releases)


@dataclass
class Step:
    """One pass: its text, what it reads by sampler name, where it draws.

    layers: of which layer each texture written holds channels, by Upscaler.layers()' names, with
    the colour behind "phases"; "" where a later step writes the rest of it. text: called when the
    pass is compiled. region: x, y, width, height in each texture written. weights: where the text
    has none.
    run: what draws it, once it is compiled.
    """

    layers: list[str]
    text: Callable[[], str]
    reads: dict[str, moderngl.Texture | None]  # None: the frame given to render()
    writes: list[moderngl.Texture]
    region: tuple[int, int, int, int]
    weights: moderngl.Buffer | None = None
    run: Callable[[], None] | None = None
    strength: moderngl.Uniform | None = field(default=None, repr=False)


class ShaderUpscaler(ABC):
    """Runs a `models.upscaler.Upscaler` on textures of one size. See tiers.py for who chooses one.

    size (width, height) of the frames. Frames are RGBA8 or RGBA16F textures with sRGB-encoded
    values in [0, 1]; alpha is ignored. Texel row 0 is the picture's top row, as an image array is
    uploaded; nothing in here flips. dtype is the precision between passes and of the result: "f2"
    half-float, "f4" float (for checking against torch).

    A pass is compiled when it is first drawn, which warm() spreads over frames. Everything made
    here lives until release(). Raises ValueError for an empty size; drawing raises moderngl.Error
    where the driver refuses a shader, and then all of it is released.
    """

    backend: ClassVar[str]

    def __init__(
        self, ctx: moderngl.Context, upscaler: Upscaler, size: tuple[int, int], dtype: Half = "f2"
    ) -> None:
        if min(size) < 1:
            raise ValueError(f"cannot upscale a frame of {size[0]} × {size[1]} pixels")
        self.ctx, self.size, self.dtype = ctx, size, dtype
        self.scale, self.macs = upscaler.scale, upscaler.macs
        self.strength = 1.0  # live: 0 is plain Catmull-Rom, 1 as trained, above 1 exaggerates
        self._owned: list[_Releases] = []
        self._steps: list[Step] = []
        try:
            # The frame keeps its own filter and wrapping; here it is read by the texel, clamped.
            self._nearest = self._own(
                ctx.sampler(
                    repeat_x=False, repeat_y=False, filter=(moderngl.NEAREST, moderngl.NEAREST)
                )
            )
            width, height = size[0] * self.scale, size[1] * self.scale
            self.output = self._textures((width, height), 1)[0]
            self.output.filter = (moderngl.LINEAR, moderngl.LINEAR)
            self._plan(upscaler)
        except BaseException:
            self.release()
            raise

    @abstractmethod
    def _plan(self, upscaler: Upscaler) -> None:
        """Make the textures and the steps, compiling nothing."""

    @abstractmethod
    def _compile(self, step: Step) -> moderngl.Program | moderngl.ComputeShader:
        """Compile a step and set its `run`."""

    @property
    def passes(self) -> int:
        """How many draws or dispatches one picture takes."""
        return len(self._steps)

    def render(self, frame: moderngl.Texture) -> moderngl.Texture:
        """Upscale one frame. The texture returned is the same each time, drawn anew.

        May leave a framebuffer of its own bound, blending and depth test off: bind yours before
        you draw.
        """
        for _ in self._draw(frame):
            pass
        return self.output

    def warm(self) -> Iterator[None]:
        """Draw a blank frame, pausing after each pass, and bind your framebuffer in each pause.

        Compiling a pass takes time, on software GL up to a second for one of tier S. Spread over
        frames, that is no stutter.
        """
        blank = self.ctx.texture(self.size, 4, bytes(4 * self.size[0] * self.size[1]))
        try:
            for _ in self._draw(blank):
                self.ctx.finish()  # some drivers compile behind one's back, at the first wait
                yield
        finally:
            blank.release()

    def layers(self, frame: moderngl.Texture) -> dict[str, NDArray[np.float32]]:
        """Render, reading every layer back as (channels, height, width); for checking.

        Names and layouts are those of Upscaler.layers(), as far as the back end keeps them in
        textures, with "output" after them.
        """
        parts: dict[str, list[NDArray[np.float32]]] = {}
        for step in self._draw(frame):
            x, y, width, height = step.region
            for name, texture in zip(step.layers, step.writes, strict=True):
                kind = np.float16 if self.dtype == "f2" else np.float32
                pixels = np.frombuffer(texture.read(alignment=1), kind)
                pixels = pixels.reshape(texture.height, texture.width, texture.components)
                part = pixels[y : y + height, x : x + width].transpose(2, 0, 1)
                if name:
                    parts.setdefault(name, []).append(part.astype(np.float32))
        if "phases.0" in parts:  # they come part by part in three colours; torch has colours first
            colours = [parts.pop(f"phases.{c}") for c in range(3)]
            used = self.scale**2 // len(colours[0])  # of four components; three at ×3
            parts["phases"] = [part[:used] for colour in colours for part in colour]
            parts["output"] = parts.pop("output")
        found = {name: np.concatenate(arrays) for name, arrays in parts.items()}
        found["output"] = found["output"][:3]
        return found

    def release(self) -> None:
        """Free every GL object. moderngl's default never does. Safe to call twice."""
        while self._owned:
            self._owned.pop().release()
        self._steps.clear()

    def _draw(self, frame: moderngl.Texture) -> Iterator[Step]:
        if frame.size != self.size:
            raise ValueError(f"upscaler made for {self.size}, got a frame of {frame.size}")
        for step in list(self._steps):
            if step.run is None:
                self._prepare(step)
            if step.strength is not None:
                step.strength.value = float(self.strength)
            for unit, texture in enumerate(step.reads.values()):
                (texture or frame).use(unit)
                if texture is None:
                    self._nearest.use(unit)
            assert step.run is not None  # noqa: S101 - prepared above
            step.run()
            self._nearest.clear(0)  # the frame is always the first that is read
            yield step

    def _prepare(self, step: Step) -> None:
        try:
            program = self._compile(step)
        except moderngl.Error:
            self.release()
            raise
        for unit, name in enumerate(step.reads):
            sampler = program.get(name, None)
            if isinstance(sampler, moderngl.Uniform):  # one that only zeros read is dropped
                sampler.value = unit
        strength = program.get("strength", None)
        step.strength = strength if isinstance(strength, moderngl.Uniform) else None

    def _own(self, made: _Made) -> _Made:
        self._owned.append(made)
        return made

    def _textures(self, size: tuple[int, int], count: int) -> list[moderngl.Texture]:
        """Of four components: three of half floats cannot be drawn into everywhere."""
        found = []
        for _ in range(count):
            texture = self._own(self.ctx.texture(size, 4, dtype=self.dtype))
            texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
            texture.repeat_x = texture.repeat_y = False
            found.append(texture)
        return found

    def _add(
        self,
        layers: list[str],
        text: Callable[[], str],
        reads: dict[str, moderngl.Texture | None],
        writes: list[moderngl.Texture],
        region: tuple[int, int, int, int],
    ) -> None:
        self._steps.append(Step(layers, text, dict(reads), list(writes), region))


def convolutions(upscaler: Upscaler) -> list[tuple[str, Tensor, Tensor]]:
    """Head and body: the name, weight and bias of each layer, on the CPU."""
    made = {"head": upscaler.head} | {f"body.{k}": one for k, one in enumerate(upscaler.body)}
    state = {name: conv.state_dict() for name, conv in made.items()}
    return [(name, held["weight"].cpu(), held["bias"].cpu()) for name, held in state.items()]
