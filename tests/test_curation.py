"""Curation: every planted fault is named, and what is sound is not."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

import training.picture
from tests.planted import CLEAN, PLANTED, SOUND, drawn, encoded, plant, vector
from training.corpus import masks
from training.curation import summary
from training.curation.check import Review, check
from training.curation.duplicates import _near
from training.curation.likeness import Pair
from training.curation.look import look
from training.curation.measures import BLURRED
from training.curation.outliers import FAR, strangeness
from training.curation.reasons import REASONS
from training.source import DatasetError


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("data") / "planted")


@pytest.fixture(scope="module")
def review(planted: Path) -> Review:
    return check(planted)


def test_a_table_beside_images_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"not a picture")
    (tmp_path / "labels.csv").write_text("file,hair\na.png,brown\n")
    assert reasons(check(tmp_path))["a.png"] == {"broken"}


def reasons(review: Review) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {file: set() for file in review.files}
    for finding in review.findings:
        found[finding.file].add(finding.reason)
    return found


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("file", PLANTED)
def test_each_planted_fault_is_named(file: str, review: Review) -> None:
    assert PLANTED[file] in reasons(review)[file]


def test_what_is_sound_is_not_named(review: Review) -> None:
    named = reasons(review)
    originals = [f"{n:02d}.png" for n in range(CLEAN)]
    assert {file: named[file] for file in (*originals, *SOUND) if named[file]} == {}
    assert "notes.txt" not in named


def test_what_is_suggested(review: Review) -> None:
    kept = {file for file, keep in review.suggested().items() if keep}
    assert kept >= {"00.png", "blurred.png", "vector.png", "strip.png", "moving.webp", *SOUND}
    left_out = {file for file, reason in PLANTED.items() if not REASONS[reason].keep}
    assert set(review.files) - kept == left_out


def test_a_copy_names_the_file_that_stays(review: Review) -> None:
    other = {finding.file: finding for finding in review.findings if finding.other}
    stays = {
        "copy.png": "00.png",
        "packed.png": "01.png",
        "mirror.png": "02.png",
        "resaved.jpg": "03.png",
        "smaller.png": "04.png",
        "turned.jpg": "05.png",
    }
    assert {file: other[file].other for file in stays} == stays
    assert "mirrored" in other["mirror.png"].detail
    assert "other colours" in other["recoloured.png"].detail


def test_checking_changes_nothing_and_a_zip_is_as_good(planted: Path, tmp_path: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in planted.iterdir()}
    archive = tmp_path / "planted.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in planted.iterdir():
            file.write(path, f"outer/{path.name}")
    assert check(archive).findings == check(planted).findings
    assert {path.name: path.stat().st_mtime_ns for path in planted.iterdir()} == before


def test_hardly_any_clean_drawing_is_named(tmp_path: Path) -> None:
    """The stated rate: of 120 drawn masks, which are made to one plan and much alike, at most 5 %
    are named, and none is suggested to be left out."""
    pictures, _ = masks.draw(120, 64, 11)
    for n, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f"{n}.png")
    found = check(tmp_path)
    assert all(found.suggested().values())
    assert len({finding.file for finding in found.findings}) <= 6


def test_blur_separates() -> None:
    for image in drawn(12, seed=8):
        assert look(encoded(image)).blur < BLURRED
        assert look(encoded(image.filter(ImageFilter.GaussianBlur(3)))).blur > BLURRED


def test_vector_drawings_are_known_with_and_without_jpeg() -> None:
    images = [vector(seed, 300) for seed in range(12)]
    assert all(look(encoded(image)).drawn for image in images)
    assert sum(look(encoded(image, "JPEG", quality=90)).drawn for image in images) >= 9


def test_black_lines_on_white_are_a_drawing() -> None:
    image = Image.new("RGB", (200, 200), "white")
    for n in range(20, 180, 16):
        image.paste("black", (n, 20, n + 2, 180))
    assert look(encoded(image)).drawn


def test_a_dataset_of_drawings_or_soft_images_is_not_blamed(tmp_path: Path) -> None:
    for seed in range(6):
        vector(seed).save(tmp_path / f"{seed}.png")
    found = check(tmp_path)
    assert "drawing" not in found.by_reason()
    assert any("drawings" in note for note in found.notes)


def test_the_best_copy_stays_not_the_most_enlarged(tmp_path: Path) -> None:
    image = drawn(1)[0].resize((192, 192), Image.Resampling.LANCZOS)
    half = image.resize((96, 96), Image.Resampling.LANCZOS)
    enlarged = half.resize((48, 48)).resize((384, 384), Image.Resampling.BICUBIC)
    write(tmp_path, {"a.png": encoded(half), "b.png": encoded(image), "c.png": encoded(enlarged)})
    found = check(tmp_path)
    assert [file for file, keep in found.suggested().items() if keep] == ["b.png"]
    copies = found.by_reason()["near-duplicate"]
    assert [(copy.file, copy.other) for copy in copies] == [("a.png", "b.png"), ("c.png", "b.png")]


def test_a_chain_of_likenesses_does_not_sweep() -> None:
    """a is like b and b like c, and that is all: c is no copy of a, so it stays."""
    one = look(encoded(drawn(1)[0]))
    names = ("a", "b", "c")
    looks = dict(zip(names, (replace(one, size=s) for s in (40_000, 9_000, 2_000)), strict=True))
    pairs = [Pair(0, 1, 3, 0.9, 0, False, True), Pair(1, 2, 3, 0.9, 0, False, True)]
    found = _near(names, list(looks.values()), [None] * 3, pairs)
    assert [(one.file, one.other) for one in found] == [("b", "a")]


def test_copies_with_other_labels_are_only_looked_at(tmp_path: Path) -> None:
    one, two, three = (encoded(image) for image in drawn(3))
    resaved = encoded(drawn(1)[0], "JPEG", quality=80)
    write(tmp_path, {"dan/1.png": one, "dan/2.png": two, "igbo/1.jpg": resaved, "igbo/2.png": two,
                     "igbo/3.png": three})  # fmt: skip
    found = {finding.file: finding for finding in check(tmp_path).findings}
    assert found["igbo/1.jpg"].reason == "alike"
    assert "other labels" in found["igbo/1.jpg"].detail
    assert found["igbo/2.png"].reason == "duplicate"
    assert "labels differ" in found["igbo/2.png"].detail


def test_all_images_are_measured_alike_where_not_all_are_measured_from() -> None:
    """One that is not among those has no place in its own neighbourhood to leave out."""
    far = strangeness(np.random.default_rng(1).random((8192, 2), np.float32))
    from_here = np.zeros(8192, bool)
    from_here[np.random.default_rng(0).permutation(8192)[:4096]] = True
    assert np.median(far[from_here]) == pytest.approx(np.median(far[~from_here]), abs=0.1)


def test_titles_do_not_hide_copies(tmp_path: Path) -> None:
    """They are no label, so a copy with another title is a copy."""
    files = {f"{n}.png": encoded(image) for n, image in enumerate(drawn(10))}
    files["again.jpg"] = encoded(drawn(1)[0], "JPEG", quality=80)
    rows = [f"{file},title {n},dark" for n, file in enumerate(files)]
    write(tmp_path, files | {"labels.csv": "\n".join(["file,title,wood", *rows]).encode()})
    found = {finding.file: finding.reason for finding in check(tmp_path).findings}
    assert found["again.jpg"] == "near-duplicate"


def test_of_the_same_image_twice_the_one_with_labels_stays(tmp_path: Path) -> None:
    """A space comes before a dot: the copy would stay, and the label be gone."""
    one, two, three = (encoded(image) for image in drawn(3))
    table = b"file,wood\n1.png,dark\n2.png,red\n"
    write(tmp_path, {"1 copy.png": one, "1.png": one, "2.png": two, "3.png": three,
                     "labels.csv": table})  # fmt: skip
    found = [finding for finding in check(tmp_path).findings if finding.reason == "duplicate"]
    assert [(each.file, each.detail) for each in found] == [
        ("1 copy.png", "the same file as 1.png")
    ]


def test_class_balance(tmp_path: Path) -> None:
    images = [encoded(image) for image in drawn(8)]
    write(tmp_path, {f"{'dan' if n < 7 else 'igbo'}/{n}.png": x for n, x in enumerate(images)})
    found = check(tmp_path)
    assert found.balance[0].counts == {"dan": 7, "igbo": 1}
    told = summary.text(found)
    assert "uneven: the first is 7 times" in told
    assert "too few to learn" in told


def test_values_that_differ_in_case_alone_are_named(tmp_path: Path) -> None:
    """Each would be a fader of its own."""
    table = ["file,wood", "0.png,Dark", "1.png,dark", "2.png,Light", "3.png,DARK"]
    (tmp_path / "labels.csv").write_text("\n".join(table))
    for number, image in enumerate(drawn(4)):
        image.save(tmp_path / f"{number}.png")
    told = summary.text(check(tmp_path))
    assert "DARK, Dark, dark: if they mean the same, write them in one way" in told
    assert "Light:" not in told


def test_labels_that_training_refuses_are_a_note(tmp_path: Path) -> None:
    write(tmp_path, {"a.png": encoded(drawn(1)[0]), "labels.csv": b"name\n"})
    assert any("labels.csv" in note for note in check(tmp_path).notes)


def test_small_art_is_not_tiny_among_its_like(tmp_path: Path) -> None:
    for n, image in enumerate(drawn(6)):
        image.resize((16, 16)).save(tmp_path / f"{n}.png")
    Image.new("RGB", (1, 1), "red").save(tmp_path / "dot.png")
    found = check(tmp_path)
    assert [finding.file for finding in found.by_reason()["tiny"]] == ["dot.png"]


def test_outliers_stand_off() -> None:
    rng = np.random.default_rng(3)
    points = rng.normal(size=(300, 40)).astype(np.float32)
    points[7] += 9
    strange = strangeness(points)
    assert strange.argmax() == 7
    assert strange[7] > FAR
    assert (strange > FAR).sum() <= 3
    assert not strangeness(points[:10]).any()


def test_only_broken_images_and_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no images"):
        check(tmp_path)
    write(tmp_path, {"a.png": b"", "b.gif": b"GIF89a"})
    found = check(tmp_path)
    assert reasons(found) == {"a.png": {"broken"}, "b.gif": {"format"}}
    told = summary.text(found)
    assert "0 readable" in told
    assert "licence" not in told  # there is nothing of which one could be stated


def test_a_zip_with_a_password_says_so(tmp_path: Path) -> None:
    """As `train` does."""
    archive = tmp_path / "secret.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.png", encoded(drawn(1)[0]))
    data = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1  # encrypted
    archive.write_bytes(data)
    with pytest.raises(DatasetError, match=r"no readable image.*a\.png: is encrypted; unpack it"):
        check(archive)


def test_what_is_too_large_has_a_reason_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, picture in enumerate(drawn(3)):
        picture.save(tmp_path / f"{n}.png")
    Image.new("RGB", (500, 500)).save(tmp_path / "large.png")
    monkeypatch.setattr(training.picture, "MAX_PIXELS", 499 * 500)
    assert reasons(check(tmp_path))["large.png"] == {"too-large"}


def test_a_zip_that_names_a_file_twice(tmp_path: Path) -> None:
    archive = tmp_path / "twice.zip"
    one, two = (encoded(image) for image in drawn(2))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.png", one)
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a.png", two)
    found = check(archive)
    assert found.files == ("a.png",)
    assert "second time" in found.problems[0].reason


def test_the_facts_are_json_and_the_text_tells_every_reason(review: Review) -> None:
    facts = json.loads(json.dumps(summary.facts(review)))
    assert facts["images"] == len(review.files)
    assert facts["sixteen_bit"] == 1
    assert set(facts["reasons"]) >= set(PLANTED.values())
    listed = {x["file"] for reason in facts["reasons"].values() for x in reason["files"]}
    assert listed >= set(PLANTED)
    told = summary.text(review)
    for name in set(PLANTED.values()):
        assert REASONS[name].meaning in told
    assert "Nothing was changed" in told


def test_what_a_file_is_called_cannot_reach_the_terminal(review: Review) -> None:
    first = replace(review.findings[0], file="a\x1b[31m.png")
    told = summary.text(replace(review, files=(first.file,), findings=(first,)))
    assert "\x1b" not in told
