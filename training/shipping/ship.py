"""From a commission to a piece on the shelf: corpus, training, guide, upscaler, figures."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from models import piece
from models.card import CARD, GENERATOR, UPSCALER, read_card
from training import UsageError
from training.budget import Budget
from training.checkpoint import has_checkpoint, read_checkpoint
from training.corpus import folder
from training.evaluate import Effort, evaluate
from training.export import with_words_of
from training.progress import bar
from training.recipe import checked, load_recipe, read_recipe
from training.shipping.commission import Commission
from training.train import train
from training.upscale.recipe import UpscaleRecipe
from training.upscale.train import train as train_upscaler

AUTHOR = "The installation project"
LICENCE = "Apache-2.0"
MOST_BYTES = 12_000_000
"""Of a piece: it travels in the wheel."""

_CARE = Effort(labels=3000)
"""At 1,500 steps, enough for colours, small things are misread: mouths of masks in .14."""

_GUIDED = "augment=0.2"  # for the same reason as in the commissions
_WHOLE = 0.99  # of a budget: a training ends with its last step, not at the very second


@dataclass(frozen=True)
class Terms:
    """How much a piece may cost, beyond what its commission says.

    budget, guide, upscaler: times, as 2h. resolution: pixels a side. count: images instead of the
    commission's, and `large` those that the upscaler learns from. overrides: key=value on top.
    begin_with: a piece to begin from.
    """

    budget: str
    upscaler: str
    resolution: int
    guide: str = "30m"
    count: int | None = None
    large: int = 400
    overrides: Sequence[str] = ()
    begin_with: str | None = None
    guide_overrides: Sequence[str] = ()
    upscaler_overrides: Sequence[str] = ()
    measuring: Effort | None = None


def ship(name: str, commission: Commission, terms: Terms, work: Path, shelf: Path) -> Path:
    """Make the piece in the folder `work`, and put it on the shelf once it is whole.

    Every step goes on where it stopped, so the same command again, with a longer budget too, is
    how an interrupted one is finished. Returns the piece's folder. Raises UsageError, PieceError
    or CorpusError in one line.
    """
    for budget in (terms.budget, terms.guide, terms.upscaler):  # before anything is drawn
        Budget.parse(budget)
    overrides = [*commission.set, *terms.overrides]
    load_recipe(commission.recipe, overrides, resolution=terms.resolution)
    recipe = checked(UpscaleRecipe, read_recipe("upscale"), terms.upscaler_overrides, "upscale")
    made = work / name
    images = _draw(commission, work, terms.resolution, terms.count or commission.count)
    train(
        images,
        name=name,
        recipe=commission.recipe,
        out=made,
        budget=terms.budget,
        resolution=terms.resolution,
        overrides=overrides,
        resume="or-start",
        begin_with=terms.begin_with,
    )
    _check_whole(made, terms.budget)
    finished = _guided(made, images, terms) if commission.guided else made
    large = _draw(commission, work, min(1024, terms.resolution * recipe.scale), terms.large)
    train_upscaler(large, recipe, piece=made, budget=terms.upscaler, resume="or-start")
    report = evaluate(
        finished, images, cache=work / "encoders", out=work / "report",
        effort=terms.measuring or _CARE,
    )  # fmt: skip
    return _shelve(made, finished, shelf / name, commission.title, report)


def _check_whole(made: Path, budget: str) -> None:
    told = read_card(made).training
    if Budget.parse(budget).spent(told["seconds"], told["kimg"]) < _WHOLE:
        raise UsageError(
            f"{made.name} was stopped at {told['kimg']:.4g} kimg; the same command goes on"
        )


def _guided(made: Path, images: Path, terms: Terms) -> Path:
    """A piece beside the one made, with the same pictures, that follows a guide as well."""
    out = made.with_name(f"{made.name}-guided")
    work = out.with_name(f"{out.name}.training")
    if has_checkpoint(work):
        begun = read_checkpoint(work)[1]["from"]["sha256"]
        if begun != read_card(made).files[GENERATOR]["sha256"]:  # that has learned more since
            for older in filter(Path.exists, (out, work)):
                shutil.rmtree(older)
    train(
        images,
        name=made.name,
        recipe="guide",
        out=out,
        budget=terms.guide,
        overrides=[_GUIDED, *terms.guide_overrides],
        resume="or-start",
        begin_with=str(made),
    )
    _check_whole(out, terms.guide)
    return out


def _draw(commission: Commission, work: Path, size: int, count: int) -> Path:
    """The corpus at a size, or as much of it as is missing."""
    out = work / f"drawn-{size}"
    if (out / folder.TABLE).exists():
        count = max(count, len((out / folder.TABLE).read_text("utf-8").splitlines()) - 1)
    with bar("drawing", "image") as progress:
        folder.write(
            out, commission.artist, count, size, commission.seed, progress, commission.pinned
        )
    return out


def _shelve(
    made: Path, finished: Path, target: Path, title: str, report: Mapping[str, Any]
) -> Path:
    """The piece, as it is or with what it learned to follow, its upscaler and its figures, in half
    precision, if it is small enough to travel."""
    whole = piece.load(made)
    last, generator = piece.load_unfolded(finished)
    pictures = {
        entry: (finished / entry).read_bytes()
        for entry in last.files
        if entry not in (GENERATOR, UPSCALER)
    }
    told = {**whole.card.training, "figures": _figures(report)}
    if last.guided:
        told["guide"] = {key: last.training[key] for key in ("kimg", "seconds", "recipe")}
    card = changed(
        whole.card,
        generator=last.generator,
        title=title,
        author=AUTHOR,
        licence=LICENCE,
        training=told,
    )
    if (target / CARD).is_file():
        card = with_words_of(read_card(target), card)
    numbers = sum(parameter.numel() for parameter in generator.parameters())
    size = 2 * numbers + sum(map(len, pictures.values()))
    if size > MOST_BYTES:
        raise UsageError(
            f"{target} would take {size / 1e6:.1f} MB, and a piece that ships at most "
            f"{MOST_BYTES / 1e6:.0f} MB: give the recipe a smaller generator"
        )
    return piece.save(target, card, generator, whole.upscaler, pictures, half=True)


def _figures(report: Mapping[str, Any]) -> dict[str, Any]:
    """Each figure beside its floor, for the card."""
    found = {
        key: {"value": _short(figure["value"]), "floor": _short(figure["floor"])}
        for key, figure in report["figures"].items()
    }
    return {"samples": report["samples"], "encoder": report["encoder"], **found}


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
