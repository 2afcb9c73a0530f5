"""Drawn images with known hue, size and place, as a dataset: for what is measured."""

from __future__ import annotations

import torch
from torch import Tensor

from models.latent import Label
from training.dataset import Dataset

HUE = Label("hue", ("blue", "green", "red"))


def draw(count: int, seed: int = 0, side: int = 32) -> tuple[Tensor, Tensor]:
    """Discs of three hues on grey: images (N, 3, S, S) uint8, hue (N,) int64."""
    rng = torch.Generator().manual_seed(seed)
    hue = torch.randint(3, (count,), generator=rng)
    place = torch.rand(count, 2, 1, 1, generator=rng) * 0.4 + 0.3
    radius = torch.rand(count, 1, 1, generator=rng) * 0.15 + 0.1
    axis = torch.linspace(0, 1, side)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    inside = (x - place[:, 0]).square() + (y - place[:, 1]).square() < radius.square()
    images = 128 + 30 * torch.rand(count, 3, 1, 1, generator=rng) + 20 * x
    for channel, value in enumerate((2, 1, 0)):
        light = torch.where(hue == value, 230.0, 30.0).view(-1, 1, 1)
        images[:, channel] = torch.where(inside, light, images[:, channel])
    return images.to(torch.uint8), hue


def dataset(count: int, seed: int = 0, side: int = 32, labelled: bool = True) -> Dataset:
    images, hue = draw(count, seed, side)
    labels = (HUE,) if labelled else ()
    conditions = torch.nn.functional.one_hot(hue, 3).float() if labelled else torch.zeros(count, 0)
    files = tuple(f"{seed}-{i:05d}.png" for i in range(count))
    return Dataset("discs", images, labels, conditions, files, (), [])
