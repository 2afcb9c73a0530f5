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

from models.latent import Code, Label, Latent
from models.piece import load
from training.dataset import read_dataset
from training.metrics import recogniser
from training.metrics.codes import probe
from training.metrics.labels import label_accuracy
from training.metrics.material import Material, gather
from training.train import train

COUNT, SIDE, OVER = 1500, 16, 8
HUES = ("red", "green", "blue")
SETTINGS = [
    "resolution=16",
    "generator=4:64 8:32",
    "z=8",
    "codes=[{name='kind', kind='categorical', size=3}, {name='amount', kind='continuous'}]",
    "mirror=false",
    "augment=0.0",
    "label_start=1",
    "label_full=4",
    "code_start=1",
    "code_weight=1",
    # On a processor without AMX .96 and .74; by five other seeds .89 to .96 and .55 to .81. (With
    # AMX .95 and .84 by seed 1.) Without their weight .47 and .15.
    "seed=3",
    "judge_kimg=1000",
    "picture_seconds=10000",
    "grid_seconds=10000",
]

LATENT = Latent(
    8,
    (Label("hue", ("blue", "green", "red")),),
    (Code("kind", "categorical", 3), Code("amount", "continuous")),
)


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


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The readers learn as much from more steps of fewer pictures, in half the time."""
    monkeypatch.setattr(recogniser, "_BATCH", 16)


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


def trained(shapes: Path, out: Path, *settings: str) -> Material:
    train(shapes, out=out, budget="24kimg", overrides=[*SETTINGS, *settings])
    piece = load(out)
    return gather(piece.card, piece.generator, read_dataset(shapes, SIDE), 600, 0)


def codes_read(stuff: Material) -> tuple[float, float]:
    """Accuracy of the categorical code and R² of the continuous one."""
    known = stuff.training.conditions
    found = probe(stuff.paint, LATENT, known, count=1200, steps=300)
    return found["kind"].value, found["amount"].value


def test_codes_are_found_and_labels_obeyed(shapes: Path, tmp_path: Path) -> None:
    stuff = trained(shapes, tmp_path / "with")
    kind, amount = codes_read(stuff)
    assert kind >= 0.9
    assert amount >= 0.6
    asked = stuff.points[:, LATENT.slices()["hue"]]
    hue = label_accuracy(
        stuff.training, stuff.held_out, stuff.generated, asked, steps=200, flip=False
    )["hue"]
    assert hue.real.value >= 0.95  # the reader itself can be trusted
    assert hue.generated.value >= 0.95


def test_without_their_information_codes_are_not_found(shapes: Path, tmp_path: Path) -> None:
    stuff = trained(shapes, tmp_path / "without", "code_start=0", "code_weight=0")
    kind, amount = codes_read(stuff)  # some trace of an input is always left in the picture
    assert kind < 0.9
    assert amount < 0.6
