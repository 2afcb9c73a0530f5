"""Whole trainings, tiny: images to piece, resume, Ctrl-C, and everything that is refused."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file

from models import piece
from models.card import PieceError, read_card
from tests.tensors import differing
from training import UsageError
from training.checkpoint import NAME, PREVIOUS, CheckpointError, read_state, write_state
from training.lock import LockError, held
from training.machines import Machines
from training.recipe import read_recipe, recipe_names
from training.source import DatasetError
from training.train import train

TINY = ["resolution=16", "generator=4:16 8:8", "batch=8", "precision=float32", "z=8"]
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


def test_what_is_set_on_resume_is_checked_against_its_own_recipe(
    images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p"
    train(images, out=out, budget=kimg(1), overrides=[*TINY, "label_start=2"])
    train(images, out=out, budget=kimg(2), overrides=["label_full=4"], resume=True)  # quick: from 5
    assert read_card(out).training["recipe"]["label_full"] == 4


def test_a_macs_gpu_is_left_alone(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no float64, which the module's buffers are. (Lightning's "auto" would take it.)"""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    seen = []
    make = pl.Trainer.__init__

    def noted(self: pl.Trainer, **named: Any) -> None:
        seen.append(named["accelerator"])
        make(self, **named)

    monkeypatch.setattr(pl.Trainer, "__init__", noted)
    train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY, machines=Machines(devices=1))
    assert seen == ["cuda" if torch.cuda.is_available() else "cpu"]


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
    assert told["recipe"]["gamma"] == 0.3  # settled
    grid = Image.open(tmp_path / "p.training" / "latest.png")
    assert grid.size == (8 * 32, 4 * 32)
    lines = (tmp_path / "p.training" / "log.jsonl").read_text().splitlines()
    assert set(json.loads(lines[-1])) >= {"kimg", "seconds", "generator", "discriminator", "codes"}


def test_resume_equals_an_uninterrupted_run(images: Path, tmp_path: Path) -> None:
    settings = [*TINY, *CODES, "label_start=0", "label_full=0.05", "penalty_warmup=4"]
    settings.append("cooldown=0")  # the shorter budget would have one of its own
    whole = train(images, out=tmp_path / "whole", budget=kimg(14), overrides=settings)
    train(images, out=tmp_path / "parts", budget=kimg(9), overrides=settings)
    parts = train(images, out=tmp_path / "parts", budget=kimg(14), resume=True)
    one, two = (load_file(path / "generator.safetensors") for path in (whole, parts))
    assert differing(one, two) == []
    one, two = (load_file(tmp_path / f"{n}.training" / NAME) for n in ("whole", "parts"))
    assert differing(one, two) == []


@pytest.mark.parametrize(
    "recipe", [name for name in recipe_names() if read_recipe(name).get("trains") != "upscaler"]
)
def test_every_recipe_trains(images: Path, tmp_path: Path, recipe: str) -> None:
    settings = ["resolution=32", "generator=4:16 8:8 16:8", "batch=4"]
    source = None
    if read_recipe(recipe).get("frozen"):  # it teaches a piece that is there
        source = str(train(images, out=tmp_path / "q", budget=kimg(2, 4), overrides=settings))
    out = train(
        images, out=tmp_path / "p", recipe=recipe, budget=kimg(2, 4), overrides=settings,
        begin_with=source,
    )  # fmt: skip
    assert 0.008 <= piece.load(out).card.training["kimg"] < 0.2  # batches differ


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
    assert "stopping" in said
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


def test_a_card_with_a_slip_of_the_pen(images: Path, tmp_path: Path) -> None:
    """Edited while the training runs: all is saved, and goes on once the card is right again."""
    out = train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    path = out / "card.json"
    right = path.read_text(encoding="utf-8").replace('"author": ""', '"author": "A. Artist"')

    class Edits:
        """A judge that looks at nothing, while somebody writes."""

        def __init__(self, data: object) -> None: ...

        def __call__(self, module: object) -> None:
            path.write_text(right.replace('"title":', '"title"'), encoding="utf-8")

    changes: Any = {"budget": kimg(3), "overrides": ["judge_kimg=0.008"], "resume": True}
    with pytest.raises(UsageError, match=r"card\.json is not readable.* saved .*--resume"):
        train(images, out=out, judge=Edits, **changes)
    with pytest.raises(PieceError, match=r"card\.json is not readable"):
        train(images, out=out, **changes)
    path.write_text(right, encoding="utf-8-sig")  # as an editor on Windows may save it
    card = read_card(train(images, out=out, **changes))
    assert (card.author, card.training["kimg"]) == ("A. Artist", 0.024)


def test_damaged_checkpoints(images: Path, tmp_path: Path) -> None:
    out, work = tmp_path / "p", tmp_path / "p.training"
    train(images, out=out, budget=kimg(1), overrides=TINY)
    train(images, out=out, budget=kimg(2), resume=True)
    (work / NAME).write_bytes((work / NAME).read_bytes()[:-50])
    train(images, out=out, budget=kimg(3), resume=True)  # from the one before
    assert read_state(work / PREVIOUS)[1]["kimg"] == 0.008  # which the damaged one did not replace
    assert piece.load(out).card.training["kimg"] == 0.024
    for name in (NAME, PREVIOUS):
        data = bytearray((work / name).read_bytes())
        data[-1] ^= 1
        (work / name).write_bytes(data)
    with pytest.raises(CheckpointError, match="hash"):
        train(images, out=out, budget=kimg(4), resume=True)


def test_a_piece_that_was_renamed_is_told_how_it_goes_on(images: Path, tmp_path: Path) -> None:
    """With --resume it was to be left out, and without it to be given."""
    out = train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    moved = out.rename(tmp_path / "moved")
    for resume in (True, False):
        with pytest.raises(
            PieceError,
            match=r"moved.* no training .*moved\.training.*one name.*--from .*moved --name",
        ) as told:
            train(images, out=moved, budget=kimg(2), resume=resume)
        assert "--resume" not in str(told.value)
    (tmp_path / "p.training").rename(tmp_path / "moved.training")
    assert train(images, out=moved, budget=kimg(2), resume=True) == moved


def test_resume_with_other_labels_names_them(images: Path, tmp_path: Path) -> None:
    """Folders or a table that came later."""
    train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    lines = [
        f"{path.relative_to(images)},{k % 3}"
        for k, path in enumerate(sorted(images.rglob("*.png")))
    ]
    (images / "labels.csv").write_text("\n".join(["file,wood", *lines]))
    with pytest.raises(
        CheckpointError,
        match=r"from class \(round, square\) to wood \(0, 1, 2\).*--from this piece",
    ):
        train(images, out=tmp_path / "p", budget=kimg(2), resume=True)


def test_a_piece_to_begin_from_is_told_to_do_nothing_where_a_training_goes_on(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny: Any = {"budget": kimg(1), "overrides": TINY}
    first = train(images, name="a", out=tmp_path / "first", **tiny)
    second = train(images, name="b", out=tmp_path / "second", begin_with=first, **tiny)
    for name, out, given, began in (
        ("a", first, second, "without a piece"),
        ("b", second, "masks", "from a"),
        ("b", second, "gone-since", "from a"),
        ("b", second, first, ""),
    ):
        capsys.readouterr()
        train(images, name=name, out=out, resume=True, begin_with=given, budget=kimg(1))
        told = [line for line in capsys.readouterr().err.splitlines() if "does nothing" in line]
        said = f"--from {given} does nothing here: this training began {began}, and goes on"
        assert [line.startswith(said) for line in told] == [True] * bool(began)


def test_resume_with_another_network(images: Path, tmp_path: Path) -> None:
    train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    for other, says in (
        (["z=9"], "made with z = 8, not 9; to change that"),
        (["z=9", "generator=4:8 8:8"], "made with z = 8, not 9, and generator = '4:16 8:8', not "),
        (CODES, r"made with codes = none, not shape \(3\), size \(continuous\); to"),
        (["networks=dcgan"], "made with networks = 'strided', not 'dcgan'; to change that"),
        (["resolution=32", "generator=4:16 8:8 16:8"], "made with resolution = 16, not 32, and "),
        (["generator=4:16 8:8 16:8", "z=9"], "made with z = 8, not 9; to"),  # 16:8 is not used
        (["guide=0.5"], "made with guide = 0.0, not 0.5; to change that"),
    ):
        with pytest.raises(CheckpointError, match=rf"{says}.*--from this piece begins"):
            train(images, out=tmp_path / "p", budget=kimg(2), overrides=other, resume=True)


def test_a_training_that_goes_on_keeps_its_name(images: Path, tmp_path: Path) -> None:
    """A still knows its piece by it."""
    out = tmp_path / "p"
    train(images, name="mine", out=out, budget=kimg(1), overrides=TINY)
    card = read_card(train(images, out=out, budget=kimg(2), resume=True))
    assert (card.name, card.training["kimg"]) == ("mine", 0.016)
    # of before it was kept in the checkpoint
    tensors, account = read_state(tmp_path / "p.training" / NAME)
    del account["name"]
    write_state(tmp_path / "p.training" / NAME, tensors, account)
    assert read_card(train(images, out=out, budget=kimg(3), resume=True)).name == "mine"
    other = train(images, name="other", out=out, budget=kimg(4), resume=True)
    assert read_card(other).name == "other"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"out": "."}, "name a folder"),
        ({"out": "/"}, "name a folder"),
        ({"out": "{here}/dots/piece"}, "inside the dataset"),
        ({"out": "{here}/dots/round/1.png/piece"}, "inside the dataset"),
        ({"out": "{here}/file/piece"}, "cannot be written"),
        ({"out": "{here}/" + "long" * 100}, "cannot be written"),
        ({"name": "x" * 65}, "up to 64"),
    ],
)
def test_places_where_no_piece_can_be(
    images: Path, tmp_path: Path, wrong: dict[str, str], says: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    given = {key: value.replace("{here}", str(tmp_path)) for key, value in wrong.items()}
    with pytest.raises(UsageError, match=says):
        train(images, budget=kimg(1), overrides=TINY, **given)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dots", "file"]


def test_a_full_disk_is_found_before_the_dataset_is_read(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("training.writing.write_synced", full)
    monkeypatch.setattr("training.dataset.read_dataset", not_yet)
    with pytest.raises(UsageError, match="p cannot be written: No space left on device"):
        train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dots"]


def test_a_folder_that_is_taken_is_found_before_the_dataset_is_read(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a training that has begun and not saved yet."""
    (tmp_path / "p.training").mkdir()
    monkeypatch.setattr("training.dataset.read_dataset", not_yet)
    with held(tmp_path / "p.training"), pytest.raises(LockError, match="being trained already"):
        train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)


def test_the_folder_is_taken_before_the_dataset_is_read(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And goes again with the folders around it, where nothing came of it."""
    out = tmp_path / "a" / "b" / "p"
    monkeypatch.setattr("training.dataset.read_dataset", lambda *_, **__: train(images, out=out))
    with pytest.raises(LockError, match="being trained already"):
        train(images, out=out, budget=kimg(1), overrides=TINY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dots"]


def not_yet(*_: object, **__: object) -> None:
    raise AssertionError("read before the place was looked at")


def test_an_unreadable_card_is_found_before_the_training(images: Path, tmp_path: Path) -> None:
    (images / "provenance.json").write_text(json.dumps([{"source": "x" * 2000}] * 1000))
    with pytest.raises(UsageError, match=r"provenance\.json is larger than 1024 KB"):
        train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    (images / "provenance.json").write_text(json.dumps({"source": "\ud800"}))
    with pytest.raises(PieceError, match="cannot be written"):
        train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dots"]


def test_the_recipe_chooses_the_labels(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"{path.relative_to(images).as_posix()},{'ab'[i % 2]},{'cd'[i % 3 % 2]}"
        for i, path in enumerate(images.rglob("*.png"))
    ]
    (images / "labels.csv").write_text("\n".join(["file,one,two", *rows]))
    chosen = [*TINY, 'labels=["two"]']
    train(images, out=tmp_path / "p", budget="0.01kimg", overrides=chosen)
    assert [label.name for label in read_card(tmp_path / "p").latent.labels] == ["two"]
    wrong = [*TINY, 'labels=["three"]']
    with pytest.raises(UsageError, match="no label 'three'; it has one, two"):
        train(images, out=tmp_path / "q", budget="0.01kimg", overrides=wrong)
    assert not (tmp_path / "q.training").exists()


def titled(images: Path) -> None:
    """A table with a label, and with a column that has a value for each image."""
    rows = [
        f"{path.relative_to(images).as_posix()},{'ab'[i % 2]},title {i}"
        for i, path in enumerate(sorted(images.rglob("*.png")))
    ]
    (images / "labels.csv").write_text("\n".join(["file,one,title", *rows]))


def test_titles_are_no_label(images: Path, tmp_path: Path) -> None:
    titled(images)
    with pytest.raises(UsageError, match=r"'title' has 12 values for 12 images.*out.*=\[\"one\"\]"):
        train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dots"]
    for chosen in (["one"], ["one", "title"]):  # whoever names them means them
        out, wish = tmp_path / "-".join(chosen), f"labels={json.dumps(chosen)}"
        train(images, out=out, budget=kimg(1), overrides=[*TINY, wish])
        train(images, out=out, budget=kimg(2), resume=True)
        assert [label.name for label in read_card(out).latent.labels] == chosen


def test_folders_with_an_image_each_are_no_label(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index, path in enumerate(sorted(images.rglob("*.png"))):
        (images / f"day {index}").mkdir()
        path.rename(images / f"day {index}" / path.name)
    out = tmp_path / "p"
    for resume in (False, True):
        overrides = [] if resume else TINY
        train(images, out=out, budget=kimg(1 + resume), overrides=overrides, resume=resume)
        assert read_card(out).latent.labels == ()
        told = capsys.readouterr().err
        assert "left out the label 'class': it has 12 values for 12 images" in told
    named = [*TINY, "labels=['class']"]
    train(images, out=tmp_path / "q", budget=kimg(1), overrides=named)
    assert len(read_card(tmp_path / "q").latent.labels[0].values) == 12


def test_a_label_named_z(images: Path, tmp_path: Path) -> None:
    rows = [f"{'round' if i % 2 else 'square'}/{i}.png,{i % 3}" for i in range(12)]
    (images / "labels.csv").write_text("\n".join(["file,z", *rows]))
    with pytest.raises(UsageError, match="from z"):
        train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)


def test_a_full_disk_ends_in_one_line_and_loses_nothing(
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from training import callbacks, checkpoint

    out, work = tmp_path / "p", tmp_path / "p.training"
    settings = [*TINY, "grid_seconds=0.001", "checkpoint_seconds=0.001"]
    train(images, out=out, budget=kimg(2), overrides=settings)
    before = {path: path.read_bytes() for path in (*out.iterdir(), work / NAME)}

    def full(path: Path, data: bytes) -> None:
        path.write_bytes(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    def no_room(*_: object, **__: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_synced", full)
        patch.setattr(callbacks, "to_png", no_room)
        with pytest.raises(UsageError, match=r"No space left.*--resume") as caught:
            train(images, out=out, budget=kimg(4), resume=True)
    assert "\n" not in str(caught.value)
    said = capsys.readouterr().err
    assert "the checkpoint could not be saved" in said
    assert "the sample grid could not be saved" in said
    assert {path: path.read_bytes() for path in before} == before
    assert not list(work.glob("*.new"))
    train(images, out=out, budget=kimg(4), resume=True)
    assert piece.load(out).card.training["kimg"] == 0.032


def test_a_folder_that_may_not_be_written_is_not_taken_for_a_full_disk(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import checkpoint

    def refused(path: Path, data: bytes) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(checkpoint, "write_synced", refused)
    with pytest.raises(
        UsageError, match=r"Permission denied.*see to it that .* can be written"
    ) as told:
        train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    assert "room" not in str(told.value)


def test_a_full_disk_while_exporting_keeps_the_older_piece(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    before = {path: path.read_bytes() for path in out.iterdir()}

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(piece, "write_synced", full)
        with pytest.raises(UsageError, match="--resume"):
            train(images, out=out, budget=kimg(2), resume=True)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    train(images, out=out, budget=kimg(2), resume=True)  # the training itself was saved
    assert piece.load(out).card.training["kimg"] == 0.016


def test_what_was_too_little_to_hold_any_out_of_is_not_said_to_be_held_out(
    images: Path, tmp_path: Path
) -> None:
    """Nor is it held out, as if it had never been seen, when there are more."""
    out = train(images, out=tmp_path / "p", budget=kimg(1), overrides=TINY)
    told = read_card(out).training
    assert (told["images"], told["hold_out"], told["datasets"]) == (12, 0, {"dots": 0})
    for index in range(40):
        Image.new("RGB", (20, 24), (index, 60, 90)).save(images / "round" / f"more{index}.png")
    told = read_card(train(images, out=out, budget=kimg(2), resume=True)).training
    assert (told["images"], told["hold_out"], told["datasets"]) == (52, 0, {"dots": 0})
    heir = train(images, out=tmp_path / "q", budget=kimg(1), overrides=TINY, begin_with=out)
    assert read_card(heir).training["images"] == 52


def test_resume_with_another_batch_goes_on_from_the_same_kimg(images: Path, tmp_path: Path) -> None:
    out = train(images, out=tmp_path / "p", budget=kimg(4), overrides=TINY)
    train(images, out=out, budget=kimg(6), overrides=["batch=4"], resume=True)
    assert piece.load(out).card.training["kimg"] == 0.048
    state = load_file(tmp_path / "p.training" / NAME)
    assert state["module.generator.norm.num_batches_tracked"] == 4 + 4


def test_what_a_person_wrote_into_the_card_survives_a_resume(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = train(images, out=tmp_path / "p", budget=kimg(1), overrides=[*TINY, *CODES])
    card = json.loads((out / "card.json").read_text())
    card |= {"title": "Dots", "author": "A. Painter", "licence": "CC-BY-4.0"}
    card["latent"]["codes"][0]["name"] = "mood"
    (out / "card.json").write_text(json.dumps(card))
    capsys.readouterr()
    train(images, out=out, budget=kimg(1), resume=True)
    assert "larger --budget" in capsys.readouterr().err
    kept = piece.load(out).card
    assert (kept.title, kept.author, kept.licence) == ("Dots", "A. Painter", "CC-BY-4.0")
    assert [code.name for code in kept.latent.codes] == ["mood", "size"]
    with Image.open(out / "code_1.png") as strip:
        assert strip.width > strip.height / 2 > 100
    with Image.open(out / "directions.png") as ways:  # six of them, at seven values
        assert ways.width > 7 * 128
        assert ways.height > len(kept.directions) * 128 == 6 * 128


@pytest.mark.parametrize("resolution", [8, 32, 128])
def test_every_size_trains(images: Path, tmp_path: Path, resolution: int) -> None:
    settings = ["generator=4:16 8:8 16:8 32:8 64:8", "batch=8", *CODES]
    out = train(
        images, out=tmp_path / "p", budget=kimg(2), resolution=resolution, overrides=settings
    )
    assert piece.load(out).card.resolution == resolution
