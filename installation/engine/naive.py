"""The upscaler as one would write it first, for `installation bench` to compare with: a pass for
every four output channels, and the weights in a uniform buffer. The picture is the same."""

from __future__ import annotations

import re

import moderngl
import numpy as np

from installation.engine.fragments import FragmentUpscaler
from installation.engine.upscale import Half, Step
from models.upscaler import Upscaler

_MATRIX = re.compile(r"mat([34])x([34])\(([^()]*)\)")


class NaiveUpscaler(FragmentUpscaler):
    backend = "naive"

    def __init__(
        self, ctx: moderngl.Context, upscaler: Upscaler, size: tuple[int, int], dtype: Half = "f2"
    ) -> None:
        super().__init__(ctx, upscaler, size, dtype, targets=1)

    def _compile(self, step: Step) -> moderngl.Program:
        text, matrices = as_buffer(step.text())
        step.text = lambda: text
        program = super()._compile(step)
        block = program.get("Weights", None)
        if isinstance(block, moderngl.UniformBlock):
            block.binding = 0
            buffer, draw = self._own(self.ctx.buffer(matrices.tobytes())), step.run

            def run() -> None:
                buffer.bind_to_uniform_block(0)
                if draw is not None:
                    draw()

            step.run = run
        return program


def as_buffer(text: str) -> tuple[str, np.ndarray]:
    """A program with its literal matrices in a uniform block; (matrices, 4, 4) float32 for it."""
    matrices: list[np.ndarray] = []

    def take(found: re.Match[str]) -> str:
        columns, rows = int(found[1]), int(found[2])
        matrix = np.zeros((4, 4), np.float32)
        numbers = np.array(found[3].split(","), np.float32)
        matrix[:columns, :rows] = numbers.reshape(columns, rows)
        matrices.append(matrix)
        return f"mat{columns}x{rows}(weights[{len(matrices) - 1}])"

    text = _MATRIX.sub(take, text)
    if matrices:
        block = f"layout(std140) uniform Weights {{ mat4 weights[{len(matrices)}]; }};"
        text = text.replace("void main()", f"{block}\n\nvoid main()", 1)
    return text, np.array(matrices, np.float32)
