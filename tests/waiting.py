"""Waiting for what another thread or process does, without measuring how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 20.0  # seconds; what is waited for normally takes milliseconds


def until(done: Callable[[], object], patience: float = PATIENCE) -> None:
    """Ask again and again until the answer is true; fails when patience (seconds) is at its end."""
    deadline = time.monotonic() + patience
    while not done():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)
