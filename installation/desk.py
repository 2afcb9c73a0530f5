"""What the overlay says: every parameter on the bus, where it stands, what moves it."""

from __future__ import annotations

from collections.abc import Iterable

from installation.output.overlay import Row
from installation.parameters import Bus, Param


def rows(bus: Bus, selected: str, on_stage: Iterable[str]) -> list[Row]:
    """One row per parameter: those of the scenes on stage, the piece and the house."""
    hidden = tuple(f"/{name}/" for name in on_stage)
    return [
        row(bus, address, address == selected)
        for address, _ in bus
        if not address.startswith("/stage/scene/") and _shown(address, hidden)
    ]


def _shown(address: str, scenes: tuple[str, ...]) -> bool:
    return address.startswith((*scenes, "/stage/", "/clock/", "/light/", "/piece/"))


def row(bus: Bus, address: str, selected: bool = False) -> Row:
    what = bus[address]
    moved_by = bus.moved_by(address)
    if not isinstance(what, Param):
        return Row(address, "press", None, moved_by, selected)
    value = bus.value(address)
    text = f"{value:.3g} {what.unit}".strip()
    return Row(address, text, round(what.to_unit(value), 3), moved_by, selected)
