"""What each command does, and how a mistake is told: one line, exit status 2.

Everything heavy is imported inside the command that needs it: `play` never imports Lightning, and
`scenes` needs neither torch nor a screen.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from installation import log


def run(options: argparse.Namespace) -> int:
    """Run one command. A fault that the user can mend is one line; a bug keeps its traceback."""
    log.configure()
    if isinstance(sys.stdout, io.TextIOWrapper):  # into a file, an arrow may have no letter there
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = int(options.run(options) or 0)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head` has seen enough; nothing may be flushed to it at exit
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        return 0
    except _mistakes() as error:
        if options.debug:
            raise
        print(log.printable(f"installation {options.command}: {error}"), file=sys.stderr)
        return 2


def _mistakes() -> tuple[type[Exception], ...]:
    """The errors that speak to the user. Those of modules not loaded cannot have been raised."""
    named = {
        "training": "UsageError",
        "installation.scene": "SceneError",
        "installation.venue": "VenueError",
        "installation.setlist": "SetlistError",
        "installation.still": "StillError",
        "installation.control.message": "ControlError",
        "installation.control.sight": "NoSight",
        "installation.bench": "BenchError",
        "installation.engine.looped": "LoopError",
        "installation.engine.mpv": "ExportError",
        "installation.report": "ReportError",
        "installation.soundtrack": "SoundtrackError",
        "installation.output.window": "DisplayError",
        "installation.output.recorder": "RecorderError",
        "installation.output.ndi": "NdiError",
        "shaders": "ShaderError",
        "models.card": "PieceError",
        "training.corpus.corpus": "CorpusError",
    }
    found = (
        getattr(sys.modules[name], kind) for name, kind in named.items() if name in sys.modules
    )
    return tuple(found)


def play(options: argparse.Namespace) -> int:
    from installation import playing
    from installation.programme import Options

    return playing.play(
        Options(
            piece=options.piece,
            scene=options.scene,
            venue=options.venue,
            fullscreen=options.fullscreen,
            display=options.display,
            size=options.size,
            seed=options.seed,
            chosen=options.chosen,
            offscreen=options.offscreen,
            frames=options.frames,
            fps=options.fps,
            loop=options.loop,
            sound=options.sound,
            sight=options.sight,
            out=options.out,
            report=options.report,
            supervised=options.supervised,
            standby=options.standby,
            memory=options.memory,
        )
    )


def open_house(options: argparse.Namespace) -> int:
    from installation import gallery

    return gallery.open_house(options.venue)


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
    return _answer(options.json, report, lambda: measure.to_text(report))


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
    return _answer(options.json, report, lambda: measure.to_text(report))


def dataset_check(options: argparse.Namespace) -> int:
    from training.curation import summary
    from training.curation.check import check

    review = check(options.dataset, progress=True)
    return _answer(options.json, summary.facts(review), lambda: summary.text(review))


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
    return _answer(options.json, record, lambda: "\n".join(lines))


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


def pieces(options: argparse.Namespace) -> int:
    from installation import listing

    rows = listing.pieces()
    return _answer(options.json, rows, lambda: listing.pieces_text(rows))


def stills(options: argparse.Namespace) -> int:
    from installation import candidates

    drawn = candidates.draw(
        options.piece,
        Path(options.out),
        count=options.count,
        seed=options.seed,
        truncation=options.truncation,
        labels=options.label,
        each=options.each,
        like=Path(options.like) if options.like else None,
        far=options.far,
        of=Path(options.of) if options.of else None,
        guide=Path(options.guide) if options.guide else None,
        size=options.size,
    )
    _say_how_to_play(options, len(drawn), "; take away those that you do not want, then")
    return 0


def choose(options: argparse.Namespace) -> int:
    from installation.choose import choose as chosen

    kept = chosen(
        options.piece, Path(options.out), seed=options.seed, truncation=options.truncation
    )
    _say_how_to_play(options, len(kept), "; play them by")
    return 0


def _say_how_to_play(options: argparse.Namespace, stills: int, how: str) -> None:
    """One alone cannot be played: there is nowhere to go from it."""
    if stills < 2:
        print(f"{options.out}: {stills or 'no'} still")
        return
    print(f"{options.out}: {stills} stills{how}")
    words = ["installation", "play", options.piece, "--scene", "procession"]
    words += ["--chosen", options.out]
    print(subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words))


def export(options: argparse.Namespace) -> int:
    from installation.engine import mpv

    print(mpv.export(options.piece, options.tier, options.scale, Path(options.out)))
    return 0


def scenes(options: argparse.Namespace) -> int:
    from installation import listing

    rows = listing.scenes(options.piece, options.venue)
    return _answer(options.json, rows, lambda: listing.scenes_text(rows))


def monitor(options: argparse.Namespace) -> int:
    from installation import listing

    return listing.monitor(options.venue, as_json=options.json)


def check(options: argparse.Namespace) -> int:
    from installation import doctor, finding

    found = list(doctor.examine(options.venue))
    _answer(options.json, [asdict(one) for one in found], lambda: finding.to_text(found))
    return int(any(one.state == "fault" for one in found))


def bench(options: argparse.Namespace) -> int:
    from installation import bench as measure

    result = measure.run(options.only)
    return _answer(options.json, result, lambda: measure.text(result))


def _answer(as_json: bool, rows: Any, text: Callable[[], str]) -> int:
    print(json.dumps(rows, indent=2, ensure_ascii=False) if as_json else log.printable(text()))
    return 0
