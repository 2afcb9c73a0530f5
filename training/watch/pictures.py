"""The pictures beside the grid: what labels and codes do, what D is shown, what is nearest.

Every function returns a captioned sheet. They only read the training: points are given, random
numbers come from a generator of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.latent import GUIDE, Code, Label, Latent
from training.augment import augment
from training.batches import step_rng
from training.dataset import Dataset
from training.guiding import figures
from training.module import GanModule
from training.pixels import floats
from training.watch.likeness import Likeness
from training.watch.sheet import Tile, sheet, tile, tiles

MOST = 12  # rows or columns of a sheet; a label may have 64 values
REACH = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)  # beyond ±1 is beyond what was trained
FADER = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)  # of a direction, live
ROWS = 4  # points of a traversal strip
SHOWN = 8  # pictures that are compared, and images that are shown as augmented


class Sampler(Protocol):
    """What draws pictures: a training, or a piece."""

    @property
    def latent(self) -> Latent: ...

    def sample(self, latent: Tensor, guides: Tensor | None = None) -> Tensor:
        """Points (N, width), and guides for them (N, GUIDE²) -> (N, 3, S, S) in [-1, 1]."""
        ...


@dataclass(frozen=True)
class Axis:
    """One row or column a value: name, captions, and what each writes into a point."""

    name: str
    captions: tuple[str, ...]
    part: slice
    values: Tensor  # (captions, width of the part)


def axis(latent: Latent, part: Label | Code) -> Axis:
    """A label's values, a categorical code's, or a continuous one's from −1.5 to 1.5."""
    where = latent.slices()[part.name]
    if isinstance(part, Code) and part.kind == "continuous":
        captions = tuple(f"{value:+g}".replace("-", "−") if value else "0" for value in REACH)
        return Axis(part.name, captions, where, torch.tensor(REACH)[:, None])
    names = part.values if isinstance(part, Label) else tuple(map(str, range(part.size)))
    shown = len(names) if len(names) <= MOST else MOST
    name = part.name if shown == len(names) else f"{part.name} (first {shown} of {len(names)})"
    return Axis(name, names[:shown], where, torch.eye(part.width)[:shown])


def seeds(latent: Latent, points: Tensor) -> Axis:
    """The z of some points."""
    where = latent.slices()["z"]
    shown = points[:SHOWN, where]
    return Axis("seed", tuple(f"seed {i + 1}" for i in range(len(shown))), where, shown)


def matrix_axes(latent: Latent, points: Tensor) -> tuple[Axis, Axis] | None:
    """Rows and columns of the matrix: a label × a categorical code, or the nearest to it that the
    latent has. None where it has neither labels nor categorical codes."""
    codes = [code for code in latent.codes if code.kind == "categorical"]
    if latent.labels and codes:
        return axis(latent, latent.labels[0]), axis(latent, codes[0])
    parts: tuple[Label | Code, ...] = (*latent.labels, *codes)
    steered = [axis(latent, part) for part in parts]
    if not steered:
        return None
    return steered[0], steered[1] if len(steered) > 1 else seeds(latent, points)


def matrix(module: Sampler, points: Tensor) -> Image.Image | None:
    """Every value of one part against every value of another, all else the first point's."""
    axes = matrix_axes(module.latent, points)
    if axes is None:
        return None
    rows, columns = axes
    same = ", all else the same" if columns.name == "seed" else ", the same z everywhere"
    crossed = torch.stack([_across(point, columns) for point in _across(points[0], rows)])
    return sheet(
        _drawn(module, crossed), f"{rows.name} × {columns.name}{same}", rows.captions,
        columns.captions,
    )  # fmt: skip


def strip(module: Sampler, code: Code, points: Tensor) -> Image.Image:
    """What one code does: a row a point, a column a value, all else unchanged along a row."""
    columns = axis(module.latent, code)
    crossed = torch.stack([_across(point, columns) for point in points[:ROWS]])
    title = f"code {columns.name}" + (
        " (beyond −1 and 1 it was never trained)" if code.kind == "continuous" else ""
    )
    left = [f"seed {i + 1}" for i in range(len(crossed))]
    return sheet(_drawn(module, crossed), title, left, columns.captions)


def guided(module: Sampler, points: Tensor) -> Image.Image:
    """What a piece makes of somebody before the wall: a guide a column, a point a row, the last of
    them following half as far."""
    shown = figures()
    grey = (shown / 4).clamp(-1, 1).view(-1, 1, GUIDE, GUIDE).expand(-1, 3, -1, -1)
    rows = [tiles(grey)]
    left = ["guide", *(f"seed {i + 1}" for i in range(ROWS)), f"seed {ROWS}, half as far"]
    for number, far in enumerate([1.0] * ROWS + [0.5]):
        point = points[min(number, ROWS - 1)].expand(len(shown), -1)
        rows.append(tiles(module.sample(point, far * shown)))
    return sheet(rows, "pictures that follow a guide", left, [])


def ways(module: Sampler, directions: Sequence[Sequence[float]], point: Tensor) -> Image.Image:
    """What each direction does to one point (width,): a row each, from one end of its fader to the
    other."""
    z = module.latent.slices()["z"]
    crossed = point.repeat(len(directions), len(FADER), 1)
    crossed[..., z] += torch.tensor(FADER)[:, None] * torch.tensor(directions)[:, None]
    left = [f"direction {k + 1}" for k in range(len(directions))]
    top = tuple(f"{value:+g}".replace("-", "−") if value else "0" for value in FADER)
    return sheet(_drawn(module, crossed), "directions in z, the strongest first", left, top)


def augmented(module: GanModule, data: Dataset) -> Image.Image:
    """Images as they are, and the same as the discriminator is shown them."""
    rng = step_rng(module.recipe.seed, module.steps, "watch")
    chosen = torch.randint(len(data), (SHOWN,), generator=rng)
    images = floats(data.images[chosen].cpu())
    strength = float(module.strength)
    seen = augment(images, strength, rng, module.recipe.cutout)
    title = f"your images, and as the discriminator is shown them (strength {strength:.2f})"
    return sheet([tiles(images), tiles(seen)], title, ["image", "as shown"], [])


def neighbours(module: GanModule, data: Dataset, likeness: Likeness, drawn: Tensor) -> Image.Image:
    """Drawn pictures (N, 3, S, S), each above its nearest training image and the difference."""
    matches = likeness.nearest(drawn[:SHOWN])
    above = tiles(drawn[:SHOWN])
    below = []
    for match in matches:
        picture = data.images[match.index].permute(1, 2, 0).cpu().numpy()
        below.append(tile(picture[:, ::-1] if match.mirrored else picture))
    apart = [_difference(one, two) for one, two in zip(above, below, strict=True)]
    searched = len(likeness.chosen)
    among = f"{searched:,} of your {len(data):,}" if searched < len(data) else f"your {searched:,}"
    title = f"nearest of {among} images, mirrored or not (×1: as near as two of yours; ×0: a copy)"
    names = [
        f"×{min(match.distance, 99):.2f} {data.files[match.index].split('/')[-1]}"
        for match in matches
    ]
    return sheet([above, below, apart], title, ["drawn", "nearest image", "difference"], names)


def _across(point: Tensor, along: Axis) -> Tensor:
    """Copies of a point (width,), one for each value of a part: (values, width)."""
    made = point.repeat(len(along.values), 1)
    made[:, along.part] = along.values
    return made


def _drawn(module: Sampler, points: Tensor) -> list[Sequence[Tile]]:
    """Points (R, C, width) -> R rows of C tiles."""
    rows, columns, width = points.shape
    flat = tiles(module.sample(points.reshape(-1, width)))
    return [flat[r * columns : (r + 1) * columns] for r in range(rows)]


def _difference(one: Tile, two: Tile) -> Tile:
    """Black where they agree."""
    return np.abs(one.astype(np.int16) - two.astype(np.int16)).astype(np.uint8)
