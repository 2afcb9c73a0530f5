"""What to change in a recipe, as the artist would type it: from its own values, and empty where
there is nothing left to change."""

from __future__ import annotations

from training.precision import in_bfloat16
from training.recipe import MOST, Recipe


def slower(recipe: Recipe) -> str:
    return f"a lower learning rate (--set learning_rate={recipe.learning_rate / 2:.3g})"


def lower_gamma(recipe: Recipe) -> str:
    gamma = float(recipe.gamma) / 3
    return f"a lower gamma (--set gamma={gamma:.3g})" if gamma else ""


def higher_gamma(recipe: Recipe) -> str:
    gamma = float(recipe.gamma) * 3
    return f"a higher gamma (--set gamma={gamma:.3g})" if gamma else ""


def more_augmentation(recipe: Recipe) -> str:
    if recipe.adapt or float(recipe.augment) >= MOST:
        return ""
    return f"more augmentation (--set augment={min(MOST, float(recipe.augment) + 0.2):.3g})"


def less_augmentation(recipe: Recipe) -> str:
    if recipe.adapt or float(recipe.augment) == 0:
        return ""
    return f"less augmentation (--set augment={float(recipe.augment) / 2:.3g})"


def whole_precision(recipe: Recipe) -> str:
    return "whole precision (--set precision=float32)" if in_bfloat16(recipe.precision) else ""


def either(*remedies: str) -> str:
    """One of those that are not empty."""
    return " or ".join(remedy for remedy in remedies if remedy)
