"""Is a piece's work new? What `installation inspect` measures, writes and says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from models import shelf
from models.card import GENERATOR
from models.folder import write_synced
from models.piece import Piece, load
from training import UsageError
from training.dataset import Dataset, read_dataset
from training.grid import fixed_latent
from training.metrics import contrast
from training.metrics.origin import ENCODERS, fit_of, hold_out_of
from training.novelty import folder, page, report
from training.novelty.findings import Findings, study
from training.pixels import pixels
from training.precision import fastest
from training.progress import bar
from training.provenance import Origin, read_origins
from training.source import list_entries
from training.split import split
from training.writing import check_outside, check_writable

SAMPLES, NEIGHBOURS = 256, 3
MOST_SAMPLES, MOST_NEIGHBOURS = 10_000, 12
_SIDE = 128  # pixels at which pictures are compared and shown, at most


def inspect(
    piece: str | Path,
    dataset: Path,
    out: Path,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    neighbours: int = NEIGHBOURS,
    cache: Path | None = ENCODERS,
    steps: int = contrast.STEPS,
) -> dict[str, Any]:
    """Draw samples of a piece, find each one's nearest training images, write the report to `out`.

    Returns what novelty.json holds. The same seed gives the same report on the same machine.
    cache: where encoders are kept; steps: how long one is trained. Raises UsageError or
    PieceError, one line, with nothing written.
    """
    if not 2 <= samples <= MOST_SAMPLES:
        raise UsageError(f"--samples {samples}: from 2 to {MOST_SAMPLES}")
    if not 1 <= neighbours <= MOST_NEIGHBOURS:
        raise UsageError(f"--neighbours {neighbours}: from 1 to {MOST_NEIGHBOURS}")
    folder.check_target(out)
    check_outside(out, dataset)
    check_writable(out)
    work = load(shelf.find(piece))
    side = min(work.card.resolution, _SIDE)
    data = read_dataset(dataset, side, fit_of(work.card), progress=True)
    steering = [label.name for label in work.card.latent.labels]
    if set(steering) <= {label.name for label in data.labels}:
        data = data.steered_by(steering)
    hold_out = hold_out_of(work.card, data.name)
    training, held_out = split(data, share=hold_out) if hold_out else (data, None)
    if held_out is not None and not len(held_out):
        training, held_out = data, None
    drawn = draw(work, data, samples, seed, side)
    with bar("training the encoder") as progress:
        # Never on what was held out: its features would know those images better than new ones.
        known = training if held_out is not None else split(data)[0]
        encoder = contrast.encoder_for(known, cache, steps=steps, progress=progress)
    found = study(
        drawn, training.images, None if held_out is None else held_out.images,
        encoder.features, seed,
    )  # fmt: skip
    facts = _facts(work, data, training, held_out, samples, seed, side) | {
        "encoder": encoder.digest()
    }
    record = report.describe(facts, found, training.files, _origins(dataset, training), neighbours)
    _write(out, record, found, drawn, training.images)
    return record


def draw(work: Piece, data: Dataset, count: int, seed: int, side: int) -> Tensor:
    """Pictures as the piece makes them: (count, 3, side, side) uint8. Labels come as often and
    together as in the data, where it has the piece's; codes by chance."""
    latent = work.card.latent
    points = fixed_latent(
        latent, count, seed, data.conditions if _same_labels(work, data) else None
    )
    device = fastest()
    generator, parts = work.generator.to(device), []
    with torch.no_grad():
        for part in points.split(64):
            drawn = generator(part.to(device)).float().clamp(-1, 1)
            parts.append(pixels(F.adaptive_avg_pool2d(drawn, side)).cpu())
    return torch.cat(parts)


def _same_labels(work: Piece, data: Dataset) -> bool:
    return work.card.latent.labels == data.labels


def _facts(
    work: Piece,
    data: Dataset,
    training: Dataset,
    held_out: Dataset | None,
    samples: int,
    seed: int,
    side: int,
) -> dict[str, Any]:
    card = work.card
    trained_on = card.training.get("images")
    return {
        "piece": {
            "name": card.name,
            "title": card.title or card.name,
            "author": card.author,
            "licence": card.licence,
            "sha256": card.files[GENERATOR]["sha256"],
        },
        "dataset": {
            "name": data.name,
            "images": len(data),
            "compared": len(training),
            "held_out": 0 if held_out is None else len(held_out),
            "left_out": len(data.problems),
            "named_by_card": trained_on if isinstance(trained_on, int) else None,
            "same_labels": _same_labels(work, data),
        },
        "samples": samples,
        "seed": seed,
        "side": side,
    }


def _origins(path: Path, training: Dataset) -> dict[str, Origin]:
    entries, _ = list_entries(path)
    return read_origins(entries, list(training.files))[0]


def _write(
    out: Path, record: dict[str, Any], found: Findings, drawn: Tensor, training: Tensor
) -> None:
    with folder.replaced(out) as fresh:
        report.write_images(fresh, record, drawn, training)
        write_synced(fresh / report.PAGE, page.page(record).encode())
        report.write_record(fresh, record)
