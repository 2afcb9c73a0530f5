"""The overlay: every address with its value, the selected one always in sight."""

from __future__ import annotations

import moderngl
import numpy as np
import pygame
import pytest

from installation import desk
from installation.output import overlay as overlays
from installation.output.overlay import Overlay, Row
from installation.parameters import Bus, Param, Trigger

SIZE = (400, 300)


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
    rows = desk.rows(bus, "/a/b")
    assert rows == [
        Row("/a/b", "3 s", 0.75, "midi nano cc 1", selected=True),
        Row("/a/go", "press", None, "", selected=False),
    ]


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
