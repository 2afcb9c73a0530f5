"""An encoder of the project's own: what two pictures have in common, learned from the dataset.

training.metrics.contrast trains it, on the training images alone. Its features are the means over
the picture of an early stage (texture) and of the last one (shape), each with variance 1 on those
images. Distances in them compare pieces of one dataset, and are called FD-own and KD-own: they are
not FID and KID, which have a network and a scale of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as pack
from torch import Tensor, nn

from models.piece import write_synced
from training import UsageError

SIDE = 64  # pixels that the encoder sees, whatever the piece's size
CHANNELS = (32, 64, 96, 96)
FEATURES = CHANNELS[0] + CHANNELS[-1]
_AT_ONCE = 256  # images through the network


class EncoderError(UsageError):
    """An encoder that cannot be read or written. One line."""


class Encoder(nn.Module):
    """Pictures (N, 3, 64, 64) in [-1, 1] to features (N, 128)."""

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        pairs = zip((3, *CHANNELS[:-1]), CHANNELS, strict=True)
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()
            )
            for a, b in pairs
        )
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))

    def forward(self, x: Tensor) -> Tensor:
        means = self.stage_means(x)
        return torch.cat([means[0], means[-1]], dim=1).float()

    def stage_means(self, x: Tensor) -> list[Tensor]:
        """The mean over the picture of each stage's channels: (N, C) each."""
        means = []
        for stage in self.stages:
            x = stage(x)
            means.append(x.mean((2, 3)))
        return means

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Standardised features: (N, 3, S, S) uint8, or float in [-1, 1] -> (N, 128) float32."""
        parts = [self(prepare(part)) for part in images.split(_AT_ONCE)]
        return (torch.cat(parts) - self.mean) * self.scale

    @torch.no_grad()
    def standardise(self, images: Tensor) -> None:
        """Give every feature mean 0 and variance 1 over these images."""
        found = torch.cat([self(prepare(part)) for part in images.split(_AT_ONCE)])
        self.mean.copy_(found.mean(0))
        self.scale.copy_(1 / found.std(0).clamp(min=1e-3))

    def digest(self) -> str:
        """A hash of every weight: only figures with the same one may be compared."""
        found = hashlib.sha256()
        for key, tensor in sorted(self.state_dict().items()):
            found.update(key.encode())
            found.update(tensor.contiguous().numpy().tobytes())
        return found.hexdigest()


def prepare(images: Tensor) -> Tensor:
    """(N, 3, S, S) uint8, or float in [-1, 1] -> (N, 3, 64, 64) float32 in [-1, 1]."""
    x = images.float() / 127.5 - 1 if images.dtype == torch.uint8 else images.float().clamp(-1, 1)
    if x.shape[-1] == SIDE:
        return x
    return F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)


def save(path: Path, encoder: Encoder, card: dict[str, Any]) -> None:
    """Write an encoder, whole or not at all; card (plain JSON) says what it was trained on.
    Raises EncoderError."""
    state = {key: value.contiguous() for key, value in encoder.state_dict().items()}
    record = json.dumps({**card, "digest": encoder.digest()})
    fresh = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_synced(fresh, pack(state, {"card": record}))
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
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
    return encoder.eval().requires_grad_(False), card
