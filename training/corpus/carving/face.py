"""What is cut into the face: brow, nose, eyes, mouth, scarification; and an animal's muzzle."""

from __future__ import annotations

import math

import numpy as np

from training.corpus.carving.field import Array, ellipse, hill, ramp, root
from training.corpus.carving.head import Carving
from training.corpus.dice import Dice, Table

BROW: Table = {
    "depth": (0.06, 0.14),
    "arch": (-0.1, 0.9),
    "thick": (0.035, 0.06),
    "socket": (0.05, 0.15),
    "join": (0.02, 0.1),
}


def brow(c: Carving, dice: Dice) -> None:
    """Sockets under an arched brow that runs into the nose."""
    p, h = dice.roll("brow", BROW), c.head
    side = c.face_side
    socket = hill(side, c.y, h.eye_x, h.eye_y + 0.02, h.face * 0.36, 0.15)
    c.height -= c.cover * socket * p.socket * (0.6 if c.form == "heart" else 1.0)
    line = h.brow_y + p.arch * (side - h.eye_x) ** 2 / h.face + p.join * np.exp(-side / 0.06)
    along = ramp(h.face * 0.98, h.face * 0.6, side)
    ridge = np.exp(-(((c.y - line) / p.thick) ** 2)) * along
    overhang = ramp(line_top := -0.12, line_top + 0.12, c.y - line) * ramp(0.03, -0.01, c.y - line)
    c.height += c.cover * p.depth * (ridge * 0.7 + overhang * along * 0.4)
    c.mark("brow", ramp(0.45, 0.75, ridge) * c.cover)


NOSE: Table = {
    "width": (0.05, 0.085),
    "height": (0.13, 0.24),
    "flare": (0.5, 1.2),
    "wings": (0.0, 0.08),
    "ridge": (0.4, 1.0),
}


def nose(c: Carving, dice: Dice) -> None:
    """A wedge from the brow to the tip, undercut at its end."""
    p, h = dice.roll("nose", NOSE), c.head
    top, tip = h.brow_y, h.nose_y
    t = (c.y - top) / (tip - top)
    width = p.width * (0.55 + p.flare * t.clip(0, 1) ** 1.5)
    across = np.exp(-(np.abs(c.fx / width) ** (2 + p.ridge)))
    along = ramp(-0.15, 0.1, t) * ramp(1.04, 0.95, t)
    c.height += c.cover * across * along * (0.35 + 0.65 * t.clip(0, 1)) * p.height
    wing = hill(c.face_side, c.y, p.width * 1.25, tip - 0.05, 0.05, 0.045)
    c.height += c.cover * wing * p.wings
    c.mark("nose", ramp(0.4, 0.7, across * along) * c.cover)


EYES: Table = {
    "width": (0.105, 0.15),
    "tilt": (-0.25, 0.25),
    "bulge": (0.05, 0.1),
    "open": (0.3, 0.45),
    "lower": (-0.1, 0.3),
}


def eyes(c: Carving, dice: Dice, kind: str) -> None:
    """Slits in lids, almonds, round holes, or tubes and blocks that stand out (Grebo)."""
    p, h = dice.roll("eyes", EYES), c.head
    side = c.face_side - h.eye_x
    y = c.y - h.eye_y - p.tilt * side
    rx = min(p.width * (1.25 if c.form in ("heart", "disc") else 1.0), h.eye_x * 0.85)
    x = side
    if kind == "slit":
        lid, cut = ellipse(x, y, 0, 0, rx, rx * 0.62), ellipse(x, y, 0, 0.02, rx * 0.92, rx * 0.17)
    elif kind == "almond":
        bow = y + 0.25 * x * x / rx
        lid = ellipse(x, y, 0, 0, rx * 1.1, rx * 0.75)
        cut = ellipse(x, bow, 0, p.lower * rx * 0.5, rx, rx * p.open, 1.7)
    elif kind == "round":
        lid, cut = ellipse(x, y, 0, 0, rx, rx), ellipse(x, y, 0, 0, rx * 0.74, rx * 0.74)
    elif kind == "tube":
        lid, cut = (
            ellipse(x, y, 0, 0, rx * 0.8, rx * 0.8),
            ellipse(x, y, 0, 0, rx * 0.34, rx * 0.34),
        )
    else:
        lid = ellipse(x, y, 0, 0, rx, rx * 0.85, 8)
        cut = ellipse(x, y, 0, 0, rx * 0.74, rx * 0.52, 8)
    rise = {"tube": 2.6, "square": 1.4, "round": 1.1}.get(kind, 1.0) * p.bulge
    shape = root(lid) if kind not in ("tube", "square") else ramp(0, 0.3, lid)
    c.height += c.cover * shape * rise
    hole = ramp(0.0, 0.25, cut) * c.cover
    c.height -= hole * (rise * 0.6 + 0.1)
    c.mark("lid", ramp(0.0, 0.1, lid) * c.cover)
    c.mark("hole", hole)


MOUTH: Table = {
    "width": (0.38, 0.54),
    "rise": (0.06, 0.13),
    "tall": (0.065, 0.105),
    "bow": (-0.35, 0.35),
    "teeth": (5, 9),
}


def mouth(c: Carving, dice: Dice, kind: str) -> None:
    """A thin cut, full lips, an open oval, a block, or a block with teeth of notched wood."""
    p, h = dice.roll("mouth", MOUTH), c.head
    at = h.mouth_y
    taper = 1 - h.chin * max(at, 0) ** 1.6
    rx = min(p.width * h.face * taper, 0.32)
    rx *= {"oval": 0.62, "teeth": 0.85}.get(kind, 1.0)
    tall = p.tall * {"slit": 0.5, "lips": 1.7, "oval": 1.35, "teeth": 1.25}.get(kind, 1.0)
    y = c.y - at - p.bow * c.fx**2 / max(rx, 0.1) * 0.5
    power = 5.0 if kind in ("bar", "teeth") else 2.0
    lips = ellipse(c.fx, y, 0, 0, rx, tall, power)
    inner = {"slit": 0.3, "lips": 0.1, "oval": 0.55, "bar": 0.5, "teeth": 0.66}[kind]
    cut = ellipse(c.fx, y, 0, 0, rx * 0.86, max(tall * inner, 0.014), power)
    c.height += c.cover * root(lips) * p.rise * {"slit": 0.2, "lips": 1.5}.get(kind, 1.0)
    gap = ramp(0.0, 0.3, cut) * c.cover
    if kind == "teeth":
        place = (c.fx / (rx * 0.86) + 1) / 2 * int(p.teeth)
        notch = ramp(0.92, 0.7, np.cos(place * 2 * math.pi))
        line = ramp(0.004, 0.012, np.abs(y))
        teeth = gap * notch * line
        c.height -= gap * 0.05 + (gap - teeth) * 0.05
        c.mark("teeth", teeth)
        gap = gap - teeth
    else:
        c.height -= gap * 0.12
    c.mark("hole", gap)
    c.mark("lips", ramp(0.0, 0.1, lips) * c.cover)
    if c.form != "animal":
        chin = hill(c.fx, c.y, 0, min(at + 0.2, 0.92), h.face * 0.3, 0.1)
        c.height += c.cover * chin * 0.05


SCARS: Table = {
    "cheeks": ("dots", "tears", "bars", "rings"),
    "forehead": ("none", "ridge", "lozenge", "rows", "dots", "chevrons"),
    "pitch": (0.075, 0.1),
    "depth": (0.022, 0.04),
}


def scars(c: Carving, dice: Dice, pattern: str) -> None:
    """Marks on the forehead, and scarification: keloid dots, tear lines, bars on the cheeks."""
    p, h = dice.roll("scars", SCARS), c.head
    x, y, side = c.fx, c.y, c.face_side
    cell = 2 * math.pi / p.pitch
    u = side - h.eye_x * 1.08
    v = y - h.eye_y - 0.3
    dots = ramp(0.1, 0.7, np.cos(u * cell) * np.cos(v * cell)) * (np.cos(u * cell) > 0)
    cheek = ellipse(u, v, 0, 0, p.pitch * 1.7, p.pitch * 1.7, 8) > 0
    if pattern != "scars":
        mark = np.zeros_like(x)
    elif p.cheeks == "dots":
        mark = dots * cheek
    elif p.cheeks == "tears":
        mark = ramp(0.2, 0.7, np.cos(u * cell)) * (ellipse(u, v, 0, 0, p.pitch * 1.45, 0.19, 8) > 0)
    elif p.cheeks == "bars":
        mark = ramp(0.2, 0.7, np.cos(v * cell * 0.8)) * (ellipse(u, v, 0, 0, 0.13, 0.17, 8) > 0)
    else:
        r = np.sqrt(u * u + v * v)
        mark = ramp(0.2, 0.7, np.cos(r * cell)) * (r < p.pitch * 1.6)
    inlaid = "brass" in c.regions or "cowrie" in c.regions  # there is one row on a forehead
    if not inlaid:
        mark = mark + _forehead(p.forehead, x, y - (h.brow_y - 0.24), p.pitch)
    mark = mark.astype(np.float32).clip(0, 1) * c.cover * (1 - c.region("hole"))
    c.height += mark * p.depth
    c.mark("scar", mark)


def _forehead(kind: str, x: Array, v: Array, pitch: float) -> Array:
    cell = 2 * math.pi / pitch
    if kind == "ridge":
        return np.exp(-((x / 0.028) ** 2)) * ramp(-0.32, -0.2, v) * ramp(0.2, 0.1, v)
    if kind == "lozenge":
        d = np.abs(x) / 0.09 + np.abs(v) / 0.14
        return ramp(1.1, 0.9, d) * (1 - 0.8 * ramp(0.62, 0.42, d))
    if kind == "rows":
        return ramp(0.2, 0.7, np.cos(v * cell * 0.8)) * (ellipse(x, v, 0, 0, 0.24, 0.13, 6) > 0)
    if kind == "dots":
        line = np.exp(-((v / 0.03) ** 2)) * ramp(0.1, 0.7, np.cos(x * cell))
        return line * (np.abs(x) < pitch * 3.4)
    if kind == "chevrons":
        wave = np.cos((v + np.abs(x) * 0.7) * cell * 0.8)
        return ramp(0.2, 0.7, wave) * (ellipse(x, v, 0, 0, 0.17, 0.16, 4) > 0)
    return np.zeros_like(x)


MUZZLE: Table = {"nostril": (0.03, 0.05), "ridge": ("none", "line")}


def muzzle(c: Carving, dice: Dice, pattern: str) -> None:
    """An animal's long nose: ridge, nostrils, and where others are painted or scarred, a blaze or
    chevrons."""
    p, h = dice.roll("muzzle", MUZZLE), c.head
    x, y, side = c.fx, c.y, c.face_side
    if p.ridge == "line" or pattern == "scars":
        ridge = np.exp(-((x / 0.03) ** 2)) * ramp(-0.75, -0.6, y) * ramp(0.6, 0.5, y)
        c.height += c.cover * ridge * 0.05
        c.mark("scar", ridge * c.cover)
    if pattern == "scars":
        wave = ramp(0.2, 0.7, np.cos((y + side * 0.6) * 60)) * (np.abs(y - 0.15) < 0.3)
        wave = wave * (side < h.width * 0.3)
        c.height += c.cover * wave * 0.025
        c.mark("scar", wave * c.cover)
    if pattern == "cheeks":
        d = ellipse(x, y, 0, -0.15, h.width * 0.24, 0.5, 1.4)
        c.height -= c.cover * ramp(0, 0.2, d) * 0.03
        c.mark("blaze", ramp(0.0, 0.1, d) * c.cover)
    nostril = ellipse(side, y, 0.1, 0.74, p.nostril, p.nostril * 1.5)
    hole = ramp(0, 0.4, nostril) * c.cover
    c.height += c.cover * hill(side, y, 0.1, 0.72, 0.08, 0.1) * 0.05
    c.height -= hole * 0.1
    c.mark("hole", hole)
