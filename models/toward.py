"""A generator on its way to another: each weight between the two (Wang et al. 2019, Deep Network
Interpolation for Continuous Imagery Effect Transition). Between kin, of which one was trained from
the other, every picture on the way is whole."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.generator import FoldedGenerator

KIN = 0.2  # of kernels' directions in common; strangers have less than a tenth


def kinship(one: Iterable[Tensor], other: Iterable[Tensor]) -> float:
    """How alike the kernels are that both have in the same place, -1 to 1: their mean cosine. Two
    trainings from chance have about 0."""
    found = [
        float(F.cosine_similarity(mine.flatten(), theirs.flatten(), 0))
        for mine, theirs in zip(one, other, strict=False)
        if mine.shape == theirs.shape
    ]
    return float(np.mean(found)) if found else 0.0


class Toward:
    """Moves a generator's weights, in place: what was captured of it (engine/captured) goes on.

    other: on the same device. alike: both read their points in the same way; if they do not, the
    first layer stays as it is.
    """

    def __init__(self, generator: FoldedGenerator, other: FoldedGenerator, alike: bool) -> None:
        first = 0 if alike else 1
        moved, goals = (
            list(chain(made.weights[first:], made.biases[first:])) for made in (generator, other)
        )
        self.kinship = kinship(generator.weights[1:], other.weights[1:])
        self._ways = [(m, m.detach().clone(), g) for m, g in zip(moved, goals, strict=True)]
        self._at = 0.0

    @torch.no_grad()
    def go(self, share: float) -> None:
        """0 is the generator as it was, 1 has the other's weights; the same share, whatever was
        before, is the same to the bit."""
        if share == self._at:
            return
        for weight, start, goal in self._ways:
            torch.lerp(start, goal, share, out=weight)
        self._at = share
