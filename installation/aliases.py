"""Addresses that stand for others: those that follow what is on, and those that are no more."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping


class Aliases:
    """Written by the render thread, read by any. known: the addresses that there are."""

    def __init__(self) -> None:
        self.leading: Mapping[str, str] = {}
        """What follows what is on, as /on/1: what it stands for now."""
        self._owners: Mapping[str, str] = {}
        self._former: Mapping[str, tuple[str, ...]] = {}

    def lead(self, meant: Mapping[str, str]) -> None:
        self.leading = meant

    def name_owners(self, owners: Mapping[str, str]) -> None:
        """What parameters stand under, as a part of an address, by the name of what owns them."""
        self._owners = owners

    def owner(self, name: str) -> str:
        """What the parameters of a scene stand under."""
        return self._owners.get(name, name)

    def keep(self, moved: Iterable[tuple[str, str]]) -> None:
        """Let addresses that are no more stand for those in their place: presets, maps and venues
        have them. moved: (former, today's); one may have stood for several."""
        former = dict(self._former)
        for old, address in moved:
            if old != address:
                former[old] = tuple(dict.fromkeys((*former.get(old, ()), address)))
        self._former = former

    def current(self, address: str, known: Container[str]) -> tuple[str, ...]:
        """Where that is today which once stood at an address; most is where it was."""
        if address in known:
            return (address,)
        owner, _, name = address[1:].partition("/")
        address = f"/{self._owners[owner]}/{name}" if owner in self._owners else address
        return tuple(a for a in self._former.get(address, ()) if a in known) or (address,)

    def reached(self, address: str, known: Container[str]) -> tuple[str, ...]:
        """What a message to an address moves."""
        return self.current(self.leading.get(address, address), known)
