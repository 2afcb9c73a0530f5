"""MIDI from the room: every port there is, plugged in now or later.

Pulling a port is silent in RtMidi, so the port names are looked at four times a second and what
is new is opened: a controller that comes back works again. Callbacks only translate and post.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import mido

from installation.control.beat import BeatClock
from installation.control.binding import CHOOSING, Move
from installation.control.mapping import MidiMap, device
from installation.control.message import Heard, OnMessage
from installation.control.midi_feedback import MidiFeedback
from installation.log import Complaints
from installation.parameters import Bus

log = logging.getLogger(__name__)

_RTMIDI = "mido.backends.rtmidi"
_EVERY = 0.25  # seconds between looks; a USB hub that resets is gone for a third of a second
_FEED = ":RtMidi output"  # what a program sends to a device, ours as well: not meant for us
_SHOWN = 5  # times between two looks that controllers are told what has moved


class NoMidi(Exception):
    """This machine has no MIDI, or what reads it is not installed."""


class Midi:
    """Listens on MIDI inputs and posts to the bus what the map makes of their messages.

    ports: parts of port names, upper or lower case; none means every port. backend: as mido names
    them ("mido.backends.rtmidi/UNIX_JACK"); by default what the environment variable MIDO_BACKEND
    says, else RtMidi. on_message: called in the port's thread with every message. feedback: show
    on controllers that can where parameters stand. yields: whether another beat than that of a MIDI
    clock counts now.
    """

    def __init__(
        self,
        bus: Bus,
        mapping: MidiMap,
        ports: Sequence[str] = (),
        backend: str | None = None,
        on_message: OnMessage | None = None,
        feedback: bool = False,
        yields: Callable[[], bool] = lambda: False,
    ) -> None:
        self.mapping = mapping
        self._bus, self._clock = bus, BeatClock(bus, yields)
        self._wanted = [part.lower() for part in ports]
        self._backend = mido.Backend(backend)
        self._on_message = on_message
        self._feedback = MidiFeedback(bus, mapping, self._backend) if feedback else None
        self._complaints = Complaints(log)
        self._open: dict[str, Any] = {}  # port name → mido input
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Begin to look for ports, at once and then for good. Returns immediately; starting twice
        is starting once."""
        if self._thread is not None:
            return self
        self._closing.clear()
        self._thread = threading.Thread(target=self._watch, name="midi", daemon=True)
        self._thread.start()
        return self

    @property
    def leads(self) -> bool:
        """A MIDI clock is heard that has said where its beats lie: they are those that count."""
        return self._clock.leads(time.perf_counter())

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for name in list(self._open):
            self._open.pop(name).close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def connected(self) -> list[str]:
        """The devices that are being listened to."""
        return [device(name) for name in list(self._open)]

    def _watch(self) -> None:
        """Everything about ports happens in this one thread, as CoreMIDI wants it."""
        try:
            names = _port_names(self._backend)
        except NoMidi as error:
            log.warning("going on without MIDI: %s", error)
            return
        while not self._closing.is_set():
            there = list(dict.fromkeys(self._names(names)))
            self._look(there)
            self._rest(there)
        if self._feedback is not None:
            self._feedback.close()

    def _rest(self, there: list[str]) -> None:
        """Until the next look; meanwhile controllers are shown what has moved."""
        if self._feedback is None:
            self._closing.wait(_EVERY)
            return
        self._feedback.follow(list(self._open), there)
        for _ in range(_SHOWN):
            self._feedback.tell()
            if self._closing.wait(_EVERY / _SHOWN):
                return

    def _names(self, names: Callable[[], list[str]]) -> list[str]:
        """The inputs there are; none while the MIDI system itself is gone."""
        try:
            return names()
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error)
            self._complaints.once("names", lambda: f"no answer from MIDI ({reason}); trying again")
            return []

    def _look(self, names: list[str]) -> None:
        wanted = [n for n in names if self._is_wanted(n)]
        for name in set(self._open) - set(wanted):
            log.info("MIDI %s is gone; it is taken up again when it comes back", device(name))
            self._open.pop(name).close()
            for move in self.mapping.held(name):  # nobody will let go of it any more
                self._carry_out(move, time.perf_counter())
            self.mapping.gone(name)
        for name in wanted:
            if name not in self._open:
                self._take_up(name)

    def _is_wanted(self, name: str) -> bool:
        if not self._wanted:
            return _FEED not in name
        return any(part in name.lower() for part in self._wanted)

    def _take_up(self, name: str) -> None:
        state = _Numbers()

        def heard(message: Any) -> None:
            self._hear(name, state, message, time.perf_counter())

        try:
            self._open[name] = self._backend.open_input(name, callback=heard)
        except (OSError, RuntimeError, ValueError) as error:  # RtMidi's errors are all of these
            reason = str(error)
            self._complaints.once(
                ("open", name), lambda: f"MIDI {name} cannot be opened ({reason}); trying again"
            )
            return
        log.info("MIDI %s is connected", device(name))

    def _hear(self, port: str, state: _Numbers, message: Any, now: float) -> None:
        if self._clock.hear(port, message.type, now, getattr(message, "pos", 0)):
            return
        if self._feedback is not None and self._feedback.echoes.heard(port, message):
            return
        move = state.move(port, message)
        if move is None:
            return
        if move.kind == "cc" and move.number in CHOOSING:
            self._tell(Heard(now, f"midi {device(port)} {move}", _text(move)))
            return
        self._carry_out(move, now)

    def _carry_out(self, move: Move, now: float) -> None:
        """Post what a movement means."""
        port, reached = move.port, self.mapping.hear(move)
        for binding, value, form in reached:
            source = f"midi {device(port)} {binding.control}"  # one for both halves of 14 bits
            taken = self._bus.post(binding.address, value, source, form)
            self._tell(Heard(now, source, _text(move), binding.address, value, form, taken))
        if not reached:
            self._tell(Heard(now, f"midi {device(port)} {move}", _text(move)))

    def _tell(self, heard: Heard) -> None:
        if self._on_message is not None:
            self._on_message(heard)


def _text(move: Move) -> str:
    amount = "" if move.kind == "program" else f" = {move.value}"
    return f"ch {move.channel} {move}{amount}"


def port_names(backend: str | None = None) -> list[str]:
    """The MIDI inputs there are. Raises NoMidi."""
    return _port_names(mido.Backend(backend))()


def _port_names(backend: mido.Backend) -> Callable[[], list[str]]:
    """A function that lists the inputs. Raises NoMidi.

    With RtMidi one client is kept for asking: a new one each time costs a hundred times as much.
    """
    try:
        backend.load()
        if backend.name != _RTMIDI:
            backend.get_input_names()
            return backend.get_input_names
        import rtmidi

        if sys.platform == "linux" and backend.api in (None, "LINUX_ALSA"):
            # ALSA writes to stderr by itself when this is missing
            Path("/dev/snd/seq").stat()
        api = getattr(rtmidi, f"API_{backend.api}") if backend.api else rtmidi.API_UNSPECIFIED
        return rtmidi.MidiIn(api).get_ports
    except ImportError as error:
        raise NoMidi(f"{error.name} is not installed") from error
    except AttributeError as error:
        raise NoMidi(f"no MIDI backend {backend.name}/{backend.api}") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise NoMidi(f"this machine has no MIDI system that answers ({error})") from error


@dataclass
class _Numbers:
    """Reads one port's messages; remembers which NRPN is chosen on each channel."""

    chosen: dict[int, dict[int, int]] = field(default_factory=dict)  # channel → what 98, 99 said
    coarse: dict[int, int] = field(default_factory=dict)  # channel → the value's upper 7 bits
    fine: set[tuple[int, int]] = field(default_factory=set)  # channel, NRPN: has lower bits

    def move(self, port: str, message: Any) -> Move | None:
        """The control that a mido message moves; None for sysex and the like."""
        if message.type in ("note_on", "note_off"):
            velocity = message.velocity if message.type == "note_on" else 0
            return Move(port, message.channel + 1, "note", message.note, velocity)
        if message.type == "pitchwheel":
            return Move(port, message.channel + 1, "pitchwheel", 0, message.pitch + 8192, 16383)
        if message.type == "aftertouch":
            return Move(port, message.channel + 1, "aftertouch", 0, message.value)
        if message.type == "program_change":
            return Move(port, message.channel + 1, "program", message.program, 127)
        if message.type != "control_change":
            return None
        channel, number, value = message.channel + 1, message.control, message.value
        if number in CHOOSING:
            self._choose(channel, number, value)
        if number in (6, 38) and len(self.chosen.get(channel, ())) == 2:
            return self._nrpn(port, channel, number, value)
        return Move(port, channel, "cc", number, value)

    def _choose(self, channel: int, number: int, value: int) -> None:
        """One half alone chooses nothing: a knob may send 98 as well."""
        halves = self.chosen.setdefault(channel, {})
        halves[number] = value
        self.coarse.pop(channel, None)
        if number in (100, 101) or halves == {98: 127, 99: 127}:  # an RPN, or nothing, is chosen
            del self.chosen[channel]

    def _nrpn(self, port: str, channel: int, number: int, value: int) -> Move | None:
        which = self.chosen[channel][99] << 7 | self.chosen[channel][98]
        if number == 6:
            self.coarse[channel] = value
            return Move(port, channel, "nrpn", which, value, half=(channel, which) in self.fine)
        if channel not in self.coarse:
            return None
        self.fine.add((channel, which))
        return Move(port, channel, "nrpn", which, self.coarse[channel] << 7 | value, 16383)
