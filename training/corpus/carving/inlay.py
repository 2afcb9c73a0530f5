"""What is set into the wood: cowries, brass studs, strips of brass."""

from __future__ import annotations

import numpy as np

from training.corpus.carving.field import ramp
from training.corpus.carving.head import Carving
from training.corpus.dice import Dice, Table

INLAY: Table = {
    "kind": ("none", "none", "none", "studs", "brass", "cowries", "cowries"),
    "rise": (0.2, 0.28),  # of the row above the brow
    "bow": (0.1, 0.35),
}


def inlay(c: Carving, dice: Dice) -> None:
    """A row over the brow, or a strip on the nose and across the forehead."""
    p, h = dice.roll("inlay", INLAY), c.head
    if p.kind == "none":
        return
    v = c.y - (h.brow_y - p.rise + p.bow * c.side**2)
    if p.kind == "brass":
        strip = c.region("nose") * ramp(0.032, 0.026, c.face_side)
        bar = ramp(0.032, 0.026, np.abs(v)) * ramp(h.face * 0.56, h.face * 0.55, c.face_side)
        metal = np.maximum(strip, bar) * c.cover
        c.height += metal * 0.012
        c.mark("brass", metal)
        return
    pitch, radius = (0.1, 0.034) if p.kind == "studs" else (0.125, 0.052)
    cell = np.round(c.fx / pitch) * pitch
    whole = np.abs(cell) < h.face * 0.74
    u = c.fx - cell
    bead = np.where(whole, 1 - (u / radius) ** 2 - (v / (radius * 1.25)) ** 2, -1)
    on = ramp(0.0, 0.25, bead) * c.cover
    c.height += on * np.sqrt(bead.clip(0, 1)) * 0.045
    if p.kind == "studs":
        c.mark("brass", on)
    else:
        c.mark("cowrie", on)
        c.mark("slit", on * ramp(0.014, 0.006, np.abs(u)) * (np.abs(v) < radius * 0.8))
