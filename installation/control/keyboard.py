"""The keyboard: every parameter can be reached with nothing but keys.

The window hands over plain key names ("up", "space", "1"); what they do is the table KEYS, which
also prints the help.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from installation.log import Complaints
from installation.parameters import Bus, Trigger

log = logging.getLogger(__name__)

_STEP, _LEAP = 0.01, 0.10  # of a parameter's range; the second with Shift
_LEFT_TO_THE_SYSTEM = {"ctrl", "alt", "meta"}


@dataclass(frozen=True)
class Key:
    """What a key does: fire the trigger at an address, or something on the keyboard's selection."""

    names: tuple[str, ...]
    doc: str
    address: str = ""
    act: Callable[[Keyboard, float], None] | None = None


class Pressed(Protocol):
    """A key that went down, as press() takes it."""

    @property
    def key(self) -> str: ...
    @property
    def modifiers(self) -> Collection[str]: ...
    @property
    def repeated(self) -> bool: ...


class Keyboard:
    """Turns keys into posts to the bus, and keeps which parameter is selected.

    scenes: names in running order, fired by the digits as /stage/scene/<name>.
    """

    def __init__(self, bus: Bus, scenes: Sequence[str] = ()) -> None:
        self.scenes = list(scenes)
        self._bus = bus
        self._selected = ""
        self._waiting: deque[Pressed] = deque()
        self._complaints = Complaints(log)

    @property
    def selected(self) -> str:
        """The address of the selected parameter, the first one at the start; "" if none exist."""
        if self._selected not in self._bus:
            self._selected = next((address for address, _ in self._bus), "")
        return self._selected

    def select(self, address: str) -> None:
        """As if a hand had gone there."""
        self._selected = address

    def take(self, keys: Iterable[Pressed]) -> None:
        """The keys of one frame, in order. Some of what they fire is carried out at its end, on
        what is selected: whatever selects something else after that waits for the next frame."""
        self._waiting.extend(keys)
        aimed = False
        while self._waiting and not (aimed and self._waiting[0].key.lower() in _SELECTING):
            one = self._waiting.popleft()
            aimed = aimed or one.key.lower() in _AIMED
            self.press(one.key, one.modifiers, one.repeated)

    def press(self, key: str, modifiers: Collection[str] = (), repeated: bool = False) -> None:
        """A key went down, or repeats while held: then it selects and turns, and fires nothing.

        Modifiers: "shift", "ctrl", "alt", "meta".
        """
        if _LEFT_TO_THE_SYSTEM & set(modifiers):
            return
        name = key.lower()
        if repeated and name not in _HELD:
            return
        if name in _DIGITS:
            self._scene(int(name) - 1)
            return
        if name in PRESETS:
            if "shift" in modifiers:
                self._fire("/preset/store", key)
            self._fire(f"/preset/{PRESETS[name]}", key)
            return
        found = _BY_NAME.get(name)
        if found is None:
            return
        if found.act is not None:
            found.act(self, _LEAP if "shift" in modifiers else _STEP)
        else:
            self._fire(found.address, key)

    def _scene(self, at: int) -> None:
        if at < len(self.scenes):
            self._fire(f"/stage/scene/{self.scenes[at]}", str(at + 1))
        else:
            last = len(self.scenes)
            self._complaints.once(
                at, lambda: f"key {at + 1}: there is no such scene, the last is {last}"
            )

    def _fire(self, address: str, key: str) -> None:
        if address in self._bus:
            self._bus.post(address, 1, "key")
        else:
            self._complaints.once(key, lambda: f"key {key!r} does nothing here: no {address}")

    def _move(self, by: int) -> None:
        addresses = [address for address, _ in self._bus]
        if addresses:
            self._selected = addresses[(addresses.index(self.selected) + by) % len(addresses)]

    def _owner(self, by: int) -> None:
        """Select the first parameter of the owner before or after this one's."""
        first: dict[str, str] = {}
        for address, _ in self._bus:
            first.setdefault(address.split("/")[1], address)
        if first:
            owners = list(first)
            at = owners.index(self.selected.split("/")[1]) + by
            self._selected = first[owners[at % len(owners)]]

    def _nudge(self, step: float) -> None:
        if self.selected and not isinstance(self._bus[self.selected], Trigger):
            self._bus.post(self.selected, step, "key", "nudge")

    def _reset(self) -> None:
        if self.selected:
            self._bus.reset(self.selected)

    def _modulate(self, depth: str, period: str, step: float) -> None:
        self._fire(f"/modulation/{period if step == _LEAP else depth}", period)

    def _enter(self) -> None:
        if self.selected and isinstance(self._bus[self.selected], Trigger):
            self._bus.post(self.selected, 1, "key")


KEYS = (
    Key(("up",), "select the parameter above", act=lambda board, _: board._move(-1)),
    Key(("down",), "select the parameter below", act=lambda board, _: board._move(1)),
    Key(("pageup",), "select the owner above", act=lambda board, _: board._owner(-1)),
    Key(("pagedown",), "select the owner below", act=lambda board, _: board._owner(1)),
    Key(("left",), "turn it down (Shift: ten times)", act=lambda board, step: board._nudge(-step)),
    Key(("right",), "turn it up (Shift: ten times)", act=lambda board, step: board._nudge(step)),
    Key(("backspace",), "back to its default", act=lambda board, _: board._reset()),
    Key(("enter", "return"), "fire the selected trigger", act=lambda board, _: board._enter()),
    Key(
        ("l",), "learn: the next MIDI control moved is bound to it; again: give up", "/stage/learn"
    ),
    Key(("m",), "let it move by itself: the next way, at last none", "/modulation/next"),
    Key(
        (".", ";"),  # the latter where that key is beside the comma (AZERTY)
        "it moves further up (Shift: faster)",
        act=lambda board, step: board._modulate("more", "faster", step),
    ),
    Key(
        (",",),
        "it moves less, then down (Shift: slower)",
        act=lambda board, step: board._modulate("less", "slower", step),
    ),
    Key(("space",), "next scene", "/stage/next"),
    Key(("p",), "next piece", "/stage/next_piece"),
    Key(("b",), "dark, or light again", "/stage/black"),
    Key(("t",), "tap the tempo", "/clock/tap"),
    Key(("s",), "save a still", "/stage/still"),
    Key(("r",), "start or stop recording", "/stage/record"),
    Key(("tab",), "show or hide the parameters", "/stage/overlay"),
    Key(("f",), "fullscreen", "/stage/fullscreen"),
    Key(("escape", "esc"), "quit", "/stage/quit"),
)
_BY_NAME = {name: key for key in KEYS for name in key.names}
_DIGITS = frozenset("123456789")
PRESETS = {f"f{number}": number for number in range(1, 13)}
_SELECTING = {"up", "down", "pageup", "pagedown"}
_HELD = _SELECTING | {"left", "right"}  # keys that one may hold down
_AIMED = {"l", "m", ".", ";", ","}  # which fire triggers that are meant for the selected parameter


def key_help() -> list[tuple[str, str]]:
    """Each key and what it does, as `installation play --help` prints them."""
    rows = [(key.names[0].capitalize(), key.doc) for key in KEYS]
    rows += [("1 to 9", "the scene of that number"), ("F1 to F12", "preset; Shift: store it")]
    return rows
