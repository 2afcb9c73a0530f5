"""From a folder of images to a piece: what `installation train` runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Literal

from models.card import CARD, Card, PieceError, read_card
from models.shelf import find
from training import UsageError, lineage
from training.budget import Budget
from training.lock import claimed
from training.machines import Machines
from training.metrics.origin import datasets_of
from training.naming import checked, name_of, piece_folder, tell_left_out
from training.recipe import Recipe, load_recipe, make_recipe
from training.watch.boards import Board, open_boards
from training.writing import check_writable

if TYPE_CHECKING:
    from torch import Tensor

    from training.best import MakeJudge
    from training.dataset import Dataset
    from training.module import GanModule


def train(
    dataset: str | Path,
    *,
    name: str | None = None,
    recipe: str | None = None,
    out: str | Path | None = None,
    budget: str = "20m",
    resolution: int | None = None,
    overrides: Sequence[str] = (),
    resume: bool | Literal["or-start"] = False,
    begin_with: str | Path | None = None,
    metrics: str | None = None,
    tensorboard: bool = False,
    machines: Machines | None = None,
    judge: MakeJudge | None = None,
) -> Path | None:
    """Train on a folder or zip and return the folder of the piece, by default ./pieces/<name>.

    Grids, log and checkpoints go to the folder `<piece>.training` beside it. Ctrl-C saves,
    exports the piece and returns as usual. recipe: a shipped name or a .toml file; on resume it
    may be left out to go on as before. budget: `20m`, `2h`, `400kimg`, earlier runs included.
    begin_with: a piece to begin from, by name or folder; nothing where the training goes on.
    metrics: PORT or HOST:PORT where Prometheus reads figures. tensorboard: write event files.
    resume: `or-start` begins where there is nothing to go on from. machines: more than one device.
    judge: makes, of the dataset, what tells the best state; training.judging where left out.
    Raises UsageError or PieceError with one line before anything is written. None: this process
    leaves no piece, as it is not the first of several, or as Slurm has queued the job again.
    """
    machines, dataset = machines or Machines(), Path(dataset)
    given, name = name, checked(name or name_of(dataset, "piece"))
    limit = Budget.parse(budget)
    piece = piece_folder(out, name)
    work = piece.with_name(f"{piece.name}.training")
    # Refuse a wrong recipe or folder before the dataset is read.
    going_on = _check_folders(dataset, piece, work, resume)
    if recipe is not None or not going_on:
        plan = load_recipe(recipe or "quick", overrides, resolution=resolution)
    source = find(begin_with) if begin_with is not None and not going_on else None
    if source is not None:
        plan = lineage.suited(plan, read_card(source), lineage.given(overrides, resolution))
    elif not going_on and plan.frozen:
        raise UsageError("this recipe teaches a piece that is there already: name it, --from PIECE")
    from training.checkpoint import read_checkpoint

    saved = None
    with ExitStack() as claim:
        if machines.lead and (work.is_dir() or not going_on):
            claim.enter_context(claimed(work))
        if going_on:
            saved = read_checkpoint(work)
            name = given or _name_before(saved[1], piece) or name
            lineage.tell_begun(begin_with, saved[1])
            plan = _going_on(plan if recipe is not None else None, saved[1], overrides, resolution)
        for size in plan.sizes:
            machines.check_batch(size.batch)
        boards: list[Board] = []
        if machines.lead:
            boards = claim.enter_context(open_boards(work, metrics, tensorboard))
        job = Job(dataset, name, plan, piece, work, limit, saved, source, machines, boards, judge)
        return _run(job)


def _name_before(account: dict[str, Any], piece: Path) -> str:
    """What a training is called that goes on; before checkpoints said so, its card does."""
    card = piece / CARD
    return account.get("name", "") or (read_card(piece).name if card.is_file() else "")


def _going_on(
    again: Recipe | None,
    account: dict[str, Any],
    overrides: Sequence[str],
    resolution: int | None,
) -> Recipe:
    """The recipe of a training that goes on: the one it had, or one that is given `again`. What it
    began from and what it was trained on stay."""
    before = make_recipe(account["recipe"], where="as before")
    asked = lineage.given(overrides, resolution)
    if again is None:
        # A strength that is asked for is kept to, though it adapted until now.
        data = account["recipe"] | ({"adapt": "auto"} if "augment" in asked else {})
        again = make_recipe(data, overrides, "as before", resolution=resolution)
    elif "from" in account:
        again = lineage.as_begun(again, before, asked)
    return lineage.once_trained_on(again, before.hold_out, "this piece")


def _check_folders(
    dataset: Path, piece: Path, work: Path, resume: bool | Literal["or-start"]
) -> bool:
    """Whether there is a training to go on with."""
    from models.folder import check_target
    from training.checkpoint import has_checkpoint

    if work.resolve().is_relative_to(dataset.resolve()):
        raise UsageError(
            f"{piece} lies inside the dataset, where the next run would read its grids as images; "
            "give an --out elsewhere"
        )
    try:
        check_target(piece)
        begun = has_checkpoint(work)
        taken = piece.is_dir() and any(piece.iterdir())
    except OSError as error:
        raise UsageError(f"{piece} cannot be written: {error.strerror}") from error
    if taken and not begun:  # sent by a friend, or one of the two was renamed
        raise PieceError(
            f"there is a piece at {piece} already, and no training of it at {work}: give both one "
            f"name to go on, or begin another from it, by --from {piece} --name NAME"
        )
    check_writable(piece)
    if resume is True or (resume and begun):
        return True
    if taken:
        raise PieceError(f"there is a piece at {piece} already; choose another --name, or --resume")
    if has_checkpoint(work):
        raise UsageError(f"{work} holds a training already; choose another --name, or --resume")
    if work.exists() and not work.is_dir():
        raise UsageError(f"{work} is in the way: not a folder")
    return False


@dataclass(frozen=True)
class Job:
    """What is to be trained, checked and settled. saved: a checkpoint's tensors and account."""

    dataset: Path
    name: str
    recipe: Recipe
    piece: Path
    work: Path
    budget: Budget
    saved: tuple[dict[str, Any], dict[str, Any]] | None
    source: Path | None  # the piece to begin from
    machines: Machines
    boards: Sequence[Board]
    judge: MakeJudge | None


def _run(job: Job) -> Path | None:
    from training.dataset import read_dataset
    from training.split import share_of

    first = job.machines.lead
    data = read_dataset(job.dataset, job.recipe.resolution, job.recipe.fit, progress=first)
    if job.recipe.labels or job.recipe.frozen:  # which is steered as its piece is, or by none
        data = data.steered_by(job.recipe.labels)
    else:  # one that an older training has learned all the same stays
        data = data.learnable([name for name, _ in job.saved[1]["labels"]] if job.saved else [])
    if first:
        _report(data)
    whole = data.digest()
    images = len(data)
    plan = job.recipe
    if job.source is not None:
        card = read_card(job.source)
        plan = lineage.once_trained_on(plan, lineage.held_out_of(card, data.name), card.name)
    elif job.saved is not None:  # it may go on with what it, or what it began from, knows of old
        known = job.saved[1].get("datasets", {})
        plan = lineage.once_trained_on(plan, known.get(data.name, 1.0), "this piece")
    # What is trained on now must not be held out when there are more.
    plan = plan.model_copy(update={"hold_out": share_of(images, plan.hold_out)})
    data, held_out, shares, held_out_shares = _parts(data, plan)
    recipe = plan.settled(images, len(held_out))
    # Lightning takes seconds to import: only once the dataset is known to be good.
    from training.export import make_card
    from training.module import GanModule
    from training.run import Run
    from training.transfer import told_of_rest

    module = GanModule(recipe, _latent(recipe, data))
    tensors, account = job.saved or ({}, {"seconds": 0.0})
    if job.saved:
        _restore(module, data, whole, tensors, account)
    if job.source is not None:
        account |= _begin_from(module, job.source, data.name)
    if not job.saved or job.budget.spent(account["seconds"], module.kimg) < 1:
        account["recipe"] = module.recipe.model_dump(mode="json")  # else what it was trained by
        known = account.get("datasets", {})
        account["datasets"] = known | {data.name: module.recipe.hold_out}
    account |= {"name": job.name, "dataset": whole, "labels": _plain_labels(data)}
    # Whatever could make the card unreadable is found now, not after hours.
    Card.from_json(make_card(job.name, account, data, module, 0.0).to_json())
    if first and not job.saved:
        _begin(job.work, job.source if "upscaler" in account.get("from", {}) else None)
    if first and (said := told_of_rest(module.recipe, job.budget.kimg or 0)):
        print(said, file=sys.stderr)
    run = Run(
        job.name, account, data, held_out, shares, held_out_shares, module, job.piece, job.work,
        job.machines, job.boards,
    )  # fmt: skip
    return run.train(job.budget, tensors, job.judge)


def _parts(whole: Dataset, plan: Recipe) -> tuple[Dataset, Dataset, Tensor | None, Tensor | None]:
    """What is trained on and what is held out, and how often each is shown, or would be."""
    from training.balance import shown
    from training.split import choose, split

    data, held_out = split(whole, share=plan.hold_out)
    shares, beside = shown(data, held_out, plan)
    if beside is not None:  # an image of what is never shown could tell nothing
        kept = beside.nonzero().flatten()
        held_out, beside = choose(held_out, kept), beside[kept]
    return data, held_out, shares, beside


def _begin(work: Path, upscaled: Path | None) -> None:
    """Make sure that nothing in the work folder is another training's. upscaled: the piece whose
    upscaler comes along."""
    from training.checkpoint import has_checkpoint

    if has_checkpoint(work):  # since it was looked at before it was claimed
        raise UsageError(f"{work} holds a training already; choose another --name, or --resume")
    _clear(work)
    if upscaled is not None:
        try:
            lineage.bring_upscaler(upscaled, work)
        except OSError as error:
            why = error.strerror or error
            raise UsageError(f"the upscaler of {upscaled} cannot be copied: {why}") from error


def _clear(work: Path) -> None:
    """Take away what a training that ended before its first checkpoint has judged and noted: it
    would be taken for this one's."""
    from training.best import NAME as BEST
    from training.recovery import Snapshots
    from training.watch.history import NAME as LOG

    try:
        for left in (work / BEST, work / LOG, *Snapshots(work).paths()):
            left.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{left} is of an earlier training and cannot be removed ({error.strerror}); remove it "
            "yourself, or choose another --name"
        ) from error


def _begin_from(module: GanModule, source: Path, dataset: str) -> dict[str, Any]:
    """Begin from a piece, and note which, and its upscaler where that comes along."""
    from training.transfer import REST, begin_from

    card = read_card(source)
    taken = begin_from(module, source)
    if not taken.discriminator:  # a new one would lead a good G astray until it knows better
        rest = max(module.recipe.generator_rest, REST)
        module.recipe = module.recipe.model_copy(update={"generator_rest": rest})
    print(f"beginning from {card.name}: {taken}", file=sys.stderr)
    account = lineage.account_of(card)
    if module.recipe.frozen:
        account["codes"] = [code.name for code in card.latent.codes]
    if (upscaler := lineage.upscaler_of(card)) is not None:
        if lineage.upscaler_fits(card, module.recipe, dataset):
            account["upscaler"] = upscaler
            print("its upscaler comes along", file=sys.stderr)
        else:
            print("its upscaler stays behind: it was fitted to other pictures", file=sys.stderr)
    return {"from": account, "datasets": datasets_of(card)}


def _restore(
    module: GanModule,
    data: Dataset,
    digest: str,
    tensors: dict[str, Any],
    account: dict[str, Any],
) -> None:
    """Put a checkpoint back, if the dataset still has the labels that it was made with."""
    from training.checkpoint import CheckpointError, restore
    from training.dataset import plain

    before = [
        [plain(name), [plain(value) for value in values]] for name, values in account["labels"]
    ]
    if before != _plain_labels(data):
        raise CheckpointError(
            f"the dataset's labels changed since, from {_told(before)} to "
            f"{_told(_plain_labels(data))}; train under a new --name, and --from this piece begins "
            "where it is"
        )
    restore(module, tensors, account)
    if account["dataset"] != digest:
        print("the images changed since the last run; going on with the new ones", file=sys.stderr)


def _latent(recipe: Recipe, data: Dataset) -> Any:
    from models.latent import Latent

    try:
        return Latent(recipe.z, data.labels, tuple(code.to_code() for code in recipe.codes))
    except ValueError as error:
        raise UsageError(f"the recipe's codes and the dataset's labels clash: {error}") from error


def _plain_labels(data: Dataset) -> list[list[Any]]:
    return [[label.name, list(label.values)] for label in data.labels]


def _told(labels: list[list[Any]]) -> str:
    """In one line, however many there are."""
    text = ", ".join(f"{name} ({', '.join(values)})" for name, values in labels)
    return shorten(text, 120, placeholder=" …") or "none"


def _report(data: Dataset) -> None:
    """Say what was read and what was left out, on stderr."""
    labels = ", ".join(f"{label.name} ({len(label.values)})" for label in data.labels) or "none"
    print(f"{data.name}: {len(data)} images, labels: {labels}", file=sys.stderr)
    tell_left_out(data.problems)
