"""Ending on request: Ctrl-C, a service manager's SIGTERM, and a terminal that is closed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

TERMINATED = 128 + signal.SIGTERM  # the exit status of what was ended by it, as a shell says it
# Windows has no SIGHUP
ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def status(came: Collection[signal.Signals]) -> int:
    """The exit status of a show that is supervised: 0 where a hand has closed it, as by Ctrl-C."""
    return TERMINATED if set(came) - {signal.SIGINT} else 0


@contextmanager
def ended_by_signals(end: Callable[[], None]) -> Iterator[list[signal.Signals]]:
    """The first signal calls end(), so that everything is closed properly; a second one does what
    it always does, for when that takes too long. Yields those that have come."""
    came: list[signal.Signals] = []

    def asked(number: int, _: object) -> None:
        came.append(signal.Signals(number))
        end()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, asked) for number in ENDING if not _outlived(number)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _outlived(number: signal.Signals) -> bool:
    """`nohup` wants a show to outlive its terminal."""
    return number.name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN
