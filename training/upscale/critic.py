"""The critic of the last stage, and what it has to say."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Critic(nn.Module):
    """A patch critic (Isola et al. 2017) with spectral norm (Miyato et al. 2018).

    (N, 3, H, W) → activations of every layer; the last holds the logits (N, 1, H/8, W/8).
    low_precision: its convolutions in bfloat16, which not every machine is faster in.
    """

    def __init__(self, low_precision: bool, width: int = 32) -> None:
        super().__init__()
        self.low_precision = low_precision

        def conv(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
            return spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding=1))

        self.unshuffle = nn.PixelUnshuffle(2)  # as much to see for a quarter of the work
        self.convs = nn.ModuleList(
            (
                conv(12, width, 3, 1),
                conv(width, 2 * width, 4, 2),
                conv(2 * width, 2 * width, 4, 2),
            )
        )
        self.logits = conv(2 * width, 1, 3, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        found = []
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.low_precision):
            h = self.unshuffle(x * 2 - 1)
            for layer in self.convs:
                h = F.leaky_relu(layer(h), 0.2)
                found.append(h)
            return [f.float() for f in (*found, self.logits(h))]

    def tell_apart(self, real: Tensor, made: Tensor) -> Tensor:
        """Its own loss: relativistic pairing (Jolicoeur-Martineau 2018), each against its own
        original."""
        return F.softplus(self(made.detach())[-1] - self(real)[-1]).mean()

    def judge(self, real: Tensor, made: Tensor) -> dict[str, Tensor]:
        """The upscaler's losses: adversarial, and feature matching (pix2pixHD, Wang et al. 2018).

        No network is downloaded for the latter: this one knows the pictures at hand, where a VGG
        would know photographs of objects.
        """
        self.requires_grad_(False)
        with torch.no_grad():
            wanted = self(real)
        found = self(made)
        self.requires_grad_(True)
        layers = [
            (a - b).abs().mean() / b.abs().mean()
            for a, b in zip(found[:-1], wanted[:-1], strict=True)
        ]
        return {
            "adversarial": F.softplus(wanted[-1] - found[-1]).mean(),
            "feature": torch.stack(layers).mean(),
        }
