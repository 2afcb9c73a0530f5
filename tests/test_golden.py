"""What the passes look like: small pictures kept in tests/golden, drawn on Mesa's llvmpipe.

`pytest tests/test_golden.py --update-golden` writes them anew; look at them before you commit.
Another driver may round otherwise: one pixel in two hundred may differ by more than 3 of 255.
"""

from __future__ import annotations

from pathlib import Path

import moderngl
import numpy as np
import pytest
from PIL import Image

import shaders
from installation import playing
from installation import scene as scenes
from installation.engine.compose import Compose
from installation.engine.mix import Mixer
from installation.engine.passes import PassChain
from installation.engine.programs import Program
from installation.engine.shade import Shade
from installation.engine.textures import FrameTexture, Target
from installation.scene import Pass
from tests.drawing import encoded, face_card
from tests.visitors import Room, film, silhouette

GOLDEN = Path(__file__).parent / "golden"
SIZE = (128, 128)
TIME = 1.25
# Values that show the effect plainly; where nothing stands the defaults do.
PLAIN = {
    "post/bloom": {"amount": 1.0, "threshold": 0.05, "radius": 2.0},
    "post/grade": {"exposure": 0.4, "contrast": 1.3, "saturation": 1.4, "temperature": 0.6},
    "post/grain": {"amount": 0.2, "size": 12.0},
    "post/mirror": {"angle": 30.0},
    "post/trails": {"seconds": 0.5, "zoom": 0.5},
    "mix/melt": {"progress": 0.5},
    "mix/dissolve": {"progress": 0.5},
    "mix/threshold": {"progress": 0.5},
}


@pytest.fixture
def agrees(request: pytest.FixtureRequest, gl: moderngl.Context):
    """A function that compares a texture with the golden image of a name, or writes it."""

    def compare(name: str, texture: moderngl.Texture) -> None:
        drawn, file = encoded(gl, texture, TIME), GOLDEN / f"{name.replace('/', '-')}.png"
        if request.config.getoption("--update-golden"):
            Image.fromarray(np.ascontiguousarray(drawn)).save(file)
        golden = np.asarray(Image.open(file).convert("RGB"), np.int16)
        assert drawn.shape == golden.shape
        off = np.abs(drawn - golden).max(-1) > 3
        assert off.mean() < 1 / 200, f"{off.mean():.1%} of {file.name} differs"

    return compare


@pytest.fixture
def face(gl: moderngl.Context) -> moderngl.Texture:
    return Compose(gl, SIZE).render(FrameTexture(gl).upload(face_card()))


@pytest.mark.parametrize("name", shaders.names("post"))
def test_pass(gl: moderngl.Context, face: moderngl.Texture, agrees, name: str) -> None:
    values = PLAIN.get(name, {})
    shade = Shade(gl)
    shade.show(np.uint8(255) * silhouette())
    chain = PassChain(gl, [Pass(name, **values)], SIZE, shade)
    for frame in range(12):  # trails need a past
        drawn = chain.render(face, [values], TIME, dt=0.05 * (frame + 1))
    agrees(name, drawn)
    chain.release()
    shade.release()


@pytest.mark.parametrize("name", shaders.names("mix"))
def test_transition(gl: moderngl.Context, face: moderngl.Texture, agrees, name: str) -> None:
    turned = np.ascontiguousarray(255 - face_card()[::-1])
    other = Compose(gl, SIZE).render(FrameTexture(gl).upload(turned))
    mixer = Mixer(gl, SIZE, name)
    agrees(name, mixer.render(face, other, 0.5))
    mixer.release()


@pytest.mark.parametrize("size", [(224, 126), (90, 160)])
def test_soft_surround(gl: moderngl.Context, agrees, size: tuple[int, int]) -> None:
    frame = FrameTexture(gl).upload(face_card(64))
    agrees(f"surround-{size[0]}", Compose(gl, size).render(frame))


def test_waiting(gl: moderngl.Context, agrees) -> None:
    target = Target(gl, SIZE)
    program = Program(gl, shaders.load("output/waiting"))
    program.draw(target.framebuffer, {}, {}, TIME)
    agrees("output/waiting", target.texture)
    moved = encoded(gl, target.texture)
    program.draw(target.framebuffer, {}, {}, TIME + 4)
    assert np.abs(encoded(gl, target.texture) - moved.astype(int)).mean() > 0.5


@pytest.mark.parametrize("name", scenes.shipped())
def test_scene(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Each work with its piece of the setlist, nine seconds in and with somebody before it: what
    the README shows."""
    room, out = Room(), tmp_path / "out"
    came = [room.dancer(n // 8 - 7) for n in range(90)]
    visitor = film(tmp_path / "visitor.mp4", [room.walls] * 60 + came)
    options = playing.Options(
        scene=name, offscreen=True, out=str(out), size=(256, 256), frames=28, fps=3,
        sight=str(visitor),
    )  # fmt: skip
    assert playing.play(options) == 0
    drawn, file = Image.open(sorted(out.glob("*.png"))[-1]), GOLDEN / "scenes" / f"{name}.png"
    if request.config.getoption("--update-golden"):
        drawn.save(file)
    golden = np.asarray(Image.open(file).convert("RGB"), np.int16)
    assert np.abs(np.asarray(drawn) - golden).mean() < 3  # another processor rounds otherwise
