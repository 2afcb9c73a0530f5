"""What only a CUDA device can show."""

from __future__ import annotations

from pathlib import Path

import moderngl
import numpy as np
import pytest
import torch

from installation.engine.captured import Captured
from installation.engine.painter import Painter
from installation.engine.shared import Frames
from tests import discs
from tests.pieces import LATENT, make_kin, make_piece

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("bend", [(), (0.4, 30, 0.5, 0.1, -0.2)], ids=["straight", "bent"])
def test_the_gpu_paints_what_the_cpu_paints(tmp_path: Path, bend: tuple[float, ...]) -> None:
    piece = make_piece(tmp_path / "tiny")
    points = LATENT.sample(np.random.default_rng(0), 4)
    points = np.concatenate([points, np.tile(np.float32(bend), (4, 1))], axis=1)
    painter = Painter(piece, "cuda")
    on_cpu = np.asarray(Painter(piece, "cpu").paint(points)).astype(int)
    for _ in range(2):  # captured, and played again
        on_gpu = painter.paint(points)
        assert isinstance(on_gpu, torch.Tensor)
        assert on_gpu.is_cuda
        assert np.abs(on_cpu - on_gpu.cpu().numpy().astype(int)).max() <= 2
    assert isinstance(painter._captured[torch.Size(points.shape)], Captured)
    painter.to_host = True
    assert isinstance(painter.paint(points), np.ndarray)


def test_weights_move_under_a_captured_graph(tmp_path: Path) -> None:
    one, other = make_kin(tmp_path)
    points = LATENT.sample(np.random.default_rng(0), 2)
    on_gpu, on_cpu = Painter(one, "cuda", kin=other), Painter(one, "cpu", kin=other)
    for share in (0.0, 0.5, 1.0, 0.0):
        on_gpu.toward = on_cpu.toward = share
        picture = on_gpu.paint(points)
        assert isinstance(picture, torch.Tensor)
        expected = np.asarray(on_cpu.paint(points)).astype(int)
        assert np.abs(expected - picture.cpu().numpy().astype(int)).max() <= 2
    assert isinstance(on_gpu._captured[torch.Size(points.shape)], Captured)


def test_frames_stay_on_the_gpu_where_gl_is_there_too(gl: moderngl.Context) -> None:
    pytest.importorskip("cuda.core")
    frames = Frames(gl)
    rng = torch.Generator().manual_seed(0)
    for side in (64, 128, 64):
        for _ in range(5):
            frame = torch.randint(0, 256, (side, side, 4), dtype=torch.uint8, generator=rng)
            texture = frames.upload(frame.cuda())
            shown = np.frombuffer(texture.read(alignment=1), np.uint8).reshape(side, side, 4)
            np.testing.assert_array_equal(shown, frame.numpy())
    assert frames.direct == ("NVIDIA" in gl.info["GL_RENDERER"])
    frames.release()


def test_what_the_gpu_trains_and_measures_plays_on_the_cpu(tmp_path: Path) -> None:
    """Labels, codes, growth and augmentation; then every reader of `evaluate`; an upscaler."""
    from training.evaluate import Effort, evaluate
    from training.train import train
    from training.upscale.recipe import UpscaleRecipe
    from training.upscale.train import train as train_upscaler

    photos = discs.write(tmp_path / "discs", 120, side=32)
    codes = 'codes=[{name="kind", kind="categorical", size=3}, {name="one", kind="continuous"}]'
    piece = train(
        photos, out=tmp_path / "out", budget="1kimg", resolution=32,
        overrides=[codes, "growth=16:1 32:1", "augment=0.5", "adapt=true", "cutout=0.2",
                   "saturation=1", "label_start=0", "label_full=0.1"],
    )  # fmt: skip
    assert piece is not None
    little = Effort(encoder=2, labels=2, codes=2, code_pictures=64)
    report = evaluate(piece, photos, samples=30, cache=tmp_path / "encoders", effort=little)
    assert {"fd_own", "label_hue", "code_kind_probe", "code_kind_q"} <= set(report["figures"])
    recipe = UpscaleRecipe(tier="T", scale=2, crop=8, noise=1, jpeg=1, checkerboard=1)
    train_upscaler(photos, recipe, piece=piece, budget="0.5kimg")
    painter = Painter(piece, "cpu")
    pictures = painter.paint(np.zeros((1, painter.card.latent.width), np.float32))
    assert pictures.shape == (1, 32, 32, 4)


def test_a_step_compiled_for_the_gpu_learns_as_one_that_is_not(tmp_path: Path) -> None:
    from training.train import train

    photos = discs.write(tmp_path / "discs", 60, side=16)
    for choice in ("true", "false"):
        train(
            photos, out=tmp_path / choice, budget="0.5kimg", resolution=16,
            overrides=[f"compile={choice}"],
        )  # fmt: skip
    points = np.zeros((1, Painter(tmp_path / "true", "cpu").card.latent.width), np.float32)
    one, two = (
        np.asarray(Painter(tmp_path / choice, "cpu").paint(points)).astype(int)
        for choice in ("true", "false")
    )
    assert np.abs(one - two).mean() < 8  # bfloat16, summed in another order for sixteen steps
