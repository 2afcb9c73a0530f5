"""The command line: one entry per command; the work is done elsewhere."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from installation import __version__, commands, making
from installation.control.keyboard import key_help


class Parser(argparse.ArgumentParser):
    """One clear line for a wrong option, and exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script. Returns the exit status."""
    top = parser()
    options, unknown = top.parse_known_args(arguments)
    if unknown:  # the help that knows is the command's
        action = getattr(options, "action", "")
        top.prog = " ".join(filter(None, [top.prog, options.command, action]))
        top.error(f"there is no {' '.join(unknown)}")
    return commands.run(options)


def parser() -> argparse.ArgumentParser:
    top = Parser(
        prog="installation",
        description="Train a GAN on your own images; play it live.",
        epilog="example: installation play",
    )
    top.add_argument("--version", action="version", version=f"installation {__version__}")
    top.add_argument("--debug", action="store_true", help="show where an error comes from")
    sub = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    _play(_command(sub, "play", "play a piece live", "installation play --scene drift"))
    text = "the gallery: by the venue's hours, started again when it ends"
    _open(_command(sub, "open", text, "installation open gallery", "open_house"))
    _train(_command(sub, "train", "train a piece on images", "installation train photos/"))
    text = "a piece of two: the shapes of one, and what the other makes of them"
    _cross(_command(sub, "cross", text, "installation cross anime carved --name wooden"))
    _evaluate(_command(sub, "evaluate", "measure a piece", "installation evaluate masks photos/"))
    _dataset(sub)
    film = _command(sub, "timelapse", "a film of a training", "installation timelapse masks")
    film.add_argument("piece", help="a piece's name or folder; it may still be in training")
    _inspect(_command(sub, "inspect", "is it new?", "installation inspect masks photos/ --out new"))
    _corpus(_command(sub, "corpus", "draw a dataset", "installation corpus masks --out drawn/"))
    _json(_command(sub, "pieces", "what pieces there are", "installation pieces"))
    text = "draw stills of a piece, to choose from"
    _stills(_command(sub, "stills", text, "installation stills anime --out faces/"))
    text = "choose stills of a piece, in a browser"
    _choose(_command(sub, "choose", text, "installation choose anime --out faces/"))
    text = "the upscaler as a shader for mpv"
    _export(_command(sub, "export", text, "installation export --tier S --scale 2 --out s.glsl"))
    _scenes(_command(sub, "scenes", "scenes and addresses", "installation scenes"))
    text = "is this machine ready?"
    _check(_command(sub, "check", text, "installation check mine.toml"))
    _monitor(_command(sub, "monitor", "show incoming OSC and MIDI", "installation monitor"))
    _bench(_command(sub, "bench", "measure this machine", "installation bench --json"))
    return top


def _command(
    sub: Any, name: str, text: str, example: str, run: str = ""
) -> argparse.ArgumentParser:
    """A command that calls the function of its name, or of the name `run`, in `commands` or
    `making`."""
    sentence = text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")
    made: argparse.ArgumentParser = sub.add_parser(
        name, help=text, description=sentence, epilog=f"example: {example}"
    )
    called = run or name
    made.set_defaults(run=getattr(making if hasattr(making, called) else commands, called))
    return made


def _json(p: argparse.ArgumentParser) -> None:
    p.add_argument("--json", action="store_true", help="the answer as JSON, alone on stdout")


def _check(p: argparse.ArgumentParser) -> None:
    p.add_argument("venue", nargs="?", default="rehearsal", help="a venue's name or .toml file")
    _json(p)


def _play(p: argparse.ArgumentParser) -> None:
    p.formatter_class = argparse.RawDescriptionHelpFormatter
    p.epilog = "\n".join([str(p.epilog), "", "keys:", *(f"  {k:10} {t}" for k, t in key_help())])
    p.add_argument("piece", nargs="?", default="", help="a piece's name or folder")
    p.add_argument("--scene", default="", help="a scene's name, or a .py file of your own")
    p.add_argument("--venue", default="rehearsal", help="a venue's name or .toml file")
    p.add_argument("--fullscreen", action="store_true", help="fill the display")
    p.add_argument("--display", type=int, help="which display, from 0")
    p.add_argument("--size", type=_size, help="of the window or the file, e.g. 512x512")
    p.add_argument("--seed", type=_seed, help="another seed, another walk")
    text = "a piece of its kin, to which the fader /piece/toward leads"
    p.add_argument("--toward", default="", metavar="PIECE", help=text)
    text = "a folder of stills that its seeds are; `installation stills` draws some"
    p.add_argument("--chosen", default="", metavar="FOLDER", help=text)
    p.add_argument("--offscreen", action="store_true", help="render without a window")
    text = "live: writes down all that is done to the show; offscreen: renders it once more"
    p.add_argument("--take", default="", metavar="FILE", help=text)
    text = "offscreen: where in the take the film begins, as 12:34"
    p.add_argument("--from", type=_moment, default=0.0, dest="start", metavar="TIME", help=text)
    p.add_argument("--frames", type=_count, help="stop after so many frames (else when told to)")
    p.add_argument("--fps", type=_rate, default=60.0, help="frames a second, offscreen (60)")
    text = "offscreen: the film's end meets its beginning, for screens that play it over and over"
    p.add_argument("--loop", action="store_true", help=text)
    text = "offscreen: a song to listen to, as long as which is rendered; it goes into the FILE.mp4"
    p.add_argument("--sound", default="", metavar="FILE", help=text)
    text = "offscreen: a film of those before the wall, seen in place of a camera"
    p.add_argument("--sight", default="", metavar="FILE", help=text)
    p.add_argument("--out", default="", help="record to a new FILE.mp4, or a folder of PNG")
    p.add_argument("--report", default="", help="write frame statistics to this JSON file")
    for name in ("--supervised", "--standby"):  # what `installation open` asks of its show
        p.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    p.add_argument("--memory", default="", help=argparse.SUPPRESS)


def _open(p: argparse.ArgumentParser) -> None:
    p.add_argument("venue", help="a venue's name or .toml file")


def _train(p: argparse.ArgumentParser) -> None:
    p.add_argument("dataset", help="a folder or zip of images")
    p.add_argument("--name", help="the piece's name (else the dataset's)")
    p.add_argument("--recipe", help="a recipe's name or .toml file (quick); upscale: an upscaler")
    p.add_argument("--out", help="the piece's folder (pieces/NAME)")
    p.add_argument(
        "--budget", default="20m", help="20m, 2h or 400kimg, earlier runs included (20m)"
    )
    p.add_argument("--resolution", type=int, help="pixels a side, a power of two")
    p.add_argument(
        "--from",
        dest="begin_with",
        metavar="PIECE",
        help="begin from a piece; upscale: whose it is",
    )
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="recipe field")
    p.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    p.add_argument("--resume-or-start", action="store_true", help="the same, if there is one")
    p.add_argument("--metrics", metavar="[HOST:]PORT", help="where Prometheus reads figures")
    p.add_argument("--tensorboard", action="store_true", help="write TensorBoard's event files")
    p.add_argument("--devices", default="1", help="GPUs or processes a machine, or auto (1)")
    p.add_argument("--nodes", type=_count, default=1, help="machines (1)")


def _cross(p: argparse.ArgumentParser) -> None:
    p.add_argument("shape", help="the piece whose shapes it has, and its labels")
    p.add_argument("surface", help="the piece that draws them; one was trained from the other")
    text = "up to how many pixels the first one draws: 4, 8, 16, … (16)"
    p.add_argument("--at", type=_count, default=16, help=text)
    p.add_argument("--name", help="the new piece's name (both names)")
    p.add_argument("--out", help="its folder (pieces/NAME)")


def _evaluate(p: argparse.ArgumentParser) -> None:
    p.add_argument("piece", help="a piece's name or folder")
    p.add_argument("dataset", nargs="?", help="the folder or zip that it was trained on")
    p.add_argument("--upscaler", action="store_true", help="measure upscalers: [PIECE] DATASET")
    p.add_argument("--samples", type=_count, help="pictures, at most (2000; of upscalers 100)")
    p.add_argument("--seed", type=_seed, default=0, help="the same seed, the same figures")
    p.add_argument("--out", help="a folder for the report and a sheet of pictures")
    p.add_argument("--inception", metavar="FILE", help="official weights, for FID and KID")
    p.add_argument("--vgg", metavar="FILE", help="official weights, for VGG-16's likeness")
    _json(p)


def _dataset(sub: Any) -> None:
    example = "installation dataset check photos/"
    text = "check and curate a dataset's images"
    p = sub.add_parser("dataset", help=text, description=text, epilog=f"example: {example}")
    actions = p.add_subparsers(dest="action", required=True, parser_class=Parser)
    text = "what is in a dataset and what is wrong with it; changes nothing"
    check = _command(actions, "check", text, example, "dataset_check")
    check.add_argument("dataset", help="a folder or zip of images")
    _json(check)
    text, example = "make a curated copy", "installation dataset curate photos/ --out curated/"
    curate = _command(actions, "curate", text, example, "dataset_curate")
    curate.add_argument("dataset", help="a folder or zip of images; it is only read")
    curate.add_argument("--out", required=True, help="a new folder, or one from before")


def _inspect(p: argparse.ArgumentParser) -> None:
    p.add_argument("piece", help="a piece's name or folder")
    p.add_argument("dataset", help="the folder or zip that it was trained on")
    p.add_argument("--out", required=True, help="a new folder, or that of an older report")
    p.add_argument("--samples", type=_count, default=256, help="pictures to draw (256)")
    p.add_argument("--seed", type=_seed, default=0, help="the same seed, the same pictures")
    p.add_argument("--neighbours", type=_count, default=3, help="training images beside each (3)")
    _json(p)


def _corpus(p: argparse.ArgumentParser) -> None:
    p.add_argument("kind", choices=["masks", "anime"], help="what to draw")
    p.add_argument("--count", type=_count, default=3000, help="how many images (3000)")
    p.add_argument("--size", type=_count, default=96, dest="pixels", help="pixels a side (96)")
    p.add_argument("--seed", type=_seed, default=0, help="another seed, other images (0)")
    text = "a label that all images share, like headwear=none; may be given again"
    pin = p.add_argument("--pin", type=_pair, action="append", default=[], help=text)
    pin.metavar = "LABEL=VALUE"
    p.add_argument("--out", required=True, help="a new folder")


def _stills(p: argparse.ArgumentParser) -> None:
    p.add_argument("piece", help="a piece's name or folder")
    text = "how many (48; with --each one of each value, with --of 8)"
    p.add_argument("--count", type=_count, help=text)
    p.add_argument("--seed", type=_seed, default=0, help="the first one's; the next ones' follow")
    text = "what all of them are, like hair=pink; may be given again"
    label = p.add_argument("--label", type=_pair, action="append", default=[], help=text)
    label.metavar = "LABEL=VALUE"
    text = "a label of which they have one value after the other"
    p.add_argument("--each", default="", metavar="LABEL", help=text)
    p.add_argument("--like", default="", metavar="STILL", help="a still that all resemble")
    text = "how far from it, 0 to 1, which is another one (0.3; with --each 0)"
    p.add_argument("--far", type=_share, help=text)
    text = "a JPEG, PNG or WebP, whose relatives in the piece they are, nearest first"
    p.add_argument("--of", default="", metavar="IMAGE", help=text)
    text = "a JPEG, PNG or WebP, whose shape and light all of them take"
    p.add_argument("--guide", default="", metavar="IMAGE", help=text)
    text = "pixels a side, for a print; enlarged by the upscaler (the piece's own size)"
    p.add_argument("--size", type=_side, help=text)
    _truncated(p)
    p.add_argument("--out", required=True, help="a folder, new or not; no file is written over")


def _choose(p: argparse.ArgumentParser) -> None:
    p.add_argument("piece", help="a piece's name or folder")
    p.add_argument("--seed", type=_seed, default=0, help="the first one's; the next ones' follow")
    _truncated(p)
    p.add_argument("--out", required=True, help="a folder, new or not, for those that you keep")


def _truncated(p: argparse.ArgumentParser) -> None:
    text = "of random ones, 0 to 1.5: low is average, high is strange (0.8)"
    p.add_argument("--truncation", type=_truncation, default=0.8, help=text)


def _export(p: argparse.ArgumentParser) -> None:
    p.add_argument("piece", nargs="?", default="", help="a piece with an upscaler of its own")
    p.add_argument("--tier", default="S", help="without a piece: T, S, M or L (S)")
    p.add_argument("--scale", type=_count, default=2, help="without a piece: 2, 3, 4 or 6 (2)")
    text = "the shader's file, like sharp.glsl; of files that are there, only an export is replaced"
    p.add_argument("--out", required=True, help=text)


def _scenes(p: argparse.ArgumentParser) -> None:
    p.add_argument("--piece", default="", help="whose labels and codes to list")
    p.add_argument("--venue", default="rehearsal", help="whose MIDI map to list")
    _json(p)


def _monitor(p: argparse.ArgumentParser) -> None:
    p.add_argument("--venue", default="rehearsal", help="whose ports to listen on")
    _json(p)


def _bench(p: argparse.ArgumentParser) -> None:
    p.add_argument("--only", default="", help="start, frame_path, latency or upscaler")
    _json(p)


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not cross or not width.isdigit() or not height.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, e.g. 512x512")
    size = int(width), int(height)
    if not all(16 <= side <= 16384 for side in size):
        raise argparse.ArgumentTypeError(f"{text}: each side must be 16 to 16384 pixels")
    return size


def _side(text: str) -> int:
    if not text.isdigit() or not 16 <= int(text) <= 16384:
        raise argparse.ArgumentTypeError(f"{text!r} is not 16 to 16384 pixels")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdigit() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {2**31 - 1}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not LABEL=VALUE")
    return name, value


def _number(text: str, low: float, high: float, what: str = "number") -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a {what} from {low:g} to {high:g}")
    return number


def _share(text: str) -> float:
    return _number(text, 0, 1)


def _truncation(text: str) -> float:
    return _number(text, 0, 1.5)


def _moment(text: str) -> float:
    """Seconds, as 754, 12:34 or 1:02:03."""
    parts = text.split(":")
    numbers = all(part.replace(".", "", 1).isdecimal() for part in parts)
    if not numbers or len(parts) > 3 or any(float(part) >= 60 for part in parts[1:]):
        raise argparse.ArgumentTypeError(f"{text!r} is no time as 12:34, nor a number of seconds")
    return sum(float(part) * 60**n for n, part in enumerate(reversed(parts)))


def _rate(text: str) -> float:
    return _number(text, 1, 240, "frame rate")


if __name__ == "__main__":
    sys.exit(main())
