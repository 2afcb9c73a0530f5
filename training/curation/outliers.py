"""Images unlike the rest: far from their nearest neighbours, compared with how far is usual."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FAR = 3.5  # robust standard deviations; looked at: nearly all are cut-offs, objects, odd framings
_FEWEST = 30  # images; among fewer nothing is usual
_REFERENCE = 4096  # images to measure from, so that the time grows with N alone
_DIRECTIONS = 48  # of the largest variance
_NEIGHBOURS = 5
_ROWS = 512


def strangeness(structures: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """How far each of (N, features) lies off: the mean distance to its five nearest (after
    Ramaswamy et al. 2000), in robust standard deviations above the median. Zero for small N."""
    n = len(structures)
    if n < _FEWEST:
        return np.zeros(n, np.float32)
    centred = structures - structures.mean(0)
    chosen = np.random.default_rng(seed).permutation(n)[:_REFERENCE]
    _, axes = np.linalg.eigh(centred[chosen].T @ centred[chosen])
    points = centred @ axes[:, -_DIRECTIONS:]
    reference = points[chosen]
    lengths = (reference**2).sum(1)
    place = np.full(n, -1)  # among those that are measured from
    place[chosen] = np.arange(len(chosen))
    far = np.empty(n, np.float32)
    for start in range(0, n, _ROWS):
        rows = points[start : start + _ROWS]
        squared = (rows**2).sum(1, keepdims=True) + lengths - 2 * rows @ reference.T
        own = place[start : start + _ROWS]
        among = np.flatnonzero(own >= 0)
        squared[among, own[among]] = np.inf  # no image is its own neighbour
        nearest = np.partition(np.sqrt(np.maximum(0, squared)), _NEIGHBOURS - 1, axis=1)
        far[start : start + _ROWS] = nearest[:, :_NEIGHBOURS].mean(1)
    middle = np.median(far)
    spread = 1.4826 * float(np.median(np.abs(far - middle)))
    return (far - middle) / max(spread, 1e-6)
