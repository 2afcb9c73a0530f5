"""What the eye makes of a room: drawn by code."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from installation.control import guide
from installation.control.eye import WIDTH, Eye, Seen
from models.latent import GUIDE
from tests.visitors import HEIGHT, RATE, Picture, Room, silhouette


@pytest.fixture
def room() -> Room:
    made = Room()
    made.watch(5)
    return made


def test_an_empty_room_is_empty_whatever_the_light_does(room: Room) -> None:
    seen = []
    for room.light in np.linspace(1, 1.4, 40):  # a cloud goes by
        seen += room.watch(0.1)
    room.light = 0.5  # half of the lamps are switched off
    seen += room.watch(4)
    room.light = 0.0  # all of them
    seen += room.watch(4)
    room.light = 1.0
    seen += room.watch(4)
    assert max(one.presence for one in seen) < 0.05
    assert max(one.motion for one in seen) < 0.2
    assert not any(one.arrives for one in seen)


@pytest.mark.parametrize("light", [0.15, 0.1, 0.07])
def test_lamps_that_go_out_at_once_but_for_a_few_are_nobody(room: Room, light: float) -> None:
    room.light = light
    seen = room.watch(8)
    room.light = 1.0
    seen += room.watch(8)
    assert max(one.presence for one in seen) < 0.2
    assert not any(one.arrives for one in seen)
    assert room.watch(2, lambda number: room.person(40))[-1].presence > 0.3


def test_an_overexposed_room_is_empty_too(room: Room) -> None:
    """What is brighter than white cannot be compared."""
    seen = []
    for room.light in (1.8, 1.0, 1.7, 1.0):
        seen += room.watch(3)
    assert max(one.presence for one in seen) < 0.05
    room.light = 1.8
    room.watch(60)
    assert room.watch(3, lambda number: room.person(20))[-1].presence > 0.2
    room.light = 1.0
    assert room.watch(6)[-1].presence < 0.05


def test_who_walks_by_is_followed_as_in_a_mirror(room: Room) -> None:
    seen = room.watch(6, lambda number: room.person(-6 + number))
    across = [one.across for one in seen[12:60]]
    assert max(one.presence for one in seen) > 0.3
    assert max(one.motion for one in seen) > 0.5
    # the picture's left is the right of those before the wall
    assert across[0] > 0.6
    assert across[-1] < -0.4
    assert np.diff(across).max() < 0
    assert sum(one.arrives for one in seen) == 1
    gone = room.watch(6)[-1]
    assert (gone.presence, gone.motion) == pytest.approx((0, 0), abs=0.02)
    assert abs(gone.across) < 0.05


def test_a_camera_behind_them_sees_the_other_side(room: Room) -> None:
    room.eye = Eye(mirror=False)
    room.watch(5)
    assert room.watch(2, lambda number: room.person(8))[-1].across < -0.5
    assert room.watch(2, lambda number: room.person(56))[-1].across > 0.5


def test_who_stands_still_is_there_and_does_not_move(room: Room) -> None:
    seen = room.watch(60, lambda number: room.person(32))
    assert seen[-1].presence > 0.3
    assert seen[-1].motion < 0.1
    assert abs(seen[-1].across) < 0.1
    assert seen[-1].up < -0.2  # the feet are at the picture's lower edge


def test_the_nearer_the_more_present(room: Room) -> None:
    sizes = [(4, 14), (8, 26), (16, 40), (30, 48)]
    seen = []
    for width, height in sizes:
        sways = [room.person(32 + side, width, height) for side in (0, 1)]
        seen.append(room.watch(4, lambda number, sways=sways: sways[number // 4 % 2])[-1].presence)
    assert seen == sorted(seen)
    assert seen[0] < 0.35
    assert seen[-1] > 0.9


def test_only_who_comes_into_an_empty_room_arrives(room: Room) -> None:
    assert sum(one.arrives for one in room.watch(3, lambda number: room.person(20))) == 1
    another = room.watch(3, lambda number: np.minimum(room.person(20), room.person(50)))
    soon = room.watch(1) + room.watch(3, lambda number: room.person(20))
    assert not any(one.arrives for one in another + soon)
    room.watch(6)
    assert sum(one.arrives for one in room.watch(3, lambda number: room.person(40))) == 1


def test_what_is_put_there_belongs_to_the_room_in_the_end(room: Room) -> None:
    room.watch(900, lambda number: room.person(20), rate=2)  # a chair
    assert room.watch(3, lambda number: room.person(20))[-1].presence < 0.1
    assert room.watch(3)[-1].presence < 0.05  # it is taken away again
    assert room.watch(3, lambda number: room.person(40))[-1].presence > 0.3


def test_who_was_there_from_the_start_leaves_no_ghost_for_good() -> None:
    room = Room()
    room.watch(10, lambda number: room.person(40))
    assert room.watch(3)[-1].presence > 0.2  # what was behind is taken for somebody
    room.watch(600, rate=2)
    assert room.watch(3)[-1].presence < 0.02
    assert room.watch(3, lambda number: room.person(20))[-1].presence > 0.3


def test_a_camera_that_is_turned_learns_the_room_anew(room: Room) -> None:
    room.walls = np.roll(room.walls, 13, 1)[::-1].copy()
    assert room.watch(2)[-1].presence > 0.6
    assert room.watch(10)[-1].presence < 0.05


def test_a_screen_that_is_always_on_is_nobody(room: Room) -> None:
    before = room.watch(30, lambda number: room.screen())
    room.watch(1500, lambda number: room.screen(), rate=3)
    after = room.watch(30, lambda number: room.screen())

    def mean(seen: list[Seen]) -> float:
        return float(np.mean([one.presence + one.motion for one in seen]))

    assert mean(before) > 0.3
    assert mean(after) < 0.3 * mean(before)


def test_somebody_casts_a_shade_where_the_wall_is_before_them(room: Room) -> None:
    assert room.eye.shade.max() == 0
    room.watch(2, lambda number: room.person(50, 12))  # the picture's right: the wall's left
    shade = room.eye.shade
    assert (shade.shape, shade.dtype) == ((HEIGHT, WIDTH), np.uint8)
    where = np.zeros(shade.shape, bool)
    where[HEIGHT - 30 :, WIDTH - 1 - 56 : WIDTH - 1 - 44] = True
    assert shade[where].mean() > 200
    assert shade[~where].mean() < 12
    room.watch(3)
    assert room.eye.shade.max() < 8


@pytest.mark.parametrize("seconds", [0.0, -3.0, 1e-6, 3600.0])
def test_no_time_of_a_camera_makes_it_see_what_is_no_number(room: Room, seconds: float) -> None:
    chance = np.random.default_rng(1)
    for _ in range(20):
        seen = room.eye.see(chance.integers(0, 256, (HEIGHT, WIDTH), np.uint8), seconds)
    assert 0 <= seen.motion <= 1
    assert 0 <= seen.presence <= 1
    assert -1 <= seen.across <= 1
    assert -1 <= seen.up <= 1


def test_one_picture_that_comes_very_late_changes_little(room: Room) -> None:
    """As of a film that was cut, or a machine that slept."""
    room.eye.see((255 * room.walls).astype(np.uint8), 3600.0)
    assert max(one.presence for one in room.watch(10)) < 0.05


def test_another_size_of_picture_begins_anew(room: Room) -> None:
    seen = room.watch(3, lambda number: room.person(40))
    until = 1 + next(number for number, one in enumerate(seen) if one.arrives)
    room = Room()
    room.watch(5)
    assert room.watch(until / RATE, lambda number: room.person(40))[-1].arrives
    other = np.full((36, WIDTH), 128, np.uint8)
    after = [room.eye.see(other, 1 / RATE) for _ in range(2 * RATE)]
    assert not any(one.arrives for one in after)
    assert after[-1].presence < 0.05
    assert after[-1].motion < 0.05


def test_whoever_is_seen_as_the_room_is_learned_anew_goes_softly(room: Room) -> None:
    """Where a camera changes its picture's size, or is turned."""
    room.watch(2, lambda number: room.person(40, 20))
    most = room.eye.shade.mean()
    room.eye.see(np.full((36, WIDTH), 128, np.uint8), 1 / RATE)
    assert room.eye.shade.shape == (36, WIDTH)
    assert 0.7 * most < room.eye.shade.mean() < most
    room = Room()
    room.watch(5)
    room.walls = np.roll(room.walls, 13, 1)[::-1].copy()
    shades = []
    for _ in range(10 * RATE):
        room.watch(1 / RATE)
        shades.append(room.eye.shade.mean())
    assert max(shades) > 200
    assert np.diff(shades).min() > -0.3 * max(shades)
    assert shades[-1] < 1


def lit(room: Room, x: int, grey: float) -> Picture:
    """Somebody in one colour, their middle at this column, but for a light head."""
    picture = room.walls.copy()
    picture[18:, x - 6 : x + 6] = grey
    picture[18:26, x - 6 : x + 6] = 0.9
    return picture


def test_a_guide_is_as_large_as_a_piece_wants_it() -> None:
    assert guide.SIDE == GUIDE


def test_nobody_guides_nothing(room: Room) -> None:
    assert Eye().guide.shape == (guide.SIDE, guide.SIDE)
    assert np.abs(room.eye.guide).max() < 0.02
    room.watch(2, lambda number: room.person(40))
    assert room.eye.guide.std() > 0.7
    room.watch(6)
    assert np.abs(room.eye.guide).max() < 0.02


@pytest.mark.parametrize("x", [12, 32, 50])
def test_a_guide_is_light_where_somebody_is_and_goes_along_with_them(room: Room, x: int) -> None:
    room.watch(3, lambda number: room.person(x, 12))
    seen = room.eye.guide
    assert (seen.shape, seen.dtype) == ((guide.SIDE, guide.SIDE), np.float32)
    assert seen.mean() == pytest.approx(0, abs=1e-5)
    assert 0.7 < seen.std() <= 1.001
    # 12 of 48 points wide and 30 high, in the middle
    assert seen[7:, 7:9].min() > 0.5
    assert seen[:5].max() < 0
    assert seen[:, [0, 1, 2, 3, 12, 13, 14, 15]].max() < 0


def test_a_guide_is_as_in_a_mirror(room: Room) -> None:
    room.watch(3, lambda number: room.dancer(0))
    seen, there = room.eye.guide, silhouette()[:, ::-1]
    small = there[:, 8:56].reshape(16, 3, 16, 3).mean((1, 3))
    assert np.corrcoef(seen.ravel(), small.ravel())[0, 1] > 0.85
    assert np.corrcoef(seen[:, ::-1].ravel(), small.ravel())[0, 1] < 0.8
    room.eye = Eye(mirror=False)
    room.watch(5)
    room.watch(3, lambda number: room.dancer(0))
    assert np.corrcoef(room.eye.guide[:, ::-1].ravel(), small.ravel())[0, 1] > 0.85


@pytest.mark.parametrize("light", [1.0, 0.6])
def test_their_own_light_and_dark_counts_less_than_where_they_are(room: Room, light: float) -> None:
    room.light = light
    room.watch(8)
    room.watch(3, lambda number: lit(room, 32, 0.1))
    seen = room.eye.guide
    head, body, wall = seen[7, 8], seen[12, 8], seen[3:, 1].max()
    assert body + 0.3 < head
    assert head - body < body - wall


def test_a_guide_comes_and_goes_softly(room: Room) -> None:
    def steps(who: Callable[[int], Picture] | None) -> list[float]:
        seen = [room.eye.guide]
        for _ in range(3 * RATE):
            room.watch(1 / RATE, who)
            seen.append(room.eye.guide)
        return [float(np.abs(b - a).max()) for a, b in pairwise(seen)]

    came = steps(lambda number: room.person(40, 12))
    most = room.eye.guide.max()
    assert max(came) < 0.75 * most
    assert max(came[RATE:]) < 0.1 * most  # who stands still is at rest
    gone = steps(None)
    assert max(gone) < 0.75 * most


@pytest.mark.parametrize("shape", [(16, WIDTH), (36, WIDTH), (64, WIDTH), (114, WIDTH)])
@pytest.mark.parametrize("across", [-1.0, 0.3, 1.0])
def test_a_guide_is_the_mean_over_its_square(shape: tuple[int, int], across: float) -> None:
    """Against one that is drawn finely and counted."""
    chance, fine = np.random.default_rng(3), 16
    shade = chance.uniform(0, 1, shape)
    grey = np.full(shape, 0.5)
    height, width = shape
    middle = 0.5 + (across + 1) / 2 * (width - 1)
    at = middle - height / 2 + (np.arange(height * fine) + 0.5) / fine
    inside = (at >= 0) & (at < width)
    drawn = np.where(inside, shade[:, np.clip(at.astype(int), 0, width - 1)], 0).repeat(fine, 0)
    side = height * fine // 16
    counted = drawn.reshape(16, side, 16, side).mean((1, 3))
    counted -= counted.mean()
    off = guide.guide(shade, grey, across) * (counted.std() + 0.05) - counted
    assert np.abs(off).max() < 0.02
