"""Names and addresses of machines on the network."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

Place = tuple[socket.AddressFamily, tuple[Any, ...]]
"""What a socket of that family binds to, or sends to."""


def resolved(
    host: str, port: int, kind: socket.SocketKind = socket.SOCK_DGRAM, flags: int = 0
) -> Place:
    """Where a host is, by IPv4 if it can be: many systems call localhost ::1 first, and whoever
    sends to 127.0.0.1 is not heard there. Raises OSError or UnicodeError."""
    found = socket.getaddrinfo(host, port, type=kind, flags=flags)
    family, _, _, _, where = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, where


def remedy(error: OSError | UnicodeError) -> str:
    """What to do where a port of a host cannot be listened on."""
    unknown = isinstance(error, (socket.gaierror, UnicodeError))
    if unknown or getattr(error, "errno", 0) == errno.EADDRNOTAVAIL:
        return (
            "this machine has no such address just now; 127.0.0.1 is for itself alone, 0.0.0.0 "
            "for the whole network"
        )
    return (
        "another program, or a show that is on already, may have it; close that one or choose "
        "another port"
    )


def host_and_port(text: str) -> tuple[str, int]:
    """The parts of HOST:PORT; an address of IPv6 stands in brackets. Raises ValueError."""
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError("feedback goes to HOST:PORT, like 192.168.1.20:9001")
    return host.strip("[]"), int(port)


def plain(address: str) -> str:
    """An address as it is written elsewhere: a socket of IPv6 that hears IPv4 as well calls
    192.168.1.20 ::ffff:192.168.1.20 (RFC 4291)."""
    mapped = getattr(ipaddress.ip_address(address), "ipv4_mapped", None)
    return address if mapped is None else str(mapped)


def network(address: str) -> str:
    """What a stranger cannot choose of an address: by IPv6 whoever has one has all of its /64."""
    known = ipaddress.ip_address(plain(address))
    return str(known) if known.version == 4 else f"{int(known) >> 64:x}::/64"


def reached_at(host: str) -> str:
    """Where others reach a host that is every address of this machine: the one towards the
    network. Connecting a UDP socket sends nothing."""
    if host not in ("0.0.0.0", ""):  # noqa: S104 - asked, not bound
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as towards:
        try:
            towards.connect(("192.0.2.1", 9))  # RFC 5737: an address that nobody has
        except OSError:  # no network
            return "127.0.0.1"
        found: str = towards.getsockname()[0]
    return found


def names_of_this_machine() -> set[str]:
    name = socket.gethostname().lower()
    return {name, f"{name.partition('.')[0]}.local"}


def is_ours(host: str, origin: str | None, names: Collection[str]) -> bool:
    """Whether a request is for this machine, and from no page of another site.

    host, origin: as its headers say. names: of this machine, beside every address that is written
    as a number: a name could be pointed at it by somebody else (DNS rebinding).
    """
    if origin is not None and origin.partition("://")[2] != host:
        return False
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in names or _is_number(name)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
