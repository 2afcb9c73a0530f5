"""One run of training, from the first step to the piece."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from models.card import PieceError
from training import UsageError
from training.adapt import Adaptation
from training.batches import Batches
from training.best import Best, MakeJudge
from training.budget import Budget
from training.callbacks import Checkpoints, Clock, Grids, Progress
from training.checkpoint import has_checkpoint
from training.dataset import Dataset
from training.export import export, make_card
from training.fit import fit
from training.grid import fixed_latent
from training.guiding import figures
from training.judging import OwnJudge
from training.machines import Machines
from training.module import GanModule
from training.recovery import Recovery
from training.stop import StopRequest, requeue
from training.transfer import told_of_rest
from training.watch.boards import Board
from training.watch.watch import Watch

GRID = 32  # pictures in a sample grid


@dataclass
class Run:
    """What is trained, on what, and where it goes. account: what checkpoints say of it. shares:
    how often each image is shown, (N,), or None for once each; held_out_shares: the same of those
    held out, if they were."""

    name: str
    account: dict[str, Any]
    data: Dataset
    held_out: Dataset
    shares: Tensor | None
    held_out_shares: Tensor | None
    module: GanModule
    piece: Path
    work: Path
    machines: Machines
    boards: Sequence[Board] = ()

    def train(
        self, budget: Budget, tensors: dict[str, Tensor], judge: MakeJudge | None = None
    ) -> Path | None:
        """Train until the budget is used up or somebody asks to stop, and export the piece.

        tensors: the checkpoint to go on from. None: another rank exports, or Slurm has queued the
        job again. Raises UsageError.
        """
        module, recipe = self.module, self.module.recipe
        stop = StopRequest()
        clock = Clock(budget, stop, self.account["seconds"])
        progress = Progress(clock)
        checkpoints = Checkpoints(
            self.work, self.account, clock, recipe.checkpoint_seconds, tensors
        )
        best = self._best(judge, checkpoints)
        points = fixed_latent(module.latent, GRID, recipe.seed, self.data.conditions)
        # what does not change without one is looked at with one
        guides = figures().repeat(GRID, 1)[:GRID] if recipe.frozen else None
        grids = Grids(self.work, points, clock, recipe.grid_seconds, guides)
        callbacks: list[pl.Callback] = [clock, Recovery(self.work), best]
        if len(self.held_out):
            callbacks.append(Adaptation(self.held_out, bool(recipe.adapt), self.held_out_shares))
        callbacks.append(checkpoints)  # after all that a step changes
        watch = Watch(self.work, self.data, recipe, clock, grids, self.boards)
        if self.machines.lead:
            callbacks += [progress, grids, watch]
        module.spent = budget.spent(clock.seconds, module.kimg)
        with stop.listening():
            try:
                trained = self._fit(callbacks, stop)
                if not self.machines.lead:
                    return None
                if trained:
                    checkpoints.save(module)
                if stop.requeue:
                    self._queue_again()
                    return None
                if trained:
                    watch.finish(module)
                told = self._export(best, clock.seconds)
            except OSError as error:
                raise UsageError(self._not_saved(error)) from error
            except PieceError as error:  # its card, which a person has changed meanwhile
                raise UsageError(
                    f"{error}; the training is saved in {self.work}, so put that right and finish "
                    "it with --resume"
                ) from error
            finally:
                progress.close()
        self._say_where(told, stop.asked)
        return self.piece

    def _best(self, judge: MakeJudge | None, checkpoints: Checkpoints) -> Best:
        every, subject = self.module.recipe.judge_kimg, self.account["dataset"]
        if judge:
            return Best(self.work, judge(self.data), every, subject)
        own = OwnJudge(self.data, self.held_out, self.work, checkpoints.clock, checkpoints.keep)
        return Best(self.work, own, every, subject, prepare=own.prepare)

    def _fit(self, callbacks: list[pl.Callback], stop: StopRequest) -> bool:
        """Train at each size that is left, in turn; whether there was budget left for any.

        Networks never shrink: where a longer budget would be at a smaller size by now, they go on
        at their own. A shorter one may be past their size: then they grow at once.
        """
        module, recipe = self.module, self.module.recipe
        if module.spent >= 1:
            if self.machines.lead:
                print("the budget was used up before; give a larger --budget", file=sys.stderr)
            return False
        for size in recipe.sizes:
            smaller = size.resolution < module.size.resolution
            if smaller or size.ends <= module.spent or stop.asked:
                continue
            while module.size.resolution < size.resolution:
                after = 2 * module.size.resolution
                module.grow(next(s for s in recipe.sizes if s.resolution == after))
            module.size = size
            module.advance(module.spent)
            batches = Batches(
                self.data.at(size.resolution), size.batch, recipe.seed, module.shown,
                recipe.mirror, self.shares,
            )  # fmt: skip
            try:
                fit(module, batches, callbacks, recipe, self.machines)
            except UsageError:
                if self.machines.lead:
                    raise
                raise SystemExit(2) from None  # the first rank says it
        return True

    def _export(self, best: Best, seconds: float) -> dict[str, Any]:
        """Export the best state, or the last where none was judged; returns the best's figures."""
        told = best.settle(self.module)
        card = make_card(self.name, self.account, self.data, self.module, seconds)
        if told:
            card = replace(card, training={**card.training, "best": told})
        self.module.average = self.module.average.whole()  # so that pictures show what is saved
        export(self.piece, card, self.data, self.module, self.work, self.account)
        return told

    def _not_saved(self, error: OSError) -> str:
        text = f"the training could not be saved ({error.strerror or error}); "
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        mend = "make room" if full else "see to it that this folder can be written"
        if not has_checkpoint(self.work):
            return f"{text}nothing was saved before, so {mend} and start again"
        return (
            f"{text}what was saved in {self.work} before is kept, so {mend} and go on with --resume"
        )

    def _queue_again(self) -> None:
        requeue()
        print(f"saved at {self.module.kimg:.1f} kimg, and the job is queued again", file=sys.stderr)

    def _say_where(self, best: dict[str, Any], interrupted: bool) -> None:
        how = "stopped and saved" if interrupted else "done"
        kimg = self.module.kimg
        chosen = f", best at {best['kimg']:.4g} of {kimg:.4g} kimg" if best else ""
        print(f"{how} at {kimg:.1f} kimg{chosen}. Piece: {self.piece}  "
              f"Grid: {self.work / 'latest.png'}", file=sys.stderr)  # fmt: skip
        if said := told_of_rest(self.module.recipe, kimg):
            print(said, file=sys.stderr)
        if interrupted:
            print("Go on with the same command and --resume.", file=sys.stderr)
