"""Contact sheets: the images of one reason side by side, with their names, to be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from PIL import Image, ImageDraw

from training.curation.check import Finding
from training.lettering import line, lines
from training.picture import decode
from training.source import DatasetError, Entry

_TILE = 144  # pixels a side
_SIZE = 12  # of the letters, pixels
_TEXT = 17  # pixels a line; two lines beneath each image
_GAP = 10
_ACROSS = 8  # images beside each other; four pairs
_PAGE = 96  # images on one sheet
_INK, _KEPT, _OUT = (30, 30, 30), (20, 110, 40), (170, 40, 20)


def draw_sheets(
    findings: Sequence[Finding], entries: Mapping[str, Entry], keep: Mapping[str, bool]
) -> Iterator[Image.Image]:
    """The sheets of one reason, a page at a time. Where a finding has another file, that one comes
    first and the two stand together. Beneath each: its name, and whether it is kept."""
    shown: list[str] = []
    for finding in findings:
        shown += [finding.other, finding.file] if finding.other else [finding.file]
    for start in range(0, len(shown), _PAGE):
        yield _sheet(shown[start : start + _PAGE], entries, keep)


def _sheet(
    files: Sequence[str], entries: Mapping[str, Entry], keep: Mapping[str, bool]
) -> Image.Image:
    across = min(_ACROSS, len(files))
    down = -(-len(files) // across)
    cell = _TILE + _GAP
    height = cell + 2 * _TEXT
    sheet = Image.new("RGB", (across * cell + _GAP, down * height + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    names = lines(files, _SIZE, _TILE, keep="end")  # which tells files apart
    for n, (file, name) in enumerate(zip(files, names, strict=True)):
        x, y = _GAP + n % across * cell, _GAP + n // across * height
        sheet.paste(_picture(entries[file]), (x, y))
        word, colour = ("kept", _KEPT) if keep[file] else ("left out", _OUT)
        pen.rectangle((x - 1, y - 1, x + _TILE, y + _TILE), outline=colour)
        name.draw(pen, (x, y + _TILE + 2), _INK)
        line(word, _SIZE).draw(pen, (x, y + _TILE + 2 + _TEXT), colour)
    return sheet


def _picture(entry: Entry) -> Image.Image:
    try:
        return Image.fromarray(decode(entry.read(), _TILE, "pad"))
    except ValueError as error:
        raise DatasetError(f"{entry.name} changed while it was looked at: {error}") from error
