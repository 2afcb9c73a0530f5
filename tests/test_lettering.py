"""Lines of text in pictures: in the artist's letters, with what fonts there are."""

from __future__ import annotations

import io
import sys
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pygame
import pytest
from PIL import Image, ImageDraw, ImageFont

from training import lettering
from training.curation.contact import draw_sheets
from training.lettering import Line, line, lines
from training.watch.sheet import captioned, sheet

SANS = Path(pygame.__file__).with_name("freesansbold.ttf")  # Latin, Greek, Cyrillic; no ọ, no 笑
SIZE = 13


@pytest.fixture(autouse=True)
def _no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine has."""
    install(monkeypatch)


def install(monkeypatch: pytest.MonkeyPatch, **fonts: Path) -> None:
    found = {f"{name}.ttf": ImageFont.truetype(path, SIZE) for name, path in fonts.items()}
    monkeypatch.setattr(lettering, "_installed", lambda name, size: found.get(name))


def drawn(*made: Line) -> list[np.ndarray]:
    found = []
    for one in made:
        image = Image.new("RGB", (160, 24))
        one.draw(ImageDraw.Draw(image), (2, 3), (255, 255, 255))
        found.append(np.asarray(image))
    return found


def names(made: Line) -> list[tuple[str, str | None]]:
    return [(text, font.getname()[0]) for text, font in made.runs]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\n b × ±1 −1", "a b x +-1 -1"),
        ("ọma ụ ị ṅ Straße", "oma u i n Strasse"),
        (unicodedata.normalize("NFD", "ọma é"), "oma e"),
        ("笑顔", "XiaoYan"),
        ("круг γάτα", "krug gata"),
        ("قطة سوداء", "qth swd'"),
        ("हिन्दी", "hindi"),
        ("\u202eevil\x1b[2J\0", "evil[1b][2J[0]"),
        ("\udc80.png", "[dc80].png"),
        ("", ""),
    ],
)
def test_without_fonts_letters_are_transliterated(text: str, written: str) -> None:
    made = line(text, SIZE)
    assert made.text == written
    assert {font for _, font in made.runs} <= {lettering._own(SIZE)}
    drawn(made)


def test_a_line_is_in_one_font_where_one_has_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, DejaVuSans=SANS)
    assert names(line("Katze", SIZE)) == [("Katze", "Aileron")]
    assert names(line("Käthe łódź, γάτα", SIZE)) == [("Käthe łódź, γάτα", "FreeSans")]


def test_what_the_best_font_lacks_is_written_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, DejaVuSans=SANS)
    written = "".join(text for text, _ in line("маска ọma 笑", SIZE).runs)
    assert written == "маска oma Xiao"


def test_a_font_that_lacks_latin_writes_its_own_letters_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Android's for Chinese and Japanese, which is on many machines."""
    install(monkeypatch, FreeSans=SANS)
    has = lettering._has
    aileron = lettering._own(SIZE)
    monkeypatch.setattr(
        lettering, "_has", lambda font, x: x > "z" if font is not aileron else has(font, x)
    )
    assert names(line("photo 12 круг.png", SIZE)) == [
        ("photo 12 ", "Aileron"), ("круг", "FreeSans"), (".png", "Aileron")
    ]  # fmt: skip


def test_noto_s_font_of_a_script_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(lettering, "_installed", lambda name, size: asked.append(name))
    line("ሰላም", SIZE)
    assert "NotoSansEthiopic-Regular.ttf" in asked
    asked.clear()
    line("plain", SIZE)
    assert asked == []


@pytest.mark.skipif(sys.platform != "linux", reason="its folders of fonts")
def test_fonts_of_the_system_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    (tmp_path / "fonts" / "some").mkdir(parents=True)
    (tmp_path / "fonts" / "some" / "DejaVuSans.ttf").write_bytes(SANS.read_bytes())
    (tmp_path / "fonts" / "NotoSans-Regular.ttf").write_bytes(b"no font")
    with pytest.MonkeyPatch.context() as place:
        place.setenv("XDG_DATA_DIRS", str(tmp_path))
        place.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
        lettering._installed.cache_clear()
        assert names(line("маска", SIZE)) == [("маска", "FreeSans")]
        assert line("笑", SIZE).text == "Xiao"
    lettering._installed.cache_clear()


def test_a_damaged_font_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(SANS.read_bytes())
    data[1360:79024] = b"\0\x7f" * 38832  # its table of outlines
    (tmp_path / "broken.ttf").write_bytes(data)
    install(monkeypatch, DejaVuSans=tmp_path / "broken.ttf")
    made = line("маска", SIZE)
    drawn(made)
    assert made.text == "maska"


def test_no_two_names_look_the_same() -> None:
    made = lines(["晓燕", "小燕", "oma", "ọma", "oma", "x" * 40, "x" * 41, "x" * 40], SIZE, 128)
    assert [one.text for one in made[:5]] == ["XiaoYan", "XiaoYan (2)", "oma", "oma (4)", "oma"]
    assert made[5].text == made[7].text != made[6].text
    assert made[6].text.endswith("… (7)")
    assert all(one.width <= 128 for one in made)
    assert not np.array_equal(*drawn(made[0], made[1]))


@pytest.mark.parametrize("width", [0, 1, 30, 60, 90, 144])
def test_what_is_too_long_is_cut_at_one_end(width: int) -> None:
    text = "a/long/folder/круг.png"
    (start,), (end,) = lines([text], SIZE, width), lines([text], SIZE, width, keep="end")
    whole = line(text, SIZE)
    if width >= whole.width:
        assert start.text == end.text == whole.text
        return
    assert start.text[-1] == end.text[0] == "…"
    assert whole.text.startswith(start.text[:-1])
    assert whole.text.endswith(end.text[1:])
    assert max(start.width, end.width) <= max(width, line("…", SIZE).width)
    assert min(start.width, end.width) > width - 20


def test_every_font_stands_on_the_same_line(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, DejaVuSans=SANS)
    bottoms = [
        np.nonzero(picture.any((1, 2)))[0][-1] for picture in drawn(line("H", 13), line("Н", 13))
    ]
    assert bottoms[0] == bottoms[1]


def labels(*texts: str) -> Iterator[np.ndarray]:
    tile = np.zeros((128, 128, 3), np.uint8)
    for text in texts:
        yield np.asarray(sheet([[tile]], "t", ["l"], [text]))
        yield np.asarray(sheet([[tile]], text, ["l"], ["c"]))
        yield np.asarray(captioned(Image.new("RGB", (300, 10)), text))


@pytest.mark.parametrize("pair", [("笑顔", "怒り"), ("круг", "лист"), ("قطة", "كلب"), ("ß", "ø")])
def test_labels_in_sheets_can_be_told_apart(pair: tuple[str, str]) -> None:
    made = list(labels(*pair))
    for one, other in zip(made[:3], made[3:], strict=True):
        assert one.shape != other.shape or not np.array_equal(one, other)


def test_files_in_contact_sheets_can_be_told_apart() -> None:
    files = ["笑.png", "怒.png", "лист.png"]
    file = io.BytesIO()
    Image.new("RGB", (16, 16), "grey").save(file, "PNG")
    entry = SimpleNamespace(read=file.getvalue)
    findings = [SimpleNamespace(file=file, other="") for file in files]
    (page,) = draw_sheets(
        findings, dict.fromkeys(files, entry), dict.fromkeys(files, True)  # type: ignore[arg-type]
    )  # fmt: skip
    cells = [page.crop((10 + n * 154, 150, 160 + n * 154, 180)) for n in range(3)]
    for one, other in pairwise(cells):
        assert not np.array_equal(np.asarray(one), np.asarray(other))
