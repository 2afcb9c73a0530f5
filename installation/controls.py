"""What listens to the room, and may be moved by it: opened and closed together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from installation.control.link import Link
from installation.control.midi import Midi
from installation.control.osc import OscServer
from installation.control.sound import Sound
from installation.learned import Learned
from installation.parameters import Bus
from installation.venue import Venue

if TYPE_CHECKING:
    from installation.control.web import Web

log = logging.getLogger(__name__)

_TOLD = 0.5  # seconds between two words on what is on


class _Closing(Protocol):
    def close(self) -> None: ...


class Controls:
    """OSC, MIDI, sound, Link and the remote, as far as a venue wants them; closed until open().

    name: of the show, for whoever finds it on the network. picture: a JPEG of the wall, for the
    remote.
    """

    def __init__(
        self,
        bus: Bus,
        venue: Venue,
        name: str = "",
        picture: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        self._bus, self._venue, self._name, self._picture = bus, venue, name, picture
        self._opened: list[_Closing] = []
        self._learned: Learned | None = None  # none where the venue has no MIDI
        self._web: Web | None = None
        self._passed = 0.0

    def open(self) -> None:
        """Listen. A port that is taken is an error; no MIDI at all is a warning.

        Raises ControlError, or VenueError for a file of learned controls that is not right.
        """
        bus, osc, midi = self._bus, self._venue.osc, self._venue.midi
        link = Link(bus)
        if osc.enabled:
            self._opened.append(OscServer(bus, osc.host, osc.port, feedback=osc.feedback).start())
        if midi.enabled:
            self._learned = Learned(self._venue, bus)
            known = self._learned.map
            listener = Midi(
                bus, known, midi.ports, feedback=midi.feedback, yields=lambda: link.leads
            )
            self._opened.append(listener.start())
        if self._venue.sound.enabled:
            self._opened.append(Sound(bus, self._venue.sound.device).start())
        if self._venue.link.enabled:
            self._opened.append(link.start())
        if self._venue.web.enabled:
            self._web = self._serve()
            self._opened.append(self._web)

    def _serve(self) -> Web:
        from installation.control.web import Web  # a server is loaded where one is wanted

        osc, web = self._venue.osc, self._venue.web
        return Web(
            self._bus, web.host, web.port,
            password=web.password.get_secret_value() if web.password else "",
            name=self._name, picture=self._picture, osc_port=osc.port if osc.enabled else None,
        ).start()  # fmt: skip

    def keep(self, dt: float, status: Callable[[], dict[str, str]]) -> None:
        """Once a frame: what was learned since is written down, and what is on is told. status:
        is asked now and then, where anybody is served."""
        if self._learned is not None:
            self._learned.keep()
        self._passed += dt
        if self._web is not None and self._passed >= _TOLD:
            self._passed, self._web.status = 0.0, status()

    def refresh(self) -> None:
        """Parameters came or went: controls are dealt out anew."""
        if self._learned is not None:
            self._learned.map.refresh()

    def learn(self, address: str) -> None:
        """Bind this parameter to the MIDI control that is moved next; asked once more, give up."""
        if self._learned is None:
            log.warning("nothing to learn from: this venue has MIDI switched off")
        else:
            known = self._learned.map
            known.learn("" if known.learning == address else address)
            log.info("%s", self.news if known.learning else "no MIDI control is learned")

    @property
    def news(self) -> str:
        """What the hand at a controller has to know now; "" for nothing."""
        if self._learned is None:
            return ""
        known = self._learned.map
        if known.learning:
            return f"move the MIDI control that is to move {known.learning}; L again gives up"
        return known.waiting

    def close(self) -> None:
        for control in self._opened:
            control.close()
        self._opened.clear()
