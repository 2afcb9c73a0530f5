"""A take: all that was done to a show while it played, written down, so that a film of the same
evening can be rendered afterwards, of any size.

A file of lines of JSON. The first says what was played; each of the others is a moment, in seconds
of the show, with what hands, controllers, sound and sensors posted in it. What the house does by
itself follows from that again, as scenes are repeatable.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from installation.control.keyboard import Keyboard
from installation.modulation import Modulation
from installation.parameters import Bus
from installation.posted import Form, Post
from installation.presets import Preset
from installation.programme import Options, Programme
from installation.sources import FOR_THE_HAND, MEMORY, PRESET, SETLIST, VENUE
from models.card import GENERATOR

log = logging.getLogger(__name__)

FORMAT = 1
_HOUSE = {VENUE, SETLIST, PRESET, MEMORY, FOR_THE_HAND}  # what it posts by itself
# of that evening's machine, and not of what was to be seen
_NOT_PLAYED = {
    f"/stage/{name}" for name in ("record", "still", "overlay", "fullscreen", "learn", "quit")
}
_AIMED = "/modulation/"  # triggers that are meant for what is selected
_DIGITS, _NEAR = 6, 2e-6  # of seconds, as they are written; what that makes of them
_FLUSHED = 1.0  # seconds; a show that is killed loses as much
_MOST = 1e7  # seconds of a show
_LONGEST = 1 << 23  # characters in a line; a moment may hold a value of every parameter
_GIVEN = ("piece", "scene", "venue", "toward", "chosen")  # of Options, as they were


class TakeError(Exception):
    """A take that cannot be written, or is none. One line."""


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Kind = TypeVar("_Kind", bound=Line)


class Head(Line):
    """What was played. pieces: the SHA-256 of each one's generator."""

    take: int = Field(ge=FORMAT, le=FORMAT)
    piece: str
    scene: str
    venue: str
    toward: str
    chosen: str
    seed: int = Field(ge=0, le=2**31 - 1)
    pieces: dict[str, str]
    presets: list[Preset]


class Posted(Line):
    """One post, as the bus took it in."""

    address: str
    number: FiniteFloat
    form: Form = "value"
    source: str = ""
    modulation: Modulation | None = None

    @classmethod
    def of(cls, post: Post) -> Self:
        return cls(
            address=post.address, number=round(post.number, 6), form=post.form,
            source=post.source, modulation=post.value if post.form == "modulation" else None,
        )  # fmt: skip


class Moment(Line):
    """at: seconds of the show. begins: its pieces are there, and scenes walk from here on.
    selected: by the keyboard, from here on; "" as before."""

    at: float = Field(ge=0, le=_MOST)
    begins: bool = False
    selected: str = ""
    posts: list[Posted] = []


class Writer:
    """Writes a take down beside the show. Raises TakeError where there is such a file already, or
    none can be made; what fails later is said, and the show goes on."""

    def __init__(
        self, path: Path, program: Programme, options: Options, presets: list[Preset]
    ) -> None:
        try:
            self._file: IO[str] | None = path.open("x", encoding="utf-8", newline="\n")
        except FileExistsError as error:
            raise TakeError(f"{path} is there already; give a take a name that is free") from error
        except OSError as error:
            raise TakeError(f"{path} cannot be written: {error.strerror or error}") from error
        self._path = path
        self._at = self._flushed = 0.0
        self._selected, self._walks = "", False
        self._since: float | None = None  # when the recording began that runs
        given = {name: getattr(options, name) for name in _GIVEN}
        seed = program.venue.play.seed if options.seed is None else options.seed
        pieces = {n: card.files[GENERATOR]["sha256"] for n, card in program.cards.items()}
        head = Head(take=FORMAT, **given, seed=seed, pieces=pieces, presets=presets)
        self._write(head.model_dump_json())

    def note(self, dt: float, bus: Bus, selected: str, walks: bool) -> None:
        """What the bus has taken in, dt seconds after the frame before. walks: the scenes do, as
        the pieces are there."""
        self._at += dt
        posts = [Posted.of(post) for post in bus.taken if post.source not in _HOUSE]
        begins, other = walks and not self._walks, selected != self._selected
        quiet = self._at - self._flushed > _FLUSHED  # how long it is, is known of a killed one, too
        if posts or begins or other or quiet:
            moment = Moment(
                at=round(self._at, _DIGITS), begins=begins, selected=selected if other else "",
                posts=posts,
            )  # fmt: skip
            self._write(moment.model_dump_json(exclude_defaults=True))
        self._selected, self._walks = selected, walks

    def recording(self, on: bool) -> None:
        """Whether the picture is recorded, too: at its end it is told where that was."""
        if on and self._since is None:
            self._since = self._at
        elif not on and self._since is not None:
            log.info("that was %s to %s of %s", said(self._since), said(self._at), self._path)
            self._since = None

    def _write(self, line: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(f"{line}\n")
            if self._at - self._flushed > _FLUSHED:
                self._flushed = self._at
                self._file.flush()
        except OSError as error:  # a full disk
            log.error("%s ends here: %s", self._path, error.strerror or error)
            self._file = None

    def close(self) -> None:
        """A last moment says how long it was."""
        self.recording(on=False)
        self._flushed = -_FLUSHED
        self._write(Moment(at=round(self._at, _DIGITS)).model_dump_json(exclude_defaults=True))
        if self._file is not None:
            self._file.close()
            if not self._path.exists():
                log.error("%s is gone: somebody has taken it away", self._path)
                return
            log.info("%s of the show are in %s", said(self._at), self._path)


@dataclass
class Take:
    """One that is played again. moments: in order, read as their time comes: an hour of sound would
    be half a gigabyte. begins: seconds after which the pieces were there; until then the show was
    waiting for them. length: seconds of the show."""

    head: Head
    moments: Iterator[Moment]
    begins: float
    length: float
    _next: Moment | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Look through all of it. Raises TakeError."""
        begins, length = None, -1.0
        try:
            with path.open(encoding="utf-8") as file:
                head = Head.model_validate_json(next(_lines(file), ""))
            for moment in _moments(path, says=True):
                if moment.at < length:
                    raise ValueError("time goes back")
                length = moment.at
                begins = length if moment.begins and begins is None else begins
        except OSError as error:
            raise TakeError(f"cannot read the take {path}: {error.strerror or error}") from error
        except ValueError as error:
            raise TakeError(f"{path} is no take, or is damaged") from error
        if length < 0:
            raise TakeError(f"{path} is no take, or is damaged")
        return cls(head, _moments(path), length if begins is None else begins, length)

    def frames(self, start: float, fps: float) -> tuple[int, int, int]:
        """Of a film that begins after so many seconds of the show: how many frames lie before it,
        how many of these before the pieces were there, and how many are left. Raises TakeError
        where none is."""
        waits, first = (
            max(0, math.ceil((at - _NEAR) * fps) - 1)
            for at in (self.begins, max(start, self.begins))
        )
        left = math.ceil((self.length - _NEAR) * fps) - first
        if left <= 0:
            raise TakeError(f"the take is {said(self.length)} long; nothing is left of it there")
        return first, waits, left

    def options(self, asked: Options) -> Options:
        """What was played then, where nothing else is asked for."""
        plain = Options()
        then = {name: getattr(self.head, name) for name in (*_GIVEN, "seed")}
        return replace(
            asked, **{k: v for k, v in then.items() if getattr(asked, k) == getattr(plain, k)}
        )

    def check(self, program: Programme) -> None:
        """Say which pieces are others since."""
        for name, card in program.cards.items():
            if self.head.pieces.get(name) != card.files[GENERATOR]["sha256"]:
                log.warning("%s is not the piece that it was then: the film will differ", name)

    def play(self, bus: Bus, keyboard: Keyboard, until: float) -> None:
        """Post what came up to this second of the show, in its order. Where a film has fewer frames
        and something else is selected after what was meant for the selected, that waits for the
        next frame, as in the show."""
        aimed = False
        while moment := self._next or next(self.moments, None):
            self._next = moment
            if moment.at > until + _NEAR or (aimed and moment.selected):
                return
            self._next = None
            if moment.selected:
                keyboard.select(moment.selected)
            for one in moment.posts:
                aimed = aimed or one.address.startswith(_AIMED)
                if one.address not in _NOT_PLAYED:
                    value = one.modulation if one.form == "modulation" else one.number
                    bus.post(one.address, value, one.source, one.form)


def _lines(file: IO[str]) -> Iterator[str]:
    """Raises ValueError for one that no show writes."""
    while line := file.readline(_LONGEST):
        if len(line) == _LONGEST:
            raise ValueError("a line is too long")
        yield line


def _moments(path: Path, says: bool = False) -> Iterator[Moment]:
    """All after the first line. A show that was killed has left half a line at the end; says: it is
    told. Raises OSError, or ValueError."""
    with path.open(encoding="utf-8") as file:
        lines = _lines(file)
        next(lines, "")
        for line in lines:
            try:
                yield Moment.model_validate_json(line)
            except ValidationError:
                if line.endswith("\n"):
                    raise
                if says:
                    log.warning(
                        "the take ends in the middle of a line: the show was ended by force, or "
                        "the disk was full"
                    )


def said(seconds: float) -> str:
    """12:34, or 1:02:03."""
    whole = int(seconds + _NEAR)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
