"""A piece that takes the shape of who is before the wall: by its scene, or by the room's fader."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from installation import candidates, house, stage, still
from installation.control.query import describe
from installation.engine.painter import Painter
from installation.engine.played import alike, split
from installation.engine.walk import LatentSpace, declare_pieces, follow
from installation.parameters import Bus
from installation.programme import Options
from installation.scene import SceneError
from installation.still import StillError
from models import piece
from models.card import read_card
from models.latent import BEND, GUIDE, Label, Latent
from tests.pieces import LATENT, make_piece
from tests.shows import opened, run
from tests.waiting import until

WIDTH = LATENT.width
CHANCE = np.random.default_rng(5)
SOMEBODY = CHANCE.standard_normal((GUIDE, GUIDE)).astype(np.float32)
OTHER = CHANCE.standard_normal((GUIDE, GUIDE)).astype(np.float32)

SCENE = """from installation.scene import Scene

class {name}(Scene):
    def start(self, space):
        self.space = space

    def step(self, frame):
        space, point = self.space, self.space.seed(3)
        return {point}
"""
FOLLOWS = "space.guide(point, frame.guide, 0.5)"
BENDS = "space.bend(point, depth=0.5, turn=30)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_piece(tmp_path_factory.mktemp("pieces") / "tiny", guided=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_piece(tmp_path_factory.mktemp("pieces") / "plain")


@pytest.fixture
def space() -> LatentSpace:
    return LatentSpace(LATENT, guided=True)


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.float32]]:
    """The points of every picture."""
    points, paint = list[NDArray[np.float32]](), Painter.paint
    monkeypatch.setattr(Painter, "paint", lambda s, p: (points.append(p), paint(s, p))[1])
    return points


@contextmanager
def watched(folder: Path, **scenes: str) -> Iterator[stage.Stage]:
    """A show of these scenes, by what they return, with somebody before the wall."""
    for name, point in scenes.items():
        Path(f"{name}.py").write_text(SCENE.format(name=name.title(), point=point))
    Path("order.toml").write_text(
        "".join(f"[[scene]]\nscene = '{name}.py'\nseconds = 99\n" for name in scenes)
    )
    Path("here.toml").write_text("[play]\nsetlist = 'order.toml'\npresets = ''\n")
    with opened(Options(piece=str(folder), venue="here.toml")) as show:
        show.controls.watch(SimpleNamespace(shade=None, guide=SOMEBODY))  # type: ignore[arg-type]
        yield show


def test_a_point_is_followed_by_its_guide_and_then_its_bends(space: LatentSpace) -> None:
    point = space.seed(1)
    made = space.bend(space.guide(point, SOMEBODY, 0.5), depth=0.5, turn=30)
    own, guide, bends = split(made, WIDTH)
    np.testing.assert_array_equal(own, point)
    np.testing.assert_allclose(guide, SOMEBODY.ravel() / 2)
    np.testing.assert_allclose(bends, [0.5, 30, 0, 0, 0])
    assert made.dtype == np.float32
    late = space.guide(space.bend(point, depth=0.5, turn=30), SOMEBODY, 0.5)
    np.testing.assert_array_equal(late, made)  # in whatever order


def test_two_guides_are_both_followed(space: LatentSpace) -> None:
    point = space.guide(space.guide(space.seed(1), SOMEBODY, 0.25), OTHER, 0.75)
    np.testing.assert_allclose(
        point[WIDTH:], (0.25 * SOMEBODY + 0.75 * OTHER).ravel(), rtol=1e-5, atol=1e-6
    )


def test_who_sees_nobody_and_what_follows_nothing_leave_the_point(space: LatentSpace) -> None:
    point = space.bend(space.seed(1), turn=10)
    np.testing.assert_array_equal(space.guide(point, None), point)
    np.testing.assert_array_equal(LatentSpace(LATENT).guide(point, SOMEBODY), point)


@pytest.mark.parametrize("guided", [True, False])
def test_a_guide_of_another_size_is_none(guided: bool) -> None:
    space = LatentSpace(LATENT, guided=guided)
    with pytest.raises(ValueError, match=r"16 rows of 16 numbers, not \(16, 12\)"):
        space.guide(space.seed(1), SOMEBODY[:, :12])


def test_points_of_one_request_are_drawn_as_each_alone(folder: Path, space: LatentSpace) -> None:
    generator = piece.load(folder).generator
    point = space.seed(1)
    points = [
        point,
        space.guide(point, SOMEBODY),
        space.bend(point, depth=1, turn=50),
        space.bend(space.bend(point, depth=1, turn=50), depth=0.3, across=0.3),
        space.bend(space.guide(point, OTHER), depth=0.6, up=0.2),
    ]
    rows = alike(points, WIDTH)
    assert rows.shape == (5, WIDTH + GUIDE**2 + 2 * len(BEND))
    together = generator(torch.from_numpy(rows))
    for one, drawn in zip(points, together, strict=True):
        alone = generator(torch.from_numpy(one)[None])[0]
        assert (drawn - alone).abs().mean() < 1e-4
    assert (together[1] - together[0]).abs().mean() > 0.01


def test_those_that_are_alike_stay_as_they_are(space: LatentSpace) -> None:
    points = [space.seed(1), space.seed(2)]
    np.testing.assert_array_equal(alike(points, WIDTH), points)


def test_the_fader_is_there_where_a_piece_can_follow(folder: Path, plain: Path) -> None:
    bus = Bus()
    house.declare(bus, {"plain": read_card(plain)})
    assert "/piece/guide" not in bus
    house.declare(bus, {"plain": read_card(plain), "tiny": read_card(folder)})
    assert bus["/piece/guide"].doc
    node = describe(bus, "/piece/guide")
    assert node is not None
    assert node["RANGE"] == [{"MIN": 0, "MAX": 1}]
    house.declare(bus, {"plain": read_card(plain)})
    assert "/piece/guide" not in bus


def test_a_label_of_that_name_keeps_out_of_its_way() -> None:
    bus = Bus()
    declare_pieces(bus, [(Latent(4, (Label("guide", ("dog", "none")),)), ())], guided=True)
    assert "/piece/guide" in bus
    assert "/piece/guide_label/dog" in bus


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_fader_takes_from_the_scene_s_own_guide(space: LatentSpace, share: float) -> None:
    own = space.bend(space.guide(space.seed(1), OTHER, 0.8), turn=10)
    made = follow(lambda address: share, LATENT, own, SOMEBODY)
    wanted = (1 - share) * 0.8 * OTHER + share * SOMEBODY
    np.testing.assert_allclose(split(made, WIDTH)[1], wanted.ravel(), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(split(made, WIDTH)[2], own[-len(BEND) :])
    alone = follow(lambda address: share, LATENT, own, None)
    np.testing.assert_allclose(
        split(alone, WIDTH)[1], (1 - share) * 0.8 * OTHER.ravel(), rtol=1e-4, atol=1e-6
    )
    assert follow(lambda address: 0.0, LATENT, own, SOMEBODY) is own


def test_scenes_that_follow_and_bend_go_over_into_each_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, painted: list[np.ndarray]
) -> None:
    monkeypatch.chdir(tmp_path)
    with watched(folder, follows=FOLLOWS, bends=BENDS) as show:
        run(show, 2)
        np.testing.assert_allclose(painted[-1][0, WIDTH:], SOMEBODY.ravel() / 2)
        show.bus.post("/stage/scene/bends", 1)
        run(show, 4)
        one, other = (split(point, WIDTH) for point in painted[-1])
        np.testing.assert_allclose(one[1], SOMEBODY.ravel() / 2)
        assert not one[2].any()
        assert not other[1].any()
        np.testing.assert_allclose(other[2], [0.5, 30, 0, 0, 0])
        assert not show.show.scene.fault


def test_what_a_scene_makes_of_its_guide_is_its_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, painted: list[np.ndarray]
) -> None:
    monkeypatch.chdir(tmp_path)
    changes = "space.guide(point, frame.guide.__imul__(2) if frame.guide is not None else None)"
    before = SOMEBODY.copy()
    with watched(folder, changes=changes, follows=FOLLOWS) as show:
        run(show, 3)
        np.testing.assert_allclose(painted[-1][0, WIDTH:], 2 * before.ravel())
        show.bus.post("/stage/scene/follows", 1)
        run(show, 2)
        np.testing.assert_allclose(painted[-1][0, WIDTH:], 2 * before.ravel())
        np.testing.assert_allclose(painted[-1][1, WIDTH:], before.ravel() / 2)
        assert not show.show.scene.fault
    np.testing.assert_array_equal(SOMEBODY, before)


def test_any_scene_is_a_mirror_by_hand(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, painted: list[np.ndarray]
) -> None:
    monkeypatch.chdir(tmp_path)
    with watched(folder, bends=BENDS) as show:
        run(show, 2)
        assert painted[-1].shape[1] == WIDTH + len(BEND)
        before = run(show, 1)
        show.bus.post("/piece/guide", 1)
        show.bus.tick(100)
        after = run(show, 2)
        _, guide, bends = split(painted[-1][0], WIDTH)
        np.testing.assert_allclose(guide, SOMEBODY.ravel(), rtol=1e-4)
        np.testing.assert_allclose(bends, [0.5, 30, 0, 0, 0])
        assert np.abs(after - before).mean() > 1
        show.bus.post("/stage/still", 1)
        run(show, 2)
        assert len(show.show.scene.shown) == WIDTH + GUIDE**2 + len(BEND)  # type: ignore[arg-type]
        until(lambda: (run(show, 1), list(Path("clips").glob("*.png")))[1])
    (saved,) = Path("clips").glob("*.png")
    assert len(still.read(saved).point(LATENT)) == WIDTH  # a still tells the point alone


def test_a_piece_that_follows_nothing_plays_such_a_scene(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, painted: list[np.ndarray]
) -> None:
    monkeypatch.chdir(tmp_path)
    with watched(plain, follows=FOLLOWS) as show:
        run(show, 2)
        assert {points.shape[1] for points in painted} == {WIDTH, WIDTH + len(BEND)}
        assert painted[-1].shape[1] == WIDTH
        assert not show.show.scene.fault


@pytest.mark.parametrize(
    ("guided", "says"), [(True, "11 numbers, guided or not, bent 4"), (False, "11 numbers, bent 4")]
)
def test_a_point_of_another_length_is_refused(
    folder: Path, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    guided: bool, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    wrong = "__import__('numpy').zeros(11 + 256 + 2 + 3 * (not space.guided), 'float32')"
    with (
        pytest.raises(SceneError, match=says),
        watched(folder if guided else plain, wrong=wrong),
    ):
        pass


def test_all_that_may_be_asked_of_a_painter_is_tried_at_its_start(
    folder: Path, plain: Path, painted: list[np.ndarray]
) -> None:
    Painter(plain)
    bend = len(BEND)
    assert [len(points[0]) - WIDTH for points in painted] == [0, bend]
    painted.clear()
    Painter(folder)
    assert [len(points[0]) - WIDTH for points in painted] == [0, bend, GUIDE**2, GUIDE**2 + bend]


def test_stills_take_the_shape_of_a_picture(folder: Path, tmp_path: Path) -> None:
    drawing = np.full((40, 64, 3), 20, np.uint8)
    drawing[:, 32:] = 230  # light on the right
    Image.fromarray(drawing).save(tmp_path / "a.png")
    Image.fromarray(drawing[:, ::-1]).save(tmp_path / "b.png")
    settings = {"count": 2, "seed": 3}
    plain = candidates.draw(str(folder), tmp_path / "plain", **settings)
    pictures = [[np.asarray(Image.open(path), int) for path in plain]]
    for name in "ab":
        stills = candidates.draw(
            str(folder), tmp_path / name, **settings, guide=tmp_path / f"{name}.png"
        )
        pictures.append([np.asarray(Image.open(path), int) for path in stills])
        for one, other in zip(plain, stills, strict=True):  # what they tell is the point alone
            told = [still.read(path).point(LATENT) for path in (one, other)]
            np.testing.assert_array_equal(*told)
    before, right, left = pictures
    for number in range(2):
        assert np.abs(right[number] - before[number]).mean() > 1
        assert np.abs(left[number] - right[number]).mean() > 1
    with pytest.raises(StillError, match="is not a JPEG"):
        candidates.draw(str(folder), tmp_path / "c", **settings, guide=Path(__file__))
