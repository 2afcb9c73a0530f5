"""Where a parameter is on its way to where it was asked to go, and who has asked."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Glide:
    """What the bus knows of one Param."""

    value: float
    target: float
    moved_by: str = ""
    moved_through: str = ""

    def on(self, glide: float, dt: float) -> None:
        """Go on by dt seconds. glide: in which about two thirds of the way is gone; 0 jumps."""
        if glide <= 0:
            self.value = self.target
            return
        self.value += (self.target - self.value) * (1 - math.exp(-dt / glide))
        if abs(self.value - self.target) < 1e-6:
            self.value = self.target
