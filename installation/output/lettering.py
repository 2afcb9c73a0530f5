"""Text in whatever script it is written: pygame's own font has Latin, Greek and Cyrillic letters,
fonts of the system have others. What none has is transliterated."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby

import pygame
from anyascii import anyascii
from pygame.font import Font

Ink = tuple[int, int, int]

# Families that come with Linux, Windows and macOS, those with the most scripts first.
_FAMILIES = (
    "dejavusans", "notosans", "segoeui", "arialunicode", "notosanscjkjp", "yugothic", "msgothic",
    "hiraginosansgb", "microsoftyahei", "malgungothic", "applesdgothicneo", "wenquanyimicrohei",
    "droidsansfallback", "nirmalaui", "leelawadeeui", "ebrima", "freesans", "unifont",
)  # fmt: skip
_SIZE = 0.69  # of the line, for letters: what pygame makes of its own font's
_NOWHERE = "\uffff"  # a letter that no font has

# Words; those that are written from right to left together, as the first of them stands last.
_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe"
_JOINED = f"[{_RIGHT}][{_RIGHT}\u200c\u200d]*"
_PIECES = re.compile(rf"{_JOINED}(?:\s+{_JOINED})*|\s+|[^\s{_RIGHT}]+")
_SCRIPTS = {  # ISO 15924, where that is not how the name begins
    "latin": "Latn", "greek": "Grek", "cyrillic": "Cyrl", "gujarati": "Gujr", "gurmukhi": "Guru",
    "tamil": "Taml", "khmer": "Khmr", "lao": "Laoo", "myanmar": "Mymr", "nko": "Nkoo",
}  # fmt: skip


class Lettering:
    """Writes lines that are `line` pixels apart. Fonts of the system are looked for when a letter
    comes that pygame's own has not."""

    def __init__(self, line: int) -> None:
        self._own = pygame.font.Font(None, line)
        self._size = round(line * _SIZE)
        self._installed: dict[str, Font | None] = {}  # a font lives no longer than its window
        self._known: dict[tuple[Font, str], bool] = {}

    def write(self, surface: pygame.Surface, text: str, place: tuple[int, int], ink: Ink) -> None:
        """place: of its upper left corner. It stands on the same line in every font."""
        x, y = place
        for part, font in self._runs(text):
            if not font.size(part)[0]:  # a joiner that is left alone, which pygame refuses to draw
                continue
            if font is not self._own:
                _shape(font, part)
            drawn = font.render(part, True, ink)
            surface.blit(drawn, (x, y + self._own.get_ascent() - font.get_ascent()))
            x += drawn.get_width()

    def _runs(self, text: str) -> Iterator[tuple[str, Font]]:
        if text.isascii() and text.isprintable():
            yield text, self._own
            return
        for piece in _PIECES.findall(unicodedata.normalize("NFC", text)):
            yield from self._in_fonts(piece)

    def _in_fonts(self, text: str) -> Iterator[tuple[str, Font]]:
        """All of it in one font, if there is one; else in that which has the most, and what that
        lacks in others."""
        font = self._best(text)
        for written, letters in groupby(text, lambda letter: self._has(font, letter)):
            part = "".join(letters)
            if written:
                yield part, font
            elif any(self._has(self._best(part), letter) for letter in part):
                yield from self._in_fonts(part)
            else:
                yield "".join(map(_spelled, part)), self._own

    def _best(self, text: str) -> Font:
        """The first font that lacks the fewest letters."""
        letters = set(text)
        if all(self._has(self._own, letter) for letter in letters):
            return self._own  # before others are looked for
        families = (*_FAMILIES, *sorted(f"notosans{_script(letter)}" for letter in letters))
        found = [font for font in map(self._font, families) if font is not None]
        return min([self._own, *found], key=lambda one: sum(not self._has(one, x) for x in letters))

    def _font(self, family: str) -> Font | None:
        """None where it is not installed."""
        if family not in self._installed:
            self._installed[family] = _open(family, self._size)
        return self._installed[family]

    def _has(self, font: Font, letter: str) -> bool:
        if (font, letter) not in self._known:
            self._known[font, letter] = _has(font, letter)
        return self._known[font, letter]


def _open(family: str, size: int) -> Font | None:
    path = pygame.font.match_font(family)
    try:
        return pygame.font.Font(path, size) if path else None
    except (OSError, pygame.error):  # it is gone since
        return None


def _has(font: Font, letter: str) -> bool:
    """Whether a font draws it as something else than what it has not. What steers the direction of
    text is not to be drawn."""
    if not letter.isprintable():
        return letter in "\u200c\u200d"  # not seen, but Persian and Hindi look otherwise without
    if font.metrics(letter) != font.metrics(_NOWHERE):
        return True
    if unicodedata.category(letter)[0] == "M":  # by itself it is drawn on a circle
        return False
    try:
        return _drawn(font, letter) != _drawn(font, _NOWHERE)
    except pygame.error:  # the font's file is damaged
        return False


def _drawn(font: Font, letter: str) -> bytes:
    return pygame.image.tobytes(font.render(letter, True, (255, 255, 255)), "RGBA")


def _shape(font: Font, text: str) -> None:
    """Let it join and order the letters as their script wants it."""
    script = next(filter(None, map(_script, text)), "")
    right = unicodedata.bidirectional(text[0]) in ("R", "AL")
    with suppress(pygame.error):  # built without HarfBuzz: they stand side by side
        font.set_direction(pygame.DIRECTION_RTL if right else pygame.DIRECTION_LTR)
        font.set_script(_SCRIPTS.get(script, f"{script:z<4}"[:4].title()))


def _script(letter: str) -> str:
    """As the names of Unicode begin, in small letters; "" for what is no letter."""
    return unicodedata.name(letter, "").split(" ")[0].lower() if letter.isalpha() else ""


def _spelled(letter: str) -> str:
    """In ASCII; by its number what is no letter or sign. Some marks and letters are silent."""
    kind = unicodedata.category(letter)
    return f"[{ord(letter):x}]" if kind in ("Cc", "Cs", "Co", "Cn") else anyascii(letter)
