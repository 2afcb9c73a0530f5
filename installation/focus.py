"""Addresses that follow what is on, so that eight faders are enough for any number of scenes.

/on/3    the third parameter of the scene that is on, in the order in which it declares them
/go/3    puts on the third scene
"""

from __future__ import annotations

from collections.abc import Sequence

from installation.parameters import Bus, Param

MOST = 16
ADDRESSES = frozenset(f"/{owner}/{n}" for owner in ("on", "go") for n in range(1, MOST + 1))


def meant(bus: Bus, scene: str, scenes: Sequence[str]) -> dict[str, str]:
    """What these addresses stand for while `scene` is on. scenes: all, in running order."""
    start = f"/{bus.aliases.owner(scene)}/"
    faders = [a for a, what in bus if a.startswith(start) and isinstance(what, Param)]
    found = {f"/on/{n}": address for n, address in enumerate(faders[:MOST], 1)}
    owners = map(bus.aliases.owner, scenes[:MOST])
    return found | {f"/go/{n}": f"/stage/scene/{owner}" for n, owner in enumerate(owners, 1)}
