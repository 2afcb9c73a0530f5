"""Where the picture lies on the wall: its corners and edges moved, and several screens that share
it."""

from __future__ import annotations

import itertools
from pathlib import Path

import moderngl
import numpy as np
import pytest
from PIL import Image

from installation.control.mapping import automatic
from installation.engine.projection import Projection
from installation.engine.textures import Target
from installation.engine.wall import (
    Screen,
    Wall,
    declared,
    edges,
    overlaps,
    picture_size,
    to_square,
)
from installation.parameters import Bus
from installation.screens import read_masks
from installation.tables import Screen as Wanted

STILL = (0.0,) * 8
ASKEW = (0.1, -0.05, -0.08, 0.0, 0.02, 0.11, -0.03, 0.04)
PLACES = np.array([(0, 1), (1, 1), (1, 0), (0, 0)], float)
LEFT, RIGHT = Screen((0, 0, 0.5, 1), (0, 0, 0.6, 1)), Screen((0.5, 0, 0.5, 1), (0.4, 0, 0.6, 1))


def wall(screens: int = 1, **moved: float) -> Bus:
    """A bus with parameters of the wall, at rest: "2/top_bow" is under /wall/2."""
    bus = Bus()
    for prefix, what in declared(screens).items():
        bus.declare(prefix, what)
    for name, value in moved.items():
        assert bus.post(f"/wall/{name}", value)
    bus.tick(100.0)
    return bus


def taken(moved: tuple[float, ...], x: float, y: float) -> np.ndarray:
    """Where in the picture a place on the screen lies."""
    matrix = np.reshape(to_square(moved), (3, 3)).T
    p = matrix @ np.array([x, y, 1.0])
    return p[:2] / p[2]


def test_nothing_moved_changes_nothing() -> None:
    np.testing.assert_allclose(np.reshape(to_square(STILL), (3, 3)), np.eye(3), atol=1e-12)


def test_every_corner_lies_where_it_was_moved_and_lines_stay_straight() -> None:
    screen = PLACES + np.reshape(ASKEW, (4, 2))
    for (x, y), wanted in zip(screen, PLACES, strict=True):
        np.testing.assert_allclose(taken(ASKEW, x, y), wanted, atol=1e-12)
    middle = (screen[0] + screen[1]) / 2  # of the upper edge: still on the upper edge
    assert taken(ASKEW, *middle)[1] == pytest.approx(1)


def test_every_shape_within_reach_can_be_undone() -> None:
    reach = Wall.declared()["top_left_x"].high  # type: ignore[union-attr]
    for moved in itertools.product((-reach, reach), repeat=8):
        assert np.isfinite(to_square(moved)).all()
        matrix = np.reshape(to_square(moved), (3, 3)).T
        screen = PLACES + np.reshape(moved, (4, 2))
        depth = np.c_[screen, np.ones(4)] @ matrix[2]
        assert (depth > 0).all()  # the picture is not turned inside out
    to_square.cache_clear()


def test_only_what_was_moved_costs_anything(gl: moderngl.Context) -> None:
    for bus, screens, needed in (
        (Bus(), [Screen()], False),
        (wall(), [Screen()], False),
        (wall(top_right_y=-0.1), [Screen()], True),
        (wall(left_bow=0.1), [Screen()], True),
        (wall(grid=1), [Screen()], True),
        (wall(), [Screen(mirror=True)], True),
        (wall(2), [LEFT, RIGHT], True),
    ):
        projection = Projection(gl, bus, screens)
        assert projection.needed is needed
        projection.release()


def test_each_screen_has_edges_of_its_own() -> None:
    bus = wall(3, top_left_x=0.1, **{"3/right_bow": -0.2})
    assert edges(bus, 0) == ((pytest.approx(0.1), *STILL[1:]), (0, 0, 0, 0))
    assert edges(bus, 1) == (STILL, (0, 0, 0, 0))
    assert edges(bus, 2) == (STILL, (0, pytest.approx(-0.2), 0, 0))


def test_no_knob_moves_the_wall_by_itself() -> None:
    assert automatic(wall(4)) == []


def test_where_screens_overlap() -> None:
    assert overlaps([LEFT, RIGHT], 0) == (0, 0, pytest.approx(1 / 3), 0)
    assert overlaps([LEFT, RIGHT], 1) == (pytest.approx(1 / 3), 0, 0, 0)
    hard = Screen(RIGHT.area, RIGHT.part, blend=False)
    assert overlaps([LEFT, hard], 0) == overlaps([LEFT, hard], 1) == (0, 0, 0, 0)
    four = [Screen(part=(x, y, 0.6, 0.7)) for y in (0, 0.3) for x in (0, 0.4)]
    third, more = pytest.approx(1 / 3), pytest.approx(4 / 7)
    assert overlaps(four, 0) == (0, more, third, 0)
    assert overlaps(four, 3) == (third, 0, 0, more)
    # the same once more, a detail of it, and what lies beside it are no overlap
    for other in ((0, 0, 1, 1), (0.2, 0.2, 0.5, 0.5)):
        pair = [Screen(), Screen(part=other)]
        assert overlaps(pair, 0) == overlaps(pair, 1) == (0, 0, 0, 0)
    # across a corner: they overlap along the side of which more is shared, and its own neighbour
    # says how far another side does
    corner = [Screen(part=(x, y, 0.6, 0.6)) for x, y in ((0, 0), (0.4, 0), (0, 0.4))]
    assert overlaps(corner, 1) == (third, 0, 0, 0)
    assert overlaps(corner, 2) == (0, 0, 0, third)
    bricks = [Screen(part=(x, y, 0.55, 0.55)) for x, y in ((0, 0), (0.45, 0), (0.225, 0.45))]
    share = pytest.approx(0.1 / 0.55)
    assert overlaps(bricks, 0) == (0, share, share, 0)
    assert overlaps(bricks, 2) == (0, 0, 0, share)
    beside = [Screen(part=(0, 0, 0.5, 1)), Screen(part=(0.5, 0, 0.5, 1))]
    assert overlaps(beside, 0) == overlaps(beside, 1) == (0, 0, 0, 0)


def test_the_picture_has_the_shape_of_the_wall() -> None:
    assert picture_size([Screen()], (1921, 1079)) == (1921, 1079)
    assert picture_size([LEFT, RIGHT], (2000, 500)) == (1667, 500)
    assert picture_size([Screen(turn=90)], (1920, 1080)) == (1080, 1920)
    assert picture_size([Screen(turn=180)], (1920, 1080)) == (1920, 1080)


def test_a_detail_on_one_screen_makes_no_picture_that_no_gpu_holds() -> None:
    """To show a hundredth of it pixel by pixel, all of it would have thousands of pixels."""
    window = (3840, 1080)
    for part in (0.1, 0.01):
        detail = Screen((0.5, 0, 0.5, 1), (0.4, 0.4, part, part))
        width, height = picture_size([Screen((0, 0, 0.5, 1)), detail], window)
        assert width * height <= 4.01 * window[0] * window[1]
        assert width / height == pytest.approx(16 / 9, rel=0.01)
    strip = [Screen((0, 0, 1 / 3, 1 / 3), (k / 9, 0, 1 / 9, 1)) for k in range(9)]
    assert picture_size(strip, (5760, 3240)) == (16384, 1024)  # of a texture's longest side
    assert picture_size([Screen(part=(0, 0, 1, 0.01))], (100, 1)) == (20, 20)


SIZE = (64, 64)


class Drawn:
    """A window of 64 x 64 pixels, and what it shows of a picture, (H, W, 3), first row on top."""

    def __init__(self, gl: moderngl.Context) -> None:
        self._gl = gl
        self._screen = Target(gl, SIZE, "f1")

    def of(
        self, light: np.ndarray, screens: list[Screen], bus: Bus, kept: bool = False
    ) -> np.ndarray:
        """light: of the picture, linear. The window's levels, 0 to 255; kept: what is recorded."""
        picture = Target(self._gl, light.shape[1::-1], "f4")
        whole = np.ones((*light.shape[:2], 4), np.float32)
        whole[..., :3] = light[::-1]
        picture.texture.write(whole.tobytes())
        projection = Projection(self._gl, bus, screens)
        self._screen.framebuffer.clear(1, 1, 1, 1)
        projection.present(picture.texture, self._screen.framebuffer, 0.0, 1.0, False)
        read = self._screen.framebuffer
        if kept:
            read = projection.kept(picture.texture, read, 0.0, 1.0, False)
        width, height = read.viewport[2:]
        data = read.read(components=3, alignment=1)
        projection.release()
        picture.release()
        return np.frombuffer(data, np.uint8).reshape(height, width, 3)[::-1].astype(int)

    def release(self) -> None:
        self._screen.release()


@pytest.fixture
def drawn(gl: moderngl.Context):
    made = Drawn(gl)
    yield made
    made.release()


def quarters() -> np.ndarray:
    """Green on top, red below; with blue in the right half."""
    light = np.zeros((64, 64, 3))
    light[:32, :, 1], light[32:, :, 0], light[:, 32:, 2] = 1, 1, 1
    return light


def test_the_picture_on_the_wall(drawn: Drawn) -> None:
    plain = drawn.of(quarters(), [Screen()], wall())
    assert np.abs(drawn.of(quarters(), [Screen()], wall(top_left_x=1e-9)) - plain).max() <= 1
    moved = drawn.of(quarters(), [Screen()], wall(top_left_x=0.24, top_left_y=-0.24))
    assert moved[3, 3].max() == 0  # black where the picture has left
    assert moved[60, 3].tolist() == plain[60, 3].tolist() == [255, 0, 0]
    assert moved[60, 60].tolist() == plain[60, 60].tolist() == [255, 0, 255]
    assert moved[19, 20].tolist() == [0, 255, 0]  # green, not far below the corner


def test_edges_of_a_wall_that_is_round(drawn: Drawn) -> None:
    moved = drawn.of(quarters(), [Screen()], wall(bottom_bow=0.2, left_bow=0.2))
    assert moved[55, 32].max() == moved[32, 8].max() == 0  # their middles are within
    assert moved[59, 60].tolist() == [255, 0, 255]  # the corners are where they were
    assert moved[45, 24].tolist() == [255, 0, 0]
    assert moved[1, 62].tolist() == [0, 255, 255]


@pytest.mark.parametrize(
    ("screen", "corners"),
    [  # top left, top right, bottom left, bottom right of what the window shows
        (Screen(), "GCRM"),
        (Screen(mirror=True), "CGMR"),
        (Screen(turn=180), "MRCG"),
        (Screen(turn=90), "CMGR"),
        (Screen(turn=270), "RGMC"),
        (Screen(turn=90, mirror=True), "GRCM"),
        (Screen(part=(0.5, 0, 0.5, 0.5)), "CCCC"),
    ],
)
def test_screens_that_hang_otherwise(drawn: Drawn, screen: Screen, corners: str) -> None:
    """Green, cyan, red and magenta. A screen that is turned clockwise has its left on top."""
    names = {(0, 255, 0): "G", (0, 255, 255): "C", (255, 0, 0): "R", (255, 0, 255): "M"}
    shown = drawn.of(quarters(), [screen], wall())
    found = [names.get(tuple(shown[y, x].tolist()), "?") for y in (8, 55) for x in (8, 55)]
    assert "".join(found) == corners


def linear(levels: np.ndarray) -> np.ndarray:
    c = levels / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def test_two_projectors_are_as_bright_as_one_where_they_overlap(drawn: Drawn) -> None:
    light = np.full((64, 54, 3), 0.5)
    shown = linear(drawn.of(light, [LEFT, RIGHT], wall(2)))[32, :, 1]
    # the picture is 1 / 0.6 screens wide, each screen 32 pixels: 21 are shown by both, 1/3 of each
    at = (np.arange(32) + 0.5) / 32 * 0.6
    left = np.interp(np.linspace(0.41, 0.59, 19), at, shown[:32])
    right = np.interp(np.linspace(0.41, 0.59, 19), at + 0.4, shown[32:])
    np.testing.assert_allclose(left + right, 0.5, atol=0.01)
    assert left[0] > 0.45 > 0.05 > left[-1]
    np.testing.assert_allclose(shown[:20], 0.5, atol=0.01)  # where it is alone
    darker = linear(drawn.of(light, [LEFT, RIGHT], wall(2, seam=2)))[32, :, 1]
    assert darker[26] < 0.8 * shown[26]
    np.testing.assert_allclose(darker[:20], shown[:20], atol=0.01)


def test_a_mask_keeps_light_from_where_it_is_black(drawn: Drawn) -> None:
    mask = np.zeros((4, 4), np.uint8)
    mask[:2, :2] = 255  # the top left
    shown = drawn.of(np.ones((64, 64, 3)), [Screen(mask=mask)], wall())
    assert shown[8, 8].min() == 255
    assert shown[8, 55].max() == shown[55, 8].max() == 0
    assert shown[55, 55].max() == 0


def test_black_where_no_screen_is(drawn: Drawn) -> None:
    half = Screen((0, 0, 1, 0.5), (0, 0, 1, 0.5))
    shown = drawn.of(np.ones((64, 64, 3)), [half], wall())
    assert shown[:31].min() == 255
    assert shown[33:].max() == 0


def test_lines_to_align_by_meet_in_the_overlap(drawn: Drawn) -> None:
    plain = drawn.of(np.zeros((64, 107, 3)), [LEFT, RIGHT], wall(2))
    assert plain.max() == 0
    shown = drawn.of(np.zeros((64, 107, 3)), [LEFT, RIGHT], wall(2, grid=1))
    assert (shown.max((0, 2)) > 100).any()
    middle = [0.5 / 0.6 * 32, 32 + 0.1 / 0.6 * 32]  # of the picture, on either screen
    for x in middle:
        assert shown[:, round(x) - 1 : round(x) + 1].max(1).min() > 90  # a white line down


def test_what_is_recorded_is_the_picture_without_the_screens(drawn: Drawn) -> None:
    light = quarters()
    for screens, moved in (([Screen(mirror=True)], {}), ([Screen()], {"top_left_x": 0.2})):
        kept = drawn.of(light, screens, wall(**moved), kept=True)
        assert kept.shape == (64, 64, 3)
        np.testing.assert_array_equal(kept, (light[:, :, :] * 255).astype(int))
    assert drawn.of(light, [LEFT, RIGHT], wall(2), kept=True).shape == (64, 53, 3)


def test_nothing_shines_where_the_picture_would_pass_the_eye(gl: moderngl.Context) -> None:
    """Pushed far, the four corners are a plane that ends on the screen, along a line."""
    picture, screen = Target(gl, (320, 200)), Target(gl, (320, 200), "f1")
    picture.framebuffer.clear(1, 1, 1, 1)
    names = [name for name in Wall.declared() if name[-2:] in ("_x", "_y")]
    values = (-0.24, -0.24, -0.24, -0.24, -0.24, -0.24, 0.24, 0.24)
    projection = Projection(gl, wall(**dict(zip(names, values, strict=True))), [Screen()])
    projection.present(picture.texture, screen.framebuffer, 0.0, 1.0, False)
    shown = screen.read()[..., 0]
    assert shown[100, 100] == 1.0
    up, across = np.mgrid[0:200, 0:320]
    beside = across / 145 + up / 90 < 1  # left and below of its bottom left corner
    assert shown[beside].max() == 0.0
    for one in (projection, picture, screen):
        one.release()


def test_masks_of_all_kinds_are_read_as_they_look(tmp_path: Path) -> None:
    grey = np.array([[0, 255], [128, 64]], np.uint8)
    alpha = np.dstack([np.full((2, 2, 3), 255, np.uint8), grey])
    kinds = {
        "grey.png": Image.fromarray(grey),
        "colour.png": Image.fromarray(np.dstack([grey] * 3)),
        "alpha.png": Image.fromarray(alpha),
        "deep.png": Image.fromarray(grey.astype(np.uint16) * 257),
    }
    for name, image in kinds.items():
        image.save(tmp_path / name)
    masks, faults = read_masks([Wanted(mask=str(tmp_path / name)) for name in kinds])
    assert faults == []
    for mask in masks:
        assert mask is not None
        assert np.abs(mask.astype(int) - grey).max() <= 1
    assert read_masks([Wanted(), Wanted()]) == ([None, None], [])


def test_what_is_wrong_with_a_mask(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    huge = tmp_path / "huge.png"
    Image.new("L", (8193, 1)).save(huge)
    masks, faults = read_masks(
        [
            Wanted(),
            *(Wanted(mask=str(path)) for path in (tmp_path / "no.png", broken, huge, tmp_path)),
        ]
    )
    assert masks == [None] * 5
    assert [str(fault) for fault in faults] == [
        f"screen 2: mask: there is no file {tmp_path / 'no.png'}",
        f"screen 3: mask: {broken} is no PNG, JPEG or WebP that can be read",
        f"screen 4: mask: {huge} has a side of more than 8192 pixels",
        f"screen 5: mask: {tmp_path} is no PNG, JPEG or WebP that can be read",
    ]
