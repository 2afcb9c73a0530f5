"""How far long work has come, told on the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Progress = Callable[[int, int], None]  # what is done, and of how much


_SOON = 2.0  # seconds in which work may be done without a word
_AGAIN = 30.0  # between two plain lines


@contextmanager
def bar(what: str, unit: str = "step") -> Iterator[Progress]:
    """What is done and how long it takes, once that is more than two seconds: a bar on a terminal,
    gone when the work is done, and a plain line every half minute elsewhere."""
    if not sys.stderr.isatty():
        yield _lines(what, unit)
        return
    with tqdm(desc=what, unit=unit, delay=_SOON, leave=False) as shown:

        def progress(done: int, total: int) -> None:
            shown.total = total
            shown.update(done - shown.n)

        yield progress


def _lines(what: str, unit: str) -> Progress:
    began = time.perf_counter()
    due = began + _SOON

    def progress(done: int, total: int) -> None:
        nonlocal due
        now = time.perf_counter()
        if now < due or not 0 < done < total:
            return
        due = now + _AGAIN
        minutes, seconds = divmod(round((now - began) * (total - done) / done), 60)
        left = f"about {minutes}:{seconds:02d} left"
        print(f"{what}: {done} of {total} {unit}s, {left}", file=sys.stderr, flush=True)

    return progress


class Line:
    """Where a training is: a bar with a text on a terminal, a plain line every half minute
    elsewhere. It begins when it is made."""

    def __init__(self) -> None:
        self._said = time.perf_counter()
        self._bar: tqdm | None = None
        if sys.stderr.isatty():
            shape = "{percentage:3.0f}%|{bar:24}| {desc}"
            self._bar = tqdm(total=1.0, bar_format=shape, leave=True)

    def show(self, spent: float, text: Callable[[], str]) -> None:
        """spent: the share of the budget, 1 at most is shown. text: is asked when it is time."""
        now = time.perf_counter()
        if now - self._said < (0.25 if self._bar is not None else _AGAIN):
            return
        self._said, spent = now, min(1.0, spent)
        if self._bar is not None:
            self._bar.n = spent
            self._bar.set_description_str(text())
        else:
            print(f"{spent:4.0%} {text()}", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
