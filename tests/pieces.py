"""A tiny piece for tests: real networks of a few thousand weights, made in a moment."""

from __future__ import annotations

from pathlib import Path

import torch

from models import piece
from models.card import Card
from models.generator import Generator
from models.latent import Code, Label, Latent
from models.upscaler import Upscaler

LATENT = Latent(8, (Label("form", ("oval", "disc")),), (Code("turn", "continuous"),))


def make_piece(folder: Path, resolution: int = 32, upscale: int = 0) -> Path:
    """Write an untrained piece with a label and a code, and with an upscaler if it has a scale."""
    torch.manual_seed(1)
    channels = [16, 12, 8, 8, 4][: resolution.bit_length() - 3]
    arguments = {"inputs": LATENT.width, "resolution": resolution, "channels": channels}
    generator = Generator(**arguments)
    for name, weight in generator.named_parameters():
        if "norm" not in name:  # as strong as trained ones: pictures with light and dark in them
            torch.nn.init.normal_(weight, 0, 0.5)
    upscaler = Upscaler(scale=upscale, channels=8, depth=3) if upscale else None
    card = Card(
        name=folder.name,
        resolution=resolution,
        latent=LATENT,
        generator=arguments,
        upscaler=upscaler.kwargs if upscaler else None,
        title="Test",
    )
    return piece.save(folder, card, generator, upscaler)
