"""The overlay: every address with its value, the selected one always in sight."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock, call

import moderngl
import numpy as np
import pygame
import pytest

from installation import desk
from installation.modulation import Modulation, Modulations
from installation.output import lettering
from installation.output import overlay as overlays
from installation.output.lettering import Lettering
from installation.output.overlay import Overlay, Row
from installation.parameters import Bus, Param, Trigger

SIZE = (400, 300)
SANS = Path(pygame.__file__).with_name("freesansbold.ttf")  # pygame's own


@pytest.fixture(autouse=True)
def _font() -> None:
    pygame.font.init()


def drawn(gl: moderngl.Context, overlay: Overlay, rows: list[Row]) -> np.ndarray:
    screen = gl.framebuffer([gl.texture(SIZE, 4)])
    screen.clear(0.2, 0.6, 0.2, 1)
    overlay.draw(screen, SIZE, ["head"], rows)
    picture = np.frombuffer(screen.read(components=3), np.uint8).reshape(SIZE[1], SIZE[0], 3)
    for attachment in screen.color_attachments:
        attachment.release()
    screen.release()
    return picture[::-1].astype(int)


def test_rows_tell_value_range_and_what_moved_it() -> None:
    bus = Bus()
    bus.declare("a", {"b": Param(1, 0, 4, unit="s"), "go": Trigger()})
    bus.post("/a/b", 3, "midi nano cc 1")
    bus.tick(1)
    modulations = Modulations(bus)
    rows = desk.rows(bus, modulations, "/a/b")
    assert rows[:2] == [
        Row("/a/b", "3 s", 0.75, "midi nano cc 1", selected=True),
        Row("/a/go", "press", None, "", selected=False),
    ]
    modulations.set("/a/b", Modulation(by="bass", depth=-0.5), "key")
    assert desk.rows(bus, modulations, "")[0].moved_by == "~ -0.50 bass midi nano cc 1"


def test_it_lies_over_the_picture_and_follows_values(
    gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlays, "_EVERY", 0)
    overlay = Overlay(gl)
    low = drawn(gl, overlay, [Row("/a/b", "0", 0.0)])
    high = drawn(gl, overlay, [Row("/a/b", "1", 1.0)])
    green = np.array([51, 153, 51])
    assert np.abs(low[-5:, :300] - green).mean() > 30  # darkened
    assert np.abs(low - high).max() > 100  # the bar has grown
    overlay.release()


def test_the_font_is_read_once(gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlays, "_EVERY", 0)
    made, font = [], pygame.font.Font
    monkeypatch.setattr(pygame.font, "Font", lambda *of: made.append(of) or font(*of))
    overlay = Overlay(gl)
    for value in "012":
        drawn(gl, overlay, [Row("/a/b", value, None)])
    assert len(made) == 1
    overlay.release()


def test_the_selected_row_is_in_sight_in_a_long_list() -> None:
    rows = [Row(f"/a/{i}", "", None, selected=i == 70) for i in range(90)]
    page = overlays._page(rows, 12)
    assert len(page) == 12
    assert any(row.selected for row in page)
    assert overlays._page(rows[:5], 12) == rows[:5]


def system_fonts(monkeypatch: pytest.MonkeyPatch, **fonts: str) -> None:
    """Whatever the machine has."""
    monkeypatch.setattr(pygame.font, "match_font", fonts.get)


def written(letters: Lettering, text: str) -> np.ndarray:
    surface = pygame.Surface((300, 40))
    letters.write(surface, text, (4, 8), (255, 255, 255))
    return pygame.surfarray.array3d(surface)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("drift · 60 fps …", "drift · 60 fps …"),
        ("Käthe γάτα маска", "Käthe γάτα маска"),
        ("ọma 笑顔 12", "oma XiaoYan 12"),
        ("\u202eevil\x1b[2J \0\udc80", "evil[1b][2J [0][dc80]"),
        ("हिन्\u200dदी", "hin\u200ddi"),  # the joiner is left alone
        ("", ""),
    ],
)
def test_the_overlay_writes_what_no_font_has_in_latin_letters(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    system_fonts(monkeypatch)
    letters = Lettering(22)
    assert "".join(part for part, _ in letters._runs(text)) == expected
    assert written(letters, text).any() == bool(text)


def test_the_overlay_asks_the_system_for_fonts_where_its_own_lacks_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(pygame.font, "match_font", lambda name: asked.append(name))
    letters = Lettering(22)
    written(letters, "drift · łódź γάτα")
    assert asked == []
    written(letters, "ሰላም")
    assert asked[0] == "dejavusans"
    assert asked[-1] == "notosansethiopic"
    asked.clear()
    written(letters, "ሰላም")
    assert asked == []  # in no frame again


def test_a_font_of_the_system_writes_on_the_same_line(monkeypatch: pytest.MonkeyPatch) -> None:
    system_fonts(monkeypatch, freesans=str(SANS))
    letters = Lettering(22)
    has = letters._has
    monkeypatch.setattr(letters, "_has", lambda font, x: font is not letters._own and has(font, x))
    ((_, font),) = letters._runs("маска")
    assert font is not letters._own
    bottoms = [np.nonzero(written(letters, text).any((0, 2)))[0][-1] for text in ("Н", "H")]
    assert bottoms[0] == bottoms[1]


@pytest.mark.parametrize("content", [b"no font", None])
def test_a_font_that_is_gone_or_damaged_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "font.ttf"
    if content is not None:
        path.write_bytes(content)
    system_fonts(monkeypatch, dejavusans=str(path))
    assert [part for part, _ in Lettering(22)._runs("笑")] == ["Xiao"]


def test_what_is_read_from_right_to_left_stays_together() -> None:
    pieces = lettering._PIECES.findall("12 قطة سوداء fps می‌خواهم क्‍ष")
    assert pieces == ["12", " ", "قطة سوداء", " ", "fps", " ", "می‌خواهم", " ", "क्‍ष"]


@pytest.mark.parametrize(
    ("text", "direction", "script"),
    [
        ("قطة سوداء", pygame.DIRECTION_RTL, "Arab"),
        ("שלום", pygame.DIRECTION_RTL, "Hebr"),
        ("हिन्दी", pygame.DIRECTION_LTR, "Deva"),
        ("தமிழ்", pygame.DIRECTION_LTR, "Taml"),
        ("ọma", pygame.DIRECTION_LTR, "Latn"),
    ],
)
def test_letters_are_joined_as_their_script_wants_it(
    text: str, direction: int, script: str
) -> None:
    font = Mock()
    lettering._shape(font, text)
    assert font.mock_calls == [call.set_direction(direction), call.set_script(script)]
    font.set_direction.side_effect = pygame.error("built without it")
    lettering._shape(font, text)


@pytest.mark.parametrize("pair", [("笑顔", "怒り"), ("قلب", "كتب"), ("ọma", "ụma")])
def test_names_in_the_overlay_can_be_told_apart(
    gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str]
) -> None:
    monkeypatch.setattr(overlays, "_EVERY", 0)
    overlay = Overlay(gl)
    one, other = (drawn(gl, overlay, [Row("/a", "1 s", None, name)]) for name in pair)
    assert not np.array_equal(one, other)
    overlay.release()


def test_a_name_of_any_kind_does_not_end_the_show(gl: moderngl.Context) -> None:
    overlay = Overlay(gl)
    drawn(gl, overlay, [Row("/a", "1 s", None, "midi \0 \udc80")])
    overlay.release()
