"""From a folder of images to a piece: what `installation train` runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.card import Card, PieceError
from training import UsageError
from training.recipe import Budget, Recipe, load_recipe, make_recipe
from training.watch.boards import Board, open_boards

if TYPE_CHECKING:
    from training.dataset import Dataset
    from training.module import GanModule

GRID = 32  # pictures in a sample grid


def train(
    dataset: str | Path,
    *,
    name: str | None = None,
    recipe: str | None = None,
    out: str | Path | None = None,
    budget: str = "20m",
    resolution: int | None = None,
    overrides: Sequence[str] = (),
    resume: bool = False,
    metrics: str | None = None,
    tensorboard: bool = False,
) -> Path:
    """Train on a folder or zip and return the folder of the piece, by default ./pieces/<name>.

    Grids, log and checkpoints go to the folder `<piece>.training` beside it. Ctrl-C saves,
    exports the piece and returns as usual. recipe: a shipped name or a .toml file; on resume it
    may be left out to go on as before. budget: `20m`, `2h`, `400kimg`, earlier runs included.
    metrics: PORT or HOST:PORT where Prometheus reads figures. tensorboard: write event files.
    Raises UsageError or PieceError with one line before anything is written.
    """
    dataset = Path(dataset)
    name = name or _name_of(dataset)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise UsageError(f"--name {name}: up to 64 letters, digits, - and _, a letter first")
    limit = Budget.parse(budget)
    piece = Path(out) if out is not None else Path("pieces") / name
    if piece.name in ("", ".."):
        raise UsageError(f"--out {out}: name a folder for the piece")
    work = piece.with_name(f"{piece.name}.training")
    # Refuse a wrong recipe or folder before the dataset is read.
    plan = load_recipe(recipe or "quick", overrides, resolution=resolution)
    try:
        _check_folders(dataset, piece, work, resume)
    except OSError as error:
        raise UsageError(f"{piece} cannot be written: {error.strerror}") from error
    saved: tuple[dict[str, Any], dict[str, Any]] | None = None
    if resume:
        from training.checkpoint import read_checkpoint

        saved = read_checkpoint(work)
        if recipe is None:  # go on as before
            plan = make_recipe(saved[1]["recipe"], overrides, "as before", resolution=resolution)
    with open_boards(work, metrics, tensorboard) as boards:
        return _run(dataset, name, plan, piece, work, limit, saved, boards)


def _name_of(dataset: Path) -> str:
    """A piece's name made of the dataset's."""
    path = dataset.resolve()
    name = path.stem if path.is_file() else path.name
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:64] or "piece"


def _check_folders(dataset: Path, piece: Path, work: Path, resume: bool) -> None:
    from models.piece import check_target
    from training.checkpoint import has_checkpoint

    if work.resolve().is_relative_to(dataset.resolve()):
        raise UsageError(
            f"{piece} lies inside the dataset, where the next run would read its grids as images; "
            "give an --out elsewhere"
        )
    check_target(piece)
    if resume:
        return
    if piece.is_dir() and any(piece.iterdir()):
        raise PieceError(f"there is a piece at {piece} already; choose another --name, or --resume")
    if has_checkpoint(work):
        raise UsageError(f"{work} holds a training already; choose another --name, or --resume")
    if work.exists() and not work.is_dir():
        raise UsageError(f"{work} is in the way: not a folder")


def _run(
    path: Path,
    name: str,
    recipe: Recipe,
    piece: Path,
    work: Path,
    budget: Budget,
    saved: tuple[dict[str, Any], dict[str, Any]] | None,
    boards: list[Board],
) -> Path:
    from training.dataset import read_dataset

    data = read_dataset(path, recipe.resolution, recipe.fit, progress=True)
    _report(data)
    recipe = recipe.settled(len(data))
    # Lightning takes seconds to import: only once the dataset is known to be good.
    from training.callbacks import Checkpoints, Clock, Grids, Progress, StopRequest
    from training.export import export, make_card
    from training.fit import fit
    from training.grid import fixed_latent
    from training.module import Batches, GanModule
    from training.watch.watch import Watch

    latent = _latent(recipe, data)
    module = GanModule(recipe, latent)
    tensors, account = saved or ({}, {"seconds": 0.0})
    if saved:
        _restore(module, data, tensors, account)
    account = {**account, "recipe": recipe.model_dump(mode="json"), "dataset": data.digest(),
               "labels": _plain_labels(data)}  # fmt: skip
    # Whatever could make the card unreadable is found now, not after hours.
    Card.from_json(make_card(name, recipe, data, module, 0.0).to_json())
    _make(work)
    batches = Batches(data, recipe.batch, recipe.seed, module.steps, recipe.mirror)
    stop = StopRequest()
    clock = Clock(budget, stop, account["seconds"])
    progress = Progress(clock)
    points = fixed_latent(latent, GRID, recipe.seed, data.conditions)
    grids = Grids(work, points, clock, recipe.grid_seconds)
    watch = Watch(work, data, recipe, clock, progress, grids, boards)
    checkpoints = Checkpoints(work, account, clock, recipe.checkpoint_seconds, tensors)
    with stop.listening():
        try:
            if budget.spent(clock.seconds, module.kimg) < 1:
                fit(module, batches, [clock, progress, checkpoints, grids, watch], recipe)
                checkpoints.save(module)
                watch.finish(module)
            else:
                print("the budget was used up before; give a larger --budget", file=sys.stderr)
            export(piece, make_card(name, recipe, data, module, clock.seconds), data, module)
        except OSError as error:
            raise UsageError(
                f"the training could not be saved ({error.strerror or error}); what was saved in "
                f"{work} before is kept, so make room and go on with --resume"
            ) from error
        finally:
            progress.close()
    _say_where(piece, work, module, stop.asked)
    return piece


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}") from error


def _restore(
    module: GanModule, data: Dataset, tensors: dict[str, Any], account: dict[str, Any]
) -> None:
    """Put a checkpoint back, if the dataset still has the labels that it was made with."""
    from training.checkpoint import CheckpointError, restore

    restore(module, tensors, account)
    if account["labels"] != _plain_labels(data):
        raise CheckpointError("the dataset's labels changed since; train under a new --name")
    if account["dataset"] != data.digest():
        print("the images changed since the last run; going on with the new ones", file=sys.stderr)


def _latent(recipe: Recipe, data: Dataset) -> Any:
    from models.latent import Latent

    try:
        return Latent(recipe.z, data.labels, tuple(code.to_code() for code in recipe.codes))
    except ValueError as error:
        raise UsageError(f"the recipe's codes and the dataset's labels clash: {error}") from error


def _plain_labels(data: Dataset) -> list[list[Any]]:
    return [[label.name, list(label.values)] for label in data.labels]


def _report(data: Dataset) -> None:
    """Say what was read and what was left out, on stderr."""
    labels = ", ".join(f"{label.name} ({len(label.values)})" for label in data.labels) or "none"
    print(f"{data.name}: {len(data)} images, labels: {labels}", file=sys.stderr)
    for problem in data.problems[:10]:
        print(f"  left out {problem}", file=sys.stderr)
    if len(data.problems) > 10:
        print(f"  and {len(data.problems) - 10} more", file=sys.stderr)


def _say_where(piece: Path, work: Path, module: GanModule, interrupted: bool) -> None:
    how = "stopped and saved" if interrupted else "done"
    print(f"{how} at {module.kimg:.1f} kimg. Piece: {piece}  Grid: {work / 'latest.png'}",
          file=sys.stderr)  # fmt: skip
    if interrupted:
        print("Go on with the same command and --resume.", file=sys.stderr)
