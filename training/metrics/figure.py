"""One figure beside its floor, and the table that an artist reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Better = Literal["lower", "higher", "near"]


@dataclass(frozen=True)
class Figure:
    """What was measured of the piece, what real images reach in its place, and what it means."""

    name: str
    value: float
    floor: float | None
    floor_is: str  # of what the floor was measured
    better: Better
    means: str


Figures = dict[str, Figure]


def plain(figures: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    """For JSON; a figure that is not a number becomes null."""
    return {
        key: {k: _finite(v) for k, v in asdict(figure).items()} for key, figure in figures.items()
    }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Every plain figure in a row: name, piece, floor, what it means."""
    rows = [("", "piece", "floor", "")]
    for figure in figures.values():
        rows.append(
            (figure["name"], _short(figure["value"]), _short(figure["floor"]), figure["means"])
        )
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {floor:>{widths[2]}}  {means}".rstrip()
        for name, value, floor, means in rows
    ]
    return "\n".join(lines)


def _short(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3
    return f"{value:.{digits}f}"
