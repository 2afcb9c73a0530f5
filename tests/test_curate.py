"""The curated copy: a manifest that a person edits, undoes, runs again; originals untouched."""

from __future__ import annotations

import csv
import errno
import io
import os
import shutil
import unicodedata
from itertools import count
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image

from tests.planted import drawn, encoded
from training import UsageError
from training.curation.curate import Outcome, curate
from training.curation.manifest import ManifestError
from training.curation.summary import curated_text
from training.dataset import read_dataset
from training.naming import name_of

Table = list[dict[str, str]]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes, a copy, a broken file, labels and provenance."""
    folder = tmp_path / "photos"
    one, two, three, four = drawn(4)
    files = {
        "dan/one.png": encoded(one),
        "dan/copy.jpg": encoded(one, "JPEG", quality=85),
        "dan/two.png": encoded(two),
        "igbo/three.png": encoded(three),
        "igbo/four.png": encoded(four),
        "igbo/cut.png": encoded(four)[:300],
        "labels.csv": b"file,wood\ndan/one.png,dark\ndan/copy.jpg,dark\ndan/two.png,red\n"
                      b"igbo/three.png,red\nigbo/four.png,dark\n",
        "provenance.csv": b"path,source,author,licence\ndan,a museum,,CC0-1.0\n"
                          b"dan/copy.jpg,a website,,\nigbo/four.png,own,A. Artist,CC-BY-4.0\n",
    }  # fmt: skip
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "curated"


def files_in(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in folder.rglob("*")
        if p.is_file()
    }


def table(out: Path) -> Table:
    text = (out / "manifest.csv").read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def edit(out: Path, name: str, **cells: str) -> None:
    rows = table(out)
    for row in rows:
        if row["file"] == name:
            row.update(cells)
    save(out, rows)


def save(out: Path, rows: Table, **options: str) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), **options)  # type: ignore[arg-type]
    writer.writeheader()
    writer.writerows(rows)
    (out / "manifest.csv").write_text(text.getvalue(), newline="")


def run(photos: Path, out: Path) -> Outcome:
    return curate(photos, out)[1]


IMAGES = {"dan/one.png", "dan/two.png", "igbo/three.png", "igbo/four.png"}
TABLES = {"labels.csv", "provenance.csv"}


def test_the_copy_holds_what_is_suggested_and_trains(photos: Path, out: Path) -> None:
    before = contents(photos)
    outcome = run(photos, out)
    assert files_in(out / "images") == IMAGES | TABLES
    assert contents(photos) == before
    assert (outcome.kept, outcome.left_out, outcome.added) == (4, 2, 4)
    rows = {row["file"]: row for row in table(out)}
    assert len(rows) == 6
    assert rows["dan/copy.jpg"]["keep"] == "no"
    assert rows["dan/copy.jpg"]["reason"] == "near-duplicate"
    assert "of dan/one.png" in rows["dan/copy.jpg"]["detail"]
    assert rows["igbo/cut.png"]["reason"] == "broken"
    data = read_dataset(out / "images", 16)
    assert data.problems == ()
    assert name_of(out / "images", "piece") == out.name  # not all curated ones are "images"
    assert [label.name for label in data.labels] == ["wood"]
    sheets = files_in(out / "contact")
    assert sheets == {"near-duplicate.jpg"}
    with Image.open(out / "contact" / "near-duplicate.jpg") as sheet:
        assert sheet.width > 300 > sheet.height  # the two stand beside each other


def test_running_again_changes_nothing(photos: Path, out: Path) -> None:
    run(photos, out)
    before = contents(out / "images")
    manifest = (out / "manifest.csv").read_bytes()
    outcome = run(photos, out)
    assert (outcome.added, outcome.removed, outcome.decided) == (0, 0, 0)
    assert {name: data for name, (data, _) in contents(out / "images").items()} == {
        name: data for name, (data, _) in before.items()
    }
    assert (out / "manifest.csv").read_bytes() == manifest


def test_a_decision_wins_survives_and_is_undone(photos: Path, out: Path) -> None:
    run(photos, out)
    edit(out, "dan/copy.jpg", keep="Yes")
    edit(out, "igbo/three.png", keep="no")
    outcome = run(photos, out)
    wanted = IMAGES - {"igbo/three.png"} | {"dan/copy.jpg"}
    assert files_in(out / "images") == wanted | TABLES
    assert (outcome.added, outcome.removed, outcome.decided) == (1, 1, 2)
    assert run(photos, out).decided == 2  # they survive
    assert files_in(out / "images") == wanted | TABLES
    edit(out, "dan/copy.jpg", keep="no")
    edit(out, "igbo/three.png", keep="")  # empty: as suggested
    assert run(photos, out).decided == 0
    assert files_in(out / "images") == IMAGES | TABLES
    assert read_dataset(out / "images", 16).problems == ()


def test_suggestions_follow_a_dataset_that_grows_but_decisions_stay(
    photos: Path, out: Path
) -> None:
    run(photos, out)
    edit(out, "igbo/three.png", keep="no")
    (photos / "igbo" / "new.png").write_bytes(encoded(drawn(5)[4]))
    outcome = run(photos, out)
    assert (outcome.added, outcome.removed) == (1, 1)
    assert "igbo/new.png" in files_in(out / "images")
    assert "igbo/three.png" not in files_in(out / "images")


def test_a_decision_is_remembered_while_the_suggestion_agrees(photos: Path, out: Path) -> None:
    (photos / "labels.csv").unlink()  # the folders are labels: each copy has one
    run(photos, out)
    edit(out, "igbo/three.png", keep="no")
    run(photos, out)
    copy = photos / "dan" / "another.png"
    copy.write_bytes((photos / "igbo" / "three.png").read_bytes())
    run(photos, out)
    row = next(row for row in table(out) if row["file"] == "igbo/three.png")
    assert (row["keep"], row["suggested"], row["decided"]) == ("no", "no", "no")
    copy.unlink()
    save(out, [row for row in table(out) if row["file"] != "dan/another.png"])
    assert run(photos, out).decided == 1
    assert "igbo/three.png" not in files_in(out / "images")
    edit(out, "igbo/three.png", keep="yes")
    assert run(photos, out).decided == 0
    assert "igbo/three.png" in files_in(out / "images")


def test_what_a_person_adds_to_the_manifest_stays(photos: Path, out: Path) -> None:
    run(photos, out)
    rows = [{"My notes": f"of {row['file']}, =1", **row} for row in table(out)]
    save(out, rows)
    with (out / "manifest.csv").open() as file:
        lines = file.read().splitlines()
    lines[1] += ",a word beside the table"
    (out / "manifest.csv").write_text("\n".join(lines))
    (photos / "igbo" / "new.png").write_bytes(encoded(drawn(5)[4]))
    for _ in range(2):
        run(photos, out)
    found = {row["file"]: row for row in table(out)}
    assert found.pop("igbo/new.png")["My notes"] == ""
    assert {file: row["My notes"] for file, row in found.items()} == {
        file: f"of {file}, =1" for file in found
    }
    assert [row[""] for row in found.values()] == ["a word beside the table"] + [""] * 5


def test_decisions_stay_with_what_is_put_beside_the_outer_folder(
    photos: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "all").mkdir()
    photos = photos.rename(tmp_path / "all" / "photos").parent
    run(photos, out)
    edit(out, "igbo/three.png", keep="no")
    (photos / "README.txt").write_text("mine")
    (photos / "labels.csv").write_text(
        (photos / "photos" / "labels.csv").read_text().replace("dan/", "photos/dan/")
    )
    assert run(photos, out).decided == 1
    assert files_in(out / "images") == IMAGES - {"igbo/three.png"} | TABLES
    assert read_dataset(out / "images", 16).problems == ()
    save(out, [{**row, "file": f"photos/{row['file']}"} for row in table(out)])
    assert run(photos, out).decided == 1


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_spreadsheet_may_store_accents_otherwise(
    photos: Path, out: Path, form: Literal["NFC", "NFD"]
) -> None:
    name = unicodedata.normalize("NFD", "igbo/Käthe.png")
    (photos / "igbo" / "three.png").rename(photos / name)
    run(photos, out)
    edit(out, name, keep="no", file=unicodedata.normalize(form, name))
    assert run(photos, out).decided == 1
    assert name not in files_in(out / "images")
    assert name in {row["file"] for row in table(out)}


def test_a_spreadsheet_may_use_semicolons(photos: Path, out: Path) -> None:
    run(photos, out)
    rows = table(out)
    rows[0]["keep"] = "TRUE"  # dan/copy.jpg, as LibreOffice may write it
    save(out, rows, delimiter=";")
    assert run(photos, out).decided == 1


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_a_spreadsheet_finds_its_own_delimiter_again(
    photos: Path, out: Path, delimiter: str
) -> None:
    run(photos, out)
    save(out, [row | {"mine": "a, b; c"} for row in table(out)], delimiter=delimiter)
    run(photos, out)
    text = (out / "manifest.csv").read_text("utf-8-sig")
    assert text.splitlines()[0].split(delimiter)[:2] == ["file", "keep"]
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    assert {row["mine"] for row in rows} == {"a, b; c"}


def test_a_copy_of_nothing_is_not_to_be_trained_on(tmp_path: Path, out: Path) -> None:
    """As of photographs by a telephone."""
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "IMG_1.HEIC").write_bytes(b"another format")
    told = curated_text(*curate(tmp_path / "phone", out))
    assert "0 kept" in told
    assert "installation train" not in told


def test_an_image_without_a_line_is_told(photos: Path, out: Path) -> None:
    """Whoever deletes a line in a spreadsheet may think that the image is left out."""
    assert run(photos, out).unlisted == ()
    save(out, [row for row in table(out) if row["file"] != "dan/two.png"])
    review, outcome = curate(photos, out)
    assert outcome.unlisted == ("dan/two.png",)
    assert "no line for 1 image, first dan/two.png" in curated_text(review, outcome)
    assert run(photos, out).unlisted == ()


def test_a_curated_folder_is_not_taken_for_its_images(photos: Path, out: Path) -> None:
    """Its contact sheets would be trained on."""
    run(photos, out)
    with pytest.raises(UsageError, match=r"curated copy.*give .*images"):
        read_dataset(out, 8)
    packed = Path(shutil.make_archive(str(out), "zip", out.parent, out.name))
    with pytest.raises(UsageError, match=r"curated copy.*a zip of its folder images"):
        read_dataset(packed, 8)
    assert len(read_dataset(out / "images", 8)) == 4


def test_an_emptied_folder_goes_and_comes_back(photos: Path, out: Path) -> None:
    run(photos, out)
    for file in ("igbo/three.png", "igbo/four.png"):
        edit(out, file, keep="no")
    run(photos, out)
    assert not (out / "images" / "igbo").exists()
    for file in ("igbo/three.png", "igbo/four.png"):
        edit(out, file, keep="yes")
    run(photos, out)
    assert files_in(out / "images") == IMAGES | TABLES


def test_leaving_out_the_best_of_its_copies_is_told(photos: Path, out: Path) -> None:
    run(photos, out)
    edit(out, "dan/one.png", keep="no")
    assert run(photos, out).lost == ("dan/one.png",)
    edit(out, "dan/copy.jpg", keep="yes")
    assert run(photos, out).lost == ()


def test_a_copy_of_a_copy_is_told_by_the_image_that_stays(photos: Path, out: Path) -> None:
    (photos / "dan/again.jpg").write_bytes((photos / "dan/copy.jpg").read_bytes())
    with (photos / "labels.csv").open("a") as table:
        table.write("dan/again.jpg,dark\n")
    assert run(photos, out).lost == ()  # one.png stays: copy.jpg and again.jpg are copies of it
    edit(out, "dan/one.png", keep="no")
    assert run(photos, out).lost == ("dan/one.png",)
    for copy in ("dan/again.jpg", "dan/copy.jpg"):
        edit(out, copy, keep="yes")
        assert run(photos, out).lost == ()
        edit(out, copy, keep="no")
        assert run(photos, out).lost == ("dan/one.png",)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"file": "nosuch.png"}, r"line 2 names what is not in .*photos, the first 'nosuch\.png'"),
        ({"file": "dan/one.png"}, r"line 3 names 'dan/one\.png' a second time"),
        ({"keep": "perhaps"}, "line 2 says 'perhaps'"),
    ],
)
def test_a_wrong_row_is_refused_and_nothing_is_touched(
    cells: dict[str, str], said: str, photos: Path, out: Path
) -> None:
    run(photos, out)
    edit(out, "dan/copy.jpg", **cells)
    before = contents(out)
    with pytest.raises(ManifestError, match=said):
        run(photos, out)
    assert contents(out) == before


def test_lines_of_files_that_are_gone_are_told_together(photos: Path, out: Path) -> None:
    run(photos, out)
    for file in ("dan/copy.jpg", "dan/one.png", "igbo/four.png"):
        (photos / file).unlink()
    said = r"3 lines \(2-3, 6\) name what is not in .*, the first 'dan/copy\.jpg'"
    with pytest.raises(ManifestError, match=said):
        run(photos, out)


@pytest.mark.parametrize("text", [b"keep\nyes\n", b"file,keep\n\xff\xfe", b'file,keep\n"a'])
def test_a_damaged_manifest_is_refused(text: bytes, photos: Path, out: Path) -> None:
    run(photos, out)
    (out / "manifest.csv").write_bytes(text)
    with pytest.raises(ManifestError, match="manifest"):
        run(photos, out)
    assert (out / "manifest.csv").read_bytes() == text


def test_what_a_person_changed_in_the_copy_is_theirs(photos: Path, out: Path) -> None:
    run(photos, out)
    retouched = encoded(drawn(6)[5])
    (out / "images" / "dan" / "two.png").write_bytes(retouched)
    (out / "images" / "extra.png").write_bytes(b"mine")
    edit(out, "dan/two.png", keep="no")
    with pytest.raises(UsageError, match=r"two\.png is not as in"):
        run(photos, out)
    assert (out / "images" / "dan" / "two.png").read_bytes() == retouched
    (out / "images" / "dan" / "two.png").unlink()
    assert run(photos, out).foreign == ("extra.png",)
    assert (out / "images" / "extra.png").read_bytes() == b"mine"


def test_labels_changed_in_the_copy_are_not_overwritten(photos: Path, out: Path) -> None:
    run(photos, out)
    copy = out / "images" / "labels.csv"
    changed = copy.read_text().replace("two.png,red", "two.png,ash")
    copy.write_text(changed)
    with pytest.raises(UsageError, match=r"labels\.csv is not as in"):
        run(photos, out)
    assert copy.read_text() == changed


def test_a_link_in_the_copy_is_never_followed(photos: Path, out: Path) -> None:
    run(photos, out)
    target = out / "images" / "dan"
    for path in target.iterdir():
        path.unlink()
    target.rmdir()
    target.symlink_to(photos / "dan", target_is_directory=True)
    before = contents(photos)
    with pytest.raises(UsageError, match="is a link"):
        run(photos, out)
    assert contents(photos) == before


@pytest.mark.parametrize("place", ["photos", "photos/inside", "."])
def test_folders_that_touch_the_original_are_refused(
    place: str, photos: Path, tmp_path: Path
) -> None:
    before = contents(tmp_path)
    with pytest.raises(UsageError, match="lie in each other"):
        curate(photos, tmp_path / place)
    assert contents(tmp_path) == before


def test_other_folders_and_files_are_refused(photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "diary.txt").write_text("mine")
    with pytest.raises(UsageError, match="other files"):
        curate(photos, other)
    with pytest.raises(UsageError, match="is a file"):
        curate(photos, other / "diary.txt")
    assert files_in(other) == {"diary.txt"}


def test_a_full_disk_is_one_line_and_can_be_gone_on_from(
    photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = count()

    def full(_: int) -> None:
        if next(flushed) >= 3:  # after the manifest, a sheet and an image
            raise OSError(errno.ENOSPC, "No space left on device")

    before = contents(photos)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UsageError, match="No space left"):
            run(photos, out)
    assert len(files_in(out / "images")) == 1
    assert run(photos, out).added == 3
    assert files_in(out / "images") == IMAGES | TABLES
    assert contents(photos) == before


def test_a_name_that_a_spreadsheet_would_compute(photos: Path, out: Path) -> None:
    (photos / "=1+1.png").write_bytes(encoded(drawn(7)[6]))
    run(photos, out)
    assert "./=1+1.png" in {row["file"] for row in table(out)}
    assert run(photos, out).decided == 0
    edit(out, "./=1+1.png", keep="no")
    run(photos, out)
    assert not (out / "images" / "=1+1.png").exists()


def test_a_name_as_long_as_names_may_be(photos: Path, out: Path) -> None:
    name = f"igbo/{'ä' * 125}.png"
    (photos / "igbo" / "three.png").rename(photos / name)
    run(photos, out)
    assert name in files_in(out / "images")


def test_old_contact_sheets_go_and_other_files_stay(photos: Path, out: Path) -> None:
    run(photos, out)
    (out / "contact" / "blurred.jpg").write_bytes(b"old")
    (out / "contact" / "mine.jpg").write_bytes(b"mine")
    run(photos, out)
    assert files_in(out / "contact") == {"near-duplicate.jpg", "mine.jpg"}


def test_provenance_goes_along(photos: Path, out: Path) -> None:
    run(photos, out)
    data = read_dataset(out / "images", 16)
    assert data.provenance == [
        {"images": 2, "source": "a museum", "licence": "CC0-1.0"},
        {"images": 1, "source": "own", "author": "A. Artist", "licence": "CC-BY-4.0"},
        {"images": 1, "source": "not stated"},
    ]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("provenance.csv", "path,author\ndan,Müller\n".encode("cp1252"), "UTF-8"),
        ("provenance.csv", b"path,source,notes\ndan,a museum,\n", "first line"),
        ("provenance.csv", b"path,source\ndave,a museum\n", "'dave', which was not read"),
        ("labels.csv", b"file,wood\ndan/one,dark\nigbo/three,red\n", "the first 'dan/one'"),
    ],
)
def test_a_table_that_would_be_lost_is_refused(
    name: str, data: bytes, said: str, photos: Path, out: Path
) -> None:
    (photos / name).write_bytes(data)
    with pytest.raises(UsageError, match=said):
        run(photos, out)
    assert not out.exists()


def test_a_table_of_images_that_are_all_left_out_is_no_fault(photos: Path, out: Path) -> None:
    (photos / "labels.csv").write_text("file,wood\nigbo/cut.png,dark\n")
    (photos / "provenance.csv").write_text("path,source\nigbo/cut.png,a museum\n")
    run(photos, out)
    assert (out / "images" / "labels.csv").read_text() == "file,wood\n"


def test_lines_that_are_not_carried_over_are_told(photos: Path, out: Path) -> None:
    with (photos / "labels.csv").open("a") as labels:
        labels.writelines(f"{i},dark\n" for i in range(6))
    review, outcome = curate(photos, out)
    told = curated_text(review, outcome)
    assert "labels.csv: line 7 names '0', which was not read" in told
    assert "and 1 more; `installation dataset check --json` names them all" in told
