"""OSC from the room: one UDP socket, one thread, exact addresses.

    /drift/speed 0.5        set, in the parameter's own unit (more arguments are ignored)
    /drift/speed + 0.1      a step up, in the same unit; also "-", and "+0.1" as one string
    /drift/speed ?          answered with /drift/speed and its value, to whoever asked
    /drift/speed            the same
    /stage/next             a trigger fires with no argument, or with one above 0

Bundles are opened and act at once, whatever their time tag says. Wildcards are not understood.
Of python-osc only the message parser is used: its servers drop messages, wait for time tags and
turn addresses into regular expressions, and its bundle parser never comes back from an element of
negative size.
"""

from __future__ import annotations

import itertools
import logging
import re
import reprlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

from pythonosc.osc_message import OscMessage, ParseError

from installation.control.feedback import Feedback, encoded
from installation.control.message import ControlError, Heard, OnMessage
from installation.log import Complaints
from installation.parameters import Bus, Declared, Form, Param, Trigger

log = logging.getLogger(__name__)

PORT = 9000
_LARGEST = 2048  # bytes in a datagram; a fader needs 32
_DEEPEST = 8  # bundles inside bundles
_MOST = 128  # messages in one datagram
_BUFFER = 1 << 20  # bytes the kernel may hold for us while the picture is drawn
_WAKE = 0.05  # seconds between looks at whether to stop

# An address and, if any, the type tags that python-osc reads. It skips other tags without their
# data, so that what follows is misread, and logs a line for each: those never get to it.
_READABLE = re.compile(rb"/[^\0]*\0{1,4}(?:,[ihfdsbrmtTFN\[\]]*\0.*)?", re.DOTALL)


class OscServer:
    """Listens for OSC over UDP and posts to the bus.

    port: 0 lets the system choose; after start() it is the one in use. on_message: called in the
    server's thread with every message, understood or not. feedback: HOST:PORT of controllers that
    are told where parameters stand. Raises ControlError for one that cannot be.
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
        self._closing = threading.Event()
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Open the port and begin to listen; starting twice is starting once.

        Raises ControlError.
        """
        if self._thread is not None:
            return self
        opened = _bind(self.host, self.port)
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
            try:
                packet, sender = opened.recvfrom(_LARGEST + 1)
            except TimeoutError:
                continue
            except OSError as error:  # Windows: a reply's receiver is gone, a packet is too large
                self._refuse(f"receiving failed ({error.strerror})", "osc")
                self._closing.wait(0.001)
                continue
            self._receive(opened, packet, sender)

    def _receive(self, opened: socket.socket, packet: bytes, sender: tuple[Any, ...]) -> None:
        now = time.perf_counter()
        source = f"osc {sender[0]}"
        try:
            messages = _open(packet)
        except ParseError as error:
            self._refuse(str(error), source, now)
            return
        for data in messages:
            try:
                address, arguments = _parse(data)
            except ParseError as error:
                self._refuse(str(error), source, now)
                continue
            self._take(opened, sender, address, arguments, now)

    def _take(
        self,
        opened: socket.socket,
        sender: tuple[Any, ...],
        address: str,
        arguments: list[Any],
        now: float,
    ) -> None:
        what = self._bus.get(address)
        source = f"osc {sender[0]}"
        value: Any = None
        form: Form = "value"
        if isinstance(what, Param) and arguments in ([], ["?"]):
            reached = self._answer(opened, sender, address)
        else:
            value, form = _value(arguments, what)
            reached = self._bus.post(address, value, source, form)
        if self._on_message is not None:
            text = " ".join([address, *map(_shown, arguments[:4])])
            number = value if reached else None
            self._on_message(Heard(now, source, text, address, number, form, reached))

    def _answer(self, opened: socket.socket, sender: tuple[Any, ...], address: str) -> bool:
        """One packet of about the size of the question, so that a forged sender gains nothing."""
        reply = encoded(address, self._bus.value(address))
        try:
            opened.sendto(reply, sender)
        except OSError as error:
            self._refuse(f"no answer can be sent there ({error.strerror})", f"osc {sender[0]}")
            return False
        return True

    def _refuse(self, why: str, source: str, now: float | None = None) -> None:
        self._complaints.once((source, why), lambda: f"{source}: {why}; ignored")
        if self._on_message is not None and now is not None:
            self._on_message(Heard(now, source, why))


def _bind(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise ControlError(f"OSC cannot listen on port {port}: ports are 1 to 65535")
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        opened = socket.socket(family, socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise ControlError(f"OSC cannot listen on {host!r}, port {port}: {error}") from error
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        opened.settimeout(_WAKE)
        opened.bind(where)
    except OSError as error:
        opened.close()
        raise ControlError(
            f"OSC cannot listen on {host} port {port} ({error}): another program may have it; "
            "close that one or choose another port"
        ) from error
    return opened


def _open(packet: bytes) -> list[bytes]:
    """The messages in a datagram, bundles opened, in order. Raises ParseError."""
    if len(packet) > _LARGEST:
        raise ParseError(f"sent more than {_LARGEST} bytes at once")
    messages = list(itertools.islice(_elements(packet, 0), _MOST + 1))
    if len(messages) > _MOST:
        raise ParseError(f"sent more than {_MOST} messages in one bundle")
    return messages


def _elements(packet: bytes, depth: int) -> Iterator[bytes]:
    """OSC 1.0: "#bundle", a time tag of 8 bytes, then elements, each after its size in 4 bytes."""
    if not packet.startswith(b"#bundle\0"):
        yield packet
        return
    if depth == _DEEPEST:
        raise ParseError(f"sent bundles nested more than {_DEEPEST} deep")
    at = 16
    while at < len(packet):
        size = int.from_bytes(packet[at : at + 4], "big")
        at += 4
        if size > len(packet) - at:
            raise ParseError("sent a bundle that is cut off")
        yield from _elements(packet[at : at + size], depth + 1)
        at += size


def _parse(data: bytes) -> tuple[str, list[Any]]:
    """Address and arguments. Raises ParseError for whatever is not a message."""
    if not _READABLE.fullmatch(data):
        raise ParseError("sent something that is not OSC, or of a type that is not known")
    try:
        message = OscMessage(data)
    except ParseError as error:
        raise ParseError("sent an OSC message that is damaged or cut off") from error
    except UnicodeDecodeError as error:
        raise ParseError("sent text that is not UTF-8") from error
    return message.address, message.params


def _value(arguments: list[Any], what: Declared | None) -> tuple[Any, Form]:
    """What to post: the first argument, or a step if that is "+", "-" or a text like "+0.1"."""
    if not arguments:
        return (1, "value") if isinstance(what, Trigger) else (None, "value")
    first = arguments[0]
    if isinstance(what, Param) and isinstance(first, str) and first[:1] in ("+", "-"):
        step = _step(first, arguments[1:2])
        if step is not None:
            return step / (what.high - what.low), "nudge"
    return first, "value"


def _step(sign: str, rest: list[Any]) -> float | None:
    try:
        if sign == "+":
            return float(rest[0])
        return -float(rest[0]) if sign == "-" else float(sign)
    except (IndexError, TypeError, ValueError):
        return None


def _shown(argument: Any) -> str:
    return f"{argument:g}" if isinstance(argument, float) else reprlib.repr(argument)
