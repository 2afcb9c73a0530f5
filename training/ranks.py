"""Training in several processes, called ranks: my share of a batch, and what all agree on.

Lightning starts and joins them (training/fit.py). Gradients are averaged here, by hand: Lightning's
wrapper, torch's DistributedDataParallel, averages while one backward pass through the whole module
runs, and the adversarial step has several, through parts of it, that R1 and R2 differentiate twice.

`batch` is the batch of all ranks together. Each takes every so-many-th image and draws the random
numbers of the whole batch, of which it keeps its own, so that the number of ranks changes nothing
but rounding: batch norm's statistics are those of all ranks, and a group of minibatch standard
deviation stays together while `batch` can be divided by 8 × ranks, with codes by 32 × ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from training import UsageError


class RankError(UsageError):
    """Ranks that cannot work together. One line."""


def count() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if count() > 1 else 0


def leads() -> bool:
    """One rank alone writes files and speaks."""
    return rank() == 0


def share(batch: Tensor) -> Tensor:
    """This rank's part of a whole batch: (N, …) -> (N / ranks, …)."""
    return batch[rank() :: count()]


class BatchGenerator(torch.Generator):
    """Random numbers for a whole batch, of which this rank keeps its share."""

    @classmethod
    def of(cls, generator: torch.Generator) -> BatchGenerator:
        """The same numbers as from another generator, which goes on unchanged."""
        found = cls()
        found.set_state(generator.get_state())
        return found


def rand(*shape: int, rng: torch.Generator) -> Tensor:
    """Uniform in [0, 1): shape (N, …), one row an image."""
    return _kept(torch.rand(_whole(shape, rng), generator=rng), rng)


def randn(*shape: int, rng: torch.Generator) -> Tensor:
    """Normal: shape (N, …), one row an image."""
    return _kept(torch.randn(_whole(shape, rng), generator=rng), rng)


def randint(low: int, high: int, *shape: int, rng: torch.Generator) -> Tensor:
    """Whole numbers from low to high − 1: shape (N, …), one row an image."""
    return _kept(torch.randint(low, high, _whole(shape, rng), generator=rng), rng)


def _whole(shape: tuple[int, ...], rng: torch.Generator) -> tuple[int, ...]:
    return (shape[0] * count(), *shape[1:]) if isinstance(rng, BatchGenerator) else shape


def _kept(drawn: Tensor, rng: torch.Generator) -> Tensor:
    return share(drawn) if isinstance(rng, BatchGenerator) else drawn


def average_gradients(network: nn.Module, loss: Tensor) -> Tensor:
    """Give every rank the mean of all ranks' gradients; returns the mean loss."""
    if count() == 1:
        return loss
    found = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([loss.float().view(1), *(g.flatten().float() for g in found)])
    _reduce(flat)
    average, *parts = (flat / count()).split([1, *(g.numel() for g in found)])
    for gradient, part in zip(found, parts, strict=True):
        gradient.copy_(part.view_as(gradient))
    return average[0]


def mean(tensor: Tensor) -> Tensor:
    """The mean of all ranks' tensors."""
    if count() == 1:
        return tensor
    summed = tensor.clone()
    _reduce(summed)
    return summed / count()


def agree(number: float, flags: Sequence[bool], device: torch.device) -> tuple[float, list[bool]]:
    """The first rank's number, on every rank; and which flags are up on any."""
    if count() == 1:
        return number, list(flags)
    told = [number if leads() else 0.0, *map(float, flags)]
    summed = torch.tensor(told, dtype=torch.float64, device=device)
    _reduce(summed)
    number, *found = summed.tolist()
    return number, [flag > 0 for flag in found]


def tell(number: float, device: torch.device) -> float:
    """The first rank's number, on every rank."""
    return agree(number, (), device)[0]


def copy_from_first(tensors: Iterable[Tensor]) -> None:
    """Overwrite each tensor with the first rank's."""
    if count() > 1:
        for tensor in tensors:
            with _together():
                dist.broadcast(tensor.detach(), src=0)


def from_first(tensors: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """The first rank's tensors, on every rank; what the others give does not count.

    Their names and shapes go first: what ranks hold may differ, as the order in which Adam makes
    its moments and a file has them does.
    """
    if count() == 1:
        return tensors
    layout = [[(name, value.shape, value.dtype) for name, value in tensors.items()]]
    with _together():
        dist.broadcast_object_list(layout, src=0)
    found = {
        name: (tensors[name] if leads() else torch.empty(shape, dtype=dtype)).to(device)
        for name, shape, dtype in layout[0]
    }
    copy_from_first(found.values())
    return found


def require_same(what: str, value: str) -> None:
    """Raise RankError where a value differs between ranks."""
    if count() == 1:
        return
    found: list[str | None] = [None] * count()
    with _together():
        dist.all_gather_object(found, value)
    if len(set(found)) > 1:
        raise RankError(f"{what} is not the same on all machines; give all of them the same files")


def _reduce(tensor: Tensor) -> None:
    with _together():
        dist.all_reduce(tensor)


@contextmanager
def _together() -> Iterator[None]:
    """Say it in a line when another rank is gone."""
    try:
        yield
    except RuntimeError as error:
        raise RankError(
            "another process of this training is gone; the last checkpoint is kept, go on with "
            "--resume"
        ) from error


class _Sum(torch.autograd.Function):
    """The sum over all ranks; its gradient is the sum of theirs, to be differentiated again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        summed = x.clone()
        _reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        found: Tensor = _Sum.apply(gradients[0])
        return found


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm whose statistics are those of all ranks' images, on any device.

    torch.nn.SyncBatchNorm is for CUDA alone.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or count() == 1:
            return super().forward(x)
        values = x.float()
        dims, shape = (0, 2, 3), (1, -1, 1, 1)
        n = x.numel() / x.shape[1] * count()
        mean = _Sum.apply(values.sum(dims)) / n
        centred = values - mean.view(shape)
        variance = _Sum.apply(centred.square().sum(dims)) / n
        self._note(mean.detach(), variance.detach() * n / (n - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale.view(shape) + self.bias.view(shape)).to(x.dtype)

    @torch.no_grad()
    def _note(self, mean: Tensor, variance: Tensor) -> None:
        momentum = 0.1 if self.momentum is None else self.momentum
        self.get_buffer("running_mean").lerp_(mean, momentum)
        self.get_buffer("running_var").lerp_(variance, momentum)
        self.get_buffer("num_batches_tracked").add_(1)


def share_norms(module: nn.Module) -> None:
    """Let every batch norm in a module count the images of all ranks; no weight changes."""
    for part in module.modules():
        if type(part) is nn.BatchNorm2d:
            part.__class__ = SharedBatchNorm
