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


def hold_out_of(card: Card) -> float:
    """The share of the dataset that the piece was not trained on; 0 for none."""
    found = card.training.get("hold_out", 0)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < 1:
        return 0.0
    return float(found)
