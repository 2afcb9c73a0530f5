"""An encoder of the project's own: what two pictures have in common, learned from the dataset.

training.metrics.contrast trains it, on the training images alone. Its features are square roots of
the last stage's means over the picture, each with variance 1 on those images: the root because a
mean of what is seldom active has a long tail, and the distances think of bells. They compare
pieces of one dataset, and are called FD-own and KD-own: they are not FID and KID, which have a
network and a scale of their own.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as pack
from torch import Tensor, nn

from training import UsageError
from training.pixels import floats
from training.precision import fastest
from training.writing import replace

SIDE = 64  # pixels that the encoder sees, whatever the piece's size
CHANNELS = (32, 64, 96, 128)
FEATURES = CHANNELS[-1]
_AT_ONCE = 256  # images through the network


class EncoderError(UsageError):
    """An encoder that cannot be read or written. One line."""


class Encoder(nn.Module):
    """Pictures (N, 3, 64, 64) in [-1, 1] to means (N, 128), 0 or more."""

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        pairs = zip((3, *CHANNELS[:-1]), CHANNELS, strict=True)
        self.stages = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False),
                    nn.BatchNorm2d(b),
                    nn.ReLU(),
                )
                for a, b in pairs
            )
        )
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))

    def forward(self, x: Tensor) -> Tensor:
        means: Tensor = self.stages(x).mean((2, 3))
        return means

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Standardised features: (N, 3, S, S) uint8, or float in [-1, 1] -> (N, 128) float32, on
        the CPU, wherever the encoder is."""
        return ((self._roots(images) - self.mean) * self.scale).cpu()

    def _roots(self, images: Tensor) -> Tensor:
        device = self.mean.device
        parts = images.split(_AT_ONCE)
        return torch.cat([self(prepare(part.to(device))).sqrt() for part in parts])

    @torch.no_grad()
    def standardise(self, images: Tensor) -> None:
        """Give every feature mean 0 and variance 1 over these images."""
        found = self._roots(images)
        self.mean.copy_(found.mean(0))
        self.scale.copy_(1 / found.std(0).clamp(min=1e-3))

    def digest(self) -> str:
        """A hash of every weight: only figures with the same one may be compared."""
        found = hashlib.sha256()
        for key, tensor in sorted(self.state_dict().items()):
            found.update(key.encode())
            found.update(tensor.cpu().contiguous().numpy().tobytes())
        return found.hexdigest()


def prepare(images: Tensor, side: int = SIDE) -> Tensor:
    """(N, 3, S, S) uint8, or float in [-1, 1] -> (N, 3, side, side) float32 in [-1, 1]."""
    x = floats(images)
    if x.shape[-1] == side:
        return x
    return F.interpolate(x, (side, side), mode="bilinear", antialias=True, align_corners=False)


def save(path: Path, encoder: Encoder, card: dict[str, Any]) -> None:
    """Write an encoder, whole or not at all; card (plain JSON) says what it was trained on.
    Raises EncoderError."""
    state = {key: value.contiguous() for key, value in encoder.state_dict().items()}
    record = json.dumps({**card, "digest": encoder.digest()})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, pack(state, {"card": record}))
    except OSError as error:
        raise EncoderError(f"{path} cannot be written ({error.strerror or error})") from error


def load(path: Path) -> tuple[Encoder, dict[str, Any]]:
    """A saved encoder and its card. Raises EncoderError where it is damaged or missing."""
    encoder = Encoder()
    try:
        with safe_open(path, framework="pt") as file:
            card = json.loads((file.metadata() or {})["card"])
            encoder.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
        if card["digest"] != encoder.digest():
            raise ValueError("its hash does not match")
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise EncoderError(f"{path} is not a whole encoder ({error}); delete it") from error
    return encoder.to(fastest()).eval().requires_grad_(False), card
