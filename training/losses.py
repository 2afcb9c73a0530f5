"""What the two networks play for. Every function takes logits (N,) and returns a scalar."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The real one of each pair should look more real (Jolicoeur-Martineau 2018; R3GAN 2024)."""
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The fake one of each pair should look more real."""
    return F.softplus(real - fake).mean()


def classic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Goodfellow et al. 2014."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def classic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """The non-saturating form of Goodfellow et al. 2014; the real logits play no part."""
    return F.softplus(-fake).mean()


DISCRIMINATOR = {"relativistic": relativistic_discriminator, "classic": classic_discriminator}
GENERATOR = {"relativistic": relativistic_generator, "classic": classic_generator}


def gradient_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """E‖∂D/∂x‖² over a batch: R1 on real images, R2 on fakes (Mescheder et al. 2018).

    logits: (N,), computed from images (N, 3, S, S) that require a gradient. Differentiable. The
    loss weighs it by γ/2.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.float().square().sum((1, 2, 3)).mean()


SATURATED = 3.0
"""Before the last tanh; after it half a grey level is left to white or black."""


def saturation(drawn: Tensor) -> Tensor:
    """How far pictures lie beyond what can be seen: (N, 3, S, S), before the last tanh, -> scalar.

    There tanh passes no gradient, so a hole burnt into a picture would never close again.
    """
    return (drawn.abs() - SATURATED).clamp(min=0).square().mean()
