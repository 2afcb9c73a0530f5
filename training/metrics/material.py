"""What is measured: real images in two halves, those held out, and as many generated ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from models.card import Card
from models.latent import Latent
from training import UsageError
from training.dataset import Dataset
from training.grid import fixed_latent
from training.metrics.origin import hold_out_of
from training.pixels import pixels
from training.precision import fastest
from training.split import SHARE, split

Paint = Callable[[Tensor], Tensor]  # points (N, width) -> pictures (N, 3, S, S) uint8

FEWEST = 40  # images; of fewer no figure means anything


class EvaluationError(UsageError):
    """A piece that cannot be measured against a dataset. One line."""


@dataclass(frozen=True)
class Material:
    """Pictures are (N, 3, S, S) uint8; a, b and generated have the same N.

    training, held_out: the dataset's parts, as the training splits it, with their labels laid out
    as the piece has them. a, b: two halves of the training images. points: what `generated` was
    painted from, with labels as in the data.
    """

    training: Dataset
    held_out: Dataset
    paint: Paint
    a: Tensor
    b: Tensor
    points: Tensor
    generated: Tensor


def gather(card: Card, generator: nn.Module, data: Dataset, samples: int, seed: int) -> Material:
    """Split the dataset and draw pictures. Raises EvaluationError where the two do not fit."""
    conditions = conditions_for(card.latent, data)
    data = replace(data, labels=card.latent.labels, conditions=conditions)
    training, held_out = split(data, share=hold_out_of(card, data.name) or SHARE)
    if len(training) < FEWEST:
        raise EvaluationError(
            f"{data.name} has {len(training)} images to measure by; {FEWEST} are the least"
        )
    order = torch.randperm(len(training), generator=torch.Generator().manual_seed(seed))
    count = min(samples, len(training) // 2)
    paint = painter(generator)
    points = fixed_latent(card.latent, count, seed, training.conditions)
    return Material(
        training=training,
        held_out=held_out,
        paint=paint,
        a=training.images[order[:count]],
        b=training.images[order[count : 2 * count]],
        points=points,
        generated=paint(points),
    )


def painter(generator: nn.Module) -> Paint:
    """Pictures as a screen would show them: in 256 steps. The generator moves to the fastest
    device; the pictures come back to the CPU."""
    device = fastest()
    generator.to(device)

    @torch.no_grad()
    def paint(points: Tensor) -> Tensor:
        parts = points.split(64)
        return torch.cat([pixels(generator(part.to(device)).float()).cpu() for part in parts])

    return paint


def conditions_for(latent: Latent, data: Dataset) -> Tensor:
    """The dataset's labels as the piece lays them out: (N, C). Raises EvaluationError."""
    wanted = {label.name: label.values for label in latent.labels}
    found = {label.name: label.values for label in data.labels}
    _check_labels(wanted, found)
    every = [(name, value) for name, values in found.items() for value in values]
    columns = dict(zip(every, data.conditions.T, strict=True))
    nobody = torch.zeros(len(data))
    laid = [columns.get((name, v), nobody) for name, values in wanted.items() for v in values]
    return torch.stack(laid, dim=1) if laid else torch.zeros(len(data), 0)


def _check_labels(wanted: dict[str, tuple[str, ...]], found: dict[str, tuple[str, ...]]) -> None:
    advice = "measure a piece against the dataset that it was trained on"
    for name in wanted:  # a piece may be steered by a part of the dataset's labels
        if name not in found:
            raise EvaluationError(f"the piece has the label {name!r}, the dataset not; {advice}")
        unknown = sorted(set(found[name]) - set(wanted[name]))
        if unknown:
            raise EvaluationError(f"the piece does not know {name} = {unknown[0]!r}; {advice}")
