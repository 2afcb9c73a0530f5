"""A virtual screen, which can be switched off and on like a projector."""

from __future__ import annotations

import os
import socket
import subprocess


class Screen:
    """name: as DISPLAY names it."""

    def __init__(self) -> None:
        self._held = socket.socket(socket.AF_UNIX)  # its name, while it is off
        self._begin()

    def _begin(self, *name: str) -> None:
        ours, theirs = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", *name, "-displayfd", str(theirs), "-screen", "0", "640x480x24", "-noreset"],
            pass_fds=[theirs],
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        with os.fdopen(ours) as told:
            self.name = f":{told.readline().strip()}"

    def on(self) -> None:
        self._held.close()
        self._begin(self.name)

    def off(self) -> None:
        """Until it is on again nobody else is given its name: another test may want a screen."""
        self._end()
        self._held = socket.socket(socket.AF_UNIX)
        self._held.bind(f"\0/tmp/.X11-unix/X{self.name[1:]}")  # nobody listens

    def close(self) -> None:
        self._end()
        self._held.close()

    def _end(self) -> None:
        self._server.terminate()
        self._server.wait(10)
