"""The callback that watches a training: records, sentences, pictures, the page, the boards."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from models.latent import columns
from training.callbacks import Clock, Grids, going_on
from training.dataset import Dataset
from training.module import GanModule
from training.recipe import Recipe
from training.watch import page, pictures, timelapse, verdict
from training.watch.boards import Board
from training.watch.history import History
from training.watch.likeness import Likeness
from training.watch.sheet import captioned, png
from training.watch.verdict import Verdict
from training.writing import replace

SHARE = 0.03  # of the training time at most for the dearer pictures, whatever the recipe asks for


class Watch(pl.Callback):
    """A record with every sample grid, the dearer pictures now and then.

    It only reads the training: with or without it, the same weights come out. `standing` holds
    what is to be said now, by kind, for whoever acts on it. Comes after `Grids` among callbacks.
    """

    def __init__(
        self, folder: Path, data: Dataset, recipe: Recipe, clock: Clock,
        grids: Grids, boards: Sequence[Board] = (),
    ) -> None:  # fmt: skip
        self.folder, self.data, self.recipe, self.boards = folder, data, recipe, boards
        self.clock, self.grids = clock, grids
        self.standing: dict[str, Verdict] = {}
        self.spent = 0.0  # seconds in here
        self._sums: dict[str, Tensor] = {}
        self._steps = 0
        self._seen: Tensor | None = None
        self._next = 0.0
        self._leads = False  # of several processes one watches
        self._over = False

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        if self._leads or not trainer.is_global_zero:
            return  # a growing network begins to train once per size
        self._leads = True
        self.history = History(self.folder, module.kimg, self.clock.budget)
        self.likeness = Likeness(self.data, self.recipe.seed)
        self._before = (self.clock.seconds, module.kimg)
        known = verdict.of_dataset(len(self.data), _counts(self.data))
        self._of_dataset = {each.kind: each for each in known}
        self.standing = self._of_dataset | verdict.standing(self.history.records, self.recipe)
        said = {line["kind"] for line in self.history.said}
        for each in known:
            if each.kind not in said:
                self.say(module, each)
        self._show()

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *unused: Any) -> None:
        if not self._leads:
            return
        for key, value in module.losses.items():
            self._sums[key] = self._sums[key] + value if key in self._sums else value.clone()
        self._steps += 1
        if self.grids.pictures is not self._seen:
            self._seen = self.grids.pictures
            with self._timed():
                self.record(module)
            if self.clock.here >= self._next:
                before = self.spent
                with self._timed():
                    self.draw(module)
                    self._show()
                wait = max(self.recipe.picture_seconds, (self.spent - before) / SHARE)
                self._next = self.clock.here + wait

    def record(self, module: GanModule) -> None:
        """Note the figures, say what is new, and show both."""
        figures = self._figures(module)
        with going_on("the log"):
            self.history.add(figures)
        now = self._of_dataset | verdict.standing(self.history.records, self.recipe)
        fresh = verdict.news(self.standing, now)
        self.standing = now
        for each in fresh:
            self.say(module, each)
        self._show()
        for board in self.boards:
            with going_on("the board's figures"):
                board.figures(self.history.records[-1])

    def say(self, module: GanModule, said: Verdict) -> None:
        """Print a sentence over the progress line, and keep it for the page and the log."""
        tqdm.write(f"{module.kimg:.1f} kimg: {said.sentence}", file=sys.stderr)
        with going_on("the log"):
            self.history.say(module.kimg, said)

    def draw(self, module: GanModule) -> None:
        """The pictures beside the grid. What cannot be written now is written the next time."""
        for name, image in self._drawn(module):
            image = captioned(image, f"{module.kimg:.1f} kimg")
            data = png(image)
            with going_on(f"{name}.png"):
                replace(self.folder / f"{name}.png", data)
            self._hand_on(name, data, image.size, module.kimg)
        grid = self.folder / "latest.png"
        if self.boards:
            with going_on("the boards' grid"), Image.open(grid) as image:
                self._hand_on("grid", grid.read_bytes(), image.size, module.kimg)

    def finish(self, module: GanModule) -> None:
        """The last of everything, and the film."""
        if not self._leads:
            return
        with going_on("the last sample grid"):
            self.grids.draw(module)
        self._over = True
        self._seen = self.grids.pictures
        self.draw(module)
        with going_on("the time-lapse"), suppress(timelapse.TimelapseError):  # no grid was saved
            timelapse.timelapse(self.folder)
        if self._steps:
            self.record(module)
        else:  # the last step had its record
            self._show()

    def _drawn(self, module: GanModule) -> Iterator[tuple[str, Image.Image]]:
        points = self.grids.points
        if (crossed := pictures.matrix(module, points)) is not None:
            yield "matrix", crossed
        for code in module.latent.codes:
            yield f"code_{code.name}", pictures.strip(module, code, points)
        if self.recipe.guide:
            yield "guided", pictures.guided(module, points)
        if self._seen is not None:
            yield "neighbours", pictures.neighbours(module, self.data, self.likeness, self._seen)
        yield "augmented", pictures.augmented(module, self.data)

    def _hand_on(self, name: str, data: bytes, size: tuple[int, int], kimg: float) -> None:
        for board in self.boards:
            with going_on(f"the board's {name}"):
                board.picture(name, data, size, kimg)

    def _figures(self, module: GanModule) -> dict[str, float]:
        """What is known now. Losses are means since the record before."""
        seconds, kimg = self.clock.seconds, module.kimg
        passed, shown = seconds - self._before[0], kimg - self._before[1]
        self._before = (seconds, kimg)
        figures = {
            "kimg": kimg,
            "seconds": seconds,
            "spent": module.spent,
            "seconds_left": self.clock.left(module),
            "skipped_steps": module.health.skipped,
            "watching": self.spent / max(self.clock.here, 1e-9),
        }
        if shown > 0 and not self._over:  # the last record waited for film and pictures
            figures["images_per_second"] = 1000 * shown / max(passed, 1e-9)
        figures |= {key: float(total) / self._steps for key, total in self._sums.items()}
        self._sums, self._steps = {}, 0
        if self._seen is not None:
            figures["diversity"] = self.likeness.diversity(self._seen)
        return figures | module.figures

    def _show(self) -> None:
        """Write the page."""
        shown = {
            "latest.png": "",
            "matrix.png": "",
            **{f"code_{code.name}.png": "" for code in self.recipe.codes},
            "guided.png": "",
            "neighbours.png": "",
            "augmented.png": "",
            timelapse.NAME: "From the first grid to the last",
        }
        view = page.View(
            title=self.folder.name.removesuffix(".training"),
            records=self.history.records,
            standing=list(self.standing.values()),
            said=self.history.said,
            pictures=shown,
            refresh=None if self._over else max(5, round(self.recipe.grid_seconds)),
        )
        with going_on("the page"):
            replace(self.folder / page.NAME, page.page(view, self.folder).encode())

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.spent += time.perf_counter() - began


def _counts(data: Dataset) -> dict[str, dict[str, int]]:
    """Images of each value of each label."""
    totals = data.conditions.sum(0).to(torch.int64).tolist()
    return {
        label.name: dict(zip(label.values, totals[where], strict=True))
        for label, where in columns(data.labels)
    }
