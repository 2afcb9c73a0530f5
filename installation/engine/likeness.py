"""A picture's relatives in a piece: the points whose pictures are most like it.

The generator is walked backwards by gradient descent (Creswell & Bharath 2018, Inverting the
Generator of a Generative Adversarial Network) from the best of many random points, by what differs
in a Laplacian pyramid (Bojanowski et al. 2018, Optimizing the Latent Space of Generative Networks).
A piece has no eye that lies just where the picture's does, and to the letter no eye at all would be
nearer than one beside it: so of fine levels it counts how much there is about where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.latent import Label, Latent, Vector

_TRIED = 512  # random points
_AT_ONCE = 32  # pictures; each takes megabytes while it is walked back through
STEPS = 120
_RATE = 0.1  # of Adam, at first; it falls to 0 along a half cosine
_LEAD = 1.5  # of one value's logit at first, so that another can still take its place …
_DECIDED = 60  # … until this step: then it is that one alone, as in training, and z fits it
_ALONE = 100.0  # its lead then
_COARSEST = 8  # pixels of the pyramid's last level
_FINE = 32  # pixels from which on it counts how much there is, and from where it alone does
_CELLS = 16  # a side, within which it does not matter where


def nearest(
    generator: nn.Module,
    latent: Latent,
    picture: NDArray[np.uint8],
    count: int,
    *,
    seed: int = 0,
    truncation: float = 1.0,
    held: Mapping[str, Vector] | None = None,
    progress: Callable[[], object] = lambda: None,
) -> tuple[Vector, NDArray[np.float64]]:
    """Points whose pictures are most like one, nearest first, (count, width), and how far each is:
    what differs, as a share of what does from random points' pictures on average.

    generator: (N, width) -> (N, 3, S, S) in [-1, 1], on any device. picture: (S, S, 3). truncation:
    z's length, as a share of its usual one. held: shares of labels that all of them have. progress:
    called `STEPS` times.
    """
    device = next(iter(generator.parameters())).device
    seen = torch.from_numpy(picture.copy()).to(device).permute(2, 0, 1)[None]
    wanted = _look(seen.float() / 127.5 - 1)
    space = _Space(latent, truncation, held or {})
    random = latent.sample(np.random.default_rng(seed), max(count, _TRIED))

    def apart(free: Tensor) -> Tensor:
        return _off(generator(space.points(free)), wanted)

    with torch.no_grad():
        tried = space.free(torch.from_numpy(random)).to(device)
        off = torch.cat([apart(some) for some in space.decided(tried).split(_AT_ONCE)])
    free = tried[off.argsort()[:count]].clone().requires_grad_()
    descent = torch.optim.Adam([free], lr=_RATE)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(descent, STEPS)
    for step in range(STEPS):
        if step == _DECIDED:
            free.data = space.decided(free.data)
        descent.zero_grad()
        for some in free.split(_AT_ONCE):
            apart(some).sum().backward()
        descent.step()
        falling.step()
        progress()
    with torch.no_grad():
        found = space.points(free)
        far = torch.cat([apart(some) for some in free.split(_AT_ONCE)])
    order = far.argsort()
    share = (far / off.mean())[order].double().cpu().numpy()
    return found[order].cpu().numpy(), share


class _Space:
    """Points as numbers that gradients may move freely: z in any length, shares as logits."""

    def __init__(self, latent: Latent, truncation: float, held: Mapping[str, Vector]) -> None:
        self._latent, self._held = latent, held
        self._length = truncation * latent.z**0.5
        self._shared = [
            part for part in latent.parts if isinstance(part, Label) or part.kind == "categorical"
        ]

    def free(self, points: Tensor) -> Tensor:
        """(N, width) as training draws them."""
        out = points.clone()
        out[:, self._latent.z :] *= _LEAD
        return out

    def decided(self, free: Tensor) -> Tensor:
        """With one value of each."""
        out, where = free.clone(), self._latent.slices()
        for part in self._shared:
            most = free[:, where[part.name]].argmax(1)
            out[:, where[part.name]] = _ALONE * F.one_hot(most, part.width).to(free)
        return out

    def points(self, free: Tensor) -> Tensor:
        where = self._latent.slices()
        parts = [self._length * F.normalize(free[:, where["z"]], dim=1)]
        for part in self._latent.parts:
            numbers = free[:, where[part.name]]
            if part.name in self._held:
                held = torch.as_tensor(self._held[part.name]).to(free)
                parts.append(held.expand(len(free), -1))
            elif part in self._shared:
                parts.append(numbers.softmax(1))
            else:
                parts.append(torch.tanh(numbers))
        return torch.cat(parts, 1)


def _look(pictures: Tensor) -> list[Tensor]:
    """What is compared: a Laplacian pyramid, of whose finer levels how much there is in cells."""
    seen = []
    while (size := pictures.shape[-1]) > _COARSEST:
        small = F.avg_pool2d(pictures, 2)
        level = pictures - F.interpolate(small, scale_factor=2, mode="bilinear")
        if size >= _FINE:
            seen.append(F.avg_pool2d(level.abs(), size // _CELLS))
        if size <= _FINE:
            seen.append(level)
        pictures = small
    return [*seen, pictures]


def _off(pictures: Tensor, wanted: list[Tensor]) -> Tensor:
    """(N,)"""
    pairs = zip(_look(pictures), wanted, strict=True)
    return torch.stack([(a - b).abs().mean((1, 2, 3)) for a, b in pairs]).sum(0)
