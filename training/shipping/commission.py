"""What a piece that ships is made of: a TOML file beside this one."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib import import_module, resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from training.corpus.corpus import Corpus


class Commission(BaseModel):
    """A drawn corpus, and how a piece is trained on it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    corpus: str = Field(description="Who draws it: masks or anime.")
    count: int = Field(ge=2, description="Images to train on.")
    seed: int = Field(ge=0, description="Of the corpus.")
    pinned: dict[str, str] = Field({}, description="Labels that all images share.")
    recipe: str
    guided: bool = Field(False, description="Whether it learns to follow a guide.")
    set: tuple[str, ...] = Field((), description="What differs from the recipe, as key=value.")

    @property
    def artist(self) -> Corpus:
        found: Corpus = import_module(f"training.corpus.{self.corpus}").CORPUS
        return found


def commissions() -> Sequence[str]:
    """The pieces that ship, by name."""
    return sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.suffix == ".toml")


def read_commission(name: str) -> Commission:
    return Commission.model_validate(tomllib.loads((_folder() / f"{name}.toml").read_text("utf-8")))


def _folder() -> Path:
    return Path(str(resources.files("training.shipping")))
