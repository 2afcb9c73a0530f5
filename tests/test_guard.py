"""A step along a gradient: shortened where it is far too long, refused where it is not finite."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import nn

from training.guard import NotFiniteError, descend, longest

RATE, BETA2 = 1e-2, 0.99


class Walk:
    """A network whose gradient is what the test says, and its Adam, as a training has it."""

    def __init__(self, clip: float) -> None:
        self.network = nn.ParameterList([torch.ones(3, 2), torch.ones(4)])
        self.adam = torch.optim.Adam(
            self.network.parameters(), RATE, betas=(0.0, BETA2), fused=True
        )
        self.clip = clip

    def step(self, length: float, of: int = 2) -> float:
        """One step along a gradient of this length, that only the first weights have; how far."""
        before = [p.detach().clone() for p in self.network]
        for p in list(self.network)[:of]:
            p.grad = torch.full_like(p, length / 10**0.5)
        descend(self.adam, self.network, torch.zeros(()), self.clip)
        far = [float((p.detach() - q).norm()) for p, q in zip(self.network, before, strict=True)]
        return sum(one**2 for one in far) ** 0.5


def walk(clip: float, lengths: Sequence[float]) -> list[float]:
    made = Walk(clip)
    return [made.step(length) for length in lengths]


def test_a_gradient_out_of_all_proportion_is_shortened() -> None:
    usual = [1.0] * 60
    free = walk(0, [*usual, 100.0, 1.0])
    held = walk(3, [*usual, 100.0, 1.0])
    assert held[:60] == free[:60]
    # A gradient of three times the usual, by Adam's own rule: its second moment, without bias.
    square = (BETA2 * (1 - BETA2**60) + (1 - BETA2) * 9) / (1 - BETA2**61)
    assert held[60] == pytest.approx(held[59] * 3 / square**0.5, rel=1e-3)
    assert free[60] > 2 * held[60]
    # What comes after is not held back by a second moment that the one step has blown up.
    assert held[61] == pytest.approx(held[59], rel=0.1)
    assert free[61] < 0.2 * free[59]


def test_what_is_usual_follows() -> None:
    lengths = [1.0 + 0.02 * n for n in range(200)]  # grows to five times
    assert walk(3, lengths) == walk(0, lengths)
    rough = [2.0, 0.2] * 60
    assert walk(3, rough) == walk(0, rough)


def test_layers_that_have_grown_have_a_past_of_their_own() -> None:
    made, free = Walk(3), Walk(0)
    for length in [1.0] * 40:
        assert made.step(length, of=1) == free.step(length, of=1)
    for length in [1.0] * 10:
        assert made.step(length) == free.step(length)  # the second weights are new


def test_penalties_that_come_seldom_are_not_shortened() -> None:
    lengths = [1.6 if step % 16 == 0 else 0.1 for step in range(320)]
    free, held = walk(0, lengths), walk(longest(3, 16), lengths)
    assert held[160:] == free[160:]
    assert walk(3, lengths)[304] < 0.9 * free[304]
    assert longest(3, 4) == 3  # what recipes do by default
    assert longest(0, 16) == 0


@pytest.mark.parametrize("clip", [0.0, 3.0])
def test_what_is_not_finite_is_refused(clip: float) -> None:
    made = Walk(clip)
    made.step(1.0)
    before = [p.detach().clone() for p in made.network]
    for value in (float("nan"), float("inf")):
        with pytest.raises(NotFiniteError):
            made.step(value)
    for p in made.network:
        p.grad = torch.ones_like(p)
    with pytest.raises(NotFiniteError):
        descend(made.adam, made.network, torch.tensor(float("nan")), clip)
    for p, q in zip(made.network, before, strict=True):
        torch.testing.assert_close(p.detach(), q, rtol=0, atol=0)
