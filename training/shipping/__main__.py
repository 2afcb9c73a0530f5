"""A piece that ships, made anew: its corpus drawn, trained on, measured, put into models/pieces.

    python -m training.shipping anime --work making/anime --budget 4h --upscaler 30m

Without --resolution it is 256 pixels on a machine with CUDA, else 128. Run again, with a longer
budget too, it goes on with what is there. --shelf: another place for the finished piece.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from models import shelf
from models.card import PieceError
from training import UsageError
from training.corpus.corpus import CorpusError
from training.shipping.commission import commissions, read_commission
from training.shipping.ship import Terms, ship


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.shipping",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("piece", choices=commissions())
    parser.add_argument("--work", type=Path, required=True, help="where everything but it is kept")
    parser.add_argument("--budget", default="4h", help="of the training")
    parser.add_argument("--guide", default="30m", help="of learning to follow a guide")
    parser.add_argument("--upscaler", default="30m", help="the budget of its upscaler")
    parser.add_argument("--resolution", type=int, default=256 if torch.cuda.is_available() else 128)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--from", dest="begin_with", metavar="PIECE", help="a piece to begin from")
    parser.add_argument("--shelf", type=Path, default=shelf.SHIPPED)
    options = parser.parse_args(arguments)
    terms = Terms(
        options.budget,
        options.upscaler,
        options.resolution,
        options.guide,
        overrides=options.set,
        begin_with=options.begin_with,
    )
    try:
        made = ship(
            options.piece, read_commission(options.piece), terms, options.work, options.shelf
        )
    except (UsageError, PieceError, CorpusError) as error:
        print(f"shipping: {error}", file=sys.stderr)
        return 2
    print(made)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
