"""From images to an upscaler: what `installation train DATASET --recipe upscale` runs."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from models.card import PieceError, read_card
from models.folder import check_target
from models.shelf import OWN, find, ships
from models.upscaler import CHAINS, Chained, Upscaler, load_default
from training import UsageError
from training.budget import Budget
from training.callbacks import going_on
from training.checkpoint import NAME, has_checkpoint, newest
from training.lock import claimed
from training.naming import called, checked, name_of, tell_left_out
from training.provenance import read_provenance
from training.source import list_entries
from training.stop import StopRequest
from training.upscale.export import into_piece, sheet, stand_alone
from training.upscale.pictures import Picture, read_pictures, walk_of
from training.upscale.progress import Progress
from training.upscale.recipe import UpscaleRecipe
from training.upscale.training import Training
from training.writing import check_writable, replace

ALONE = Path("upscalers")  # where those are kept that belong to no piece
_LOG = "log.jsonl"


def train(
    dataset: str | Path,
    recipe: UpscaleRecipe,
    *,
    piece: str | Path | None = None,
    name: str | None = None,
    out: str | Path | None = None,
    budget: str = "20m",
    resume: bool | Literal["or-start"] = False,
) -> Path:
    """Fit an upscaler to a folder or zip of images; returns the folder it is in.

    piece: whose upscaler it becomes, by name or folder. It learns at that piece's size, and from
    its walks; the generator stays as it is. The piece itself gets it, or one that ships is copied
    to ./pieces, or `name` or `out` makes a new piece. Without a piece: ./upscalers/<name>.
    Checkpoints, log and before-and-after pictures go to the folder `<out>.upscaling` beside it.
    Ctrl-C saves, exports and returns as usual. Raises UsageError or PieceError, one line.
    """
    limit = Budget.parse(budget)
    source = find(piece) if piece is not None else None
    target = _target(Path(dataset), source, name, out)
    work = target.with_name(f"{target.name}.upscaling")
    going_on_from = _check(Path(dataset), source, target, work, resume)
    card = read_card(source) if source is not None else None
    if card is not None:
        if recipe.scale in CHAINS:
            raise UsageError(f"a piece carries one network: --set scale=4, not {recipe.scale}")
        recipe = recipe.model_copy(update={"largest": card.resolution * recipe.scale})
        if card.resolution < recipe.crop + 1:
            raise UsageError(f"the piece has {card.resolution} px; --set crop=8 is the smallest")
    with claimed(work):
        data = _read(Path(dataset), recipe)
        walk = walk_of(source, recipe.seed) if source is not None else None
        training = Training(begin(recipe), data.pictures, recipe, walk)
        earlier = _go_on(training, going_on_from) if going_on_from is not None else 0.0
        seconds = run(training, limit, work, earlier)
        try:
            _export(training, data, seconds, source, target)
        except OSError as error:
            raise UsageError(
                f"{target} could not be written ({error.strerror or error}); the training is saved "
                f"in {work}, so make room and finish it with --resume"
            ) from error
        except PieceError as error:  # its card, which a person has changed meanwhile
            raise UsageError(
                f"{error}; the training is saved in {work}, so put that right and finish it with "
                "--resume"
            ) from error
    return target


@dataclass(frozen=True)
class Data:
    """What was read, and whose it is."""

    name: str
    pictures: list[Picture]
    provenance: list[dict[str, Any]]


def _export(
    training: Training, data: Data, seconds: float, source: Path | None, target: Path
) -> None:
    """Write what was trained, into the piece `source` as `target` or for no piece."""
    made, recipe = training.result, training.recipe
    facts = {
        "dataset": data.name,
        "images": len(data.pictures),
        "kimg": round(training.kimg, 3),
        "seconds": round(seconds, 1),
        "torch": torch.__version__,
        "recipe": recipe.model_dump(mode="json"),
    }
    if source is None:
        stand_alone(made, recipe.tier, target, facts, data.provenance)
    else:
        assert isinstance(made, Upscaler)  # noqa: S101 - a chain was refused before
        into_piece(made, source, target, facts, data.provenance)


def begin(recipe: UpscaleRecipe) -> Upscaler | Chained:
    """The weights that ship, or where there are none, or `fresh` is asked for, random ones; what a
    chain begins with is always what ships. Raises PieceError where that does not."""
    if not recipe.fresh:
        try:
            return load_default(recipe.scale, recipe.tier)
        except PieceError:
            print(f"no tier {recipe.tier} at ×{recipe.scale} ships; from scratch", file=sys.stderr)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        last = Upscaler(**recipe.shape)
    if recipe.scale not in CHAINS:
        return last
    return Chained(*load_default(CHAINS[recipe.scale][0], recipe.tier).links, last)


def _target(dataset: Path, source: Path | None, name: str | None, out: str | Path | None) -> Path:
    if name is not None:
        checked(name)
    if out is not None:
        if Path(out).name in ("", ".."):
            raise UsageError(f"--out {out}: name a folder")
        return Path(out)
    if source is not None:
        if name is not None:
            return OWN / name
        return OWN / source.name if ships(source) else source
    return ALONE / (name or name_of(dataset, "upscaler"))


def _check(
    dataset: Path,
    source: Path | None,
    target: Path,
    work: Path,
    resume: bool | Literal["or-start"],
) -> Path | None:
    """The checkpoint to go on from, if any. Nothing is overwritten that was not asked for."""
    if work.resolve().is_relative_to(dataset.resolve()):
        raise UsageError(f"{target} lies inside the dataset; give an --out elsewhere")
    check_writable(target)
    begun = has_checkpoint(work)
    if resume is True and not begun:
        raise UsageError(f"nothing to resume in {work}: there is no {NAME}")
    if source is not None:
        check_target(target)
    same = source is not None and target.resolve() == source.resolve()
    if resume:
        return newest(work) if begun else None
    if begun:
        raise UsageError(f"{work} holds a training already; --resume, or choose another --name")
    if not same and target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already; choose another --name or --out, or --resume")
    return None


def _read(dataset: Path, recipe: UpscaleRecipe) -> Data:
    pictures, problems, files = read_pictures(dataset, recipe.largest, recipe.side, progress=True)
    provenance, more = read_provenance(list_entries(dataset)[0], list(files))
    problems += more
    name = called(dataset)
    print(f"{name}: {len(pictures)} images", file=sys.stderr)
    tell_left_out(problems)
    return Data(name, pictures, provenance)


def _go_on(training: Training, saved: Path) -> float:
    """Load the checkpoint; the seconds it took to come so far."""
    account = training.load(saved)
    if account["recipe"] != training.recipe.model_dump(mode="json"):
        print("the recipe changed since the last run; going on with the new one", file=sys.stderr)
    return float(account["seconds"])


def run(training: Training, limit: Budget, work: Path, earlier: float = 0.0) -> float:
    """Train until the budget is spent or a stop is asked for; the seconds it has taken in all.

    State, log and pictures go to `work`; the state is read by `resume`. earlier: seconds that runs
    before this one took.
    """
    began = saved = time.perf_counter()
    progress = Progress(limit, earlier, training.kimg)
    terms: dict[str, float] = {}
    with StopRequest().listening() as stop:
        while True:
            now = time.perf_counter()
            seconds = earlier + now - began
            spent = limit.spent(seconds, training.kimg)
            if stop.asked or spent >= 1:
                break
            terms = training.advance(spent)
            progress.show(spent, seconds, training.kimg, terms)
            if now - saved >= training.recipe.checkpoint_seconds:
                saved = now
                with going_on("the checkpoint"):
                    _save(training, work, seconds, terms)
    progress.close()
    try:
        _save(training, work, seconds, terms)
    except OSError as error:
        raise UsageError(f"{work} cannot be written: {error.strerror or error}") from error
    if stop.asked:
        print(f"stopped and saved at {training.kimg:.1f} kimg; --resume goes on", file=sys.stderr)
    return seconds


def _save(training: Training, work: Path, seconds: float, terms: dict[str, float]) -> None:
    """The state, a line in the log, and before and after. Raises UsageError for one that has
    diverged, which is not saved."""
    if not all(bool(weight.isfinite().all()) for weight in training.average.parameters()):
        raise UsageError(
            "the training diverged; the last good state is kept: "
            "--resume with half the --set learning_rate"
        )
    account = {"recipe": training.recipe.model_dump(mode="json"), "seconds": seconds}
    training.save(work / NAME, account)
    if terms:
        line = {"kimg": training.kimg, "seconds": round(seconds, 1), **terms}
        with (work / _LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    replace(work / "latest.png", sheet(training.result, training.pictures, training.recipe))
