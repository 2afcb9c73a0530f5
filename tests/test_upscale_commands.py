"""`train --recipe upscale` and `evaluate --upscaler`, as an artist meets them."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from installation.cli import main
from models import piece
from models.card import GENERATOR, PieceError, read_card
from models.upscaler import Upscaler, load_default
from tests.pieces import make_piece
from training import UsageError
from training.budget import Budget
from training.checkpoint import NAME, PREVIOUS, read_state
from training.corpus import leaves
from training.lock import LockError
from training.recipe import RecipeError, checked, load_recipe, read_recipe
from training.source import DatasetError
from training.upscale import export
from training.upscale.evaluate import evaluate, to_text
from training.upscale.pictures import read_pictures
from training.upscale.recipe import UpscaleRecipe
from training.upscale.train import begin, run, train
from training.upscale.training import Training

RECIPE = UpscaleRecipe(scale=2, crop=8, batch=2, tier="T", fresh=True, precision="float32")
BUDGET = "0.012kimg"  # six steps


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, pixels in enumerate(leaves.draw(4, 96, seed=1)):
        Image.fromarray(pixels).save(folder / f"{index}.png")
    Image.fromarray(np.zeros((12, 200, 3), np.uint8)).save(folder / "thin.png")
    record = {"source": "drawn", "licence": "CC0-1.0"}
    (folder / "provenance.json").write_text(json.dumps(record))
    return folder


def test_every_field_is_documented_and_the_shipped_recipe_is_valid() -> None:
    fields = UpscaleRecipe.model_fields
    assert [key for key, field in fields.items() if not field.description] == []
    recipe = checked(UpscaleRecipe, read_recipe("upscale"))
    assert recipe.about
    assert recipe.shape == {"scale": 4, "channels": 16, "depth": 4}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("scael=2", "unknown key 'scael'"),
        ("scale=5", "scale"),
        ("tier=XL", "tier"),
        ("crop=9", "no multiple of 8"),
        ("batch=3", "odd"),
        ("largest=50", "less than the 100 px"),
    ],
)
def test_recipe_refusals(override: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said) as caught:
        checked(UpscaleRecipe, read_recipe("upscale"), [override])
    assert "\n" not in str(caught.value)


def test_a_recipe_of_an_upscaler_is_not_one_of_a_piece() -> None:
    with pytest.raises(RecipeError, match="trains"):
        load_recipe("upscale")


def test_a_stand_alone_upscaler_and_what_is_said_of_it(images: Path, tmp_path: Path) -> None:
    out = train(images, RECIPE, out=tmp_path / "fine", budget=BUDGET)
    assert isinstance(load_default(2, "T", out), Upscaler)
    card = json.loads((out / "Tx2.json").read_text())
    assert card["provenance"] == [{"source": "drawn", "licence": "CC0-1.0"}]
    assert card["training"]["images"] == 4
    assert card["training"]["kimg"] == 0.012
    work = tmp_path / "fine.upscaling"
    with Image.open(work / "latest.png") as shown:
        assert shown.width == 3 * 96
    assert {"kimg", "pixel", "pan"} <= set(json.loads((work / "log.jsonl").read_text()))
    with pytest.raises(UsageError, match="training already"):
        train(images, RECIPE, out=out, budget=BUDGET)


def test_a_chain_is_for_no_piece(images: Path, tmp_path: Path) -> None:
    home = make_piece(tmp_path / "mine", resolution=32)
    with pytest.raises(UsageError, match="one network"):
        train(images, UpscaleRecipe(scale=6, crop=8), piece=home, budget=BUDGET)


@pytest.mark.parametrize("half", [False, True])
def test_it_goes_into_the_piece_and_leaves_the_rest(
    half: bool, images: Path, tmp_path: Path
) -> None:
    home = make_piece(tmp_path / "mine", resolution=32)
    if half:  # as pieces that ship are
        card, generator = piece.load_unfolded(home)
        rest = {name: (home / name).read_bytes() for name in card.files if name != GENERATOR}
        piece.save(home, card, generator, pictures=rest, half=True)
    before = {name: (home / name).read_bytes() for name in read_card(home).files}
    assert train(images, RECIPE, piece=home, budget=BUDGET) == home
    work = piece.load(home)
    assert isinstance(work.upscaler, Upscaler)
    assert work.upscaler.kwargs == RECIPE.shape
    assert {name: (home / name).read_bytes() for name in before} == before
    assert work.card.training["upscaler"]["dataset"] == "photos"
    assert work.card.provenance == [{"source": "drawn", "licence": "CC0-1.0"}]

    copy = train(images, RECIPE, piece=home, out=tmp_path / "other", budget=BUDGET)
    assert piece.load(copy).card.name == "other"
    assert piece.load(copy).card.provenance == work.card.provenance


def test_resuming_equals_an_uninterrupted_run(images: Path, tmp_path: Path) -> None:
    def weights(folder: Path) -> bytes:
        return (folder / "Tx2.safetensors").read_bytes()

    recipe = RECIPE.model_copy(update={"adversarial_share": 0.0, "learning_rate": 1e-3})
    whole = train(images, recipe, out=tmp_path / "whole", budget=BUDGET)
    again = train(images, recipe, out=tmp_path / "again", budget=BUDGET)
    assert weights(whole) == weights(again)
    train(images, recipe, out=tmp_path / "parts", budget="0.006kimg")
    parts = train(images, recipe, out=tmp_path / "parts", budget=BUDGET, resume=True)
    card = json.loads((parts / "Tx2.json").read_text())
    assert card["training"]["kimg"] == 0.012
    assert weights(parts) != weights(whole)  # the rate had fallen for the smaller budget


@pytest.mark.parametrize("lost", ["damaged", "missing"])
@pytest.mark.parametrize("resume", [True, "or-start"])
def test_it_goes_on_from_the_checkpoint_before_where_the_newest_is_lost(
    lost: str, resume: Literal[True, "or-start"], images: Path, tmp_path: Path
) -> None:
    train(images, RECIPE, out=tmp_path / "fine", budget="0.004kimg")
    out = train(images, RECIPE, out=tmp_path / "fine", budget="0.008kimg", resume=True)
    work = tmp_path / "fine.upscaling"
    damage(work / NAME, lost)
    with pytest.raises(UsageError, match="training already"):
        train(images, RECIPE, out=out, budget=BUDGET)
    train(images, RECIPE, out=out, budget="0.006kimg", resume=resume)
    steps = [account["step"] for _, account in map(read_state, (work / PREVIOUS, work / NAME))]
    assert steps == [2, 3]
    for name in (NAME, PREVIOUS):
        damage(work / name, lost)
    with pytest.raises(UsageError, match="damaged" if lost == "damaged" else "nothing to resume"):
        train(images, RECIPE, out=out, budget=BUDGET, resume=True)


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.unlink()
    if how == "damaged":
        path.write_bytes(data)


@pytest.mark.parametrize("alone", [True, False])
def test_a_disk_that_is_full_at_the_end(
    alone: bool, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training is saved by then, and going on finishes it."""
    source = None if alone else make_piece(tmp_path / "home", 32)
    out = tmp_path / "out"

    def full(*given: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(export, "replace", full)
        patch.setattr(piece, "save", full)
        with pytest.raises(UsageError, match=r"No space .*is saved in .*--resume") as caught:
            train(images, RECIPE, piece=source, out=out, budget=BUDGET)
    assert "\n" not in str(caught.value)
    assert train(images, RECIPE, piece=source, out=out, budget=BUDGET, resume=True) == out
    assert read_card(out).upscaler if source else (out / "Tx2.json").exists()


def test_a_card_that_was_spoilt_meanwhile(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = make_piece(tmp_path / "home", 32), tmp_path / "out"

    def spoilt(*given: object) -> None:
        raise PieceError("card.json is not readable")

    with monkeypatch.context() as patch:
        patch.setattr("training.upscale.train.into_piece", spoilt)
        with pytest.raises(UsageError, match=r"not readable; .* is saved in .*--resume"):
            train(images, RECIPE, piece=source, out=out, budget=BUDGET)
    assert train(images, RECIPE, piece=source, out=out, budget=BUDGET, resume=True) == out


def test_refusals_before_anything_is_written(images: Path, tmp_path: Path) -> None:
    wrong = [
        ({"budget": "soon"}, "--budget"),
        ({"name": "../up", "out": None}, "--name"),
        ({"piece": "nosuch"}, "no piece"),
        ({"resume": True}, "nothing to resume"),
        ({"out": images / "in"}, "inside the dataset"),
    ]
    for options, said in wrong:
        with pytest.raises((UsageError, PieceError), match=said):
            train(images, RECIPE, **{"out": tmp_path / "new", **options})
    with pytest.raises(DatasetError, match=r"no image.*too few"):
        train(images, RECIPE.model_copy(update={"crop": 120}), out=tmp_path / "new")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        train(images, RECIPE, out=tmp_path / "taken")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "taken"]


def test_its_folder_is_taken_before_the_dataset_is_read(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, again = tmp_path / "fine", lambda *_: train(images, RECIPE, out=out, budget=BUDGET)
    monkeypatch.setattr("training.upscale.train._read", again)
    with pytest.raises(LockError, match="being trained already"):
        again()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="more cannot be written: Not a directory"):
        train(images, RECIPE, out=tmp_path / "file" / "more", budget=BUDGET)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "photos"]


def test_a_training_that_diverged_is_not_saved(images: Path, tmp_path: Path) -> None:
    pictures, *_ = read_pictures(images, 96, RECIPE.side)
    training = Training(begin(RECIPE), pictures, RECIPE)
    with torch.no_grad():
        training.upscaler.head.bias[0] = torch.nan
    with pytest.raises(UsageError, match="diverged"):
        run(training, Budget.parse(BUDGET), tmp_path)
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_the_report_has_every_method_and_true_figures(images: Path, tmp_path: Path) -> None:
    home = make_piece(tmp_path / "mine", scale=2)
    report = evaluate(images, piece=home, samples=2, out=tmp_path / "seen")
    assert (report["images"], report["left_out"]) == (2, 1)
    rows = {(row["method"], row["scale"]): row for row in report["upscaler"]}
    assert {("bicubic", 2), ("lanczos", 4), ("tier S", 2), ("the piece's", 2)} <= set(rows)
    assert (rows["tier S", 2]["tier"], rows["bicubic", 2]["tier"]) == ("S", None)
    assert rows["tier S", 2]["mac"] == 9 * (3 * 16 + 4 * 16 * 16 + 16 * 12)
    for row in rows.values():
        for kernel in ("box", "bicubic"):
            assert 10 < row[kernel]["psnr_y"] < 50
            assert 0 < row[kernel]["ssim_rgb"] < 1
        assert 0 < row["flicker"] < 30
    assert rows["tier S", 2]["box"]["psnr_y"] > rows["bicubic", 2]["box"]["psnr_y"] + 0.5
    assert "tier S" in to_text(report)
    with Image.open(tmp_path / "seen" / "x2.png") as shown:
        assert shown.height == 2 * 96
    with pytest.raises(UsageError, match="no upscaler of its own"):
        evaluate(images, piece=make_piece(tmp_path / "bare"))


def test_a_chain_is_measured_where_every_picture_is_large_enough(tmp_path: Path) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    for index, pixels in enumerate(leaves.draw(2, 120, seed=1)):
        Image.fromarray(pixels).save(folder / f"{index}.png")
    rows = {(row["method"], row["scale"]): row for row in evaluate(folder)["upscaler"]}
    assert {("bicubic", 6), ("tier S", 6)} <= set(rows)
    first, last = load_default(6, "S").links
    assert rows["tier S", 6]["mac"] == first.macs + 4 * last.macs
    assert rows["tier S", 6]["box"]["psnr_y"] > rows["bicubic", 6]["box"]["psnr_y"]
    Image.fromarray(leaves.draw(1, 96, seed=2)[0]).save(folder / "small.png")
    assert {row["scale"] for row in evaluate(folder)["upscaler"]} == {2, 3, 4}


def test_the_commands_are_joined(
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def call(*arguments: object) -> tuple[int, str, str]:
        status = main([*map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out, said.err

    monkeypatch.chdir(tmp_path)
    settings = ["--set", "tier=T", "--set", "crop=8", "--set", "batch=2"]
    done = call("train", images, "--recipe", "upscale", "--budget", "0.004kimg", *settings)
    assert done[:2] == (0, "upscalers/photos\n")
    status, _, said = call("train", images, "--recipe", "upscale", "--resolution", "64")
    assert status == 2
    assert said.endswith("--resolution does nothing for an upscaler; leave it out\n")
    status, said, _ = call("evaluate", "--upscaler", images, "--samples", "1", "--json")
    assert json.loads(said)["images"] == 1
    status, _, said = call("evaluate", images)
    assert status == 2
    assert "PIECE and the DATASET" in said
