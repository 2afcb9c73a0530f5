"""What listens to the room, and may be moved by it: opened and closed together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from installation.control import osc
from installation.control.film import Film
from installation.control.link import Link, library
from installation.control.message import ControlError
from installation.control.midi import Midi
from installation.control.osc import OscServer
from installation.control.sight import Sight
from installation.control.sound import Sound
from installation.learned import Learned
from installation.log import Complaints
from installation.parameters import Bus
from installation.tables import Venue

if TYPE_CHECKING:
    from installation.control.web import Web

log = logging.getLogger(__name__)

_AGAIN = 10.0  # seconds between two tries to open what could not be
_TOLD = 0.5  # seconds between two words on what is on


class _Closing(Protocol):
    def close(self) -> None: ...


_Opens = Callable[[], _Closing]


def check(venue: Venue) -> None:
    """See whether what a venue wants can be opened, as far as that is known before a window is.
    Raises what Controls.open() raises."""
    if venue.midi.enabled:
        Learned(venue, Bus())
    if venue.osc.enabled:
        osc.listen(venue.osc.host, venue.osc.port).close()
    if venue.link.enabled:
        library()
    if venue.web.enabled:
        from installation.control import web

        web.listen(venue.web.host, venue.web.port).close()


class Controls:
    """OSC, MIDI, sound, a camera, Link and the remote, as far as a venue wants them; closed until
    open().

    name: of the show, for whoever finds it on the network. picture: a JPEG of the wall, for the
    remote. patient: nobody is there to mend anything.
    """

    def __init__(
        self,
        bus: Bus,
        venue: Venue,
        name: str = "",
        picture: Callable[[], bytes | None] = lambda: None,
        patient: bool = False,
    ) -> None:
        self._bus, self._venue, self._name, self._picture = bus, venue, name, picture
        self._patient, self._complaints = patient, Complaints(log)
        self._opened: list[_Closing] = []
        self._missing: list[_Opens] = []
        self._closing, self._lock = threading.Event(), threading.Lock()
        self._trying = threading.Thread(target=self._keep_trying, name="controls", daemon=True)
        self._learned: Learned | None = None  # none where the venue has no MIDI
        self._web: Web | None = None
        self._sight: Sight | Film | None = None
        self._passed = 0.0

    def open(self) -> None:
        """Listen. A port that cannot be had is an error; of a patient show it is said, and tried
        again until it can: a network may come later than the machine. No MIDI at all is a warning.

        Raises ControlError, or VenueError for a file of learned controls that is not right.
        """
        venue, link = self._venue, Link(self._bus)
        midi: Midi | None = None
        sound: Sound | None = None

        def placed() -> bool:
            """Somebody says where beats lie. A MIDI clock that never began does not: it sets the
            tempo only where no beat is heard either, or the two would pull it to and fro."""
            return link.leads or (midi is not None and midi.leads)

        if venue.sound.enabled:
            sound = Sound(self._bus, venue.sound.device, beat=venue.sound.beat, yields=placed)
            self._opened.append(sound.start())
        if venue.sight.enabled:
            self._sight = Sight(self._bus, venue.sight.device, venue.sight.mirror).start()
            self._opened.append(self._sight)
        if venue.midi.enabled:
            midi = self._listen_to_midi(
                lambda: link.leads or (sound is not None and sound.leads and not placed())
            )
            self._opened.append(midi)
        wanted: list[tuple[bool, _Opens]] = [
            (venue.osc.enabled, self._listen_to_osc),
            (venue.link.enabled, link.start),
            (venue.web.enabled, self._serve),
        ]
        self._missing = [opens for wish, opens in wanted if wish and not self._try(opens)]
        if self._missing:
            self._trying.start()

    def _try(self, opens: _Opens) -> bool:
        try:
            opened = opens()
        except ControlError as error:
            if not self._patient:
                raise
            told = f"{error}; the show goes on without, and tries again"
            self._complaints.once(told, lambda: told)
            return False
        with self._lock:
            if self._closing.is_set():  # meanwhile, and nobody waits for it
                opened.close()
            else:
                self._opened.append(opened)
        return True

    def _keep_trying(self) -> None:
        """Not in a frame: looking for a host's address can take seconds."""
        while self._missing and not self._closing.wait(_AGAIN):
            self._missing = [opens for opens in self._missing if not self._try(opens)]
        if not self._missing:
            log.info("all that the venue listens to is open now")

    def _listen_to_osc(self) -> OscServer:
        osc = self._venue.osc
        return OscServer(self._bus, osc.host, osc.port, feedback=osc.feedback).start()

    def _listen_to_midi(self, yields: Callable[[], bool]) -> Midi:
        midi = self._venue.midi
        self._learned = Learned(self._venue, self._bus)
        return Midi(
            self._bus, self._learned.map, midi.ports, feedback=midi.feedback, yields=yields
        ).start()  # fmt: skip

    def _serve(self) -> Web:
        from installation.control.web import Web  # a server is loaded where one is wanted

        osc, web = self._venue.osc, self._venue.web
        self._web = Web(
            self._bus, web.host, web.port,
            password=web.password.get_secret_value() if web.password else "",
            name=self._name, picture=self._picture, osc_port=osc.port if osc.enabled else None,
        ).start()  # fmt: skip
        return self._web

    def keep(self, dt: float, status: Callable[[], dict[str, str]]) -> None:
        """Once a frame: what was learned since is written down, who is seen no more goes, and what
        is on is told. status: is asked now and then, where anybody is served."""
        if self._learned is not None:
            self._learned.keep()
        if isinstance(self._sight, Sight):
            self._sight.keep(dt)
        self._passed += dt
        if self._web is not None and self._passed >= _TOLD:
            self._passed, self._web.status = 0.0, status()

    def watch(self, film: Film) -> None:
        """Offscreen a film stands in for the camera."""
        self._sight = film

    @property
    def shade(self) -> NDArray[np.uint8] | None:
        """Of those before the wall (see Eye.shade); none where no camera looks."""
        return None if self._sight is None else self._sight.shade

    @property
    def guide(self) -> NDArray[np.float32] | None:
        """Those before the wall for a piece to follow (see Eye.guide); none as with the shade."""
        return None if self._sight is None else self._sight.guide

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
        with self._lock:
            self._closing.set()
            opened, self._opened = self._opened, []
        for control in opened:
            control.close()
