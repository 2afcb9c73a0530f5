"""manifest.csv: one row an image, with a `keep` that a person may change in a spreadsheet.

A row whose `keep` is not what was suggested is a person's decision: it survives another run, also
when the suggestion changes. Changing it back, or emptying it, follows the suggestion again.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from training import UsageError
from training.curation.check import Review
from training.source import MAX_FILES

NAME = "manifest.csv"
_COLUMNS = ("file", "keep", "reason", "detail", "suggested")
_YES = {"yes", "y", "true", "1", "x"}
_NO = {"no", "n", "false", "0"}
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


def read_decisions(path: Path, review: Review) -> dict[str, bool]:
    """What a person decided: file -> keep, only where it is not what was suggested.

    Empty where there is no manifest. Raises ManifestError for a row that names no image of the
    dataset, names one twice, or has no clear keep.
    """
    lines = _read(path)
    if not lines:
        return {}
    header = [cell.strip().lower() for cell in lines[0]]
    if not {"file", "keep"} <= set(header):
        raise ManifestError(f"{path}: the first line must be {','.join(_COLUMNS)}")
    decisions: dict[str, bool] = {}
    known, seen = set(review.files), set()
    for number, line in enumerate(lines[1:], start=2):
        row = dict(zip(header, line, strict=False))
        file = row.get("file", "").removeprefix("./")
        if not any(cell.strip() for cell in line):
            continue
        if file not in known:
            raise ManifestError(
                f"{path} line {number} names {file!r}, which is not in {review.path}; take the "
                "line out, or give the dataset that it came from"
            )
        if file in seen:
            raise ManifestError(f"{path} line {number} names {file!r} a second time")
        seen.add(file)
        keep = _truth(row.get("keep", ""), path, number)
        if keep is not None and keep != _truth(row.get("suggested", ""), path, number):
            decisions[file] = keep
    return decisions


def _read(path: Path) -> list[list[str]]:
    """The lines of a table as Excel or LibreOffice writes it: with commas, semicolons or tabs."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ManifestError(f"{path} is too large to be a manifest")
        text = path.read_bytes().decode("utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8 text; save it as CSV UTF-8") from error
    except csv.Error as error:
        raise ManifestError(f"{path} cannot be read as a table ({error})") from error


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


def write_rows(rows: list[Row]) -> bytes:
    """The table, with the mark by which Excel knows UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        file = f"./{row.file}" if row.file.startswith(_FORMULA) else row.file
        keep, suggested = ("yes" if value else "no" for value in (row.keep, row.suggested))
        writer.writerow((file, keep, row.reason, row.detail, suggested))
    return text.getvalue().encode("utf-8-sig")
