"""Are labels obeyed? A network learns them from real images and reads generated ones."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from training.dataset import Dataset
from training.metrics.recogniser import Score, score, train_recogniser
from training.progress import Progress


@dataclass(frozen=True)
class Obedience:
    """One label. real: how well held-out real images are read, which is the floor; generated: how
    often a generated image is read as what it was asked to be."""

    real: Score
    generated: Score


def label_accuracy(
    training: Dataset,
    held_out: Dataset,
    generated: Tensor,
    asked: Tensor,
    *,
    steps: int,
    flip: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Obedience]:
    """Each label's accuracy on real images and on generated ones.

    generated: (N, 3, S, S) uint8, drawn with the labels `asked` (N, C), as the dataset lays
    them out. A label that no held-out image has is left out.
    """
    network = train_recogniser(
        training.images, training.conditions, training.labels,
        steps=steps, flip=flip, seed=seed, progress=progress,
    )  # fmt: skip
    real = score(network.read(held_out.images), held_out.conditions, training.labels)
    found = score(network.read(generated), asked, training.labels)
    return {name: Obedience(real[name], found[name]) for name in real if name in found}
