"""What only a CUDA device can show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from installation.engine.painter import Painter
from tests.pieces import LATENT, make_piece

pytestmark = pytest.mark.gpu


def test_the_gpu_paints_what_the_cpu_paints(tmp_path: Path) -> None:
    piece = make_piece(tmp_path / "tiny")
    points = LATENT.sample(np.random.default_rng(0), 4)
    on_cpu = Painter(piece, "cpu").paint(points).astype(int)
    on_gpu = Painter(piece, "cuda").paint(points).astype(int)
    assert np.abs(on_cpu - on_gpu).max() <= 2


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
