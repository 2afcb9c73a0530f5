"""Telling systemd how it goes: sd_notify(3), a datagram to the socket that it names."""

from __future__ import annotations

import os
import socket


def notify(*state: str) -> None:
    """READY=1, WATCHDOG=1, STATUS=…; nothing where no systemd started this process with
    Type=notify, and nothing where it cannot be told just now: it will find out by itself."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@") or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):  # Linux's abstract names
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(0.1)
            sender.sendto("\n".join(state).encode(), address)
    except OSError:  # it does not listen any more, or no files are left here
        return
