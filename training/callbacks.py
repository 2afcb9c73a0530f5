"""What happens around the training step: time and budget, progress, grids, checkpoints."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from tqdm import tqdm

from training import UsageError, ranks
from training.advice import either, higher_gamma, slower
from training.budget import Budget
from training.checkpoint import restore_optimizers, state_of, write_checkpoint
from training.grid import to_png
from training.module import GanModule
from training.progress import Line
from training.stop import StopRequest
from training.writing import replace

log = logging.getLogger(__name__)


class TrainingError(UsageError):
    """A training that cannot go on. One line."""


@contextmanager
def going_on(what: str) -> Iterator[None]:
    """A full disk must not end hours of training: say so, and try again the next time."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        tqdm.write(f"{what} could not be saved ({reason}); training goes on", file=sys.stderr)


class Clock(pl.Callback):
    """Seconds of training, a resumed run's earlier share included, and the end of the budget."""

    def __init__(self, budget: Budget, stop: StopRequest, earlier: float) -> None:
        self.budget, self.stop, self.earlier = budget, stop, earlier
        self._began: float | None = None
        self._first_kimg = 0.0

    @property
    def here(self) -> float:
        """Seconds since this run began to train."""
        return time.perf_counter() - self._began if self._began is not None else 0.0

    @property
    def seconds(self) -> float:
        return self.earlier + self.here

    def rate(self, module: Any) -> float:
        """Images a second, since this run began."""
        return 1000 * (module.kimg - self._first_kimg) / max(self.here, 1e-9)

    def left(self, module: Any) -> float:
        """Seconds until the budget is spent."""
        if self.budget.kimg is not None:
            kimg = self.budget.kimg - module.kimg
            return max(0.0, 1000 * kimg / max(self.rate(module), 1e-9))
        return max(0.0, (self.budget.seconds or 0) - self.seconds)

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        if self._began is None:  # a growing network begins to train once per size
            self._began, self._first_kimg = time.perf_counter(), module.kimg
        self.stop.arm()

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *unused: Any) -> None:
        spent = self.budget.spent(self.seconds, module.kimg)
        # Clocks and signals differ between ranks; what follows must not.
        spent, flags = ranks.agree(spent, (self.stop.asked, self.stop.requeue), module.device)
        self.stop.asked, self.stop.requeue = flags
        module.advance(spent)
        if self.stop.asked or module.spent >= module.size.ends:
            trainer.should_stop = True


class Progress(pl.Callback):
    """One line: share of the budget, kimg, images/s, time left."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._line: Line | None = None  # made when the training begins

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        self._line = self._line or Line()

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *unused: Any) -> None:
        if self._line is not None:
            spent = self.clock.budget.spent(self.clock.seconds, module.kimg)
            self._line.show(spent, lambda: self.line(module))

    def line(self, module: Any) -> str:
        minutes, seconds = divmod(int(self.clock.left(module)), 60)
        rate = self.clock.rate(module)
        skipped = f", {module.health.skipped} steps skipped" if module.health.skipped else ""
        return f"{module.kimg:.1f} kimg, {rate:.0f} images/s, {minutes}:{seconds:02d} left{skipped}"

    def close(self) -> None:
        if self._line is not None:
            self._line.close()


class Grids(pl.Callback):
    """Sample grids at fixed points: latest.png, and one file per grid, named by images shown.
    `pictures` holds the newest, (N, 3, S, S). guides: what they follow, (N, GUIDE²)."""

    def __init__(
        self, folder: Path, points: Tensor, clock: Clock, seconds: float,
        guides: Tensor | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.points, self.clock, self.seconds = folder, points, clock, seconds
        self.guides = guides
        self.pictures: Tensor | None = None
        self._last = 0.0

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *unused: Any) -> None:
        if self.clock.here - self._last >= self.seconds:
            self._last = self.clock.here
            with going_on("the sample grid"):
                self.draw(module)

    def draw(self, module: GanModule) -> None:
        enlarge = 2 if module.size.resolution < 128 else 1
        self.pictures = module.sample(self.points, self.guides)
        data = to_png(self.pictures, columns=8, enlarge=enlarge)
        (self.folder / "grids").mkdir(exist_ok=True)
        replace(self.folder / "grids" / f"{round(module.kimg * 1000):09d}.png", data)
        replace(self.folder / "latest.png", data)


class Checkpoints(pl.Callback):
    """Restores the optimisers when training starts and saves the state from then on, so often that
    no more than `seconds` of work are lost when the machine is switched off, and at once where an
    earlier state was put back: the snapshot that was used may go then."""

    def __init__(
        self, folder: Path, account: dict[str, Any], clock: Clock, seconds: float,
        tensors: dict[str, Tensor],
    ) -> None:  # fmt: skip
        self.folder, self.account, self.clock, self.seconds = folder, account, clock, seconds
        self.tensors = tensors
        self._last = 0.0
        self._stepped = 0.0
        self._writing = 0.0  # seconds that the last one took; lost too, if it is cut short
        self._returns = 0  # of the training's health, as last saved

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        # Networks that have grown since begin their moments anew, as they do without a stop.
        if self.tensors and self.account["resolution"] == module.size.resolution:
            restore_optimizers(module, self.tensors)
        self.tensors = {}
        self._returns = module.health.returns
        ranks.require_same("the dataset", str(self.account["dataset"]))
        ranks.require_same("the checkpoint", str(module.steps))
        ranks.copy_from_first(state_of(module).values())

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *unused: Any) -> None:
        here = self.clock.here
        step, self._stepped = here - self._stepped, here
        due = here + step + self._writing - self._last >= self.seconds
        if ranks.leads() and (due or module.health.returns != self._returns):
            self.keep(module)

    def keep(self, module: GanModule) -> None:
        """Save between two steps, and go on where that fails. Not in the middle of a row of bad
        steps: what Recovery goes back to has to be before it."""
        if module.health.in_a_row:
            return
        self._last, self._returns = self.clock.here, module.health.returns
        with going_on("the checkpoint"):
            self.save(module)
        self._writing = self.clock.here - self._last

    def save(self, module: GanModule) -> None:
        """Write a checkpoint. Raises TrainingError rather than saving a diverged network."""
        weights = (*module.average.parameters(), *module.discriminator.parameters())
        if not all(bool(torch.isfinite(weight).all()) for weight in weights):
            recipe = module.recipe
            raise TrainingError(
                f"the training diverged by {module.kimg:.0f} kimg; the last good state is kept, go "
                f"on with --resume and {either(slower(recipe), higher_gamma(recipe))}"
            )
        write_checkpoint(self.folder, module, {**self.account, "seconds": self.clock.seconds})
