"""Lines of text in pictures, in whatever script the artist writes.

Pillow's own font has little beyond ASCII. Other letters are written with fonts of the system; what
none has, as on most machines that are rented to train on, is transliterated.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Literal

from anyascii import anyascii
from PIL import ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

# Files of fonts that come with Linux, Windows and macOS, and that Pillow looks for in the system's
# folders; those with the most scripts first.
_FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "segoeui.ttf", "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf", "YuGothM.ttc", "msgothic.ttc",
    "Hiragino Sans GB.ttc", "msyh.ttc", "malgun.ttf", "AppleSDGothicNeo.ttc", "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf", "Nirmala.ttc", "Nirmala.ttf", "LeelawUI.ttf", "ebrima.ttf",
    "FreeSans.ttf", "unifont.otf",
)  # fmt: skip
_JOINERS = "\u200c\u200d"  # not seen themselves, but Persian and Hindi look otherwise without
_NOWHERE = "\uffff"  # a letter that no font has
_SIGNS = str.maketrans({"×": "x", "−": "-", "±": "+-"})  # so that our own titles need one font


@dataclass(frozen=True)
class Line:
    """Text in parts, each with a font that can write it. size: of the letters, pixels."""

    runs: tuple[tuple[str, FreeTypeFont], ...]
    size: int

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.runs)

    @property
    def width(self) -> int:
        """Pixels."""
        return round(sum(font.getlength(text) for text, font in self.runs))

    def draw(
        self, pen: ImageDraw.ImageDraw, place: tuple[int, int], ink: tuple[int, int, int],
        anchor: Literal["la", "ma", "rm"] = "la",
    ) -> None:  # fmt: skip
        """anchor: which point of it is at the place, as Pillow has it. It stands on the same line,
        whatever its fonts."""
        across, down = anchor
        x = place[0] - self.width * {"l": 0.0, "m": 0.5, "r": 1.0}[across]
        above, below = _own(self.size).getmetrics()
        y = place[1] + (above if down == "a" else (above - below) / 2)
        for text, font in self.runs:
            pen.text((round(x), round(y)), text, fill=ink, font=font, anchor="ls")
            x += font.getlength(text)


def line(text: str, size: int) -> Line:
    """The whole text on one line. size: of the letters, pixels."""
    text = unicodedata.normalize("NFC", " ".join(text.split()).translate(_SIGNS))
    return Line(tuple(_runs(text, size)), size)


def lines(
    texts: Iterable[str], size: int, width: int, keep: Literal["start", "end"] = "start"
) -> list[Line]:
    """Texts that stand beside each other, cut with … to `width` pixels where they are longer. Those
    that would look like one before them have their number."""
    seen: dict[str, str] = {}
    found = []
    for number, text in enumerate(texts, 1):
        made = _fitted(text, size, width, keep)
        if seen.setdefault(made.text, text) != text:
            made = _fitted(text, size, width, keep, f" ({number})")
        found.append(made)
    return found


def _fitted(text: str, size: int, width: int, keep: str, mark: str = "") -> Line:
    def left(count: int) -> Line:
        cut = f"…{text[len(text) - count :]}" if keep == "end" else f"{text[:count]}…"
        return line(cut + mark, size)

    whole = line(text + mark, size)
    if whole.width <= width:
        return whole
    return left(max(0, bisect_right(range(len(text)), width, key=lambda n: left(n).width) - 1))


def _runs(text: str, size: int) -> Iterator[tuple[str, FreeTypeFont]]:
    """All of it in one font, if there is one; else in that which has the most, and what that lacks
    in others."""
    font = _best(text, size)
    for written, letters in groupby(text, lambda letter: _has(font, letter)):
        part = "".join(letters)
        if written:
            yield part, font
        elif any(_has(_best(part, size), letter) for letter in part):
            yield from _runs(part, size)
        else:
            yield "".join(map(_spelled, part)), _own(size)


def _best(text: str, size: int) -> FreeTypeFont:
    """The first font that lacks the fewest letters."""
    letters = set(text)
    own = _own(size)
    if all(_has(own, letter) for letter in letters):
        return own  # before others are looked for
    return min(_fonts(size, letters), key=lambda font: sum(not _has(font, x) for x in letters))


@lru_cache
def _own(size: int) -> FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, FreeTypeFont)  # noqa: S101 - of a size there is no other
    return font


def _fonts(size: int, letters: Iterable[str]) -> Iterator[FreeTypeFont]:
    """Pillow's own, then those of the system, Noto's of single scripts last."""
    yield _own(size)
    scripts = {unicodedata.name(letter, "").split(" ")[0].title() for letter in letters}
    for name in (*_FONTS, *(f"NotoSans{script}-Regular.ttf" for script in sorted(scripts))):
        font = _installed(name, size)
        if font is not None:
            yield font


@lru_cache
def _installed(name: str, size: int) -> FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:  # it is not there
        return None


@lru_cache(4096)
def _has(font: FreeTypeFont, letter: str) -> bool:
    """Whether a font draws it as something else than what it has not. What steers the direction
    of text is not to be drawn."""
    if letter == " " or not (letter.isprintable() or letter in _JOINERS):
        return letter == " "
    try:
        return _drawn(font, letter) != _drawn(font, _NOWHERE)
    except OSError:  # the font's file is damaged
        return False


def _drawn(font: FreeTypeFont, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = _unshaped(font).getmask(letter)
    return mask.size, bytes(mask)


@lru_cache
def _unshaped(font: FreeTypeFont) -> FreeTypeFont:
    """A letter by itself: shaped, a mark stands on a circle that is none of its own."""
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)


def _spelled(letter: str) -> str:
    """In ASCII; by its number what is no letter or sign. Some marks and letters are silent."""
    kind = unicodedata.category(letter)
    return f"[{ord(letter):x}]" if kind in ("Cc", "Cs", "Co", "Cn") else anyascii(letter)
