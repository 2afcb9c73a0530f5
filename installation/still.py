"""Stills: pictures that know which latent point they show, so that it can be gone back to.

The point stands in a PNG's text chunk `installation` (PNG specification, 11.3.3) as JSON, by the
names of labels and their values, so that it outlives a training that adds some. A folder of stills
is a choice: `chosen` makes of it the seeds of a show.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from installation.engine.walk import LatentSpace
from installation.writing import replace
from models.card import Card
from models.latent import Latent, Vector, composed

log = logging.getLogger(__name__)

_CHUNK = "installation"
_MOST = 65536  # numbers that a part may have; far more than any piece's
_FAR = 1e6  # that a number may be away from 0; in half a million seeds none is beyond 6
_HOW = "`installation stills PIECE --out FOLDER` draws some to choose from"

Number = Annotated[FiniteFloat, Field(ge=-_FAR, le=_FAR)]
Numbers = Annotated[list[Number], Field(max_length=_MOST)]


class StillError(Exception):
    """Stills that cannot be used or written. One line."""


@dataclass(frozen=True)
class Shown:
    """What a picture shows: a point of a piece, as its generator was fed it."""

    card: Card
    point: Vector


class Told(BaseModel):
    """A point as a file tells it. codes: in order, as their names may be changed."""

    model_config = ConfigDict(extra="forbid")
    piece: str
    z: Numbers
    labels: dict[str, dict[str, Number]] = Field(default_factory=dict, max_length=_MOST)
    codes: list[Numbers] = Field(default_factory=list, max_length=_MOST)

    @classmethod
    def of(cls, shown: Shown) -> Self:
        latent, where = shown.card.latent, shown.card.latent.slices()
        point = np.asarray(shown.point, np.float32)  # whose numbers are told to the last bit
        parts = {name: [float(str(x)) for x in point[at]] for name, at in where.items()}
        return cls(
            piece=shown.card.name,
            z=parts["z"],
            labels={
                label.name: {
                    v: w for v, w in zip(label.values, parts[label.name], strict=True) if w
                }
                for label in latent.labels
            },
            codes=[parts[code.name] for code in latent.codes],
        )

    def point(self, latent: Latent) -> Vector:
        """The point in a piece's latent space; what the piece has and the file does not tell is
        unknown, which is zero.

        Raises StillError where it is of a piece with another z.
        """
        if len(self.z) != latent.z:
            raise StillError(
                f"its z has {len(self.z)} numbers, the piece's {latent.z}: of another training"
            )
        where, point = latent.slices(), np.zeros(latent.width, np.float32)
        point[: latent.z] = self.z
        labels = {  # those of older pieces may be stored as macOS names its folders
            composed(name): {composed(value): weight for value, weight in told.items()}
            for name, told in self.labels.items()
        }
        for label in latent.labels:
            told = labels.get(label.name, {})
            shares = [told.get(value, 0.0) for value in label.values]
            point[where[label.name]] = np.clip(shares, 0, 1)
        for code, numbers in zip(latent.codes, self.codes, strict=False):
            if len(numbers) == code.width:
                low = -1 if code.kind == "continuous" else 0
                point[where[code.name]] = np.clip(numbers, low, 1)
        return point


def _seed(point: Vector, latent: Latent) -> Vector:
    """A point as a walk wants it: z as long as random ones are, as calm shortens it anew."""
    z, rest = np.split(point.astype(np.float64), [latent.z])
    return LatentSpace(latent).finish(z, rest, 1.0)


def save(path: Path, picture: NDArray[np.uint8], shown: Shown | None) -> None:
    """Write a picture, (H, W, 3), as a PNG: whole or not there. Raises OSError."""
    text = PngInfo()
    if shown is not None:
        text.add_text(_CHUNK, Told.of(shown).model_dump_json())
    written = BytesIO()
    Image.fromarray(picture).save(written, format="PNG", pnginfo=text)
    replace(path, written.getvalue())


def read(path: Path) -> Told:
    """What a still shows; its pixels are not looked at. Raises StillError where it is none, without
    the path."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            text = image.info.get(_CHUNK)
    except FileNotFoundError as error:
        raise StillError("there is no such file") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise StillError("it is no PNG that can be read") from error
    if not isinstance(text, str):
        raise StillError("it does not tell what it shows: it is no still, or was saved anew since")
    try:
        return Told.model_validate_json(text)
    except ValidationError as error:
        raise StillError("what it tells of its point is damaged") from error


def make_folder(path: Path) -> None:
    """For stills, new or not. Raises StillError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StillError(f"{path} is a file: name a folder for the stills") from error
    except OSError as error:
        raise StillError(f"{path} cannot be written: {error.strerror or error}") from error


def pictures(folder: Path) -> list[Path]:
    """The files in it that are called as PNGs are, by name; none where there is no folder."""
    files = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in files if path.suffix.lower() == ".png")


def chosen(folder: Path, cards: Mapping[str, Card]) -> dict[str, list[Vector]]:
    """The stills in a folder, in the order of their names, as seeds of the pieces that they show,
    by the cards' own keys. A piece of which there is none is left out, and so is a file that is no
    still, which is said.

    Raises StillError where there is no folder, none of these pieces in it, or one alone of a piece,
    from which there is nowhere to go.
    """
    if not folder.is_dir():
        raise StillError(f"there is no folder {folder} of chosen stills; {_HOW}")
    found: dict[str, list[Vector]] = {}
    for path in pictures(folder):
        try:
            told = read(path)
            shown = [name for name, card in cards.items() if card.name == told.piece]
            latents = [cards[name].latent for name in shown]
            points = [_seed(told.point(latent), latent) for latent in latents]
        except StillError as error:
            log.warning("%s is left out: %s", path, error)
            continue
        for name, point in zip(shown, points, strict=True):
            found.setdefault(name, []).append(point)
    if not found:
        raise StillError(f"{folder} has no still of {' or '.join(cards)}; {_HOW}")
    for name, points in found.items():
        if len(points) < 2:
            raise StillError(f"{folder} has one still of {name}; choose two or more")
        log.info("%s: %d chosen stills in %s", name, len(points), folder)
    return found
