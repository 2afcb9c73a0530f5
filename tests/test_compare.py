"""Recipes compared at equal time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.images import squares
from training import UsageError
from training.checkpoint import has_checkpoint
from training.compare import compare, main, page, table
from training.evaluate import Effort

TINY = ["resolution=16", "generator=4:8 8:8", "batch=8", "precision=float32", "z=8"]


def test_each_piece_is_kept_and_measured_and_a_second_run_goes_on(tmp_path: Path) -> None:
    images = squares(tmp_path / "squares", 100)
    out = tmp_path / "compared"
    settings = {"overrides": TINY, "effort": Effort(encoder=4)}
    first = compare(images, out, recipes=["quick", "dcgan"], budgets=["2s"], **settings)
    assert [(row["recipe"], row["budget"]) for row in first] == [("quick", "2s"), ("dcgan", "2s")]
    assert len({row["encoder"] for row in first}) == 1  # or the figures could not be compared
    assert all(row["floor"] >= 0 and row["cpu_seconds"] > 0 for row in first)
    assert 0 < first[0]["fd_own"] != first[1]["fd_own"] > 0  # two pieces, not one of them twice
    assert json.loads((out / "comparison.json").read_text()) == first
    both = compare(images, out, recipes=["quick"], budgets=["4s", "2s"], **settings)
    assert [row["budget"] for row in both] == ["2s", "4s"]
    assert both[0]["kimg"] == first[0]["kimg"] < both[1]["kimg"]  # gone on with, not begun anew
    assert "<polyline" in (out / "index.html").read_text()


def test_ended_from_outside_it_takes_its_trainings_along(tmp_path: Path) -> None:
    images, out = squares(tmp_path / "squares", 100), tmp_path / "compared"
    settings = [word for one in TINY for word in ("--set", one)]
    command = [sys.executable, "-m", "training.compare", str(images), "--recipes", "quick",
               "--budgets", "10m", "--out", str(out), *settings]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        log = out / "quick-0.training" / "log.jsonl"
        end = time.monotonic() + 120
        while not log.exists():
            assert time.monotonic() < end
            time.sleep(0.1)
        running.terminate()
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 2
    assert "stopped; the same command goes on" in said
    assert has_checkpoint(log.parent)  # it was asked, not killed


def test_a_budget_in_images_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="equal time"):
        compare(tmp_path, tmp_path / "out", recipes=["quick"], budgets=["4kimg"])
    asked = [str(tmp_path / "none"), "--recipes", "quick", "--budgets", "5s"]
    assert main([*asked, "--out", str(tmp_path / "o")]) == 2
    assert "compare: " in capsys.readouterr().err


def test_seeds_stand_as_mean_and_range() -> None:
    row = {"recipe": "quick", "budget": "5m", "diversity": 0.9, "precision": 0.5, "recall": 0.5,
           "kimg": 40.0, "minutes": 5.0}  # fmt: skip
    rows = [{**row, "seed": 0, "fd_own": 10.0}, {**row, "seed": 1, "fd_own": 20.0}]
    assert "| `quick` | 5m | 15 (10 to 20) | 0.9 (0.9 to 0.9) |" in table(rows)
    assert "| `quick` | 5m | 10 | 0.9 |" in table(rows[:1])
    later = [{**row, "seed": 0, "fd_own": 5.0, "minutes": 30.0, "budget": "30m"}, *rows]
    assert page("<masks>", later).count("<polyline") == 2  # FD-own and diversity of seed 0
