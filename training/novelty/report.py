"""What novelty.json holds: every number, plain enough for a program to read without this code."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from models.folder import write_synced
from training.novelty import verdict
from training.novelty.findings import Findings, Trial
from training.novelty.folder import KIND, RECORD
from training.novelty.neighbours import Nearest
from training.provenance import Origin

FORMAT = 1
PAGE = "index.html"


def describe(
    facts: dict[str, Any],
    found: Findings,
    files: Sequence[str],
    origins: dict[str, Origin],
    neighbours: int,
) -> dict[str, Any]:
    """The record, closest samples first. files: names of the training images, by index."""
    title, held_out = facts["piece"]["title"], found.reals.held_out
    order = sorted(range(len(found.nearest.score)), key=lambda i: float(found.nearest.score[i]))
    drawn = [_sample(i, found, files, origins, neighbours) for i in order]
    record: dict[str, Any] = {
        "kind": KIND,
        "format": FORMAT,
        "verdict": verdict.verdict(found.copies),
        "sentence": verdict.sentence(title, found.copies, held_out),
        "repetition": verdict.repetition(title, found.repeats),
        "warnings": verdict.warnings(facts, found.copies, held_out),
        **facts,
        "baseline": "held out" if held_out else "leave one out",
        "copies": _trial(found.copies),
        "repeats": _trial(found.repeats),
        "attractors": [
            {
                "file": files[one.index],
                "image": _training_image(one.index),
                "found": asdict(one.found),
                "expected": asdict(one.expected),
                "beyond_chance": one.beyond,
            }
            for one in found.attractors
        ],
        "drawn": drawn,
    }
    images = {sample["image"] for sample in drawn} | {one["image"] for one in record["attractors"]}
    images |= {one["image"] for sample in drawn for one in sample["neighbours"]}
    return record | {"files": [PAGE, *sorted(images)]}


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "threshold": _short(trial.threshold),
        "found": asdict(trial.found),
        "expected": asdict(trial.expected),
        "excess": asdict(trial.excess),
        "identical": trial.identical,
        "same_real_images": trial.left_out,
        "scores": [_short(x) for x in trial.scores.tolist()],
        "real_scores": [_short(x) for x in trial.real.sort().values.tolist()],
    }


def _sample(
    i: int, found: Findings, files: Sequence[str], origins: dict[str, Origin], neighbours: int
) -> dict[str, Any]:
    score, near = float(found.nearest.score[i]), found.nearest
    places = [j for j in range(near.index.shape[1]) if near.relative[i, j] < float("inf")]
    return {
        "sample": i,
        "image": f"images/sample-{i:05d}.png",
        "distance": _short(score),
        "percentile": _short(found.copies.percentile(score)),
        "copy": score <= found.copies.threshold,
        "twin": int(found.twins.index[i, 0]),
        "twin_distance": _short(float(found.twin_scores[i])),
        "neighbours": [_neighbour(near, i, j, found, files, origins) for j in places[:neighbours]],
    }


def _neighbour(
    near: Nearest,
    i: int,
    j: int,
    found: Findings,
    files: Sequence[str],
    origins: dict[str, Origin],
) -> dict[str, Any]:
    index, relative = int(near.index[i, j]), float(near.relative[i, j])
    return {
        "file": files[index],
        "image": _training_image(index),
        "mirrored": bool(near.mirrored[i, j]),
        "distance": _short(relative),
        "percentile": _short(found.copies.percentile(relative)),
        "feature_distance": _short(float(near.feature[i, j])),
        "pixel_distance": _short(float(near.pixel[i, j])),
        **asdict(origins.get(files[index], Origin())),
    }


def write_images(folder: Path, record: dict[str, Any], drawn: Tensor, training: Tensor) -> None:
    """Every picture that the record names, as PNG, under names of our own."""
    (folder / "images").mkdir()
    for name in record["files"]:
        kind, _, number = Path(name).stem.partition("-")
        if kind in ("sample", "training"):
            pictures = drawn if kind == "sample" else training
            write_synced(folder / name, _png(pictures[int(number)]))


def write_record(folder: Path, record: dict[str, Any]) -> None:
    write_synced(folder / RECORD, (json.dumps(record, indent=1) + "\n").encode())


def _png(picture: Tensor) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture.permute(1, 2, 0).numpy())).save(file, "PNG")
    return file.getvalue()


def _training_image(index: int) -> str:
    return f"images/training-{index:05d}.png"


def _short(number: float) -> float:
    return round(number, 5)
