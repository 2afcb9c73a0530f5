"""card.json: what a piece is, and the hash of every file in it.

Reading a card needs neither torch nor the weights, so the stage can declare a piece's labels and
codes as parameters, and refuse a damaged piece, before torch is imported.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

from models.latent import Code, Label, Latent

FORMAT = 1
CARD = "card.json"
GENERATOR = "generator.safetensors"
UPSCALER = "upscaler.safetensors"
PREVIEW = "preview.png"
_CARD_BYTES = 1 << 20  # a card is a page of text; anything larger is not one
_WIDEST = 1 << 16  # numbers in a latent vector; the live side makes one before it sees the weights
_FADERS = 4096  # of labels and codes, each looked at in every frame; a dataset's labels have 1024
_DIRECTIONS = 64  # a fader each
_JOINERS = dict.fromkeys((0x200C, 0x200D))  # unseen, within Persian and Indian words
_LONGEST = 200  # of title and name; a file's name has room for 255 bytes


class PieceError(Exception):
    """A folder that is not a piece, or is a damaged one. One sentence, in plain words."""


@dataclass(frozen=True)
class Card:
    """Everything a piece says about itself.

    generator and upscaler hold the keyword arguments that rebuild the networks; directions are
    ways in z, of z numbers each, that can be steered (models.directions); `training` and
    `provenance` are for people: recipe, kimg, seconds, dataset, sources, licences, figures.
    """

    name: str
    resolution: int
    latent: Latent
    generator: dict[str, Any]
    upscaler: dict[str, Any] | None = None
    directions: tuple[tuple[float, ...], ...] = ()
    title: str = ""
    author: str = ""
    licence: str = ""
    provenance: list[dict[str, Any]] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def guided(self) -> bool:
        """Whether it can follow a guide (models.guide)."""
        return bool(self.generator.get("guided"))

    def to_json(self) -> str:
        """The card as text. Raises PieceError for one that could not be written and read again."""
        try:
            text = json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False)
            size = len(text.encode())
        except (ValueError, TypeError, RecursionError) as error:
            raise PieceError(f"the card of {self.name!r} cannot be written: {error}") from error
        if size >= _CARD_BYTES:
            raise PieceError(
                f"the card of {self.name!r} would take {size >> 10} KB, and {_CARD_BYTES >> 10} is "
                "the most; shorten the dataset's provenance.json or its labels"
            )
        return text + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = CARD) -> Card:
        """Check every field before believing it. Raises PieceError with the field's name."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:  # also a number of thousands of digits
            raise PieceError(f"{where} is not readable JSON ({error})") from error
        if not isinstance(data, dict) or "format" not in data:
            raise PieceError(f"{where} is not the card of a piece")
        if data.pop("format") != FORMAT:
            raise PieceError(f"{where} was written by another version of installation")
        unknown = set(data) - set(cls.__dataclass_fields__)
        if unknown:
            raise PieceError(f"{where} has an unknown field {sorted(unknown)[0]!r}")
        try:
            data["latent"] = _latent(data["latent"])
            data["directions"] = tuple(tuple(map(float, way)) for way in data.get("directions", ()))
            card = cls(**data)
            card._check()
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise PieceError(f"{where} is incomplete or wrong: {error}") from error
        return card

    def _check(self) -> None:
        wanted: dict[str, type | tuple[type, ...]] = {
            "name": str, "title": str, "author": str, "licence": str, "resolution": int,
            "generator": dict, "upscaler": (dict, type(None)), "provenance": list,
            "training": dict, "files": dict,
        }  # fmt: skip
        for key, kind in wanted.items():
            if not isinstance(getattr(self, key), kind):
                raise ValueError(f"field {key!r} has the wrong type")
        if not _stays(self.name):  # clips and stills are called after it
            raise ValueError(f"the name {shortened(self.name)} cannot be a file's")
        shown = self.title.translate(_JOINERS)  # on the window
        if len(self.title) > _LONGEST or not shown.isprintable():
            raise ValueError(f"the title {shortened(self.title)} is not text of one line")
        if not 8 <= self.resolution <= 4096:
            raise ValueError(f"resolution {self.resolution} is outside 8 to 4096")
        if self.latent.width > _WIDEST:
            raise ValueError(f"a latent of {self.latent.width} numbers is wider than {_WIDEST}")
        if self.latent.width - self.latent.z > _FADERS:
            raise ValueError(f"labels and codes have more than {_FADERS} values")
        if len(self.directions) > _DIRECTIONS:
            raise ValueError(f"{len(self.directions)} directions are more than {_DIRECTIONS}")
        for way in self.directions:
            if len(way) != self.latent.z or not all(abs(x) <= 1 for x in way):  # nan neither
                raise ValueError(f"a direction is {self.latent.z} numbers from -1 to 1")
        for name, entry in self.files.items():
            if not _stays(name):
                raise ValueError(f"file name {name!r} would leave the folder")
            if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
                raise ValueError(f"no SHA-256 for {name!r}")


def _stays(name: str) -> bool:
    """Whether a file of this name lies in the folder it is put in, on every system."""
    plain = name.isprintable() and not any(c in name for c in "/\\:")
    return plain and len(name.encode()) <= _LONGEST and name not in ("", ".", "..")


def _latent(data: dict[str, Any]) -> Latent:
    labels = tuple(Label(str(x["name"]), tuple(map(str, x["values"]))) for x in data["labels"])
    codes = tuple(Code(str(x["name"]), x["kind"], int(x["size"])) for x in data["codes"])
    return Latent(int(data["z"]), labels, codes)


def fits(card: Card, other: Card) -> bool:
    """Whether the layers of one piece's generator can become those of another's; the first, which
    reads the point, need not."""
    layers = ("resolution", "channels", "doubling")
    return all(card.generator.get(key) == other.generator.get(key) for key in layers)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_card(folder: Path) -> Card:
    """Read and check a piece's card; the weights are not touched. Raises PieceError."""
    path = Path(folder) / CARD
    try:
        if path.stat().st_size > _CARD_BYTES:
            raise PieceError(f"{path} is too large to be a card")
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark before it
    except UnicodeDecodeError as error:
        raise PieceError(f"{path} is not text") from error
    except OSError as error:
        raise PieceError(f"{folder} is not a piece: no readable {CARD} in it") from error
    return Card.from_json(text, str(path))


def verify(folder: Path, card: Card | None = None) -> Card:
    """Check every file's SHA-256 against the card and return the card. Raises PieceError.

    Only a hash finds bit rot: most flipped bits in a weights file load without complaint.
    """
    folder = Path(folder)
    card = card or read_card(folder)
    needed = {GENERATOR} | ({UPSCALER} if card.upscaler else set())
    for name in sorted(needed - set(card.files)):
        raise PieceError(f"{folder / CARD} gives no hash for {name}")
    for name, entry in card.files.items():
        path = folder / name
        try:
            if not path.is_file():  # a pipe or a device would be read for ever
                raise FileNotFoundError(path)
            found = sha256(path)
        except OSError as error:
            raise PieceError(f"{path} is missing or unreadable") from error
        if found != entry["sha256"]:
            raise PieceError(
                f"{path} is damaged or was changed: its SHA-256 is not the one in {CARD}; "
                "copy the piece again from where you had it"
            )
    return card
