"""Where parameters stand, told by OSC to controllers that show it: motor faders, tablets, desks."""

from __future__ import annotations

import itertools
import logging
import math
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from installation.control.hosts import Place, host_and_port, resolved
from installation.control.message import ControlError
from installation.control.packet import encoded
from installation.log import Complaints
from installation.parameters import Bus, Param

log = logging.getLogger(__name__)

_EVERY = 0.05  # seconds
_MOST = 64  # messages at a time: the whole of a large show is told over some turns
_ROUND = 10.0  # seconds, and everything is told anew: a tablet may have been switched on since
_STILL = 2.0  # seconds that a parameter stands still before, or a finger may be on its fader
_AGAIN = 4  # told anew at a time, so that a network or a tablet is not flooded

Stand = tuple[str, float]
"""A parameter, and where it is going: what an address stands for may change with the scene."""


@dataclass
class _Controller:
    """place: None until its name is found. told: what it knows. again: what of that, in this round,
    is still to be told anew."""

    host: str
    port: int
    place: Place | None
    search: threading.Thread | None = None
    searched: float = -math.inf  # when its name was looked for last
    told: dict[str, Stand] = field(default_factory=dict)
    again: list[tuple[str, Stand]] = field(default_factory=list)

    def forget_some(self) -> None:
        """What has moved in this round waits for the next."""
        for address, stand in self.again[:_AGAIN]:
            if self.told.get(address) == stand:
                del self.told[address]
        del self.again[:_AGAIN]


class Feedback:
    """targets: HOST:PORT of each controller. Raises ControlError for what is not of that form; a
    name that is not known is looked for again, as a tablet has none before it is switched on.

    At first everything is told, then whatever goes elsewhere, however it was moved; but not to the
    machine that moved it, whose fader a finger may still hold. Nobody says whether a controller is
    on and listens, so everything is told anew, a little at a time, for as long as the show lasts.
    """

    def __init__(self, bus: Bus, targets: Sequence[str]) -> None:
        self._bus = bus
        self._complaints = Complaints(log)
        self._controllers = [_controller(target) for target in targets]
        self._due = self._round = 0.0

    def tell(self, now: float) -> None:
        """Send what is new, at most every _EVERY seconds. now: seconds on any clock."""
        if not self._controllers or now < self._due:
            return
        self._due = now + _EVERY
        if now >= self._round and not any(one.again for one in self._controllers):
            self._round = now + _ROUND
            for one in self._controllers:
                one.again = list(one.told.items())
        for one in self._controllers:
            if one.place is None:
                self._search(one, now)
                continue
            if now >= self._round - _ROUND + _STILL:
                one.forget_some()
            try:
                self._send(one, *one.place)
            except OSError as error:
                self._complain(one.place[1][0], error.strerror or str(error))

    def _search(self, one: _Controller, now: float) -> None:
        """Look for a name once a round, in a thread of its own: the system may take seconds."""
        if now - one.searched >= _ROUND and not (one.search and one.search.is_alive()):
            one.searched = now
            one.search = threading.Thread(
                target=self._find, args=(one,), name="osc name", daemon=True
            )
            one.search.start()

    def _find(self, one: _Controller) -> None:
        try:
            one.place = resolved(one.host, one.port)
        except (OSError, UnicodeError) as error:
            self._complain(one.host, f"{error}; it is looked for every {_ROUND:g} seconds")

    def _send(self, one: _Controller, family: socket.AddressFamily, where: tuple[Any, ...]) -> None:
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            for address, stand in news(self._bus, one.told, f"osc {where[0]}"):
                sender.sendto(encoded(address, stand[1]), where)
                one.told[address] = stand

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


def _controller(target: str) -> _Controller:
    try:
        host, port = host_and_port(target)
    except ValueError as error:
        raise ControlError(f"OSC {error}, not {target}") from error
    try:
        return _Controller(host, port, resolved(host, port, flags=socket.AI_NUMERICHOST))
    except (OSError, UnicodeError):  # it is a name
        return _Controller(host, port, None)
