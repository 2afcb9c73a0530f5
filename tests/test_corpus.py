"""The drawn corpora: what a seed fixes, what a label changes, and the folder they are left in."""

from __future__ import annotations

import csv
import errno
import json
import os
from collections import Counter
from collections.abc import Mapping
from itertools import count, product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from threadpoolctl import threadpool_info

from installation.cli import main
from training.corpus import folder, hands, masks
from training.corpus.carving.field import Grid, arc, blur, noise
from training.corpus.corpus import Corpus, CorpusError
from training.corpus.dice import Dice


def write(
    out: Path, count: int, size: int, seed: int, progress: folder.Progress | None = None
) -> int:
    return folder.write(out, masks.CORPUS, count, size, seed, progress)


def test_a_seed_and_an_index_fix_the_picture() -> None:
    whole, labels = masks.draw(5, 32, 11)
    again, again_labels = masks.draw(5, 32, 11)
    last, last_labels = masks.draw(2, 32, 11, start=3)
    assert np.array_equal(whole, again)
    assert labels == again_labels
    assert np.array_equal(whole[3:], last)
    assert labels[3:] == last_labels
    assert not np.array_equal(whole, masks.draw(5, 32, 12)[0])


def test_size_changes_the_sampling_and_not_the_mask() -> None:
    small = masks.draw(3, 32, 4)[0].astype(float)
    large = masks.draw(3, 64, 4)[0].astype(float)
    folded = large.reshape(3, 32, 2, 32, 2, 3).mean((2, 4))
    assert np.abs(folded - small).mean() < 8
    others = np.roll(folded, 1, axis=0)
    assert np.abs(others - small).mean() > 3 * np.abs(folded - small).mean()


def test_labels_come_up_evenly_and_independently() -> None:
    drawn = [masks.label(3, i) for i in range(750)]
    for group, times in ((("form", "material", "crown"), 6), (("eyes", "mouth", "pattern"), 5)):
        found = [tuple(label[name] for name in group) for label in drawn]
        assert set(Counter(found).values()) == {times}
        assert found[:150] != found[150:300]
    pairs = Counter((label["form"], label["eyes"]) for label in drawn)
    assert 15 < min(pairs.values()) <= max(pairs.values()) < 50  # 30 each, by chance
    assert [masks.label(4, i) for i in range(9)] != [masks.label(3, i) for i in range(9)]


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in masks.LABELS for value in masks.LABELS[name]]
)
def test_every_value_can_be_pinned_and_is_drawn(name: str, value: str) -> None:
    images, labels = masks.draw(2, 32, 5, **{name: value})
    assert images.shape == (2, 32, 32, 3)
    assert images.dtype == np.uint8
    assert all(found[name] == value for found in labels)
    assert all(found.keys() == masks.LABELS.keys() for found in labels)
    assert images.std(axis=(1, 2)).min() > 5
    values = masks.LABELS[name]
    other = values[(values.index(value) + 1) % len(values)]
    assert not np.array_equal(images, masks.draw(2, 32, 5, **{name: other})[0])


@pytest.mark.parametrize(
    ("form", "crowned"), list(product(masks.LABELS["form"], masks.LABELS["crown"]))
)
def test_the_mask_fills_the_frame_and_stays_inside_it(form: str, crowned: str) -> None:
    for index in range(2):
        wanted = masks.label(9, index, form=form, crown=crowned)
        c = masks.carving(Dice(9, index), 96, wanted)
        cover = c.cover > 0.5
        assert 0.12 < cover.mean() < 0.75
        rows, columns = cover.any(1).nonzero()[0], cover.any(0).nonzero()[0]
        longer = max(np.ptp(rows), np.ptp(columns)) / 96
        assert 0.75 <= longer <= 0.95
        border = np.concatenate([cover[0], cover[-1], cover[:, 0], cover[:, -1]])
        assert not border.any()
        assert np.isfinite(c.height).all()
        for where in c.regions.values():
            assert np.isfinite(where).all()


def test_materials_differ_in_colour() -> None:
    """Nearest mean colour of the face tells the material of most bare masks."""
    values = masks.LABELS["material"]
    colours = []
    for value in values:
        images = masks.draw(8, 32, 21, form="oval", crown="bare", pattern="plain", material=value)[
            0
        ]
        colours.append(np.median(images[:, 8:24, 11:21].reshape(8, -1, 3), axis=1))
    table = np.stack(colours)  # (materials, images, 3)
    means = np.median(table, axis=1)
    distance = np.linalg.norm(table[:, :, None] - means[None, None], axis=-1)
    right = distance.argmin(-1) == np.arange(len(values))[:, None]
    assert right.mean() > 0.8


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"count": 0}, "--count"),
        ({"size": 8}, "--size"),
        ({"seed": -1}, "--seed"),
        ({"form": "square"}, "oval, heart"),
        ({"mood": "calm"}, "form, material"),
    ],
)
def test_what_cannot_be_drawn_is_said(request_: dict, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        masks.draw(**({"count": 1, "size": 32, "seed": 0} | request_))


def test_a_folder_holds_pictures_labels_and_where_they_come_from(tmp_path: Path) -> None:
    out = tmp_path / "drawn"
    seen: list[tuple[int, int]] = []
    assert write(out, 3, 32, 6, lambda done, count: seen.append((done, count))) == 3
    assert seen[-1] == (3, 3)
    images, labels = masks.draw(3, 32, 6)
    with (out / "labels.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row.pop("file") for row in rows] == ["00000.png", "00001.png", "00002.png"]
    assert rows == labels
    for i, image in enumerate(images):
        assert np.array_equal(np.asarray(Image.open(out / f"{i:05d}.png")), image)
    facts = json.loads((out / "provenance.json").read_text())
    assert facts["corpus"] == "masks"
    assert facts["seed"] == 6
    assert facts["version"] == masks.VERSION
    assert "CC0" in facts["licence"]


def test_a_longer_run_completes_the_folder(tmp_path: Path) -> None:
    write(tmp_path, 2, 32, 6)
    before = (tmp_path / "00000.png").stat().st_mtime_ns
    assert write(tmp_path, 4, 32, 6) == 2
    assert write(tmp_path, 4, 32, 6) == 0
    assert (tmp_path / "00000.png").stat().st_mtime_ns == before
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 5
    (tmp_path / "00001.png").unlink()
    with pytest.raises(CorpusError, match=r"lost 00001\.png"):
        write(tmp_path, 4, 32, 6)


def test_what_an_artist_added_stays_when_more_are_drawn(tmp_path: Path) -> None:
    write(tmp_path, 2, 16, 6)
    first, *lines = (tmp_path / "labels.csv").read_text().splitlines()
    lines = [f"{first},a <b>", *(f"{line},mine" for line in reversed(lines))]
    (tmp_path / "labels.csv").write_text("\ufeff" + "\n".join(lines) + "\n")
    facts = json.loads((tmp_path / "provenance.json").read_text())
    (tmp_path / "provenance.json").write_text(json.dumps({"for": "the hall", **facts}))
    assert write(tmp_path, 3, 16, 6) == 1
    with (tmp_path / "labels.csv").open(newline="") as table:
        rows = {row["file"]: row["a <b>"] for row in csv.DictReader(table)}
    assert rows == {"00000.png": "mine", "00001.png": "mine", "00002.png": ""}
    facts |= {"for": "the hall", "count": 3}
    assert json.loads((tmp_path / "provenance.json").read_text()) == facts
    page = (tmp_path / "index.html").read_text()
    assert "a &lt;b&gt; mine" in page
    assert "a <b>" not in page


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_that_a_spreadsheet_saved_is_gone_on_with(tmp_path: Path, delimiter: str) -> None:
    """As a German Excel saves it; so it is written again, to be shown in columns there."""
    write(tmp_path, 2, 16, 6)
    lines = (tmp_path / "labels.csv").read_text().replace(",", delimiter).splitlines()
    (tmp_path / "labels.csv").write_text("\ufeff" + "\r\n".join([*lines, ""]))
    assert write(tmp_path, 3, 16, 6) == 1
    drawn = (tmp_path / "labels.csv").read_text().splitlines()
    assert drawn[:3] == lines
    assert len(drawn) == 4
    assert drawn[3].startswith(f"00002.png{delimiter}")


@pytest.mark.parametrize("lost", [["00001.png"], ["00000.png", "00002.png"]])
def test_gaps_in_the_table_are_not_drawn_over(tmp_path: Path, lost: list[str]) -> None:
    write(tmp_path, 3, 16, 6)
    lines = (tmp_path / "labels.csv").read_text().splitlines()
    kept = [line for line in lines if line.partition(",")[0] not in lost]
    (tmp_path / "labels.csv").write_text("\n".join(kept) + "\n")
    (tmp_path / "00002.png").write_bytes(b"retouched by hand")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(CorpusError, match=r"no longer names 00000\.png"):
        write(tmp_path, 4, 16, 6)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_picture_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    write(tmp_path, 2, 16, 6)
    (tmp_path / "00002.png").write_bytes(b"my own")
    with pytest.raises(CorpusError, match=r"00002\.png is not as it would be drawn"):
        write(tmp_path, 3, 16, 6)
    assert (tmp_path / "00002.png").read_bytes() == b"my own"
    (tmp_path / "00002.png").unlink()
    assert write(tmp_path, 3, 16, 6) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "damaged, or lacks a column"),
        (b"file,form\n00000.png,disc\n", "damaged, or lacks a column"),
        (b"\xff\xfe", "not UTF-8 text; save it as CSV UTF-8"),
        (b'file\n"a', "cannot be read as a table"),
    ],
)
def test_a_table_that_cannot_be_gone_on_with_is_told(
    tmp_path: Path, text: bytes, says: str
) -> None:
    write(tmp_path, 1, 16, 6)
    (tmp_path / "labels.csv").write_bytes(text)
    with pytest.raises(CorpusError, match=says):
        write(tmp_path, 2, 16, 6)


@pytest.mark.parametrize(("count", "size", "seed"), [(2, 32, 7), (2, 48, 6), (1, 32, 6)])
def test_another_corpus_is_not_mixed_in(tmp_path: Path, count: int, size: int, seed: int) -> None:
    write(tmp_path, 2, 32, 6)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(CorpusError, match="holds"):
        write(tmp_path, count, size, seed)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_pinned_label_is_shared_by_all_and_no_label_of_the_dataset(tmp_path: Path) -> None:
    out = tmp_path / "drawn"
    asked = ["corpus", "masks", "--count", "3", "--size", "32", "--out", str(out), "--pin"]
    assert main([*asked, "form=heart"]) == 0
    with (out / "labels.csv").open(newline="") as table:
        assert [row["form"] for row in csv.DictReader(table)] == ["heart"] * 3
    assert json.loads((out / "provenance.json").read_text())["pinned"] == {"form": "heart"}
    for wrong in ("form=round", "form=disc", "shape=disc"):
        assert main([*asked, wrong]) == 2
    with pytest.raises(SystemExit):
        main([*asked, "form"])


@pytest.mark.parametrize("name", ["holiday.jpg", "labels.csv", "provenance.json"])
def test_a_foreign_folder_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("[1, 2]")
    with pytest.raises(CorpusError, match="other files"):
        write(tmp_path, 1, 32, 0)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.06])
def test_blur_keeps_the_sum_and_spreads_by_sigma(sigma: float) -> None:
    n = 192
    point = np.zeros((n, n), np.float32)
    point[96, 96] = 1
    soft = blur(point, sigma)
    at = np.arange(n)
    across = soft.sum(0)
    middle = (across * at).sum() / across.sum()
    spread = np.sqrt((across * (at - middle) ** 2).sum() / across.sum())
    assert soft.sum() == pytest.approx(1, abs=0.02)
    assert spread == pytest.approx(sigma * n, rel=0.15)


def test_noise_has_about_unit_variance() -> None:
    field = noise(np.random.default_rng(0), 192, 24, 12, octaves=2)
    assert 0.6 < field.std() < 1.6


def test_an_arc_starts_and_ends_where_it_should() -> None:
    grid = Grid(101, 2.0)
    t, across = arc(grid.x, grid.y, (0.0, 0.0), 0.0, np.pi / 2, np.pi / 2)  # a quarter, radius 1
    end = (np.abs(grid.y + 1) < grid.px / 2) & (np.abs(grid.x - 1) < grid.px / 2)
    assert t[end] == pytest.approx(1, abs=0.03)
    assert across[end] == pytest.approx(0, abs=0.03)
    start = (np.abs(grid.y) < grid.px / 2) & (np.abs(grid.x) < grid.px / 2)
    assert t[start] == pytest.approx(0, abs=0.03)


def test_a_full_disk_is_one_line_and_can_be_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = count()

    def full(_: int) -> None:
        if next(flushed) == 2:  # after the provenance and the first image
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(CorpusError, match="No space left"):
            write(tmp_path / "drawn", 3, 16, 0)
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [
        "00000.png",
        "provenance.json",
    ]
    assert write(tmp_path / "drawn", 3, 16, 0) == 3
    (tmp_path / "drawn" / "labels.csv").write_text("name\na\n")
    with pytest.raises(CorpusError, match="damaged"):
        write(tmp_path / "drawn", 3, 16, 0)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CorpusError, match="cannot be written"):
        write(tmp_path / "file" / "drawn", 3, 16, 0)


def _chance(size: int, dice: Dice, wanted: Mapping[str, str]) -> np.ndarray:
    return dice.stream(wanted["kind"]).integers(0, 256, (size, size, 3), np.uint8)


def test_many_hands_draw_what_one_hand_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = Corpus("chance", 1, {"kind": ("a", "b", "c")}, (("kind",),), _chance)
    whole, labels = corpus.draw(150, 16, 4)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    parts = list(hands.draw(corpus, 10, 150, 16, 4))
    assert len(parts) == 3
    assert np.array_equal(np.concatenate([images for images, _ in parts]), whole[10:])
    assert [label for _, part in parts for label in part] == labels[10:]


def _cores(size: int, dice: Dice, wanted: Mapping[str, str]) -> np.ndarray:
    at_once = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return np.full((size, size, 3), max(at_once, default=0), np.uint8)


def test_many_hands_take_one_core_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")  # as it is by itself on a machine of two cores
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    corpus = Corpus("cores", 1, {"kind": ("a", "b", "c")}, (("kind",),), _cores)
    assert [images.max() for images, _ in hands.draw(corpus, 0, 65, 16, 4)] == [1, 1]
