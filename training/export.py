"""What a training leaves: the piece, with its card and preview."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from models import piece
from models.card import CARD, Card, read_card
from training.dataset import Dataset
from training.grid import fixed_latent, to_png
from training.module import GanModule
from training.recipe import Recipe

PREVIEW = 16  # pictures in a piece's preview


def make_card(name: str, recipe: Recipe, data: Dataset, module: GanModule, seconds: float) -> Card:
    return Card(
        name=name,
        title=name,
        resolution=recipe.resolution,
        latent=module.latent,
        generator=module.generator.arguments(),
        provenance=data.provenance,
        training={
            "dataset": data.name,
            "images": len(data),
            "left_out": len(data.problems),
            "kimg": round(module.kimg, 3),
            "seconds": round(seconds, 1),
            "skipped": module.health.skipped,
            "torch": torch.__version__,
            "recipe": recipe.model_dump(mode="json"),
        },
    )


def export(folder: Path, card: Card, data: Dataset, module: GanModule) -> None:
    """Write the piece; title, author and licence that a person wrote into an older card stay."""
    if (folder / CARD).is_file():
        older = read_card(folder)
        card = replace(card, title=older.title, author=older.author, licence=older.licence)
    points = fixed_latent(module.latent, PREVIEW, module.recipe.seed, data.conditions)
    preview = to_png(module.sample(points), columns=4, enlarge=max(1, 128 // card.resolution))
    piece.save(folder, card, module.average, preview=preview)
