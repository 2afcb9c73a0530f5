"""A mido backend without hardware: mido.Backend("midi_backend"). Ports are plugged in by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mido

_plugged: dict[str, list[Input]] = {}
sent: dict[str, list[mido.Message]] = {}  # what went to each output; one that is not here has none


def plug(name: str) -> None:
    _plugged[name] = []


def pull(name: str) -> None:
    del _plugged[name]


def pull_all() -> None:
    _plugged.clear()
    sent.clear()


def play(name: str, *messages: mido.Message) -> None:
    """Send from a port to every input that is open on it, as a driver's thread would."""
    for opened in list(_plugged[name]):
        for message in messages:
            opened.callback(message)


def listeners(name: str) -> int:
    return len(_plugged[name])


def get_devices(**_: Any) -> list[dict[str, Any]]:
    return [{"name": name, "is_input": True, "is_output": name in sent} for name in _plugged]


class Input:
    def __init__(self, name: str, callback: Callable[[mido.Message], None], **_: Any) -> None:
        if name not in _plugged or "broken" in name:
            raise OSError(f"unknown port {name!r}")
        self.name, self.callback = name, callback
        _plugged[name].append(self)

    def close(self) -> None:
        if self in _plugged.get(self.name, []):
            _plugged[self.name].remove(self)


class Output:
    def __init__(self, name: str, **_: Any) -> None:
        if "deaf" in name:
            raise OSError(f"{name!r} cannot be opened")
        self.name = name

    def send(self, message: mido.Message) -> None:
        if self.name not in _plugged:
            raise OSError("it was pulled")
        sent[self.name].append(message)
        if "Through" in self.name:  # it comes back
            play(self.name, message)

    def close(self) -> None:
        self.name = ""
