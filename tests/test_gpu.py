"""What only a CUDA device can show."""

from __future__ import annotations

from pathlib import Path

import moderngl
import numpy as np
import pytest
import torch
from PIL import Image

from installation.engine.captured import Captured
from installation.engine.painter import Painter
from installation.engine.shared import Frames
from tests.pieces import LATENT, make_piece

pytestmark = pytest.mark.gpu


def test_the_gpu_paints_what_the_cpu_paints(tmp_path: Path) -> None:
    piece = make_piece(tmp_path / "tiny")
    points = LATENT.sample(np.random.default_rng(0), 4)
    painter = Painter(piece, "cuda")
    on_cpu = np.asarray(Painter(piece, "cpu").paint(points)).astype(int)
    for _ in range(2):  # captured, and played again
        on_gpu = painter.paint(points)
        assert isinstance(on_gpu, torch.Tensor)
        assert on_gpu.is_cuda
        assert np.abs(on_cpu - on_gpu.cpu().numpy().astype(int)).max() <= 2
    assert isinstance(painter._captured[4], Captured)
    painter.to_host = True
    assert isinstance(painter.paint(points), np.ndarray)


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


def test_training_runs_on_the_gpu_and_its_piece_plays_on_the_cpu(tmp_path: Path) -> None:
    from training.train import train

    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(12):
        Image.new("RGB", (40, 40), (20 * i, 120, 255 - 20 * i)).save(photos / f"{i}.png")
    piece = train(photos, out=tmp_path / "out", budget="0.2kimg", resolution=16)
    pictures = Painter(piece, "cpu").paint(
        np.zeros((1, Painter(piece, "cpu").card.latent.width), np.float32)
    )
    assert pictures.shape == (1, 16, 16, 4)
