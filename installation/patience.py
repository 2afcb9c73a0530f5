"""How long an artist's code may take: what loops for ever is a mistake like any other."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 4.0  # seconds; less than the shortest `hang`, after which the whole show is ended
LOADING = 20.0  # a scene may import what takes long, as torch does; less than `hang` mostly is
_TICKS = 10  # in which they are counted: of the time that a process is stopped there is but one


class Endless(Exception):
    """It took too long."""


@contextmanager
def patience(loading: bool = False) -> Iterator[None]:
    """Raises Endless in the middle of what does not come to an end. Not to be nested. loading: a
    scene's file is. In another thread than the main one, and on Windows, which has no such timer,
    there is no such limit."""
    if not hasattr(signal, "setitimer") or threading.current_thread() != threading.main_thread():
        yield
        return
    left, seconds = _TICKS, LOADING if loading else LONGEST

    def tick(*_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:  # and again: an artist's own `except` may take it
            raise Endless(f"it does not come to an end within {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, seconds / _TICKS, seconds / _TICKS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
