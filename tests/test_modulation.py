"""What moves by itself: the shapes, what a hand does to them, and how they come and go."""

from __future__ import annotations

import json
import logging
import tomllib
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pieces import make_piece
from pydantic import ValidationError
from pythonosc.osc_message_builder import OscMessageBuilder
from shows import opened, run

from installation import presets, setlist
from installation.clock import Frame
from installation.control.packet import asked, parsed
from installation.modulation import WAYS, Modulation, Modulations, worded
from installation.parameters import Bus, Param, Trigger
from installation.programme import Options
from installation.setlist import SetlistError
from installation.sources import SETLIST

HALF = "/a/half"  # stands in the middle of 0 to 10


@pytest.fixture
def bus() -> Bus:
    made = Bus()
    made.declare(
        "a", {"half": Param(5, 0, 10), "go": Trigger(), "level": Param(0, 0, 1, guarded=True)}
    )
    return made


class Room:
    """Modulations and the moments that go by."""

    def __init__(self, bus: Bus, seed: int = 0, bpm: float = 60) -> None:
        self.bus, self.made, self.beats = bus, Modulations(bus, seed), bpm / 60
        self.time, self.index = 0.0, 0

    def wait(self, seconds: float, dt: float = 0.05, **heard: float) -> list[float]:
        """Where the fader goes meanwhile."""
        seen = []
        for _ in range(round(seconds / dt)):
            self.time, self.index = self.time + dt, self.index + 1
            self.bus.tick(dt)
            frame = Frame(self.index, self.time, dt, self.time * self.beats, **heard)  # type: ignore[arg-type]
            self.made.follow(frame)
            seen.append(self.bus.value(HALF))
        return seen


def test_a_wave_swings_around_the_fader_and_leaves_it_where_it_is(bus: Bus) -> None:
    room = Room(bus)
    room.made.set(HALF, Modulation(by="sine", beats=4, depth=0.3), "key")
    room.wait(2)
    seen = np.array(room.wait(8))
    assert seen.mean() == pytest.approx(5, abs=0.05)
    assert (seen.min(), seen.max()) == pytest.approx((2, 8), abs=0.05)
    assert np.argmax(seen[:80]) == pytest.approx(60, abs=1)  # 3 of 4 beats after second 2
    assert bus.target(HALF) == bus.asked(HALF) == 5
    bus.post(HALF, 9, "osc")
    assert max(room.wait(4)) == 10  # its range ends there


@pytest.mark.parametrize("by", WAYS)
def test_each_way_moves_it_and_stays_within_its_depth(bus: Bus, by: str) -> None:
    room = Room(bus)
    room.made.set(HALF, Modulation.model_validate({"by": by, "depth": 0.2}), "key")
    ways = ("level", "bass", "middle", "high", "motion", "presence")
    loud = dict.fromkeys(ways, 0.5)
    seen = room.wait(2) + [
        v
        for side in [0.5, -0.5] * 20
        for v in room.wait(0.5, onset=True) + room.wait(0.5, across=side, up=side, **loud)
    ]
    assert max(seen) > 5.9
    assert all(3 - 1e-9 <= value <= 7 + 1e-9 for value in seen)
    one_way = by in ("pulse", "onset", *ways)
    assert (min(seen) >= 5) == one_way


def test_noise_is_smooth_its_own_and_the_same_for_a_seed() -> None:
    def noise(seed: int, address: str = HALF) -> np.ndarray:
        bus = Bus()
        bus.declare("a", {"half": Param(5, 0, 10), "other": Param(5, 0, 10)})
        room = Room(bus, seed)
        room.made.set(address, Modulation(by="noise", seconds=1, depth=0.5), "key")
        values = []
        for _ in range(400):
            room.wait(0.05)
            values.append(bus.value(address))
        return np.array(values)

    first = noise(3)
    assert np.array_equal(first, noise(3))
    assert np.abs(first - noise(4)).mean() > 1
    assert np.abs(first - noise(3, "/a/other")).mean() > 1
    assert np.abs(np.diff(first)).max() < 0.8
    assert first.std() > 1


def test_chance_is_another_for_each_seed_and_address() -> None:
    addresses = [f"/a/{n}" for n in range(1, 10)]
    seen = []
    for seed in range(6):
        bus = Bus()
        bus.declare("a", {str(n): Param(5, 0, 10) for n in range(1, 10)})
        made = Modulations(bus, seed)
        for address in addresses:
            made.set(address, Modulation(by="steps", beats=1, depth=0.5), "key")
        for beat in range(300):
            bus.tick(1)
            made.follow(Frame(beat, beat, 1, beat))
            seen.append([bus.value(address) for address in addresses])
    rows = np.reshape(seen, (6, 300, 9)).transpose(0, 2, 1).reshape(54, 300)[:, 3:]
    alike = np.corrcoef(rows) - np.eye(54)
    assert np.abs(alike).max() < 0.35
    assert rows.std(axis=1).min() > 2.5


def test_steps_hold_and_a_pulse_falls_on_the_beat(bus: Bus) -> None:
    room = Room(bus)
    room.made.set(HALF, Modulation(by="steps", beats=1, depth=0.5), "key")
    room.wait(2)
    bar = np.array(room.wait(8)).reshape(8, 20)[:, :-1]  # the last of each is the next step's
    assert np.ptp(bar, axis=1).max() < 1e-9
    assert len(set(bar[:, 0].round(6))) == 8
    room.made.set(HALF, Modulation(by="pulse", beats=1, depth=0.5), "key")
    room.wait(2)
    assert np.argmax(np.reshape(room.wait(4), (4, 20)), axis=1).tolist() == [19] * 4


def test_waves_begin_where_their_phase_says(bus: Bus) -> None:
    bus.declare("b", {"half": Param(5, 0, 10)})
    room = Room(bus)
    room.made.set(HALF, Modulation(by="sine", seconds=4, depth=0.5), "key")
    room.made.set("/b/half", Modulation(by="sine", seconds=4, depth=0.5, phase=0.25), "key")
    room.wait(1)
    for _ in range(40):
        room.wait(0.1)
        circle = bus.value(HALF) - 5, bus.value("/b/half") - 5
        assert np.hypot(*circle) == pytest.approx(5, abs=1e-6)


def test_one_comes_goes_and_gives_way_without_a_jump(bus: Bus) -> None:
    room = Room(bus)
    room.wait(1)
    room.made.set(HALF, Modulation(by="level", depth=0.5), "key")
    seen = room.wait(2, level=1.0)
    room.made.set(HALF, Modulation(by="level", depth=-0.5), "key")
    seen += room.wait(2, level=1.0)
    room.made.set(HALF, None, "key")
    seen += room.wait(2, level=1.0)
    assert np.abs(np.diff([5, *seen])).max() < 0.6  # 10 of it in a second
    assert (seen[39], seen[79], seen[-1]) == pytest.approx((10, 0, 5))


def test_one_that_is_turned_up_little_by_little_never_falls(bus: Bus) -> None:
    """As by a fader bound to its depth, or a key pressed again and again."""
    room = Room(bus)
    room.made.set(HALF, Modulation(by="level", depth=0.2), "key")
    seen = room.wait(2, level=1.0)[-1:]
    for n in range(30):
        room.made.set(HALF, Modulation(by="level", depth=0.2 + 0.01 * n), "osc")
        seen += room.wait(0.1, level=1.0)
    seen += room.wait(1, level=1.0)
    assert np.diff(seen).min() >= -1e-9
    assert (seen[0], seen[-1]) == pytest.approx((7, 9.9))


def test_what_is_asked_for_while_nothing_is_drawn_does_not_pile_up(bus: Bus) -> None:
    """A sensor goes on all night, and the house is closed."""
    made = Modulations(bus)

    def night(messages: int) -> None:
        for n in range(messages):
            bus.post(HALF, worded(["sine", 0.5, 1 + n % 97]), "osc", "modulation")
            bus.tick(0)
            made.take()

    night(500)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        night(3000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1 << 14


def test_the_master_takes_all_of_it_away(bus: Bus) -> None:
    room = Room(bus)
    room.made.set(HALF, Modulation(by="bass", depth=0.4), "key")
    assert room.wait(2, bass=1.0)[-1] == pytest.approx(9)
    bus.post("/modulation/depth", 0, "osc")
    assert room.wait(4, bass=1.0)[-1] == pytest.approx(5, abs=0.01)


def test_a_hand_goes_through_the_ways_and_turns_them(bus: Bus) -> None:
    made = Modulations(bus)
    ways = []
    for _ in range(len(WAYS) + 1):
        made.press("next", HALF, "key")
        on = made.of(HALF)
        ways.append(on.by if on else "")
    assert ways == [*WAYS, ""]
    made.press("more", HALF, "key")  # there is nothing to turn
    assert made.of(HALF) is None
    made.press("next", HALF, "key")
    for _ in range(9):
        made.press("less", HALF, "key")
    made.press("slower", HALF, "key")
    assert made.of(HALF) == Modulation(by="sine", beats=32, depth=-0.2)
    for _ in range(40):
        made.press("faster", HALF, "key")
        made.press("more", HALF, "key")
    assert made.of(HALF) == Modulation(by="sine", beats=1 / 16, depth=1)
    made.press("next", HALF, "key")
    assert made.of(HALF) == Modulation(by="noise", beats=1 / 16, depth=1)


def test_what_is_heard_has_no_period_to_turn(bus: Bus) -> None:
    made = Modulations(bus)
    made.set(HALF, Modulation(by="bass"), "key")
    made.press("faster", HALF, "key")
    assert made.of(HALF) == Modulation(by="bass")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["sine"], Modulation(by="sine")),
        (["sine", 0.5], Modulation(by="sine", depth=0.5)),
        (["noise", -7, 4], Modulation(by="noise", depth=-1, beats=4)),
        (["noise", "far", float("nan"), 20.0], Modulation(by="noise", seconds=20)),
        (["pulse", 0, 1e9], Modulation(by="pulse", depth=0, beats=4096)),
        (["square", 0.5, 8, 3, 99], Modulation(by="square", depth=0.5, seconds=3, phase=1)),
        (["sine", 0.5, 8, 0, 0.25], Modulation(by="sine", depth=0.5, beats=8, phase=0.25)),
        (["sine", 0.5, 8, 0, -1], Modulation(by="sine", depth=0.5, beats=8, phase=0)),
        (["bass", True, 8, 3, 0.5], Modulation(by="bass", depth=1)),
        (["none", 1], None),
    ],
)
def test_a_message_says_it_in_words(words: list[Any], wanted: Modulation | None) -> None:
    assert worded(words) == wanted


def test_it_comes_by_an_address_with_any_value_beside_it(piece: Path, tmp_path: Path) -> None:
    options = Options(piece=str(piece), scene="drift", venue=evening(tmp_path, ""))
    osc = OscMessageBuilder("/on/1")
    for word in ("sine", 0.5, 4):
        osc.add_arg(word)
    with opened(options) as show:
        value, form = asked(parsed(osc.build().dgram)[1], show.bus.get("/on/1"))
        assert show.bus.post("/on/1", value, "osc here", form)
        show.bus.post("/drift/speed", 0.02, "osc here")
        show.lights.switched_off = True  # what a hand asks for in the dark is done
        run(show, 1)
        assert show.modulations.of("/drift/speed") == Modulation(by="sine", depth=0.5, beats=4)
        assert show.bus.target("/drift/speed") == pytest.approx(0.02)
        assert show.news.all()["moving"] == "/drift/speed=sine,0.5,4,0,0"
        show.bus.post("/drift/speed", None, "osc here", "modulation")
        run(show, 1)
        assert show.modulations.moving == {}


def test_a_flood_of_them_is_bounded(bus: Bus) -> None:
    taken = [bus.post(HALF, Modulation(by="sine"), "osc", "modulation") for _ in range(3000)]
    assert taken == [True] * 3000  # said in the log, as with triggers
    bus.tick(0)
    assert len(bus.modulations) == 1024


@pytest.mark.parametrize("address", ["/a/go", "/a/level", "/no/such"])
def test_only_faders_move_by_themselves(bus: Bus, address: str) -> None:
    made = Modulations(bus)
    made.press("next", address, "key")
    assert made.of(address) is None


def test_a_message_moves_no_ear_and_no_corner(bus: Bus) -> None:
    """It is refused where it comes in, as text for a number is, and said once."""
    words = ["sine", 0.5]
    assert asked(words, bus[HALF])[1] == "modulation"
    for address in ("/a/level", "/a/go"):
        assert asked(words, bus[address]) == ("sine", "value")


def test_a_flood_of_presses_that_do_nothing_does_not_fill_the_log(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    made = Modulations(bus)
    caplog.set_level(logging.INFO)
    bus.declare("b", {"heard": Param(0, 0, 1)})
    made.set("/b/heard", Modulation(by="bass"), "osc")
    for _ in range(100):
        made.press("more", HALF, "osc")
        made.press("next", "/a/go", "osc")
        made.press("faster", "/b/heard", "osc")
    assert len(caplog.messages) == 3


def test_a_hand_that_moves_it_as_the_entry_comes_on_keeps_it(bus: Bus) -> None:
    """As with faders: a scene and what dresses it may come in one bundle."""
    mine, theirs = Modulation(by="bass"), Modulation(by="sine")
    made = Modulations(bus)
    bus.post(HALF, mine, "osc here", "modulation")
    bus.tick(0)
    made.take()
    made.dress({HALF: theirs})
    assert made.of(HALF) == mine
    made.dress({})
    assert made.of(HALF) == mine


def test_an_entry_s_go_with_it_and_a_hand_s_come_back(bus: Bus) -> None:
    bus.declare("b", {"one": Param(5, 0, 10), "two": Param(5, 0, 10)})
    made = Modulations(bus)
    mine, theirs = Modulation(by="bass"), Modulation(by="sine")
    made.set("/b/one", mine, "osc")
    made.dress({HALF: theirs, "/b/one": theirs, "/b/two": theirs})
    assert (made.of(HALF), made.of("/b/one"), made.of("/b/two")) == (theirs,) * 3
    assert made.worn.covered == {"/b/one": mine}
    made.set("/b/two", None, "key")
    assert made.by_hand == {"/b/two": None}
    made.dress({HALF: mine})
    assert (made.of(HALF), made.of("/b/one"), made.of("/b/two")) == (mine, mine, None)
    made.dress({})
    assert made.of(HALF) is None
    assert made.by_hand == {"/b/one": mine, "/b/two": None}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("{ depth = 1 }", "by is missing"),
        ('{ by = "bas" }', "by = 'bas': 'sine', 'noise'"),
        ('{ by = "bas" }', "'across' or 'up'"),
        ('{ by = "sine", depth = 2 }', "depth = 2: 1 or less"),
        ('{ by = "sine", beats = 0 }', "beats = 0: 0.0625 or more"),
        ('{ by = "sine", beats = 4, seconds = 2 }', "beats or so many seconds"),
        ('{ by = "bass", beats = 4 }', "modulation./drift/speed: bass comes from the room"),
        ('{ by = "sine", rate = 4 }', "unknown key 'modulation./drift/speed.rate'"),
        ("0.5", "a table"),
    ],
)
def test_a_wrong_one_is_named(tmp_path: Path, wrong: str, says: str) -> None:
    file = tmp_path / "evening.toml"
    file.write_text(f'[[scene]]\nscene = "drift"\nmodulation = {{ "/drift/speed" = {wrong} }}\n')
    with pytest.raises(SetlistError, match=r"scene 1: .*modulation\./drift/speed") as error:
        setlist.load(str(file))
    assert says in str(error.value)


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_piece(tmp_path_factory.mktemp("pieces") / "moving")


def evening(folder: Path, *modulations: str) -> str:
    """A venue whose setlist has an entry for each of these."""
    entries = [
        f'[[scene]]\nscene = "{scene}"\nseconds = 5\nfade = 0\nmodulation = {{ {one} }}\n'
        for scene, one in zip(("drift", "kin"), modulations, strict=False)
    ]
    order, venue = folder / "evening.toml", folder / "room.toml"
    order.write_text("\n".join(entries))
    venue.write_text(
        f"[play]\nsetlist = {json.dumps(str(order))}\n"
        f"presets = {json.dumps(str(folder / 'kept.toml'))}\n"
        "[osc]\nenabled = false\n[midi]\nenabled = false\n"
    )
    return str(venue)


@pytest.mark.parametrize(
    ("one", "says"),
    [
        ('"/drift/sped" = { by = "sine" }', "did you mean '/drift/speed'"),
        ('"/stage/next" = { by = "sine" }', "nothing that can move by itself"),
        ('"/sound/bass" = { by = "sine" }', "nothing that can move by itself"),
    ],
)
def test_a_setlist_that_moves_what_it_cannot_is_refused(
    piece: Path, tmp_path: Path, one: str, says: str
) -> None:
    options = Options(piece=str(piece), venue=evening(tmp_path, one))
    with pytest.raises(SetlistError, match="the setlist's drift") as error, opened(options):
        pass
    assert says in str(error.value)


def test_the_wall_moves_by_the_setlist_and_rests_when_the_entry_is_over(
    piece: Path, tmp_path: Path
) -> None:
    moving = '"/light/brightness" = { by = "square", seconds = 2, depth = -0.5 }'
    options = Options(piece=str(piece), venue=evening(tmp_path, moving, ""))
    with opened(options) as show:
        dark = run(show, 75)  # half of the first second of a square wave, after two
        light = run(show, 30)
        assert dark.mean() < 0.8 * light.mean()
        run(show, 120)
        assert show.show.scene.name == "kin"
        assert show.modulations.of("/light/brightness") is None
        assert show.bus.value("/light/brightness") == 1


def test_keys_reach_it(piece: Path, tmp_path: Path) -> None:
    options = Options(piece=str(piece), scene="drift", venue=evening(tmp_path, ""))
    with opened(options) as show:
        address = show.keyboard.selected
        for key, modifiers in (("m", ()), (".", ()), (".", ()), (",", ("shift",))):
            show.keyboard.press(key, modifiers)
        run(show, 1)
        assert show.modulations.of(address) == Modulation(by="sine", beats=32, depth=0.35)
        assert show.modulations.by_hand == {address: show.modulations.of(address)}


def test_a_preset_keeps_what_moves_and_brings_it_back(piece: Path, tmp_path: Path) -> None:
    venue = evening(tmp_path, "")
    options = Options(piece=str(piece), scene="drift", venue=venue)
    moving = Modulation(by="noise", seconds=3, depth=-0.1)
    with opened(options) as show:
        show.modulations.set("/drift/speed", moving, "key")
        show.modulations.set("/kin/beats", moving, "key")  # another scene's
        show.keyboard.press("f2", ("shift",))
        run(show, 1)
    kept = presets.read(str(tmp_path / "kept.toml"))
    assert tomllib.loads((tmp_path / "kept.toml").read_text())["preset"][0]["number"] == 2
    assert kept[0].modulation == {"/drift/speed": moving}
    with opened(options) as show:
        show.modulations.set("/light/brightness", moving, "key")
        show.keyboard.press("f2")
        run(show, 1)
        assert show.modulations.of("/drift/speed") == moving
        assert show.modulations.of("/light/brightness") is None  # it did not move


@pytest.mark.parametrize("first", ["modulation", "preset"])
def test_a_preset_stored_in_the_same_bundle_has_it(piece: Path, tmp_path: Path, first: str) -> None:
    """As it has the faders that come in the same bundle, whatever their order."""
    moving = Modulation(by="sine", depth=0.3, beats=8)
    venue = evening(tmp_path, '"/drift/calm" = { by = "bass" }')
    with opened(Options(piece=str(piece), scene="drift", venue=venue)) as show:
        run(show, 1)

        def modulate() -> None:
            show.bus.post("/drift/speed", moving, "osc", "modulation")
            show.bus.post("/drift/calm", None, "osc", "modulation")

        if first == "modulation":
            modulate()
        for asked_for in ("/preset/store", "/preset/3"):
            show.bus.post(asked_for, 1, "osc")
        if first == "preset":
            modulate()
        run(show, 1)
    (kept,) = presets.read(str(tmp_path / "kept.toml"))
    assert kept.modulation == {"/drift/speed": moving}


def test_a_preset_brings_whatever_somebody_wrote_into_its_file(piece: Path, tmp_path: Path) -> None:
    """As with its faders: of any scene that is there, and the rest is left out."""
    venue = evening(tmp_path, "")
    (tmp_path / "kept.toml").write_text(
        '[[preset]]\nnumber = 1\nscene = "drift"\n[preset.modulation]\n'
        '"/kin/beats" = { by = "bass" }\n"/drift/gone" = { by = "bass" }\n'
    )
    with opened(Options(piece=str(piece), scene="drift", venue=venue)) as show:
        show.keyboard.press("f1")
        run(show, 1)
        assert show.modulations.moving == {"/kin/beats": Modulation(by="bass")}


def test_a_show_that_crashed_moves_again(piece: Path, tmp_path: Path) -> None:
    venue = evening(tmp_path, '"/drift/speed" = { by = "bass" }')
    options = Options(piece=str(piece), venue=venue, memory=str(tmp_path / "show.json"))
    mine, other = Modulation(by="sine", beats=4), Modulation(by="high", depth=0.1)
    with opened(options) as show:
        run(show, 1)
        show.modulations.set("/drift/calm", mine, "key")
        show.modulations.set("/drift/speed", None, "key")
        run(show, 60)
    with opened(options) as show:
        run(show, 1)
        assert show.modulations.of("/drift/calm") == mine
        assert show.modulations.of("/drift/speed") is None
        show.modulations.set("/drift/calm", other, SETLIST)
        assert show.modulations.by_hand == {"/drift/speed": None}


def test_a_memory_of_the_version_before_is_taken_up(piece: Path, tmp_path: Path) -> None:
    memory = tmp_path / "show.json"
    memory.write_text(
        '{"scene": "drift", "piece": "moving", "held": true, "at": 0, "seconds": 0, '
        '"moved": {"/drift/speed": 0.15}, "covered": {}, "dark": false}'
    )
    venue = evening(tmp_path, "")
    with opened(Options(piece=str(piece), venue=venue, memory=str(memory))) as show:
        run(show, 1)
        assert show.bus.target("/drift/speed") == 0.15


def test_a_modulation_without_a_way_is_none() -> None:
    with pytest.raises(ValidationError):
        Modulation.model_validate({"depth": 0.5})
