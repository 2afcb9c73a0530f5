"""The general weights that ship: fitted to pictures that this project draws, and to no others.

`python -m training.upscale.drawn --tier S --scale 4 --budget 1000kimg --out FOLDER` draws them,
trains, and writes what `models.upscaler.load_default` reads. The same seed and budget in kimg give
the same weights on the same machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.upscaler import CHAINS, SCALES, TIERS
from training.budget import Budget
from training.corpus import anime, leaves, masks, shapes
from training.recipe import checked
from training.upscale.export import stand_alone
from training.upscale.pictures import Picture
from training.upscale.recipe import UpscaleRecipe
from training.upscale.train import begin, run
from training.upscale.training import Training

SIZE = 256
COUNTS = {"shapes": 600, "masks": 150, "anime": 150, "leaves": 100}
SEEDS = {"shapes": 7, "masks": 0, "anime": 0, "leaves": 5}


def draw(counts: dict[str, int] = COUNTS, size: int = SIZE) -> list[Picture]:
    """Every corpus' pictures, in the order of `counts`."""
    corpora = {
        "leaves": leaves.draw,
        "shapes": shapes.draw,
        "masks": lambda count, size, seed: masks.draw(count, size, seed)[0],
        "anime": lambda count, size, seed: anime.draw(count, size, seed)[0],
    }
    return [p for name, n in counts.items() for p in corpora[name](n, size, SEEDS[name])]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.upscale.drawn", description=__doc__)
    parser.add_argument("--tier", choices=sorted(TIERS), default="S")
    parser.add_argument("--scale", type=int, choices=(*SCALES, *CHAINS), default=4)
    parser.add_argument("--budget", default="1000kimg")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    plan = {"tier": chosen.tier, "scale": chosen.scale, "fresh": True}
    recipe = checked(UpscaleRecipe, plan, chosen.set)
    work = chosen.out / f"{chosen.tier}x{chosen.scale}.upscaling"
    work.mkdir(parents=True, exist_ok=True)
    training = Training(begin(recipe), draw(), recipe)
    began = time.process_time()
    run(training, Budget.parse(chosen.budget), work)
    facts: dict[str, Any] = {
        "images": [
            {"corpus": name, "count": count, "size": SIZE, "seed": SEEDS[name]}
            for name, count in COUNTS.items()
        ]
    }
    facts |= {
        "steps": training.step,
        "kimg": training.kimg,
        "cpu_seconds": round(time.process_time() - began),
        "recipe": recipe.model_dump(mode="json"),
    }
    print(stand_alone(training.result, chosen.tier, chosen.out, facts, licence="Apache-2.0"))


if __name__ == "__main__":
    main()
