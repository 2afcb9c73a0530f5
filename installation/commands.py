"""What each command does that plays or looks, and how a mistake is told: one line, exit status 2.

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
        command = " ".join(filter(None, [options.command, getattr(options, "action", "")]))
        print(log.printable(f"installation {command}: {error}"), file=sys.stderr)
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
        "installation.take": "TakeError",
        "installation.output.displays": "DisplayError",
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
            toward=options.toward,
            chosen=options.chosen,
            offscreen=options.offscreen,
            frames=options.frames,
            fps=options.fps,
            loop=options.loop,
            sound=options.sound,
            sight=options.sight,
            take=options.take,
            start=options.start,
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


def pieces(options: argparse.Namespace) -> int:
    from installation import listing

    rows = listing.pieces()
    return answer(options.json, rows, lambda: listing.pieces_text(rows))


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
    return answer(options.json, rows, lambda: listing.scenes_text(rows))


def monitor(options: argparse.Namespace) -> int:
    from installation import listing

    return listing.monitor(options.venue, as_json=options.json)


def check(options: argparse.Namespace) -> int:
    from installation import doctor, finding

    found = list(doctor.examine(options.venue))
    answer(options.json, [asdict(one) for one in found], lambda: finding.to_text(found))
    return int(any(one.state == "fault" for one in found))


def bench(options: argparse.Namespace) -> int:
    from installation import bench as measure

    result = measure.run(options.only)
    return answer(options.json, result, lambda: measure.text(result))


def answer(as_json: bool, rows: Any, text: Callable[[], str]) -> int:
    """Print the answer of a command, as JSON or as text that steers no terminal."""
    print(json.dumps(rows, indent=2, ensure_ascii=False) if as_json else log.printable(text()))
    return 0
