"""The head as a solid: where a place on the face, or on the hair's dome, is once it is turned.

The face's chart is flat and frontal: x and y in the portrait's units with (0, 0) between the eyes,
so that every feature is described once, from the front, and foreshortened by `at`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from training.corpus.portrait.pen import Point, Points

DEPTH = 34.0  # from the head's axis to the nose
_FAR = math.sin(math.radians(32))  # a whole turn: three-quarter view
_NAPE = -0.28  # radians that the whorl lies behind the top


@dataclass(frozen=True)
class Head:
    """yaw, pitch in radians: positive towards the viewer's right, and down. wide: half the face's
    width; chin: the chin's y; jaw: half the jaw's width as a share of wide; hair: how far the hair
    stands off the skull."""

    yaw: float
    pitch: float
    wide: float
    chin: float
    jaw: float
    hair: float

    @property
    def turn(self) -> float:
        """-1 in three-quarter view to the left, 0 from the front, 1 to the right."""
        return math.sin(self.yaw) / _FAR

    @property
    def reach(self) -> float:
        """Half the width of the hair on the skull."""
        return self.wide + self.hair

    @property
    def rise(self) -> float:
        """From the skull's middle to the top of the hair."""
        return 64.0 + self.hair

    def at(self, x: float, y: float, out: float = 0.0) -> Point:
        """Where a place of the face's chart is in the picture; `out` stands off the face."""
        bulge = 1 - (x / (1.06 * self.wide)) ** 2 - ((y - 8) / 112) ** 2
        z = DEPTH * math.sqrt(max(0.04, bulge)) + out
        return (
            x * math.cos(self.yaw) + z * math.sin(self.yaw),
            y * math.cos(self.pitch) + z * math.sin(self.pitch),
        )

    def all(self, points: Points, out: float = 0.0) -> list[Point]:
        return [self.at(x, y, out) for x, y in points]

    def middle(self) -> Point:
        """The middle of the skull: the back of the head stays where the face turns away from."""
        return -5.0 * self.turn, -20.0

    def dome(self, longitude: float, v: float, out: float = 0.0) -> Point:
        """A place on the hair: longitude in radians from the face's middle, v from the whorl (0)
        to the level of the hairline's front (1) and further down."""
        c, lean = v * math.pi / 2, self.pitch + _NAPE
        x, y, z = math.sin(longitude) * math.sin(c), -math.cos(c), math.cos(longitude) * math.sin(c)
        y, z = y * math.cos(lean) + z * math.sin(lean), z * math.cos(lean) - y * math.sin(lean)
        x = x * math.cos(self.yaw) + z * math.sin(self.yaw)
        mx, my = self.middle()
        return mx + x * (self.reach + out), my + y * (self.rise + out)

    def outline(self) -> list[Point]:
        """The face's closed outline, clockwise from the viewer's upper left."""
        ahead = 1 if self.turn >= 0 else -1  # the side the face turns to
        t = min(1.0, abs(self.turn))
        far = [
            _between(front, turned, t)
            for front, turned in zip(self._front(), self._ahead(), strict=True)
        ]
        near = [
            _between(front, turned, t)
            for front, turned in zip(self._front(), self._behind(), strict=True)
        ]
        drop = DEPTH * math.sin(self.pitch)
        whole = [(ahead * x, y + drop * _share(y)) for x, y in far]
        whole += [(-ahead * x, y + drop * _share(y)) for x, y in near[-2::-1]]
        return whole

    def _front(self) -> list[Point]:
        """Half the outline from the front, temple to chin."""
        w, chin, jaw = self.wide, self.chin, self.jaw
        return [
            (0.80 * w, -56), (0.98 * w, -28), (0.99 * w, 0), (0.93 * w, 18),
            ((0.46 + 0.52 * jaw) * w, 0.56 * chin),
            (0.92 * jaw * w, 0.78 * chin), ((0.50 * jaw - 0.06) * w, 0.94 * chin), (0, chin + 1),
        ]  # fmt: skip

    def _ahead(self) -> list[Point]:
        """The side it turns to: brow, the dent of the eye, cheek, mouth, chin."""
        w, chin, jaw = self.wide, self.chin, self.jaw
        return [
            (0.84 * w, -56), (0.95 * w, -28), (0.915 * w, -3), (0.94 * w, 17),
            ((0.48 + 0.44 * jaw) * w, 0.56 * chin), ((0.36 + 0.40 * jaw) * w, 0.77 * chin),
            ((0.30 + 0.30 * jaw) * w, 0.93 * chin), (0.34 * w, chin),
        ]  # fmt: skip

    def _behind(self) -> list[Point]:
        """The side it turns from: the ear's place, the corner of the jaw, its long line."""
        w, chin, jaw = self.wide, self.chin, self.jaw
        return [
            (0.80 * w, -56), (0.96 * w, -28), (0.97 * w, 0), (0.92 * w, 18),
            ((0.26 + 0.76 * jaw) * w, 0.52 * chin), ((0.74 * jaw - 0.06) * w, 0.72 * chin),
            ((0.40 * jaw - 0.20) * w, 0.92 * chin), (-0.34 * w, chin),
        ]  # fmt: skip


def _between(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def _share(y: float) -> float:
    """How much of the nod moves the outline: the chin most, the temples hardly."""
    return min(1.0, max(0.2, 0.4 + y / 100))
