"""The tables that go with the kept images: labels and provenance."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from training import provenance
from training.dataset import LABELS
from training.lookup import Lookup
from training.source import DatasetError, Entry
from training.table import lines_of


def carried_tables(entries: Mapping[str, Entry], kept: Sequence[str]) -> dict[str, bytes]:
    """Name -> content of each table that the dataset has, with the lines of the kept images only:
    a line about an image that is not there would be told as a fault at every training.

    Raises DatasetError for a table of which no line can be used: the copy must not just lose it.
    """
    tables = {}
    if LABELS in entries:
        lookup = Lookup(entries, entries.values())
        tables[LABELS] = _labels(entries[LABELS], set(kept), lookup)
    if provenance.TABLE in entries:
        table = provenance.table_of(list(entries.values()), list(kept))
        tables[provenance.TABLE] = provenance.write_table(table)
    if provenance.RECORDS in entries:
        tables[provenance.RECORDS] = _bytes(entries[provenance.RECORDS])
    return tables


def _labels(entry: Entry, kept: set[str], lookup: Lookup) -> bytes:
    """The first line as it is, and those of the kept files, by the names that their copies have."""
    try:
        lines = lines_of(_bytes(entry))
    except ValueError as error:
        raise DatasetError(f"{LABELS} cannot be read as a table: {error}") from error
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(lines[:1])
    found = [(lookup(line[0]), line) for line in lines[1:] if any(cell.strip() for cell in line)]
    if found and not any(file for file, _ in found):
        raise DatasetError(
            f"no line of {LABELS} names an image of the dataset, the first {found[0][1][0]!r}; put "
            "the table right or take it away"
        )
    writer.writerows([file, *line[1:]] for file, line in found if file in kept)
    return text.getvalue().encode()


def _bytes(entry: Entry) -> bytes:
    try:
        return entry.read()
    except ValueError as error:
        raise DatasetError(f"{entry.name} {error}") from error
