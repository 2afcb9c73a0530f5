"""Recipes against each other at equal wall clock, on one machine: where a default comes from.

    python -m training.compare DATASET --recipes quick dcgan --budgets 5m 30m 2h --seeds 0 1 --out F

Trainings run side by side, `--together` at a time with one thread each, and stop at each budget in
turn, where the piece is kept. One encoder, trained on the images of the training split, then
judges all of them. Run again, it goes on with what is missing. F/index.html shows the curves,
F/comparison.json holds every figure.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from types import FrameType
from typing import Any

from models.card import CARD, read_card
from training import UsageError
from training.budget import Budget
from training.evaluate import Effort, evaluate
from training.train import train
from training.watch.chart import chart
from training.writing import replace

FIGURES = ("fd_own", "fd_own_held_out", "kd_own", "precision", "recall", "coverage", "diversity")
_COST = "cost.json"  # beside a kept piece: what it took


@dataclass(frozen=True)
class Arm:
    """One training of the comparison."""

    recipe: str
    seed: int
    folder: Path  # of the whole comparison

    @property
    def name(self) -> str:
        return f"{Path(self.recipe).stem}-{self.seed}"

    def kept(self, budget: str) -> Path:
        return self.folder / "kept" / self.name / budget

    def train(self, dataset: Path, budgets: Sequence[str], overrides: Sequence[str]) -> bool:
        """Train to each budget in turn and keep the piece; False where somebody asked to stop."""
        piece = self.folder / self.name
        for budget in budgets:
            if self.kept(budget).exists():
                continue
            cost = time.process_time()
            train(
                dataset,
                name=self.name,
                recipe=self.recipe,
                out=piece,
                budget=budget,
                resume="or-start",
                overrides=[f"seed={self.seed}", *overrides],
            )
            told = read_card(piece).training
            if Budget.parse(budget).spent(told["seconds"], told["kimg"]) < 0.99:
                return False
            self._keep(piece, budget, time.process_time() - cost)
        return True

    def _keep(self, piece: Path, budget: str, cpu_seconds: float) -> None:
        kept = self.kept(budget)
        fresh = kept.with_name(f".{budget}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(piece, fresh)
        (fresh / _COST).write_text(json.dumps({"cpu_seconds": round(cpu_seconds, 1)}))
        fresh.rename(kept)


def compare(
    dataset: Path,
    out: Path,
    *,
    recipes: Sequence[str],
    budgets: Sequence[str],
    seeds: Sequence[int] = (0,),
    overrides: Sequence[str] = (),
    together: int = 2,
    effort: Effort | None = None,
) -> list[dict[str, Any]]:
    """Train every recipe with every seed, measure every piece; one row for each.

    Raises UsageError: for a budget that is no time, or whatever a training refuses.
    """
    budgets = sorted(budgets, key=_seconds)
    arms = [Arm(recipe, seed, out) for seed in seeds for recipe in recipes]
    out.mkdir(parents=True, exist_ok=True)
    _train_all(arms, dataset, budgets, overrides, together)
    rows = [
        _measure(arm, budget, dataset, effort)
        for arm in arms
        for budget in budgets
        if (arm.kept(budget) / CARD).exists()
    ]
    replace(out / "comparison.json", (json.dumps(rows, indent=2) + "\n").encode())
    replace(out / "index.html", page(dataset.name, rows).encode())
    return rows


def _seconds(budget: str) -> float:
    seconds = Budget.parse(budget).seconds
    if seconds is None:
        raise UsageError(f"--budgets {budget}: recipes are compared at equal time, as 5m or 2h")
    return seconds


def _train_all(
    arms: Sequence[Arm],
    dataset: Path,
    budgets: Sequence[str],
    overrides: Sequence[str],
    together: int,
) -> None:
    # Read by OpenMP as torch is loaded, so by the children.
    os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    spawn = multiprocessing.get_context("spawn")  # a forked torch hangs in its thread pool
    pool = ProcessPoolExecutor(together, mp_context=spawn, max_tasks_per_child=1)
    with pool, _passing_on_what_ends_us():
        running = [pool.submit(arm.train, dataset, budgets, overrides) for arm in arms]
        for done in as_completed(running):
            if not done.result():
                pool.shutdown(cancel_futures=True)
                raise UsageError("stopped; the same command goes on")


@contextmanager
def _passing_on_what_ends_us() -> Iterator[None]:
    """SIGTERM reaches this process alone, where Ctrl-C reaches the trainings too: they are told,
    save and end, or they would go on with nobody to wait for them."""

    def tell(number: int, frame: FrameType | None) -> None:
        for child in multiprocessing.active_children():
            child.terminate()

    before = signal.signal(signal.SIGTERM, tell)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _measure(arm: Arm, budget: str, dataset: Path, effort: Effort | None) -> dict[str, Any]:
    piece = arm.kept(budget)
    seen = piece.with_name(f"{budget}-seen")
    report = evaluate(piece, dataset, cache=arm.folder / "encoders", out=seen, effort=effort)
    told = read_card(piece).training
    cost = json.loads((piece / _COST).read_text())
    figures = report["figures"]
    return {
        "recipe": arm.recipe,
        "seed": arm.seed,
        "budget": budget,
        "minutes": _seconds(budget) / 60,
        "kimg": told["kimg"],
        "best_kimg": told.get("best", {}).get("kimg", told["kimg"]),
        **cost,
        "encoder": report["encoder"],
        "floor": figures["fd_own"]["floor"],
        **{key: figures[key]["value"] for key in FIGURES if key in figures},
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: a recipe at a budget in a row, each figure's mean over the seeds and its range."""
    columns = ("fd_own", "diversity", "precision", "recall", "kimg")
    lines = [f"| recipe | budget | {' | '.join(columns)} |", "|---" * (len(columns) + 2) + "|"]
    for recipe, budget in dict.fromkeys((row["recipe"], row["budget"]) for row in rows):
        same = [row for row in rows if (row["recipe"], row["budget"]) == (recipe, budget)]
        cells = " | ".join(_spread([row[column] for row in same]) for column in columns)
        lines.append(f"| `{recipe}` | {budget} | {cells} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    text = f"{mean(values):.3g}"
    return text if len(values) == 1 else f"{text} ({min(values):.3g} to {max(values):.3g})"


def page(title: str, rows: Sequence[dict[str, Any]]) -> str:
    """FD-own and diversity over minutes, a line for each training, as one HTML file."""
    charts = []
    for figure, name in (("fd_own", "FD-own (less is better)"), ("diversity", "diversity")):
        points: dict[float, dict[str, float]] = {}
        for row in rows:
            at = points.setdefault(row["minutes"], {"minutes": row["minutes"]})
            at[f"{row['recipe']} {row['seed']}"] = row[figure]
        lines = list(dict.fromkeys(f"{row['recipe']} {row['seed']}" for row in rows))
        ordered = [points[minutes] for minutes in sorted(points)]
        charts.append(chart(name, ordered, lines, along="minutes"))
    return (
        f'<!doctype html><meta charset="utf-8"><title>{title}</title>'
        "<style>body{background:#111;color:#ccc;font:14px sans-serif}figure{margin:1em 0}"
        "svg{width:840px;fill:none}</style>"
        f"<h1>{title}</h1>{''.join(charts)}<pre>{table(rows)}</pre>"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.compare", description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--recipes", nargs="+", default=["quick", "dcgan"])
    parser.add_argument("--budgets", nargs="+", default=["5m", "30m", "2h"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--together", type=int, default=2, help="trainings at a time")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        rows = compare(
            options.dataset, options.out, recipes=options.recipes, budgets=options.budgets,
            seeds=options.seeds, overrides=options.set, together=options.together,
        )  # fmt: skip
    except UsageError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    print(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
