"""Going back to an earlier state: after too many steps in a row that were not finite, or when the
pictures collapsed. At most RETURNS times in one training, so that no loop is endless."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch import Tensor
from tqdm import tqdm

from training import ranks
from training.advice import either, higher_gamma, slower, whole_precision
from training.callbacks import TrainingError, going_on
from training.checkpoint import (
    CheckpointError,
    fits,
    read_checkpoint,
    read_state,
    restore_optimizers,
    restore_weights,
    state_of,
    write_state,
)
from training.module import GanModule

ROW = 20  # steps in a row; one or two happen in bfloat16, so many never end by themselves
RETURNS = 3
SLOWER = 0.5


class Recovery(pl.Callback):
    """Watches for steps that are not finite, and returns to the last checkpoint at half the
    learning rate. Raises TrainingError where that has not helped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *unused: Any) -> None:
        if module.health.in_a_row < ROW:
            return
        if module.health.returns >= RETURNS:
            recipe = module.recipe
            remedies = either(whole_precision(recipe), higher_gamma(recipe), slower(recipe))
            raise TrainingError(
                f"{ROW} steps in a row were not finite at {module.kimg:.4g} kimg, and {RETURNS} "
                "returns to an earlier state have not helped; the last good state is kept, go on "
                f"with --resume and {remedies}"
            )
        kimg = put_back(module, self._last(module))
        slow_down(module)
        module.health.in_a_row = 0
        _say(
            f"{ROW} steps in a row were not finite: back to "
            f"{'the last finite state' if kimg is None else f'{kimg:.4g} kimg'}, learning rate × "
            f"{module.health.slowed:g}"
        )

    def _last(self, module: GanModule) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The last checkpoint, or none where there is none that fits: what is in memory is finite
        too, as steps that are not were undone."""
        if not ranks.leads():
            return None
        try:
            found = read_checkpoint(self.folder)
        except CheckpointError:
            return None
        return found if fits(module, found[0]) else None


class Snapshots:
    """A short ring of states that were good by a judgement, for going back when the pictures
    collapse. Each is as large as a checkpoint; `most` are kept.

    One that was gone back to is not used again. The training's health remembers that, so whoever
    goes on from a checkpoint of before it finds it as it was.
    """

    def __init__(self, folder: Path, most: int = 2) -> None:
        self.folder, self.most = folder, most

    def paths(self) -> list[Path]:
        """Those that there are, the newest last: they are named by images shown."""
        return sorted(self.folder.glob("snapshot-*.safetensors"))

    def keep(self, module: GanModule) -> None:
        """Write one more, and take away those used and the oldest beyond `most`."""
        if not ranks.leads():
            return
        with going_on("the snapshot"):
            path = self._path(module.kimg)
            used = self._used(module)
            others = sorted(set(self.paths()) - {path}, key=lambda old: (old not in used, old))
            for old in others[: -self.most + 1 or None]:  # first, so that room is bounded
                old.unlink()
            write_state(path, state_of(module), {"kimg": module.kimg})

    def roll_back(self, module: GanModule, why: str = "collapse suspected") -> bool:
        """Put the newest snapshot back: weights, optimisers, average. False where there is none
        that fits, or after RETURNS times. Every rank calls it. The count of images goes on, so
        that what follows differs from what led here."""
        if module.health.returns >= RETURNS:
            return False
        found = self._newest(module) if ranks.leads() else None
        if not ranks.tell(float(found is not None), module.device):
            return False
        kimg = put_back(module, found)
        if kimg is not None:
            module.health.used.append(_shown(kimg))
        slow_down(module)
        _say(f"{why}: rolled back to {kimg:.4g} kimg, learning rate × {module.health.slowed:g}")
        return True

    def _newest(self, module: GanModule) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The newest that was not used, is whole and of the networks' size by now."""
        for path in sorted(set(self.paths()) - self._used(module), reverse=True):
            try:
                found = read_state(path)
            except (CheckpointError, FileNotFoundError):
                continue
            if fits(module, found[0]):
                return found
        return None

    def _used(self, module: GanModule) -> set[Path]:
        return {self._path(shown / 1000) for shown in module.health.used}

    def _path(self, kimg: float) -> Path:
        return self.folder / f"snapshot-{_shown(kimg):012d}.safetensors"


def put_back(
    module: GanModule, state: tuple[dict[str, Tensor], dict[str, Any]] | None
) -> float | None:
    """Give the module the first rank's state, and return that state's kimg. Every rank calls it.
    Without a state nothing changes."""
    tensors, account = state or ({}, {"kimg": -1.0})
    kimg = ranks.tell(float(account["kimg"]), module.device)
    module.health.returns += 1
    if kimg < 0:
        return None
    tensors = ranks.from_first(tensors, module.device)
    restore_weights(module, tensors)
    restore_optimizers(module, tensors)
    return kimg


def slow_down(module: GanModule) -> None:
    module.health.slowed *= SLOWER
    optimizers: Any = module.optimizers(use_pl_optimizer=False)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] *= SLOWER


def _shown(kimg: float) -> int:
    return round(kimg * 1000)


def _say(text: str) -> None:
    if ranks.leads():
        tqdm.write(text, file=sys.stderr)
