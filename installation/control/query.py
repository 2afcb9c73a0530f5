"""OSCQuery: every address of the bus, described as JSON (Vidvox's proposal, third revision); also
those that stand for others, as /on/1, by what they stand for now.

{"FULL_PATH": "/drift/speed", "TYPE": "f", "ACCESS": 3, "VALUE": [0.1],
 "RANGE": [{"MIN": 0, "MAX": 0.2}], "CLIPMODE": ["both"], "DESCRIPTION": "…", "UNIT": ["seeds/s"]}
"""

from __future__ import annotations

from typing import Any

from installation.parameters import Bus, Declared, Param

ATTRIBUTES = frozenset(
    {"FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "CLIPMODE", "DESCRIPTION", "UNIT"}
)
_EXTENSIONS = ("ACCESS", "VALUE", "RANGE", "CLIPMODE", "DESCRIPTION", "UNIT", "LISTEN")
_NOTHING, _WRITE, _BOTH = 0, 2, 3  # ACCESS


def describe(bus: Bus, path: str) -> dict[str, Any] | None:
    """The node at a path with all that is below it; None where nothing is."""
    path = path.rstrip("/")
    below = f"{path}/"
    every = (*bus, *bus.others())
    found = [(a, what) for a, what in every if a == path or a.startswith(below)]
    if not found and path:
        return None
    top = _container(path or "/")
    for address, what in found:
        node, at = top, path
        for name in address[len(below) :].split("/") if address != path else ():
            at = f"{at}/{name}"
            node = node.setdefault("CONTENTS", {}).setdefault(name, _container(at))
        node |= _method(bus, address, what)
    return top


def explained(bus: Bus, address: str, what: Declared) -> str:
    """What it does; before that, where it stands for another address, which."""
    meant = bus.meant(address)
    return what.doc if meant == address else f"{meant}: {what.doc}"


def host_info(name: str, osc_port: int | None) -> dict[str, Any]:
    """What this server can do, and where OSC by UDP goes; None where it listens to none."""
    info: dict[str, Any] = {"NAME": name, "EXTENSIONS": dict.fromkeys(_EXTENSIONS, True)}
    if osc_port is not None:
        info |= {"OSC_PORT": osc_port, "OSC_TRANSPORT": "UDP"}
    return info


def _container(path: str) -> dict[str, Any]:
    return {"FULL_PATH": path, "ACCESS": _NOTHING}


def _method(bus: Bus, address: str, what: Declared) -> dict[str, Any]:
    node: dict[str, Any] = {"DESCRIPTION": explained(bus, address, what)}
    if not isinstance(what, Param):
        return node | {"TYPE": "N", "ACCESS": _WRITE}  # an impulse has no argument
    node |= {"TYPE": "f", "ACCESS": _BOTH, "VALUE": [bus.target(address)]}
    node |= {"RANGE": [{"MIN": what.low, "MAX": what.high}], "CLIPMODE": ["both"]}
    return node | ({"UNIT": [what.unit]} if what.unit else {})
