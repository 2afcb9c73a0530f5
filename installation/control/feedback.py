"""Where parameters stand, told by OSC to controllers that show it: motor faders, tablets, desks."""

from __future__ import annotations

import itertools
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from installation.control.message import ControlError
from installation.control.packet import encoded
from installation.log import Complaints
from installation.parameters import Bus, Param

log = logging.getLogger(__name__)

_EVERY = 0.05  # seconds
_MOST = 64  # messages at a time: the whole of a large show is told over some turns

Stand = tuple[str, float]
"""A parameter, and where it is going: what an address stands for may change with the scene."""


class Feedback:
    """targets: HOST:PORT of each controller. Raises ControlError for one that cannot be.

    At first everything is told, then whatever goes elsewhere, however it was moved; but not to the
    machine that moved it, whose fader a finger may still hold.
    """

    def __init__(self, bus: Bus, targets: Sequence[str]) -> None:
        self._bus = bus
        self._complaints = Complaints(log)
        self._targets = [_resolved(target) for target in targets]
        self._told: list[dict[str, Stand]] = [{} for _ in targets]
        self._due = 0.0

    def tell(self, now: float) -> None:
        """Send what is new, at most every _EVERY seconds. now: seconds on any clock."""
        if not self._targets or now < self._due:
            return
        self._due = now + _EVERY
        for (family, where), told in zip(self._targets, self._told, strict=True):
            try:
                self._send(family, where, told)
            except OSError as error:
                self._complain(where[0], error.strerror or str(error))

    def _send(
        self, family: socket.AddressFamily, where: tuple[Any, ...], told: dict[str, Stand]
    ) -> None:
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            for address, stand in news(self._bus, told, f"osc {where[0]}"):
                sender.sendto(encoded(address, stand[1]), where)
                told[address] = stand

    def _complain(self, host: str, reason: str) -> None:
        self._complaints.once(
            (host, reason), lambda: f"OSC cannot tell {host} where parameters stand ({reason})"
        )


def news(
    bus: Bus, told: dict[str, Stand], listener: str, within: Callable[[str], bool] = bool
) -> Iterator[tuple[str, Stand]]:
    """Where parameters stand, where that is not what a listener was told; at most _MOST of them.

    listener: as its own messages name it; what it has moved itself it knows at that address, and
    that is noted in `told`, where the caller notes the rest once it is sent. within: which
    addresses it wants.
    """
    left = _MOST
    for address, what in itertools.chain(bus, bus.others()):
        if not isinstance(what, Param) or not within(address):
            continue
        meant = bus.meant(address)
        stand = meant, bus.target(meant)
        before = told.get(address)
        if before == stand:
            continue
        by_itself = bus.moved_by(meant) == listener and bus.moved_through(meant) == address
        if before and before[0] == meant and by_itself:
            told[address] = stand
            continue
        if left == 0:
            return
        left -= 1
        yield address, stand


def _resolved(target: str) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    host, colon, port = target.rpartition(":")
    if not colon or not host or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ControlError(f"OSC feedback goes to HOST:PORT, like 192.168.1.20:9001, not {target}")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
    except (OSError, UnicodeError) as error:
        raise ControlError(f"OSC feedback: there is no {host} ({error})") from error
    return found[0], found[4]
