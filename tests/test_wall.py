"""A projector that stands askew: the picture's corners, moved on the wall."""

from __future__ import annotations

import itertools

import moderngl
import numpy as np
import pytest

from installation.control.mapping import automatic
from installation.engine.compose import Present
from installation.engine.textures import Target
from installation.engine.wall import Wall, corners, to_picture
from installation.parameters import Bus

STILL = (0.0,) * 8
ASKEW = (0.1, -0.05, -0.08, 0.0, 0.02, 0.11, -0.03, 0.04)
PLACES = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], float)


def taken(moved: tuple[float, ...], x: float, y: float) -> np.ndarray:
    """Where in the picture a place on the screen lies."""
    matrix = np.reshape(to_picture(moved), (3, 3)).T
    p = matrix @ np.array([x, y, 1.0])
    return p[:2] / p[2]


def test_nothing_moved_changes_nothing() -> None:
    np.testing.assert_allclose(np.reshape(to_picture(STILL), (3, 3)), np.eye(3), atol=1e-12)


def test_every_corner_lies_where_it_was_moved_and_lines_stay_straight() -> None:
    screen = PLACES + np.reshape(ASKEW, (4, 2))
    for (x, y), wanted in zip(screen, PLACES, strict=True):
        np.testing.assert_allclose(taken(ASKEW, x, y), wanted, atol=1e-12)
    middle = (screen[0] + screen[1]) / 2  # of the upper edge: still on the upper edge
    assert taken(ASKEW, *middle)[1] == pytest.approx(1)


def test_every_shape_within_reach_can_be_undone() -> None:
    reach = Wall.declared()["top_left_x"].high  # type: ignore[union-attr]
    for moved in itertools.product((-reach, reach), repeat=8):
        assert np.isfinite(to_picture(moved)).all()
        matrix = np.reshape(to_picture(moved), (3, 3)).T
        screen = PLACES + np.reshape(moved, (4, 2))
        depth = np.c_[screen, np.ones(4)] @ matrix[2]
        assert (depth > 0).all()  # the picture is not turned inside out
    to_picture.cache_clear()


def test_only_what_was_moved_costs_anything() -> None:
    bus = Bus()
    assert corners(bus) is None
    bus.declare("wall", Wall.declared())
    assert corners(bus) is None
    bus.post("/wall/top_right_y", -0.1)
    bus.tick(100.0)
    assert corners(bus) == (0, 0, 0, pytest.approx(-0.1), 0, 0, 0, 0)


def test_no_knob_moves_the_wall_by_itself() -> None:
    bus = Bus()
    bus.declare("wall", Wall.declared())
    assert automatic(bus) == []


def test_the_picture_on_the_wall(gl: moderngl.Context) -> None:
    picture, screen = Target(gl, (64, 64), "f4"), gl.framebuffer([gl.texture((64, 64), 4)])
    colours = np.zeros((64, 64, 4), np.float32)
    colours[:32, :, 0], colours[32:, :, 1], colours[:, 32:, 2] = 1, 1, 1  # red below, green above
    picture.texture.write(colours.tobytes())
    present = Present(gl)

    def shown(moved: tuple[float, ...] | None) -> np.ndarray:
        screen.clear()
        present.render(picture.texture, screen, 0.0, moved=moved)
        return np.frombuffer(screen.read(components=3), np.uint8).reshape(64, 64, 3).astype(int)

    plain = shown(None)
    assert np.abs(shown((0.0,) * 7 + (1e-9,)) - plain).max() <= 1
    moved = shown((0.25 - 0.01, -0.24, 0, 0, 0, 0, 0, 0))  # the top left corner, inwards
    assert moved[60, 3].max() == 0  # black where the picture has left
    assert moved[3, 3].tolist() == plain[3, 3].tolist()
    assert moved[3, 60].tolist() == plain[3, 60].tolist()
    assert moved[44, 20].tolist() == [0, 255, 0]  # green, not far below the corner
    present.release()
    for one in (picture, screen):
        one.release()


def test_nothing_shines_where_the_picture_would_pass_the_eye(gl: moderngl.Context) -> None:
    """Pushed far, the four corners are a plane that ends on the screen, along a line."""
    picture, screen = Target(gl, (320, 200)), Target(gl, (320, 200), "f1")
    picture.framebuffer.clear(1, 1, 1, 1)
    present = Present(gl)
    moved = (-0.24, -0.24, -0.24, -0.24, -0.24, -0.24, 0.24, 0.24)
    present.render(picture.texture, screen.framebuffer, 0.0, moved=moved)
    shown = screen.read()[..., 0]
    assert shown[100, 100] == 1.0
    up, across = np.mgrid[0:200, 0:320]
    beside = across / 145 + up / 90 < 1  # left and below of its bottom left corner
    assert shown[beside].max() == 0.0
    for one in (present, picture, screen):
        one.release()
