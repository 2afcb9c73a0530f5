"""A show whose pieces, scenes and labels are named in the artist's own letters: every address is
one that OSC takes, and what an earlier version kept is still understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from installation import focus, house, listing, stage
from installation.control.binding import Move
from installation.learned import Learned
from installation.parameters import Bus, Param
from installation.programme import Options
from models.card import verify
from models.latent import Label, Latent
from tests import shows
from tests.pieces import make_piece
from tests.shows import run

OSC = re.compile(r"(/[^\s#*,/?\[\]{}\x00-\x1f\x7f-\U0010ffff]+)+")  # OSC 1.0
MASKS = Latent(6, (Label("ihu", ("ọma", "ojọọ")),))
FACES = Latent(6, (Label("顔", ("笑顔", "怒り")),))
SCENE = """from installation.scene import Param, Pass, Scene

class {}(Scene):
    größe = Param(0.5, 0, 1)
    passes = (Pass("色.glsl", amount=Param(0.25, 0, 1)),)

    def start(self, space):
        self.walk = space.loop()

    def step(self, frame):
        self.walk.advance(frame.dt * self.größe)
        return self.walk.point()
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A venue with two pieces and two scenes of one's own, which read alike."""
    pieces = [make_piece(tmp_path / "my masks", 16, MASKS), make_piece(tmp_path / "顔", 16, FACES)]
    (tmp_path / "色.glsl").write_text(
        "uniform float amount;\nvoid main() { color = vec4(amount * here(source), 1); }"
    )
    order = ""
    for name, piece in zip(("光", "広"), pieces, strict=True):
        (tmp_path / f"{name}.py").write_text(SCENE.format(name), encoding="utf-8")
        order += f"[[scene]]\nscene = '{tmp_path / name}.py'\nseconds = 9\npiece = '{piece}'\n"
    (tmp_path / "order.toml").write_text(order, encoding="utf-8")
    venue = tmp_path / "here.toml"
    venue.write_text(
        f"[play]\nsetlist = '{tmp_path / 'order.toml'}'\npresets = '{tmp_path / 'presets.toml'}'\n"
        f"[midi]\nlearned = '{tmp_path / 'learned.toml'}'\n"
    )
    return venue


@pytest.fixture
def show(place: Path) -> Iterator[stage.Stage]:
    with shows.opened(Options(venue=str(place), size=(64, 64))) as made:
        yield made


def on(show: stage.Stage) -> tuple[str, str]:
    return show.show.scene.name, show.show.player.card.name


def test_every_address_is_one_that_osc_takes(show: stage.Stage) -> None:
    addresses = [address for address, _ in (*show.bus, *show.bus.others())]
    assert [address for address in addresses if not OSC.fullmatch(address)] == []
    assert len(set(addresses)) == len(addresses)
    assert {
        "/piece/ihu/oma", "/piece/yan/xiaoyan", "/guang/grosse", "/guang_2/grosse",
        "/guang/se/amount", "/stage/scene/guang_2", "/stage/piece/my_masks", "/stage/piece/yan",
    } <= set(addresses)  # fmt: skip


@pytest.mark.parametrize("address", ["/stage/scene/guang_2", "/stage/scene/広", "/go/2"])
def test_scenes_are_put_on(show: stage.Stage, address: str) -> None:
    run(show, 2)
    show.bus.post("/stage/fade", 0)
    show.bus.post(address, 1)
    run(show, 3)
    assert on(show) == ("広", "顔")
    assert show.bus.meant("/on/1") == "/guang_2/grosse"


def test_the_remote_is_told_the_name_and_the_button(show: stage.Stage) -> None:
    run(show, 2)
    told = show._status()
    assert (told["scene"], told["address"]) == ("光", "/stage/scene/guang")


@pytest.mark.parametrize("address", ["/stage/piece/yan", "/stage/piece/顔"])
def test_pieces_are_put_on(show: stage.Stage, address: str) -> None:
    run(show, 2)
    show.bus.post(address, 1)
    run(show, 3)
    assert on(show) == ("光", "顔")


def test_their_faders_are_read(show: stage.Stage) -> None:
    run(show, 2)
    show.bus.post("/guang/grosse", 0.9)
    show.bus.post("/guang_2/größe", 0.1)
    run(show, 1)
    assert show.show.scene.scene.größe == pytest.approx(0.9)  # type: ignore[attr-defined]
    show.bus.post("/stage/fade", 1)
    show.bus.post("/stage/scene/guang_2", 1)
    run(show, 3)
    show.bus.post("/guang/grosse", 0.2)  # it is leaving, and reads them as they stood
    run(show, 1)
    left, coming = show.show.layers
    assert left.scene.größe == pytest.approx(0.9)  # type: ignore[attr-defined]
    assert coming.scene.größe == pytest.approx(0.1)  # type: ignore[attr-defined]


def test_a_preset_of_an_earlier_version_is_called_up(place: Path) -> None:
    (place.parent / "presets.toml").write_text(
        '[[preset]]\nnumber = 1\nscene = "広"\npiece = "顔"\n[preset.parameters]\n'
        '"/piece/1/2" = 0.8\n"/広/größe" = 0.3\n"/広/_/amount" = 0.7\n',
        encoding="utf-8",
    )
    with shows.opened(Options(venue=str(place), size=(64, 64))) as show:
        run(show, 2)
        show.bus.post("/preset/1", 1)
        run(show, 120)
        assert on(show) == ("広", "顔")
        values = {"/piece/yan/nuri": 0.8, "/guang_2/grosse": 0.3, "/guang_2/se/amount": 0.7}
        assert {a: round(show.bus.value(a), 3) for a in values} == values
        assert show.bus.value("/guang/grosse") == 0.5
        show.bus.post("/preset/store", 1)
        show.bus.post("/preset/2", 1)
        run(show, 2)
    kept = (place.parent / "presets.toml").read_text("utf-8").split("number = 2")[1]
    assert '"/guang_2/grosse" = 0.3' in kept  # and is stored with the scene's own faders


def test_a_venue_and_a_map_of_an_earlier_version_hold(place: Path) -> None:
    place.write_text(
        place.read_text() + 'map = [{ address = "/piece/1/1", cc = 9 }]\n'
        '[parameters]\n"/piece/1/2" = 0.6\n"/光/größe" = 0.8\n',
        encoding="utf-8",
    )
    (place.parent / "learned.toml").write_text(
        'map = [{ address = "/光/größe", cc = 20 }, { address = "/stage/piece/顔", note = 40 }]\n',
        encoding="utf-8",
    )
    rows = {row["address"]: row["midi"] for row in listing.scenes("", str(place))}
    assert "cc 9" in rows["/piece/yan/xiaoyan"]
    assert "cc 20" in rows["/guang/grosse"]
    assert "note 40" in rows["/stage/piece/yan"]
    with shows.opened(Options(venue=str(place), size=(64, 64))) as show:
        run(show, 2)
        assert show.bus.value("/piece/yan/nuri") == pytest.approx(0.6)
        assert show.bus.value("/guang/grosse") == pytest.approx(0.8)


def test_what_is_learned_anew_takes_the_place_of_what_was_learned_before(tmp_path: Path) -> None:
    bus = Bus()
    bus.declare("scene", {"größe": Param(0.5, 0, 1)})
    path = tmp_path / "learned.toml"
    path.write_text('map = [{ address = "/scene/größe", cc = 20 }]\n', encoding="utf-8")
    place = listing.venue.parse(f"[midi]\nlearned = {str(path)!r}\n", "here.toml")
    learned = Learned(place, bus)
    (reached,) = learned.map.hear(Move("nano", 1, "cc", 20, 127))
    assert bus.post(reached[0].address, reached[1], form=reached[2])
    learned.map.learn("/scene/grosse")
    learned.map.hear(Move("nano", 1, "cc", 21, 100))
    assert [(b.address, b.number) for b in learned.map.learned] == [("/scene/grosse", 21)]


def test_a_piece_with_a_space_in_its_name_can_be_learned(place: Path, tmp_path: Path) -> None:
    """A venue takes no address with a space in it: the show did not begin on the next evening."""
    cards = {p.name: verify(p) for p in (place.parent / "my masks", place.parent / "顔")}
    bus = Bus()
    house.declare(bus, cards)
    here = listing.venue.load(str(place))
    learned = Learned(here, bus)
    learned.map.learn(next(a for a, _ in bus if a.startswith("/stage/piece/my")))
    learned.map.hear(Move("nano", 1, "note", 40, 100))
    learned.keep()
    assert Learned(here, bus).map.learned == learned.map.learned


def test_the_list_has_each_name_as_it_was_written(place: Path) -> None:
    told = {row["address"]: row["doc"] for row in listing.scenes("", str(place))}
    assert told["/piece/yan/xiaoyan"] == "顔: 笑顔."
    assert told["/stage/scene/guang_2"] == "Put on 広."
    assert told["/stage/piece/my_masks"] == "Go over to my masks."
    assert told["/go/2"] == "/stage/scene/guang_2: Put on 広."


def test_a_scene_does_not_take_the_house_s_place(tmp_path: Path) -> None:
    bus = Bus()
    path = tmp_path / "piéce.py"
    path.write_text(SCENE.format("Piéce"), encoding="utf-8")
    names = list(house.declare(bus, {}, [str(path)]))
    assert names[0] == "piéce"
    assert focus.meant(bus, "piéce", names)["/on/1"] == "/piece_1/grosse"
