"""How a piece came about, as its card says: what every measure of it has to know."""

from __future__ import annotations

from typing import Any

from models.card import Card
from models.shelf import OWN
from training.picture import Fit

ENCODERS = OWN / ".encoders"  # one a dataset, for every piece trained on it


def recipe_of(card: Card) -> dict[str, Any]:
    """The recipe; empty where the card has none."""
    found = card.training.get("recipe")
    return found if isinstance(found, dict) else {}


def fit_of(card: Card) -> Fit:
    """How the piece's images were made square."""
    return "crop" if recipe_of(card).get("fit") == "crop" else "pad"


def datasets_of(card: Card) -> dict[str, float]:
    """Those that a piece was trained on, and what it began from, by name, and the share of each
    that none of these was; of a cross, those of both."""
    told = card.training
    known = _found(told.get("datasets")) | _found(_found(told.get("cross")).get("datasets"))
    if "dataset" in told:
        known.setdefault(str(told["dataset"]), told.get("hold_out"))
    return {name: _share(share) for name, share in known.items()}


def hold_out_of(card: Card, dataset: str) -> float:
    """The share of a dataset, by its name, that the piece was not trained on; 0 for none. Of one
    that it does not know by that name, as of what it was trained on last."""
    return datasets_of(card).get(dataset, _share(card.training.get("hold_out")))


def _found(told: Any) -> dict[str, Any]:
    return dict(told) if isinstance(told, dict) else {}


def _share(told: Any) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 < told < 1:
        return 0.0
    return float(told)
