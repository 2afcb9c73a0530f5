"""How good the generator is by now, by our own measures: what the best state is chosen by.

The encoder learns the dataset first, which takes a minute or two of the budget; where less than a
quarter of an hour is left there is no judging, and the last state is the piece.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from models.guide import guides
from training.best import Figures
from training.callbacks import Clock
from training.dataset import Dataset
from training.grid import fixed_latent
from training.metrics.contrast import encoder_for, kept
from training.metrics.distances import frechet, mean_distance
from training.metrics.encoder import Encoder, EncoderError
from training.module import GanModule
from training.novelty.findings import MOST, copies_among, reals_among
from training.novelty.neighbours import View, find, look
from training.pixels import floats, pixels
from training.progress import bar

WORTH = 15 * 60  # seconds of training that are left, at least, for learning to judge to pay
FEWEST = 40  # training images; of fewer no figure means anything
SAMPLES = 1000  # drawn and real pictures for the distance, at most
_LOOKED_AT = 128  # drawn pictures that are compared with the training images


class OwnJudge:
    """FD-own to the training images, variety and copies of the averaged generator.

    Also notes `fd` in the module's figures. save: keeps the training as it is.
    """

    def __init__(
        self, data: Dataset, held_out: Dataset, work: Path, clock: Clock,
        save: Callable[[GanModule], None],
    ) -> None:  # fmt: skip
        self.data, self.held_out, self.work, self.clock = data, held_out, work, clock
        self.save = save
        self._sight: _Sight | None = None

    def prepare(self, module: GanModule) -> None:
        """Learn to judge, where that is still to be done and pays. Called between two steps: the
        training is saved first, as more time may go by than is to be lost."""
        if self._sight is not None or len(self.data) < FEWEST:
            return
        learned = kept(self.data, self.work, seed=module.recipe.seed).exists()
        if learned or self.clock.left(module) >= WORTH:
            self.save(module)
            self._sight = _Sight(self._encoder(module), self.data, self.held_out)

    def __call__(self, module: GanModule) -> Figures | None:
        if self._sight is None:
            return None
        figures = self._sight.judge(module)
        module.figures["fd"] = figures.distance
        return figures

    def _encoder(self, module: GanModule) -> Encoder:
        with bar("learning to judge") as progress:
            learn = partial(encoder_for, self.data, seed=module.recipe.seed, progress=progress)
            try:
                return learn(self.work)
            except EncoderError as error:  # half a file ends no training
                tqdm.write(f"{error}; learning to judge without keeping it", file=sys.stderr)
                return learn()


class _Sight:
    """The training images as the encoder sees them."""

    def __init__(self, encoder: Encoder, data: Dataset, held_out: Dataset) -> None:
        rng = torch.Generator().manual_seed(0)
        chosen = torch.randperm(len(data), generator=rng)
        self.encoder, self.data = encoder, data
        real = data.images[chosen[:SAMPLES]]
        self.real = encoder.features(real)
        self._guides = guides(floats(real.cpu()))
        self.spread = mean_distance(self.real)
        some = chosen[:MOST].sort().values
        self.known: View = look(data.images[some], encoder.features)
        self.reals = reals_among(self.known, held_out.images, encoder.features, rng)

    def judge(self, module: GanModule) -> Figures:
        points = fixed_latent(
            module.latent, len(self.real), module.recipe.seed, self.data.conditions
        )
        pictures = pixels(module.sample(points, self._guides if module.recipe.frozen else None))
        features = self.encoder.features(pictures)
        return Figures(
            distance=frechet(self.real, features),
            diversity=mean_distance(features) / max(self.spread, 1e-12),
            memorised=self._copies(pictures[:_LOOKED_AT]),
        )

    def _copies(self, pictures: Tensor) -> bool:
        """Whether more samples are as close to a training image as real ones are, beyond chance."""
        nearest = find(look(pictures, self.encoder.features), self.known)
        if bool(self.reals.nearest.same.all()):
            return False  # every image has its double: nothing to compare with
        return copies_among(nearest, self.reals).excess.low > 0
