"""What the wood has become: tool marks, cracks, patina, grain, pigment, inlay and wear."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from training.corpus.carving.field import Array, blur, ellipse, noise, ramp
from training.corpus.carving.head import Carving
from training.corpus.dice import Dice, Table

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Material:
    """Linear reflectance of the body, of where it is rubbed, of what settles in its hollows.

    settle, patch: how much of that there is in the hollows and in patches; gloss: how much it
    shines; grain: how far growth rings show.
    """

    body: Colour
    worn: Colour
    dust: Colour
    settle: float
    patch: float
    gloss: float
    grain: float


MATERIALS: dict[str, Material] = {
    "dark": Material(
        (0.033, 0.024, 0.019), (0.11, 0.07, 0.045), (0.05, 0.042, 0.034), 0.6, 0.18, 0.5, 0.25
    ),
    "red": Material(
        (0.165, 0.045, 0.024), (0.30, 0.12, 0.06), (0.045, 0.018, 0.013), 0.6, 0.25, 0.32, 0.3
    ),
    "honey": Material(
        (0.36, 0.20, 0.085), (0.50, 0.33, 0.17), (0.10, 0.05, 0.024), 0.65, 0.22, 0.22, 0.4
    ),
    "kaolin": Material(
        (0.66, 0.62, 0.54), (0.16, 0.095, 0.055), (0.30, 0.235, 0.165), 0.8, 0.18, 0.03, 0.08
    ),
    "bronze": Material(
        (0.10, 0.082, 0.045), (0.36, 0.25, 0.11), (0.12, 0.225, 0.175), 0.9, 0.5, 0.55, 0.0
    ),
}

COWRIE: Colour = (0.62, 0.55, 0.42)
BRASS: Colour = (0.46, 0.31, 0.11)
BONE: Colour = (0.34, 0.28, 0.19)
FRAME: Colour = (0.075, 0.045, 0.028)  # the bare wood round a whitened face
STRAWS: tuple[Colour, ...] = ((0.42, 0.29, 0.14), (0.27, 0.15, 0.065), (0.10, 0.055, 0.03))

PIGMENTS: dict[str, Colour] = {
    "kaolin": (0.60, 0.55, 0.47),
    "black": (0.022, 0.02, 0.02),
    "oxblood": (0.21, 0.035, 0.022),
    "ochre": (0.42, 0.24, 0.07),
    "indigo": (0.07, 0.10, 0.17),
    "rubbed": (0.40, 0.26, 0.10),
    "verdigris": (0.13, 0.27, 0.22),
}

# Which pigments sit well on which body: near blacks are not painted black.
ON: dict[str, tuple[str, ...]] = {
    "dark": ("kaolin", "kaolin", "ochre", "ochre"),
    "red": ("kaolin", "black", "ochre", "indigo"),
    "honey": ("kaolin", "black", "oxblood", "indigo"),
    "kaolin": ("oxblood", "black", "ochre", "indigo"),
    "bronze": (
        "rubbed",
        "rubbed",
        "verdigris",
    ),  # cast, never painted: polished, or left to weather
}

# Round the eyes dust and shadow hide a dark pigment.
ROUND_EYES = {"dark": "kaolin", "red": "kaolin", "honey": "kaolin", "bronze": "rubbed"}

SURFACE: Table = {
    "tools": (0.003, 0.016),
    "facet": (9, 18),
    "rings": (5.0, 11.0),
    "warm": (-0.08, 0.08),
    "deep": (0.8, 1.25),
    "wear": (0.3, 1.0),
    "cracks": (0.0, 2.99),
    "finish": (0.25, 1.15),  # from dry to oiled: of the material's gloss
}


def work(c: Carving, dice: Dice, material: str) -> SimpleNamespace:
    """Leave the adze's facets and age's cracks in the height; returns the surface's roll."""
    p = dice.roll("surface", SURFACE)
    rng = dice.stream("tools")
    n = c.grid.n
    hard = c.cover * (1 - c.region("raffia"))
    c.height -= hard * np.abs(noise(rng, n, int(p.facet), int(p.facet * 0.7))) * p.tools
    crack = np.zeros_like(c.height)
    for _ in range(0 if material == "bronze" else int(p.cracks)):
        at, top, long = rng.uniform(-0.6, 0.6), rng.uniform(-1.0, 0.5), rng.uniform(0.3, 0.8)
        wander = rng.standard_normal(2)
        y = c.y - float(top)
        bend = float(wander[0]) * np.sin(y * 4) + 0.3 * float(wander[1]) * np.sin(y * 31)
        path = float(at) + 0.014 * bend
        open_ = np.maximum(0.009 * (y / float(long)) * (1 - y / float(long)) * 4, 1e-4)
        inside = (y > 0) & (y < float(long))
        crack = np.maximum(crack, np.exp(-(((c.x - path) / open_) ** 2)) * inside)
    c.height -= hard * crack * 0.05
    c.mark("crack", crack * hard)
    return p


def colour(
    c: Carving, dice: Dice, material: str, pattern: str, p: SimpleNamespace
) -> tuple[Array, Array]:
    """Linear reflectance (3, n, n) and gloss (n, n) of everything that is not wall."""
    rng = dice.stream("surface noise")
    n = c.grid.n
    m = MATERIALS[material]
    tint = _flat((1 + p.warm, 1.0, 1 - p.warm)) * np.float32(p.deep)
    fine, broad = noise(rng, n, 26, 20, 2), noise(rng, n, 5, 5, 2)
    body = _flat(m.body) * tint
    if material == "kaolin" and dice.stream("frame").uniform() < 0.75:
        frame = sum((c.region(k) for k in ("coiffure", "horns", "crest", "ears")), c.cover * 0)
        body = _mix(body, _flat(FRAME) * tint, frame.clip(0, 1))
    fibre = noise(rng, n, 60, 7)
    ring = np.sin((0.35 * c.x + 1.6 * c.height + 0.05 * broad) * 2 * math.pi * p.rings)
    grain = m.grain * (0.45 * ring + 0.35 * fibre)
    body = body * np.exp(grain + 0.16 * broad + 0.10 * fine)
    gloss = np.full((n, n), m.gloss * p.finish, np.float32)
    flakes = noise(rng, n, 34, 30, 2) * 0.7 + 0.5 * broad
    body, gloss = _paint(c, dice, material, pattern, body, gloss, flakes)

    near, far = blur(c.height, 0.012), blur(c.height, 0.035)
    hollow = ((near - c.height) * 14 + (far - c.height) * 7).clip(0, 1)
    proud = ((c.height - near) * 16 + (c.height - far) * 5).clip(0, 1)
    patch = ramp(0.4, 1.6, broad + 0.8 * fine) * m.patch
    body = _mix(body, _flat(m.dust), (hollow * m.settle + patch).clip(0, 0.95))
    rub = (proud * (0.6 + 0.5 * fine)).clip(0, 1) * p.wear
    if material == "kaolin":  # it flakes off as well
        rub = np.maximum(rub * 0.8, ramp(1.35, 1.6, flakes) * 0.75 * p.wear)
    body = _mix(body, _flat(m.worn), (rub * 0.7).clip(0, 0.9))
    if material != "bronze":  # cast in one piece
        body, gloss = _inlaid(c, body, gloss)
    return _openings(c, dice, body, gloss)


def _inlaid(c: Carving, body: Array, gloss: Array) -> tuple[Array, Array]:
    brass = c.region("brass")
    body = _mix(body, _flat(BRASS), brass)
    body = _mix(body, _flat(COWRIE), c.region("cowrie"))
    return body, np.maximum(gloss, 0.8 * brass)


def _openings(c: Carving, dice: Dice, body: Array, gloss: Array) -> tuple[Array, Array]:
    """Darken eyes, mouth and cracks; colour teeth and raffia."""
    dark = np.maximum(c.region("hole"), 0.75 * np.maximum(c.region("crack"), c.region("slit")))
    body = body * (1 - 0.9 * dark)
    gloss = gloss * (1 - dark)
    body = _mix(body, _flat(BONE), c.region("teeth") * 0.7)
    if "strands" in c.regions:
        straw = _flat(STRAWS[int(dice.stream("straw").integers(len(STRAWS)))])
        straw = straw * np.exp(0.5 * c.regions["strands"] - 0.1)
        body = _mix(body, straw, c.region("raffia"))
        gloss = gloss * (1 - c.region("raffia"))
    return body, gloss


PAINT: Table = {
    "marks": ("bare", "filled"),
    "hair": ("bare", "painted"),
    "crest": ("bare", "painted", "painted"),
}


def _paint(
    c: Carving, dice: Dice, material: str, pattern: str, body: Array, gloss: Array, flakes: Array
) -> tuple[Array, Array]:
    """Lay pigment by part, flaked off in places: the painted body and its gloss."""
    p = dice.roll("paint", PAINT)
    rng = dice.stream("pigments")
    names = [str(name) for name in rng.choice(ON[material], 3)]
    if pattern == "sockets":
        names[0] = ROUND_EYES.get(material, names[0])
    first, second, third = (PIGMENTS[name] for name in names)
    lost = float(rng.uniform(0.9, 2.2))
    hold = ramp(lost + 0.15, lost - 0.15, flakes)
    areas = [(_painted_face(c, pattern), first)]
    if p.marks == "filled" or pattern == "scars":
        rim = c.region("rim") * c.region("head")
        areas.append((np.maximum(c.region("scar"), rim), second))
    if p.hair == "painted" and material != "bronze":
        areas.append((c.region("coiffure"), PIGMENTS["black"]))
    if p.crest == "painted":
        areas.append((c.region("pattern"), third))
    for where, ink in areas:
        cover = (where * hold * 0.9).clip(0, 1)
        body = _mix(body, _flat(ink) * np.exp(0.08 * flakes), cover)
        gloss = gloss * (1 - cover * (0.0 if material == "bronze" else 0.8))
    return body, gloss


def _painted_face(c: Carving, kind: str) -> Array:
    """Where a face's paint lies, in [0, 1]."""
    h, flesh = c.head, c.region("head")
    if kind == "sockets":
        wide = min(0.85 * h.eye_x, 0.3 * h.width)  # the bridge of the nose stays bare
        ring = ellipse(c.face_side, c.y, h.eye_x, h.eye_y, wide, wide * 1.1)
        return np.maximum(ramp(0.0, 0.15, ring), c.region("lid")) * flesh
    if kind == "band":
        return ramp(0.17, 0.14, np.abs(c.y - h.eye_y)) * c.regions.get("plane", flesh)
    if kind == "cheeks":
        if c.form == "animal":
            return c.region("blaze")
        low = ramp(0.0, 0.03, c.y - h.eye_y - 0.16 + 0.36 * (h.face - c.face_side))
        return low * ramp(h.face * 0.3, h.face * 0.34, c.face_side) * flesh
    if kind == "halves":
        return ramp(-0.015, 0.015, c.fx) * flesh
    return np.zeros_like(c.height)


def _flat(colour: Colour) -> Array:
    return np.asarray(colour, np.float32)[:, None, None]


def _mix(a: Array, b: Array, t: Array) -> Array:
    return a + (b - a) * t.astype(np.float32, copy=False)
