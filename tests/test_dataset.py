"""Datasets: every format, what is left out and why, labels. All images are drawn here."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import threading
import time
import tracemalloc
import unicodedata
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageOps

from tests import icc
from tests.images import noise
from training import dataset, picture, source
from training.curation.check import check
from training.dataset import read_dataset
from training.naming import tell_left_out
from training.picture import _Room, decode, open_image
from training.source import DatasetError, TooLarge

Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD")
RED, GREEN, BLUE = (220, 30, 40), (20, 200, 60), (30, 40, 210)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def plain(colour: tuple[int, ...] = RED, size: tuple[int, int] = (24, 24)) -> Image.Image:
    return Image.new("RGB", size, colour)


def near(pixel: np.ndarray, colour: tuple[int, ...], tolerance: int = 6) -> bool:
    return bool(np.abs(pixel.astype(int) - np.array(colour)).max() <= tolerance)


def write(folder: Path, **files: bytes) -> Path:
    for name, data in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with a red and a green image."""
    return write(tmp_path / "set", a_dot_png=encoded(plain()), b_dot_png=encoded(plain(GREEN)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(8, 8), (300, 40), (41, 97)])
def test_decodes_any_size(kind: str, size: tuple[int, int]) -> None:
    pixels = decode(encoded(plain(size=size), kind, quality=95), 16, "pad")
    assert pixels.shape == (16, 16, 3)
    assert near(pixels[8, 8], RED)
    assert near(pixels[0, 0], RED)  # the padding continues the border


def test_pad_keeps_the_sides_and_crop_cuts_them() -> None:
    image = plain(RED, (60, 20))
    image.paste(GREEN, (0, 0, 8, 20))
    assert near(decode(encoded(image), 30, "pad")[15, 1], GREEN)
    assert near(decode(encoded(image), 30, "crop")[15, 1], RED)


def test_exif_rotation() -> None:
    image = plain(RED, (16, 16))
    image.paste(GREEN, (0, 0, 16, 8))  # green above
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise: green goes to the right
    pixels = decode(encoded(image, "JPEG", exif=exif, quality=95), 16, "pad")
    assert near(pixels[8, 14], GREEN, 12)
    assert near(pixels[8, 1], RED, 12)


def test_transparency_takes_white_where_the_border_is_transparent() -> None:
    image = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    image.paste((*RED, 255), (4, 4, 12, 12))
    pixels = decode(encoded(image), 16, "pad")
    assert near(pixels[0, 0], (255, 255, 255))
    assert near(pixels[8, 8], RED)


def test_transparency_takes_the_border_colour_where_that_is_opaque() -> None:
    image = Image.new("RGBA", (16, 16), (*BLUE, 255))
    image.paste((0, 0, 0, 0), (4, 4, 12, 12))
    assert near(decode(encoded(image), 16, "pad")[8, 8], BLUE)


def test_palette_with_transparency() -> None:
    image = Image.new("P", (16, 16), 0)
    image.putpalette([0, 0, 0, *RED])
    image.paste(1, (4, 4, 12, 12))
    pixels = decode(encoded(image, transparency=0), 16, "pad")
    assert near(pixels[0, 0], (255, 255, 255))
    assert near(pixels[8, 8], RED)


def test_grey_cmyk_and_sixteen_bit() -> None:
    assert near(decode(encoded(Image.new("L", (9, 9), 90)), 8, "pad")[4, 4], (90, 90, 90))
    assert near(decode(encoded(Image.new("LA", (9, 9), (90, 255))), 8, "pad")[4, 4], (90,) * 3)
    cmyk = encoded(Image.new("CMYK", (9, 9), (0, 255, 255, 0)), "JPEG", quality=95)
    assert near(decode(cmyk, 8, "pad")[4, 4], (255, 0, 0), 12)
    deep = Image.fromarray(np.full((9, 9), 40000, np.uint16))
    assert near(decode(encoded(deep), 8, "pad")[4, 4], (round(40000 / 257),) * 3, 1)


def test_sixteen_bit_dark_stays_dark() -> None:
    deep = Image.fromarray(np.full((9, 9), 200, np.uint16))  # nearly black, of 65535
    assert near(decode(encoded(deep), 8, "pad")[4, 4], (1, 1, 1), 1)


LEAF = (70, 160, 60)  # in Adobe RGB a green that sRGB writes otherwise


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_colours_are_those_that_the_profile_means(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95}
    wanted = tuple(icc.adobe_in_srgb(LEAF).round().astype(int).tolist())
    assert not near(np.array(LEAF), wanted, 20)
    data = encoded(plain(LEAF), kind, icc_profile=icc.adobe(), **options)
    assert near(decode(data, 8, "pad")[4, 4], wanted, 4)


def test_a_profile_leaves_transparency_alone() -> None:
    image = Image.new("RGBA", (16, 16), (*LEAF, 128))
    with open_image(encoded(image, icc_profile=icc.adobe()), 8) as (found, _):
        pass
    assert near(np.asarray(found)[4, 4], (*icc.adobe_in_srgb(LEAF).round().astype(int), 128), 2)


def test_profiles_of_shades_and_inks() -> None:
    shade = icc.grey_in_srgb(90, 1.0)
    flat = np.full((9, 9), 90, np.uint8)
    for image in (Image.fromarray(flat), Image.fromarray(flat.astype(np.uint16) * 257),
                  Image.new("LA", (9, 9), (90, 255))):  # fmt: skip
        data = encoded(image, icc_profile=icc.grey(1.0))
        assert near(decode(data, 8, "pad")[4, 4], (round(shade),) * 3, 3)
    for inks, colour in (((255, 255, 0, 0), 255), ((0, 0, 0, 255), 0)):
        image = Image.new("CMYK", (16, 16), inks)
        data = encoded(image, "JPEG", icc_profile=icc.ink(), quality=95)
        assert near(decode(data, 8, "pad")[4, 4], (colour,) * 3, 12)


@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        icc.adobe()[:200],
        icc.adobe()[:16] + b"RGB " + b"nothing of the kind",
        icc.grey(1.0),
        icc.ink(),
        b"no profile",
    ],
    ids=["sRGB", "cut", "damaged", "grey", "inks", "short"],
)
def test_a_profile_that_says_nothing_changes_nothing(profile: bytes) -> None:
    data = encoded(plain(LEAF), icc_profile=profile)
    assert decode(data, 8, "pad")[4, 4].tolist() == list(LEAF)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animation_gives_its_first_frame(kind: str) -> None:
    frames = [plain(GREEN)]
    data = encoded(plain(RED), kind, save_all=True, append_images=frames, duration=100)
    assert near(decode(data, 8, "pad")[4, 4], RED, 12)


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MAX_PIXELS", 100)
    with pytest.raises(ValueError, match="too large"):
        decode(encoded(plain()), 8, "pad")


def test_a_jpeg_may_be_larger_as_it_is_decoded_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MAX_PIXELS", 10_000)
    monkeypatch.setattr(picture, "MAX_JPEG", 40_000)
    photo = plain(size=(200, 200))
    assert near(decode(encoded(photo, "JPEG"), 16, "pad")[8, 8], RED)
    for data, size in (
        (encoded(photo), 16),  # a PNG
        (encoded(photo, "JPEG"), 60),  # whole, to keep twice the size
        (encoded(plain(size=(201, 200)), "JPEG"), 16),
    ):
        with pytest.raises(TooLarge, match=r"too large \(20\d×200 pixels.*make it smaller"):
            decode(data, size, "pad")


def test_a_jpeg_of_a_large_camera_is_read() -> None:
    photo = Image.new("L", (12_000, 9_000), 120)
    data = encoded(photo, "JPEG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow's own limit
        assert near(decode(data, 16, "crop")[8, 8], (120, 120, 120))


def test_a_progressive_jpeg_takes_the_room_of_all_its_pixels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = []

    class Room(_Room):
        def taken(self, pixels: int) -> AbstractContextManager[None]:
            taken.append(pixels)
            return super().taken(pixels)

    monkeypatch.setattr(picture, "_ROOM", Room(10_000))
    for progressive in (False, True):
        decode(encoded(plain(size=(160, 160)), "JPEG", progressive=progressive), 10, "pad")
    assert taken == [20 * 20, 20 * 20 + 160 * 160 // 2]


def test_broken_files_are_reported_and_left_out(two: Path) -> None:
    whole = encoded(Image.effect_noise((64, 64), 90).convert("RGB"), "JPEG")
    write(
        two,
        cut_dot_jpg=whole[: len(whole) // 3],
        empty_dot_png=b"",
        text_dot_webp=b"hello",
        moving_dot_gif=encoded(plain(), "GIF"),
        notes_dot_txt=b"not an image, and nobody said so",
    )
    data = read_dataset(two, 8)
    assert data.files == ("a.png", "b.png")
    assert {problem.file for problem in data.problems} == {
        "cut.jpg", "empty.png", "text.webp", "moving.gif",
    }  # fmt: skip
    assert all(problem.reason for problem in data.problems)


def test_tensor_layout(two: Path) -> None:
    data = read_dataset(two, 8)
    assert data.images.shape == (2, 3, 8, 8)
    assert data.images.dtype == torch.uint8
    assert data.images[0, :, 4, 4].tolist() == list(RED)
    assert data.labels == ()
    assert data.conditions.shape == (2, 0)
    assert data.name == "set"


def test_no_images(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DatasetError):
            read_dataset(path, 8)


def test_one_image_and_only_broken_ones(tmp_path: Path) -> None:
    write(tmp_path, broken_dot_png=b"nothing")
    with pytest.raises(DatasetError, match=r"no readable image.*broken\.png"):
        read_dataset(tmp_path, 8)
    write(tmp_path, one_dot_png=encoded(plain()))
    with pytest.raises(DatasetError, match="at least two"):
        read_dataset(tmp_path, 8)


def test_class_folders(tmp_path: Path) -> None:
    image = encoded(plain())
    write(tmp_path, dan__1_dot_png=image, dan__2_dot_png=image, igbo__deep__1_dot_png=image)
    data = read_dataset(tmp_path, 8)
    assert [(label.name, label.values) for label in data.labels] == [("class", ("dan", "igbo"))]
    assert data.conditions.tolist() == [[1, 0], [1, 0], [0, 1]]


def test_folders_by_the_day_are_no_classes(tmp_path: Path) -> None:
    for day in range(65):
        write(tmp_path / f"day {day}", a_dot_png=encoded(plain()))
    data = read_dataset(tmp_path, 8)
    assert len(data) == 65
    assert data.labels == ()
    assert [str(problem) for problem in data.problems] == [
        "the label 'class': 65 folders, and a label has at most 64 values; if they are classes and "
        "no dates or authors, merge some or write a labels.csv"
    ]
    (tmp_path / "day 64" / "a.png").rename(tmp_path / "a.png")
    assert len(read_dataset(tmp_path, 8).labels[0].values) == 64


def test_labels_table(two: Path) -> None:
    write(two, c_dot_png=encoded(plain(BLUE)))
    table = "file,hair,eyes\na.png,brown,\nb.png,black,green\nc.png,brown,blue\nghost.png,x,y\n\n"
    write(two, labels_dot_csv=b"\xef\xbb\xbf" + table.encode())
    data = read_dataset(two, 8)
    found = [(label.name, label.values) for label in data.labels]
    assert found == [("hair", ("black", "brown")), ("eyes", ("blue", "green"))]
    assert data.conditions.tolist() == [[0, 1, 0, 0], [1, 0, 0, 1], [0, 1, 1, 0]]
    assert ["ghost.png" in problem.reason for problem in data.problems] == [True]


def test_a_table_of_other_images_is_refused(two: Path) -> None:
    """Hours without labels would go by before anybody sees it."""
    write(two, labels_dot_csv=b"file,hair\na,brown\nb,black\n")
    with pytest.raises(
        DatasetError, match=r"no line of labels\.csv .* names 'a', .* like 'a\.png'"
    ):
        read_dataset(two, 8)
    write(two, labels_dot_csv=b"file,hair\n")
    assert read_dataset(two, 8).labels == ()
    write(two, labels_dot_csv=b"file,hair\na.png,brown\n", a_dot_png=b"x", b_dot_png=b"x")
    with pytest.raises(DatasetError, match="no readable image"):
        read_dataset(two, 8)


@pytest.mark.parametrize(
    "table", ["", "name,hair\na.png,x\n", "file,hair,hair\n", "file,hair\n\xff", 'file,h\n"a']
)
def test_unreadable_labels_table(two: Path, table: str) -> None:
    write(two, labels_dot_csv=table.encode("latin-1"))
    with pytest.raises(DatasetError, match=r"labels\.csv"):
        read_dataset(two, 8)


def test_free_text_is_not_a_label(tmp_path: Path) -> None:
    rows = ["file,title"]
    for index in range(65):
        write(tmp_path, **{f"{index}_dot_png": encoded(plain())})
        rows.append(f"{index}.png,title {index}")
    write(tmp_path, labels_dot_csv="\n".join(rows).encode())
    with pytest.raises(DatasetError, match="65 values"):
        read_dataset(tmp_path, 8)


def test_a_check_says_which_labels_cannot_be_learned(tmp_path: Path) -> None:
    rows = ["file,title,hair,year"]
    for index in range(63):
        write(tmp_path, **{f"{index}_dot_png": encoded(noise_of(index))})
        rows.append(f"{index}.png,title {index % 60},{'ab'[index % 2]},{1900 + index % 31}")
    write(tmp_path, labels_dot_csv="\n".join(rows).encode())
    said = [note for note in check(tmp_path).notes if "label" in note]
    assert len(said) == 1
    assert said[0].startswith(
        "training would refuse the labels: labels.csv: 'title' has 60 values for 63 images"
    )
    assert [label.name for label in read_dataset(tmp_path, 8).labels] == ["title", "hair", "year"]


def noise_of(index: int) -> Image.Image:
    return Image.effect_noise((24, 24), 20 + index).convert("RGB")


def test_images_are_held_in_memory_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand of 512 pixels are 8 GB; read, they were held three times."""
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    folder = noise(tmp_path / "noise", 24, side=256)
    read_dataset(folder, 8)  # what is imported and kept by then does not count
    tracemalloc.start()
    try:
        data = read_dataset(folder, 256)
        data.digest()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 1.5 * data.images.numel()


def test_provenance(two: Path) -> None:
    write(two, provenance_dot_json=json.dumps({"source": "drawn", "licence": "CC0"}).encode())
    assert read_dataset(two, 8).provenance == [{"source": "drawn", "licence": "CC0"}]
    write(two, provenance_dot_json=b"[1")
    data = read_dataset(two, 8)
    assert data.provenance == []
    assert data.problems[0].file == "provenance.json"


def test_a_broken_table_is_told_before_files_in_another_format(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in range(12):
        (two / f"x{index}.gif").write_bytes(b"GIF89a")
    (two / "provenance.csv").write_bytes("path,author\n.,Müller\n".encode("cp1252"))
    tell_left_out(read_dataset(two, 16).problems)
    assert (
        "provenance.csv: cannot be read as a table: it is not UTF-8 text; save it as CSV UTF-8"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_have_what_separates_them_where_they_were_saved(two: Path, separator: str) -> None:
    """A spreadsheet writes semicolons where numbers have decimal commas."""
    labels = ["file,wood,people", "a.png,dark,dan", "b.png,light,igbo"]
    origins = ["path,author,licence", ".,A. Artist,CC0-1.0"]
    write(
        two,
        labels_dot_csv="\r\n".join(labels).replace(",", separator).encode("utf-8-sig"),
        provenance_dot_csv="\r\n".join(origins).replace(",", separator).encode("utf-8-sig"),
    )
    data = read_dataset(two, 8)
    assert data.problems == ()
    assert [(label.name, label.values) for label in data.labels] == [
        ("wood", ("dark", "light")), ("people", ("dan", "igbo")),
    ]  # fmt: skip
    assert data.provenance == [{"author": "A. Artist", "licence": "CC0-1.0", "images": 2}]


def test_a_table_may_be_headed_as_a_spreadsheet_does_it(two: Path) -> None:
    write(two, labels_dot_csv=b"File,wood\na.png,dark\nb.png,light\n")
    assert [label.name for label in read_dataset(two, 8).labels] == ["wood"]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("file,wood\na.png,gr\u00fcn\n".encode("cp1252"), "save it as CSV UTF-8"),
        (b"image,wood\na.png,dark\n", "must be file,attribute"),
        (b"file,wood\nc.png,dark\n", "no line of labels.csv is of an image that is here"),
    ],
)
def test_a_wrong_table_is_told_before_the_images_are_looked_at(
    two: Path, monkeypatch: pytest.MonkeyPatch, table: bytes, says: str
) -> None:
    write(two, labels_dot_csv=table)
    looked: list[object] = []
    monkeypatch.setattr(dataset, "read_each", lambda *of, **them: looked.append(of) or [])
    with pytest.raises(DatasetError, match=says):
        read_dataset(two, 8)
    assert not looked


@pytest.mark.parametrize("header", ["file;wood, or what else", 'file;"wood, dark, light"'])
def test_a_name_in_a_tables_first_line_may_have_commas(two: Path, header: str) -> None:
    """Where semicolons separate, a spreadsheet quotes no comma."""
    write(two, labels_dot_csv=f"{header}\na.png;dark\nb.png;light\n".encode())
    data = read_dataset(two, 8)
    assert [label.name for label in data.labels] == [header.split(";")[1].strip('"')]


def test_empty_columns_at_a_tables_end_are_no_columns(two: Path) -> None:
    """A spreadsheet saves them where cells were once used."""
    write(
        two,
        labels_dot_csv=b"file;wood;;\na.png;dark;;\nb.png;;;\n;;;\n",
        provenance_dot_csv=b"path,author,\n.,A. Artist,\n",
    )
    data = read_dataset(two, 8)
    assert data.problems == ()
    assert data.provenance == [{"author": "A. Artist", "images": 2}]


def test_a_wrong_first_line_is_shown(two: Path) -> None:
    write(two, labels_dot_csv=b"Datei,Farbe\na.png,rot\n")
    with pytest.raises(DatasetError, match="Datei,Farbe"):
        read_dataset(two, 8)


def test_zip_equals_folder(two: Path, tmp_path: Path) -> None:
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(two.iterdir()):
            file.write(path, f"outer/{path.name}")
        file.writestr("__MACOSX/._a.png", b"rubbish")
    assert read_dataset(archive, 8).digest() == read_dataset(two, 8).digest()


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two images in one folder, with its labels."""
    write(
        tmp_path / "set", scans__a_dot_png=encoded(plain()), scans__b_dot_png=encoded(plain(GREEN))
    )
    return write(tmp_path / "set", scans__labels_dot_csv=b"file,hair\na.png,red\nb.png,green\n")


@pytest.mark.parametrize("beside", ["README.txt", "Thumbs.db", "provenance.csv", "docs/notes.txt"])
def test_what_lies_beside_the_outer_folder_changes_no_name(scans: Path, beside: str) -> None:
    before = read_dataset(scans, 8)
    (scans / beside).parent.mkdir(exist_ok=True)
    (scans / beside).write_bytes(b"path,source\n.,own\n")
    after = read_dataset(scans, 8)
    assert after.files == before.files == ("a.png", "b.png")
    assert after.digest() == before.digest()
    assert after.labels == before.labels != ()


@pytest.mark.parametrize("path", ["scans", "scans/", ".", "scans/a.png", "a.png"])
def test_a_table_beside_the_outer_folder_may_name_it(scans: Path, path: str) -> None:
    write(scans, provenance_dot_csv=f"path,source\n{path},own\n".encode())
    data = read_dataset(scans, 8)
    assert data.problems == ()
    assert data.provenance[0] == {"images": 1 if "a.png" in path else 2, "source": "own"}


def test_labels_beside_the_outer_folder_come_first(scans: Path) -> None:
    write(scans, labels_dot_csv=b"file,eyes\nscans/a.png,grey\nscans\\b.png,blue\n")
    data = read_dataset(scans, 8)
    assert [(label.name, label.values) for label in data.labels] == [("eyes", ("blue", "grey"))]
    assert data.conditions.tolist() == [[0, 1], [1, 0]]
    assert [problem.file for problem in data.problems] == ["scans/labels.csv"]


def test_an_image_beside_a_folder_keeps_the_folder(scans: Path) -> None:
    write(scans, c_dot_png=encoded(plain()))
    data = read_dataset(scans, 8)
    assert data.files == ("c.png", "scans/a.png", "scans/b.png")
    assert [str(problem) for problem in data.problems] == [
        "scans/labels.csv: is not read; only labels.csv in the outermost folder is"
    ]
    assert data.problems == check(scans).problems


@pytest.mark.parametrize(
    "name",
    [
        "Labels.csv",
        "labels.CSV",
        "cats/labels.csv",
        "labels.csv.txt",  # whose second ending Windows hides
        "labels.xlsx",
        "Provenance.csv",
        "provenance.xlsx",
        "provenance.csv.txt",
    ],
)
def test_a_table_that_is_not_read_is_told(name: str, two: Path) -> None:
    (two / "cats").mkdir()
    (two / name).write_text("file,hair\na.png,red\nb.png,green\n")
    (two / "provenance.png").write_bytes(encoded(plain(BLUE)))  # a picture, whatever its name
    data = read_dataset(two, 8)
    assert len(data) == 3
    assert [problem.file for problem in data.problems] == [name]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_tables_name_files_however_their_accents_are_stored(tmp_path: Path, form: Form) -> None:
    for name, colour in (("Käthe.png", RED), ("Zoë.png", GREEN)):
        (tmp_path / unicodedata.normalize(form, name)).write_bytes(encoded(plain(colour)))
    other: Form = "NFD" if form == "NFC" else "NFC"
    table = unicodedata.normalize(other, "file,hair\nKäthe.png,red\nZoë.png,green\n")
    write(tmp_path, labels_dot_csv=table.encode())
    whose = unicodedata.normalize(other, "path,source\nZoë.png,own\n")
    write(tmp_path, provenance_dot_csv=whose.encode())
    data = read_dataset(tmp_path, 8)
    assert data.problems == ()
    assert data.files == tuple(unicodedata.normalize(form, x) for x in ("Käthe.png", "Zoë.png"))
    assert data.conditions.tolist() == [[0, 1], [1, 0]]
    assert data.provenance[0] == {"images": 1, "source": "own"}


def test_of_two_names_that_look_alike_each_is_meant_to_the_letter(tmp_path: Path) -> None:
    for form in FORMS:
        (tmp_path / unicodedata.normalize(form, "é.png")).write_bytes(encoded(plain()))
    lines = [unicodedata.normalize(form, f"é.png,{form}") for form in FORMS]
    write(tmp_path, labels_dot_csv="\n".join(["file,form", *lines]).encode())
    data = read_dataset(tmp_path, 8)
    found = [data.labels[0].values[index] for index in data.conditions.argmax(1).tolist()]
    assert found == [form for file in data.files for form in FORMS
                     if file == unicodedata.normalize(form, file)]  # fmt: skip


def test_tables_name_files_in_any_case_where_one_alone_is_meant(tmp_path: Path) -> None:
    """Cameras write .JPG, and neither Windows nor macOS tells a.JPG from a.jpg."""
    whole = encoded(plain())

    def read(table: str, other: bytes = whole) -> tuple[dict[str, str], list[str]]:
        """The values of a zip's images, since not every disk can hold b.png beside B.png."""
        packed = tmp_path / "set.zip"
        with zipfile.ZipFile(packed, "w") as file:
            for name, image in (("Straße.PNG", whole), ("B.png", whole), ("b.png", other)):
                file.writestr(name, image)
            file.writestr("labels.csv", table)
        data = read_dataset(packed, 8)
        of = [data.labels[0].values[row.argmax()] if row.any() else "" for row in data.conditions]
        return dict(zip(data.files, of, strict=True)), [str(problem) for problem in data.problems]

    assert read("file,hair\nstrasse.png,red\nb.png,green\nB.png,blue\n") == (
        {"Straße.PNG": "red", "b.png": "green", "B.png": "blue"}, [],
    )  # fmt: skip
    values, problems = read("file,hair\nSTRASSE.png,red\nb.PNG,green\nb.png,blue\n")
    assert values == {"Straße.PNG": "red", "b.png": "blue", "B.png": ""}
    assert problems == ["labels.csv: line 3 names 'b.PNG', which was not read"]
    values, problems = read("file,hair\nstrasse.png,red\nb.png,green\nB.png,blue\n", b"broken")
    assert values == {"Straße.PNG": "red", "B.png": "blue"}  # a line of b is not B's
    assert problems[0] == "labels.csv: line 3 names 'b.png', which was not read"


@pytest.mark.parametrize("form", FORMS)
def test_values_are_the_same_however_their_accents_are_stored(tmp_path: Path, form: Form) -> None:
    """macOS may store a folder's name in pieces; nobody could type that value, or see why not."""
    folders, table = tmp_path / "folders", tmp_path / "table"
    for number, value in enumerate(("Mädchen", "Jungen")):
        folder = folders / unicodedata.normalize(form, value)
        folder.mkdir(parents=True)
        (folder / f"{number}.png").write_bytes(encoded(plain()))
    table.mkdir()
    lines = ["file,größe", "a.png,süß", "b.png,herb"]
    for name in ("a.png", "b.png"):
        (table / name).write_bytes(encoded(plain()))
    write(table, labels_dot_csv=unicodedata.normalize(form, "\n".join(lines)).encode())
    assert read_dataset(folders, 8).labels[0].values == ("Jungen", "Mädchen")
    label = read_dataset(table, 8).labels[0]
    assert (label.name, label.values) == ("größe", ("herb", "süß"))


@pytest.mark.parametrize("name", ["a.HEIC", "a.jxl", "a.CR2", "a.nef", "a.dng", "a.jp2"])
def test_images_in_another_format_are_told(two: Path, name: str) -> None:
    (two / name).write_bytes(b"another")
    assert [str(problem) for problem in read_dataset(two, 8).problems] == [
        f"{name}: save it as JPEG, PNG or WebP to have it read"
    ]


def test_a_zip_among_the_images_is_told(two: Path, tmp_path: Path) -> None:
    """As a cloud gives a folder in several parts."""
    packed = two / "part 2.ZIP"
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("c.png", encoded(plain()))
    said = "part 2.ZIP: is packed, and what is packed inside a dataset is not read; unpack it"
    assert [str(problem) for problem in read_dataset(two, 8).problems] == [said]
    assert [str(problem) for problem in check(two).problems] == [said]
    alone = tmp_path / "alone"
    alone.mkdir()
    packed.rename(alone / packed.name)
    for read in (lambda: read_dataset(alone, 8), lambda: check(alone)):
        with pytest.raises(
            DatasetError, match=r"no readable image; 1 left out, first part 2\.ZIP: "
        ):
            read()


def test_zip_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "set.zip"
    image = encoded(plain())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("a.png", "b.png", "../escape.png", "/root.png", "secret.png"):
            file.writestr(name, image)
        file.writestr("bomb.png", bytes(2 << 20))
    data = bytearray(archive.read_bytes())
    directory = data.rindex(b"secret.png") - 46  # the entry in the central directory
    data[directory + 8] |= 1  # flag: encrypted
    archive.write_bytes(data)
    found = read_dataset(archive, 8)
    assert found.files == ("a.png", "b.png")
    reasons = {problem.file: problem.reason for problem in found.problems}
    assert "outside" in reasons["../escape.png"]
    assert "outside" in reasons["/root.png"]
    assert "encrypted" in reasons["secret.png"]
    assert "bomb" in reasons["bomb.png"]
    assert not (tmp_path.parent / "escape.png").exists()
    monkeypatch.setattr(source, "MAX_FILE", 10)
    with pytest.raises(DatasetError, match="larger than"):
        read_dataset(archive, 8)


class _Bare(zipfile.ZipInfo):
    """An entry whose name is UTF-8 without the flag that says so, as macOS writes it."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode(), self.flag_bits & ~0x800


def test_a_zip_from_macos_and_one_from_windows(tmp_path: Path) -> None:
    image = encoded(plain())
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("Käthe.png", "Zoë.png"):
            file.writestr(_Bare(name), image)
        for name in ("cats\\1.png", "cats/1.png", "..\\up.png", "C:\\c.png", "\\root.png",
                     "cats\\"):  # fmt: skip
            info = zipfile.ZipInfo("x")
            info.filename = name  # ZipInfo would make it / on Windows
            file.writestr(info, image)
    data = read_dataset(archive, 8)
    assert data.files == ("Käthe.png", "Zoë.png", "cats/1.png")
    reasons = {problem.file: problem.reason for problem in data.problems}
    assert "second time" in reasons.pop("cats/1.png")
    assert set(reasons) == {"../up.png", "C:/c.png", "/root.png"}
    assert all("outside" in reason for reason in reasons.values())


def test_a_zip_of_an_old_pc_keeps_its_names(tmp_path: Path) -> None:
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a_.png", encoded(plain()))
        file.writestr("b.png", encoded(plain()))
    archive.write_bytes(archive.read_bytes().replace(b"a_.png", b"a\x84.png"))  # cp437's ä
    assert read_dataset(archive, 8).files == ("aä.png", "b.png")


def test_damaged_zip(tmp_path: Path) -> None:
    archive = tmp_path / "set.zip"
    archive.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(DatasetError, match="neither a folder nor a readable zip"):
        read_dataset(archive, 8)


def test_a_damaged_entry_is_left_out(tmp_path: Path) -> None:
    archive = tmp_path / "set.zip"
    names = ("a.png", "b.png", "c.png")
    with zipfile.ZipFile(archive, "w") as file:
        for name in names:
            file.writestr(name, encoded(Image.effect_noise((40, 40), 90)))
    data = bytearray(archive.read_bytes())
    data[data.index(b"b.png") + 200] ^= 0xFF  # inside b's bytes: its checksum fails
    archive.write_bytes(data)
    found = read_dataset(archive, 8)
    assert found.files == ("a.png", "c.png")
    assert [problem.file for problem in found.problems] == ["b.png"]


def test_an_entry_that_ends_too_soon_is_left_out(tmp_path: Path) -> None:
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("a.png", "b.png", "c.png"):
            file.writestr(name, encoded(plain()))
    data = bytearray(archive.read_bytes())
    struct.pack_into("<II", data, data.rindex(b"PK\x01\x02") + 20, 500_000, 500_000)  # c's sizes
    archive.write_bytes(data)
    found = read_dataset(archive, 8)
    assert found.files == ("a.png", "b.png")
    # Python since 3.11.8 looks beforehand whether one reaches into what comes after it
    assert re.search("cut short|Overlapped entries", found.problems[0].reason)


def test_a_damaged_entry_packed_by_lzma_is_left_out(tmp_path: Path) -> None:
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_LZMA) as file:
        for name in ("a.png", "b.png", "c.png"):
            file.writestr(name, encoded(plain()))
    data = bytearray(archive.read_bytes())
    data[data.index(b"b.png") + len("b.png") + 4] = 0xFF  # LZMA's properties, after their length
    archive.write_bytes(data)
    found = read_dataset(archive, 8)
    assert found.files == ("a.png", "c.png")
    assert "damaged in the zip" in found.problems[0].reason


def test_a_zip_whose_names_begin_with_a_dot(tmp_path: Path) -> None:
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("./", b"")
        for name in ("./cats/a.png", "./dogs/b.png", "./dogs//./c.png", ".//../up.png"):
            file.writestr(name, encoded(plain()))
        file.writestr("./labels.csv", b"file,hair\ncats/a.png,red\n./dogs/b.png,green\n")
        file.writestr("./provenance.json", b'{"source": "drawn"}')
    data = read_dataset(archive, 8)
    assert data.files == ("cats/a.png", "dogs/b.png", "dogs/c.png")
    assert [label.name for label in data.labels] == ["hair"]
    assert data.provenance == [{"source": "drawn"}]
    assert [str(problem) for problem in data.problems] == [
        "../up.png: its name points outside the zip"
    ]


def test_a_zip_of_thousands_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "set.zip"
    image = encoded(plain(size=(4, 4)))
    with zipfile.ZipFile(archive, "w") as file:
        for index in range(300):
            file.writestr(f"{index}.png", image)
    opened = []
    original = zipfile.ZipFile.__init__

    def counted(self: zipfile.ZipFile, *arguments: object, **options: object) -> None:
        opened.append(arguments)
        original(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(zipfile.ZipFile, "__init__", counted)
    assert len(read_dataset(archive, 8)) == 300
    assert len(opened) == 1


def test_names_that_no_terminal_or_card_should_see(two: Path, tmp_path: Path) -> None:
    (two / "a\nb\x1b[31m.gif").write_bytes(b"x")
    (two / "linked").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "hidden.png").write_bytes(encoded(plain()))
    strange = os.fsencode(two) + b"/\xff\xfe"
    os.mkdir(strange)
    with open(strange + b"/c.png", "wb") as file:
        file.write(encoded(plain()))
    data = read_dataset(two, 8)
    assert data.files == ("a.png", "b.png")
    assert all(problem.file.encode() for problem in data.problems)  # for a page, or JSON
    told = [str(problem) for problem in data.problems]
    assert all(text.isprintable() for text in told)
    for part in ("not Unicode", "link to a folder", r"a\nb\x1b[31m.gif"):
        assert any(part in text for text in told), part


def test_labels_have_no_control_characters(two: Path) -> None:
    write(two, labels_dot_csv=b'file,"hair\x1b[2J"\na.png,"dark\nbrown"\nb.png,\xc2\x9b31mred\n')
    (label,) = read_dataset(two, 8).labels
    assert (label.name, label.values) == ("hair [2J", ("31mred", "dark brown"))


def test_a_zip_of_nameless_entries(tmp_path: Path) -> None:
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("", ".", "./", "a.png", "b.png"):
            file.writestr(zipfile.ZipInfo(name), encoded(plain()))
    assert read_dataset(archive, 8).files == ("a.png", "b.png")


def test_labels_to_steer_by_are_chosen(two: Path) -> None:
    table = b"file,hair,eyes,skin\na.png,brown,red,fair\nb.png,black,,deep\n"
    write(two, labels_dot_csv=table + b"c.png,black,blue,deep\n", c_dot_png=encoded(plain(BLUE)))
    data = read_dataset(two, 16).steered_by(["skin", "eyes"])
    found = [(label.name, label.values) for label in data.labels]
    assert found == [("skin", ("deep", "fair")), ("eyes", ("blue", "red"))]
    assert data.conditions.tolist() == [[0, 1, 0, 1], [1, 0, 0, 0], [1, 0, 1, 0]]
    assert data.steered_by([]).conditions.shape == (3, 0)
    with pytest.raises(DatasetError, match="no label 'hair'; it has skin, eyes"):
        data.steered_by(["hair"])


def test_a_file_named_twice_in_the_labels(two: Path) -> None:
    write(two, labels_dot_csv=b"file,hair\na.png,brown\nb.png,black\na.png,black\n")
    data = read_dataset(two, 8)
    assert data.conditions.tolist() == [[0, 1], [1, 0]]
    assert [problem.reason for problem in data.problems] == ["line 4 names 'a.png' a second time"]


def test_a_table_of_too_many_columns(two: Path) -> None:
    header = ",".join(["file", *(f"tag{index}" for index in range(1000))])
    rows = ",".join(["a.png"] + ["yes"] * 1000), ",".join(["b.png"] + ["no"] * 1000)
    write(two, labels_dot_csv="\n".join((header, *rows)).encode())
    with pytest.raises(DatasetError, match="1000 labels have 2000 values"):
        read_dataset(two, 8)


def test_one_image_file_is_not_a_dataset(two: Path) -> None:
    with pytest.raises(DatasetError, match="neither a folder nor a readable zip"):
        read_dataset(two / "a.png", 8)


def test_odd_exif_does_not_lose_the_picture() -> None:
    tags = Image.Exif()
    tags[0x0112] = 6  # turned
    tags[0x010E] = "hello, world"  # a text, which becomes a fraction below
    data = bytearray(encoded(Image.new("RGB", (8, 4), RED), "JPEG", exif=tags))
    entry = data.index(b"\x01\x0e\x00\x02")  # big-endian: description, text
    data[entry + 3], data[entry + 7] = 5, 1  # one fraction
    with pytest.raises(Exception, match=r"encode|abs|fill"):
        ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    pixels = decode(bytes(data), 8, "crop")
    assert near(pixels[4, 4], RED, 12)


def test_pixels_have_room_one_after_the_other() -> None:
    """However many threads decode, so many pixels are in memory at once; a larger image alone."""
    room, most, now, peak, seen = _Room(100), 100, 0, 0, threading.Lock()

    def decode_one(pixels: int) -> None:
        nonlocal now, peak
        with room.taken(pixels):
            with seen:
                now += pixels
                peak = max(peak, now)
            time.sleep(0.001)
            with seen:
                now -= pixels

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(decode_one, [10, 60, 45, 100, 5, 90] * 8))
        assert peak <= most
        list(pool.map(decode_one, [250] * 3))
    assert (peak, now) == (250, 0)


def test_sixteen_bits_become_eight() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(512, 128)
    with open_image(encoded(Image.fromarray(values)), 8) as (found, _):
        assert np.array_equal(np.asarray(found)[..., 0], values // 257)
