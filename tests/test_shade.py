"""The shade of those before the wall, as a pass reads it."""

from __future__ import annotations

from pathlib import Path

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from installation.engine.passes import PassChain
from installation.engine.shade import Shade
from installation.engine.textures import Target
from installation.scene import Pass

READ = '#include "lib/shade.glsl"\nvoid main() { color = vec4(vec3(somebody(uv)), 1.0); }\n'


def b_spline(points: int, pixels: int, part: float) -> NDArray[np.floating]:
    """(pixels, points): how much of each point is in each pixel, of the middle part of them all."""
    at = ((np.arange(pixels) + 0.5) / pixels - 0.5) * part + 0.5
    made = np.zeros((pixels, points))
    for point in range(-3, points + 3):
        t = np.abs(at * points - 0.5 - point)
        weight = np.where(t < 1, (4 - 6 * t**2 + 3 * t**3) / 6, np.clip(2 - t, 0, None) ** 3 / 6)
        made[:, min(points - 1, max(0, point))] += weight  # beyond an edge it goes on as at it
    return made


@pytest.mark.parametrize("size", [(64, 48), (200, 100), (90, 160)])
def test_a_shade_is_read_smoothly_and_covers_the_picture(
    gl: moderngl.Context, tmp_path: Path, size: tuple[int, int]
) -> None:
    (width, height), path = size, tmp_path / "read.glsl"
    path.write_text(READ)
    shade, shown = Shade(gl), np.random.default_rng(1).integers(0, 256, (48, 64), np.uint8)
    chain, source = PassChain(gl, [Pass(str(path))], size, shade), Target(gl, size)

    def drawn() -> NDArray[np.floating]:
        data = chain.render(source.texture, [{}], 0.0, 0.0).read()
        return np.frombuffer(data, np.float16).reshape(height, width, -1)[..., 0].astype(float)

    assert drawn().max() < 1e-3  # nobody
    shade.show(shown)
    wide = width / height / (64 / 48)
    down, across = b_spline(48, height, min(1, 1 / wide)), b_spline(64, width, min(1, wide))
    # a filter's fractions have 8 bits
    assert np.abs(drawn() - down @ (shown[::-1] / 255) @ across.T).max() < 1.5 / 255
    shade.show(None)
    assert drawn().max() < 1e-3
    for one in (chain, source, shade):
        one.release()
