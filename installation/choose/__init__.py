"""`installation choose`: in a browser, from one picture to the next, to those that are kept."""

from __future__ import annotations

from pathlib import Path

from installation.choose.choice import Choice
from installation.choose.server import serve
from installation.engine.painter import Painter
from installation.still import make_folder
from models import shelf
from models.card import verify


def choose(piece: str, out: Path, *, seed: int = 0, truncation: float = 0.8) -> list[Path]:
    """Open the page and serve it until it is done; the stills that are in the folder then.

    seed: the first one's that is shown. Raises StillError where the folder cannot be written;
    PieceError.
    """
    folder = shelf.find(piece)
    verify(folder)
    make_folder(out)
    painter = Painter(folder)
    painter.to_host = True
    choice = Choice(painter, out, seed=seed, truncation=truncation)
    serve(choice)
    return [out / one.says for one in choice.kept()]
