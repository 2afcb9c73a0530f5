"""The block a mask is carved from: the outline and dome of each family of form."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from training.corpus.carving.field import Array, Grid, ellipse, hill, ramp, root
from training.corpus.dice import Dice, Table

HANG: dict[str, Table] = {
    "frontal": {
        "roll": (0.0, 0.0),
        "fill": (0.88, 0.92),
        "right": (0.0, 0.0),
        "up": (0.0, 0.0),
        "turned": (0.25, 0.25),
    },
    "askew": {
        "roll": (-0.1, 0.1),  # radians, a little askew on its nail
        "fill": (0.74, 0.92),  # the share of the frame the mask's longer side takes
        "right": (-0.07, 0.07),  # of the frame's middle, in half frames
        "up": (-0.05, 0.05),
        "turned": (1.0, 1.0),  # how much of the pose's turn is seen
    },
}
"""Frontal as a museum photographs it, or as a visitor does who stands where there is room."""

POSE: Table = {
    "turn": (-0.32, 0.32),  # of the face to one side, in units of its depth
    "lean": (-0.03, 0.03),  # of the axis: no carver's symmetry is exact
}

# Half-width of the head for a half-height of 1; how far it narrows to chin and crown; the
# outline's squareness; the depth of the dome; then where the features sit.
HEADS: dict[str, Table] = {
    "oval": {
        "width": (0.62, 0.74),
        "chin": (0.2, 0.5),
        "crown": (-0.05, 0.2),
        "power": (1.9, 2.5),
        "dome": (0.36, 0.5),
        "eye_y": (-0.2, -0.06),
        "eye_x": (0.40, 0.46),
        "nose": (0.3, 0.42),
        "mouth": (0.16, 0.2),
    },
    "heart": {
        "width": (0.78, 0.92),
        "chin": (0.45, 0.68),
        "crown": (-0.1, 0.05),
        "power": (1.9, 2.3),
        "dome": (0.34, 0.44),
        "eye_y": (-0.16, -0.06),
        "eye_x": (0.40, 0.45),
        "nose": (0.46, 0.58),
        "mouth": (0.13, 0.17),
    },
    "long": {
        "width": (0.38, 0.47),
        "chin": (0.05, 0.5),
        "crown": (-0.05, 0.2),
        "power": (2.2, 3.6),
        "dome": (0.3, 0.42),
        "eye_y": (-0.26, -0.12),
        "eye_x": (0.42, 0.5),
        "nose": (0.46, 0.62),
        "mouth": (0.16, 0.22),
    },
    "disc": {
        "width": (0.96, 1.04),
        "chin": (0.0, 0.06),
        "crown": (-0.02, 0.04),
        "power": (1.95, 2.15),
        "dome": (0.3, 0.42),
        "eye_y": (-0.18, -0.08),
        "eye_x": (0.32, 0.38),
        "nose": (0.26, 0.36),
        "mouth": (0.14, 0.18),
    },
    "animal": {
        "width": (0.46, 0.68),
        "chin": (0.38, 0.6),
        "crown": (0.0, 0.25),
        "power": (2.0, 2.6),
        "dome": (0.4, 0.5),
        "eye_y": (-0.42, -0.3),
        "eye_x": (0.58, 0.66),
        "nose": (0.9, 1.0),
        "mouth": (0.14, 0.18),
    },
}


@dataclass
class Carving:
    """A mask in work: height field, what covers the wall, and which part is where.

    height, cover and every region are (n, n) float32; regions and cover lie in [0, 1].
    """

    grid: Grid
    form: str
    x: Array  # of the outline
    fx: Array  # of the features, which a turned head shifts
    y: Array
    height: Array
    cover: Array
    head: SimpleNamespace
    regions: dict[str, Array] = field(default_factory=dict)

    @property
    def side(self) -> Array:
        return np.abs(self.x)

    @property
    def face_side(self) -> Array:
        return np.abs(self.fx)

    def region(self, name: str) -> Array:
        """Where a part is; nowhere if it was not carved."""
        return self.regions.get(name, np.zeros_like(self.height))

    def mark(self, name: str, where: Array) -> None:
        """Name a region; marked twice, it is the union."""
        self.regions[name] = np.maximum(self.region(name), where.clip(0, 1))

    def attach(self, name: str, shape: Array, height: Array, behind: bool = False) -> None:
        """Add wood where `shape` is positive; behind the head it shows only outside it."""
        inside: Array = (shape > 0).astype(np.float32)
        if behind:
            inside = inside * (1 - self.cover)
        self.height = np.where(inside > 0, np.maximum(self.height, height), self.height)
        for other in self.regions.keys() - {name}:
            self.regions[other] = self.regions[other] * (1 - inside)
        self.mark(name, inside)
        self.cover = np.maximum(self.cover, inside)


def head(grid: Grid, dice: Dice, form: str, view: str) -> Carving:
    """Block out the head of a form: the outline, its dome and the flat of the face."""
    pose = dice.roll("pose", POSE)
    turn = pose.turn * dice.roll("hang", HANG[view]).turned
    h = dice.roll(f"head {form}", HEADS[form])
    y = grid.y
    x = grid.x + pose.lean * y
    down, up = np.maximum(y, 0), np.maximum(-y, 0)
    if form == "animal":
        narrow = 1 - h.chin * ramp(-0.35, 0.55, y) - h.crown * up**2
        w = h.width * (narrow + 0.09 * np.exp(-(((y - 0.78) / 0.16) ** 2)))
        power_y = 5.0
    else:
        w = h.width * (1 - h.chin * down**1.6 - h.crown * up**2)
        power_y = h.power if form != "long" else h.power + 0.6
    d = 1 - (np.abs(x) / np.maximum(w, 0.05)) ** h.power - np.abs(y) ** power_y
    inside = (d > 0).astype(np.float32)
    dome = root(d) * (1 - 0.35 * root(d)) * h.dome * 1.5
    if form == "disc":
        dome = np.minimum(dome * 1.6, 0.14)
    elif form == "animal":
        dome = dome * 0.75 + inside * 0.2 * np.exp(-((x / (0.42 * w)) ** 2)) * ramp(-0.9, -0.4, y)
    fx = x - turn * root(d).clip(0, 1) * min(h.width, 0.75)
    c = Carving(grid, form, x, fx, y, dome * inside, inside, h, {"head": inside})
    h.brow_y = h.eye_y - 0.16
    h.nose_y = h.eye_y + h.nose
    h.mouth_y = 0.87 if form == "animal" else h.nose_y + h.mouth
    h.face = h.width * (0.72 if form == "disc" else 1.0)  # half-width the features share
    h.eye_x = h.face * h.eye_x
    {"heart": _heart, "disc": _disc}.get(form, _plain)(c, dice)
    return c


PLAIN: Table = {"temples": (0.0, 0.06), "cheek": (0.0, 0.05)}
HEART: Table = {"depth": (0.16, 0.25), "cleft": (0.5, 0.85), "size": (0.74, 0.84)}
DISC: Table = {"rings": (1.0, 3.99), "teeth": (18, 36), "rim": ("dots", "zigzag", "rays", "plain")}


def _plain(c: Carving, dice: Dice) -> None:
    p, h = dice.roll("plain", PLAIN), c.head
    if c.form != "animal":
        cheek = hill(c.face_side, c.y, h.eye_x * 1.15, h.eye_y + 0.24, h.face * 0.3, 0.2)
        c.height += c.cover * (p.cheek * cheek)
        c.height -= c.cover * p.temples * hill(c.side, c.y, h.width, h.eye_y, 0.14, 0.3)


def _heart(c: Carving, dice: Dice) -> None:
    """A concave heart from the brows to the chin, with a raised edge (Fang, Kwele, Lega)."""
    p, h = dice.roll("heart", HEART), c.head
    a = h.width * p.size
    lift = p.cleft * np.sqrt(c.face_side / a + 0.004) * 0.55
    low = 0.9
    high = h.brow_y + 0.02
    middle, reach = (low + high) / 2 + 0.12, (low - high) / 2 + 0.02
    u, v = c.face_side / a, (c.y + lift - middle) / reach
    d = 1 - u * u - v * np.abs(v) * np.sign(v)
    plane = ramp(0.0, 0.3, d) * c.cover
    c.height += c.cover * (0.05 * np.exp(-((d / 0.1) ** 2)) - p.depth * plane)
    c.mark("heart", ramp(0.0, 0.08, d) * c.cover)
    c.mark("rim", np.exp(-((d / 0.12) ** 2)) * c.cover)


def _disc(c: Carving, dice: Dice) -> None:
    """A plate with carved rings, and a face that swells from it (Bwa, Baule, Teke)."""
    p, h = dice.roll("disc", DISC), c.head
    r = np.sqrt((c.x / h.width) ** 2 + c.y**2)
    swell = ellipse(c.fx, c.y, 0.0, 0.06, h.face * 0.86, 0.74, 2.3)
    face = root(swell) * h.dome
    rings = int(p.rings)
    ring = sum(np.exp(-(((r - 0.95 + 0.07 * k) / 0.018) ** 2)) for k in range(rings))
    angle = np.arctan2(c.x, c.y)
    band = np.exp(-(((r - 0.86) / 0.055) ** 4))
    turns = int(p.teeth)
    if p.rim == "dots":
        mark = band * ramp(0.3, 0.8, np.cos(angle * turns)) * np.exp(-(((r - 0.86) / 0.03) ** 2))
    elif p.rim == "zigzag":
        wave = np.abs(((angle * turns / (2 * math.pi)) % 1) - 0.5) * 2
        mark = band * ramp(-0.1, 0.1, wave - (r - 0.8) / 0.12)
    elif p.rim == "rays":
        mark = band * ramp(-0.3, 0.3, np.cos(angle * turns))
    else:
        mark = band * 0
    outside = ramp(0.1, -0.05, swell)
    c.height = np.maximum(c.height + (0.035 * ring + 0.03 * mark) * outside, face * c.cover)
    c.mark("rim", (mark * outside) * c.cover)
    c.mark("plane", ramp(0.0, 0.06, swell) * c.cover)
