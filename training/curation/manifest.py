"""manifest.csv: one row an image, with a `keep` that a person may change in a spreadsheet.

A row whose `keep` is not what was suggested is a person's decision. `decided` remembers it, so that
it survives every other run, also where the suggestion has come to agree and changes again. Changing
`keep` back, or emptying it, follows the suggestion again. Columns that a person added stay.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from training import UsageError
from training.curation.check import Review
from training.lookup import Lookup
from training.source import MAX_FILES
from training.table import read

NAME = "manifest.csv"
_COLUMNS = ("file", "keep", "reason", "detail", "suggested", "decided")
_YES = {"yes", "y", "true", "1", "x"}
_NO = {"no", "n", "false", "0"}
_WORDS = {True: "yes", False: "no"}
_FORMULA = ("=", "+", "-", "@")  # a spreadsheet would compute a cell that begins so
_MAX_BYTES = MAX_FILES * 1000


class ManifestError(UsageError):
    """A manifest that cannot be followed. One line, with the line's number."""


@dataclass(frozen=True)
class Row:
    file: str
    keep: bool
    reason: str
    detail: str
    suggested: bool


@dataclass(frozen=True)
class Words:
    """What a person wrote into a manifest. decisions: file -> keep. columns: the names of those
    that were added; cells: file -> what stands in them. delimiter: by which their spreadsheet tells
    columns apart."""

    decisions: dict[str, bool] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    cells: dict[str, tuple[str, ...]] = field(default_factory=dict)
    delimiter: str = ","


def read_words(path: Path, review: Review) -> Words:
    """What a person decided and added; nothing where there is no manifest.

    Raises ManifestError for rows that name no image of the dataset, and for one that names an image
    twice or has no clear keep.
    """
    lines, delimiter = _read(path)
    if not lines:
        return Words()
    width = max(map(len, lines))
    lines = [line + [""] * (width - len(line)) for line in lines]
    header = [cell.strip().lower() for cell in lines[0]]
    added = [index for index, name in enumerate(header) if name not in _COLUMNS]
    if not {"file", "keep"} <= set(header):
        raise ManifestError(f"{path}: the first line must be {','.join(_COLUMNS)}")
    lookup = Lookup(review.files, review.entries.values())
    decisions: dict[str, bool] = {}
    cells: dict[str, tuple[str, ...]] = {}
    vanished: dict[int, str] = {}  # line -> what it names
    for number, line in enumerate(lines[1:], start=2):
        row = dict(zip(header, line, strict=True))
        if not any(cell.strip() for cell in line):
            continue
        file = lookup(row["file"])
        if file is None:
            vanished[number] = row["file"]
            continue
        if file in cells:
            raise ManifestError(f"{path} line {number} names {file!r} a second time")
        cells[file] = tuple(line[index] for index in added)
        keep, suggested, decided = (
            _truth(row.get(name, ""), path, number) for name in ("keep", "suggested", "decided")
        )
        if keep is not None and (keep != suggested or keep == decided):
            decisions[file] = keep
    if vanished:
        raise ManifestError(
            f"{path}: {_lines(list(vanished))} {'names' if len(vanished) == 1 else 'name'} what is "
            f"not in {review.path}, the first {next(iter(vanished.values()))!r}; take such lines "
            "out, or give the dataset that they came from"
        )
    return Words(decisions, tuple(lines[0][index] for index in added), cells, delimiter)


def _lines(numbers: list[int]) -> str:
    """Line numbers in ascending order as text, what follows one another as 4-7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return f"line {told}" if len(numbers) == 1 else f"{len(numbers)} lines ({told})"


def _read(path: Path) -> tuple[list[list[str]], str]:
    """Its lines and their delimiter; no lines where there is no such file."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ManifestError(f"{path} is too large to be a manifest")
        return read(path.read_bytes())
    except FileNotFoundError:
        return [], ","
    except ValueError as error:
        raise ManifestError(f"{path} cannot be read as a table: {error}") from error


def _truth(text: str, path: Path, number: int) -> bool | None:
    word = text.strip().lower()
    if word in _YES | _NO:
        return word in _YES
    if not word:
        return None
    raise ManifestError(f"{path} line {number} says {text!r}: keep is yes or no")


def make_rows(review: Review, decisions: dict[str, bool]) -> list[Row]:
    """One row an image, in the order of the files."""
    reasons: dict[str, list[str]] = {}
    details: dict[str, list[str]] = {}
    for finding in review.findings:
        reasons.setdefault(finding.file, []).append(finding.reason)
        if finding.detail:
            details.setdefault(finding.file, []).append(finding.detail)
    return [
        Row(
            file,
            decisions.get(file, keep),
            "; ".join(reasons.get(file, [])),
            "; ".join(details.get(file, [])),
            keep,
        )
        for file, keep in review.suggested().items()
    ]


def write_rows(rows: list[Row], words: Words) -> bytes:
    """The table with a person's own words, and the mark by which Excel knows UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=words.delimiter, lineterminator="\n")
    writer.writerow((*_COLUMNS, *words.columns))
    none = ("",) * len(words.columns)
    for row in rows:
        file = f"./{row.file}" if row.file.startswith(_FORMULA) else row.file
        keep, suggested = (_WORDS[value] for value in (row.keep, row.suggested))
        decided = keep if row.file in words.decisions else ""
        own = words.cells.get(row.file, none)
        writer.writerow((file, keep, row.reason, row.detail, suggested, decided, *own))
    return text.getvalue().encode("utf-8-sig")
