"""Architecture lines and progressive growing."""

from __future__ import annotations

import copy
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from models import piece
from models.architecture import fit_to, parse
from models.card import PREVIEW
from models.discriminator import Discriminator
from models.generator import Generator
from models.latent import Latent
from tests.images import noise
from tests.tensors import differing
from training.checkpoint import moments, read_checkpoint, restore_moments, write_checkpoint
from training.growth import plan
from training.module import GanModule
from training.recipe import RecipeError, make_recipe
from training.train import train

GROWING = [
    "resolution=32", "generator=4:16 8:8 16:8", "growth=8:1x4 16:1 32:2", "batch=8", "z=8",
    "precision=float32",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "is empty"),
        ("4:8 8", "'8' is not SIZE:CHANNELS"),
        ("8:8 16:8", "at the start come 4 pixels, not 8"),
        ("4:8 16:8", "after 4 pixels come 8 pixels, not 16"),
        ("4:0", "from 1 to 4096 channels"),
        ("4:384; 8:192", "is not SIZE:CHANNELS"),
        ("4:8 8:8 16:8 32:8 64:8 128:8 256:8 512:512", "512 pixels fill the memory; 256 at most"),
    ],
)
def test_a_wrong_architecture_is_explained(line: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(line)
    with pytest.raises(RecipeError, match=r"generator: "):
        make_recipe({"generator": line})


def test_an_architecture_becomes_the_networks() -> None:
    assert parse("4:32 8:16 16:8") == (32, 16, 8)
    assert fit_to((32, 16, 8), 16) == (32, 16)
    recipe = make_recipe(
        {"resolution": 32, "generator": "4:12 8:10 16:6", "discriminator": "4:9 8:7 16:5"}
    ).settled(100)
    module = GanModule(recipe, Latent(4))
    assert module.generator.channels == (12, 10, 6)
    assert [len(layer.weight) for layer in module.discriminator.trunk] == [5, 7, 9]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("16", "is not RESOLUTION:SHARE"),
        ("16:0 32:1", "above 0"),
        ("8:1 32:1", "after 8 pixels come 16, not 32"),
        ("8:1 16:1", "growth ends at 16 pixels, the resolution is 32"),
        ("12:1 24:1", "not a power of two"),
        ("16:1x1 32:1", "batch 2 or more"),
    ],
)
def test_a_wrong_growth_is_explained(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        plan(text, 32, 16)


def test_growth_shares_the_budget() -> None:
    sizes = plan("8:1x64 16:1 32:2", 32, 16)
    assert [(s.resolution, s.begins, s.ends, s.batch) for s in sizes] == [
        (8, 0, 0.25, 64), (16, 0.25, 0.5, 16), (32, 0.5, 1, 16),
    ]  # fmt: skip
    assert [s.resolution for s in plan("8:1 16:1 32:2", 16, 16)] == [8, 16]  # the rest is left out
    assert sizes[1].fade(0.25, 0.4) == 0
    assert sizes[1].fade(0.3, 0.4) == pytest.approx(0.5)
    assert sizes[1].fade(0.4, 0.4) == 1


def test_a_generator_grows_without_a_jump() -> None:
    generator = Generator(6, 16, (8, 8)).eval()
    latent = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    before = generator(latent)
    generator.grow(4)
    generator.eval()
    assert torch.allclose(generator(latent), F.interpolate(before, scale_factor=2), atol=1e-6)
    generator.fade = 0.5
    assert not torch.allclose(generator(latent), F.interpolate(before, scale_factor=2), atol=1e-4)
    small = generator.whole()
    assert small.resolution == 16  # not yet fully in
    assert torch.allclose(small(latent), before, atol=1e-6)
    generator.fade = 1.0
    whole = generator.whole()
    assert whole.arguments() == Generator(6, 32, (8, 8, 4)).arguments()
    assert torch.equal(whole(latent), generator(latent))
    assert torch.allclose(whole.fold()(latent), generator(latent), atol=1e-5)


def test_a_discriminator_grows_without_a_jump() -> None:
    discriminator = Discriminator(16, (6, 8))
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    before = discriminator(images)[0]
    discriminator.grow(5)
    large = F.interpolate(images, scale_factor=2)
    assert torch.allclose(discriminator(large)[0], before, atol=1e-6)
    discriminator.fade = 1.0
    assert not torch.allclose(discriminator(large)[0], before, atol=1e-6)


def test_the_average_keeps_what_it_has_learned() -> None:
    module = GanModule(make_recipe(_settings()).settled(100), Latent(8))
    with torch.no_grad():
        module.average.seed.weight.add_(1)
        module.average.picture.weight.add_(1)
    older = copy.deepcopy(module.average)
    module.grow(module.recipe.sizes[1])
    assert torch.equal(module.average.seed.weight, older.seed.weight)
    assert module.average.former is not None
    assert torch.equal(module.average.former.weight, older.picture.weight)
    assert torch.equal(module.average.picture.weight, module.generator.picture.weight)


def test_the_average_soon_follows_what_has_grown() -> None:
    module = GanModule(make_recipe(_settings()).settled(100), Latent(8))
    module.shown = 100_000
    module.grow(module.recipe.sizes[1])
    with torch.no_grad():
        module.generator.picture.weight.add_(1)

    for _ in range(50):
        module.shown += 100
        module._update_average(100)
    behind = (module.generator.picture.weight - module.average.picture.weight).mean().item()
    assert 0 < behind < 0.1  # by the half-life that the training has, it would be 0.7


def _settings() -> dict[str, object]:
    pairs = [entry.partition("=") for entry in GROWING]
    return {key: int(value) if value.isdigit() else value for key, _, value in pairs}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return noise(tmp_path / "noise", side=32)


class Interrupted(Exception):
    """A power cut, as seen from inside."""


def test_a_growing_training_goes_on_where_it_stopped(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(images, out=tmp_path / "whole", budget="0.16kimg", overrides=GROWING)
    assert piece.load(whole).card.resolution == 32
    step = GanModule.training_step

    def cut(module: GanModule, *batch: Any) -> None:
        if module.shown >= 96:  # in the middle of the last size's fade
            write_checkpoint(tmp_path / "parts.training", module, account)
            raise Interrupted
        step(module, *batch)

    account = read_checkpoint(tmp_path / "whole.training")[1]
    monkeypatch.setattr(GanModule, "training_step", cut)
    with pytest.raises(Interrupted):
        train(images, out=tmp_path / "parts", budget="0.16kimg", overrides=GROWING)
    monkeypatch.undo()
    parts = train(images, out=tmp_path / "parts", budget="0.16kimg", resume=True)
    one, two = (load_file(path / "generator.safetensors") for path in (whole, parts))
    assert differing(one, two) == []


def stop_at(patch: pytest.MonkeyPatch, shown: int) -> None:
    """Ctrl-C, once so many images have been shown."""
    step = GanModule.training_step

    def stop(module: GanModule, *batch: Any) -> None:
        step(module, *batch)
        if module.shown >= shown:
            os.kill(os.getpid(), signal.SIGINT)

    patch.setattr(GanModule, "training_step", stop)


@pytest.mark.parametrize("shown", [40, 80, 96])  # 8 end, 16 end, 32 fade in
def test_a_growing_training_that_was_stopped_is_the_same_to_the_bit(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: int
) -> None:
    train(images, out=tmp_path / "whole", budget="0.16kimg", overrides=GROWING)
    stop_at(monkeypatch, shown)
    train(images, out=tmp_path / "parts", budget="0.16kimg", overrides=GROWING)
    monkeypatch.undo()
    assert read_checkpoint(tmp_path / "parts.training")[1]["shown"] == shown
    train(images, out=tmp_path / "parts", budget="0.16kimg", resume=True)
    one, two = (read_checkpoint(tmp_path / f"{name}.training")[0] for name in ("whole", "parts"))
    assert differing(one, two) == []


def test_a_run_ended_in_the_middle_of_a_fade_leaves_the_smaller_piece(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(monkeypatch, 96)
    out = train(images, out=tmp_path / "p", budget="0.16kimg", overrides=GROWING)
    assert piece.load(out).card.resolution == 16
    with Image.open(out / PREVIEW) as preview:
        assert preview.size == (512, 512)  # 4 × 4 pictures of 16 pixels, eight times as large
    monkeypatch.undo()
    train(images, out=out, budget="0.05kimg", resume=True)  # used up: nothing comes in by it
    assert piece.load(out).card.resolution == 16
    train(images, out=out, budget="0.16kimg", resume=True)
    assert piece.load(out).card.resolution == 32


@pytest.mark.parametrize("budget", ["0.28kimg", "0.4kimg"])  # which would fade 32 in now, or 16
def test_a_longer_budget_never_makes_the_networks_smaller(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: str
) -> None:
    out = train(images, out=tmp_path / "p", budget="0.16kimg", overrides=GROWING)
    stop_at(monkeypatch, 168)
    train(images, out=out, budget=budget, resume=True)
    assert piece.load(out).card.resolution == 32
    monkeypatch.undo()
    train(images, out=out, budget=budget, resume=True)
    assert piece.load(out).card.training["kimg"] == float(budget.removesuffix("kimg"))


def test_a_shorter_budget_grows_at_once(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_at(monkeypatch, 24)
    out = train(images, out=tmp_path / "p", budget="0.16kimg", overrides=GROWING)
    assert piece.load(out).card.resolution == 8
    monkeypatch.undo()
    train(images, out=out, budget="0.04kimg", resume=True)
    assert piece.load(out).card.resolution == 32


def test_moments_of_another_shape_are_left_out() -> None:
    """Of another shape torch would read beyond their end."""
    one, other = nn.Linear(2, 3, bias=False), nn.Linear(4, 3, bias=False)
    optimizer = torch.optim.Adam(one.parameters())
    one(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    saved = moments("adam", optimizer, one)
    again, elsewhere = (torch.optim.Adam(network.parameters()) for network in (one, other))
    restore_moments("adam", again, one, saved)
    restore_moments("adam", elsewhere, other, saved)
    assert set(again.state[one.weight]) == {"step", "exp_avg", "exp_avg_sq"}
    assert not elsewhere.state
