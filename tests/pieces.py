"""A tiny piece for tests: real networks of a few thousand weights, made in a moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models import piece
from models.card import Card
from models.generator import Generator
from models.latent import Code, Label, Latent
from models.upscaler import Upscaler
from training.cross import settle

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


def make_kin(folder: Path) -> tuple[Path, Path]:
    """faces and carved, two pieces of 32 pixels, one trained a little from the other, with its own
    labels."""
    first = make_piece(folder / "faces", directions=(tuple(np.eye(8)[0].tolist()),))
    card, generator = piece.load_unfolded(first)
    settle(generator, 1, card.latent)  # as after a training
    card = replace(card, author="A. Artist", licence="CC0-1.0", provenance=[{"source": "drawn"}])
    piece.save(first, card, generator)
    other = Latent(8, (Label("wood", ("dark", "honey", "red")),), (Code("kind", "categorical", 2),))
    torch.manual_seed(3)
    second = Generator(other.width, 32, generator.channels)
    state = {
        key: tensor + 0.2 * torch.randn(tensor.shape) * tensor.std()
        for key, tensor in generator.state_dict().items()
        if key != "seed.weight" and tensor.is_floating_point() and "running" not in key
    }
    second.load_state_dict(second.state_dict() | state)
    settle(second, 1, other)
    upscaler = {"scale": 2, "channels": 4, "depth": 2}
    card = replace(
        card, name="carved", latent=other, generator=second.arguments(), directions=(),
        licence="CC-BY-4.0", provenance=[{"source": "a museum"}, {"source": "drawn"}],
        training={"upscaler": {"kimg": 3}}, upscaler=upscaler,
    )  # fmt: skip
    piece.save(folder / "carved", card, second, Upscaler(**upscaler))
    return first, folder / "carved"
