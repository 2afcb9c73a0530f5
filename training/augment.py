"""DiffAugment: the same kinds of change to real and fake, gradients passing (Zhao et al. 2020).

Each kind strikes an image with the probability `strength`, so that at less than 1 the generator
still sees what an untouched image looks like (Karras et al. 2020, ADA, on leaking). Random numbers
come from the generator given, on the CPU, so that a run repeats on any device.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from training.ranks import rand, randint

SHIFT = 1 / 8  # of the side
HOLE = 1 / 2  # side of the cutout, of the side


def augment(images: Tensor, strength: float, rng: Generator, cutout: float = 0.0) -> Tensor:
    """Colour and translation, and holes where asked: (N, 3, S, S) -> the same shape.

    strength, cutout: how often each strikes, 0 to 1. Identity where both are 0.
    """
    if strength > 0:
        images = _translate(_colour(images, strength, rng), strength, rng)
    return _cutout(images, cutout, rng) if cutout > 0 else images


def mirror(images: Tensor, rng: Generator) -> Tensor:
    """Flip half of the images left to right, by chance."""
    flip = torch.rand(len(images), generator=rng) < 0.5
    return torch.where(flip.to(images.device).view(-1, 1, 1, 1), images.flip(3), images)


def _struck(count: int, strength: float, rng: Generator) -> Tensor:
    return rand(count, rng=rng) < strength


def _amount(x: Tensor, low: float, high: float, rest: float, p: float, rng: Generator) -> Tensor:
    """One random number an image where the change strikes, `rest` elsewhere: (N, 1, 1, 1)."""
    struck = _struck(len(x), p, rng)
    drawn = rand(len(x), rng=rng) * (high - low) + low
    chosen = torch.where(struck, drawn, torch.full_like(drawn, rest))
    return chosen.to(x.device, x.dtype).view(-1, 1, 1, 1)


def _colour(x: Tensor, p: float, rng: Generator) -> Tensor:
    """Brightness, saturation and contrast, written as one affine map of pixel, grey and mean."""
    brightness = _amount(x, -0.5, 0.5, 0.0, p, rng)
    saturation = _amount(x, 0.0, 2.0, 1.0, p, rng)
    contrast = _amount(x, 0.5, 1.5, 1.0, p, rng)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * saturation + brightness
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * contrast


def _translate(x: Tensor, p: float, rng: Generator) -> Tensor:
    """Shift by whole pixels. The border is drawn out, not filled with grey: pictures of objects
    on a plain ground then still look like such pictures."""
    n, _, height, width = x.shape
    for dim, side in ((2, height), (3, width)):
        reach = max(1, round(side * SHIFT))
        shift = randint(-reach, reach + 1, n, rng=rng) * _struck(n, p, rng)
        source = (torch.arange(side) - shift[:, None]).clamp(0, side - 1)  # (N, side)
        shape = (n, 1, side, 1) if dim == 2 else (n, 1, 1, side)
        x = x.gather(dim, source.to(x.device).view(shape).expand_as(x))
    return x


def _cutout(x: Tensor, p: float, rng: Generator) -> Tensor:
    """A square hole of middle grey."""
    n, _, height, width = x.shape
    hidden = []
    for side in (height, width):
        centre = randint(0, side, n, 1, rng=rng)
        hidden.append((torch.arange(side) - centre).abs() < side * HOLE / 2)
    struck = _struck(n, p, rng)
    hole = hidden[0][:, :, None] & hidden[1][:, None, :] & struck[:, None, None]
    return x * (~hole).to(x.device, x.dtype)[:, None]
