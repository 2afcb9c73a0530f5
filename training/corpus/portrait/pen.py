"""A pen on a Skia canvas: smooth paths, ribbons that swell and taper, soft fills.

Coordinates are those of the portrait: x to the right and y down, 200 to the frame's side, (0, 0)
between the eyes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from training.corpus.corpus import CorpusError
from training.corpus.portrait.colour import Colour

try:
    import skia
    from skia import Path, Shader
except ImportError as error:  # not installed, or OpenGL's libraries are not, which it is linked to
    raise CorpusError(
        f"drawing faces needs skia-python: pip install 'installation[anime]' ({error})"
    ) from error

Point = tuple[float, float]
Points = Sequence[Point]
Fill: TypeAlias = Colour | Shader

FRAME = 200.0
MULTIPLY = skia.BlendMode.kMultiply
SCREEN = skia.BlendMode.kScreen


class Pen:
    """Draws on a square of `side` pixels."""

    def __init__(self, side: int) -> None:
        self._surface = skia.Surface.MakeRasterN32Premul(side, side)
        self._canvas = self._surface.getCanvas()
        self._canvas.scale(side / FRAME, side / FRAME)
        self._canvas.translate(FRAME / 2, FRAME / 2)

    def pixels(self) -> NDArray[np.uint8]:
        """(side, side, 3) sRGB."""
        image = self._surface.makeImageSnapshot()
        return np.asarray(image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., :3])

    def fill(self, path: Path, what: Fill, alpha: float = 1.0, mode: object = None) -> None:
        self._canvas.drawPath(path, _paint(what, alpha, mode))

    def line(self, path: Path, colour: Colour, width: float, alpha: float = 1.0) -> None:
        paint = _paint(colour, alpha, None)
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
        self._canvas.drawPath(path, paint)

    def wash(self, what: Fill, alpha: float = 1.0, mode: object = None) -> None:
        """Fill all that is not clipped away."""
        self._canvas.drawPaint(_paint(what, alpha, mode))

    @contextmanager
    def inside(self, path: Path) -> Iterator[None]:
        self._canvas.save()
        self._canvas.clipPath(path, skia.ClipOp.kIntersect, True)
        try:
            yield
        finally:
            self._canvas.restore()

    @contextmanager
    def moved(
        self, x: float, y: float, turn: float = 0.0, scale: tuple[float, float] = (1.0, 1.0)
    ) -> Iterator[None]:
        """Draw around (x, y), turned by degrees, then scaled."""
        self._canvas.save()
        self._canvas.translate(x, y)
        self._canvas.rotate(turn)
        self._canvas.scale(*scale)
        try:
            yield
        finally:
            self._canvas.restore()


def smooth(points: Points, closed: bool = False) -> Path:
    """A Catmull-Rom spline through the points."""
    path = Path()
    path.moveTo(*points[0])
    _through(path, [points[-1], *points, *points[:2]] if closed else _ended(points))
    if closed:
        path.close()
    return path


def polygon(points: Points) -> Path:
    path = Path()
    path.addPoly([skia.Point(*p) for p in points], True)
    return path


def oval(x: float, y: float, rx: float, ry: float) -> Path:
    path = Path()
    path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
    return path


def together(paths: Iterable[Path]) -> Path:
    """One path of many, to be filled or clipped by at once."""
    whole = Path()
    for path in paths:
        whole.addPath(path)
    return whole


def between(left: Points, right: Points) -> Path:
    """What lies between two edges that run the same way."""
    path = smooth(left)
    path.lineTo(*right[-1])
    path.addPath(smooth(right[::-1]), Path.kExtend_AddPathMode)
    path.close()
    return path


def ribbon(points: Points, widths: Sequence[float]) -> Path:
    """A stroke along the points whose full width at each is given; 0 ends it in a tip."""
    return between(*sides(points, widths))


def sides(points: Points, widths: Sequence[float]) -> tuple[list[Point], list[Point]]:
    """The two edges of a ribbon: to the left and to the right of its way."""
    left, right, last = [], [], len(points) - 1
    for i, ((x, y), width) in enumerate(zip(points, widths, strict=True)):
        ahead, behind = points[min(i + 1, last)], points[max(i - 1, 0)]
        dx, dy = ahead[0] - behind[0], ahead[1] - behind[1]
        half = width / 2 / (math.hypot(dx, dy) or 1.0)
        left.append((x + dy * half, y - dx * half))
        right.append((x - dy * half, y + dx * half))
    return left, right


def leaf(a: Point, b: Point, bend: float, width: float) -> Path:
    """A tapered dash from a to b, bowed sideways by `bend` and `width` across at its middle."""
    mx, my = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy) or 1.0
    nx, ny = dy / length, -dx / length
    path = Path()
    path.moveTo(*a)
    path.quadTo(mx + nx * (bend + width), my + ny * (bend + width), *b)
    path.quadTo(mx + nx * (bend - width), my + ny * (bend - width), *a)
    path.close()
    return path


def gradient(a: Point, b: Point, *colours: Colour, alphas: Sequence[float] = ()) -> Shader:
    """Even steps of colour from a to b."""
    return skia.GradientShader.MakeLinear([a, b], _ints(colours, alphas))


def glow(centre: Point, radius: float, colour: Colour, alpha: float) -> Shader:
    """The colour at the centre, fading out to nothing at the radius."""
    fading = _ints([colour] * 3, (alpha, alpha * 0.45, 0.0))
    return skia.GradientShader.MakeRadial(centre, radius, fading)


def _ints(colours: Sequence[Colour], alphas: Sequence[float]) -> list[int]:
    alphas = alphas or [1.0] * len(colours)
    return [
        skia.Color4f(*colour, alpha).toColor()
        for colour, alpha in zip(colours, alphas, strict=True)
    ]


def _paint(what: Fill, alpha: float, mode: object) -> skia.Paint:
    if isinstance(what, Shader):
        paint = skia.Paint(AntiAlias=True, Shader=what, Alphaf=alpha)
    else:
        paint = skia.Paint(skia.Color4f(*what, alpha))
        paint.setAntiAlias(True)
    if mode is not None:
        paint.setBlendMode(mode)
    return paint


def _ended(points: Points) -> list[Point]:
    return [points[0], *points, points[-1]]


def _through(path: Path, points: Points) -> None:
    """Go on through points[1:-1]; the first and the last only steer."""
    for (x0, y0), (x1, y1), (x2, y2), (x3, y3) in zip(
        points, points[1:], points[2:], points[3:], strict=False
    ):
        path.cubicTo(
            x1 + (x2 - x0) / 6, y1 + (y2 - y0) / 6, x2 - (x3 - x1) / 6, y2 - (y3 - y1) / 6, x2, y2
        )
