"""Two distributions drawn over one another, as SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT, _FOOT = 460, 200, 34
_BINS = 40


def histogram(samples: Sequence[float], real: Sequence[float], threshold: float) -> str:
    """Shares per bin: real images as a filled shape, samples as a line over it, the threshold as a
    dashed line. Colours come from the page's style: .real, .drawn, .limit."""
    top = max(1.0, *samples, *real)
    edges = np.linspace(0, top, _BINS + 1)
    shares = [np.histogram(values, edges)[0] / len(values) for values in (real, samples)]
    highest = max(float(part.max()) for part in shares)
    shapes = [_steps(part / highest) for part in shares]
    x = threshold / top * _WIDTH
    floor = _HEIGHT - _FOOT
    side, shift = ("start", 6) if x < _WIDTH / 2 else ("end", -6)
    ticks = "".join(
        f'<text x="{value / top * _WIDTH:.0f}" y="{_HEIGHT - 19}" text-anchor="'
        f'{"start" if value == 0 else "middle"}">{value:g}</text>'
        for value in np.arange(0, top, 0.25 if top < 2 else 0.5)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="How close samples and real images come to a training image">'
        f'<path class="real" d="{shapes[0]}"/><path class="drawn" d="{shapes[1]}"/>'
        f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{floor}"/>'
        f'<text class="limit-name" x="{x + shift:.1f}" y="12" text-anchor="{side}">'
        "the closest real images</text>"
        f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{floor}" y2="{floor}"/>{ticks}'
        f'<text x="0" y="{_HEIGHT - 4}">0: the same picture</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 4}" text-anchor="end">1: nearer to no image than to '
        "others</text></svg>"
    )


def _steps(heights: NDArray[np.float64]) -> str:
    """An outline of bars, open along the floor."""
    floor, wide = _HEIGHT - _FOOT, _WIDTH / len(heights)
    path = [f"M0 {floor}"]
    for k, height in enumerate(heights):
        y = floor - height * (floor - 18)
        path.append(f"L{k * wide:.1f} {y:.1f}L{(k + 1) * wide:.1f} {y:.1f}")
    return "".join([*path, f"L{_WIDTH} {floor}"])
