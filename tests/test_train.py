"""Whole trainings, tiny: images to piece, resume, Ctrl-C, and everything that is refused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file

from models import piece
from models.card import PieceError
from training import UsageError
from training.checkpoint import NAME, PREVIOUS, CheckpointError
from training.recipe import recipe_names
from training.source import DatasetError
from training.train import train

TINY = ["resolution=16", "channels=[16,8]", "batch=8", "precision=float32", "z=8"]
CODES = ["codes=[{name='shape', kind='categorical', size=3}, {name='size', kind='continuous'}]"]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Twelve drawn images in two classes."""
    folder = tmp_path / "dots"
    for index in range(12):
        image = Image.new("RGB", (20, 24), (240, 240, 230))
        box = (4, 4, 8 + index, 10 + index)
        draw = ImageDraw.Draw(image)
        (draw.ellipse if index % 2 else draw.rectangle)(box, fill=(index * 20, 60, 90))
        path = folder / ("round" if index % 2 else "square") / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
    return folder


def kimg(steps: int, batch: int = 8) -> str:
    return f"{steps * batch / 1000}kimg"


def test_images_to_piece(images: Path, tmp_path: Path) -> None:
    out = train(images, out=tmp_path / "p", budget=kimg(20), overrides=[*TINY, *CODES])
    loaded = piece.load(out)
    state = load_file(tmp_path / "p.training" / NAME)
    assert torch.equal(state["module.average.ground"], loaded.generator.biases[-1])
    latent = torch.randn(3, loaded.card.latent.width)
    assert loaded.generator(latent).shape == (3, 3, 16, 16)
    assert [part.name for part in loaded.card.latent.parts] == ["class", "shape", "size"]
    told = loaded.card.training
    assert (told["dataset"], told["images"], told["kimg"]) == ("dots", 12, 0.16)
    assert told["recipe"]["gamma"] == 2.0  # settled
    grid = Image.open(tmp_path / "p.training" / "latest.png")
    assert grid.size == (8 * 32, 4 * 32)
    lines = (tmp_path / "p.training" / "log.jsonl").read_text().splitlines()
    assert set(json.loads(lines[-1])) >= {"kimg", "seconds", "generator", "discriminator", "codes"}


def test_resume_equals_an_uninterrupted_run(images: Path, tmp_path: Path) -> None:
    settings = [*TINY, *CODES, "label_start=0", "label_full=0.05", "penalty_warmup=4"]
    whole = train(images, out=tmp_path / "whole", budget=kimg(14), overrides=settings)
    train(images, out=tmp_path / "parts", budget=kimg(9), overrides=settings)
    parts = train(images, out=tmp_path / "parts", budget=kimg(14), resume=True)
    one, two = (load_file(path / "generator.safetensors") for path in (whole, parts))
    assert all(torch.equal(one[key], two[key]) for key in one)
    one, two = (load_file(tmp_path / f"{n}.training" / NAME) for n in ("whole", "parts"))
    assert set(one) == set(two)
    assert all(torch.equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize("recipe", recipe_names())
def test_every_recipe_trains(images: Path, tmp_path: Path, recipe: str) -> None:
    settings = ["resolution=32", "channels=[16,8,8]", "batch=4"]
    out = train(images, out=tmp_path / "p", recipe=recipe, budget=kimg(2, 4), overrides=settings)
    assert piece.load(out).card.training["kimg"] == 0.008


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_exits_cleanly(
    images: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out, work = tmp_path / "p", tmp_path / "p.training"
    settings = [*TINY, "grid_seconds=0.1"]
    program = (
        f"from training.train import train; train({str(images)!r}, out={str(out)!r}, "
        f"budget='2h', overrides={settings!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (work / "latest.png").exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "--resume" in said
    assert "Traceback" not in said
    done = piece.load(out).card.training["kimg"]
    assert done > 0
    train(images, out=out, budget=f"{done + 0.016}kimg", resume=True)
    assert piece.load(out).card.training["kimg"] == pytest.approx(done + 0.016)


def test_nothing_is_written_for_a_dataset_that_cannot_be_used(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for text, name in (("", ""), ("no image", "a.png")):
        if name:
            (empty / name).write_text(text)
        with pytest.raises(DatasetError):
            train(empty, out=tmp_path / "p", overrides=TINY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def test_refusals_before_anything_is_read(images: Path, tmp_path: Path) -> None:
    for wrong in (
        {"budget": "soon"},
        {"recipe": "slow"},
        {"overrides": ["colour=red"]},
        {"name": "../up"},
        {"resume": True},
    ):
        with pytest.raises(UsageError) as caught:
            train(images, **{"out": tmp_path / "p", **wrong})
        assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dots"]


def test_an_older_piece_or_training_is_not_overwritten(images: Path, tmp_path: Path) -> None:
    out = train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    before = (out / "card.json").read_bytes()
    with pytest.raises(PieceError, match="already"):
        train(images, out=out, budget=kimg(1), overrides=TINY)
    with pytest.raises(PieceError, match="not a piece"):
        train(images, out=images, budget=kimg(1), overrides=TINY)
    assert (out / "card.json").read_bytes() == before
    for path in out.iterdir():
        path.unlink()
    with pytest.raises(UsageError, match="training already"):
        train(images, out=out, budget=kimg(1), overrides=TINY)


def test_damaged_checkpoints(images: Path, tmp_path: Path) -> None:
    out, work = tmp_path / "p", tmp_path / "p.training"
    train(images, out=out, budget=kimg(1), overrides=TINY)
    train(images, out=out, budget=kimg(2), resume=True)
    (work / NAME).write_bytes((work / NAME).read_bytes()[:-50])
    train(images, out=out, budget=kimg(3), resume=True)  # from the one before
    assert piece.load(out).card.training["kimg"] == 0.024
    for name in (NAME, PREVIOUS):
        data = bytearray((work / name).read_bytes())
        data[-1] ^= 1
        (work / name).write_bytes(data)
    with pytest.raises(CheckpointError, match="hash"):
        train(images, out=out, budget=kimg(4), resume=True)


def test_resume_with_another_network(images: Path, tmp_path: Path) -> None:
    train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    with pytest.raises(CheckpointError, match="other networks"):
        train(images, out=tmp_path / "p", budget=kimg(2), overrides=["z=9"], resume=True)
