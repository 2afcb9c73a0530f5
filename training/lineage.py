"""What a training takes over from the piece that it begins from, beside its weights (transfer.py):
size and width, so that they fit, its upscaler, which images were held out, and whose they were."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

from models.architecture import FIRST, parse
from models.card import GENERATOR, UPSCALER, Card, PieceError, read_card
from models.latent import Code, Latent
from models.shelf import find
from training.growth import from_size
from training.metrics.origin import datasets_of, fit_of, recipe_of
from training.recipe import CODE_NAME, Recipe, RecipeError, make_recipe
from training.writing import replace

_SAME = ("resolution", "growth", "z", "generator", "networks", "labels", "codes")
_UNSAID = {"fit", "mirror", "discriminator"}  # are as before, where nothing else is asked for
_GUIDED = 0.5  # share of the pictures that go on following a guide, where a piece can


def given(overrides: Sequence[str], resolution: int | None) -> set[str]:
    """The keys of a recipe that somebody asked for on the command line."""
    keys = {override.partition("=")[0].strip() for override in overrides}
    return keys | ({"resolution"} if resolution is not None else set())


def suited(recipe: Recipe, card: Card, asked: set[str]) -> Recipe:
    """The recipe for a training from this piece: its pictures are drawn from the first step on.

    What the recipe says nothing of is as in the piece, it is trained at the piece's size at least,
    and grows from there; unless asked for otherwise.
    """
    if recipe.frozen:
        told = recipe_of(card)
        before = {
            "fit": fit_of(card),
            "mirror": bool(told.get("mirror", True)),
            "discriminator": told.get("discriminator"),
        }
        unsaid = _UNSAID - recipe.model_fields_set
        return _unchanged(recipe, _same(card) | {key: before[key] for key in unsaid}, asked)
    size = recipe.resolution if "resolution" in asked else max(recipe.resolution, card.resolution)
    start = min(size, card.resolution)
    found: dict[str, Any] = {"resolution": size, "growth": from_size(recipe.growth, start, size)}
    if "z" not in recipe.model_fields_set:
        found["z"] = card.latent.z
    if "guide" not in recipe.model_fields_set and card.guided:
        found["guide"] = _GUIDED
    judge = recipe_of(card).get("discriminator")
    return _with(recipe, found | _widths(recipe, card.generator["channels"], judge))


def _same(card: Card) -> dict[str, Any]:
    """What a recipe says of a network that is to be the piece's, number for number."""
    line = _line(card.generator["channels"])
    plain = all(re.fullmatch(CODE_NAME, code.name) for code in card.latent.codes)
    codes = [
        {"name": code.name if plain else f"code{k}", "kind": code.kind, "size": code.size}
        for k, code in enumerate(card.latent.codes, start=1)
    ]
    networks = "dcgan" if card.generator.get("doubling") == "transposed" else "strided"
    labels = [label.name for label in card.latent.labels]
    same = (card.resolution, "", card.latent.z, line, networks, labels, codes)
    return dict(zip(_SAME, same, strict=True))


def _line(channels: Sequence[int], recipe: Recipe | None = None) -> str:
    """Channels as a recipe's `generator`, beyond their last size as that recipe goes on."""
    beyond = parse(recipe.generator)[len(channels) :] if recipe is not None else ()
    return " ".join(f"{FIRST << i}:{c}" for i, c in enumerate((*channels, *beyond)))


def _widths(recipe: Recipe, generator: Sequence[int], discriminator: str | None) -> dict[str, str]:
    """Both networks' lines as they were, where the recipe says nothing of them; where it says one
    for G, that is D's as well."""
    if "generator" in recipe.model_fields_set:
        return {}
    found = {"generator": _line(generator, recipe)}
    if discriminator and "discriminator" not in recipe.model_fields_set:
        known = discriminator.split()
        found["discriminator"] = " ".join([*known, *recipe.generator.split()[len(known) :]])
    return found


def once_called(card: Card) -> dict[str, Code]:
    """A piece's codes by what its recipe called them: a person may have renamed them since."""
    told = recipe_of(card).get("codes", [])
    return {one["name"]: code for one, code in zip(told, card.latent.codes, strict=False)}


def as_begun(recipe: Recipe, saved: Recipe, asked: set[str]) -> Recipe:
    """A recipe given again on resume, for a training that began from a piece: as suited to it then,
    and G rests as long as it was to."""
    if recipe.frozen:
        if len(saved.sizes) > 1:
            raise RecipeError(
                "frozen: this training grows, and what learns a guide alone cannot grow; let it "
                "begin --from this piece, under another --name"
            )
        rest = max(recipe.generator_rest, saved.generator_rest)
        kept = {*_SAME} | (_UNSAID - recipe.model_fields_set)
        found = {key: getattr(saved, key) for key in kept} | {"generator_rest": rest}
        return _unchanged(recipe, found, asked)
    size = recipe.resolution if "resolution" in asked else max(recipe.resolution, saved.resolution)
    start = saved.sizes[0].resolution
    found = {
        "resolution": size,
        "growth": from_size(recipe.growth, start, size),
        "generator_rest": max(recipe.generator_rest, saved.generator_rest),
    }
    for key in {"z", "guide"} - recipe.model_fields_set:
        found[key] = getattr(saved, key)
    widths = _widths(recipe, parse(saved.generator), saved.discriminator)
    return _with(recipe, found | widths)


def _unchanged(recipe: Recipe, changes: dict[str, Any], asked: set[str]) -> Recipe:
    """With changes. Raises RecipeError where something else is asked for than has to stay."""
    found = _with(recipe, changes)
    for key in _SAME:
        if key in asked and getattr(recipe, key) != getattr(found, key):
            stays = found.model_dump(mode="json")[key]
            raise RecipeError(
                f"{key} = {stays!r} stays as in the piece, which learns to follow a guide and "
                "nothing else; leave it out"
            )
    return found


def _with(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """Checked, as a copy with changes would not be. Raises RecipeError."""
    return make_recipe(recipe.model_dump(exclude_unset=True) | changes, where="with --from")


def once_trained_on(recipe: Recipe, before: float, where: str) -> Recipe:
    """What was trained on cannot be held out any more: at most as many images are as `before`."""
    if recipe.hold_out <= before:
        return recipe
    print(
        f"hold_out stays {before:g}: {where} has been trained on the others already, so they could "
        "tell nothing",
        file=sys.stderr,
    )
    return recipe.model_copy(update={"hold_out": before})


def held_out_of(card: Card, dataset: str) -> float:
    """The share of a dataset, by its name, that neither a piece nor any that it came of was trained
    on; 1 where they were trained on others."""
    known = datasets_of(card)
    return known.get(dataset, known.get("images", 1.0))  # as all curated ones were called once


def _trained_on(card: Card, dataset: str) -> bool:
    return card.training.get("dataset") in (dataset, "images")  # as all curated ones were once


def upscaler_of(card: Card) -> dict[str, Any] | None:
    """What a card says of its piece's upscaler, if there is one."""
    if card.upscaler is None:
        return None
    told = {key: card.training[key] for key in ("upscaler",) if key in card.training}
    return {
        "arguments": card.upscaler,
        "sha256": card.files.get(UPSCALER, {}).get("sha256"),
        "training": told,
    }


def upscaler_fits(card: Card, recipe: Recipe, dataset: str) -> bool:
    """Whether a piece's upscaler knows what is learned from here on. It was fitted to the step from
    that many pixels to the wall's, and to pictures like these: those of the generator, if that
    stays as it is, or of the same dataset. For all others there is the general one that ships."""
    same = recipe.resolution == card.resolution
    return same and (recipe.frozen or _trained_on(card, dataset))


def bring_upscaler(source: Path, work: Path) -> None:
    """Keep a piece's upscaler with the training: by its end the piece may be gone or another.
    Raises OSError."""
    replace(work / UPSCALER, (source / UPSCALER).read_bytes())


def account_of(card: Card) -> dict[str, Any]:
    """What a checkpoint remembers of the piece that its training began from."""
    return {
        "name": card.name,
        "sha256": card.files[GENERATOR]["sha256"],
        "provenance": card.provenance,
    }


def named(latent: Latent, account: dict[str, Any]) -> Latent:
    """A latent with what its codes are called in the piece begun from, where they are the same."""
    names = account.get("from", {}).get("codes", [code.name for code in latent.codes])
    codes = (replaced(code, name=name) for code, name in zip(latent.codes, names, strict=True))
    return replaced(latent, codes=tuple(codes))


def tell_begun(given: str | Path | None, account: dict[str, Any]) -> None:
    """Say where a piece to begin from is named, and the training that goes on began otherwise."""
    if given is None:
        return
    before = account.get("from", {}).get("name", "")
    try:
        name = read_card(find(given)).name
    except PieceError:  # it may be gone since
        name = Path(given).name
    if name != before:
        how = f"from {before}" if before else "without a piece"
        print(
            f"--from {given} does nothing here: this training began {how}, and goes on; under a "
            "new --name another can begin from it",
            file=sys.stderr,
        )


def told_of(account: dict[str, Any]) -> dict[str, Any]:
    """The same for a card."""
    begun = account.get("from")
    return {"from": {key: begun[key] for key in ("name", "sha256")}} if begun else {}


def provenance(own: Sequence[dict[str, Any]], account: dict[str, Any]) -> list[dict[str, Any]]:
    """Whose the images are: the dataset's own, then those that came with the piece before."""
    before = account.get("from", {}).get("provenance", [])
    return [*own, *(record for record in before if record not in own)]
