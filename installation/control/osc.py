"""OSC from the room: one UDP socket, one thread, exact addresses.

    /drift/speed 0.5        set, in the parameter's own unit (more arguments are ignored)
    /drift/speed + 0.1      a step up, in the same unit; also "-", and "+0.1" as one string
    /drift/speed sine 0.3 8 moves by itself from now on: a way, its depth and beats (or 0, then
                            seconds, and a phase); "none" ends it
    /drift/speed ?          answered with where its fader stands, to whoever asked
    /drift/speed?           the same; so is /drift/speed alone
    /stage/next             a trigger fires with no argument, or with one above 0

Bundles are opened and act at once, whatever their time tag says. Wildcards are not understood.
Where more comes than can be heeded, each address gets its newest value, and every trigger and step.
python-osc's own servers are not used: they drop messages, wait for time tags and turn addresses
into regular expressions.
"""

from __future__ import annotations

import logging
import reprlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

from installation.control.feedback import Feedback
from installation.control.flood import (
    AT_ONCE,
    FLOOD,
    MUCH,
    Share,
    bundles,
    complain_of_flood,
    newest,
    portions,
    weight,
)
from installation.control.hosts import plain, remedy, resolved
from installation.control.message import ControlError, Heard, OnMessage
from installation.control.packet import (
    DATAGRAM,
    ParseError,
    asked,
    encoded,
    messages,
    parsed,
    questioned,
)
from installation.log import Complaints
from installation.parameters import Bus, Form, Param

log = logging.getLogger(__name__)

PORT = 9000
_BUFFER = 1 << 20  # bytes the kernel may hold for us while the picture is drawn
_WAKE = 0.05  # seconds between looks at whether to stop

_Sender = tuple[Any, ...]
_Packet = tuple[bytes, _Sender]


class OscServer:
    """Listens for OSC over UDP and posts to the bus.

    port: 0 lets the system choose; after start() it is the one in use. on_message: called in the
    server's thread with every message, understood or not, but those that a flood overtakes.
    feedback: HOST:PORT of controllers that are told where parameters stand. Raises ControlError for
    one that cannot be.
    """

    def __init__(
        self,
        bus: Bus,
        host: str = "127.0.0.1",
        port: int = PORT,
        on_message: OnMessage | None = None,
        feedback: Sequence[str] = (),
    ) -> None:
        self._feedback = Feedback(bus, feedback)
        self.host, self.port = host, port
        self._bus = bus
        self._on_message = on_message
        self._complaints = Complaints(log)
        self._share = Share()
        self._closing = threading.Event()
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Open the port and begin to listen; starting twice is starting once.

        Raises ControlError.
        """
        if self._thread is not None:
            return self
        opened = listen(self.host, self.port)
        self.port = opened.getsockname()[1]
        self._socket = opened
        self._closing.clear()
        self._thread = threading.Thread(target=self._loop, args=(opened,), name="osc", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        self._thread = self._socket = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _loop(self, opened: socket.socket) -> None:
        while not self._closing.is_set():
            self._feedback.tell(time.monotonic())
            self._share.begin()
            packets = self._arrived(opened)
            if packets:
                self._hear(opened, packets)

    def _arrived(self, opened: socket.socket) -> list[_Packet]:
        """What the kernel holds, so much at a time; waits a moment for the first."""
        found: list[_Packet] = []
        try:
            found.append(opened.recvfrom(DATAGRAM + 1))
            opened.setblocking(False)
            size = weight(found[0][0])
            while size < AT_ONCE:
                found.append(opened.recvfrom(DATAGRAM + 1))
                size += weight(found[-1][0])
        except (TimeoutError, BlockingIOError):
            pass
        except OSError as error:  # Windows: a reply's receiver is gone, a packet is too large
            self._refuse(f"receiving failed ({error.strerror})", "osc")
            self._closing.wait(0.001)
        finally:
            opened.settimeout(_WAKE)
        return found

    def _hear(self, opened: socket.socket, packets: list[_Packet]) -> None:
        """Take messages in; of many, the newest. Rest after what took more than its share."""
        now = time.perf_counter()
        found = [
            (data, number)
            for number, (one, sender) in enumerate(packets)
            for data in self._opened(one, sender, now)
        ]
        if len(found) >= MUCH:
            found = newest(found, self._bus)
        for bundle in bundles(found):
            with self._bus.together:  # its rests too: no frame sees a part of it
                for some in portions(bundle):
                    for data, number in some:
                        self._take(opened, data, packets[number][1], now)
                    self._rest(packets)
        if not found:
            self._rest(packets)

    def _rest(self, packets: list[_Packet]) -> None:
        rest = self._share.rest()
        if rest:
            if len(packets) >= FLOOD:
                host, _ = Counter(sender[0] for _, sender in packets).most_common(1)[0]
                complain_of_flood(self._complaints, _source((host,)))
            self._closing.wait(rest)

    def _opened(self, packet: bytes, sender: _Sender, now: float) -> list[bytes]:
        try:
            return messages(packet)
        except ParseError as error:
            self._refuse(str(error), _source(sender), now)
            return []

    def _take(self, opened: socket.socket, data: bytes, sender: _Sender, now: float) -> None:
        source = _source(sender)
        try:
            address, arguments = parsed(data)
        except ParseError as error:
            self._refuse(str(error), source, now)
            return
        value: Any = None
        form: Form = "value"
        meant = questioned(address, arguments)
        if isinstance(self._bus.get(meant), Param):
            reached = self._answer(opened, sender, meant)
        else:
            meant = address
            value, form = asked(arguments, self._bus.get(address))
            reached = self._bus.post(address, value, source, form)
        if self._on_message is not None:
            text = " ".join([address, *map(_shown, arguments[:4])])
            number = value if reached and form != "modulation" else None
            self._on_message(Heard(now, source, text, meant, number, form, reached))

    def _answer(self, opened: socket.socket, sender: _Sender, address: str) -> bool:
        """One packet of about the size of the question, so that a forged sender gains nothing."""
        reply = encoded(address, self._bus.target(address))
        try:
            opened.sendto(reply, sender)
        except OSError as error:
            self._refuse(f"no answer can be sent there ({error.strerror})", _source(sender))
            return False
        return True

    def _refuse(self, why: str, source: str, now: float | None = None) -> None:
        self._complaints.once((source, why), lambda: f"{source}: {why}; ignored")
        if self._on_message is not None and now is not None:
            self._on_message(Heard(now, source, why))


def listen(host: str, port: int) -> socket.socket:
    """A port that nobody else has. Raises ControlError."""
    if not 0 <= port <= 65535:
        raise ControlError(f"OSC cannot listen on port {port}: ports are 1 to 65535")
    try:
        family, where = resolved(host, port)
        opened = socket.socket(family, socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise ControlError(
            f"OSC cannot listen on {host!r}, port {port} ({error}): {remedy(error)}"
        ) from error
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        opened.settimeout(_WAKE)
        opened.bind(where)
    except OSError as error:
        opened.close()
        raise ControlError(
            f"OSC cannot listen on {host} port {port} ({error}): {remedy(error)}"
        ) from error
    return opened


def _source(sender: _Sender) -> str:
    return f"osc {plain(sender[0])}"


def _shown(argument: Any) -> str:
    return f"{argument:g}" if isinstance(argument, float) else reprlib.repr(argument)
