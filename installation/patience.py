"""How long an artist's code may take: what loops for ever is a mistake like any other."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 4.0  # seconds; less than the shortest `hang`, after which the whole show is ended
_TICKS = 10  # in which they are counted: of the time that a process is stopped there is but one


class Endless(Exception):
    """It took too long."""


@contextmanager
def patience() -> Iterator[None]:
    """Raises Endless in the middle of what does not come to an end. Not to be nested. In another
    thread than the main one, and on Windows, which has no such timer, there is no such limit."""
    if not hasattr(signal, "setitimer") or threading.current_thread() != threading.main_thread():
        yield
        return
    left = _TICKS

    def tick(*_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:  # and again: an artist's own `except` may take it
            raise Endless(f"it does not come to an end within {LONGEST:g} seconds")

    before = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, LONGEST / _TICKS, LONGEST / _TICKS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
