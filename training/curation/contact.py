"""Contact sheets: the images of one reason side by side, with their names, to be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from training.curation.check import Finding
from training.picture import decode
from training.source import DatasetError, Entry

_TILE = 144  # pixels a side
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
    font = ImageFont.load_default(12)
    across = min(_ACROSS, len(files))
    down = -(-len(files) // across)
    cell = _TILE + _GAP
    height = cell + 2 * _TEXT
    sheet = Image.new("RGB", (across * cell + _GAP, down * height + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for n, file in enumerate(files):
        x, y = _GAP + n % across * cell, _GAP + n // across * height
        sheet.paste(_picture(entries[file]), (x, y))
        word, colour = ("kept", _KEPT) if keep[file] else ("left out", _OUT)
        pen.rectangle((x - 1, y - 1, x + _TILE, y + _TILE), outline=colour)
        pen.text((x, y + _TILE + 2), _fitting(file, font), _INK, font)
        pen.text((x, y + _TILE + 2 + _TEXT), word, colour, font)
    return sheet


def _picture(entry: Entry) -> Image.Image:
    try:
        return Image.fromarray(decode(entry.read(), _TILE, "pad"))
    except ValueError as error:
        raise DatasetError(f"{entry.name} changed while it was looked at: {error}") from error


def _fitting(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The end of a name, which tells files apart, as far as there is room."""
    text = "".join(c if c.isprintable() else "?" for c in name)
    while font.getlength(text) > _TILE:
        text = "…" + text.lstrip("…")[1:]
    return text
