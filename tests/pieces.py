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


def make_piece(
    folder: Path, resolution: int = 32, latent: Latent = LATENT, scale: int = 0,
    guided: bool = False, directions: tuple[tuple[float, ...], ...] = (),
) -> Path:  # fmt: skip
    """Write an untrained piece, with a label and a code; scale: of an upscaler of its own; guided:
    it follows a guide, wherever that leads."""
    torch.manual_seed(1)
    channels = [16, 12, 8, 8, 4, 4, 4][: resolution.bit_length() - 3]
    generator = Generator(latent.width, resolution, channels, guided=guided)
    for name, weight in generator.named_parameters():
        if "norm" not in name:  # as strong as trained ones: pictures with light and dark in them
            torch.nn.init.normal_(weight, 0, 0.5)
    kwargs = {"scale": scale, "channels": 4, "depth": 2} if scale else None
    card = Card(
        name=folder.name, resolution=resolution, latent=latent, generator=generator.arguments(),
        upscaler=kwargs, title="Test", directions=directions,
    )  # fmt: skip
    return piece.save(folder, card, generator, Upscaler(**kwargs) if kwargs else None)
