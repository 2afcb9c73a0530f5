"""The MIDI map: the venue's own, and what was learned at the controllers (key L), kept from one
evening to the next in a file of the same syntax."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

from installation import venue as venues
from installation.control.binding import ALONE, Binding, Kind, Mode
from installation.control.mapping import MidiMap
from installation.control.takeover import Way
from installation.kept import KeptFile
from installation.parameters import Bus
from installation.tables import Learned as Lines
from installation.tables import MidiBinding, Venue

log = logging.getLogger(__name__)

_HEAD = """# Learned at the controllers (key L). A venue's [midi] map takes these lines too;
# one that is taken out is forgotten.
"""
_MODES: dict[bool | str, Mode] = {  # a file's `relative`
    False: "absolute",
    True: "relative",
    "offset": "offset",
    "sign": "sign",
}


def bindings(lines: Iterable[MidiBinding]) -> list[Binding]:
    """A venue's or the learned map as the control takes it."""
    found = []
    for one in lines:
        named: dict[Kind, int | None] = {
            "cc": one.cc, "note": one.note, "nrpn": one.nrpn, "program": one.program,
            "pitchwheel": 0 if one.pitchwheel else None,
        }  # fmt: skip
        kind, number = next(
            ((kind, number) for kind, number in named.items() if number is not None),
            ("aftertouch", 0),
        )
        found.append(
            Binding(
                one.address,
                kind=kind,
                number=number,
                channel=one.channel,
                port=one.port,
                low=one.low,
                high=one.high,
                mode=_MODES[one.relative],
                bits=one.bits,
            )
        )
    return found


class Learned:
    """Makes the map of an evening, and keeps what is learned in it. takeover: other than the
    venue's. Raises VenueError for a file that is not right: somebody wrote in it, and what they
    wanted is not to be overwritten."""

    def __init__(self, venue: Venue, bus: Bus, takeover: Way | None = None) -> None:
        settings = venue.midi
        way = takeover or settings.takeover
        devices = bindings(venues.controllers()) if settings.automatic else []
        self.map = MidiMap(bus, bindings(settings.map), settings.automatic, way, devices)
        self._file = KeptFile(settings.learned, Lines)
        there = self._file.read()
        if there is not None:
            self.map.know(bindings(there.map))
        self._kept = self.map.learned

    def keep(self) -> None:
        """Write the file, where anything was learned since. Called once a frame."""
        now = self.map.learned
        if now == self._kept:
            return
        self._kept = now
        log.info("%s moves %s from now", now[-1], now[-1].address)
        self._file.write(self._text)

    def _text(self, there: Lines | None) -> str:
        """What is kept. What somebody else has written meanwhile, by hand or from another show,
        stays."""
        if there is not None:
            self.map.know(bindings(there.map))
        self._kept = self.map.learned
        lines = "".join(f"    {_line(binding)},\n" for binding in self._kept)
        return f"{_HEAD}map = [\n{lines}]\n"


def _line(binding: Binding) -> str:
    """As it stands in a venue file."""
    control = "true" if binding.kind in ALONE else str(binding.number)
    parts = [f"address = {venues.quoted(binding.address)}", f"{binding.kind} = {control}"]
    parts += [f"channel = {binding.channel}"] if binding.channel else []
    parts += [f"port = {venues.quoted(binding.port)}"] if binding.port else []
    parts += [f"{k} = {v!r}" for k in ("low", "high") if (v := getattr(binding, k)) is not None]
    relative = next(word for word, mode in _MODES.items() if mode == binding.mode)
    parts += [f"relative = {json.dumps(relative)}"] if relative else []
    parts += ["bits = 14"] if binding.bits == 14 else []
    return f"{{ {', '.join(parts)} }}"
