"""What a training leaves: the piece, with its card and preview."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from models import piece
from models.card import CARD, PREVIEW, Card, read_card
from models.directions import find_directions
from training.dataset import Dataset
from training.grid import fixed_latent, to_png
from training.module import GanModule
from training.watch.pictures import strip, ways
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
        latent=module.latent,
        generator=network.arguments(),
        directions=find_directions(network.fold(), module.latent.z),
        provenance=data.provenance,
        training={
            "dataset": data.name,
            "images": len(data),
            "hold_out": module.recipe.hold_out,
            "left_out": len(data.problems),
            "kimg": round(module.kimg, 3),
            "seconds": round(seconds, 1),
            "skipped": module.health.skipped,
            "torch": torch.__version__,
            "recipe": module.recipe.model_dump(mode="json"),
            **({"from": account["from"]} if "from" in account else {}),
        },
    )


def export(folder: Path, card: Card, data: Dataset, module: GanModule) -> None:
    """Write the piece, with pictures of what each code (`code_1.png` …) and direction does.

    What a person wrote into an older card stays: title, author, licence, names of codes.
    """
    if (folder / CARD).is_file():
        card = with_words_of(read_card(folder), card)
    points = fixed_latent(module.latent, PICTURES, module.recipe.seed, data.conditions)
    shown = to_png(module.sample(points), columns=4, enlarge=max(1, 128 // card.resolution))
    strips = {
        f"code_{number}.png": png(strip(module, code, points))
        for number, code in enumerate(module.latent.codes, start=1)
    }
    strips["directions.png"] = png(ways(module, card.directions, points[0]))
    piece.save(folder, card, module.average.whole(), pictures={PREVIEW: shown, **strips})


def with_words_of(older: Card, card: Card) -> Card:
    """The card with what a person wrote into an older one."""
    names, latent = older.latent.codes, card.latent
    if [(c.kind, c.size) for c in names] == [(c.kind, c.size) for c in latent.codes]:
        latent = replace(latent, codes=names)
    return replace(
        card, title=older.title, author=older.author, licence=older.licence, latent=latent
    )
