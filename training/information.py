"""What the pictures must tell: the codes that drew them, and the labels they were asked for.

A network Q on the discriminator's trunk reads both (Chen et al. 2016, InfoGAN; labels as in Spurr
et al. 2017, ss-InfoGAN: learned from real images, asked of the generator's).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from models.latent import Code, Label, columns

SIGMA = 0.4  # of a continuous code: one that is not found costs about a nat, as a categorical one


def code_loss(
    guess: Tensor, truth: Tensor, codes: Sequence[Code]
) -> tuple[Tensor, dict[str, Tensor]]:
    """InfoGAN's bound with fixed σ: cross-entropy, or the squared error over 2σ², summed over
    the codes. guess, truth: (N, code widths).

    Also each code's mutual information with the picture, in nats: at least the code's entropy less
    what Q does not know (Barber & Agakov 2003; for a continuous one, Q's error taken as Gaussian).
    """
    total = guess.new_zeros(())
    known: dict[str, Tensor] = {}
    for code, where in columns(codes):
        part, own = guess[:, where], truth[:, where]
        if code.kind == "categorical":
            loss = F.cross_entropy(part, own.argmax(1))
            told = math.log(code.size) - loss.detach()
        else:
            error = F.mse_loss(part, own)
            loss = error / (2 * SIGMA**2)
            spread = (2 * math.pi * math.e * error.detach()).clamp(min=1e-9)
            told = math.log(2) - spread.log() / 2
        known[code.name] = told.clamp(min=0)
        total = total + loss
    return total, known


def label_loss(guess: Tensor, known: Tensor, labels: Sequence[Label]) -> Tensor:
    """Cross-entropy of each label, 0 where its value is unknown, averaged over images and labels.

    guess, known: (N, label widths); unknown values are all zero. Dividing by N, not by how many are
    known, makes the parts of a batch add up to the whole, wherever they are computed.
    """
    total = guess.new_zeros(())
    for _, where in columns(labels):
        part, truth = guess[:, where], known[:, where]
        total = total - (F.log_softmax(part, dim=1) * truth).sum() / len(part)
    return total / max(1, len(labels))


def code_columns(points: Tensor, slices: dict[str, slice], codes: Sequence[Code]) -> Tensor:
    """The codes of points (N, width), in the latent's order: (N, code widths)."""
    return torch.cat([points[:, slices[code.name]] for code in codes], dim=1)
