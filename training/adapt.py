"""How strongly to augment, found while training (Karras et al. 2020, ADA, with a validation split).

The sign of D(real), which steers ADA, means nothing under a relativistic loss: only differences of
logits are trained there. So the held-out images are asked:

    r = (E[D(train)] − E[D(held out)]) / (E[D(train)] − E[D(fake)])

is 0 while D judges images that it has never seen like those it was trained on, and 1 once it takes
them for fakes: it knows its images by heart, and more augmentation is wanted.

D also sees how much a batch varies, and a few images again and again look like a collapse. So each
is asked about once, in a batch of training images, as those are. And it is asked before the step
that judges those: nothing holds the logits' level, and one step moves it by more than they differ.
Nor does anything hold how far that differs from label to label, as both of a pair have the same:
so each label comes as often, and is hidden as often, as while training.
"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from training import ranks
from training.augment import augment
from training.batches import Batches, step_rng
from training.dataset import Dataset
from training.pixels import floats
from training.recipe import MOST
from training.watch.verdict import overfitting

TARGET = 0.5  # of r
SPEED = 100.0  # kimg from none to all
_EVERY = 8  # steps between two measurements
_MEMORY = 12.8  # kimg that the running means reach back


class Adaptation(pl.Callback):
    """Asks D about the held-out images now and then, and notes the answer in `module.figures`;
    where the recipe wants it, the augmentation follows. shares: how often each held-out image would
    be shown, (N,), above 0; None for once each.

    The state lies in `module.logit_means`, a buffer, so that a resumed run goes on with it.
    """

    def __init__(self, held_out: Dataset, follow: bool, shares: Tensor | None = None) -> None:
        self.held_out, self.follow, self._shares = held_out, follow, shares
        self._batches: Batches
        self._held: Tensor | None = None  # what was answered before the step

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        images = self.held_out.at(module.size.resolution)
        seed, flip = module.recipe.seed + 1, module.recipe.mirror
        asked = min(len(images), module.size.batch)
        self._batches = Batches(images, asked, seed, flip=flip, weights=self._shares)

    def on_train_batch_start(
        self, trainer: pl.Trainer, module: Any, batch: tuple[Tensor, Tensor], *unused: Any
    ) -> None:
        due = (module.steps + 1) % _EVERY == 0
        self._held = self.ask(module, *batch) if due else None

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *unused: Any) -> None:
        undone = module.health.in_a_row or not module.logits  # it has left no logits
        if self._held is not None and not undone:
            self.note(module, self._held)

    @torch.no_grad()
    def ask(self, module: Any, images: Tensor, conditions: Tensor) -> Tensor:
        """D's mean logit of held-out images, in the place of the first of a training batch, of
        which this rank has its share; what it gives is to be averaged over all ranks."""
        asked = self._batches.batch
        whole = self._batches.at(module.shown // asked * asked)  # from an epoch's first image on
        mine, theirs = (ranks.share(part).to(module.device) for part in whole)
        count = len(mine)
        rng = ranks.BatchGenerator.of(step_rng(module.recipe.seed, module.shown, "held out"))
        labels = module.hide_labels(torch.cat([theirs, conditions[count:]]), rng)
        real = floats(torch.cat([mine, images[count:]]))
        seen = augment(real, float(module.strength), rng, module.recipe.cutout)
        logits: Tensor = module.judge(seen, labels)
        return logits[:count].sum() * ranks.count() / asked

    @torch.no_grad()
    def note(self, module: Any, held: Tensor) -> None:
        """Take the answer into the means, beside the logits of the step that followed."""
        means = [module.logits["real"], held, module.logits["fake"]]
        found = ranks.mean(torch.stack([mean.double() for mean in means]))
        asked = max(1, module.steps // _EVERY)  # times: at first a plain mean of all answers
        weight = min(1.0, _EVERY * module.size.batch / (_MEMORY * 1000))
        module.logit_means.lerp_(found.to(module.logit_means), max(1 / asked, weight))
        real_mean, held_mean, fake_mean = module.logit_means.tolist()
        module.figures |= {
            "real_logit": real_mean, "val_logit": held_mean, "fake_logit": fake_mean,
        }  # fmt: skip
        if self.follow:
            r = overfitting(module.figures) or 0.0
            step = _EVERY * module.size.batch / (SPEED * 1000)
            change = step if r > TARGET else -step
            module.strength.add_(change).clamp_(0, MOST)
        module.figures["augment"] = float(module.strength)
