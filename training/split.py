"""Which images train and which are held out: one rule for the training and for every measure.

An image's side hangs on its file name and the seed, so that it keeps its side when files are
added or taken away, and a measure made later still holds out what the training never saw. Only of a
label's value that would be held out with all its images, one is trained on: a fader that no image
has trained would lead nowhere.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from training.dataset import Dataset

SHARE = 0.1
SMALLEST = 20  # images; of fewer none is held out


def split(dataset: Dataset, seed: int = 0, share: float = SHARE) -> tuple[Dataset, Dataset]:
    """The images to train on and those held out, about `share` of them, in the dataset's order.

    The held-out part is empty for fewer than 20 images.
    """
    held = held_out(dataset.files, seed, share)
    held &= ~_alone(dataset, held, seed)
    return choose(dataset, (~held).nonzero().flatten()), choose(dataset, held.nonzero().flatten())


def held_out(files: Sequence[str], seed: int = 0, share: float = SHARE) -> Tensor:
    """Whether each file is held out: (N,) bool."""
    share = share_of(len(files), share)
    return torch.tensor([_place(file, seed) < share for file in files], dtype=torch.bool)


def share_of(images: int, share: float = SHARE) -> float:
    """The share that is held out of so many images, where `share` is asked for."""
    return share if images >= SMALLEST else 0.0


def _alone(dataset: Dataset, held: Tensor, seed: int) -> Tensor:
    """Of each value that is held out in whole, one image, the first by its hash: (N,) bool."""
    found = torch.zeros_like(held)
    for column in dataset.conditions.T > 0:
        if column.any() and not (column & ~held).any():
            some = column.nonzero().flatten().tolist()
            found[min(some, key=lambda i: _place(dataset.files[i], seed))] = True
    return found


def choose(dataset: Dataset, indices: Tensor) -> Dataset:
    """The part of a dataset with these indices."""
    return replace(
        dataset,
        images=dataset.images[indices],
        conditions=dataset.conditions[indices],
        files=tuple(dataset.files[i] for i in indices.tolist()),
    )


def _place(file: str, seed: int) -> float:
    """A number from 0 to 1 that a file name always has, however its accents are stored."""
    name = unicodedata.normalize("NFC", file)
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
