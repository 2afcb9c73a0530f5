"""VGG-16 (Simonyan and Zisserman 2014, configuration D), with torchvision's names of weights.

Two of its layers are used, as by the mask project: an early one (the mean over the picture of
the second block: texture, colour) and the late one (the second fully connected layer: what it is).
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.metrics.weights import Official, load_official
from training.pixels import floats
from training.precision import fastest

OFFICIAL = Official(
    "vgg16-397923af.pth",
    "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    "torchvision's VGG16_Weights.IMAGENET1K_V1",
)
SIDE = 224
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels, convolutions
_EARLY = 9  # `features` up to here: the second block, before its pooling
_LATE = 5  # `classifier` up to here: ReLU of the second layer
_MEAN = (0.485, 0.456, 0.406)  # ImageNet's
_DEVIATION = (0.229, 0.224, 0.225)
_AT_ONCE = 16  # images


class Vgg16(nn.Module):
    """Pictures (N, 3, S, S) in [-1, 1] to an early (N, 128) and a late (N, 4096) layer."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for channels, count in _BLOCKS:
            for _ in range(count):
                layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU()]
                inputs = channels
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 1000),
        )  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        x = (x + 1) / 2
        x = (x - x.new_tensor(_MEAN).view(3, 1, 1)) / x.new_tensor(_DEVIATION).view(3, 1, 1)
        early = self.features[:_EARLY](x)
        late = self.classifier[:_LATE](self.features[_EARLY:](early).flatten(1))
        return early.mean((2, 3)), late


def load_vgg(path: Path) -> Vgg16:
    """The network with the official weights. Raises WeightsError."""
    with torch.device("meta"):
        network = Vgg16()
    network.to_empty(device="cpu")
    load_official(network, path, OFFICIAL)
    return network.to(fastest())


@torch.no_grad()
def nearest_cosine(network: Vgg16, real: Tensor, other: Tensor) -> dict[str, float]:
    """Mean cosine of each other image with the nearest real one: {"early": …, "late": …}, to 1."""
    found = {}
    device = fastest()  # where load_vgg has put it
    sides = [
        [network(floats(part.to(device))) for part in side.split(_AT_ONCE)]
        for side in (real, other)
    ]
    for index, name in enumerate(("early", "late")):
        a, b = (F.normalize(torch.cat([part[index] for part in side])) for side in sides)
        found[name] = float((b @ a.T).max(1).values.mean())
    return found
