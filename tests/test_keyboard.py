"""Keys: everything can be reached with them alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from installation.control.keyboard import KEYS, Keyboard, key_help
from installation.parameters import Bus, Param, Trigger

STAGE = ("next", "record", "overlay", "fullscreen", "still", "quit", "learn")


@pytest.fixture
def bus() -> Bus:
    bus = Bus()
    bus.declare("drift", {"speed": Param(0.5, 0, 2), "flash": Trigger()})
    bus.declare("drift/bloom", {"amount": Param(0.2, 0, 1, glide=0.3)})
    bus.declare("seeds", {"pace": Param(1, 0, 4)})
    bus.declare("clock", {"bpm": Param(72, 20, 300), "tap": Trigger()})
    bus.declare("stage", {name: Trigger() for name in STAGE})
    bus.declare("stage/scene", {"drift": Trigger(), "seeds": Trigger()})
    return bus


def test_a_key_held_down_turns_but_fires_once(bus: Bus) -> None:
    board = Keyboard(bus, ["drift", "seeds"])
    for key in ("f", "1", "r", "escape"):
        board.press(key)
        assert len(bus.tick(0)) == 1
        board.press(key, repeated=True)
        assert bus.tick(0) == []
    board.press("right")
    board.press("right", repeated=True)
    bus.tick(0)
    assert bus.target("/drift/speed") == pytest.approx(0.54)


@pytest.fixture
def keyboard(bus: Bus) -> Keyboard:
    return Keyboard(bus, ["drift", "seeds"])


@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("space", "/stage/next"),
        ("r", "/stage/record"),
        ("R", "/stage/record"),
        ("tab", "/stage/overlay"),
        ("f", "/stage/fullscreen"),
        ("s", "/stage/still"),
        ("l", "/stage/learn"),
        ("t", "/clock/tap"),
        ("escape", "/stage/quit"),
        ("1", "/stage/scene/drift"),
        ("2", "/stage/scene/seeds"),
    ],
)
def test_keys_fire_triggers(bus: Bus, keyboard: Keyboard, key: str, address: str) -> None:
    keyboard.press(key)
    keyboard.press(key)
    assert bus.tick(0.01) == [address, address]
    assert bus.moved_by(address) == "key"


def test_every_parameter_can_be_selected_and_moved(bus: Bus, keyboard: Keyboard) -> None:
    addresses = [address for address, _ in bus]
    for address in addresses:
        assert keyboard.selected == address
        before = bus.value(address)
        keyboard.press("right")
        keyboard.press("return")
        fired = bus.tick(100)
        what = bus[address]
        if isinstance(what, Param):
            assert bus.value(address) == pytest.approx(before + 0.01 * (what.high - what.low))
            assert bus.moved_by(address) == "key"
            assert fired == []
        else:
            assert fired == [address]
        keyboard.press("down")
    assert keyboard.selected == addresses[0]  # once around
    keyboard.press("up")
    assert keyboard.selected == addresses[-1]


def test_steps_are_one_or_ten_parts_of_a_hundred(bus: Bus, keyboard: Keyboard) -> None:
    for key, modifiers, expected in (
        ("left", (), 0.48),
        ("left", ("shift",), 0.28),
        ("right", ("shift",), 0.48),
        ("right", (), 0.5),
    ):
        keyboard.press(key, modifiers)
        bus.tick(0.01)
        assert bus.value("/drift/speed") == pytest.approx(expected)
    for _ in range(30):
        keyboard.press("right", ("shift",))
    keyboard.press("left")
    bus.tick(0.01)
    assert bus.value("/drift/speed") == pytest.approx(1.98)  # stopped at the top, then one back


def test_backspace_goes_back_to_the_default(bus: Bus, keyboard: Keyboard) -> None:
    bus.post("/drift/speed", 2)
    bus.tick(0.01)
    keyboard.press("backspace")
    bus.tick(0.01)
    assert bus.value("/drift/speed") == 0.5


def test_pages_go_from_owner_to_owner(bus: Bus, keyboard: Keyboard) -> None:
    keyboard.press("down")
    seen = []
    for _ in range(4):
        keyboard.press("pagedown")
        seen.append(keyboard.selected)
    assert seen == ["/seeds/pace", "/clock/bpm", "/stage/next", "/drift/speed"]
    keyboard.press("pageup")
    assert keyboard.selected == "/stage/next"


def test_the_selection_stays_where_it_is_when_parameters_come_and_go(
    bus: Bus, keyboard: Keyboard
) -> None:
    keyboard.press("pagedown")
    bus.withdraw("drift")
    bus.declare("new", {"x": Param(0, 0, 1)})
    assert keyboard.selected == "/seeds/pace"
    bus.withdraw("seeds")
    assert keyboard.selected == "/clock/bpm"  # what it was on is gone: the first


def test_shortcuts_of_the_system_are_left_alone(bus: Bus, keyboard: Keyboard) -> None:
    for modifier in ("ctrl", "alt", "meta"):
        keyboard.press("f", {modifier})
        keyboard.press("right", {modifier, "shift"})
    for key in ("q", "left shift", "", "é", "0", "²"):
        keyboard.press(key)
    assert bus.tick(0.01) == []
    assert bus.value("/drift/speed") == 0.5


def test_what_is_not_on_the_bus_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    bus = Bus()
    keyboard = Keyboard(bus, ["drift"])
    for _ in range(3):
        for key in ("f", "1", "9", "up", "pageup", "left", "backspace", "return"):
            keyboard.press(key)
    assert keyboard.selected == ""
    assert caplog.messages == [
        "key 'f' does nothing here: no /stage/fullscreen",
        "key '1' does nothing here: no /stage/scene/drift",
        "key 9: there is no such scene, the last is 1",
    ]


def test_presets_are_called_up_and_with_shift_stored(keyboard: Keyboard, bus: Bus) -> None:
    bus.declare("preset", {"store": Trigger(), "3": Trigger(), "12": Trigger()})
    keyboard.press("f3")
    assert bus.tick(0) == ["/preset/3"]
    keyboard.press("F12", ["shift"])
    assert bus.tick(0) == ["/preset/store", "/preset/12"]


def test_the_help_names_every_key_once() -> None:
    names = [name for key in KEYS for name in key.names]
    assert len(set(names)) == len(names)
    rows = key_help()
    assert len(rows) == len(KEYS) + 2  # digits and presets
    assert all(name and doc for name, doc in rows)
    assert all(bool(key.address) != bool(key.act) for key in KEYS)


def test_the_readme_names_every_key() -> None:
    manual = Path(__file__).parent.parent / "installation" / "README.md"
    readme = manual.read_text(encoding="utf-8")
    table = readme.partition("| key | |")[2].partition("\n\n")[0].lower()
    told = set(re.findall(r"\w+|(?<!\w)[.,]", table.replace("page ", "page")))
    assert not [key.names[0] for key in KEYS if key.names[0] not in told]
