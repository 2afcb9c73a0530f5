"""What surmounts and frames the face: ears, coiffures, horns, crests and raffia."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from training.corpus.carving.field import Array, arc, ellipse, ramp, root
from training.corpus.carving.head import Carving
from training.corpus.dice import Dice, Table

EARS: Table = {
    "kind": ("none", "shell", "shell", "flap"),
    "width": (0.07, 0.12),
    "height": (0.13, 0.2),
    "leaf": (0.38, 0.62),
    "heading": (1.15, 1.9),
}


def ears(c: Carving, dice: Dice) -> None:
    """Shells and flaps at the temples; an animal's ears are leaves that stand out."""
    p, h = dice.roll("ears", EARS), c.head
    if c.form == "animal":
        start = (h.width * 0.8, -0.62)
        t, across = arc(c.side, c.y, start, p.heading, 0.5, p.leaf)
        thick = p.width * 1.1 * np.maximum(np.sin(math.pi * t.clip(0, 1)), 0) ** 0.7
        leaf = 1 - (across / np.maximum(thick, 1e-3)) ** 2
        leaf = np.where((t > 0) & (t < 1), leaf, -1)
        hollow = np.exp(-((across / np.maximum(thick * 0.45, 1e-3)) ** 2)) * (leaf > 0)
        c.attach("ears", leaf, 0.05 + 0.12 * root(leaf) - 0.1 * hollow, behind=True)
        return
    if c.form == "disc" or p.kind == "none":
        return
    at = h.width * (1 - 0.02)
    power = 2.0 if p.kind == "shell" else 5.0
    shape = ellipse(c.side, c.y, at, h.eye_y + 0.1, p.width, p.height, power)
    hollow = ellipse(c.side, c.y, at + 0.02, h.eye_y + 0.1, p.width * 0.6, p.height * 0.65, power)
    height = 0.04 + 0.1 * root(shape) - 0.09 * ramp(0, 0.5, hollow)
    c.attach("ears", shape, height, behind=True)


HORNS: Table = {
    "kind": ("antelope", "swept", "buffalo", "ram", "lyre", "ring"),
    "root": (0.3, 0.5),
    "length": (0.8, 1.2),
    "thick": (0.1, 0.15),
    "rings": (0.0, 18.0),
    "heading": (-0.12, 0.15),
    "turn": (0.85, 1.15),
}

# heading at the root and the angle turned, in radians; length and root as multiples
HORN_SHAPES: dict[str, tuple[float, float, float, float]] = {
    "antelope": (0.12, 0.3, 1.0, 1.0),
    "swept": (0.05, 1.1, 1.15, 1.0),
    "buffalo": (1.4, -2.6, 1.15, 1.4),
    "ram": (0.35, 3.9, 1.45, 1.3),
    "lyre": (0.85, -1.6, 0.95, 1.0),
    "ring": (1.0, -2.7, 1.5, 1.2),
}


def horns(c: Carving, dice: Dice) -> None:
    """A pair of ringed horns: straight, swept round, curled down or as a lyre."""
    p, h = dice.roll("horns", HORNS), c.head
    heading, turn, longer, apart = HORN_SHAPES[p.kind]
    at = p.root * apart * min(h.width, 0.8)
    top = -((1 - min(at / h.width, 0.9) ** h.power) ** (1 / h.power)) + 0.1
    length = p.length * longer
    t, across = arc(c.side, c.y, (at, top), heading + p.heading, turn * p.turn, length)
    thick = p.thick * (1.05 - 0.85 * t.clip(0, 1) ** 1.3)
    foot = np.minimum(t, 0) * length / thick  # the root ends round, inside the head
    shape = np.where((t > -0.3) & (t < 1), 1 - (across / thick) ** 2 - foot**2, -1)
    rings = 1 + 0.16 * np.sin(t * length * 55) * ramp(0.8, 0.4, t) * (p.rings > 8)
    c.attach("horns", shape, 0.06 + root(shape) * thick * 1.5 * rings)


COIFFURE: Table = {
    "kind": ("cap", "lobes", "tower", "tresses", "helmet"),
    "hairline": (0.5, 0.66),
    "peak": (-0.35, 0.5),
    "groove": ("fan", "rows", "net", "smooth"),
    "pitch": (0.055, 0.08),
    "tall": (0.32, 0.5),
}


def coiffure(c: Carving, dice: Dice) -> None:
    """Dressed hair: a grooved cap, lobes, a ringed tower, side tresses or a crested helmet."""
    p, h = dice.roll("coiffure", COIFFURE), c.head
    w = min(h.width, 0.86)
    tone = _grooves(c, p.groove, p.pitch)
    inner = 0.8 if c.form == "disc" else 1.0  # on a plate the hair is the face's, not the rim's
    cap = ellipse(c.x, c.y, 0, -0.1, w * 1.08 * inner, 0.98 * inner, h.power)
    line = -p.hairline * 0.9 * inner + p.peak * c.side**2
    cap = np.minimum(cap, (line - c.y) * 4)
    if p.kind == "tower":
        top = -0.9 - p.tall * 1.35
        t = ((-0.75 - c.y) / (-0.75 - top)).clip(0, 1)
        wide = w * inner**2 * (0.62 - 0.4 * t**1.3)
        tower = np.minimum(1 - (c.side / wide) ** 2, np.minimum(c.y - top, -0.7 - c.y) * 9)
        rings = np.cos((c.y - 0.25 * c.side**2) * 2 * math.pi / (p.pitch * 1.7))
        c.attach("coiffure", tower, 0.12 + root(tower) * 0.26 + 0.022 * rings)
    elif p.kind == "lobes":
        for cx, cy, r in ((0.62, -0.82, 0.24), (0.0, -1.1, 0.31)):
            lobe = ellipse(c.side, c.y, cx * w, cy, r * w * 1.25, r)
            c.attach("coiffure", lobe, 0.1 + root(lobe) * 0.24 + tone * 0.02)
    elif p.kind == "tresses":
        t = ((c.y + 0.6) / 1.45).clip(0, 1)
        middle = w * (1.02 + 0.1 * np.sin(t * 3.0))
        tress = np.minimum(
            1 - ((c.side - middle) / 0.1) ** 2, np.minimum(c.y + 0.7, 0.85 - c.y) * 9
        )
        braid = np.cos((c.y + np.abs(c.side - middle) * 0.9) * 2 * math.pi / 0.13)
        c.attach("coiffure", tress, 0.08 + root(tress) * 0.1 + 0.02 * braid, behind=True)
    elif p.kind == "helmet":
        half = ellipse(c.x, c.y, 0, -0.62, w * 1.1, p.tall * 1.5, 2.4)
        half = np.minimum(half, (line - c.y) * 4)
        ridge = np.exp(-((c.x / 0.07) ** 2))
        c.attach("coiffure", half, 0.16 + root(half) * 0.2 + ridge * 0.1 + tone * 0.022)
    rolled = ramp(0.0, 0.25, cap)
    dome = np.maximum(c.height, root(ellipse(c.x, c.y, 0, -0.1, w * 1.1, 1.0)) * 0.42)
    c.attach("coiffure", cap, dome + 0.05 * rolled + tone * 0.022 * rolled)


def _grooves(c: Carving, kind: str, pitch: float) -> Array:
    """Combed hair as grooves in [-1, 1], over the whole frame."""
    angle = np.arctan2(c.x, 0.1 - c.y)
    radius = np.sqrt(c.x**2 + (c.y - 0.1) ** 2)
    fan = np.cos(angle * 2 * math.pi / pitch * 0.8)
    rows = np.cos(radius * 2 * math.pi / pitch)
    if kind == "fan":
        return fan
    if kind == "rows":
        return rows
    return fan * rows if kind == "net" else np.zeros_like(fan)


CREST: Table = {
    "kind": ("prongs", "loop", "plank", "fan", "blade"),
    "tall": (0.42, 0.62),
    "prongs": (3, 7.99),
    "pattern": (0.1, 0.14),
}


def crest(c: Carving, dice: Dice) -> None:
    """One piece on top: a comb, a pierced loop, a patterned plank, a fan or a blade."""
    p, h = dice.roll("crest", CREST), c.head
    {"prongs": _prongs, "loop": _loop, "plank": _plank, "fan": _fan, "blade": _blade}[p.kind](
        c, min(h.width, 0.9), p
    )


def _prongs(c: Carving, w: float, p: SimpleNamespace) -> None:
    count = int(p.prongs)
    pitch = 1.5 * w / count
    phase = 0.5 if count % 2 == 0 else 0.0
    cell = np.round(c.x / pitch - phase) + phase
    inner = np.abs(cell) <= (count - 1) / 2 + 0.01
    foot = -np.sqrt((1 - (cell * pitch / w) ** 2).clip(0, 1)) + 0.14
    top = -1.0 - p.tall * (1 - 0.25 * (cell * pitch / w) ** 2)
    t = ((foot - c.y) / (foot - top)).clip(0, 1)
    shape = 1 - ((c.x - cell * pitch) / (pitch * (0.42 - 0.22 * t))) ** 2
    shape = np.where(inner & (c.y < foot) & (c.y > top), shape, -1)
    c.attach("crest", shape, 0.1 + root(shape) * 0.13)


def _loop(c: Carving, w: float, p: SimpleNamespace) -> None:
    r = np.sqrt((c.x / (0.62 * w)) ** 2 + ((c.y + 0.86) / (p.tall + 0.12)) ** 2)
    shape = np.where(c.y < -0.7, 1 - ((r - 0.84) / 0.17) ** 2, -1)
    twist = np.cos(np.arctan2(c.x, -0.86 - c.y) * 26)
    c.attach("crest", shape, 0.08 + root(shape) * 0.12 + 0.014 * twist)


def _plank(c: Carving, w: float, p: SimpleNamespace) -> None:
    top = -1.0 - p.tall * 1.25
    wide = w * (0.42 + 0.16 * ramp(-1.1, top, c.y))
    shape = np.minimum(1 - (c.side / wide) ** 6, np.minimum(c.y - top, -0.8 - c.y) * 14)
    wave = np.abs(((c.x / p.pattern) % 1) - 0.5) * 2
    row = ((c.y - top) / p.pattern) % 1
    cut = ramp(-0.08, 0.08, wave - row) * ramp(0.06, 0.2, shape)
    c.attach("crest", shape, 0.13 - 0.03 * cut)
    c.mark("pattern", cut * (shape > 0))


def _fan(c: Carving, w: float, p: SimpleNamespace) -> None:
    reach = p.tall + 0.14
    angle = np.arctan2(c.x, -0.84 - c.y)
    edge = 1 + 0.05 * np.cos(angle * 18)
    shape = ellipse(c.x / edge, (c.y + 0.84) / edge, 0, 0, w * 1.02, reach, 2.2)
    shape = np.where(c.y < -0.6, shape, -1)
    rays = np.cos(angle * 18)
    hub = ellipse(c.x, c.y + 0.84, 0, 0, w * 0.6, reach * 0.55)
    c.attach("crest", shape, 0.1 + 0.03 * rays * ramp(0.1, -0.1, hub) + 0.05 * ramp(0, 0.2, hub))
    c.mark("pattern", ramp(0.0, 0.4, rays) * ramp(0.1, -0.1, hub) * (shape > 0))


def _blade(c: Carving, w: float, p: SimpleNamespace) -> None:
    top = -1.0 - p.tall
    t = ((-0.55 - c.y) / (-0.55 - top)).clip(0, 1)
    wide = w * (0.2 + 0.22 * np.sin(math.pi * t**0.8)) * (1 - t**6)
    shape = np.where((c.y < -0.5) & (c.y > top), 1 - (c.side / np.maximum(wide, 0.02)) ** 2, -1)
    notch = np.cos((c.y + 0.8 * c.side) * 2 * math.pi / 0.12)
    c.attach("crest", shape, 0.16 + root(shape) * 0.2 + 0.018 * notch)


RAFFIA: Table = {
    "kind": ("beard", "beard", "ruff"),
    "length": (0.34, 0.55),
    "wide": (1.0, 1.2),
    "strands": (90, 150),
    "wave": (0.3, 1.0),
    "ruff": (0.2, 0.32),
}


def raffia(c: Carving, dice: Dice) -> None:
    """Plant fibre tied round the jaw, hanging as a beard or standing out as a ruff."""
    p, h = dice.roll("raffia", RAFFIA), c.head
    rng = dice.stream("raffia strands")
    w = min(h.width, 1.0)
    beard = p.kind == "beard"
    angle = np.arctan2(c.x, c.y + (1.5 if beard else 0.0))  # 0 straight down
    radius = np.sqrt(c.x**2 + c.y**2)
    turns = angle / (2 * math.pi) + 0.5
    turns = turns + 0.0025 * p.wave * np.sin(radius * 8 + 3 * c.x)
    count = int(p.strands) * (9 if beard else 4)
    fine, lock = _strand(rng, turns, count), _strand(rng, turns, count // 5)
    tuft = _strand(rng, turns + 0.002 * np.sin(radius * 5), count // 16)
    ragged = 0.05 * fine + 0.05 * lock + 0.03 * tuft
    if beard:
        low = 1.0 + p.length
        end = low - 0.32 * (c.side / (w * p.wide)) ** 2 + ragged
        flank = w * p.wide * ramp(-0.75, 0.2, c.y) * (1 - 0.12 * ramp(0.4, 1.4, c.y))
        shape = np.minimum(end - c.y, flank - c.side + 0.4 * ragged)
        shape = np.where(c.y > -0.55, shape, -1)
    else:
        reach = np.sqrt((c.x / (w + p.ruff)) ** 2 + (c.y / (1.0 + p.ruff)) ** 2)
        shape = np.where(c.y > -0.7, 1 - reach + 0.7 * ragged, -1)
    body = 0.06 + 0.006 * lock + 0.006 * fine
    c.attach("raffia", shape, body.clip(0.01, 0.2), behind=True)
    c.regions["strands"] = (0.65 * fine + 0.3 * lock + 0.12 * tuft).clip(-1.6, 1.2)


def _strand(rng: np.random.Generator, turns: Array, count: int) -> Array:
    """Unit-variance values by strand, linear between neighbours, periodic over one turn."""
    values = rng.standard_normal(count).astype(np.float32)
    at = (turns % 1) * count
    low = at.astype(np.int32)
    t = at - low.astype(np.float32)
    return values[low % count] * (1 - t) + values[(low + 1) % count] * t


CROWNS: dict[str, Callable[[Carving, Dice], None] | None] = {
    "bare": None,
    "coiffure": coiffure,
    "horns": horns,
    "crest": crest,
    "raffia": raffia,
}


def crown(c: Carving, dice: Dice, kind: str) -> None:
    """Attach what the label asks for."""
    make = CROWNS[kind]
    if make is not None:
        make(c, dice)
