"""Training an upscaler: the pictures, what is done to them, and that it learns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.card import PieceError
from models.upscaler import Upscaler, load_default
from training.checkpoint import CheckpointError
from training.corpus import shapes
from training.degradation import degrade
from training.upscale import Recipe, Training, ship

IMAGES = shapes.draw(6, 64, seed=3)


def test_shapes_are_the_same_for_a_seed_and_differ_otherwise() -> None:
    assert IMAGES.shape == (6, 64, 64, 3)
    assert np.array_equal(shapes.draw(3, 64, seed=3), IMAGES[:3])
    assert not np.array_equal(shapes.draw(3, 64, seed=4), IMAGES[:3])
    assert all(image.std() > 1 for image in IMAGES)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_degraded_pictures_are_small_honest_and_in_place(scale: int) -> None:
    """Whatever the kernel, the middle of mass of a spot stays where it was: nothing shifts."""
    side = 24 * scale
    y, x = np.mgrid[0:side, 0:side] + 0.5
    spot = np.exp(-((x - 9.3 * scale) ** 2 + (y - 14.1 * scale) ** 2) / (2 * (2 * scale) ** 2))
    high = torch.from_numpy(spot).float().expand(4, 3, side, side)
    seen = set()
    for seed in range(25):
        low = degrade(high, scale, torch.Generator().manual_seed(seed))
        assert low.shape == (4, 3, 24, 24)
        assert low.min() >= 0
        assert low.max() <= 1
        assert torch.equal(low, (low * 255).round() / 255)
        weight = (low[0, 0].double() - 0.25).clamp(min=0)
        cells = torch.arange(24, dtype=torch.float64) + 0.5
        where = [(weight.sum(axis) * cells).sum() / weight.sum() for axis in (0, 1)]
        assert where[0] == pytest.approx(9.3, abs=0.15)
        assert where[1] == pytest.approx(14.1, abs=0.15)
        seen.add(low.numpy().tobytes())
    assert len(seen) > 10


def test_pixel_loss_falls_below_plain_interpolation(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one crop shown again and again, so that a few steps are enough to tell."""
    recipe = Recipe(pixel_steps=200, adversarial_steps=0, batch=1, crop=16, seed=1)
    torch.manual_seed(0)
    training = Training(Upscaler(2, 16, 1), IMAGES, recipe)
    low, high = training._batch()
    monkeypatch.setattr(training, "_batch", lambda: (low, high))
    losses = [training.advance() for _ in range(training.steps)]
    plain = (training.upscaler(low, 0.0) - high).abs().mean().item()
    assert losses[-1]["pixel"] < 0.9 * plain
    assert all(set(loss) == {"pixel"} for loss in losses)


def test_the_critic_joins_after_the_pixels() -> None:
    recipe = Recipe(pixel_steps=2, adversarial_steps=4, batch=2, crop=8, seed=1)
    training = Training(Upscaler(2, 8, 2), IMAGES, recipe)
    losses = [training.advance() for _ in range(training.steps)]
    assert [len(loss) for loss in losses] == [1, 1, 4, 4, 4, 4]
    assert np.isfinite([value for loss in losses for value in loss.values()]).all()
    before = training.critic.logits.weight.detach().clone()
    training.advance()
    assert not torch.equal(training.critic.logits.weight, before)


def test_going_on_from_a_checkpoint_changes_nothing(tmp_path: Path) -> None:
    """Interrupted in either stage and resumed: the same weights as in one go."""
    recipe = Recipe(pixel_steps=4, adversarial_steps=4, batch=2, crop=8, seed=2)

    def fresh() -> Training:
        torch.manual_seed(0)
        return Training(Upscaler(2, 4, 1), IMAGES, recipe)

    whole = fresh().run()
    first = fresh()
    for _ in range(6):
        first.advance()
    first.save(tmp_path / "checkpoint")
    again = fresh().run(tmp_path / "checkpoint")
    for name, tensor in whole.state_dict().items():
        assert torch.allclose(tensor, again.state_dict()[name], atol=1e-6), name


def test_a_checkpoint_is_safetensors_and_whole(tmp_path: Path) -> None:
    recipe = Recipe(pixel_steps=2, adversarial_steps=0, batch=2, crop=8, seed=2)
    training = Training(Upscaler(2, 4, 1), IMAGES, recipe)
    training.advance()
    path = tmp_path / "checkpoint"
    training.save(path)
    held = load_file(path)
    for name, weight in training.upscaler.state_dict().items():
        assert torch.equal(held[f"network.upscaler.{name}"], weight)
    with pytest.raises(CheckpointError, match="another upscaler"):
        Training(Upscaler(2, 8, 1), IMAGES, recipe).load(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="hash"):
        training.load(path)


def test_images_that_are_too_small_are_refused() -> None:
    with pytest.raises(ValueError, match="96 px"):
        Training(Upscaler(4, 4, 1), IMAGES, Recipe())


def test_shipped_weights_load_and_a_flipped_bit_is_found(tmp_path: Path) -> None:
    torch.manual_seed(0)
    upscaler = Upscaler(2, 8, 3)
    path = ship(upscaler, "T", tmp_path, {"images": "none"})
    found = load_default(2, "T", tmp_path)
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(found(x), upscaler(x))
    assert json.loads((tmp_path / "Tx2.json").read_text())["training"] == {"images": "none"}

    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(PieceError, match="damaged"):
        load_default(2, "T", tmp_path)
    path.unlink()
    with pytest.raises(PieceError, match="missing"):
        load_default(2, "T", tmp_path)
    (tmp_path / "Tx2.json").write_text("[]")
    with pytest.raises(PieceError, match="missing or unreadable"):
        load_default(2, "T", tmp_path)
    with pytest.raises(PieceError, match="ships"):
        load_default(4, "T", tmp_path)
