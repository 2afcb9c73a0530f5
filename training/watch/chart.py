"""Lines over kimg, or over time, as inline SVG."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 420, 130
_POINTS = 300  # a line holds no more, however long the training
_COLOURS = ("#e0a458", "#6fa8dc", "#93c47d", "#d5a6bd")


def chart(
    title: str,
    records: Sequence[Mapping[str, float]],
    keys: Sequence[str],
    along: str = "kimg",
) -> str:
    """One small chart of the keys that the records hold; empty where they hold none twice.
    along: the key that runs from left to right."""
    lines = {key: [(r[along], r[key]) for r in records if key in r] for key in keys}
    lines = {key: _thinned(points) for key, points in lines.items() if len(points) > 1}
    if not lines:
        return ""
    every = [point for points in lines.values() for point in points]
    low, high = min(y for _, y in every), max(y for _, y in every)
    first, last = min(x for x, _ in every), max(x for x, _ in every)
    drawn, legend = [], []
    for colour, (key, points) in zip(_COLOURS, lines.items(), strict=False):
        path = " ".join(
            f"{_at(x, first, last, WIDTH):.1f},{HEIGHT - _at(y, low, high, HEIGHT):.1f}"
            for x, y in points
        )
        drawn.append(f'<polyline points="{path}" stroke="{colour}"/>')
        legend.append(f'<span style="color:{colour}">{html.escape(key)} {points[-1][1]:.4g}</span>')
    return (
        f"<figure><figcaption>{html.escape(title)} {' '.join(legend)}</figcaption>"
        f'<svg viewBox="-2 -4 {WIDTH + 4} {HEIGHT + 8}">{"".join(drawn)}</svg>'
        f"<small>{low:.3g} to {high:.3g}, {first:.1f} to {last:.1f} {html.escape(along)}</small>"
        "</figure>"
    )


def _at(value: float, low: float, high: float, length: int) -> float:
    return length * (value - low) / (high - low) if high > low else length / 2


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Means of neighbours, so that no more than so many are left."""
    many = -(-len(points) // _POINTS)
    parts = [points[i : i + many] for i in range(0, len(points), many)]
    return [(part[-1][0], sum(y for _, y in part) / len(part)) for part in parts]
