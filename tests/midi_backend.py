"""A mido backend without hardware: mido.Backend("midi_backend"). Ports are plugged in by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mido

_plugged: dict[str, list[Input]] = {}


def plug(name: str) -> None:
    _plugged[name] = []


def pull(name: str) -> None:
    del _plugged[name]


def pull_all() -> None:
    _plugged.clear()


def play(name: str, *messages: mido.Message) -> None:
    """Send from a port to every input that is open on it, as a driver's thread would."""
    for opened in list(_plugged[name]):
        for message in messages:
            opened.callback(message)


def listeners(name: str) -> int:
    return len(_plugged[name])


def get_devices(**_: Any) -> list[dict[str, Any]]:
    return [{"name": name, "is_input": True, "is_output": False} for name in _plugged]


class Input:
    def __init__(self, name: str, callback: Callable[[mido.Message], None], **_: Any) -> None:
        if name not in _plugged or "broken" in name:
            raise OSError(f"unknown port {name!r}")
        self.name, self.callback = name, callback
        _plugged[name].append(self)

    def close(self) -> None:
        if self in _plugged.get(self.name, []):
            _plugged[self.name].remove(self)
