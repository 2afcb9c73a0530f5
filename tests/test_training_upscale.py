"""Training an upscaler: the pictures, what is done to them, and that it learns."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.card import PieceError
from models.upscaler import Chained, Upscaler, load_default
from tests.tensors import differing
from training.checkpoint import CheckpointError
from training.corpus import leaves, shapes
from training.upscale import losses
from training.upscale.degradation import Kernel, draw_kernel, soil
from training.upscale.export import stand_alone
from training.upscale.level import level
from training.upscale.recipe import UpscaleRecipe
from training.upscale.training import Training

IMAGES = list(shapes.draw(6, 64, seed=3))
SMALL = UpscaleRecipe(scale=2, crop=8, batch=2, precision="float32", seed=1)


def fresh(recipe: UpscaleRecipe = SMALL, walk: torch.Tensor | None = None) -> Training:
    torch.manual_seed(0)
    return Training(Upscaler(recipe.scale, 4, 1), IMAGES, recipe, walk)


def go(training: Training, steps: int, until: int | None = None) -> list[dict[str, float]]:
    """Train to step `until` of a budget of `steps`."""
    return [training.advance(training.step / steps) for _ in range(training.step, until or steps)]


def test_levelling_changes_the_scale_of_every_channel_and_not_the_picture() -> None:
    torch.manual_seed(2)
    upscaler = Upscaler(2, 8, 3).requires_grad_(False)
    torch.nn.init.normal_(upscaler.tail.weight, std=0.1)
    for number, layer in enumerate([upscaler.head, *upscaler.body]):
        layer.weight *= torch.logspace(-2, 2, 8).roll(number)[:, None, None, None]
        torch.nn.init.normal_(layer.bias, std=0.1)
    x = torch.rand(4, 3, 16, 16)
    found = level(upscaler, x)
    peaks = [feature.abs().amax((0, 2, 3)) for feature in found.features(x).values()]
    assert all(torch.allclose(peak, torch.ones(8)) for peak in peaks[1:-1])
    assert torch.allclose(torch.maximum(peaks[0], peaks[-1]), torch.ones(8))  # joined by the skip
    residual = upscaler.residual(x)
    assert torch.allclose(found.residual(x), residual, atol=1e-5 * float(residual.abs().max()))


@pytest.mark.parametrize("corpus", [shapes, leaves])
def test_drawings_are_the_same_for_a_seed_and_differ_otherwise(corpus: object) -> None:
    drawn = corpus.draw(4, 64, seed=3)  # type: ignore[attr-defined]
    assert drawn.shape == (4, 64, 64, 3)
    assert np.array_equal(corpus.draw(2, 64, seed=3), drawn[:2])  # type: ignore[attr-defined]
    assert not np.array_equal(corpus.draw(2, 64, seed=4), drawn[:2])  # type: ignore[attr-defined]
    assert all(image.std() > 1 for image in drawn)


def test_leaves_look_alike_at_every_scale() -> None:
    """Their power falls with about the square of the frequency, as in photographs."""
    grey = leaves.draw(8, 64, seed=1).mean(-1)
    power = np.mean([np.abs(np.fft.fft2(g - g.mean())) ** 2 for g in grey], 0)
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))
    rings = [power[(f > low) & (f <= 2 * low)].mean() for low in (0.02, 0.04, 0.08, 0.16)]
    slope = np.polyfit(np.log2([0.02, 0.04, 0.08, 0.16]), np.log2(rings), 1)[0]
    assert -2.8 < slope < -1.2


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_degraded_pictures_are_small_honest_and_in_place(scale: int) -> None:
    """Whatever the kernel, the middle of mass of a spot stays where it was: nothing shifts."""
    side = 24 * scale
    y, x = np.mgrid[0:side, 0:side] + 0.5
    spot = np.exp(-((x - 9.3 * scale) ** 2 + (y - 14.1 * scale) ** 2) / (2 * (2 * scale) ** 2))
    high = torch.from_numpy(spot).float().expand(4, 3, side, side)
    recipe = UpscaleRecipe(scale=scale, gaussian=3, noise=0.3, jpeg=0.3, checkerboard=0.3)
    kinds, seen = set(), set()
    for seed in range(30):
        generator = torch.Generator().manual_seed(seed)
        kernel = draw_kernel(recipe, generator)
        low = soil(kernel.shrink(high), recipe, generator)
        assert low.shape == (4, 3, 24, 24)
        assert low.min() >= 0
        assert low.max() <= 1
        assert torch.equal(low, (low * 255).round() / 255)
        weight = (low[0, 0].double() - 0.25).clamp(min=0)
        cells = torch.arange(24, dtype=torch.float64) + 0.5
        where = [(weight.sum(axis) * cells).sum() / weight.sum() for axis in (0, 1)]
        assert where[0] == pytest.approx(9.3, abs=0.15)
        assert where[1] == pytest.approx(14.1, abs=0.15)
        kinds.add(kernel.kind)
        seen.add(low.numpy().tobytes())
    assert kinds == {"box", "bicubic", "lanczos", "gaussian"}
    assert len(seen) > 10


def test_losses_are_zero_where_nothing_is_wrong_and_grow() -> None:
    scene = torch.from_numpy(np.stack(IMAGES[:2])).permute(0, 3, 1, 2).float() / 255
    least = losses.charbonnier(scene, scene)
    still, moved = scene[..., :60, :60], scene[..., 1:61, 3:63]
    assert torch.equal(losses.pan(still, moved, 1, 3), least)
    assert losses.pan(still, moved, 3, 1) > 2 * least
    for kind in ("box", "bicubic", "lanczos", "gaussian"):
        kernel = Kernel(kind, 2, 0.5)
        small = kernel.shrink(scene)
        assert torch.equal(losses.consistency(scene, small, kernel), least)
        assert losses.consistency(scene + 0.1, small, kernel) > 0.09
    calm = torch.cat([scene, scene])
    wild = torch.cat([scene, scene + 0.1])
    assert losses.steadiness(calm, calm) == 0
    assert losses.steadiness(wild, wild) == 0
    assert losses.steadiness(wild, calm) == pytest.approx(0.1, abs=1e-5)
    for seed in range(20):
        down, across = losses.shifts(3, torch.Generator().manual_seed(seed))
        assert (down, across) != (0, 0)
        assert max(down, across) < 3


def test_the_second_half_of_a_batch_is_the_first_moved() -> None:
    windows = fresh()._windows(np.random.default_rng(0), 1, 0)
    assert windows.shape == (2, 3, 16, 16)
    assert torch.equal(windows[0, :, 1:], windows[1, :, :-1])


def test_pixel_loss_falls_below_plain_interpolation(monkeypatch: pytest.MonkeyPatch) -> None:
    """On two crops shown again and again, so that a few steps are enough to tell."""
    only_box = {"bicubic": 0, "lanczos": 0, "gaussian": 0, "noise": 0, "jpeg": 0, "checkerboard": 0}
    rest = {"crop": 16, "pan": 0, "consistency": 0, "adversarial_share": 0}
    recipe = SMALL.model_copy(update=only_box | rest)
    torch.manual_seed(0)
    training = Training(Upscaler(2, 16, 1), IMAGES, recipe)
    always = training._windows(np.random.default_rng(2), 0, 0)
    monkeypatch.setattr(training, "_windows", lambda *_: always)
    go(training, 100)
    low = (Kernel("box", 2).shrink(always) * 255).round() / 255
    plain, made = (training.upscaler(low, strength) - always for strength in (0.0, 1.0))
    assert made.abs().mean() < 0.85 * plain.abs().mean()


def test_the_critic_joins_after_the_pixels() -> None:
    training = fresh(SMALL.model_copy(update={"adversarial_share": 0.6}))
    terms = go(training, 6)
    pixels, judged = {"pixel", "consistency", "pan"}, {"adversarial", "feature"}
    assert [set(t) for t in terms] == [pixels] * 3 + [pixels | judged] * 3
    assert np.isfinite([value for t in terms for value in t.values()]).all()
    before = training.critic.logits.weight.detach().clone()
    training.advance(0.9)
    assert not torch.equal(training.critic.logits.weight, before)


@pytest.mark.parametrize(("precision", "same"), [("float32", True), ("bf16", False)])
def test_the_critic_computes_as_the_upscaler_does(precision: str, same: bool) -> None:
    """Where bfloat16 is emulated it took several times as long, whatever was asked for."""
    critic = fresh(SMALL.model_copy(update={"precision": precision})).critic.eval()
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        first = critic.convs[0](critic.unshuffle(x * 2 - 1))
        found = critic(x)[0]
    assert torch.allclose(found, torch.nn.functional.leaky_relu(first, 0.2), atol=1e-6) == same


def test_a_piece_s_walk_is_learned_from_too() -> None:
    walk = torch.rand(4, 2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    with_walk, without = fresh(walk=walk), fresh()
    assert {"piece", "steady"} <= set(go(with_walk, 3)[-1])
    go(without, 3)
    assert not torch.equal(with_walk.upscaler.tail.weight, without.upscaler.tail.weight)


def test_bfloat16_learns_nearly_the_same() -> None:
    low, exact = (
        fresh(SMALL.model_copy(update={"precision": precision}))
        for precision in ("bf16", "float32")
    )
    a, b = (go(training, 10, until=3)[-1]["pixel"] for training in (low, exact))
    assert a != b
    assert a == pytest.approx(b, rel=0.05)


def test_going_on_from_a_checkpoint_changes_nothing(tmp_path: Path) -> None:
    """Interrupted in either stage and resumed: the same weights as in one go."""
    recipe = SMALL.model_copy(update={"adversarial_share": 0.5})
    whole = fresh(recipe)
    go(whole, 8)
    for stop in (3, 6):
        first = fresh(recipe)
        go(first, 8, until=stop)
        first.save(tmp_path / "checkpoint", {"seconds": 1.5})
        again = fresh(recipe)
        assert again.load(tmp_path / "checkpoint")["seconds"] == 1.5
        go(again, 8)
        for name, tensor in whole.result.state_dict().items():
            assert torch.allclose(tensor, again.result.state_dict()[name], atol=1e-6), name


def test_a_checkpoint_is_safetensors_and_whole(tmp_path: Path) -> None:
    training = fresh()
    go(training, 4, until=2)
    path = tmp_path / "checkpoint"
    training.save(path, {})
    held = load_file(path)
    for name, weight in training.upscaler.state_dict().items():
        assert torch.equal(held[f"network.upscaler.{name}"], weight)
    with pytest.raises(CheckpointError, match="another upscaler"):
        Training(Upscaler(2, 8, 1), IMAGES, SMALL).load(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="hash"):
        training.load(path)


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(ValueError, match="100 px"):
        Training(Upscaler(4, 4, 1), IMAGES, UpscaleRecipe())
    with pytest.raises(ValueError, match="×2"):
        Training(Upscaler(3, 4, 1), IMAGES, SMALL)


def test_the_last_of_a_chain_learns_from_what_the_first_makes(tmp_path: Path) -> None:
    recipe = UpscaleRecipe(scale=6, crop=8, batch=2, precision="float32", pan=0, consistency=0)
    torch.manual_seed(0)
    first = Upscaler(2, 4, 1)
    torch.nn.init.normal_(first.tail.weight, std=0.3)
    other = Upscaler(2, 4, 1)
    other.load_state_dict({k: -v for k, v in first.state_dict().items()})
    last = Upscaler(3, 4, 1)
    found = {}
    for name, before in (("first", first), ("other", other)):
        kept = copy.deepcopy(before.state_dict())
        training = Training(Chained(before, copy.deepcopy(last)), IMAGES, recipe)
        go(training, 3)
        found[name] = training.result
        assert isinstance(found[name], Chained)
        assert differing(found[name].links[0].state_dict(), kept) == []
        assert not torch.equal(found[name].links[1].tail.weight, last.tail.weight)
    changed = [one.links[1].tail.weight for one in found.values()]
    assert not torch.equal(*changed)

    stand_alone(found["first"], "T", tmp_path, {})
    loaded = load_default(6, "T", tmp_path)
    x = torch.rand(1, 3, 5, 4)
    assert loaded(x).shape == (1, 3, 30, 24)
    assert torch.equal(loaded(x), found["first"](x))
    assert torch.equal(loaded(x, 0.0), loaded.links[1](loaded.links[0](x, 0.0), 0.0))


def test_shipped_weights_load_and_a_flipped_bit_is_found(tmp_path: Path) -> None:
    torch.manual_seed(0)
    upscaler = Upscaler(2, 8, 3)
    path = stand_alone(upscaler, "T", tmp_path, {"images": "none"})
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
