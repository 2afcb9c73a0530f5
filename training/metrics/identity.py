"""Is it still the same one? How far a picture goes when one label changes and all else stays."""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from models.latent import Latent
from training.grid import fixed_latent
from training.metrics.codes import Features
from training.metrics.material import Paint


def estranged(
    paint: Paint, features: Features, latent: Latent, known: Tensor, *, count: int, seed: int = 0
) -> dict[str, float]:
    """For each label with two values or more: the mean distance, in features, between a picture and
    the same with another value of that label, as a share of that to the same labels with another z.

    0: the label does nothing; 1: another value is as good as another character. known: (N, C)
    label combinations to draw with.
    """
    rng = Generator().manual_seed(seed)
    points = fixed_latent(latent, count, seed, known)
    before = features(paint(points))
    other = points.clone()
    other[:, : latent.z] = torch.randn(count, latent.z, generator=rng)
    far = _apart(before, features(paint(other)))
    found = {}
    for label in latent.labels:
        if label.width < 2:
            continue
        where = latent.slices()[label.name]
        step = torch.randint(1, label.width, (count,), generator=rng)
        value = (points[:, where].argmax(1) + step) % label.width
        changed = points.clone()
        changed[:, where] = F.one_hot(value, label.width).float()
        found[label.name] = _apart(before, features(paint(changed))) / max(far, 1e-12)
    return found


def lines(images: Tensor) -> Tensor:
    """(N, 3, S, S) uint8 -> (N, F): where a picture's edges are, whatever colours they part.

    The gradient of the mean of red, green and blue, averaged over a sixteenth of the side and of
    length 1, so that neither colour nor contrast counts.
    """
    grey = images.float().mean(1, keepdim=True)
    across = grey[..., 1:, 1:] - grey[..., 1:, :-1]
    down = grey[..., 1:, 1:] - grey[..., :-1, 1:]
    edges = F.adaptive_avg_pool2d((across.square() + down.square()).sqrt(), 16)
    return F.normalize(edges.flatten(1), dim=1)


def _apart(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm(dim=1).mean())
