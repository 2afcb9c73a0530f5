"""What was learned at the controllers is there the next evening."""

from __future__ import annotations

import logging
import tomllib
from pathlib import Path

import pytest

from installation import tables, venue
from installation.control.binding import Binding, Kind, Move
from installation.controls import Controls
from installation.learned import Learned, bindings
from installation.parameters import Bus, Param, Trigger
from installation.venue import VenueError


@pytest.fixture
def bus() -> Bus:
    made = Bus()
    made.declare("drift", {"speed": Param(1, 0, 2), "calm": Param(0.5, 0, 1), "flash": Trigger()})
    return made


def place(folder: Path, more: str = "") -> tables.Venue:
    path = folder / "learned.toml"
    return venue.parse(f"[midi]\nlearned = {str(path)!r}\n{more}", "here.toml")


def learn(learned: Learned, address: str, kind: Kind = "cc", number: int = 21) -> None:
    learned.map.learn(address)
    learned.map.hear(Move('na"no\\:x MIDI 1 20:0', 3, kind, number, 100))
    learned.keep()


def test_it_is_there_the_next_evening(bus: Bus, tmp_path: Path) -> None:
    first = Learned(place(tmp_path), bus)
    assert not (tmp_path / "learned.toml").exists()
    learn(first, "/drift/speed")
    learn(first, "/drift/flash", "note", 40)
    learn(first, "/drift/calm", "pitchwheel", 0)
    again = Learned(place(tmp_path), bus)
    assert again.map.learned == first.map.learned
    assert [b.address for b in again.map.learned] == ["/drift/speed", "/drift/flash", "/drift/calm"]
    assert again.map.learned[0] == Binding("/drift/speed", "cc", 21, 3, port='na"no\\')
    heard = again.map.hear(Move('na"no\\:x MIDI 1 24:0', 3, "cc", 21, 127))  # plugged in again
    assert [(b.address, value) for b, value, _ in heard] == [("/drift/speed", 1.0)]
    learn(again, "/drift/calm")  # the knob of another parameter
    third = Learned(place(tmp_path), bus)
    assert [b.address for b in third.map.learned] == ["/drift/flash", "/drift/calm"]


@pytest.mark.parametrize("number", [0, 119, 120, 127])
def test_every_controller_that_can_be_learned_can_be_read_again(
    bus: Bus, tmp_path: Path, number: int
) -> None:
    first = Learned(place(tmp_path), bus)
    learn(first, "/drift/speed", number=number)
    assert Learned(place(tmp_path), bus).map.learned == first.map.learned


def test_it_comes_before_the_map_of_the_venue(bus: Bus, tmp_path: Path) -> None:
    own = 'map = [{ cc = 7, address = "/drift/speed" }, { cc = 8, address = "/drift/calm" }]'
    first = Learned(place(tmp_path, own), bus)
    learn(first, "/drift/speed")
    again = Learned(place(tmp_path, own), bus)
    assert [b.address for b in again.map.bindings] == ["/drift/calm", "/drift/speed"]
    assert again.map.bindings == first.map.bindings


def test_every_kind_of_line_says_what_it_says(bus: Bus, tmp_path: Path) -> None:
    lines = """map = [
        { cc = 7, address = "/drift/speed", low = 1.5, high = 0.25, channel = 2, port = "nano" },
        { nrpn = 300, address = "/drift/calm" },
        { pitchwheel = true, address = "/drift/calm" },
        { program = 4, address = "/drift/calm", high = 0.5 },
        { aftertouch = true, address = "/drift/calm" },
        { cc = 9, address = "/drift/calm", relative = true },
        { cc = 3, address = "/drift/calm", bits = 14 },
        { note = 9, address = "/drift/flash" },
        { cc = 10, address = "/drift/calm", relative = "offset" },
        { cc = 11, address = "/drift/calm", relative = "sign" },
    ]"""
    read = bindings(venue.parse(f"[midi]\n{lines}", "x").midi.map)
    assert [str(b) for b in read] == [
        "nano ch 2 cc 7", "nrpn 300", "pitchwheel", "program 4", "aftertouch", "cc 9", "cc 3",
        "note 9", "cc 10", "cc 11",
    ]  # fmt: skip
    assert (read[0].low, read[0].high, read[5].mode, read[6].bits) == (1.5, 0.25, "relative", 14)
    assert (read[8].mode, read[9].mode) == ("offset", "sign")
    (tmp_path / "learned.toml").write_text(lines)
    learned = Learned(place(tmp_path), bus)
    learn(learned, "/drift/speed", "cc", 90)
    kept = tomllib.loads((tmp_path / "learned.toml").read_text())["map"]
    written = bindings([tables.MidiBinding.model_validate(line) for line in kept])
    assert written == learned.map.learned


def test_what_others_write_into_the_file_meanwhile_stays(bus: Bus, tmp_path: Path) -> None:
    """By hand, or from another show: what they took out is forgotten, here too."""
    path = tmp_path / "learned.toml"
    own = 'map = [{ cc = 7, address = "/drift/calm" }]'
    path.write_text(
        'map = [{ cc = 40, address = "/drift/calm" }, { note = 40, address = "/drift/flash" }]'
    )
    learned = Learned(place(tmp_path, own), bus)
    learn(learned, "/drift/speed")
    path.write_text(path.read_text().replace("cc = 21", "cc = 22").replace("note = 40", "note = 9"))
    path.write_text(path.read_text().replace("cc = 40", "cc = 41"))
    learn(learned, "/drift/speed", number=23)  # which is what they changed as well
    heard = [learned.map.hear(Move("x", 1, "note", note, 1)) for note in (40, 9)]
    assert [[b.address for b, _, _ in one] for one in heard] == [[], ["/drift/flash"]]
    again = Learned(place(tmp_path, own), bus)
    assert [str(b) for b in again.map.learned] == ["cc 41", "note 9", 'na"no\\ ch 3 cc 23']
    assert again.map.bindings == learned.map.bindings
    path.write_text("map = []")
    learn(learned, "/drift/flash", "note", 60)
    assert [str(b) for b in learned.map.bindings] == [
        "cc 7", 'na"no\\ ch 3 cc 23', 'na"no\\ ch 3 note 60'
    ]  # fmt: skip
    path.unlink()
    learn(learned, "/drift/calm", number=24)
    assert Learned(place(tmp_path, own), bus).map.learned == learned.map.learned


def test_a_file_that_is_being_written_in_is_not_overwritten(
    bus: Bus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "learned.toml"
    learned = Learned(place(tmp_path), bus)
    path.write_text("map = [ # to be")
    learn(learned, "/drift/speed")
    assert path.read_text() == "map = [ # to be"
    assert "learned.toml: not valid TOML" in caplog.text
    assert "there for this evening alone" in caplog.text
    path.write_text("map = []")
    learn(learned, "/drift/flash", "note", 60)
    kept = [b.address for b in Learned(place(tmp_path), bus).map.learned]
    assert kept == ["/drift/speed", "/drift/flash"]


@pytest.mark.parametrize("control", ["nrpn = 9", "note = 9", "cc = 3, bits = 14"])
def test_a_venue_says_what_cannot_be_an_endless_knob(control: str) -> None:
    line = f'{{ address = "/drift/calm", {control}, relative = "offset" }}'
    with pytest.raises(venue.VenueError, match="relative needs a cc of 7 bits"):
        venue.parse(f"[midi]\nmap = [{line}]", "x")


def test_a_venue_may_keep_nothing(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    learn(Learned(venue.parse('[midi]\nlearned = ""', "x"), bus), "/drift/speed")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_kept_is_said(
    bus: Bus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "learned.toml.part").mkdir()
    learned = Learned(place(tmp_path), bus)
    learn(learned, "/drift/speed")
    assert "learned.toml cannot be kept" in caplog.text
    learned.keep()
    assert caplog.text.count("cannot be kept") == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("map = [", "not valid TOML"),
        (
            'map = [{ address = "/drift/speed" }]',
            "needs one of cc, note, nrpn, prog",
        ),
        ('map = [{ cc = 1, note = 2, address = "/a" }]', "needs one of cc"),
        ("maps = []", "unknown key 'maps'; allowed here: map"),
    ],
)
def test_a_file_that_is_not_right_is_not_overwritten(
    bus: Bus, tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "learned.toml"
    path.write_text(text)
    with pytest.raises(VenueError, match=says) as caught:
        Learned(place(tmp_path), bus)
    assert str(path) in str(caught.value)
    assert path.read_text() == text


def test_l_once_more_gives_up(bus: Bus, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Or whatever is touched next, hours later, would be taken from what it moves, for good."""
    settings = place(tmp_path)
    controls = Controls(bus, settings)
    learned = controls._learned = Learned(settings, bus)
    caplog.set_level(logging.INFO)
    controls.learn("/drift/speed")
    controls.learn("/drift/calm")  # another is selected meanwhile
    assert "/drift/calm; L again" in controls.news
    controls.learn("/drift/calm")
    assert (controls.news, learned.map.learning) == ("", "")
    assert "no MIDI control is learned" in caplog.text
    learned.map.hear(Move("nano", 1, "cc", 21, 100))
    assert learned.map.learned == []
