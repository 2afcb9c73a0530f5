"""Muon (Jordan et al. 2024): momentum whose every step is made orthogonal.

For networks of a few thousand weights, whose steps cost little beside what a step learns: all
directions are learned at the same pace, the rare ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import overload

import torch
from torch import Tensor, nn

_ITERATIONS = 5
_QUINTIC = (3.4445, -4.7750, 2.0315)  # steep at zero: five rounds bring 0.02 near to 1
_BIAS = 0.2  # of a step for what is no matrix: all of it goes in one direction


class Muon(torch.optim.Optimizer):
    """Weights of any shape are seen as matrices (outputs, the rest); a bias as one column.

    lr: the length of a step in every direction, whatever the slope's; a bias moves by a fifth.
    decay: the share of a weight that a step of length 1 would take away (Liu et al. 2025, Muon is
    Scalable for LLM Training): steps of one length make weights grow without end.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": decay})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            momentum = group["momentum"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["mean"] = torch.zeros_like(weight)
                state["mean"].lerp_(weight.grad, 1 - momentum)
                ahead = weight.grad.lerp(state["mean"], momentum)  # Nesterov's
                turn = orthogonal(ahead.reshape(len(weight), -1))
                length = group["lr"]
                if weight.ndim > 1:
                    weight.mul_(1 - length * group["decay"])
                else:
                    length *= _BIAS
                weight.sub_(turn.view_as(weight), alpha=length)
        return loss


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the nearest matrix with singular values of 1 (0.7 to 1.2), by Newton and Schulz."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    found = wide / (wide.norm() + 1e-12)
    a, b, c = _QUINTIC
    for _ in range(_ITERATIONS):
        square = found @ found.T
        found = a * found + (b * square + c * square @ square) @ found
    return found if wide is matrix else found.T
