"""One line while an upscaler trains: share of the budget, what was shown, losses, time left."""

from __future__ import annotations

from training.budget import Budget
from training.progress import Line


class Progress:
    """seconds, kimg: what runs before this one took and were shown."""

    def __init__(self, budget: Budget, seconds: float, kimg: float) -> None:
        self.budget, self._seconds, self._kimg = budget, seconds, kimg
        self._shown = Line()

    def show(self, spent: float, seconds: float, kimg: float, terms: dict[str, float]) -> None:
        """Where the training is. terms: the losses of the last step."""
        self._shown.show(spent, lambda: self._line(seconds, kimg, terms))

    def close(self) -> None:
        self._shown.close()

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
