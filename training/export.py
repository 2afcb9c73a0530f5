"""What a training leaves: the piece, with its card and preview."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models import piece
from models.card import CARD, PREVIEW, UPSCALER, Card, PieceError, read_card, sha256
from models.directions import find_directions
from models.upscaler import build
from training import lineage
from training.dataset import Dataset
from training.grid import fixed_latent, to_png
from training.module import GanModule
from training.watch.pictures import guided, strip, ways
from training.watch.sheet import png

PICTURES = 16  # in a piece's preview


def make_card(
    name: str, account: dict[str, Any], data: Dataset, module: GanModule, seconds: float
) -> Card:
    """The card of the piece as it is now. account: what the checkpoint says of the run."""
    network = module.average.whole()
    return Card(
        name=name,
        title=name,
        resolution=network.resolution,
        latent=lineage.named(module.latent, account),
        generator=network.arguments(),
        directions=find_directions(network.fold(), module.latent.z),
        provenance=lineage.provenance(data.provenance, account),
        training={
            "dataset": data.name,
            "images": len(data),
            "hold_out": module.recipe.hold_out,
            "datasets": account.get("datasets", {}),
            "left_out": len(data.problems),
            "kimg": round(module.kimg, 3),
            "seconds": round(seconds, 1),
            "skipped": module.health.skipped,
            "torch": torch.__version__,
            "recipe": account["recipe"],
            **lineage.told_of(account),
        },
    )


def export(
    folder: Path, card: Card, data: Dataset, module: GanModule, work: Path, account: dict[str, Any]
) -> None:
    """Write the piece, with pictures of what each code (`code_1.png` …) and direction does.

    What a person wrote into an older card stays: title, author, licence, names of codes. So does
    an older piece's upscaler, which fits a generator of any size; the first piece has the one that
    its training has brought along in the folder `work`, as the account says.
    """
    kept, told = work, account.get("from", {}).get("upscaler")
    if (folder / CARD).is_file():
        older = read_card(folder)
        card = with_words_of(older, card)
        kept, told = folder, lineage.upscaler_of(older)
        if told is not None:  # whose images that has learned from
            known = [record for record in older.provenance if record not in card.provenance]
            card = replace(card, provenance=[*card.provenance, *known])
    card, upscaler = with_upscaler(card, told, kept / UPSCALER) if told else (card, None)
    points = fixed_latent(module.latent, PICTURES, module.recipe.seed, data.conditions)
    shown = to_png(module.sample(points), columns=4, enlarge=max(1, 128 // card.resolution))
    strips = {
        f"code_{number}.png": png(strip(module, code, points))
        for number, code in enumerate(module.latent.codes, start=1)
    }
    strips["directions.png"] = png(ways(module, card.directions, points[0]))
    if module.recipe.guide:
        strips["guided.png"] = png(guided(module, points))
    piece.save(folder, card, module.average.whole(), upscaler, {PREVIEW: shown, **strips})


def with_words_of(older: Card, card: Card) -> Card:
    """The card with what a person wrote into an older one."""
    names, latent = older.latent.codes, card.latent
    if [(c.kind, c.size) for c in names] == [(c.kind, c.size) for c in latent.codes]:
        latent = replace(latent, codes=names)
    return replace(
        card, title=older.title, author=older.author, licence=older.licence, latent=latent
    )


def with_upscaler(card: Card, told: dict[str, Any], path: Path) -> tuple[Card, nn.Module | None]:
    """The card with an upscaler, of which another has told (lineage.upscaler_of), and the upscaler;
    None, which is said, where it is damaged."""
    try:
        if not path.is_file() or sha256(path) != told["sha256"]:
            raise PieceError(f"{path} is missing, damaged or was changed")
        upscaler = build(told["arguments"], path.read_bytes(), str(path))
    except PieceError as error:
        print(f"the piece's upscaler is left out: {error}", file=sys.stderr)
        return card, None
    training = {**card.training, **told["training"]}
    return replace(card, upscaler=told["arguments"], training=training), upscaler
