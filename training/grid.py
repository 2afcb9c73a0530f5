"""Sample grids: the same points of the latent space again and again while it trains."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.latent import Latent


def fixed_latent(latent: Latent, count: int, seed: int, known: Tensor | None = None) -> Tensor:
    """The points a grid shows: (count, width). known: label combinations that occur, (N, C)."""
    rng = np.random.default_rng([seed, 7])
    points = torch.from_numpy(latent.sample(rng, count))
    if known is not None and latent.condition_width:
        rows = torch.from_numpy(rng.integers(len(known), size=count))
        points[:, latent.z : latent.z + latent.condition_width] = known[rows]
    return points


def to_png(pictures: Tensor, columns: int, enlarge: int = 1) -> bytes:
    """Pictures (N, 3, S, S) in [-1, 1] side by side as a PNG; white fills the last row."""
    n, _, side, _ = pictures.shape
    rows = -(-n // columns)
    sheet = torch.ones(rows * columns, 3, side, side)
    sheet[:n] = pictures.clamp(-1, 1)
    pixels = ((sheet + 1) * 127.5).round().to(torch.uint8)
    pixels = pixels.view(rows, columns, 3, side, side).permute(0, 3, 1, 4, 2)
    image = Image.fromarray(pixels.reshape(rows * side, columns * side, 3).numpy())
    if enlarge > 1:
        image = image.resize(
            (image.width * enlarge, image.height * enlarge), Image.Resampling.LANCZOS
        )
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
