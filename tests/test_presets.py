"""Presets: stored under a number, called up with a fade, kept in a file."""

from __future__ import annotations

import logging
import tomllib
from pathlib import Path

import pytest

from installation import presets
from installation.modulation import Modulations
from installation.parameters import Bus, Param
from installation.presets import Presets
from installation.venue import VenueError

FILES = {"drift": "drift", "kin": "kin"}
BRIGHT, SPEED, OVAL, OTHER = "/light/brightness", "/drift/speed", "/piece/form/oval", "/kin/beats"


class Evening:
    """What presets ask of an evening: what is on, and to put it on again."""

    def __init__(self) -> None:
        self.on = ("drift", "masks", False)
        self.fault = ""
        self.pieces = ["masks", "anime"]
        self.asked: list[tuple[str, str, float]] = []

    def as_it_was(self, file: str, piece: str, fade: float) -> bool:
        self.asked.append((file, piece, fade))
        changes = (file, piece) != self.on[:2]
        self.on = (file, piece, True)
        return changes


@pytest.fixture
def bus() -> Bus:
    made = Bus()
    made.declare("light", {"brightness": Param(1, 0, 1)})
    made.declare("drift", {"speed": Param(0.1, 0, 2)})
    made.declare("kin", {"beats": Param(4, 1, 16)})
    made.declare("piece/form", {"oval": Param(0, 0, 1)})
    made.declare("wall", {"top_left_x": Param(0, -1, 1)})
    made.declare("clock", {"bpm": Param(72, 20, 300)})
    made.declare("preset", {**presets.Recall.declared(), **presets.numbers()})
    return made


@pytest.fixture
def evening() -> Evening:
    return Evening()


def desk(bus: Bus, evening: Evening, file: str = "") -> Presets:
    return Presets(bus, Modulations(bus), evening, FILES, file)  # type: ignore[arg-type]


def frames(bus: Bus, made: Presets, seconds: float, dt: float = 0.1) -> None:
    for _ in range(round(seconds / dt)):
        for address in bus.tick(dt):
            made.press(address.rpartition("/")[2])
        made.follow(dt)
    bus.tick(0)


def move(bus: Bus, **values: float) -> None:
    names = {"bright": BRIGHT, "speed": SPEED, "oval": OVAL, "other": OTHER}
    for name, value in values.items():
        bus.post(names.get(name, name), value, "osc")


def store(bus: Bus, made: Presets, number: int) -> None:
    bus.post("/preset/store", 1)
    bus.post(f"/preset/{number}", 1)
    frames(bus, made, 0.1)


def test_what_it_changes_gets_there_in_time(bus: Bus, evening: Evening) -> None:
    made = desk(bus, evening)
    move(bus, bright=0.2, speed=1.0, oval=1.0)
    store(bus, made, 3)
    move(bus, bright=1.0, speed=0.5, oval=1.0, other=8)
    bus.post("/wall/top_left_x", 0.3)
    bus.post("/clock/bpm", 120)
    bus.post("/preset/fade", 4)
    bus.tick(0)
    bus.post("/preset/3", 1)
    frames(bus, made, 2.0)
    assert bus.target(BRIGHT) == pytest.approx(0.6)
    assert bus.target(SPEED) == pytest.approx(0.75)
    frames(bus, made, 2.1)
    assert (bus.target(BRIGHT), bus.target(SPEED), bus.target(OVAL)) == (0.2, 1.0, 1.0)
    assert bus.moved_by(SPEED) == "preset"
    # another scene's faders, the house's corners and its tempo are no preset's business
    assert (bus.target(OTHER), bus.target("/wall/top_left_x")) == (8, 0.3)
    assert bus.target("/clock/bpm") == 120


def test_a_hand_takes_a_fader_out_of_the_fade(bus: Bus, evening: Evening) -> None:
    made = desk(bus, evening)
    store(bus, made, 1)
    move(bus, bright=0.0, speed=2.0)
    bus.post("/preset/fade", 2)
    bus.tick(0)
    bus.post("/preset/1", 1)
    frames(bus, made, 1.0)
    move(bus, bright=0.9)
    frames(bus, made, 1.5)
    assert bus.target(BRIGHT) == 0.9
    assert bus.target(SPEED) == pytest.approx(0.1)


def test_what_stands_as_the_preset_has_it_is_asked_for_once(
    bus: Bus, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece with hundreds of labels has hundreds of faders, nearly all of them at rest."""
    made, asked = desk(bus, evening), []
    store(bus, made, 1)
    move(bus, bright=0.0)
    bus.tick(0)
    steer = bus.steer
    monkeypatch.setattr(bus, "steer", lambda at, *a, **k: asked.append(at) or steer(at, *a, **k))
    bus.post("/preset/1", 1)
    frames(bus, made, 1.0)
    assert set(asked) == {BRIGHT}
    frames(bus, made, 1.1)
    assert bus.target(BRIGHT) == 1
    assert bus.moved_by(SPEED) == "preset"  # the preset's all the same


def test_a_preset_is_no_hand_to_the_next_one(bus: Bus, evening: Evening) -> None:
    """In the order of a frame: what the first has just moved is the second's to move."""
    made = desk(bus, evening)
    for number, speed in ((1, 2.0), (2, 0.0)):
        move(bus, speed=speed)
        bus.tick(0)
        store(bus, made, number)
    bus.post("/preset/1", 1)
    for _ in range(10):
        for address in bus.tick(0.1):
            made.press(address.rpartition("/")[2])
        made.follow(0.1)
    bus.post("/preset/2", 1)
    frames(bus, made, 3.0)
    assert bus.target(SPEED) == pytest.approx(0.0)


def test_what_is_moved_together_with_the_preset_is_the_hands(bus: Bus, evening: Evening) -> None:
    made = desk(bus, evening)
    store(bus, made, 1)
    move(bus, bright=0.0, speed=2.0)
    bus.tick(0)
    bus.post("/preset/1", 1)
    move(bus, bright=0.4)
    frames(bus, made, 3.0)
    assert bus.target(BRIGHT) == 0.4
    assert bus.target(SPEED) == pytest.approx(0.1)


def test_another_scene_comes_on_dressed_at_once(bus: Bus, evening: Evening) -> None:
    made = desk(bus, evening)
    move(bus, bright=0.4)
    store(bus, made, 2)
    evening.on = ("kin", "anime", False)
    move(bus, bright=1.0)
    bus.tick(0)
    bus.post("/preset/2", 1)
    frames(bus, made, 0.1)
    assert evening.asked == [("drift", "masks", 2.0)]
    assert bus.target(BRIGHT) == 0.4


def test_a_second_preset_goes_on_from_where_the_first_had_come(bus: Bus, evening: Evening) -> None:
    made = desk(bus, evening)
    bus.post("/preset/fade", 1)
    move(bus, speed=2.0)
    bus.tick(0)
    store(bus, made, 1)
    move(bus, speed=0.0)
    bus.tick(0)
    store(bus, made, 2)
    bus.post("/preset/1", 1)
    frames(bus, made, 0.5)
    assert bus.target(SPEED) == pytest.approx(1.0)
    bus.post("/preset/2", 1)
    frames(bus, made, 0.5)
    assert bus.target(SPEED) == pytest.approx(0.5, abs=0.11)
    frames(bus, made, 1.0)
    assert bus.target(SPEED) == 0.0


def test_they_are_kept(bus: Bus, evening: Evening, tmp_path: Path) -> None:
    file = tmp_path / "presets.toml"
    made = desk(bus, evening, str(file))
    assert not file.exists()
    move(bus, bright=0.25)
    bus.tick(0)
    store(bus, made, 7)
    evening.on = ('the "other"', "masks", False)
    store(bus, made, 4)
    written = tomllib.loads(file.read_text("utf-8"))["preset"]
    assert [one["number"] for one in written] == [4, 7]
    assert written[0]["scene"] == 'the "other"'
    evening.on = ("drift", "masks", False)
    again = desk(bus, evening, str(file))
    move(bus, bright=1.0)
    bus.tick(0)
    bus.post("/preset/7", 1)
    frames(bus, again, 2.1)
    assert bus.target(BRIGHT) == 0.25
    store(bus, again, 8)
    written = tomllib.loads(file.read_text("utf-8"))["preset"]
    assert [one["number"] for one in written] == [4, 7, 8]


def test_what_others_write_into_the_file_meanwhile_stays(
    bus: Bus, evening: Evening, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By hand, or by another show that plays from the same folder."""
    file = tmp_path / "presets.toml"
    made, other = desk(bus, evening, str(file)), desk(bus, evening, str(file))
    store(bus, made, 1)
    store(bus, other, 2)
    store(bus, made, 3)
    assert made.stored == [1, 2, 3]
    assert [one.number for one in presets.read(str(file))] == [1, 2, 3]
    text = file.read_text()
    file.write_text(text.replace("number = 2", "number = 12"))
    store(bus, made, 4)
    assert made.stored == [1, 3, 4, 12]
    file.write_text("[[preset")  # half of it, in somebody's editor
    store(bus, made, 5)
    assert file.read_text() == "[[preset"
    assert made.stored == [1, 3, 4, 5, 12]
    assert "not valid TOML" in caplog.text
    file.unlink()
    store(bus, made, 6)
    assert [one.number for one in presets.read(str(file))] == [1, 3, 4, 5, 6, 12]


def test_a_flood_of_recalls_fills_no_log(
    bus: Bus, evening: Evening, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    made = desk(bus, evening, "")
    store(bus, made, 1)
    caplog.clear()
    for _ in range(50):
        for number in (1, 2):
            bus.post(f"/preset/{number}", 1, "osc")
        frames(bus, made, 0.1)
    assert caplog.messages.count("preset 1: drift") == 1
    assert len(caplog.messages) == 2
    assert made.news.startswith("preset 2 is empty")  # where a hand looks it is said each time


def test_a_piece_may_have_any_name(bus: Bus, evening: Evening, tmp_path: Path) -> None:
    file = tmp_path / "presets.toml"
    evening.on = ("drift\x7f", 'masks "\N{PERFORMING ARTS}"\x7f', False)
    bus.declare("piece/\N{PERFORMING ARTS}\x7f", {"oval": Param(0, 0, 1)})
    store(bus, desk(bus, evening, str(file)), 4)
    (kept,) = presets.read(str(file))
    assert (kept.scene, kept.piece) == evening.on[:2]
    assert "/piece/\N{PERFORMING ARTS}\x7f/oval" in kept.parameters


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[preset]]\nnumber = 17\nscene = 'drift'", "preset 1: number = 17"),
        ("[[preset]]\nnumber = 1\nscene = 'drift'\nfade = 2", "preset 1: unknown key 'fade'"),
        ("[[preset]]\nnumber = 1\nscene = 'drift'\nparameters = { '/a' = nan }", "finite"),
        ("[[preset", "not valid TOML"),
    ],
)
def test_a_file_that_is_not_right_is_said_and_left(
    text: str, says: str, bus: Bus, evening: Evening, tmp_path: Path
) -> None:
    file = tmp_path / "presets.toml"
    file.write_text(text)
    with pytest.raises(VenueError, match=says):
        desk(bus, evening, str(file))
    assert file.read_text() == text


def test_what_is_not_there_today_is_left_out(
    bus: Bus, evening: Evening, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file = tmp_path / "presets.toml"
    file.write_text(
        "[[preset]]\nnumber = 1\nscene = 'drift'\npiece = 'masks'\n"
        "parameters = { '/piece/hair/blonde' = 1, '/light/brightness' = 9, '/preset/2' = 1 }\n"
        "[[preset]]\nnumber = 2\nscene = 'gone'\n"
    )
    made = desk(bus, evening, str(file))
    bus.post("/preset/1", 1)
    frames(bus, made, 3.0)
    assert bus.target(BRIGHT) == 1  # as far as it goes
    assert made.news == ""
    bus.post("/preset/2", 1)
    frames(bus, made, 0.2)
    assert made.news.startswith("preset 2: there is no scene gone in this show")
    bus.post("/preset/3", 1)
    frames(bus, made, 0.2)
    assert made.news.startswith("preset 3 is empty")
    assert "Shift+F3" in made.news
    bus.post("/preset/13", 1)
    frames(bus, made, 0.2)
    assert made.news.startswith("preset 13 is empty")
    assert "Shift" not in made.news  # no keyboard has that key
    assert evening.asked == [("drift", "masks", 2.0)]
    assert any("there is no scene gone" in line for line in caplog.messages)
    assert any("preset 3 is empty" in line for line in caplog.messages)


def test_a_piece_that_is_not_in_this_show_is_told_and_the_scene_comes_on(
    bus: Bus, evening: Evening, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "presets.toml"
    file.write_text(
        "[[preset]]\nnumber = 1\nscene = 'kin'\npiece = 'gone'\n"
        "[[preset]]\nnumber = 2\nscene = 'kin'\n"
    )
    made = desk(bus, evening, str(file))
    bus.post("/preset/1", 1)
    frames(bus, made, 0.2)
    assert made.news.startswith("preset 1: there is no piece gone in this show, masks stays on")
    assert made.news in caplog.messages
    assert evening.asked == [("kin", "gone", 2.0)]
    frames(bus, made, 10.0)
    assert made.news == ""  # a hand has read it
    for number in (1, 2):
        bus.post(f"/preset/{number}", 1)
        frames(bus, made, 0.2)
    assert made.news == ""  # it is not about what was called up last


def test_a_wish_to_store_is_forgotten(bus: Bus, evening: Evening) -> None:
    made = desk(bus, evening)
    bus.post("/preset/store", 1)
    frames(bus, made, 1.0)
    assert "number" in made.news
    frames(bus, made, 10.0)
    assert made.news == ""
    bus.post("/preset/5", 1)  # empty still, so nothing is called up, and nothing stored
    frames(bus, made, 0.2)
    bus.post("/preset/5", 1)
    frames(bus, made, 0.2)
    assert evening.asked == []


def test_a_full_disk_is_said(
    bus: Bus, evening: Evening, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = desk(bus, evening, str(tmp_path / "gone" / "presets.toml"))
    store(bus, made, 1)
    assert "cannot be kept" in caplog.text
    move(bus, bright=0.0)
    bus.tick(0)
    bus.post("/preset/1", 1)
    frames(bus, made, 3.0)
    assert bus.target(BRIGHT) == 1  # for this evening it is there
