"""Guides to train by, and how well they are followed (models.guide).

Most are images of the dataset made small and grey, half of these moved, turned and resized; some
are a few shapes or somebody who stands there, drawn by code, as visitors are neither framed nor lit
as the dataset is.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from models.guide import guides
from models.latent import GUIDE
from training import ranks

_SIDE = 2 * GUIDE  # pixels, in which they are moved and drawn
_MOVED, _SHAPES, _PEOPLE = 0.5, 0.15, 0.15
_TURN, _DOUBLINGS, _SHIFT = 0.35, 0.5, 0.35  # at most: radians, sizes, halves of the picture
_MOST = 4  # shapes in a picture
_SHARP = 8.0  # of their edges


class Guides(NamedTuple):
    """pictures: (N, GUIDE²); far: (N, 1), how far each is to be followed, 0 to 1."""

    pictures: Tensor
    far: Tensor

    @property
    def fed(self) -> Tensor:
        """What the generator is given."""
        return self.pictures * self.far

    def missed(self, drawn: Tensor) -> Tensor:
        """How far pictures (N, 3, S, S) in [-1, 1] are from their guides: the mean difference,
        each counting as far as it is to be followed. A scalar."""
        off = (guides(drawn.float()) - self.pictures).abs().mean(1, keepdim=True)
        return (off * self.far).mean()


def draw(images: Tensor, share: float, rng: torch.Generator) -> Guides:
    """Guides for a batch of images (N, 3, S, S) in [-1, 1], of which a share has one."""
    n = len(images)
    small = F.adaptive_avg_pool2d(images.float(), _SIDE).cpu()
    small = _moved(small, (ranks.rand(n, rng=rng) < _MOVED).float(), rng)
    which = ranks.rand(n, 1, 1, 1, rng=rng)
    small = torch.where(which < _SHAPES, _shapes(n, rng), small)
    small = torch.where(which > 1 - _PEOPLE, _people(n, rng), small)
    far = torch.maximum(ranks.rand(n, 1, rng=rng), ranks.rand(n, 1, rng=rng).round())
    guided = ranks.rand(n, 1, rng=rng) < share
    return Guides(guides(small).to(images.device), (far * guided).to(images.device))


def _moved(pictures: Tensor, how_far: Tensor, rng: torch.Generator) -> Tensor:
    """Turned, resized and shifted by chance, as far as is said: (N,), 0 to 1."""
    turn, doublings, across, up = (
        (2 * ranks.rand(len(how_far), 4, rng=rng) - 1) * how_far[:, None]
    ).unbind(1)
    angle, scale = turn * _TURN, torch.exp2(doublings * _DOUBLINGS)
    x, y = scale * angle.cos(), scale * angle.sin()
    rows = [torch.stack([x, -y, across * _SHIFT], 1), torch.stack([y, x, up * _SHIFT], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _shapes(count: int, rng: torch.Generator) -> Tensor:
    """Ellipses and boxes of any grey on any grey: (N, 3, _SIDE, _SIDE)."""
    line = torch.linspace(-1, 1, _SIDE)
    picture = 2 * ranks.rand(count, 1, 1, rng=rng) - 1
    for number in range(_MOST):
        drawn = ranks.rand(count, 7, 1, 1, rng=rng)
        x, y, wide, high, grey, box, there = drawn.unbind(1)
        power = torch.where(box < 0.4, 8.0, 2.0)
        off = ((line - 1.4 * (x - 0.5)).abs() / (0.1 + 0.5 * wide)) ** power
        off = off + ((line[:, None] - 1.4 * (y - 0.5)).abs() / (0.1 + 0.5 * high)) ** power
        inside = torch.sigmoid(_SHARP * (1 - off)) * ((there < 0.6) | (number == 0))
        picture = torch.lerp(picture.expand_as(inside), 2 * grey - 1, inside)
    return picture[:, None].expand(-1, 3, -1, -1)


def _people(count: int, rng: torch.Generator) -> Tensor:
    """Somebody of any grey before any grey: (N, 3, _SIDE, _SIDE)."""
    chosen = ranks.rand(count, 6, rng=rng)
    least, most = torch.tensor([0, 0, -0.6, 0.5]), torch.tensor([2.8, 2.8, 0.6, 2.2])
    there = _figure(torch.lerp(least, most, chosen[:, :4]))
    ground, grey = (2 * chosen[:, 4:, None, None] - 1).unbind(1)
    return torch.lerp(ground.expand_as(there), grey.expand_as(there), there)[:, None].expand(
        -1, 3, -1, -1
    )


def figures() -> Tensor:
    """Guides to show what a piece makes of somebody: they stand, hold out and raise their arms,
    go left and right, come near, are far away, and two. (8, GUIDE²)."""
    arms = torch.tensor([0, 0.9, 2.2, 2.2, 2.2, 0.3, 0.9, 0])
    x = torch.tensor([0, 0, 0, -0.5, 0.5, 0, 0, -0.45])
    size = torch.tensor([1, 1, 1, 1, 1, 1.9, 0.6, 0.8])
    drawn = _figure(torch.stack([arms, arms, x, size], 1))
    drawn[-1] = torch.maximum(drawn[-1], drawn[-1].flip(1))
    return guides(drawn[:, None].expand(-1, 3, -1, -1) * 1.6 - 0.8)


def _figure(bodies: Tensor) -> Tensor:
    """Somebody who stands at the picture's lower edge: (N, 4) -> (N, _SIDE, _SIDE), 0 to 1.

    bodies: either arm, in radians from hanging down; how far to the right they are, in [-1, 1];
    their size: 1 is three quarters of the picture.
    """
    *arms, x, size = bodies[:, :, None, None].unbind(1)
    line = torch.linspace(-1, 1, _SIDE)
    across, up = (line - x) / size, (1 - line[:, None]) / size  # in a body's own measure
    still = torch.zeros_like(size)
    found = torch.maximum(
        _limb(across, up, (still, still), (still, still + 0.85), 0.22),
        _limb(across, up, (still, still + 1.3), (still, still + 1.35), 0.2),
    )
    for side, arm in zip((-1, 1), arms, strict=True):
        hand = (side * (0.25 + 0.55 * arm.sin()), 0.9 - 0.55 * arm.cos())
        arm_there = _limb(across, up, (still + side * 0.25, still + 0.9), hand, 0.1)
        found = torch.maximum(found, arm_there)
    return found


def _limb(
    across: Tensor, up: Tensor, start: tuple[Tensor, Tensor], end: tuple[Tensor, Tensor],
    thick: float,
) -> Tensor:  # fmt: skip
    """1 within so far of a line from start to end, and softly 0 beyond."""
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    along = (((across - x) * dx + (up - y) * dy) / (dx * dx + dy * dy)).clamp(0, 1)
    off = ((across - x - along * dx) ** 2 + (up - y - along * dy) ** 2).sqrt()
    return torch.sigmoid(30 * (thick - off))
