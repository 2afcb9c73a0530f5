"""Recording and stills: from the screen's framebuffer to files, never holding the picture up."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from installation.output.recorder import RecorderError

log = logging.getLogger(__name__)


def free_name(folder: Path, name: str, suffix: str) -> Path:
    """A file name that nobody has yet: name-20261121-060500.mp4."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1, 10_000):
        extra = "" if number == 1 else f"-{number}"
        path = folder / f"{name}-{stamp}{extra}.{suffix}"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            return path
    raise RecorderError(f"{folder} has no free name left for {name}")
