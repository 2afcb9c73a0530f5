"""Where the images come from: provenance.json for the whole, provenance.csv for files and folders.

    path,source,author,licence
    dan,museum website,,CC-BY-4.0
    dan/7.jpg,own photograph,A. Artist,CC0-1.0

A path is a file or a folder; the nearest wins, and `.` is the whole dataset.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import astuple, dataclass, fields
from pathlib import PurePosixPath
from typing import Any

from training.lookup import Lookup
from training.source import DatasetError, Entry, Problem
from training.table import lines_of

TABLE = "provenance.csv"
RECORDS = "provenance.json"
_MOST = 100  # records in a card; a card is a page of text
_LONGEST = 200  # characters of one cell in a card
_LARGEST = 1 << 20  # bytes of provenance.json, which goes into a card whole


@dataclass(frozen=True)
class Origin:
    """What is stated of one image; an empty text where nothing is."""

    source: str = ""
    author: str = ""
    licence: str = ""


_COLUMNS = tuple(field.name for field in fields(Origin))


def read_provenance(
    entries: list[Entry], files: list[str]
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """What the piece's card says: the records of provenance.json as they are, then one record for
    each origin in provenance.csv with the count of its images, those of none included."""
    records, problems = _read_records(entries)
    table, table_problems = _read_table(entries, files)
    summary = _summarise(_origins(records, table, files)) if table else []
    return records + summary, [*problems, *table_problems]


def read_origins(entries: list[Entry], files: list[str]) -> tuple[dict[str, Origin], list[Problem]]:
    """Each file's origin. What all records of provenance.json share stands for the files of which
    provenance.csv says nothing."""
    records, problems = _read_records(entries)
    table, table_problems = _read_table(entries, files)
    return _origins(records, table, files), [*problems, *table_problems]


def _origins(
    records: list[dict[str, Any]], table: dict[str, Origin], files: list[str]
) -> dict[str, Origin]:
    whole = Origin(*(_shared(records, column) for column in _COLUMNS))
    return {file: _nearest(table, file) or whole for file in files}


def table_of(entries: list[Entry], files: list[str]) -> dict[str, Origin]:
    """The lines of provenance.csv that some files still need. Raises DatasetError where none of its
    lines can be used."""
    table, problems = _read_table(entries, [entry.name for entry in entries])
    if problems and not table:
        raise DatasetError(f"{problems[0]}; put the table right or take it away")
    return {path: origin for path, origin in table.items() if _holds(path, files)}


def write_table(table: dict[str, Origin]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", *_COLUMNS))
    writer.writerows((path, *astuple(origin)) for path, origin in table.items())
    return text.getvalue().encode()


def _shared(records: list[dict[str, Any]], column: str) -> str:
    values = {_said(record, column) for record in records}
    return values.pop() if len(values) == 1 else ""


def _said(record: dict[str, Any], column: str) -> str:
    """What a record says of itself, in either spelling of licence; null says nothing."""
    value = record.get(column)
    if value is None and column == "licence":
        value = record.get("license")
    return "" if value is None else str(value)


def _nearest(table: dict[str, Origin], file: str) -> Origin | None:
    path = PurePosixPath(file)
    return next((table[str(p)] for p in (path, *path.parents) if str(p) in table), None)


def _holds(path: str, files: list[str]) -> bool:
    return path == "." or any(file == path or file.startswith(path + "/") for file in files)


def _summarise(origins: dict[str, Origin]) -> list[dict[str, Any]]:
    """One record for each origin with the count of its images, the most common first."""
    counts = Counter(origins.values())
    unstated = counts.pop(Origin(), 0)
    records: list[dict[str, Any]] = []
    for origin, count in counts.most_common(_MOST):
        said = zip(_COLUMNS, astuple(origin), strict=True)
        records.append({"images": count, **{key: _cut(text) for key, text in said if text}})
    rest = sum(counts.values()) - sum(record["images"] for record in records)
    if rest:
        records.append({"images": rest, "source": f"{len(counts) - _MOST} more origins"})
    if unstated:
        records.append({"images": unstated, "source": "not stated"})
    return records


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _read_records(entries: list[Entry]) -> tuple[list[dict[str, Any]], list[Problem]]:
    """What the dataset's own provenance.json says: one record or more. Raises DatasetError where it
    is too large for a card."""
    entry = next((entry for entry in entries if entry.name == RECORDS), None)
    if entry is None:
        return [], []
    try:
        data = entry.read()
    except OSError as error:
        return [], [Problem(RECORDS, f"is not readable ({error})")]
    if len(data) > _LARGEST:
        raise DatasetError(f"{RECORDS} is larger than {_LARGEST >> 10} KB; shorten it")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        return [], [Problem(RECORDS, f"is not readable JSON ({error})")]
    records = found if isinstance(found, list) else [found]
    if not all(isinstance(record, dict) for record in records):
        return [], [Problem(RECORDS, "must be one record or a list of records")]
    return records, []


def _read_table(entries: list[Entry], files: list[str]) -> tuple[dict[str, Origin], list[Problem]]:
    """The lines of provenance.csv by path, and those that say nothing."""
    entry = next((entry for entry in entries if entry.name == TABLE), None)
    if entry is None:
        return {}, []
    try:
        lines = lines_of(entry.read())
    except (OSError, ValueError) as error:
        return {}, [Problem(TABLE, f"cannot be read as a table: {error}")]
    header = (
        [cell.strip().lower().replace("license", "licence") for cell in lines[0]] if lines else []
    )
    wrong = [cell for cell in header if cell not in ("path", *_COLUMNS)]
    if "path" not in header or wrong or len(set(header)) != len(header):
        return {}, [Problem(TABLE, "the first line must be path,source,author,licence")]
    table: dict[str, Origin] = {}
    problems = []
    folders = (str(folder) for file in files for folder in PurePosixPath(file).parents)
    lookup = Lookup([*files, *folders], entries)
    for number, line in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        row = dict(zip(header, (cell.strip() for cell in line), strict=False))
        written = row.pop("path", "")
        path = lookup(written)
        if len(line) > len(header):
            problems.append(Problem(TABLE, f"line {number} has more values than the first line"))
        elif not written:
            problems.append(Problem(TABLE, f"line {number} names no path; . is the whole dataset"))
        elif path is None:
            problems.append(Problem(TABLE, f"line {number} names {written!r}, which was not read"))
        elif path in table:
            problems.append(Problem(TABLE, f"line {number} names {path!r} a second time"))
        else:
            table[path] = Origin(**row)
    return table, problems
