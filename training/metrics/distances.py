"""Distances between two sets of features: FD, KD, precision and recall, density and coverage.

Each takes features (N, D) float32 of real and of generated images, computed in double precision.
They are called FD and KD, never FID and KID, unless the features are Inception's.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

NEIGHBOURS = 5


def frechet(a: Tensor, b: Tensor, shrink: bool = True) -> float:
    """Fréchet distance of two Gaussians fitted to the features (Dowson and Landau 1982):

    |μa − μb|² + tr(Σa + Σb − 2 (Σa½ Σb Σa½)½). With fewer than 2D rows on a side both
    covariances are shrunk (Ledoit and Wolf 2004): a raw one would be mostly chance. Few rows
    bias the distance upwards all the same, so compare it only at equal counts. shrink: False for
    the plain covariances that the published FID is defined by.
    """
    shrunk = shrink and min(len(a), len(b)) < 2 * a.shape[1]
    (mean_a, cov_a), (mean_b, cov_b) = _gaussian(a, shrunk), _gaussian(b, shrunk)
    values, vectors = torch.linalg.eigh(cov_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    distance = (mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross
    return max(0.0, float(distance))


def _gaussian(x: Tensor, shrink: bool) -> tuple[Tensor, Tensor]:
    x = x.double()
    mean = x.mean(0)
    centred = x - mean
    covariance = centred.T @ centred / (len(x) - 1)
    return mean, _shrunk(covariance, centred) if shrink else covariance


def _shrunk(covariance: Tensor, centred: Tensor) -> Tensor:
    """Towards a multiple of the identity, as far as the rows' own scatter says."""
    count, width = centred.shape
    target = torch.eye(width, dtype=covariance.dtype) * (covariance.trace() / width)
    off = (covariance - target).square().sum()
    # Σ|xxᵀ − S|² = Σ|x|⁴ − n|S|² needs no D × D matrix a row.
    scatter = centred.square().sum(1).square().sum() / count - covariance.square().sum()
    weight = float((scatter.clamp(min=0) / count / off.clamp(min=1e-12)).clamp(0, 1))
    return weight * target + (1 - weight) * covariance


def kernel(a: Tensor, b: Tensor, rng: Generator, subsets: int = 50, size: int = 500) -> float:
    """Kernel distance: unbiased MMD² with (x·y/D + 1)³ (Bińkowski et al. 2018), a mean over
    subsets. Around 0, below it too, where both sides are drawn from one distribution."""
    size = min(size, len(a), len(b))
    a, b = a.double(), b.double()
    found = []
    for _ in range(subsets):
        x = a[torch.randperm(len(a), generator=rng)[:size]]
        y = b[torch.randperm(len(b), generator=rng)[:size]]
        within = sum(_off_diagonal_mean(_polynomial(side, side)) for side in (x, y))
        found.append(within - 2 * float(_polynomial(x, y).mean()))
    return sum(found) / len(found)


def _polynomial(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _off_diagonal_mean(k: Tensor) -> float:
    return float((k.sum() - k.trace()) / (len(k) * (len(k) - 1)))


def neighbourhoods(real: Tensor, generated: Tensor, k: int = NEIGHBOURS) -> dict[str, float]:
    """How the two sets overlap, by balls that reach to each point's k-th neighbour of its own set.

    precision: share of generated images in some real one's ball; recall: the other way round
    (Kynkäänniemi et al. 2019). density, coverage: the same two questions, less moved by outliers
    (Naeem et al. 2020); density can pass 1. Raises ValueError for k rows or fewer.
    """
    if min(len(real), len(generated)) <= k:
        raise ValueError(f"{k} neighbours need more than {k} images on each side")
    between = torch.cdist(real.double(), generated.double())  # (real, generated)
    real_reach, generated_reach = _reach(real, k), _reach(generated, k)
    inside = between <= real_reach[:, None]
    return {
        "precision": float(inside.any(0).double().mean()),
        "recall": float((between <= generated_reach[None]).any(1).double().mean()),
        "density": float(inside.double().sum() / k / len(generated)),
        "coverage": float((between.min(1).values <= real_reach).double().mean()),
    }


def _reach(x: Tensor, k: int) -> Tensor:
    """Each row's distance to its k-th neighbour among the others."""
    distance = torch.cdist(x.double(), x.double())
    distance.fill_diagonal_(float("inf"))
    return distance.kthvalue(k, dim=1).values


def mean_distance(x: Tensor) -> float:
    """Mean distance of two different rows: how much a set varies."""
    return float(torch.pdist(x.double()).mean())
