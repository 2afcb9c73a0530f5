"""What an upscaler learns from: sharp pictures, and frames that a piece's generator paints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models.latent import Latent
from models.piece import load
from training.dataset import IMAGES, OTHER_IMAGES, SAVE_AS
from training.grid import fixed_latent
from training.picture import opaque, open_image
from training.source import DatasetError, Problem, Unread, list_entries, read_each

Picture = NDArray[np.uint8]  # (H, W, 3), sRGB

_WALK = 64  # frames of a piece's walk to learn from; each with one a step later
_STEP = 0.03  # of a walk, in units of the noise: about a frame of a slow one


def read_pictures(
    path: Path, largest: int, least: int, progress: bool = False
) -> tuple[list[Picture], list[Problem], tuple[str, ...]]:
    """Every picture of a folder or zip at its own size, or made smaller to `largest` pixels on the
    longer side; what was left out, as anything below `least` on the shorter one; and the files.

    Raises DatasetError where nothing is left.
    """

    def read(data: bytes) -> Picture:
        with open_image(data, largest) as (found, _):
            return fitting(*opaque(found))

    def fitting(image: Image.Image, _: object) -> Picture:
        share = largest / max(image.size)
        if share < 1:
            size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
            image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        if min(image.size) < least:
            raise ValueError(f"{image.width}×{image.height} pixels are too few, {least} are needed")
        return np.array(image)

    entries, problems = list_entries(path)
    problems += [Problem(e.name, SAVE_AS) for e in entries if e.suffix in OTHER_IMAGES]
    wanted = [entry for entry in entries if entry.suffix in IMAGES]
    found: list[Picture] = []
    files = []
    for entry, result in zip(wanted, read_each(wanted, read, progress), strict=True):
        if isinstance(result, Unread):
            problems.append(Problem(entry.name, result.reason))
        else:
            found.append(result)
            files.append(entry.name)
    if not found:
        first = f"; the first: {problems[0]}" if problems else ""
        raise DatasetError(f"{path} holds no image that can be used{first}")
    return found, problems, tuple(files)


def crops(
    pictures: Sequence[Picture], count: int, side: int, exchange: bool, rng: np.random.Generator
) -> Tensor:
    """Crops of `side` pixels, turned and mirrored, with exchanged colours: (count, 3, side, side)
    in [0, 1]."""
    found = []
    for index in rng.integers(len(pictures), size=count):
        picture = pictures[index]
        y, x = (int(rng.integers(length - side + 1)) for length in picture.shape[:2])
        patch = np.rot90(picture[y : y + side, x : x + side], int(rng.integers(4)))
        order = rng.permutation(3) if exchange else np.arange(3)
        patch = patch[:, :: int(rng.choice((1, -1))), order]
        found.append(np.ascontiguousarray(patch.transpose(2, 0, 1)))
    return torch.from_numpy(np.stack(found)).float() / 255


def walk_of(piece: Path, seed: int) -> Tensor:
    """Frames of a piece, each with the one that a slow walk shows next: (64, 2, 3, S, S) in [0, 1],
    rounded to 8 bits as the stage uploads them. Raises PieceError."""
    work = load(piece)
    latent: Latent = work.card.latent
    points = fixed_latent(latent, _WALK, seed)
    step = torch.zeros_like(points)
    noise = torch.from_numpy(np.random.default_rng([seed, 8]).standard_normal((_WALK, latent.z)))
    step[:, : latent.z] = _STEP * noise.float()
    with torch.no_grad():
        frames = torch.stack([work.generator(points), work.generator(points + step)], 1)
    return ((frames.float().clamp(-1, 1) + 1) * 127.5).round() / 255
