"""The augmentation follows what the discriminator makes of images that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from models.card import read_card
from models.latent import Label, Latent
from tests.images import noise
from tests.tensors import differing
from training import balance, ranks
from training.adapt import Adaptation
from training.batches import Batches
from training.checkpoint import NAME, write_checkpoint
from training.dataset import Dataset
from training.fit import fit
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


def adaptation(module: GanModule, follow: bool = True, count: int = 10) -> Adaptation:
    """Held-out images of as many greys as there are images: 0, 20, 40 …"""
    images = (20 * torch.arange(count)).to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 16, 16)
    data = Dataset("greys", images, (), torch.zeros(count, 0), ("",) * count, (), [])
    made = Adaptation(data, follow)
    made.on_train_start(None, module)  # type: ignore[arg-type]
    return made


def batch(value: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Eight training images of one grey."""
    return torch.full((8, 3, 16, 16), value, dtype=torch.uint8), torch.zeros(8, 0)


def measure(
    found: Adaptation, module: GanModule, images: torch.Tensor, labels: torch.Tensor
) -> None:
    """One measurement, as in a training's eighth step."""
    module.steps += 7
    found.on_train_batch_start(None, module, (images, labels), 0)  # type: ignore[arg-type]
    module.steps += 1
    found.on_train_batch_end(None, module, None, (images, labels), 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("held", "up"), [(1.9, False), (1.0, False), (-0.5, True), (-3.0, True)])
def test_it_follows_the_held_out_images(held: float, up: bool) -> None:
    module = module_that_says(2.0, held, -1.0)
    found = adaptation(module)
    for _ in range(20):
        measure(found, module, *batch())
    assert (float(module.strength) > 0.5) == up
    assert module.figures["val_logit"] == pytest.approx(held)
    assert overfitting(module.figures) == pytest.approx((2 - held) / 3, abs=1e-6)
    for _ in range(2000):
        measure(found, module, *batch())
    assert float(module.strength) == pytest.approx(MOST if up else 0)


def test_the_next_step_augments_as_strongly_as_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def augmented(images: torch.Tensor, strength: float, *unused: object) -> torch.Tensor:
        asked.append(strength)
        return images

    class Twice(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *unused: Any) -> None:
            trainer.should_stop = module.steps == 2
            module.strength.fill_(0.25)

    monkeypatch.setattr("training.module.augment", augmented)
    data = {
        "resolution": 16,
        "generator": "4:8 8:8",
        "batch": 8,
        "augment": 0.5,
        "precision": "float32",
    }
    recipe = make_recipe(data).settled(100)
    images = Dataset("greys", batch()[0], (), batch()[1], ("",) * 8, (), [])
    fit(GanModule(recipe, Latent(4)), Batches(images, 8, 0), [Twice()], recipe)
    assert asked == [0.5] * 3 + [0.25] * 3  # real, fake, and fake for G


def test_it_only_notes_where_it_is_not_to_follow() -> None:
    module = module_that_says(2.0, -3.0, -1.0)
    found = adaptation(module, follow=False)
    for _ in range(20):
        measure(found, module, *batch())
    assert float(module.strength) == 0.5
    assert module.figures["augment"] == 0.5


def test_a_few_held_out_images_are_asked_about_once_among_training_images() -> None:
    """Three of them again and again would look to D like pictures without variety."""
    module = module_that_says(0.5, 0.0, -0.5)
    module.strength.zero_()
    asked: list[torch.Tensor] = []

    def judge(images: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        asked.append(images)
        return images.mean((1, 2, 3))

    module.judge = judge  # type: ignore[method-assign]
    found = adaptation(module, follow=False, count=3)
    for shown in (64, 128, 192):
        module.shown = shown
        measure(found, module, *batch(200))
        greys = ((asked.pop()[:, 0, 0, 0] + 1) * 127.5).round().tolist()
        assert sorted(greys) == [0, 20, 40, *[200] * 5]
        assert module.figures["val_logit"] == pytest.approx(20 / 127.5 - 1)


HAIR = Label("hair", ("black", "red"))


def labelled(reds: Sequence[bool]) -> Dataset:
    conditions = F.one_hot(torch.tensor(reds).long(), 2).float()
    images = torch.zeros(len(reds), 3, 16, 16, dtype=torch.uint8)
    return Dataset("greys", images, (HAIR,), conditions, ("",) * len(reds), (), [])


def module_that_sees_hair(label_drop: float) -> GanModule:
    """What it says of a picture is 1 where it is told black, 3 for red, and 0 where it is not told:
    under a relativistic loss each label's level is free."""
    recipe = make_recipe({"resolution": 16, "generator": "4:8 8:8", "batch": 8, "augment": 0.5})
    recipe = recipe.model_copy(update={"label_drop": label_drop}).settled(100)
    module = GanModule(recipe, Latent(4, (HAIR,)))
    module.judge = lambda images, conditions: conditions @ torch.tensor([1.0, 3.0])  # type: ignore[method-assign]
    return module


def answer(found: Adaptation, module: GanModule, data: Dataset) -> float:
    """The mean of many answers, asked beside batches of the images given."""
    found.on_train_start(None, module)  # type: ignore[arg-type]
    answers = []
    for step in range(400):
        module.shown = 8 * step
        answers.append(found.ask(module, data.images[:8], data.conditions[:8]))
    return float(torch.stack(answers).mean())


def test_labels_are_hidden_from_held_out_images_as_often_as_from_the_others() -> None:
    module, held_out = module_that_sees_hair(label_drop=0.25), labelled([False] * 8)
    assert answer(Adaptation(held_out, True), module, held_out) == pytest.approx(0.75, abs=0.03)


def test_held_out_images_count_by_how_often_such_images_are_shown() -> None:
    """Else what is asked is whether D says of black hair what it says of red."""
    data, held_out = labelled([False] * 72 + [True] * 8), labelled([False] * 18 + [True] * 2)
    shares, beside = balance.shown(data, held_out, make_recipe({"balance": "even"}))
    assert shares is not None
    assert shares[-1] == pytest.approx(9 * float(shares[0]))
    module = module_that_sees_hair(label_drop=0)
    assert answer(Adaptation(held_out, True, beside), module, data) == pytest.approx(2, abs=0.03)


def test_what_is_never_shown_is_not_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces, recipe = noise(tmp_path / "faces", 40), tmp_path / "black.toml"
    lines = (f"{index}.png,{'red' if index % 2 else 'black'}" for index in range(40))
    (faces / "labels.csv").write_text("\n".join(["file,hair", *lines]))
    recipe.write_text("[target.hair]\nblack = 1\nred = 0\n")
    seen = []

    class Noted(Adaptation):
        def ask(self, module: Any, images: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
            seen.append(self.held_out.conditions.sum(0).tolist())
            return super().ask(module, images, conditions)

    monkeypatch.setattr("training.run.Adaptation", Noted)
    train(faces, recipe=str(recipe), out=tmp_path / "piece", budget="0.032kimg", overrides=SETTINGS)
    [(black, red)] = seen
    assert black > 0
    assert red == 0


def test_held_out_images_meet_the_discriminator_that_met_the_others() -> None:
    """One step of the first moves all logits by more than they differ."""
    module, level = module_that_says(0.0, 0.0, -0.5), 0.0
    module.judge = lambda images, _: torch.full((len(images),), level)  # type: ignore[method-assign]
    found, module.steps = adaptation(module), 7
    found.on_train_batch_start(None, module, batch(), 0)  # type: ignore[arg-type]
    module.steps, level = 8, 5.0  # the step has judged its images by the level before
    found.on_train_batch_end(None, module, None, batch(), 0)  # type: ignore[arg-type]
    assert module.figures["val_logit"] == module.figures["real_logit"] == 0


def test_a_step_that_was_undone_says_nothing() -> None:
    module = module_that_says(2.0, 1.0, -1.0)
    found, module.steps = adaptation(module), 7
    found.on_train_batch_start(None, module, batch(), 0)  # type: ignore[arg-type]
    module.steps = 8
    module.health.note(finite=False)
    found.on_train_batch_end(None, module, None, batch(), 0)  # type: ignore[arg-type]
    assert not module.figures
    assert not module.logit_means.any()


def test_a_rough_start_is_soon_forgotten() -> None:
    """At first the means are of all answers alike, so none is kept for longer than the others."""
    module = module_that_says(5.0, 0.0, 4.8)
    found = adaptation(module)
    measure(found, module, *batch())
    module.logits = {"real": torch.tensor(0.5), "fake": torch.tensor(-0.5)}
    module.judge = lambda images, _: torch.full((len(images),), 0.5)  # type: ignore[method-assign]
    for _ in range(9):
        measure(found, module, *batch())
    assert module.figures["real_logit"] == pytest.approx((5 + 9 * 0.5) / 10)


def test_the_means_reach_back_by_images() -> None:
    """And not by steps, of which a GPU's are four times as large: the augmentation is driven by
    images too, and would long have passed what is wanted."""
    told = {}
    for size, times in ((32, 100), (128, 25)):
        module = module_that_says(1.0, 1.0, 0.0)
        module.size = replace(module.size, batch=size)
        module.steps = 80_000
        module.logit_means.fill_(1.0)
        found = adaptation(module)
        module.logits = {"real": torch.tensor(2.0), "fake": torch.tensor(0.0)}
        for _ in range(times):
            measure(found, module, *batch())
        told[size] = module.figures["real_logit"]
    assert told[32] == pytest.approx(told[128], abs=0.02)


@pytest.mark.parametrize("held_out", [3, 10])
def test_each_rank_asks_about_its_share(held_out: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put together, what they have seen is what one alone sees."""
    monkeypatch.setattr(ranks, "mean", lambda found: found)

    def val_logit(rank: int, count: int) -> float:
        monkeypatch.setattr(ranks, "rank", lambda: rank)
        monkeypatch.setattr(ranks, "count", lambda: count)
        module = module_that_says(0.5, 0.0, -0.5)
        module.judge = lambda seen, _: seen.mean((1, 2, 3))  # type: ignore[method-assign]
        images, conditions = (part[rank::count] for part in batch(200))
        measure(adaptation(module, count=held_out), module, images, conditions)
        return module.figures["val_logit"]

    assert (val_logit(0, 2) + val_logit(1, 2)) / 2 == pytest.approx(val_logit(0, 1))


SETTINGS = ["resolution=16", "generator=4:8 8:8", "batch=4", "precision=float32", "z=8",
            "cooldown=0", "adapt=true", "augment=0.8"]  # fmt: skip


def assert_same(tmp_path: Path) -> None:
    """The training in two parts came to what the whole one did."""
    one, two = (load_file(tmp_path / f"{n}.training" / NAME) for n in ("whole", "parts"))
    assert float(one["module.strength"]) != 0.8
    assert differing(one, two) == []


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
