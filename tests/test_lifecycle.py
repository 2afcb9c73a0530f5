"""A training's life: bad steps, killed processes, full disks, two at once, and going back."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from models import piece
from models.card import UPSCALER
from models.upscaler import Upscaler
from tests.discs import write as discs
from tests.images import squares
from tests.tensors import differing
from tests.waiting import until
from training import best, judging, recovery
from training.callbacks import Checkpoints, TrainingError
from training.checkpoint import NAME, PREVIOUS, CheckpointError, read_checkpoint, read_state
from training.guard import Health
from training.lock import HOLDER, LockError, held
from training.metrics import contrast, encoder
from training.module import GanModule
from training.train import train
from training.upscale.export import into_piece

ROOT = Path(__file__).parent.parent
TINY = ["resolution=16", "generator=4:16 8:8", "cooldown=0", "batch=8", "precision=float32", "z=8"]
CODES = ["codes=[{name='shape', kind='categorical', size=3}]"]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Twelve squares in as many colours."""
    return squares(tmp_path / "squares")


def kimg(steps: int) -> str:
    return f"{steps * 8 / 1000}kimg"


# Steps that are not finite

Poison = Callable[[torch.Tensor], torch.Tensor]
POISONS: dict[str, Poison] = {
    "nan": lambda logits: logits * float("nan"),
    "infinite": lambda logits: logits * float("inf"),
    "gradient": lambda logits: logits + (logits * 0).sqrt(),  # the loss itself stays finite
}


def poison(patch: pytest.MonkeyPatch, steps: set[int], kind: str, half: str) -> None:
    """Spoil D's answer at these steps, in D's own half of the step or in G's."""
    see = GanModule._see

    def poisoned(self: GanModule, *given: object) -> tuple[torch.Tensor, torch.Tensor]:
        logits, classes = see(self, *given)
        own = next(self.discriminator.parameters()).requires_grad
        bad = self.steps in steps and own == (half == "discriminator")
        return POISONS[kind](logits) if bad else logits, classes

    patch.setattr(GanModule, "_see", poisoned)


@pytest.mark.parametrize("half", ["discriminator", "generator"])
@pytest.mark.parametrize("kind", sorted(POISONS))
def test_a_step_that_is_not_finite_leaves_no_trace(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, half: str
) -> None:
    """Weights, moments, average and batch norm's statistics are as before, to the bit."""
    out, work = tmp_path / "p", tmp_path / "p.training"
    train(images, out=out, budget=kimg(3), overrides=[*TINY, *CODES])
    before = load_file(work / NAME)
    poison(monkeypatch, {3}, kind, half)
    train(images, out=out, budget=kimg(4), resume=True)
    after = load_file(work / NAME)
    assert {"module.generator.norm.running_mean", "discriminator.trunk.0.weight.exp_avg_sq"} <= set(
        after
    )
    assert differing(before, after) == []
    assert piece.load(out).card.training["skipped"] == 1
    lines = [json.loads(line) for line in (work / "log.jsonl").read_text().splitlines()]
    assert [line["skipped_steps"] for line in lines if "skipped_steps" in line][-1] == 1


def test_the_very_first_step_may_be_bad(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are no moments yet to go back to."""
    poison(monkeypatch, {0}, "nan", "generator")
    train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    assert not [key for key in load_file(tmp_path / "p.training" / NAME) if "exp_avg" in key]
    train(images, out=tmp_path / "p", budget=kimg(3), resume=True)
    assert piece.load(tmp_path / "p").card.training["skipped"] == 1


def test_skipped_steps_are_the_same_after_a_resume(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, {2, 7}, "nan", "generator")
    train(images, out=tmp_path / "whole", budget=kimg(10), overrides=TINY)
    train(images, out=tmp_path / "parts", budget=kimg(5), overrides=TINY)
    train(images, out=tmp_path / "parts", budget=kimg(10), resume=True)
    one, two = (read_checkpoint(tmp_path / f"{n}.training") for n in ("whole", "parts"))
    assert differing(one[0], two[0]) == []
    assert one[1]["health"] == two[1]["health"]
    assert one[1]["health"]["skipped"] == 2


def test_many_bad_steps_in_a_row_go_back_and_slow_down(
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(recovery, "ROW", 3)
    train(images, out=tmp_path / "p", budget=kimg(4), overrides=TINY)
    rates = []
    step = GanModule.training_step

    def noted(self: GanModule, *given: object) -> None:
        rates.append([o.param_groups[0]["lr"] for o in self.optimizers()])
        step(self, *given)

    monkeypatch.setattr(GanModule, "training_step", noted)
    poison(monkeypatch, {6, 7, 8}, "nan", "discriminator")
    train(images, out=tmp_path / "p", budget=kimg(11), resume=True)
    said = capsys.readouterr().err
    assert "3 steps in a row were not finite: back to 0.032 kimg, learning rate × 0.5" in said
    assert [rate[0] for rate in rates] == [rate[1] for rate in rates]
    assert [rate[0] for rate in rates] == [1e-3] * 5 + [5e-4] * 2
    health = read_checkpoint(tmp_path / "p.training")[1]["health"]
    assert health == {"skipped": 3, "in_a_row": 0, "returns": 1, "slowed": 0.5, "used": []}
    rates.clear()
    train(images, out=tmp_path / "p", budget=kimg(12), resume=True)
    assert rates == [[5e-4, 5e-4]]


def test_a_training_that_does_not_recover_ends(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "ROW", 3)
    poison(monkeypatch, set(range(2, 1000)), "infinite", "generator")
    with pytest.raises(TrainingError, match=r"3 returns .* have not helped.*--resume") as caught:
        train(images, out=tmp_path / "p", budget="1000kimg", overrides=TINY)
    assert "\n" not in str(caught.value)


def test_going_back_is_to_before_the_row(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is saved in the middle of a row may be what no step gets away from."""
    monkeypatch.setattr(recovery, "ROW", 3)
    poison(monkeypatch, {4, 5, 6}, "nan", "discriminator")
    saved = []
    save = Checkpoints.save

    def noted(self: Checkpoints, module: GanModule) -> None:
        saved.append(module.steps)
        save(self, module)

    monkeypatch.setattr(Checkpoints, "save", noted)
    overrides = [*TINY, "checkpoint_seconds=0.000001"]
    train(images, out=tmp_path / "p", budget=kimg(9), overrides=overrides)
    assert saved == [1, 2, 3, 4, 7, 8, 9, 9]  # 7 is 4 once more, at half the rate


# What a piece keeps


def test_going_on_keeps_the_upscaler(images: Path, tmp_path: Path) -> None:
    out = train(images, out=tmp_path / "p", budget=kimg(2), overrides=TINY)
    theirs = [{"source": "drawings", "images": 4}]
    into_piece(Upscaler(scale=2, channels=4, depth=1), out, out, {"kimg": 1}, theirs)
    before = piece.load(out)
    train(images, out=out, budget=kimg(4), resume=True)
    after = piece.load(out)
    assert after.card.training["kimg"] == 0.032
    assert after.card.training["upscaler"] == {"kimg": 1}
    assert after.card.provenance == before.card.provenance
    assert after.upscaler is not None
    one, two = (found.upscaler.state_dict() for found in (before, after))
    assert differing(one, two) == []


def test_a_damaged_upscaler_is_left_out_and_said(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = train(images, out=tmp_path / "p", budget=kimg(2), overrides=TINY)
    into_piece(Upscaler(scale=2, channels=4, depth=1), out, out, {"kimg": 1})
    (out / UPSCALER).write_bytes(b"half")
    train(images, out=out, budget=kimg(4), resume=True)
    assert "the piece's upscaler is left out" in capsys.readouterr().err
    assert piece.load(out).upscaler is None


# Killed, and killed while writing

CHILD = """
import sys, time
from pathlib import Path
from training import checkpoint
from training.train import train

write, written = checkpoint.write_synced, []

def cut_short(path, data):
    if len(written) == {whole}:
        path.write_bytes(data[: len(data) // 2])
        Path({marker!r}).touch()
        time.sleep(600)
    write(path, data)
    written.append(path)

checkpoint.write_synced = cut_short
train({images!r}, out={out!r}, budget="2h", overrides={settings!r})
"""


def child(images: Path, out: Path, whole: int) -> subprocess.Popen[str]:
    """A training that writes so many checkpoints, and the next one only by half."""
    settings = [*TINY, "checkpoint_seconds=0.05"]
    code = CHILD.format(
        whole=whole, marker=str(out) + ".half", images=str(images), out=str(out), settings=settings
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_kill_9_in_the_middle_of_a_checkpoint(images: Path, tmp_path: Path) -> None:
    """The one before is whole, the lock does not block, and what was half written does not stay."""
    out, work = tmp_path / "p", tmp_path / "p.training"
    process = child(images, out, whole=3)
    try:
        until(Path(f"{out}.half").exists, 120)
        with pytest.raises(LockError, match=rf"trained already by process {process.pid} on .*"):
            train(images, out=out, budget=kimg(1), resume=True)
    finally:
        process.kill()
        process.wait()
    assert list(work.glob("*.new"))
    steps = read_checkpoint(work)[1]["steps"]
    assert steps > 0
    train(images, out=out, budget=kimg(steps + 2), resume=True)
    assert read_checkpoint(work)[1]["steps"] == steps + 2
    assert not list(work.glob("*.new"))
    assert not (work / HOLDER).exists()


def test_kill_9_in_the_middle_of_training(images: Path, tmp_path: Path) -> None:
    out, work = tmp_path / "p", tmp_path / "p.training"
    process = child(images, out, whole=10**9)
    try:
        until((work / PREVIOUS).exists, 120)
        seen = read_checkpoint(work)[1]["steps"]
        until(lambda: read_checkpoint(work)[1]["steps"] > seen)
    finally:
        process.kill()
        process.wait()
    steps = read_checkpoint(work)[1]["steps"]
    assert steps > seen
    train(images, out=out, budget=kimg(steps + 1), resume=True)
    assert read_checkpoint(work)[1]["steps"] == steps + 1


def test_kill_9_between_the_two_renames(images: Path, tmp_path: Path) -> None:
    out, work = tmp_path / "p", tmp_path / "p.training"
    train(images, out=out, budget=kimg(2), overrides=TINY)
    os.replace(work / NAME, work / PREVIOUS)
    (work / f"{NAME}.new").write_bytes(b"whole, but without its name")
    train(images, out=out, budget=kimg(3), resume=True)
    assert read_checkpoint(work)[1]["steps"] == 3


def test_checkpoints_come_in_time_for_slow_steps(images: Path, tmp_path: Path) -> None:
    """What the next step and the writing take is lost too, so they count."""
    from training.callbacks import Checkpoints, Clock

    class Ticking(Clock):
        now = 0.0
        here = property(lambda self: self.now)

    saved: list[float] = []
    clock = Ticking(None, None, 0.0)  # type: ignore[arg-type]
    checkpoints = Checkpoints(tmp_path, {}, clock, 120, {})

    def save(_: object) -> None:
        saved.append(clock.now)
        clock.now += 10

    checkpoints.save = save  # type: ignore[method-assign]
    healthy = SimpleNamespace(health=Health())
    for _ in range(30):
        clock.now += 25
        checkpoints.on_train_batch_end(None, healthy)  # type: ignore[arg-type]
    gaps = [b + 10 - a for a, b in zip([0.0, *saved], saved, strict=False)]
    assert len(saved) > 5
    assert max(gaps) <= 120


# Digests


def test_the_account_is_covered_by_the_digest(images: Path, tmp_path: Path) -> None:
    train(images, out=tmp_path / "p", budget=kimg(2), overrides=TINY)
    path = tmp_path / "p.training" / NAME
    with safe_open(path, framework="pt") as file:
        told = file.metadata()
    told["account"] = told["account"].replace('"steps": 2', '"steps": 9')
    save_file(load_file(path), path, told)
    with pytest.raises(CheckpointError, match="hash"):
        train(images, out=tmp_path / "p", budget=kimg(3), resume=True)


# Two at once


def test_two_trainings_in_one_folder(images: Path, tmp_path: Path) -> None:
    out, work = tmp_path / "p", tmp_path / "p.training"
    work.mkdir()
    with held(work):
        with pytest.raises(LockError, match=f"process {os.getpid()}") as caught:
            train(images, out=out, budget=kimg(1), overrides=TINY)
        assert "\n" not in str(caught.value)
        assert not out.exists()
    train(images, out=out, budget=kimg(1), overrides=TINY)
    (work / HOLDER).write_text('{"pid": 1, "host": "elsewhere"}')  # left by a process that is gone
    train(images, out=out, budget=kimg(2), resume=True)
    assert not (work / HOLDER).exists()


def test_a_spent_training_says_what_it_was_trained_by(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "p"
    train(images, out=out, budget=kimg(2), overrides=[*TINY, "clip=2"])
    for steps, clip in ((2, 2.0), (3, 5.0)):
        train(
            images, out=out, recipe="quick", budget=kimg(steps), overrides=[*TINY, "clip=5"],
            resume=True,
        )  # fmt: skip
        assert piece.load(out).card.training["recipe"]["clip"] == clip


def test_resume_or_start(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "p"
    for steps in (2, 3):
        train(images, out=out, budget=kimg(steps), overrides=TINY, resume="or-start")
        assert piece.load(out).card.training["kimg"] == steps * 8 / 1000


# A full disk


def test_a_disk_that_fills_up_while_training(images: Path, tmp_path: Path) -> None:
    """A real limit, met in the middle of a file: the training goes on, and the checkpoint from
    before the limit stays whole."""
    out, work = tmp_path / "p", tmp_path / "p.training"
    train(images, out=out, budget=kimg(2), overrides=TINY)
    half = (work / NAME).stat().st_size // 2
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({half}, {half}))\n"
        "from installation.cli import main; raise SystemExit(main("
        f"['train', {str(images)!r}, '--out', {str(out)!r}, '--budget', '0.5kimg', '--resume', "
        "'--set', 'checkpoint_seconds=0.05']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=300
    )
    assert done.returncode == 2, done.stderr
    assert "the checkpoint could not be saved" in done.stderr
    assert "training goes on" in done.stderr
    assert "make room and go on with --resume" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert read_state(work / NAME)[1]["steps"] == 2
    assert not list(work.glob("*.new"))
    train(images, out=out, budget=kimg(3), resume=True)


@pytest.mark.parametrize("cause", ["a full disk", "half a file"])
def test_an_encoder_that_cannot_be_kept_or_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cause: str
) -> None:
    """What the best state is judged with ends no training."""
    images, out = discs(tmp_path / "discs", 48, side=16), tmp_path / "p"
    monkeypatch.setattr(judging, "WORTH", 0)
    monkeypatch.setitem(contrast.encoder_for.__kwdefaults__, "steps", 2)
    overrides = [*TINY, "judge_kimg=0.016", "hold_out=0"]
    if cause == "a full disk":
        with monkeypatch.context() as patch:
            patch.setattr(encoder, "replace", full)
            train(images, out=out, budget=kimg(4), overrides=overrides)
        said = "cannot be written (No space left on device); it is used without being kept"
    else:
        train(images, out=out, budget=kimg(4), overrides=overrides)
        kept = next((tmp_path / "p.training").glob("encoder-*"))
        kept.write_bytes(kept.read_bytes()[:1000])
        train(images, out=out, budget=kimg(8), resume=True)
        said = "; delete it; learning to judge without keeping it"
    told = capsys.readouterr().err
    assert told.count(said) == 1
    assert piece.load(out)


def test_the_training_is_saved_before_learning_to_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That takes longer than may be lost. Who is killed meanwhile goes on to the bit, judgements
    included, also where the look comes after a step that asks the held-out images."""
    images = discs(tmp_path / "discs", 48, side=16)
    monkeypatch.setattr(judging, "WORTH", 0)
    monkeypatch.setattr(best, "VARIED", 0)
    for learn in (contrast.encoder_for, contrast.kept):
        monkeypatch.setitem(learn.__kwdefaults__, "steps", 2)
    overrides = [*TINY, "judge_kimg=0.064", "label_start=0", "label_full=0.01"]  # eight steps

    class Killed(Exception):
        pass

    def killed(*given: object, **more: object) -> None:
        raise Killed

    train(images, out=tmp_path / "whole", budget=kimg(10), overrides=overrides)
    with monkeypatch.context() as patch:
        patch.setattr(judging, "encoder_for", killed)
        with pytest.raises(Killed):
            train(images, out=tmp_path / "parts", budget=kimg(10), overrides=overrides)
    one, two = (tmp_path / f"{name}.training" for name in ("whole", "parts"))
    assert read_checkpoint(two)[1]["steps"] == 7
    train(images, out=tmp_path / "parts", budget=kimg(10), resume=True)
    for name in (NAME, best.NAME):
        tensors, others = (load_file(work / name) for work in (one, two))
        assert differing(tensors, others) == []
    assert read_state(one / best.NAME)[1] == read_state(two / best.NAME)[1]


def test_who_has_learned_to_judge_does_so_for_a_moment_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone on with for a few minutes only, a training is not left with an older state's piece."""
    images, out = discs(tmp_path / "discs", 48, side=16), tmp_path / "p"
    for learn in (contrast.encoder_for, contrast.kept):
        monkeypatch.setitem(learn.__kwdefaults__, "steps", 2)
    overrides = [*TINY, "judge_kimg=0.016", "hold_out=0"]

    def judged(steps: int, worth: float, resume: bool) -> bool:
        monkeypatch.setattr(judging, "WORTH", worth)
        train(images, out=out, budget=kimg(steps), overrides=overrides, resume=resume)
        lines = (tmp_path / "p.training" / "log.jsonl").read_text().splitlines()
        return "fd" in json.loads(lines[-1])

    assert not judged(4, 1e9, False)  # learning would take longer than the training
    assert judged(8, 0, True)
    assert judged(12, 1e9, True)


def full(path: Path, data: bytes) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
