"""A cross of two pieces: one gives the shapes, the other what they are made of.

The first layers, which draw up to so many pixels, are one piece's, and the rest another's (Pinkney
and Adler 2020, "Resolution Dependent GAN Interpolation for Controllable Image Synthesis Between
Domains"). A map has to mean the same to both, so one of them has been trained from the other, or
both from a third. What the last layers' batch norm knows of the maps that it is given is taken
anew, since others come now.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from models import piece, shelf
from models.architecture import FIRST
from models.card import PREVIEW, UPSCALER, Card, PieceError
from models.folder import check_target
from models.generator import Generator, Stage
from models.latent import Latent
from models.toward import KIN, kinship
from training import UsageError, lineage
from training.export import with_upscaler
from training.grid import fixed_latent, to_png
from training.metrics.origin import datasets_of, recipe_of
from training.naming import checked, piece_folder
from training.progress import Progress, bar
from training.watch.pictures import strip, ways
from training.watch.sheet import png
from training.writing import check_writable

AT = 16  # pixels up to which the first piece draws
_SETTLING, _BATCH = 2048, 64  # points by which the last layers are settled
_SHOWN = 16  # pictures in the preview
_OF_SHAPES = {"fit", "mirror", "codes"}  # of a recipe: how images were seen, and the codes' names


@dataclass(frozen=True)
class _Sampler:
    """As much of a training as pictures of a piece are drawn by."""

    generator: Generator
    latent: Latent

    @torch.no_grad()
    def sample(self, latent: Tensor, guides: Tensor | None = None) -> Tensor:
        """(N, width) -> (N, 3, S, S)"""
        return torch.cat([self.generator(part) for part in latent.split(_BATCH)])


def cross(
    shape: str, surface: str, *, name: str | None = None, out: str | None = None, at: int = AT
) -> Path:
    """Write a piece that draws like the piece `shape` up to `at` pixels, and from there on like
    `surface`; it has the labels, codes and directions of the first, and the size and the upscaler
    of the second. name: both names, if left out; out: its folder, by its name in ./pieces.

    Raises PieceError for a damaged piece, or where there is one in the folder already; UsageError
    where the two do not fit together.
    """
    folders = shelf.find(shape), shelf.find(surface)
    target = piece_folder(out, checked(name or "-".join(one.name for one in folders)[:64]))
    check_target(target)
    if target.is_dir() and any(target.iterdir()):
        raise PieceError(f"there is a piece at {target} already; choose another --name")
    check_writable(target)
    (first, one), (last, other) = (piece.load_unfolded(folder) for folder in folders)
    kept = _kept(one, other, at)
    if kinship(_kernels(one), _kernels(other)) < KIN:
        print(
            f"{first.name} and {last.name} are not kin (neither was trained from the other): of "
            "both no more than traces may be left",
            file=sys.stderr,
        )
    generator = joined(one, other, kept)
    with bar("settling", "point") as progress:
        settle(generator, kept, first.latent, progress)
    card = _card(target.name, first, last, generator, at)
    told = lineage.upscaler_of(last)
    card, upscaler = with_upscaler(card, told, folders[1] / UPSCALER) if told else (card, None)
    try:
        return piece.save(target, card, generator, upscaler, _pictures(card, generator))
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror or error}") from error


def _kept(shape: Generator, surface: Generator, at: int) -> int:
    """How many of the first piece's sizes stay. Raises UsageError."""
    most = min(len(shape.channels), len(surface.channels))
    sizes = [FIRST << k for k in range(most)]
    if at not in sizes:
        raise UsageError(f"--at {at}: one of {', '.join(map(str, sizes))} pixels")
    if shape.doubling != surface.doubling:
        raise UsageError("the two pieces' networks are of different kinds, and do not fit together")
    kept = sizes.index(at) + 1
    if shape.channels[kept - 1] != surface.channels[kept - 1]:
        fitting = [
            str(size)
            for size, a, b in zip(sizes, shape.channels, surface.channels, strict=False)
            if a == b
        ]
        raise UsageError(
            f"at {at} pixels the two have {shape.channels[kept - 1]} and "
            f"{surface.channels[kept - 1]} maps, and cannot be joined there; "
            + (f"--at {', '.join(fitting)} can" if fitting else "nor anywhere else")
        )
    return kept


def _kernels(generator: Generator) -> list[Tensor]:
    return [cast(Stage, stage).conv.weight for stage in generator.stages]


def joined(shape: Generator, surface: Generator, kept: int) -> Generator:
    """The first `kept` sizes of one, and what comes after them of the other."""
    channels = (*shape.channels[:kept], *surface.channels[kept:])
    guided = shape.guide is not None and kept >= 2  # it adds to the first two
    made = Generator(shape.inputs, surface.resolution, channels, shape.doubling, guided)
    mine, theirs = shape.state_dict(), surface.state_dict()
    state = {
        key: (mine if _is_early(key, kept) else theirs)[key].clone() for key in made.state_dict()
    }
    made.load_state_dict(state)
    return made.requires_grad_(False).eval()


def _is_early(key: str, kept: int) -> bool:
    part, _, rest = key.partition(".")
    return part in ("seed", "norm", "guide") or (
        part == "stages" and int(rest.partition(".")[0]) < kept - 1
    )


@torch.no_grad()
def settle(
    generator: Generator, kept: int, latent: Latent, progress: Progress | None = None
) -> None:
    """Take batch norm's statistics anew from the first layer on that is not the first piece's."""
    for stage in list(generator.stages)[kept - 1 :]:
        norm = cast(Stage, stage).norm
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all that comes
        norm.train()
    rng = np.random.default_rng(0)
    for done in range(0, _SETTLING, _BATCH):
        if progress is not None:
            progress(done, _SETTLING)
        generator(torch.from_numpy(latent.sample(rng, _BATCH)))
    generator.eval()


def _card(name: str, first: Card, last: Card, generator: Generator, at: int) -> Card:
    """Whose the pictures are is what both say; figures are of neither. It is measured as what gave
    it its shapes."""
    one, other = datasets_of(first), datasets_of(last)
    datasets = {name: min(one.get(name, 1.0), other.get(name, 1.0)) for name in (*one, *other)}
    told = {"shape": first.name, "surface": last.name, "at": at, "datasets": datasets}
    recipe = {key: value for key, value in recipe_of(first).items() if key in _OF_SHAPES}
    more = [record for record in last.provenance if record not in first.provenance]
    return Card(
        name=name,
        title=name,
        resolution=generator.resolution,
        latent=first.latent,
        generator=generator.arguments(),
        directions=first.directions,
        author=_both(first.author, last.author),
        licence=_both(first.licence, last.licence),
        provenance=[*first.provenance, *more],
        training={"cross": told, "recipe": recipe, "torch": torch.__version__},
    )


def _both(one: str, other: str) -> str:
    return " and ".join(dict.fromkeys(filter(None, (one, other))))


def _pictures(card: Card, generator: Generator) -> dict[str, bytes]:
    drawn = _Sampler(generator, card.latent)
    points = fixed_latent(card.latent, _SHOWN, 0)
    enlarge = max(1, 128 // card.resolution)
    found = {PREVIEW: to_png(drawn.sample(points), columns=4, enlarge=enlarge)}
    for number, code in enumerate(card.latent.codes, start=1):
        found[f"code_{number}.png"] = png(strip(drawn, code, points))
    if card.directions:
        found["directions.png"] = png(ways(drawn, card.directions, points[0]))
    return found
