"""The running order: scenes, how long each is on, and how one gives way to the next."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
)

from installation.fault import first_fault
from installation.modulation import Modulation

PLAIN = "mix/dissolve"  # the transition where nothing is said


class SetlistError(Exception):
    """A setlist that is not there or not right. One line."""


def _transition(text: str) -> str:
    if not re.fullmatch(r"mix/[a-z0-9_]+|.*\.glsl", text):
        raise ValueError("a shader of mix/, like mix/melt, or the whole path of a .glsl file")
    return text


class Entry(BaseModel):
    """One scene of the evening."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scene: str
    piece: str = Field("", description="A piece's name or folder; empty: the one that is on.")
    seconds: float = Field(180, gt=0, le=86_400)
    transition: Annotated[str, AfterValidator(_transition)] = PLAIN
    fade: float = Field(4, ge=0, le=120, description="Seconds the transition takes.")
    parameters: dict[str, FiniteFloat] = Field(
        {}, description="Values while it is on; afterwards they are as they were before."
    )
    modulation: dict[str, Modulation] = Field({}, description="What moves by itself meanwhile.")


class Setlist(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    scene: list[Entry] = Field(min_length=1)

    def names(self) -> list[str]:
        return [entry.scene for entry in self.scene]


def load(path: str = "") -> Setlist:
    """A setlist file, or the one that ships. Raises SetlistError."""
    where = path or "scenes/setlist.toml"
    try:
        if path:
            text = Path(path).read_text(encoding="utf-8-sig")
        else:
            text = importlib.resources.files("scenes").joinpath("setlist.toml").read_text("utf-8")
        return Setlist.model_validate(tomllib.loads(text))
    except FileNotFoundError as error:
        raise SetlistError(
            f"there is no setlist {Path(path).absolute()}: a venue's paths count from the folder "
            "you work in; put it there, or give its whole path"
        ) from error
    except OSError as error:
        raise SetlistError(f"cannot read the setlist {where}: {error.strerror}") from error
    except ValidationError as error:
        raise SetlistError(f"{where}: {first_fault(error, Setlist)}") from error
    except (ValueError, RecursionError) as error:  # text or TOML that is none
        raise SetlistError(f"{where}: {error}") from error
