"""One line while an upscaler trains: share of the budget, what was shown, losses, time left."""

from __future__ import annotations

import sys
import time
from typing import Any

from tqdm import tqdm

from training.budget import Budget


class Progress:
    """A bar on a terminal; a plain line every half minute elsewhere."""

    def __init__(self, budget: Budget, seconds: float, kimg: float) -> None:
        self.budget, self._seconds, self._kimg = budget, seconds, kimg
        self._said = time.perf_counter()
        self._bar: Any = None
        if sys.stderr.isatty():
            shape = "{percentage:3.0f}%|{bar:24}| {desc}"
            self._bar = tqdm(total=1.0, file=sys.stderr, bar_format=shape, leave=True)

    def show(self, spent: float, seconds: float, kimg: float, terms: dict[str, float]) -> None:
        """Where the training is. terms: the losses of the last step."""
        now = time.perf_counter()
        if now - self._said < (0.25 if self._bar else 30):
            return
        self._said = now
        text = self._line(seconds, kimg, terms)
        if self._bar:
            self._bar.n = min(1.0, spent)
            self._bar.set_description_str(text)
        else:
            print(f"{min(1.0, spent):4.0%} {text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._bar:
            self._bar.close()

    def _line(self, seconds: float, kimg: float, terms: dict[str, float]) -> str:
        rate = (kimg - self._kimg) / max(seconds - self._seconds, 1e-9)
        if self.budget.kimg is not None:
            left = (self.budget.kimg - kimg) / max(rate, 1e-9)
        else:
            left = (self.budget.seconds or 0.0) - seconds
        figures = " ".join(f"{name} {value:.4f}" for name, value in terms.items())
        return (
            f"{kimg:.0f} kimg, {1000 * rate:.0f} crops/s, "
            f"{int(max(0, left)) // 60}:{int(max(0, left)) % 60:02d} left; {figures}"
        )
