"""Where parameters stand, shown by controllers that can: motor faders, rings of LEDs, lit pads.

What moves a parameter is also what shows it, so a value goes to the same control on the output
beside the input, by the same map; buttons have no state and are left alone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import mido

from installation.control.binding import Binding, Control
from installation.control.mapping import MidiMap, device
from installation.log import Complaints
from installation.parameters import Bus, Param

log = logging.getLogger(__name__)

_ECHO = 0.5  # seconds in which a port sends back what it was sent, if it does
_MOST = 32  # values told at a time: MIDI's own cable carries a thousand bytes in 0.3 s
_TOPS = {"cc": 127, "note": 127, "pitchwheel": 16383, "nrpn": 16383}


class MidiFeedback:
    """Tells the outputs of connected ports; everything at first, then what changes. Ports have the
    full names of their inputs. Used by one thread alone."""

    def __init__(self, bus: Bus, mapping: MidiMap, backend: mido.Backend) -> None:
        self._bus, self._map, self._backend = bus, mapping, backend
        self._complaints = Complaints(log)
        self._outputs: dict[str, Any] = {}  # port → mido output, None for one that has none
        self._told: dict[str, dict[Control, tuple[str, int]]] = {}
        self.echoes = Echoes()

    def follow(self, inputs: Iterable[str], there: Sequence[str]) -> None:
        """These are connected now: open the outputs of those that are new. there: every input of
        this machine, in its order."""
        connected = set(inputs)
        for gone in set(self._outputs) - connected:
            self._close(gone)
        for name in connected - set(self._outputs):
            self._outputs[name], self._told[name] = self._opened(name, there), {}

    def tell(self) -> None:
        """Send what is new to every port."""
        for name, output in list(self._outputs.items()):
            if output is None:
                continue
            told = self._told[name]
            try:
                for control, stand, unit, messages in self._news(name, told):
                    self._map.shown(control, unit)
                    for message in messages:
                        self.echoes.told(name, message)
                        output.send(message)
                    told[control] = stand
            except (OSError, RuntimeError, ValueError) as error:  # it is being pulled
                self._complain(name, error)
                self._close(name)

    def close(self) -> None:
        for name in list(self._outputs):
            self._close(name)

    def _close(self, name: str) -> None:
        output = self._outputs.pop(name)
        self._told.pop(name)
        if output is not None:
            output.close()

    def _opened(self, name: str, there: Sequence[str]) -> Any:
        try:
            output = _paired(name, there, self._backend.get_output_names())
            return None if output is None else self._backend.open_output(output)
        except (OSError, RuntimeError, ValueError) as error:
            self._complain(name, error)
        return None

    def _complain(self, name: str, error: Exception) -> None:
        text = f"MIDI {name} cannot be shown where parameters stand ({error})"
        self._complaints.once((name, str(error)), lambda: text)

    def _news(
        self, name: str, told: dict[Control, tuple[str, int]]
    ) -> Iterator[tuple[Control, tuple[str, int], float, list[mido.Message]]]:
        """What this port does not show yet: a control, its parameter with the value that shows it,
        that value from 0 to 1, and the messages that say so."""
        left, seen = _MOST, set()
        for binding in self._map.of(name):
            what, meant = self._bus.get(binding.address), self._bus.meant(binding.address)
            control = binding.on(name)
            if not isinstance(what, Param) or control in seen or binding.kind not in _TOPS:
                continue
            seen.add(control)  # a control of two parameters shows the first
            stand = meant, _stands(binding, what, self._bus.target(meant))
            before = told.get(control)
            if before == stand:
                continue
            source = f"midi {device(name)} {binding.control}"  # of its twin too
            by_hand = self._bus.moved_by(meant) == source and self._map.hand(meant) == name
            knows = by_hand and binding.mode == "absolute"  # an endless knob knows steps alone
            if before and before[0] == meant and knows:
                told[control] = stand  # a hand is on it
                continue
            if left == 0:
                return
            left -= 1
            yield control, stand, stand[1] / _top(binding), _messages(binding, stand[1])


def _paired(name: str, inputs: Sequence[str], outputs: Sequence[str]) -> str | None:
    """The output beside an input: of the same name, else the nth of the device for its nth input.

    Windows ends names with a number, and counts all inputs and all outputs each by themselves, so
    that one name alone may be that of another port.
    """
    ins = [port for port in inputs if device(port) == device(name)]
    outs = [port for port in outputs if device(port) == device(name)]
    alike = set(ins) & set(outs)
    if len(alike) == min(len(ins), len(outs)):
        return name if name in alike else None
    return dict(zip(ins, outs, strict=False)).get(name)


class Echoes:
    """What ports were told of late. Midi Through, IAC and other loops send it back, and heard it
    would pass for a hand, which ends a fade. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[tuple[str, bytes], deque[tuple[float, bytes]]] = {}

    def told(self, name: str, message: mido.Message) -> None:
        """This is about to be sent to a port."""
        which, sent = _parts(name, message)
        with self._lock:
            self._told.setdefault(which, deque(maxlen=256)).append((time.monotonic(), sent))

    def heard(self, name: str, message: mido.Message) -> bool:
        """Whether what a port sends is an echo. They come in the order in which they were sent,
        so that anything else is a hand, and ends the wait."""
        which, sent = _parts(name, message)
        with self._lock:
            told = self._told.get(which)
            if not told:
                return False
            while told and time.monotonic() - told[0][0] > _ECHO:
                told.popleft()
            if told and told[0][1] == sent:
                told.popleft()
                return True
            told.clear()
            return False


def _parts(name: str, message: mido.Message) -> tuple[tuple[str, bytes], bytes]:
    """Which control of a port a message is about, and all that it says."""
    sent = bytes(message.bytes())
    return (name, sent[:1] if message.type == "pitchwheel" else sent[:2]), sent


def _stands(binding: Binding, what: Param, target: float) -> int:
    """Where the control is when the parameter is at its target."""
    low, high = binding.ends(what)
    unit = 0.0 if low == high else (target - low) / (high - low)
    return round(min(1.0, max(0.0, unit)) * _top(binding))


def _top(binding: Binding) -> int:
    return 16383 if binding.bits == 14 else _TOPS[binding.kind]


def _messages(binding: Binding, value: int) -> list[mido.Message]:
    """MIDI 1.0."""
    channel, number = (binding.channel or 1) - 1, binding.number

    def cc(control: int, amount: int) -> mido.Message:
        return mido.Message("control_change", channel=channel, control=control, value=amount)

    upper, lower = value >> 7, value & 127
    if binding.kind == "note":
        return [mido.Message("note_on", channel=channel, note=number, velocity=value)]
    if binding.kind == "pitchwheel":
        return [mido.Message("pitchwheel", channel=channel, pitch=value - 8192)]
    if binding.kind == "nrpn":
        return [cc(99, number >> 7), cc(98, number & 127), cc(6, upper), cc(38, lower)]
    if binding.bits == 14:
        return [cc(number, upper), cc(number + 32, lower)]
    return [cc(number, value)]
