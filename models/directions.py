"""Directions in z that change the picture most, found in closed form from the first layer.

SeFa (Shen and Zhou 2021, Closed-Form Factorization of Latent Semantics in GANs): the right singular
vectors of the matrix that z meets first. What each one does is for a person to see and to name.
"""

from __future__ import annotations

import torch

from models.generator import FoldedGenerator

MOST = 6  # of a piece; the later ones do less and less


@torch.no_grad()
def find_directions(generator: FoldedGenerator, z: int) -> tuple[tuple[float, ...], ...]:
    """At most MOST directions of length 1, each of z numbers, the strongest first.

    Batch norm stretches the layer's outputs, so it is taken as the pictures see it. A singular
    vector's sign means nothing: here its largest number is positive.
    """
    weight = generator.weights[0][:, :z].double()
    found = torch.linalg.svd(weight, full_matrices=False).Vh[: min(MOST, z)]
    largest = found.gather(1, found.abs().argmax(1, keepdim=True))
    return tuple(tuple(round(x, 5) for x in row) for row in (found * largest.sign()).tolist())
