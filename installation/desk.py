"""What the overlay says: every parameter on the bus, where it stands, what moves it."""

from __future__ import annotations

from installation.output.overlay import Row
from installation.parameters import Bus, Param


def rows(bus: Bus, selected: str) -> list[Row]:
    """One row per address, in the order in which the arrow keys go through them."""
    return [row(bus, address, address == selected) for address, _ in bus]


def row(bus: Bus, address: str, selected: bool = False) -> Row:
    what = bus[address]
    moved_by = bus.moved_by(address)
    if not isinstance(what, Param):
        return Row(address, "press", None, moved_by, selected)
    value = bus.value(address)
    text = f"{value:.3g} {what.unit}".strip()
    return Row(address, text, round(what.to_unit(value), 3), moved_by, selected)
