"""The augmentation follows what the discriminator makes of images that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from models.card import read_card
from models.latent import Latent
from tests.images import noise
from training.adapt import Adaptation
from training.checkpoint import NAME, write_checkpoint
from training.dataset import Dataset
from training.module import GanModule
from training.recipe import MOST, make_recipe
from training.train import train
from training.watch.verdict import overfitting


def module_that_says(real: float, held: float, fake: float) -> GanModule:
    recipe = make_recipe({"resolution": 16, "generator": "4:8 8:8", "batch": 8, "augment": 0.5})
    module = GanModule(recipe.settled(100), Latent(4))
    module.logits = {"real": torch.tensor(real), "fake": torch.tensor(fake)}
    module.judge = lambda images, conditions: torch.full((len(images),), held)  # type: ignore[method-assign]
    return module


def adaptation(module: GanModule, follow: bool = True) -> Adaptation:
    images = torch.zeros(10, 3, 16, 16, dtype=torch.uint8)
    data = Dataset("grey", images, (), torch.zeros(10, 0), ("",) * 10, (), [])
    made = Adaptation(data, follow)
    made.on_train_start(None, module)  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize(("held", "up"), [(1.9, False), (1.0, False), (-0.5, True), (-3.0, True)])
def test_it_follows_the_held_out_images(held: float, up: bool) -> None:
    module = module_that_says(2.0, held, -1.0)
    found = adaptation(module)
    for _ in range(20):
        found.measure(module)
    assert (float(module.strength) > 0.5) == up
    assert module.figures["val_logit"] == pytest.approx(held)
    assert overfitting(module.figures) == pytest.approx((2 - held) / 3, abs=1e-6)
    for _ in range(2000):
        found.measure(module)
    assert float(module.strength) == pytest.approx(MOST if up else 0)


def test_it_only_notes_where_it_is_not_to_follow() -> None:
    module = module_that_says(2.0, -3.0, -1.0)
    found = adaptation(module, follow=False)
    for _ in range(20):
        found.measure(module)
    assert float(module.strength) == 0.5
    assert module.figures["augment"] == 0.5


SETTINGS = ["resolution=16", "generator=4:8 8:8", "batch=4", "precision=float32", "z=8",
            "cooldown=0", "adapt=true", "augment=0.8"]  # fmt: skip


def assert_same(tmp_path: Path) -> None:
    """The training in two parts came to what the whole one did."""
    one, two = (load_file(tmp_path / f"{n}.training" / NAME) for n in ("whole", "parts"))
    assert float(one["module.strength"]) != 0.8
    assert [key for key in one if not torch.equal(one[key], two[key])] == []


def test_an_adapted_run_resumes_to_the_bit(tmp_path: Path) -> None:
    folder = noise(tmp_path / "noise", 40)
    train(folder, out=tmp_path / "whole", budget="0.112kimg", overrides=SETTINGS)
    train(folder, out=tmp_path / "parts", budget="0.052kimg", overrides=SETTINGS)
    train(folder, out=tmp_path / "parts", budget="0.112kimg", resume=True)
    assert_same(tmp_path)


class Killed(Exception):
    pass


@pytest.mark.parametrize("step", [16, 17])  # one that asks the held-out images, and one that not
def test_a_killed_run_resumes_to_the_bit(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_die(folder: Path, module: GanModule, account: dict[str, Any]) -> None:
        write_checkpoint(folder, module, account)
        if module.steps == step:
            raise Killed

    folder, often = noise(tmp_path / "noise", 40), [*SETTINGS, "checkpoint_seconds=1e-6"]
    train(folder, out=tmp_path / "whole", budget="0.112kimg", overrides=often)
    with monkeypatch.context() as patched:
        patched.setattr("training.callbacks.write_checkpoint", write_and_die)
        with pytest.raises(Killed):
            train(folder, out=tmp_path / "parts", budget="0.112kimg", overrides=often)
    train(folder, out=tmp_path / "parts", budget="0.112kimg", resume=True)
    assert_same(tmp_path)


def test_a_strength_asked_for_on_resume_is_kept_to(tmp_path: Path) -> None:
    folder = noise(tmp_path / "noise", 40)
    settings = ["resolution=16", "generator=4:8 8:8", "batch=4", "precision=float32", "z=8"]
    out = tmp_path / "p"
    train(folder, out=out, budget="0.04kimg", overrides=settings)
    made = train(folder, out=out, budget="0.12kimg", overrides=["augment=0.6"], resume=True)
    assert made is not None
    told = read_card(made).training["recipe"]
    assert (told["augment"], told["adapt"]) == (0.6, False)
    strength = load_file(tmp_path / "p.training" / NAME)["module.strength"]
    assert float(strength) == pytest.approx(0.6)
