"""OSC packets, as they come from anybody: opened, read and written (OSC 1.0).

Of python-osc only the message parser is used: its bundle parser never comes back from an element of
negative size.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator
from typing import Any

from pythonosc.osc_message import OscMessage, ParseError

from installation.modulation import NONE, WAYS, movable, worded
from installation.parameters import Declared, Form, Param, Trigger

__all__ = [
    "DATAGRAM",
    "LARGEST",
    "ParseError",
    "asked",
    "encoded",
    "messages",
    "parsed",
    "questioned",
]

DATAGRAM = 65_507  # bytes that UDP carries at once
LARGEST = 2048  # bytes in a message; a fader needs 32
_DEEPEST = 8  # bundles inside bundles
_MOST = 2048  # messages in one packet; so many faders fill a datagram
_BUNDLE = b"#bundle\0"

# An address and, if any, the type tags that python-osc reads. It skips other tags without their
# data, so that what follows is misread, and logs a line for each: those never get to it. I, a bang,
# has no data, as N has none.
_READABLE = re.compile(rb"(/[^\0]*\0{1,4})(?:(,[ihfdsbrmtTFNI\[\]]*)(\0.*))?", re.DOTALL)


def encoded(address: str, value: float) -> bytes:
    """An OSC message with one float."""
    text = address.encode()
    return text + b"\0" * (4 - len(text) % 4) + b",f\0\0" + struct.pack(">f", value)


def messages(packet: bytes) -> list[bytes]:
    """The messages in a datagram, bundles opened, in order. Raises ParseError."""
    found = [packet]
    if packet.startswith(_BUNDLE):  # most are none, and a flood of them is to cost little
        found = list(itertools.islice(_elements(packet, 0), _MOST + 1))
    if len(found) > _MOST:
        raise ParseError(f"sent more than {_MOST} messages in one bundle")
    if any(len(one) > LARGEST for one in found):
        raise ParseError(f"sent more than {LARGEST} bytes in one message")
    return found


def _elements(packet: bytes, depth: int) -> Iterator[bytes]:
    """OSC 1.0: "#bundle", a time tag of 8 bytes, then elements, each after its size in 4 bytes."""
    if not packet.startswith(_BUNDLE):
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


def parsed(data: bytes) -> tuple[str, list[Any]]:
    """Address and arguments. Raises ParseError for whatever is not a message."""
    found = _READABLE.fullmatch(data)
    if not found:
        raise ParseError("sent something that is not OSC, or of a type that is not known")
    try:
        address, tags, rest = found.groups(b"")
        message = OscMessage(address + tags.replace(b"I", b"N") + rest)
    except ParseError as error:
        raise ParseError("sent an OSC message that is damaged or cut off") from error
    except UnicodeDecodeError as error:
        raise ParseError("sent text that is not UTF-8") from error
    return message.address, message.params


def questioned(address: str, arguments: list[Any]) -> str:
    """The address whose value is asked for, with no argument, a "?", or a "?" at its own end; ""
    where none is."""
    if arguments == ["?"]:
        return address
    return "" if arguments else address.removesuffix("?")


def asked(arguments: list[Any], what: Declared | None) -> tuple[Any, Form]:
    """What to post: the first argument, a step if that is "+", "-" or a text like "+0.1", or what
    is to move it by itself if that is a way to do so. A trigger wants no argument, or OSC's nil or
    bang."""
    if arguments[:1] in ([], [None]):
        return (1, "value") if isinstance(what, Trigger) else (None, "value")
    first = arguments[0]
    if isinstance(what, Param) and isinstance(first, str) and first[:1] in ("+", "-"):
        step = _step(first, arguments[1:2])
        if step is not None:
            return step / (what.high - what.low), "nudge"
    if what is not None and movable(what) and isinstance(first, str) and first in (*WAYS, NONE):
        return worded(arguments), "modulation"
    return first, "value"


def _step(sign: str, rest: list[Any]) -> float | None:
    try:
        if sign == "+":
            return float(rest[0])
        return -float(rest[0]) if sign == "-" else float(sign)
    except (IndexError, TypeError, ValueError):
        return None
