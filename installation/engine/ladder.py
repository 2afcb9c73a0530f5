"""Which of several networks a machine can afford: measured times against a budget, no GL here."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

_SHARE = 0.5  # of the slowest frame: upscaling must leave room for everything else
_SPARE = 0.7  # of that, what a network may be expected to take to be tried at all
_CALM = 0.5  # of that, below which a heavier one is worth another try later
_LOOK = 5  # measurements in one look: a hiccup is not a slow machine
_LOOKS = 6  # calm ones in a row before a step up, and twice as many each time to the same rung


class Ladder:
    """Rungs from the lightest network to the heaviest.

    costs: multiply-adds of each. frame: seconds that the slowest frame may take. While the loading
    picture is on, `wants` names what to try and tried() is told what it took; later measured() is
    told now and then. It steps down as soon as a look is over the budget, and up only after many
    that are far below it: a picture whose sharpness comes and goes would be seen. To a rung
    that it has come down from, steps up become ever rarer: it may cost more than was timed, or heat
    the machine until it does.

    The lightest rung is given a whole frame; beyond that there is no network, and `stands` is None.
    """

    def __init__(self, costs: Sequence[int], frame: float) -> None:
        self.costs, self.frame, self.budget = costs, frame, _SHARE * frame
        self.took: dict[int, float] = {}  # seconds of each rung that was tried
        self.stands: int | None = None
        self._times: list[float] = []
        self._calm = 0
        self._enough = dict.fromkeys(range(len(costs)), _LOOKS)  # calm looks before a step to each

    @property
    def wants(self) -> int | None:
        """The rung to try next; None when the choice is made."""
        if not self.took:
            return 0
        failed = min((k for k in self.took if not self.fits(k)), default=len(self.costs))
        top = max((k for k in self.took if self.fits(k)), default=-1)
        between = range(top + 1, failed)
        near = [k for k in between if self.expected(k) <= _SPARE * self.budget]
        return max(near, default=None)

    def fits(self, rung: int) -> bool:
        return self.took[rung] <= (self.frame if rung == 0 else self.budget)

    def expected(self, rung: int) -> float:
        """Seconds that a rung would take, by the nearest that was tried."""
        near = min(self.took, key=lambda k: abs(k - rung))
        return self.took[near] * self.costs[rung] / self.costs[near]

    def tried(self, rung: int, seconds: float) -> None:
        """A rung was built and timed: stand on it if it fits."""
        self.took[rung] = seconds
        if self.fits(rung):
            self.stands = rung

    def measured(self, seconds: float) -> bool:
        """Count a picture that was upscaled in the show. True if another rung is stood on now."""
        if self.stands is None:
            return False
        self._times.append(seconds)
        if len(self._times) < _LOOK:
            return False
        now = median(self._times)
        self._times.clear()
        known = sorted(k for k in self.took if self.fits(k))
        at = known.index(self.stands)
        if now > self.budget:
            self._calm = 0
            self.stands = known[max(0, at - 1)]
            return at > 0
        higher = known[min(at + 1, len(known) - 1)]
        far_below = now * self.took[higher] <= _CALM * self.budget * self.took[self.stands]
        self._calm = self._calm + 1 if far_below and higher != self.stands else 0
        if self._calm < self._enough[higher]:
            return False
        self._enough[higher] *= 2
        self._calm, self.stands = 0, higher
        return True
