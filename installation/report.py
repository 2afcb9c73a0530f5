"""Frame statistics: what --report writes and `installation bench` prints.

Memory is bounded: percentiles come from the newest frames, so that a show of weeks reports as
cheaply as a test of seconds.
"""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from installation.writing import replace

_KEPT = 36_000  # ten minutes at 60 frames a second
_STAGES = ("generator", "upload", "upscale", "post")


class FrameStats:
    """Collects one show's figures; times in seconds, reported in milliseconds."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin counting anew."""
        self.frames = 0
        self.seconds = 0.0
        self.neural = 0
        self.dropped = 0  # recorded frames that were dropped; displayed ones never are
        self._frame: deque[float] = deque(maxlen=_KEPT)
        self._stages: dict[str, deque[float]] = {name: deque(maxlen=_KEPT) for name in _STAGES}

    def frame(self, seconds: float) -> None:
        """One displayed frame, from swap to swap."""
        self.frames += 1
        self.seconds += seconds
        self._frame.append(seconds)

    def stage(self, name: str, seconds: float) -> None:
        """The time of one station of the frame path: generator, upload, upscale or post."""
        self._stages[name].append(seconds)

    def recent_fps(self) -> float:
        """Frames a second over the newest frames."""
        newest = [self._frame[-i] for i in range(1, min(60, len(self._frame)) + 1)]
        return len(newest) / sum(newest) if newest else 0.0

    def report(self, **facts: Any) -> dict[str, Any]:
        """The fields of a report; facts: device, renderer, size, host_copy."""
        times = np.asarray(self._frame or [0.0]) * 1000
        p50, p99 = np.percentile(times, [50, 99])
        return {
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "fps": round(self.frames / self.seconds, 2) if self.seconds else 0.0,
            "frame_ms": {"p50": _ms(p50), "p99": _ms(p99), "max": _ms(times.max())},
            "neural_fps": round(self.neural / self.seconds, 2) if self.seconds else 0.0,
            **{f"{name}_ms": self._median(name) for name in _STAGES},
            **facts,
            "dropped": self.dropped,
        }

    def _median(self, name: str) -> float | None:
        values = self._stages[name]
        return _ms(float(np.median(values)) * 1000) if values else None


def _ms(value: float) -> float:
    return round(float(value), 3)


class ReportError(Exception):
    """A report that cannot be written where it is asked for. One line."""


def check(path: Path) -> None:
    """See before the show that the report can be written after it. Raises ReportError."""
    if path.is_dir():
        raise ReportError(f"--report {path} is a folder; give a file, like report.json")
    if not path.absolute().parent.is_dir():
        raise ReportError(f"--report {path}: there is no folder {path.parent}")
    if not os.access(path.absolute().parent, os.W_OK):
        raise ReportError(f"--report {path}: no permission to write to {path.parent}")


def write(path: Path, report: dict[str, Any]) -> None:
    """Write a report, whole or not at all. Raises OSError."""
    replace(path, json.dumps(report, indent=2) + "\n")
