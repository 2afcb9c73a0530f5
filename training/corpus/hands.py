"""Many hands draw one corpus: a process for each core, the batches in order."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from training.corpus.corpus import Corpus

Batch = tuple[NDArray[np.uint8], list[dict[str, str]]]
"""What Corpus.draw returns."""

_BATCH = 64  # images drawn between two writes of the table: what an interruption can cost
_MOST = 16  # hands; with more the one that writes the files is the slowest


def draw(
    corpus: Corpus, start: int, stop: int, size: int, seed: int, **pinned: str
) -> Iterator[Batch]:
    """Images `start` to `stop` in batches, those labels the same in all. An image depends on its
    index alone, so it does not matter who draws it. A few images are drawn here: starting a process
    takes longer."""
    parts = [(at, min(_BATCH, stop - at)) for at in range(start, stop, _BATCH)]
    hands = min(os.cpu_count() or 1, len(parts), _MOST)
    if hands < 2:
        for at, count in parts:
            yield corpus.draw(count, size, seed, start=at, **pinned)
        return
    pool = ProcessPoolExecutor(hands, get_context("spawn"), _begin)
    waiting: deque[Future[Batch]] = deque()
    try:
        for at, count in parts:
            waiting.append(pool.submit(corpus.draw, count, size, seed, start=at, **pinned))
            if len(waiting) > 2 * hands:  # no more in memory than the next few
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """In a process of its own: interrupts are the parent's, and since there is a hand for every
    core NumPy's matrix library is to take one, not all of them: it took most of the time."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1)
