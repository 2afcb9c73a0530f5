"""The figures of a training, one JSON object a line in log.jsonl, and what was said about them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from training.budget import Budget
from training.watch.verdict import Verdict

NAME = "log.jsonl"


class History:
    """Records in order of kimg. A training that went back (a rollback, or a resume from an older
    checkpoint) forgets what it left behind; the file keeps every line. `spent` is the share of the
    budget given now, of which earlier runs may have had another."""

    def __init__(self, folder: Path, kimg: float, budget: Budget | None = None) -> None:
        self.path = folder / NAME
        self.records: list[dict[str, Any]] = []
        self.said: list[dict[str, Any]] = []
        for line in _read(self.path):
            self._put(line)
        self._forget(kimg, keep=True)
        for record in self.records:
            if budget is not None and "seconds" in record:
                record["spent"] = budget.spent(record["seconds"], record["kimg"])

    def add(self, figures: dict[str, float]) -> None:
        """A record; a number that is not finite is written as null and read as unknown.

        Raises OSError when it cannot be written; it is remembered all the same.
        """
        plain = {key: _plain(value) for key, value in figures.items()}
        self._put(plain)
        self._write(plain)

    def say(self, kimg: float, verdict: Verdict) -> None:
        line = {"kimg": kimg, "kind": verdict.kind, "said": verdict.sentence, "over": verdict.over}
        self._put(line)
        self._write(line)

    def _put(self, line: dict[str, Any]) -> None:
        if "said" in line:
            self.said.append(line)
        else:
            self._forget(line["kimg"])
            self.records.append({key: value for key, value in line.items() if value is not None})

    def _forget(self, kimg: float, keep: bool = False) -> None:
        """Drop records from kimg on; keep: beyond it only."""
        while self.records and (
            self.records[-1]["kimg"] > kimg or (not keep and self.records[-1]["kimg"] == kimg)
        ):
            self.records.pop()
        while self.said and self.said[-1]["kimg"] > kimg:
            self.said.pop()

    def _write(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _read(path: Path) -> list[dict[str, Any]]:
    """Every whole line; a training that was killed may leave half a one."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and _sound(record):
            found.append(record)
    return found


def _sound(record: dict[str, Any]) -> bool:
    if not isinstance(record.get("kimg"), (int, float)):
        return False
    if "said" in record:
        return isinstance(record["said"], str) and isinstance(record.get("kind"), str)
    return all(value is None or isinstance(value, (int, float)) for value in record.values())


def _plain(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None
