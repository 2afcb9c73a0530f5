"""The truth about a piece: what `installation evaluate` measures and prints."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.piece import Piece, load
from models.shelf import find
from training.dataset import read_dataset
from training.grid import to_png
from training.metrics import contrast, figures
from training.metrics.codes import diversity, probe, saved_discriminator, shared_q
from training.metrics.distances import NEIGHBOURS
from training.metrics.encoder import Encoder
from training.metrics.figure import Figures, plain, table
from training.metrics.guide import following
from training.metrics.identity import estranged, lines
from training.metrics.inception import Inception, load_inception
from training.metrics.labels import label_accuracy
from training.metrics.material import EvaluationError, Material, gather
from training.metrics.origin import ENCODERS, fit_of, hold_out_of, recipe_of
from training.metrics.recogniser import steps_for
from training.metrics.vgg import Vgg16, load_vgg
from training.pixels import floats
from training.progress import bar
from training.writing import check_outside, replace

SAMPLES = 2000  # generated pictures, and real ones on each side, where there are as many
_CHARACTERS = 256  # pictures of which one label is changed
_SHOWN = 24  # pictures of each kind in the sheet
_REPORT, _TABLE, _SHEET = "evaluation.json", "evaluation.txt", "real-above-generated.png"


@dataclass(frozen=True)
class Effort:
    """Training steps of each network that measures; labels: at most, few images want fewer."""

    encoder: int = contrast.STEPS
    labels: int = 1500
    codes: int = 600
    code_pictures: int = 4000


def evaluate(
    piece: str | Path,
    dataset: Path,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    out: Path | None = None,
    inception: Path | None = None,
    vgg: Path | None = None,
    cache: Path = ENCODERS,
    effort: Effort | None = None,
) -> dict[str, Any]:
    """Measure a piece, by name or folder, against the dataset that it was trained on.

    The report is plain JSON, with the keys of `figures` as training.metrics.figures names them.
    The same seed gives the same figures on the same machine. out: a folder for the report and a
    sheet of pictures. cache: where encoders are kept. inception, vgg: files of official weights.
    Raises UsageError and PieceError, one line each.
    """
    effort = effort or Effort()
    if samples <= NEIGHBOURS:
        raise EvaluationError(f"--samples {samples}: {NEIGHBOURS + 1} are the least")
    if out is not None:
        check_outside(out, dataset)
        _check_out(out)
    # What can be refused is refused before minutes are spent.
    networks = (load_inception(inception) if inception else None, load_vgg(vgg) if vgg else None)
    work = load(find(piece))
    data = read_dataset(dataset, work.card.resolution, fit_of(work.card), progress=True)
    material = gather(work.card, work.generator, data, samples, seed)
    with bar("training the encoder") as progress:
        encoder = contrast.encoder_for(
            material.training, cache, steps=effort.encoder, progress=progress
        )
    found, notes = _measure(work, material, encoder, networks, effort, seed)
    report = {
        "piece": work.card.name,
        "dataset": data.name,
        "images": {"training": len(material.training), "held_out": len(material.held_out)},
        "samples": len(material.generated),
        "seed": seed,
        "encoder": encoder.digest(),
        "figures": plain(found),
        "notes": notes,
    }
    if out is not None:
        _write(out, report, to_text(report), material)
    return report


def _measure(
    piece: Piece,
    material: Material,
    encoder: Encoder,
    networks: tuple[Inception | None, Vgg16 | None],
    effort: Effort,
    seed: int,
) -> tuple[Figures, list[str]]:
    """Every figure, and what could not be measured."""
    latent, known = piece.card.latent, material.training.conditions
    found = figures.own_distances(material, encoder, seed)
    found |= figures.pyramid(material, seed)
    found |= figures.variety(
        diversity(material.paint, encoder.features, latent, known, material.a, seed)
    )
    notes: list[str] = []
    if not hold_out_of(piece.card, material.training.name):
        notes.append("the piece was trained on all images, those called held out among them")
    if latent.labels:
        found |= _labels(piece, material, effort, seed, notes)
        for by, features in (("identity", encoder.features), ("lines", lines)):
            far = estranged(material.paint, features, latent, known, count=_CHARACTERS, seed=seed)
            found |= figures.identity(far, by)
    if latent.codes:
        found |= _codes(piece, material, effort, seed, notes)
    if piece.card.guided:
        found |= figures.guide(following(material, encoder, seed), found["fd_own"])
    inception, vgg = networks
    if inception is not None:
        found |= figures.inception(material, inception, seed)
    if vgg is not None:
        found |= figures.vgg(material, vgg)
    return found, notes


def _labels(
    piece: Piece, material: Material, effort: Effort, seed: int, notes: list[str]
) -> Figures:
    latent = piece.card.latent
    asked = material.points[:, latent.z : latent.z + latent.condition_width]
    with bar("training the label reader") as progress:
        found = label_accuracy(
            material.training, material.held_out, material.generated, asked,
            steps=steps_for(len(material.training), effort.labels), seed=seed, progress=progress,
            flip=bool(recipe_of(piece.card).get("mirror", True)),
        )  # fmt: skip
    for label in latent.labels:
        if label.name not in found:
            notes.append(f"label {label.name}: no held-out image has it, so it is not measured")
    return figures.labels(found)


def _codes(
    piece: Piece, material: Material, effort: Effort, seed: int, notes: list[str]
) -> Figures:
    latent, known = piece.card.latent, material.training.conditions
    with bar("training the code reader") as progress:
        found = figures.codes(
            probe(
                material.paint, latent, known,
                count=effort.code_pictures, steps=effort.codes, seed=seed, progress=progress,
            ),
            "probe",
        )  # fmt: skip
    folder = piece.path.resolve()
    work = folder.with_name(f"{folder.name}.training")
    discriminator = saved_discriminator(work, latent, piece.card.resolution)
    if isinstance(discriminator, str):
        notes.append(f"a piece has no Q, and {discriminator}: codes are read by the probe alone")
        return found
    count = effort.code_pictures // 4
    read = shared_q(discriminator, material.paint, latent, known, count=count, seed=seed)
    return found | figures.codes(read, "q")


def to_text(report: dict[str, Any]) -> str:
    """The report in words: a heading, the table, and what was not measured."""
    images = report["images"]
    heading = (
        f"{report['piece']} against {report['dataset']}: {report['samples']} generated pictures "
        f"beside as many real ones.\n{images['training']} images are for training, "
        f"{images['held_out']} held out. The floor is what real images reach against real ones; "
        "for codes, chance.\nFD-own and KD-own compare pieces of this dataset; they are not FID."
    )
    return "\n\n".join([heading, table(report["figures"]), *report["notes"]])


def _check_out(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvaluationError(f"--out {out} cannot be made ({error.strerror or error})") from error
    if not os.access(out, os.W_OK):
        raise EvaluationError(f"--out {out}: no permission to write there")


def _write(out: Path, report: dict[str, Any], text: str, material: Material) -> None:
    pictures = torch.cat([material.a[:_SHOWN], material.generated[:_SHOWN]])
    contents = {
        _REPORT: (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode(),
        _TABLE: (text + "\n").encode(),
        _SHEET: to_png(floats(pictures), columns=8),
    }
    for name, data in contents.items():
        try:
            replace(out / name, data)
        except OSError as error:
            raise EvaluationError(f"{out / name} cannot be written ({error})") from error
