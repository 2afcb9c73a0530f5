"""A step that is not finite leaves no trace: it is undone, counted, and the next one is tried.

One NaN or infinity in a loss or gradient would spoil weights, Adam's moments and batch norm's
statistics for good. As G's half follows D's, what D has done by then is undone with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from training import ranks


class NotFiniteError(ArithmeticError):
    """A loss or a gradient that is NaN or infinite."""


@dataclass
class Health:
    """What went wrong so far; saved with every checkpoint, so that a resumed run counts on."""

    skipped: int = 0  # steps undone
    in_a_row: int = 0  # the last so many steps were undone
    returns: int = 0  # how often an earlier state was put back
    slowed: float = 1.0  # what the recipe's learning rate is multiplied with
    used: list[int] = field(default_factory=list)  # snapshots put back, by images shown

    def note(self, finite: bool) -> None:
        """Count one step."""
        self.skipped += not finite
        self.in_a_row = 0 if finite else self.in_a_row + 1


class Guard:
    """Notes what a step changes before G's own weights, which change last, and puts it back."""

    def __init__(self) -> None:
        self._now: list[Tensor] = []
        self._before: list[Tensor] = []

    def note(self, networks: Sequence[nn.Module], optimizer: torch.optim.Optimizer) -> None:
        """Copy every buffer of the networks, and what the optimizer holds: weights and moments."""
        self._optimizer, self._known = optimizer, set(optimizer.state)
        self._now = [buffer for network in networks for buffer in network.buffers()]
        self._now += [weight for group in optimizer.param_groups for weight in group["params"]]
        self._now += [moment for state in optimizer.state.values() for moment in state.values()]
        if [_kind(t) for t in self._before] != [_kind(t) for t in self._now]:
            self._before = [torch.empty_like(tensor) for tensor in self._now]
        with torch.no_grad():
            torch._foreach_copy_(self._before, self._now)

    def undo(self) -> None:
        with torch.no_grad():
            torch._foreach_copy_(self._now, self._before)
        for weight in set(self._optimizer.state) - self._known:  # moments begun in this step
            del self._optimizer.state[weight]


def _kind(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.shape, tensor.dtype, tensor.device


def longest(clip: float, every: int) -> float:
    """What a gradient may be, as a multiple of the usual, where every so many steps a penalty comes
    that weighs as much more: such a step is the root of that longer by itself."""
    return max(clip, 1.5 * math.sqrt(every)) if clip else 0.0


def descend(optimizer: Any, network: nn.Module, loss: Tensor, clip: float = 0.0) -> None:
    """One step of Adam along gradients that are there, averaged over all ranks.

    clip: a gradient longer than this many times what is usual is shortened to that; 0 leaves it.
    Raises NotFiniteError, on every rank alike, before the step.
    """
    loss = ranks.average_gradients(network, loss.detach())
    weights = [p for p in network.parameters() if p.grad is not None]
    gradients: Any = [p.grad for p in weights]
    # A norm is finite only if every term is, and says how long the gradient is besides.
    norms = torch.stack([norm.float() for norm in torch._foreach_norm(gradients)])
    if not bool(torch.cat([loss.float()[None], norms]).isfinite().all()):
        raise NotFiniteError
    if clip > 0 and all(p in optimizer.state for p in weights):
        usual = _usual(optimizer, weights)
        torch._foreach_mul_(gradients, (clip * usual / norms.norm().clamp(min=1e-12)).clamp(max=1))
    optimizer.step()


def _usual(optimizer: Any, weights: Sequence[Tensor]) -> Tensor:
    """The root mean square of the whole gradient's length of late, as Adam's second moments have
    it: what a length out of all proportion is known by (cf. Wortsman et al. 2023, on spikes that
    come where second moments are out of date)."""
    states = [optimizer.state[weight] for weight in weights]
    beta2 = optimizer.param_groups[0]["betas"][1]
    squares = torch.stack([state["exp_avg_sq"].sum() for state in states])
    steps = torch.stack([state["step"] for state in states])  # fewer of layers that have grown
    return (squares / (1 - beta2**steps)).sum().sqrt()
