"""The best state: what is kept, what the piece is made of, and going back after a collapse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from models import piece
from tests.images import squares
from tests.tensors import differing
from training.best import NAME, Figures, turn
from training.callbacks import Checkpoints
from training.checkpoint import NAME as CHECKPOINT
from training.checkpoint import read_checkpoint, read_state, state_of
from training.dataset import Dataset
from training.module import GanModule
from training.train import train

TINY = ["resolution=16", "generator=4:16 8:8", "cooldown=0", "batch=8", "precision=float32", "z=8",
        "judge_kimg=0.016"]  # two steps  # fmt: skip
GOOD = 0.9  # diversity


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return squares(tmp_path / "squares")


class Scripted:
    """A judge that gives these figures in turn, and remembers what it has seen."""

    def __init__(self, figures: Sequence[Figures | None]) -> None:
        self.figures = list(figures)
        self.seen: list[dict[str, torch.Tensor]] = []

    def __call__(self, data: Dataset) -> Callable[[GanModule], Figures | None]:
        assert len(data) == 12
        return self.judge

    def judge(self, module: GanModule) -> Figures | None:
        if len(self.seen) == len(self.figures):  # of the last state, which no test here asks for
            return None
        self.seen.append({key: value.clone() for key, value in state_of(module).items()})
        return self.figures[len(self.seen) - 1]

    def average(self, index: int) -> dict[str, torch.Tensor]:
        name = "module.average."
        seen = self.seen[index].items()
        return {key.removeprefix(name): value for key, value in seen if key.startswith(name)}


def kimg(steps: int) -> str:
    return f"{steps * 8 / 1000}kimg"


def exported(out: Path) -> torch.Tensor:
    return load_file(out / "generator.safetensors")["seed.weight"]


def test_the_piece_is_made_of_the_best_state(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not of a closer one that repeats itself or copies, nor of one without figures."""
    judge = Scripted(
        [
            Figures(9.0, GOOD),
            Figures(5.0, GOOD),
            Figures(2.0, 0.5),
            Figures(2.0, GOOD, memorised=True),
            None,
            Figures(6.0, GOOD),
        ]
    )
    out, work = tmp_path / "p", tmp_path / "p.training"
    train(images, out=out, budget=kimg(13), overrides=TINY, judge=judge)
    assert len(judge.seen) == 6
    tensors, account = read_state(work / NAME)
    assert differing(tensors, judge.average(1)) == []
    assert (account["distance"], account["kimg"]) == (5.0, 0.032)
    assert torch.equal(exported(out), judge.average(1)["seed.weight"])
    told = piece.load(out).card.training
    assert told["best"] == {"kimg": 0.032, "distance": 5.0, "diversity": GOOD}
    assert told["kimg"] == 0.104
    assert "best at 0.032 of 0.104 kimg" in capsys.readouterr().err
    # The training itself goes on from the last state, not from the best.
    last = load_file(work / CHECKPOINT)["module.average.seed.weight"]
    assert not torch.equal(last, judge.average(1)["seed.weight"])


def test_the_best_is_remembered_over_a_resume(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "p"
    first = Scripted([Figures(5.0, GOOD)])
    train(images, out=out, budget=kimg(3), overrides=TINY, judge=first)
    train(images, out=out, budget=kimg(5), resume=True, judge=Scripted([Figures(6.0, GOOD)]))
    assert torch.equal(exported(out), first.average(0)["seed.weight"])
    better = Scripted([Figures(4.0, GOOD)])
    train(images, out=out, budget=kimg(7), resume=True, judge=better)
    assert torch.equal(exported(out), better.average(0)["seed.weight"])


def test_of_states_about_as_near_the_latest_is_kept(images: Path, tmp_path: Path) -> None:
    """But as near as the nearest there was: many small steps away do not add up."""
    out = tmp_path / "p"
    judge = Scripted([Figures(d, GOOD) for d in (6.0, 5.0, 5.2, 5.4, 5.6)])
    train(images, out=out, budget=kimg(11), overrides=TINY, judge=judge)
    assert torch.equal(exported(out), judge.average(2)["seed.weight"])
    assert piece.load(out).card.training["best"]["distance"] == 5.2


class Killed(Exception):
    pass


def test_what_a_killed_training_left_is_not_the_next_ones(images: Path, tmp_path: Path) -> None:
    """Without a checkpoint there is nothing to go on from, so its judgements do not count."""
    out, work = tmp_path / "p", tmp_path / "p.training"

    def judge(module: GanModule) -> Figures:
        if module.steps > 2:
            raise Killed
        return Figures(1.0, GOOD)

    with pytest.raises(Killed):
        train(images, out=out, budget=kimg(5), overrides=TINY, judge=lambda data: judge)
    (work / "log.jsonl").write_text('{"kimg": 0.001, "fd": 1.0}\n')
    assert {NAME, "snapshot-000000000016.safetensors"} <= {path.name for path in work.iterdir()}
    later = Scripted([Figures(9.0, GOOD)])
    train(images, out=out, budget=kimg(3), overrides=[*TINY, "seed=5"], judge=later)
    assert torch.equal(exported(out), later.average(0)["seed.weight"])
    assert read_checkpoint(work)[1]["health"]["returns"] == 0
    assert '"fd": 1.0' not in (work / "log.jsonl").read_text()


def test_figures_of_other_images_do_not_compare(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "p"
    train(images, out=out, budget=kimg(3), overrides=TINY, judge=Scripted([Figures(1.0, GOOD)]))
    Image.new("RGB", (16, 16), (255, 255, 255)).save(images / "0.png")
    later = Scripted([Figures(9.0, GOOD)])
    train(images, out=out, budget=kimg(5), resume=True, judge=later)
    assert torch.equal(exported(out), later.average(0)["seed.weight"])


def test_without_any_state_worth_keeping_the_last_is_exported(images: Path, tmp_path: Path) -> None:
    out, work = tmp_path / "p", tmp_path / "p.training"
    train(images, out=out, budget=kimg(3), overrides=TINY, judge=Scripted([Figures(1.0, 0.5)]))
    assert not (work / NAME).exists()
    assert "best" not in piece.load(out).card.training
    last = load_file(work / CHECKPOINT)["module.average.seed.weight"]
    assert torch.equal(exported(out), last)


def test_judging_changes_nothing_in_the_training(images: Path, tmp_path: Path) -> None:
    train(images, out=tmp_path / "one", budget=kimg(7), overrides=TINY)
    judge = Scripted([Figures(3.0, GOOD)] * 3)
    train(images, out=tmp_path / "two", budget=kimg(7), overrides=TINY, judge=judge)
    one, two = (load_file(tmp_path / f"{n}.training" / CHECKPOINT) for n in ("one", "two"))
    assert differing(one, two) == []


@pytest.mark.parametrize(
    "bad", [Figures(5.0, 0.1), Figures(30.0, GOOD), Figures(float("nan"), GOOD)]
)
def test_a_collapse_is_rolled_back(
    images: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    bad: Figures,
) -> None:
    """To the newest good state, weights, moments and average; more slowly from there."""
    began: list[dict[str, torch.Tensor]] = []
    step = GanModule.training_step

    def noted(self: GanModule, *given: object) -> None:
        if self.steps == 6:
            began.append({key: value.clone() for key, value in state_of(self).items()})
        step(self, *given)

    monkeypatch.setattr(GanModule, "training_step", noted)
    judge = Scripted([Figures(5.0, GOOD), Figures(6.0, GOOD), bad])
    out, work = tmp_path / "p", tmp_path / "p.training"
    train(images, out=out, budget=kimg(7), overrides=TINY, judge=judge)
    assert differing(began[0], judge.seen[1]) == []
    said = capsys.readouterr().err
    assert "collapse suspected: rolled back to 0.032 kimg, learning rate × 0.5" in said
    account = read_checkpoint(work)[1]
    assert (account["steps"], account["health"]["returns"]) == (7, 1)
    assert piece.load(out).card.training["best"]["kimg"] == 0.016


@pytest.mark.parametrize("at", ["at once", "a step later"])
def test_a_training_killed_after_a_roll_back_goes_on_as_if_it_had_not_been(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """What was gone back to is there until a checkpoint holds it, and is not gone back to twice."""
    good, bad = Figures(5.0, GOOD), Figures(5.0, 0.1)

    def run(out: str, steps: int, *figures: Figures) -> None:
        resume = "or-start"
        train(images, out=tmp_path / out, budget=kimg(steps), overrides=TINY, resume=resume,
              judge=Scripted(figures))  # fmt: skip

    def killed(*given: object) -> None:
        raise Killed

    for out in ("whole", "parts"):
        run(out, 5, good, good)
    with monkeypatch.context() as later:
        if at == "at once":
            later.setattr(Checkpoints, "on_train_batch_end", killed)
        else:
            later.setattr(GanModule, "training_step", _killed_at(6))
        with pytest.raises(Killed):
            run("parts", 9, bad)
    if at == "at once":
        run("parts", 9, bad, bad)
    else:
        assert read_checkpoint(tmp_path / "parts.training")[1]["health"]["returns"] == 1
        run("parts", 9, bad)
    run("whole", 9, bad, bad)
    one, two = (read_checkpoint(tmp_path / f"{out}.training") for out in ("whole", "parts"))
    assert one[1]["health"] == two[1]["health"]
    assert one[1]["health"]["returns"] == 2
    assert differing(one[0], two[0]) == []


def _killed_at(steps: int) -> Callable[..., None]:
    step = GanModule.training_step

    def training_step(self: GanModule, *given: object) -> None:
        if self.steps == steps:
            raise Killed
        step(self, *given)

    return training_step


def test_a_snapshot_that_is_written_again_costs_no_other(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a training goes on from a checkpoint of before it."""
    out, good = tmp_path / "p", Figures(5.0, GOOD)
    train(images, out=out, budget=kimg(3), overrides=TINY, judge=Scripted([good]))
    monkeypatch.setattr(GanModule, "training_step", _killed_at(6))
    for _ in range(2):
        with pytest.raises(Killed):
            train(images, out=out, budget=kimg(9), resume=True, judge=Scripted([good, good]))
        kept = sorted(path.name for path in (tmp_path / "p.training").glob("snapshot-*"))
        assert kept == [f"snapshot-{shown:012d}.safetensors" for shown in (32, 48)]


def test_a_roll_back_keeps_to_the_strength_that_is_asked_for(images: Path, tmp_path: Path) -> None:
    out, work = tmp_path / "p", tmp_path / "p.training"
    good, bad = Figures(5.0, GOOD), Figures(5.0, 0.1)
    train(images, out=out, budget=kimg(3), overrides=TINY, judge=Scripted([good]))
    train(
        images, out=out, budget=kimg(5), overrides=["augment=0.2"], judge=Scripted([bad]),
        resume=True,
    )  # fmt: skip
    tensors, account = read_checkpoint(work)
    assert account["health"]["returns"] == 1
    assert float(tensors["module.strength"]) == 0.2


def test_no_endless_going_back_and_no_endless_files(images: Path, tmp_path: Path) -> None:
    good, bad = Figures(5.0, GOOD), Figures(5.0, 0.1)
    judge = Scripted([good] * 5 + [bad] * 2 + [good] * 2 + [bad] * 2 + [good, bad])
    work = tmp_path / "p.training"
    train(images, out=tmp_path / "p", budget=kimg(26), overrides=TINY, judge=judge)
    assert len(judge.seen) == 13
    assert read_checkpoint(work)[1]["health"]["returns"] == 3
    assert len(list(work.glob("snapshot-*"))) <= 2
    assert not list(work.glob("*.new"))


def test_looks_are_even_at_first_and_then_ever_further_apart() -> None:
    assert [turn(kimg, 10) for kimg in (0, 9.9, 10, 199, 200)] == [0, 0, 1, 19, 20]
    assert [turn(kimg, 10) for kimg in (210, 211)] == [20, 21]  # a twentieth more
    assert turn(10_000, 10) == 98


def test_the_last_state_is_judged_too(images: Path, tmp_path: Path) -> None:
    judge = Scripted([Figures(10, GOOD), Figures(9, GOOD), Figures(5, GOOD)])
    out = train(images, out=tmp_path / "p", budget=kimg(5), overrides=TINY, judge=judge)
    assert len(judge.seen) == 3  # at two steps, at four, and at the end
    assert torch.equal(exported(out), judge.average(2)["seed.weight"].to(exported(out).dtype))
    assert piece.load(out).card.training["best"]["kimg"] == 0.04
