"""Tables as spreadsheets save them: UTF-8, with commas, semicolons or tabs."""

from __future__ import annotations

import csv
import io

_MOST = 25_000_000  # cells: half a million images with forty labels; each takes 50 bytes or more


def lines_of(data: bytes) -> list[list[str]]:
    """The cells of each line, without empty columns at the end, which spreadsheets may add. Raises
    ValueError, saying how to save what is not UTF-8."""
    return read(data)[0]


def read(data: bytes) -> tuple[list[list[str]], str]:
    """The same, and what separates them: what comes first, as no column of ours is called by it. A
    table is written again with the delimiter that it had, as its spreadsheet knows no other."""
    if sum(map(data.count, (b",", b";", b"\t", b"\n", b"\r"))) > _MOST:
        raise ValueError(f"it has more than {_MOST // 10**6} million cells")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text; save it as CSV UTF-8") from error
    delimiter = next((letter for letter in text.partition("\n")[0] if letter in ",;\t"), ",")
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    used = (place for line in lines for place, cell in enumerate(line, start=1) if cell.strip())
    width = max(used, default=0)
    return [line[:width] for line in lines], delimiter
