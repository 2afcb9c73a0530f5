"""How long a training may take."""

from __future__ import annotations

import re
from dataclasses import dataclass

from training.recipe import RecipeError


@dataclass(frozen=True)
class Budget:
    """When to stop: seconds of training or thousands of images shown, whichever is given."""

    seconds: float | None = None
    kimg: float | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """`90s`, `20m`, `2h` or `400kimg`. Raises RecipeError."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|kimg)", text.strip().lower())
        amount = float(match[1]) if match else 0.0
        if match is None or round(amount, 3) <= 0:
            raise RecipeError(f"--budget {text}: write it as 20m, 2h or 400kimg")
        if match[2] == "kimg":
            return cls(kimg=round(amount, 3))  # whole images
        return cls(seconds=amount * {"s": 1, "m": 60, "min": 60, "h": 3600}[match[2]])

    def spent(self, seconds: float, kimg: float) -> float:
        """The share used up, 0 to 1 and beyond."""
        if self.kimg is not None:
            return round(kimg, 3) / self.kimg
        return seconds / self.seconds if self.seconds else 0.0
