"""How sure a share is, and how sure the difference of two."""

from __future__ import annotations

import math
from dataclasses import dataclass

SURE = 1.96  # standard deviations: 95 % of a normal distribution, both sides


@dataclass(frozen=True)
class Share:
    """`count` of `total`, with its interval from `low` to `high`; all but the first two 0 to 1."""

    count: int
    total: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Excess:
    """How much one share is above another: the difference, and the interval it lies in."""

    rate: float
    low: float
    high: float


def share(count: int, total: int, sure: float = SURE, worth: float = 1.0) -> Share:
    """Wilson's interval (1927): right at 0 of n, and for few. total: 1 or more.

    worth: of how many independent cases each one is worth; a half where they come in pairs.
    """
    cases = total * worth
    rate, spread = count / total, sure * sure / cases
    middle = (rate + spread / 2) / (1 + spread)
    half = sure / (1 + spread) * math.sqrt(rate * (1 - rate) / cases + spread / cases / 4)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Share(count, total, rate, low if count else 0.0, high if count < total else 1.0)


def excess(found: Share, expected: Share) -> Excess:
    """The difference of two shares by their own intervals (Newcombe 1998, method 10)."""
    rate = found.rate - expected.rate
    below = math.hypot(found.rate - found.low, expected.high - expected.rate)
    above = math.hypot(found.high - found.rate, expected.rate - expected.low)
    return Excess(rate, rate - below, rate + above)
