"""How far a piece follows a guide, and what its pictures are like then."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from models.guide import guides
from training import guiding
from training.metrics.distances import frechet
from training.metrics.encoder import Encoder
from training.metrics.material import Material
from training.pixels import floats


@dataclass(frozen=True)
class Following:
    """likeness: the mean correlation of pictures with their guides, −1 to 1, with guides as a
    training has them; unguided: the same of pictures that were not given them. distance: FD-own of
    pictures that follow real images as these are."""

    likeness: float
    unguided: float
    distance: float


def following(material: Material, encoder: Encoder, seed: int) -> Following:
    """By half of the training images, b, as guides."""
    real = floats(material.b)
    rng = Generator().manual_seed(seed)
    asked = guiding.draw(real, 1.0, rng).pictures
    drawn = material.paint(torch.cat([material.points, asked], 1))
    like = material.paint(torch.cat([material.points, guides(real)], 1))
    return Following(
        _likeness(drawn, asked),
        _likeness(material.generated, asked),
        frechet(encoder.features(material.a), encoder.features(like)),
    )


def _likeness(pictures: Tensor, asked: Tensor) -> float:
    shown = guides(floats(pictures))
    return float(torch.cosine_similarity(shown, asked, dim=1).mean())
