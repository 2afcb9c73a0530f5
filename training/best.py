"""The best state of a training, kept beside the last: a GAN can get worse again.

Somebody who knows gives figures (training/metrics); here is what follows from them. A state is
better where its distance is smaller, if it is varied enough and does not copy: a generator that
repeats its few best pictures, or the dataset's, also comes close. Of states about as near, the
latest is the best: labels and codes are still learned where the distance no longer tells.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch import Tensor
from tqdm import tqdm

from training import ranks
from training.callbacks import going_on
from training.checkpoint import CheckpointError, read_state, write_state
from training.dataset import Dataset
from training.module import GanModule
from training.recovery import Snapshots

NAME = "best.safetensors"
VARIED = 0.6  # of the real images' diversity, at least, for a state worth keeping
NEAR = 1.05  # times the smallest distance: as near, as far as can be told
COLLAPSED = 0.3  # below this the generator repeats itself
_EVEN = 20  # looks; after them the next comes after a twentieth more
FAR = 3.0  # times the best distance: what was learned is being lost


@dataclass(frozen=True)
class Figures:
    """How good the averaged generator is. distance: FD-own, lower is better. diversity: as a share
    of the real images'. memorised: whether it copies them."""

    distance: float
    diversity: float
    memorised: bool = False

    @property
    def worth_keeping(self) -> bool:
        return math.isfinite(self.distance) and self.diversity >= VARIED and not self.memorised


Judge = Callable[[GanModule], Figures | None]  # None: no figures this time
MakeJudge = Callable[[Dataset], Judge]
Prepare = Callable[[GanModule], None]  # what a judge does before it can judge


class Best(pl.Callback):
    """Judges the average every `every` kimg, and later less often, if there is a judge, and keeps
    the best one in best.safetensors; goes back to a state that was good when it has collapsed."""

    def __init__(
        self, folder: Path, judge: Judge | None, every: float, dataset: str = "",
        snapshots: Snapshots | None = None, prepare: Prepare | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.judge, self.every, self.dataset = folder, judge, every, dataset
        self.prepare = prepare or (lambda module: None)
        self.snapshots = snapshots or Snapshots(folder)
        self.kept = self._read()[1] if ranks.leads() else {}
        self._turn: int | None = None
        self._judged_at = -1  # images shown

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        self._turn = turn(module.kimg, self.every)

    def on_train_batch_start(self, trainer: pl.Trainer, module: Any, *unused: Any) -> None:
        """Prepare for a look before the step that it comes after: a checkpoint that is written for
        this is of a whole step, and whoever goes on from it looks at the same state."""
        after = (module.shown + module.size.batch) / 1000
        if ranks.leads() and turn(after, self.every) != self._turn:
            self.prepare(module)

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *unused: Any) -> None:
        now = turn(module.kimg, self.every)
        if now != self._turn:
            self._turn = now
            self.look(module)

    def on_train_end(self, trainer: pl.Trainer, module: Any) -> None:
        """When the budget is used up the last state is judged too: as the learning rate falls
        towards it, it is often the best. Whoever stops before that wants to be away."""
        done = module.spent >= 1 and module.shown != self._judged_at
        if not done or self.judge is None or not ranks.leads():
            return
        self.prepare(module)
        figures = self.judge(module)
        if figures is not None and figures.worth_keeping and not _fading(module):
            self._keep(module, figures)

    def look(self, module: GanModule) -> Figures | None:
        """Judge once. Every rank calls it; the first one judges, and has the figures."""
        self._judged_at = module.shown
        figures = self.judge(module) if self.judge and ranks.leads() else None
        collapsed = figures is not None and self._collapsed(module, figures)
        if ranks.tell(float(collapsed), module.device):
            self.snapshots.roll_back(module)
        elif figures is not None and figures.worth_keeping and not _fading(module):
            self._keep(module, figures)
            self.snapshots.keep(module)
        return figures

    def _collapsed(self, module: GanModule, figures: Figures) -> bool:
        """Only what was good before can collapse."""
        if self.kept.get("subject") != self._subject(module):
            return False
        far = not figures.distance <= FAR * self.kept["distance"]  # so that NaN is far too
        return far or figures.diversity < COLLAPSED

    def _keep(self, module: GanModule, figures: Figures) -> None:
        subject, least = self._subject(module), figures.distance
        if self.kept.get("subject") == subject:
            least = min(least, self.kept.get("least", self.kept["distance"]))
        if figures.distance > max(least, NEAR * least):
            return
        account = {**asdict(figures), "kimg": module.kimg, "subject": subject, "least": least}
        with going_on("the best state"):
            write_state(self.folder / NAME, dict(module.average.state_dict()), account)
            self.kept = account

    def _subject(self, module: GanModule) -> Any:
        """What figures can be compared about: this network, which may have grown, on this dataset
        (its digest)."""
        return json.loads(json.dumps([self.dataset, module.average.arguments()]))

    def settle(self, module: GanModule) -> dict[str, Any]:
        """After the training: make the best state the module's average, which is exported.

        Returns what is to be said of it, `kimg` and figures; empty where the last state stays.
        """
        tensors, account = self._read()
        if not account or account["subject"] != self._subject(module):
            return {}
        module.average.load_state_dict({k: v.to(module.device) for k, v in tensors.items()})
        return {key: account[key] for key in ("kimg", "distance", "diversity")}

    def _read(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        try:
            return read_state(self.folder / NAME)
        except FileNotFoundError:
            return {}, {}
        except CheckpointError as error:
            tqdm.write(f"{error}; the next best is kept instead", file=sys.stderr)
            return {}, {}


def turn(kimg: float, every: float) -> int:
    """How many looks are due by now: one every so many kimg, from the _EVEN-th on one whenever that
    share more has been shown. A GPU shows so many images that equal steps would mean to look half
    of the time."""
    looks = kimg / every
    return int(looks if looks < _EVEN else _EVEN * (1 + math.log(looks / _EVEN)))


def _fading(module: GanModule) -> bool:
    """Whether a new size is coming in: such a network is two, and not one to keep."""
    return module.average.former is not None and module.average.fade < 1
