"""A Slurm job that is warned, queued again, and goes on: with the real batch file, and an srun and
scontrol that do what Slurm's would."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import training
from models import piece
from tests.waiting import until
from training.checkpoint import read_checkpoint
from training.stop import RequeueError, requeue

ROOT = Path(__file__).parent.parent
BATCH = Path(training.__file__).parent / "slurm" / "train.sbatch"
SETTINGS = ["resolution=16", "generator=4:16 8:8", "cooldown=0", "batch=16", "precision=float32",
            "z=8", "grid_seconds=0.1"]  # fmt: skip

# Two tasks on one node. The warning reaches one of them only: they have to agree.
SRUN = """#!{python}
import os, signal, subprocess, sys
command = [word for word in sys.argv[1:] if word != "--kill-on-bad-exit=1"]
tasks = [
    subprocess.Popen(command, env={{**os.environ, "SLURM_PROCID": str(i), "SLURM_LOCALID": str(i),
                                   "SLURM_NODEID": "0"}})
    for i in range(2)
]
signal.signal(signal.SIGUSR1, lambda *_: tasks[1].send_signal(signal.SIGUSR1))
sys.exit(max(task.wait() for task in tasks))
"""
SCONTROL = """#!/bin/sh
echo "$@" >> "$CALLED"
"""
INSTALLATION = """#!/bin/sh
exec {python} -m installation.cli "$@"
"""


@pytest.fixture
def cluster(tmp_path: Path) -> dict[str, str]:
    """The environment of a job on a cluster."""
    here = tmp_path / "bin"
    here.mkdir()
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL), ("installation", INSTALLATION)):
        (here / name).write_text(text.format(python=sys.executable))
        (here / name).chmod(0o755)
    with socket.socket() as free:  # Slurm's job number makes the port
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        **os.environ, "PATH": f"{here}:{os.environ['PATH']}", "CALLED": str(tmp_path / "called"),
        "PYTHONPATH": str(ROOT), "SLURM_JOB_ID": "4711", "SLURM_NTASKS": "2",
        "SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1", "SLURM_NODELIST": "127.0.0.1",
        "SLURM_JOB_NAME": "installation-train", "SLURM_CPUS_PER_TASK": "1",
        "MASTER_PORT": str(port), "OMP_WAIT_POLICY": "passive",
    }  # fmt: skip


def submit(cluster: dict[str, str], tmp_path: Path, budget: str) -> subprocess.Popen[str]:
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    return subprocess.Popen(
        ["bash", str(BATCH), "squares", "--out", "p", "--budget", budget, *settings],
        cwd=tmp_path, env=cluster, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_job_is_queued_again_and_goes_on(cluster: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "squares").mkdir()
    for index in range(20):
        image = Image.new("RGB", (16, 16), (index * 10, 90, 200 - index * 7))
        image.save(tmp_path / "squares" / f"{index}.png")
    work = tmp_path / "p.training"
    job = submit(cluster, tmp_path, "2h")
    until(lambda: (work / "latest.png").exists() or job.poll() is not None, 180)
    job.send_signal(signal.SIGUSR1)
    out, said = job.communicate(timeout=180)
    assert job.returncode == 0, said
    assert "Traceback" not in said
    assert "the job is queued again" in said
    assert out == ""
    assert Path(cluster["CALLED"]).read_text() == "requeue 4711\n"
    assert not (tmp_path / "p").exists()
    assert not list(work.glob("*hpc*"))
    assert not list(tmp_path.glob("*.ckpt"))

    kimg = read_checkpoint(work)[1]["kimg"]
    assert kimg > 0
    job = submit(cluster, tmp_path, f"{kimg + 0.032}kimg")
    out, said = job.communicate(timeout=180)
    assert job.returncode == 0, said
    assert piece.load(tmp_path / "p").card.training["kimg"] == pytest.approx(kimg + 0.032)
    assert Path(cluster["CALLED"]).read_text() == "requeue 4711\n"


def test_a_job_that_cannot_be_queued_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "7")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RequeueError, match=r"job 7_2 .*No such file.*--resume-or-start"):
        requeue()
    (tmp_path / "scontrol").write_text("#!/bin/sh\necho 'Access denied' >&2; exit 1\n")
    (tmp_path / "scontrol").chmod(0o755)
    with pytest.raises(RequeueError, match=r"Access denied"):
        requeue()


def test_the_batch_file_is_sound() -> None:
    subprocess.run(["bash", "-n", str(BATCH)], check=True)
    asked = [line.split()[1] for line in BATCH.read_text().splitlines() if line[:7] == "#SBATCH"]
    assert {"--requeue", "--signal=SIGUSR1@90", "--open-mode=append"} <= set(asked)
