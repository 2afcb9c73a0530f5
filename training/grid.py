"""Sample grids: the same points of the latent space again and again while it trains."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from models.latent import Latent
from training.pixels import pixels

LARGEST = 256  # pixels a side of one picture in a sheet


def fixed_latent(latent: Latent, count: int, seed: int, known: Tensor | None = None) -> Tensor:
    """The points a grid shows: (count, width). known: label combinations that occur, (N, C)."""
    rng = np.random.default_rng([seed, 7])
    points = torch.from_numpy(latent.sample(rng, count))
    if known is not None and latent.condition_width:
        rows = torch.from_numpy(rng.integers(len(known), size=count))
        points[:, latent.z : latent.z + latent.condition_width] = known[rows]
    return points


def to_png(pictures: Tensor, columns: int, enlarge: int = 1) -> bytes:
    """Pictures (N, 3, S, S) in [-1, 1] side by side as a PNG; white fills the last row. Those
    larger than LARGEST are reduced to it: a sheet is to be looked at as a whole."""
    if pictures.shape[-1] > LARGEST:
        pictures = F.adaptive_avg_pool2d(pictures.float(), LARGEST)
    n, _, side, _ = pictures.shape
    rows = -(-n // columns)
    sheet = torch.full((rows * columns, 3, side, side), 255, dtype=torch.uint8)
    sheet[:n] = pixels(pictures)
    sheet = sheet.view(rows, columns, 3, side, side).permute(0, 3, 1, 4, 2)
    image = Image.fromarray(sheet.reshape(rows * side, columns * side, 3).numpy())
    if enlarge > 1:
        image = image.resize(
            (image.width * enlarge, image.height * enlarge), Image.Resampling.LANCZOS
        )
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
