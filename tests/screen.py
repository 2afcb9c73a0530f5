"""A virtual screen, which can be switched off and on like a projector."""

from __future__ import annotations

import os
import subprocess


class Screen:
    """name: as DISPLAY names it."""

    def __init__(self) -> None:
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
        self._begin(self.name)

    def off(self) -> None:
        self._server.terminate()
        self._server.wait(10)
