"""A show whose pieces and labels are named in the artist's own letters: every address is one that
OSC takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from installation import house, listing, stage
from installation.control.binding import Move
from installation.learned import Learned
from installation.parameters import Bus
from installation.programme import Options
from models.card import verify
from models.latent import Label, Latent
from tests import shows
from tests.pieces import make_piece
from tests.shows import run

OSC = re.compile(r"(/[^\s#*,/?\[\]{}\x00-\x1f\x7f-\U0010ffff]+)+")  # OSC 1.0
MASKS = Latent(6, (Label("ihu", ("ọma", "ojọọ")),))
FACES = Latent(6, (Label("顔", ("笑顔", "怒り")),))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A venue with two pieces."""
    make_piece(tmp_path / "my masks", 16, MASKS)
    make_piece(tmp_path / "顔", 16, FACES)
    order = "".join(
        f"[[scene]]\nscene = '{scene}'\nseconds = 9\npiece = '{tmp_path / piece}'\n"
        for scene, piece in (("drift", "my masks"), ("kin", "顔"))
    )
    (tmp_path / "order.toml").write_text(order, encoding="utf-8")
    venue = tmp_path / "here.toml"
    venue.write_text(
        f"[play]\nsetlist = '{tmp_path / 'order.toml'}'\npresets = ''\n"
        f"[midi]\nlearned = '{tmp_path / 'learned.toml'}'\n"
    )
    return venue


@pytest.fixture
def show(place: Path) -> Iterator[stage.Stage]:
    with shows.opened(Options(venue=str(place), size=(64, 64))) as made:
        yield made


def test_every_address_is_one_that_osc_takes(show: stage.Stage) -> None:
    addresses = [address for address, _ in (*show.bus, *show.bus.others())]
    assert [address for address in addresses if not OSC.fullmatch(address)] == []
    assert len(set(addresses)) == len(addresses)
    assert {
        "/piece/ihu/oma", "/piece/ihu/ojoo", "/piece/yan/xiaoyan", "/piece/yan/nuri",
        "/stage/piece/my_masks", "/stage/piece/yan",
    } <= set(addresses)  # fmt: skip


def test_pieces_are_put_on(show: stage.Stage) -> None:
    run(show, 2)
    for address, name in (("/stage/piece/yan", "顔"), ("/stage/piece/my_masks", "my masks")):
        show.bus.post(address, 1)
        run(show, 3)
        assert show.show.player.card.name == name
        assert show.news.all()["piece"] == name


def test_a_piece_with_a_space_in_its_name_can_be_learned(place: Path) -> None:
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
    assert told["/stage/piece/my_masks"] == "Go over to my masks."
