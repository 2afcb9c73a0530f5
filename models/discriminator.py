"""The discriminator: how real a picture looks, for its labels, and which codes drew it.

Strided 4×4 convolutions without normalisation, as the relativistic loss with R1 and R2 wants it
(Huang et al. 2024, R3GAN), minibatch standard deviation (Karras et al. 2018), label projection
(Miyato & Koyama 2018) and InfoGAN's Q head on the shared trunk (Chen et al. 2016). It grows with
the generator (Karras et al. 2018). DCGAN's own (Radford et al. 2015) is here to compare with.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.generator import check_stages
from models.latent import Code
from models.strided import halve

FEATURES = 128  # width of the vector that every head reads
SLOPE = 0.2  # of LeakyReLU
GROUP = 8  # images whose deviation is one number


class DownConv(nn.Module):
    """A strided 4×4 convolution: (N, A, H, W) -> (N, B, H/2, W/2).

    It begins as wide as torch's own convolutions, ±1/√fan-in: with DCGAN's N(0, .02) the first
    layers pass so little on that the penalties flatten D for good on few photographs (measured,
    training/MEASUREMENTS.md).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = (16 * inputs) ** -0.5
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 4, 4).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor, twice: bool = False) -> Tensor:
        """twice: it will be differentiated twice."""
        return F.leaky_relu(halve(x, self.weight, self.bias, twice), SLOPE)


class NormedDownConv(DownConv):
    """DCGAN's: begun at N(0, .02), batch norm before the activation."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        nn.init.normal_(self.weight, 0, 0.02)
        nn.init.zeros_(self.bias)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor, twice: bool = False) -> Tensor:
        return F.leaky_relu(self.norm(halve(x, self.weight, self.bias, twice)), SLOPE)


class Discriminator(nn.Module):
    """Pictures to logits: (N, 3, S, S) in [-1, 1] -> (N,).

    channels: one number per stage at S/2 … 4 pixels, so the generator's list reversed.
    conditions: how many numbers the labels take, 0 for none. codes: what Q has to recognise.
    normed: batch norm after every layer but the first, and no minibatch deviation, as in 2015.
    """

    def __init__(
        self,
        resolution: int,
        channels: Sequence[int],
        conditions: int = 0,
        codes: Sequence[Code] = (),
        normed: bool = False,
    ) -> None:
        super().__init__()
        check_stages(resolution, channels)
        self.normed = normed
        layer = NormedDownConv if normed else DownConv
        self.trunk = nn.ModuleList([DownConv(3, channels[0])])
        self.trunk.extend(layer(a, b) for a, b in itertools.pairwise(channels))
        self.former: DownConv | None = None  # the first layer before the last doubling …
        self.fade = 1.0  # … and how far the new one has come in
        self.features = nn.Linear((channels[-1] + (not normed)) * 16, FEATURES)
        self.realness = nn.Linear(FEATURES, 1)
        self.labels = nn.Linear(conditions, FEATURES, bias=False) if conditions else None
        self.classes = nn.Linear(FEATURES, conditions) if conditions else None
        self.codes = nn.Linear(FEATURES, sum(c.width for c in codes)) if codes else None
        self.bounded: Tensor  # which of Q's numbers are the mean of a continuous code
        bounded = [c.kind == "continuous" for c in codes for _ in range(c.width)]
        self.register_buffer("bounded", torch.tensor(bounded), persistent=False)
        nn.init.normal_(self.features.weight, 0, 0.02)
        nn.init.zeros_(self.features.bias)

    def grow(self, channels: int) -> None:
        """Read pictures of twice the size, with so many channels at half of it; `fade` is 0."""
        first = cast(DownConv, self.trunk[0])
        layer = NormedDownConv if self.normed else DownConv
        self.former = first
        self.trunk = nn.ModuleList(
            [DownConv(3, channels), layer(channels, len(first.weight)), *self.trunk[1:]]
        )
        self.fade = 0.0

    def embed(self, images: Tensor) -> Tensor:
        """The trunk: (N, 3, S, S) -> (N, FEATURES)."""
        x = images
        # Where both pictures and weights are to have gradients, a penalty is taken.
        twice = images.requires_grad and self.features.weight.requires_grad
        for index, layer in enumerate(self.trunk):
            x = layer(x, twice)
            if index == 1 and self.former is not None and self.fade < 1:
                x = torch.lerp(self.former(F.avg_pool2d(images, 2), twice), x, self.fade)
        x = x.contiguous()
        if not self.normed:
            x = torch.cat([x, minibatch_deviation(x)], dim=1)
        return F.leaky_relu(self.features(x.flatten(1)), SLOPE)

    def forward(
        self, images: Tensor, conditions: Tensor | None = None, label_weight: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Realness logits (N,), and what it takes the labels to be: logits (N, conditions).

        conditions: (N, conditions), zeros where unknown. label_weight ramps the projection in,
        since labels from the first step make small data collapse.
        """
        h = self.embed(images)
        logits = self.realness(h).squeeze(1)
        if self.labels is None or self.classes is None:
            return logits, h.new_zeros(len(h), 0)
        if conditions is not None and label_weight > 0:
            # Features grow with the network's width; the root keeps the term of the logits' size.
            match = (self.labels(conditions) * h).sum(1) / FEATURES**0.5
            logits = logits + label_weight * match
        return logits, self.classes(h)

    def recognise(self, images: Tensor) -> Tensor:
        """Q: what it takes the codes to be, (N, code widths): logits, or a mean in (-1, 1).

        A continuous code lies there too. An unbounded mean once ran 30 away from it, and its
        squared error, through the shared trunk, took both networks along
        (training/MEASUREMENTS.md).
        """
        if self.codes is None:
            raise ValueError("this discriminator was made without codes")
        guess = self.codes(self.embed(images))
        return torch.where(self.bounded, torch.tanh(guess), guess)


def minibatch_deviation(x: Tensor, group: int = GROUP) -> Tensor:
    """How much neighbours in a batch differ: (N, C, H, W) -> (N, 1, H, W), one number a group.

    A generator that repeats itself is caught by it. Groups are made of images far apart in the
    batch; where N does not divide into groups, the batch is one group.
    """
    n, _, height, width = x.shape
    group = group if n % group == 0 else n
    groups = x.float().view(group, -1)  # (G, M·C·H·W)
    variance = (groups - groups.mean(0)).square().mean(0)
    spread = (variance + 1e-8).sqrt().view(n // group, -1).mean(1)  # (M,)
    return spread.repeat(group).to(x.dtype).view(n, 1, 1, 1).expand(n, 1, height, width)
