"""What each command does that makes a piece, or measures one: the doors to `training`, which is
imported inside the command that needs it."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from installation import log
from installation.commands import answer


def train(options: argparse.Namespace) -> int:
    from training.machines import Machines
    from training.recipe import read_recipe
    from training.train import train as run_training

    if options.recipe and read_recipe(options.recipe).get("trains") == "upscaler":
        return _train_upscaler(options)
    piece = run_training(
        Path(options.dataset),
        name=options.name,
        recipe=options.recipe,
        out=options.out,
        budget=options.budget,
        resolution=options.resolution,
        overrides=options.set,
        metrics=options.metrics,
        tensorboard=options.tensorboard,
        resume="or-start" if options.resume_or_start else options.resume,
        machines=Machines.parse(options.devices, options.nodes),
        begin_with=options.begin_with,
    )
    if piece is not None:
        print(piece)
    return 0


def cross(options: argparse.Namespace) -> int:
    from training.cross import cross as crossed

    o = options
    print(crossed(o.shape, o.surface, name=o.name, out=o.out, at=o.at))
    return 0


def _train_upscaler(options: argparse.Namespace) -> int:
    from training import UsageError
    from training.recipe import checked, read_recipe
    from training.upscale.recipe import UpscaleRecipe
    from training.upscale.train import train as run_training

    for name in ("resolution", "metrics", "tensorboard"):
        if getattr(options, name):
            raise UsageError(f"--{name} does nothing for an upscaler; leave it out")
    if (options.devices, options.nodes) != ("1", 1):
        raise UsageError("an upscaler is trained on one device; leave --devices and --nodes out")
    recipe = checked(UpscaleRecipe, read_recipe(options.recipe), options.set, options.recipe)
    print(
        run_training(
            Path(options.dataset),
            recipe,
            piece=options.begin_with,
            name=options.name,
            out=options.out,
            budget=options.budget,
            resume="or-start" if options.resume_or_start else options.resume,
        )
    )
    return 0


def evaluate(options: argparse.Namespace) -> int:
    if options.upscaler:
        return _evaluate_upscaler(options)
    from training import UsageError
    from training import evaluate as measure

    if options.dataset is None:
        raise UsageError("give a PIECE and the DATASET that it was trained on")

    def path(text: str | None) -> Path | None:
        return Path(text) if text else None

    report = measure.evaluate(
        options.piece,
        Path(options.dataset),
        samples=options.samples or measure.SAMPLES,
        seed=options.seed,
        out=path(options.out),
        inception=path(options.inception),
        vgg=path(options.vgg),
    )
    return answer(options.json, report, lambda: measure.to_text(report))


def _evaluate_upscaler(options: argparse.Namespace) -> int:
    from training import UsageError
    from training.upscale import evaluate as measure

    for name in ("inception", "vgg"):
        if getattr(options, name):
            raise UsageError(f"--{name} does nothing for upscalers; leave it out")
    given = [path for path in (options.piece, options.dataset) if path]
    report = measure.evaluate(
        Path(given[-1]),
        piece=given[0] if len(given) == 2 else None,
        samples=options.samples or measure.SAMPLES,
        out=Path(options.out) if options.out else None,
    )
    return answer(options.json, report, lambda: measure.to_text(report))


def dataset_check(options: argparse.Namespace) -> int:
    from training.curation import summary
    from training.curation.check import check

    review = check(options.dataset, progress=True)
    return answer(options.json, summary.facts(review), lambda: summary.text(review))


def dataset_curate(options: argparse.Namespace) -> int:
    from training.curation import summary
    from training.curation.curate import curate

    review, outcome = curate(options.dataset, options.out, progress=True)
    print(log.printable(summary.curated_text(review, outcome)))
    return 0


def timelapse(options: argparse.Namespace) -> int:
    from training.watch.timelapse import of_piece

    print(of_piece(options.piece))
    return 0


def inspect(options: argparse.Namespace) -> int:
    from training.novelty.inspect import inspect as look

    record = look(
        options.piece,
        Path(options.dataset),
        Path(options.out),
        samples=options.samples,
        seed=options.seed,
        neighbours=options.neighbours,
    )
    lines = [record["sentence"], record["repetition"], *record["warnings"]]
    lines.append(f"Look: {Path(options.out) / 'index.html'}")
    return answer(options.json, record, lambda: "\n".join(lines))


def corpus(options: argparse.Namespace) -> int:
    from training.corpus import folder
    from training.progress import bar

    artist = import_module(f"training.corpus.{options.kind}").CORPUS
    with bar("drawing", "image") as progress:
        folder.write(
            Path(options.out), artist, options.count, options.pixels, options.seed, progress,
            dict(options.pin),
        )  # fmt: skip
    print(options.out)
    return 0
