"""`installation monitor`: what comes in from the room, and which parameter each message reaches."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TextIO

from installation.control.mapping import MidiMap
from installation.control.message import Heard
from installation.control.midi import Midi
from installation.control.osc import PORT, OscServer
from installation.parameters import Bus, Param

_WAITING = 1000  # messages that a slow terminal may be behind; the rest is counted
_IDLE = 0.1  # seconds


def monitor(
    bus: Bus,
    mapping: MidiMap,
    out: TextIO,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    ports: Sequence[str] = (),
    backend: str | None = None,
    as_json: bool = False,
    stop: threading.Event | None = None,
) -> None:
    """Print each OSC and MIDI message until Ctrl-C, or until `stop` is set.

    as_json: one JSON object a line instead of text. Raises ControlError if the port is taken.
    """
    stop = stop or threading.Event()
    waiting = _Waiting()
    server = OscServer(bus, host, port, waiting.put)
    midi = Midi(bus, mapping, ports, backend, waiting.put)
    try:
        with server, midi:
            if not as_json:
                print(
                    f"listening to OSC on {host}:{server.port} and to MIDI; Ctrl-C ends", file=out
                )
                out.flush()
            for heard, missed in waiting.until(stop):
                bus.tick(0)  # nobody draws here, but what was posted has to go somewhere
                if heard is not None:
                    print(as_line(bus, heard) if not as_json else _as_json(bus, heard), file=out)
                if missed:
                    print(_missed(missed, as_json), file=out)
                out.flush()
    except (KeyboardInterrupt, BrokenPipeError):  # Ctrl-C; or `| head` has seen enough
        return


class _Waiting:
    """Messages on their way to the terminal: a flood costs neither memory nor the listeners."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Heard] = queue.Queue(_WAITING)
        self._missed = 0
        self._lock = threading.Lock()

    def put(self, heard: Heard) -> None:
        try:
            self._queue.put_nowait(heard)
        except queue.Full:
            with self._lock:
                self._missed += 1

    def until(self, stop: threading.Event) -> Iterator[tuple[Heard | None, int]]:
        """Each message in turn, None whenever it is quiet; with that, or once a second, how many
        were missed."""
        last = time.monotonic()
        while True:
            try:
                heard: Heard | None = self._queue.get(timeout=_IDLE)
            except queue.Empty:
                heard = None
            missed = 0
            if heard is None or time.monotonic() - last > 1:
                last = time.monotonic()
                with self._lock:
                    missed, self._missed = self._missed, 0
            yield heard, missed
            if heard is None and stop.is_set():
                return


def as_line(bus: Bus, heard: Heard) -> str:
    """12:30:01  osc 127.0.0.1  /drift/speed 0.5  →  /drift/speed 0.5 seeds/s"""
    now = time.strftime("%H:%M:%S")
    return f"{now}  {_shown(heard.source)}  {_shown(heard.message)}  →  {_reached(bus, heard)}"


def _reached(bus: Bus, heard: Heard) -> str:
    if heard.reached:
        what, address = bus.get(heard.address), bus.meant(heard.address)
        if not isinstance(what, Param):
            return f"{address} fires" if heard.value else address
        if heard.form == "modulation":
            return f"{address} and what moves it by itself"
        if heard.value is None:
            return f"{address} is asked for"
        return f"{address} {_own_unit(what, heard)} {what.unit}".rstrip()
    if heard.address in bus:
        return f"{heard.address}, which takes a number"
    near = bus.nearest(heard.address) if heard.address else ""
    return f"nothing; did you mean {near!r}?" if near else "nothing"


def _own_unit(param: Param, heard: Heard) -> str:
    value = heard.value or 0.0
    if heard.form == "nudge":
        return f"{value * (param.high - param.low):+.4g}"
    return f"{param.from_unit(value) if heard.form == 'unit' else param.clamp(value):.4g}"


def _as_json(bus: Bus, heard: Heard) -> str:
    reached = bus.meant(heard.address) if heard.reached else None
    near = bus.nearest(heard.address) if heard.address and heard.address not in bus else ""
    return json.dumps(
        {
            "time": time.time(),
            "source": heard.source,
            "message": heard.message,
            "reaches": reached,
            "value": heard.value,
            "form": heard.form,
            "did_you_mean": near or None,
        },
        allow_nan=False,
    )


def _missed(count: int, as_json: bool) -> str:
    return json.dumps({"missed": count}) if as_json else f"… and {count} more, too fast to print"


def _shown(text: str) -> str:
    """Text from the network without the control characters that could steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
