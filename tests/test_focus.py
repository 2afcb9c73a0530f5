"""Addresses that follow what is on, and the controllers that are known by heart."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest

from installation import focus, house, venue
from installation.control.binding import Binding, Move
from installation.control.mapping import MidiMap
from installation.learned import Learned, bindings
from installation.parameters import Bus, Param, Trigger
from installation.programme import Options
from models.card import verify
from tests.pieces import make_piece
from tests.shows import opened, run

NANO = "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0"


@pytest.fixture
def bus() -> Bus:
    made = Bus()
    made.declare("drift", {"speed": Param(0.1, 0, 2), "flash": Trigger(), "calm": Param(1, 0, 1)})
    made.declare("kin", {"beats": Param(4, 1, 16)})
    made.declare("stage/scene", {"drift": Trigger(), "kin": Trigger()})
    return made


def test_they_stand_for_the_scene_that_is_on(bus: Bus) -> None:
    bus.lead(focus.meant(bus, "drift", ["drift", "kin"]))
    assert (bus.meant("/on/1"), bus.meant("/on/2")) == ("/drift/speed", "/drift/calm")
    assert "/on/3" not in bus
    assert not bus.post("/on/3", 1)
    assert bus.post("/on/2", 0.25, "osc")
    assert bus.asked("/on/2") == 0.25
    assert bus.post("/go/2", 1)
    assert bus.tick(0) == ["/stage/scene/kin"]
    assert bus.target("/drift/calm") == bus.value("/on/2") == bus.target("/on/2") == 0.25
    assert bus.moved_by("/on/2") == "osc"
    assert bus["/on/2"] is bus["/drift/calm"]
    assert not focus.ADDRESSES & {address for address, _ in bus}  # listed by their own names
    bus.lead(focus.meant(bus, "kin", ["drift", "kin"]))
    assert bus.get("/on/1") is bus["/kin/beats"]
    assert bus.get("/on/2") is None
    bus.reset("/on/1")
    bus.tick(0)
    assert bus.target("/kin/beats") == 4


def test_a_controller_that_is_known_plays_at_once(bus: Bus) -> None:
    mapping = MidiMap(bus, devices=bindings(venue.controllers()))
    bus.lead(focus.meant(bus, "drift", ["drift", "kin"]))

    def hear(number: int, value: int, port: str = NANO, channel: int = 1) -> list[str]:
        heard = mapping.hear(Move(port, channel, "cc", number, value))
        return [bus.meant(binding.address) for binding, _, _ in heard]

    assert hear(0, 127) == ["/drift/speed"]
    assert hear(33, 127) == ["/stage/scene/kin"]
    assert hear(5, 127) == []  # drift has no sixth
    bus.lead(focus.meant(bus, "kin", ["drift", "kin"]))
    assert hear(0, 64) == ["/kin/beats"]
    assert hear(0, 64, "another") == []  # as on any channel that nobody has
    assert hear(1, 64, "another", 3) == ["/drift/speed"]  # the automatic map
    mapping.learn("/drift/calm")
    assert hear(0, 10) == ["/drift/calm"]  # what was learned comes first
    shown = {(b.kind, b.number): bus.meant(b.address) for b in mapping.of(NANO)}
    assert shown["cc", 0] == "/drift/calm"
    assert shown["cc", 33] == "/stage/scene/kin"


def test_what_a_controller_that_is_known_sends_beyond_its_map_moves_nothing(bus: Bus) -> None:
    """A Twister's pushes come on channel 2, its banks on 4; the automatic map is there too."""
    bus.declare("piece", {"oval": Param(0, 0, 1)})
    devices = bindings(venue.controllers())
    mapping = MidiMap(bus, devices=devices)
    port = "Midi Fighter Twister:Midi Fighter Twister MIDI 1 20:0"
    pushes = [Move(port, channel, "cc", 1, 127) for channel in (2, 3, 4)]
    assert [mapping.hear(push) for push in pushes] == [[], [], []]
    assert [len(mapping.hear(Move("another", c, "cc", 1, 127))) for c in (2, 3, 4)] == [1, 1, 1]
    assert set(mapping.of(port)) == {one for one in devices if one.port == "Midi Fighter Twister"}
    mapping.learn("/kin/beats")
    mapping.hear(pushes[2])
    assert [binding.address for binding, _, _ in mapping.hear(pushes[2])] == ["/kin/beats"]
    assert "/kin/beats" in {binding.address for binding in mapping.of(port)}


def test_a_venue_may_do_without_them(bus: Bus) -> None:
    place = venue.parse("[midi]\nautomatic = false\nlearned = ''\n", "here.toml")
    assert Learned(place, bus).map.hear(Move(NANO, 1, "cc", 32, 127)) == []


def test_every_controller_moves_what_there_is(tmp_path: Path) -> None:
    made = Bus()
    card = verify(make_piece(tmp_path / "tiny"))
    scenes = house.declare(made, {"tiny": card})
    directions = {f"/piece/direction/{n}" for n in range(1, 7)}
    known = bindings(venue.controllers())
    for one in known:
        assert one.port
        there = one.address in made or one.address in focus.ADDRESSES | directions
        assert there, f"{one.port}: {one.address}"
    controls = [(b.port, b.kind, b.number, b.channel) for b in known]
    assert len(set(controls)) == len(controls)
    ports = {one.port for one in known}
    for port in ports - {"Midi Fighter Twister"}:  # which has no buttons
        buttons = {one.address for one in known if one.port == port}
        assert {f"/go/{n}" for n in range(1, min(len(scenes), 8) + 1)} <= buttons
    files = importlib.resources.files("venue") / "controllers"
    assert len(ports) == len(list(files.iterdir()))


def test_a_show_leads_them_from_scene_to_scene(tmp_path: Path) -> None:
    place = tmp_path / "here.toml"
    place.write_text('[midi]\nmap = [{ cc = 9, address = "/on/9" }]\n')  # not there in every scene
    piece = make_piece(tmp_path / "tiny")
    options = Options(piece=str(piece), scene="drift", offscreen=True, venue=str(place))
    with opened(options) as show:
        first = show.bus.meant("/on/1")
        assert first.startswith("/drift/")
        assert show.bus.meant("/go/2") == f"/stage/scene/{show.scene_names[1]}"
        show.bus.post("/stage/scene/ember", 1)
        run(show, 2)
        assert show.bus.meant("/on/1").startswith("/ember/")
        binding = Binding("/on/1", "cc", 1)
        assert binding.address in show.bus
