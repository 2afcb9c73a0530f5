"""Several processes: what each draws and sees, that two train as one does, and who is refused."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from models import piece
from models.discriminator import minibatch_deviation
from training import machines, ranks, recovery
from training.checkpoint import NAME
from training.losses import gradient_penalty
from training.machines import Machines, MachinesError
from training.module import GanModule
from training.ranks import BatchGenerator, rand, randint, randn, share
from training.train import train

ROOT = Path(__file__).parent.parent
SETTINGS = [
    "resolution=16", "generator=4:16 8:8", "cooldown=0", "batch=16", "precision=float32", "z=8",
    "codes=[{name='a', kind='categorical', size=3}, {name='b', kind='continuous'}]",
    "label_start=0", "label_full=0.01", "cutout=0.5",
]  # fmt: skip


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "squares"
    for index in range(24):
        path = folder / ("warm" if index % 2 else "cold") / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (index * 10, 90, 200 - index * 7)).save(path)
    return folder


def kimg(steps: int) -> str:
    return f"{steps * 16 / 1000}kimg"


def start(
    images: Path, out: Path, *options: str, program: Sequence[str] = ("-m", "installation.cli")
) -> subprocess.CompletedProcess[str]:
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    return subprocess.run(
        [sys.executable, *program, "train", str(images), "--out", str(out), *settings, *options],
        cwd=ROOT,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "passive",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def poison(patch: pytest.MonkeyPatch) -> None:
    """Steps 4 to 6 are not finite."""
    see = GanModule._see

    def poisoned(self: GanModule, *given: Any) -> tuple[torch.Tensor, torch.Tensor]:
        logits, classes = see(self, *given)
        return logits * (float("nan") if 4 <= self.steps < 7 else 1), classes

    patch.setattr(recovery, "ROW", 3)
    patch.setattr(GanModule, "_see", poisoned)


# What the command runs, poisoned on every rank.
POISONED = """
import pytest
from installation.cli import main
from tests.test_ranks import poison

poison(pytest.MonkeyPatch())
raise SystemExit(main())
"""


def alike(folder: Path) -> None:
    """Two trainings came to the same, up to rounding."""
    one, two = (load_file(folder / f"{name}.training" / NAME) for name in ("one", "two"))
    assert set(one) == set(two)
    for key in one:
        assert torch.allclose(one[key], two[key], rtol=1e-3, atol=2e-5), key


def as_rank(patch: pytest.MonkeyPatch, rank: int, count: int) -> None:
    patch.setattr(ranks, "rank", lambda: rank)
    patch.setattr(ranks, "count", lambda: count)


def test_ranks_share_one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put together, what they have drawn is what one alone draws."""

    def draw() -> list[torch.Tensor]:
        rng = BatchGenerator.of(torch.Generator().manual_seed(5))
        n = 8 // ranks.count()
        return [rand(n, 1, rng=rng), randn(n, 3, rng=rng), randint(0, 9, n, rng=rng)]

    alone = draw()
    found = []
    for rank in range(2):
        as_rank(monkeypatch, rank, 2)
        found.append(draw())
    for whole, one, two in zip(alone, *found, strict=True):
        assert torch.equal(torch.stack([one, two], dim=1).flatten(0, 1), whole)


def test_other_generators_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    as_rank(monkeypatch, 1, 2)
    drawn = rand(4, rng=torch.Generator().manual_seed(5))
    assert torch.equal(drawn, torch.rand(4, generator=torch.Generator().manual_seed(5)))


def test_groups_of_minibatch_deviation_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(32, 4, 4, 4)
    whole = minibatch_deviation(x)
    for rank in range(4):
        as_rank(monkeypatch, rank, 4)
        assert torch.allclose(minibatch_deviation(share(x)), share(whole))


def test_a_penalty_passes_through_shared_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch norm in D, of a rank beside another that sees the same images, is differentiated twice
    as that of one process is."""
    images = torch.randn(8, 3, 8, 8)
    alone = nn.Sequential(
        nn.Conv2d(3, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.LeakyReLU(), nn.Flatten(), nn.Linear(64, 1)
    )
    beside = copy.deepcopy(alone)
    ranks.share_norms(beside)

    def penalise(network: nn.Module) -> None:
        seen = images.clone().requires_grad_()
        gradient_penalty(network(seen)[:, 0], seen).backward()

    penalise(alone)
    as_rank(monkeypatch, 0, 2)
    # As torch.distributed does it, out of autograd's sight.
    monkeypatch.setattr(ranks, "_reduce", lambda summed: summed.data.mul_(2))
    penalise(beside)
    for key in ("0.weight", "1.weight", "4.weight"):
        one, two = (network.get_parameter(key).grad for network in (alone, beside))
        assert one is not None
        assert two is not None
        assert torch.allclose(one, two, rtol=1e-3, atol=1e-5), key


def test_two_processes_train_and_resume_as_one_does(images: Path, tmp_path: Path) -> None:
    """Weights, moments, average and batch norm's statistics, up to rounding."""
    train(images, out=tmp_path / "one", budget=kimg(6), overrides=SETTINGS)
    for steps, more in ((3, []), (6, ["--resume"])):
        done = start(images, tmp_path / "two", "--devices", "2", "--budget", kimg(steps), *more)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout.split() == [str(tmp_path / "two")]
        assert done.stderr.count("done at") == 1
    alike(tmp_path)
    assert piece.load(tmp_path / "two").card.training["kimg"] == 0.096


def test_two_processes_go_back_as_one_does(
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """To a checkpoint from before the labels counted, whose file has fewer moments than Adam has
    by now, and those in another order. It is one process's, which two can go on from."""
    program, late = tmp_path / "poisoned.py", ["label_start=0.04", "label_full=0.1"]
    program.write_text(POISONED)
    one, two, settings = tmp_path / "one", tmp_path / "two", [*SETTINGS, *late]
    train(images, out=one, budget=kimg(2), overrides=settings)
    for folder in (one, tmp_path / "one.training"):
        shutil.copytree(folder, folder.with_name(folder.name.replace("one", "two")))
    poison(monkeypatch)
    train(images, out=one, budget=kimg(9), overrides=settings, resume=True)
    again = [word for setting in late for word in ("--set", setting)]
    asked = ["--devices", "2", "--budget", kimg(9), "--resume", *again]
    done = start(images, two, *asked, program=[str(program)])
    assert done.returncode == 0, done.stderr
    for said in (capsys.readouterr().err, done.stderr):
        assert said.count("back to 0.032 kimg, learning rate × 0.5") == 1
    alike(tmp_path)


@pytest.mark.parametrize(
    ("devices", "nodes", "says"),
    [("0", 1, "whole numbers"), ("two", 1, "whole numbers"), ("-1", 1, "whole numbers"),
     ("1", 0, "whole numbers")],
)  # fmt: skip
def test_devices_that_are_no_number(devices: str, nodes: int, says: str) -> None:
    with pytest.raises(MachinesError, match=says):
        Machines.parse(devices, nodes)


def test_auto_is_one_process_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "_gpus", lambda: 0)
    assert Machines.parse("auto", 1) == Machines(1, 1)
    monkeypatch.setattr(machines, "_gpus", lambda: 4)
    assert Machines.parse("auto", 2).ranks == 8
    with pytest.raises(MachinesError, match="has 4 GPU"):
        Machines.parse("5", 1)


def test_a_batch_that_cannot_be_shared(images: Path, tmp_path: Path) -> None:
    with pytest.raises(MachinesError, match=r"--set batch=18") as caught:
        train(images, out=tmp_path / "p", overrides=SETTINGS, machines=Machines(3))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "p.training").exists()


def test_slurm_must_have_started_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {"PROCID": "1", "NTASKS": "4", "NNODES": "2", "LOCALID": "1",
                       "NODEID": "0", "NTASKS_PER_NODE": "2"}.items():  # fmt: skip
        monkeypatch.setenv(f"SLURM_{key}", value)
    monkeypatch.setattr(machines, "_gpus", lambda: 0)
    found = Machines.parse("auto", 2)
    assert found == Machines(2, 2)
    assert not found.lead
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert found.lead
    with pytest.raises(MachinesError, match="2 on each of 2 nodes"):
        Machines.parse("2", 1)
    monkeypatch.delenv("SLURM_NTASKS_PER_NODE")
    with pytest.raises(MachinesError, match="--ntasks-per-node"):
        Machines.parse("2", 2)
    monkeypatch.setenv("SLURM_JOB_NAME", "interactive")  # a shell inside a job: not by srun
    assert Machines.parse("2", 1) == Machines(2, 1)
