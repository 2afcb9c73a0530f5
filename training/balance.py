"""How often each image is shown, so that the piece draws what the artist wants it to draw.

Found images are never even: in the anime corpora girls and light skin outnumber the rest by far.
Weights are raked: each label's shares are brought to their target in turn until all fit (iterative
proportional fitting, Deming & Stephan 1940).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from models.latent import Label, columns
from training import UsageError
from training.dataset import Dataset
from training.recipe import Recipe

POWERS = {"none": 1.0, "sqrt": 0.5, "even": 0.0}  # of a value's frequency, by the recipe's word
MOST = 20.0  # an image is not shown more often than this, or it would be learned by heart
_ROUNDS = 200


class BalanceError(UsageError):
    """A target distribution that the dataset cannot be brought to. One line."""


def shown(data: Dataset, held_out: Dataset, recipe: Recipe) -> tuple[Tensor | None, Tensor | None]:
    """How often each image is shown, (N,) with mean 1, and how often each held-out one would be
    beside them, (M,); None for once each. Raises BalanceError."""

    def found(conditions: Tensor) -> Tensor | None:
        return weights(conditions, data.labels, POWERS[recipe.balance], recipe.target)

    both = found(torch.cat([data.conditions, held_out.conditions]))
    return found(data.conditions), None if both is None else both[len(data) :]


def weights(
    conditions: Tensor,
    labels: Sequence[Label],
    power: float = 1.0,
    target: Mapping[str, Mapping[str, float]] | None = None,
) -> Tensor | None:
    """How often each image is shown in an epoch: (N,) with mean 1, or None for once each.

    conditions: (N, label widths), one-hot, zeros where unknown. power: a value's share becomes its
    frequency to this power; 1 leaves it, 0.5 is the square root, 0 makes all alike. target: shares
    by label and value instead, any positive scale; values left out keep their own. Images whose
    value is unknown keep their share. Raises BalanceError.
    """
    target = target or {}
    unknown = set(target) - {label.name for label in labels}
    if unknown:
        known = ", ".join(label.name for label in labels) or "none"
        raise BalanceError(f"target: there is no label {sorted(unknown)[0]!r}; there is {known}")
    wanted = []
    for label, where in columns(labels):
        own = conditions[:, where].double()
        share = own.sum(0)
        if label.name in target:
            wanted.append((own, _asked(label, share, target[label.name])))
        elif power != 1:
            wanted.append((own, _scaled(share**power * (share > 0), share)))
    return _rake(wanted, len(conditions)) if wanted else None


def _asked(label: Label, share: Tensor, asked: Mapping[str, float]) -> Tensor:
    """The counts that a label's values should have together: (values,)."""
    for value, amount in asked.items():
        if value not in label.values:
            known = ", ".join(label.values)
            raise BalanceError(f"target.{label.name}: there is no {value!r}; there is {known}")
        if not 0 <= amount < float("inf"):
            raise BalanceError(f"target.{label.name}.{value} = {amount}: 0 or more")
    chosen = torch.tensor([value in asked for value in label.values])
    amounts = torch.tensor([float(asked.get(value, 0)) for value in label.values]).double()
    if amounts.sum() <= 0:
        raise BalanceError(f"target.{label.name}: at least one share must be above 0")
    # What is named shares what the named values had together.
    scaled = amounts / amounts.sum() * share[chosen].sum()
    return torch.where(chosen, scaled, share)


def _scaled(wanted: Tensor, share: Tensor) -> Tensor:
    return wanted / wanted.sum().clamp(min=1e-9) * share.sum()


def _rake(wanted: list[tuple[Tensor, Tensor]], count: int) -> Tensor:
    found = torch.ones(count, dtype=torch.float64)
    for _ in range(_ROUNDS):
        before = found
        for own, share in wanted:
            have = (own * found[:, None]).sum(0)
            factor = torch.where(have > 0, share / have.clamp(min=1e-9), torch.ones_like(have))
            known = own.sum(1) > 0
            found = torch.where(known, found * (own @ factor), found)
        found = _limited(found)
        if (found - before).abs().max() < 1e-6:
            break
    if found.sum() <= 0:
        raise BalanceError("target: no image is left to show")
    return found / found.mean()


def _limited(found: Tensor) -> Tensor:
    """Weights (N,) of which none is above MOST times their mean, the others as they were.

    Where so few are left that they cannot be below, those are all alike.
    """
    count = len(found)
    if MOST * int((found > 0).sum()) <= count:
        return (found > 0).to(found.dtype)
    # With the k largest cut to t, t = MOST · (k t + rest) / N, for the first k that leaves the next
    # one below.
    largest = found.sort(descending=True).values
    rest = largest.flip(0).cumsum(0).flip(0)
    free = count - MOST * torch.arange(count, dtype=found.dtype)
    limit = MOST * rest / free
    first = int(((free > 0) & (largest <= limit)).nonzero()[0])
    return found.clamp(max=float(limit[first]))
