"""Begin from a piece that exists: its generator, and its discriminator where the training is kept.

What fits is taken over: every layer that is as wide or wider, and of the input layer the columns of
z and of the labels and codes that have the same names. The rest begins anew. What a wider layer has
beyond the piece's feeds nothing into it at first, so the piece's pictures are drawn until it has
learned something (as in Chen et al. 2016, Net2Net, but no channel is copied).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from models.card import Card
from models.latent import Code, Label, Latent
from models.piece import load_unfolded
from training import UsageError
from training.checkpoint import (
    CheckpointError,
    discriminator_of,
    has_checkpoint,
    read_checkpoint,
)
from training.lineage import once_called
from training.module import GanModule
from training.networks import DOUBLING
from training.recipe import Recipe

REST = 2.0  # kimg in which a new discriminator learns alone
LEAST = 0.2  # of the piece's weights; with less in common it is not the same network


def told_of_rest(recipe: Recipe, kimg: float) -> str:
    """What there is to say where a training is no longer than its generator rests; else ""."""
    if not 0 < kimg <= recipe.generator_rest:
        return ""
    return (
        f"in {kimg:g} kimg {'no guide' if recipe.frozen else 'nothing'} is learned: for the first "
        f"{recipe.generator_rest:g} the discriminator learns alone; give a larger --budget"
    )


class Taken(NamedTuple):
    """layers: of the piece's, of how many; with all of them its pictures are drawn."""

    layers: int
    of: int
    discriminator: bool

    def __str__(self) -> str:
        if self.layers == self.of:
            return f"its pictures{', and its discriminator' if self.discriminator else ''}"
        return (
            f"{self.layers} of its {self.of} layers fit the recipe's networks, so its pictures "
            "have to be found again"
        )


def begin_from(module: GanModule, folder: Path) -> Taken:
    """Take over what fits from a piece, and say how much that was.

    Raises PieceError for a damaged piece, UsageError for networks of another kind and where nearly
    nothing fits.
    """
    card, source = load_unfolded(folder)
    if source.doubling != module.generator.doubling:
        kind = next(kind for kind, doubling in DOUBLING.items() if doubling == source.doubling)
        raise UsageError(
            f"--from {folder}: its networks are of another kind than the recipe's, which could not "
            f"draw its pictures; give the recipe --set networks={kind}"
        )
    if module.recipe.frozen:
        _check_same(module.latent, card.latent, folder)
    mine, theirs = module.generator.state_dict(), source.state_dict()
    same_end = source.resolution == module.generator.resolution
    taken = layers = 0
    for key, tensor in mine.items():
        other = theirs.get(key)
        if other is None or (key.startswith("picture.") and not same_end):
            continue
        by_meaning = key == "seed.weight" and not module.recipe.frozen
        if by_meaning and len(other) <= len(tensor):
            _copy_inputs(tensor[: len(other)], other, module.latent, card)
        elif not by_meaning and _fits(other, tensor):
            _copy(tensor, other)
        else:
            continue
        taken += other.numel()
        layers += _draws(key, other)
    if taken < LEAST * sum(tensor.numel() for tensor in theirs.values()):
        raise UsageError(
            f"--from {folder}: its network has little in common with the recipe's; give the recipe "
            f"at least its channels, --set generator=…, which are {list(source.channels)} from 4 "
            "pixels on"
        )
    module.average.load_state_dict(mine)
    of = sum(_draws(key, tensor) for key, tensor in theirs.items())
    return Taken(layers, of, _take_discriminator(module, folder))


def _check_same(mine: Latent, theirs: Latent, folder: Path) -> None:
    """The labels have to be the piece's: its pictures are to stay as they are."""
    found, wanted = ([(p.name, p.values) for p in one.labels] for one in (mine, theirs))
    if found != wanted:
        names = ", ".join(f"{name} ({', '.join(values)})" for name, values in wanted) or "none"
        raise UsageError(
            f"--from {folder}: its labels are {names}, and the dataset's others; give it the "
            "images that it was trained on, or such as have the same labels"
        )


def _draws(key: str, tensor: Tensor) -> bool:
    """Whether it is a layer that every picture goes through, as a guide's does not."""
    return key.endswith("weight") and tensor.dim() > 1 and not key.startswith("guide.")


def _fits(other: Tensor, tensor: Tensor) -> bool:
    return len(other.shape) == len(tensor.shape) and all(
        theirs <= mine for theirs, mine in zip(other.shape, tensor.shape, strict=True)
    )


def _copy(mine: Tensor, theirs: Tensor, inputs: int = 0) -> None:
    """A layer into one as wide or wider: (A, B, k, k), of which `inputs` says which dimension its
    inputs are, or (B,)."""
    if len(theirs.shape) > 1:
        new = [slice(size) for size in theirs.shape]
        new[inputs] = slice(theirs.shape[inputs], None)
        mine[tuple(new)] = 0  # from what is new to what was there
    mine[tuple(slice(size) for size in theirs.shape)] = theirs


def _copy_inputs(mine: Tensor, theirs: Tensor, latent: Latent, card: Card) -> None:
    """The input layer's columns by meaning: z by number, labels by value, codes by name, today's or
    that of the training."""
    other = card.latent
    shared = min(latent.z, other.z)
    mine[:, :shared] = theirs[:, :shared]
    here, there = latent.slices(), other.slices()
    parts = once_called(card) | {part.name: part for part in other.parts}
    for part in latent.parts:
        twin = parts.get(part.name)
        if isinstance(part, Label) and isinstance(twin, Label):
            for index, value in enumerate(part.values):
                if value in twin.values:
                    column = there[part.name].start + twin.values.index(value)
                    mine[:, here[part.name].start + index] = theirs[:, column]
        elif isinstance(twin, Code) and replace(twin, name=part.name) == part:
            mine[:, here[part.name]] = theirs[:, there[twin.name]]


def _take_discriminator(module: GanModule, folder: Path) -> bool:
    """From the training folder beside the piece, where it is and its trunk fits: as many layers,
    none wider, and as many channels at the end, which the heads read."""
    work = folder.with_name(f"{folder.name}.training")
    if not has_checkpoint(work):
        return False
    try:
        tensors, _ = read_checkpoint(work)
    except CheckpointError as error:  # the piece itself is whole
        print(f"{error}; a new discriminator begins instead", file=sys.stderr)
        return False
    mine = module.discriminator.state_dict()
    theirs = discriminator_of(tensors)
    trunk = {key for key in mine if key.startswith("trunk.")}
    if trunk != {key for key in theirs if key.startswith("trunk.")} or not all(
        _fits(theirs[key], mine[key]) for key in trunk
    ):
        return False
    if theirs["features.weight"].shape != mine["features.weight"].shape:
        return False
    for key, tensor in mine.items():
        other = theirs.get(key)
        if other is not None and (key in trunk or other.shape == tensor.shape):
            _copy(tensor, other, inputs=1)
    return True
