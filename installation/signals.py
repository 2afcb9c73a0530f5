"""Ending on request: Ctrl-C, and a service manager's SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TERMINATED = 128 + signal.SIGTERM  # the exit status of what was ended by it, as a shell says it


@contextmanager
def ended_by_signals(end: Callable[[], None]) -> Iterator[list[signal.Signals]]:
    """The first signal calls end(), so that everything is closed properly; a second one does what
    it always does, for when that takes too long. Yields those that have come."""
    came: list[signal.Signals] = []

    def asked(number: int, _: object) -> None:
        came.append(signal.Signals(number))
        end()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
