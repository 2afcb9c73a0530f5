"""A generator bent while it draws, by the room's faders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from installation import still
from installation.engine.painter import Painter
from installation.engine.walk import LatentSpace, bend, declare_pieces
from installation.parameters import Bus
from installation.programme import Options
from models import piece
from models.bend import bent
from models.generator import FoldedGenerator
from models.latent import BEND, Label, Latent
from tests.pieces import LATENT, make_piece
from tests.shows import opened, run
from tests.waiting import until

POINT = torch.from_numpy(LatentSpace(LATENT).seed(1))[None]

LEAN = """from installation.scene import Scene

class Lean(Scene):
    def start(self, space):
        self.space = space

    def step(self, frame):
        return self.space.bend(self.space.seed(3), depth=0.5, turn=30, up=0.1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_piece(tmp_path_factory.mktemp("pieces") / "tiny")


@pytest.fixture(scope="module")
def generator(folder: Path) -> FoldedGenerator:
    return piece.load(folder).generator


def bending(**named: float) -> torch.Tensor:
    return torch.tensor([[named.get(name, 0.0) for name in BEND]])


def drawn(generator: FoldedGenerator, **named: float) -> torch.Tensor:
    return generator(torch.cat([POINT, bending(**named)], 1))


@pytest.mark.parametrize("depth", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("turn", [0.0, 360.0])
def test_at_rest_it_draws_what_it_did(
    generator: FoldedGenerator, depth: float, turn: float
) -> None:
    still = drawn(generator, depth=depth)
    torch.testing.assert_close(still, generator(POINT), atol=1e-4, rtol=0)
    if depth in (0, 1):  # between two layers each of them turns half of the way
        turned = drawn(generator, depth=depth, turn=turn)
        torch.testing.assert_close(turned, generator(POINT), atol=1e-3, rtol=0)


def test_maps_go_where_they_are_moved() -> None:
    maps = torch.rand(1, 3, 16, 16)
    right = bent(maps, bending(depth=1, across=0.25), 2, 3)
    torch.testing.assert_close(right[..., 4:], maps[..., :12], atol=1e-5, rtol=0)
    up = bent(maps, bending(depth=1, up=0.25), 2, 3)
    torch.testing.assert_close(up[..., :12, :], maps[..., 4:, :], atol=1e-5, rtol=0)
    clockwise = bent(maps, bending(depth=1, turn=90), 2, 3)
    torch.testing.assert_close(clockwise, maps.rot90(-1, (2, 3)), atol=1e-4, rtol=0)
    dot = torch.zeros(1, 1, 16, 16)
    dot[..., 7:9, 7:9] = 1
    larger = bent(dot, bending(depth=1, larger=1), 2, 3)
    assert float(larger.sum()) == pytest.approx(4 * float(dot.sum()), rel=0.01)


def test_each_layer_takes_its_share_of_the_depth() -> None:
    maps = torch.rand(1, 3, 16, 16)
    whole = bent(maps, bending(depth=0.5, across=0.25), 1, 3)
    torch.testing.assert_close(bent(maps, bending(depth=0.5, across=0.25), 0, 3), maps)
    torch.testing.assert_close(bent(maps, bending(depth=0.5, across=0.25), 2, 3), maps)
    half = bent(maps, bending(depth=0.25, across=0.5), 1, 3)
    torch.testing.assert_close(half, whole)


def test_the_first_layer_opens_another_picture_and_the_last_moves_this_one(
    generator: FoldedGenerator,
) -> None:
    # a quarter of 32 pixels; the edge has maps from beyond it
    moved = drawn(generator, depth=1, across=0.25)
    same = generator(POINT)[..., 4:20]
    torch.testing.assert_close(moved[..., 12:28], same, atol=1e-4, rtol=0)
    assert (drawn(generator, depth=0, across=0.25)[..., 12:28] - same).abs().mean() > 0.01


def test_points_of_one_batch_are_bent_each_in_its_way(generator: FoldedGenerator) -> None:
    rows = [torch.cat([POINT, bending(depth=0.5, turn=t)], 1) for t in (0.0, 30.0)]
    both = generator(torch.cat(rows))
    torch.testing.assert_close(both[:1], generator(POINT), atol=1e-4, rtol=0)
    torch.testing.assert_close(both[1:], generator(rows[1]), atol=1e-4, rtol=0)
    assert (both[0] - both[1]).abs().mean() > 0.01


def test_faders_are_read_in_the_order_of_the_numbers() -> None:
    bus = Bus()
    declare_pieces(bus, [(LATENT, ())])
    for number, name in enumerate(BEND):
        bus.post(f"/piece/bend/{name}", 0.1 * number)
    bus.tick(100)
    np.testing.assert_allclose(bend(bus.value), [0, 0.1, 0.2, 0.3, 0.4], atol=1e-6)
    for name in BEND[1:]:
        bus.post(f"/piece/bend/{name}", 0)
    bus.post("/piece/bend/depth", 1)  # alone it moves nothing
    bus.tick(100)
    assert len(bend(bus.value)) == 0


def test_two_bends_are_done_one_after_the_other(generator: FoldedGenerator) -> None:
    there, back = (bending(depth=1, across=x) for x in (0.25, -0.25))
    moved = generator(torch.cat([POINT, there, back], 1))
    torch.testing.assert_close(moved[..., :20], generator(POINT)[..., :20], atol=1e-4, rtol=0)
    assert (moved[..., 25:] - generator(POINT)[..., 25:]).abs().mean() > 1e-3  # beyond the edge


def test_a_scene_bends_beside_the_faders(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted, paint = [], Painter.paint
    monkeypatch.setattr(Painter, "paint", lambda s, p: (painted.append(p), paint(s, p))[1])
    monkeypatch.chdir(tmp_path)
    Path("lean.py").write_text(LEAN)
    order = "".join(f"[[scene]]\nscene = '{name}'\nseconds = 9\n" for name in ("drift", "lean.py"))
    Path("order.toml").write_text(order)
    Path("here.toml").write_text("[play]\nsetlist = 'order.toml'\npresets = ''\n")
    with opened(Options(piece=str(folder), venue="here.toml")) as show:
        run(show, 2)
        show.bus.post("/stage/scene/lean", 1)
        run(show, 4)
        both = painted[-1]  # while one goes over into the other
        assert both.shape == (2, LATENT.width + len(BEND))
        assert not both[0, LATENT.width :].any()
        np.testing.assert_allclose(both[1, LATENT.width :], [0.5, 30, 0, 0, 0.1])
        run(show, 90)
        show.bus.post("/piece/bend/turn", -30)
        run(show, 90)
        (last,) = painted[-1]
        assert len(last) == LATENT.width + 2 * len(BEND)
        assert last[-4] == pytest.approx(-30, abs=0.5)
        assert not show.show.scene.fault


def test_a_label_of_that_name_keeps_out_of_its_way() -> None:
    bus = Bus()
    declare_pieces(bus, [(Latent(4, (Label("bend", ("turn", "none")),)), ())])
    assert "/piece/bend/turn" in bus
    assert "/piece/bend_label/turn" in bus


def test_a_fader_bends_what_the_wall_shows(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = []
    paint = Painter.paint

    def noted(self: Painter, points: np.ndarray) -> object:
        widths.append(points.shape[1])
        return paint(self, points)

    monkeypatch.setattr(Painter, "paint", noted)
    monkeypatch.chdir(tmp_path)
    with opened(Options(piece=str(folder), scene="drift")) as show:
        widths.clear()  # it has been tried at its start
        show.bus.post("/piece/bend/depth", 0.8)  # alone it moves nothing
        run(show, 3)
        assert set(widths) == {LATENT.width}
        show.bus.post("/piece/bend/turn", 40)
        run(show, 3)
        assert widths[-1] == LATENT.width + len(BEND)
        show.bus.post("/stage/still", 1)
        run(show, 2)
        show.bus.post("/piece/bend/turn", 0)
        until(lambda: (run(show, 1), widths[-1] == LATENT.width)[1])
    (saved,) = Path("clips").glob("*.png")
    assert len(still.read(saved).point(LATENT)) == LATENT.width  # a still tells the point alone
