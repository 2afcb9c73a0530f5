"""What is played where: everything that is read and checked before a window opens."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import shaders
from installation import focus, report, setlist, still
from installation import scene as scenes
from installation import venue as venues
from installation.modulation import Modulation, movable
from installation.parameters import Bus, Param
from installation.scene import SceneError
from installation.screens import Mask, read_masks
from installation.setlist import PLAIN, Entry, Setlist, SetlistError
from installation.still import StillError
from installation.tables import Venue
from installation.venue import VenueError
from models.card import Card, PieceError, fits, verify
from models.latent import Vector
from models.shelf import find
from shaders import ShaderError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What `installation play` was asked for; None and "" leave it to the venue."""

    piece: str = ""
    scene: str = ""
    venue: str = "rehearsal"
    fullscreen: bool = False
    display: int | None = None
    size: tuple[int, int] | None = None
    seed: int | None = None
    toward: str = ""  # a piece
    chosen: str = ""
    offscreen: bool = False
    frames: int | None = None
    fps: float = 60.0
    loop: bool = False  # offscreen: the film's end meets its beginning
    lead: int = 0  # frames before it that are drawn and not kept
    sound: str = ""  # a file that is heard, offscreen, and goes into the movie
    sight: str = ""  # a film that is seen, offscreen, in place of a camera
    take: str = ""  # a file: live, what is done to the show; offscreen, that once more
    start: float = 0.0  # seconds of a take before the film's beginning
    out: str = ""
    report: str = ""
    supervised: bool = False  # the venue's hours hold, and the pulse goes to stdout
    standby: bool = False  # the built-in picture alone
    memory: str = ""  # a file: what the show was doing when it ended, and does now

    @property
    def replays(self) -> bool:
        """Whether a take is rendered. It has the tempo that was tapped: from the times of a film's
        frames another would follow."""
        return self.offscreen and bool(self.take)

    def names_a_display(self) -> bool:
        """Whether a certain display was asked for: then a clip is no answer."""
        named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        asked = self.fullscreen or self.display is not None
        return bool(named) or asked or venues.load(self.venue).window.fullscreen


@dataclass(frozen=True)
class Programme:
    """What is played where: in running order, on which pieces."""

    venue: Venue
    order: Setlist
    scenes: tuple[str, ...]  # names or files: the setlist, then those asked for besides
    pieces: dict[str, Path]  # folders, the one that is played first at the head
    cards: dict[str, Card]
    toward: dict[Path, Path]  # from a piece's folder to that of its kin
    chosen: dict[str, list[Vector]]  # points that a piece's seeds are, where any were chosen
    masks: tuple[Mask | None, ...]  # of the venue's screens
    broken: tuple[str, ...] = ()  # what is wrong with what was left out
    unattended: bool = False  # nobody is there to mend what breaks

    @classmethod
    def of(cls, options: Options) -> Self:
        """Read and check all that is played. Raises what a user can mend; where nobody is there to
        mend it (`supervised`), a scene, a shader or a piece that is broken is left out and said, as
        long as anything is left."""
        venue = venues.load(options.venue)
        order = setlist.load(venue.play.setlist)
        broken: list[str] = []
        if options.supervised:
            venue, order, broken = _what_is_whole(venue, order)
        shown = dict.fromkeys([*order.names(), venue.play.scene, options.scene])
        shown.pop("", None)
        if not options.supervised:
            for name in shown:
                _check_scene(name)
            for entry in order.scene:
                shaders.load(entry.transition)
        check_names(order)
        if options.report:
            report.check(Path(options.report))
        pieces = pieces_of(order, options.piece or venue.play.piece)
        cards = {name: verify(folder) for name, folder in pieces.items()}
        try:
            toward = kin_of(options.toward or venue.play.toward, pieces, cards)
        except PieceError as error:
            if not options.supervised:
                raise
            toward, broken = {}, [*broken, str(error)]
        folder = options.chosen or venue.play.chosen
        try:
            chosen = still.chosen(Path(folder), cards) if folder else {}
        except StillError as error:
            if not options.supervised:
                raise
            chosen, broken = {}, [*broken, str(error)]
        masks, faults = read_masks(venue.screen)
        if faults and not options.supervised:
            raise faults[0]
        broken += map(str, faults)
        for fault in broken:
            log.error("left out: %s", fault)
        return cls(
            venue, order, tuple(shown), pieces, cards, toward, chosen, tuple(masks),
            tuple(broken), options.supervised,
        )  # fmt: skip

    @property
    def card(self) -> Card:
        """Of the piece that is played first."""
        return next(iter(self.cards.values()))

    def piece_of(self, entry: Entry) -> str:
        """The name of the piece that an entry asks for; "" for the one that is on."""
        name = Path(entry.piece).name
        return name if name in self.pieces else ""

    def moved_by(self, entry: Entry, bus: Bus) -> dict[str, float]:
        """What an entry sets; not what is its piece's, where another piece is played instead, or
        where the setlist is ours and an artist's own piece is called as one that ships."""
        return {a: v for a, v in entry.parameters.items() if self._is_its(entry, a, bus)}

    def modulated_by(self, entry: Entry, bus: Bus) -> dict[str, Modulation]:
        """What an entry lets move by itself, with the same exceptions."""
        return {a: m for a, m in entry.modulation.items() if self._is_its(entry, a, bus)}

    def _is_its(self, entry: Entry, address: str, bus: Bus) -> bool:
        ours = bool(self.piece_of(entry)) or not entry.piece
        theirs = bool(self.venue.play.setlist)
        return not address.startswith("/piece/") or (ours and (theirs or address in bus))

    def faults(self, bus: Bus, where: str) -> Iterator[tuple[str, str]]:
        """Who moves what is not there or cannot go so far, and what is wrong with it: the venue,
        as `where`, or an entry of the setlist."""
        for who, moves in self._moves(bus, where):
            for address, value in moves:
                says = _fault(bus, address, value)
                if says:
                    yield who, says
        for entry in self.order.scene:
            for address in self.modulated_by(entry, bus):
                what = bus.get(address)
                if what is None:
                    yield _whose(entry), _missing(bus, address)
                elif not movable(what):
                    yield _whose(entry), f"{address} is nothing that can move by itself"
        for one in self.venue.midi.map:
            if one.address in focus.ADDRESSES:
                continue
            if one.address not in bus:
                yield where, _missing(bus, one.address)
                continue
            for end in (one.low, one.high):
                says = "" if end is None else _fault(bus, one.address, end)
                if says:
                    yield where, f"by MIDI, {says}"

    def _moves(self, bus: Bus, where: str) -> Iterator[tuple[str, Iterable[tuple[str, float]]]]:
        yield where, self.venue.parameters.items()
        for entry in self.order.scene:
            yield _whose(entry), self.moved_by(entry, bus).items()

    def check(self, bus: Bus, where: str) -> None:
        """Raise VenueError or SetlistError for the first of the faults; where something was left
        out, they may well be of that, and are only said."""
        for who, says in self.faults(bus, where):
            if self.broken:
                log.warning("%s: %s", who, says)
                continue
            kind = VenueError if who == where else SetlistError
            raise kind(f"{who}: {says}; `installation scenes` lists what can be moved")


def _what_is_whole(venue: Venue, order: Setlist) -> tuple[Venue, Setlist, list[str]]:
    """The venue and the setlist without what is broken, and what is wrong with that. Raises the
    first fault where no entry is whole."""
    faults: list[Exception] = []

    @cache  # a scene and a piece may come several times, and are said once
    def whole(check: Callable[[str], object], name: str) -> bool:
        try:
            check(name)
        except (SceneError, ShaderError, PieceError) as error:
            faults.append(error)
            return False
        return True

    kept: list[Entry] = []
    piece, damaged = "", False  # that an entry has named last
    for entry in order.scene:
        if entry.piece and not venue.play.piece:
            piece, damaged = entry.piece, not whole(_check_piece, entry.piece)
        # without one of its own it plays on the one that is on, which is not to be another
        if (damaged and (entry.piece or not kept)) or not whole(_check_scene, entry.scene):
            continue
        changes = {} if whole(shaders.load, entry.transition) else {"transition": PLAIN}
        changes |= {} if kept or entry.piece else {"piece": piece}
        kept.append(entry.model_copy(update=changes))
    if not kept:
        raise faults[0]
    play = venue.play
    if play.scene and not whole(_check_scene, play.scene):
        play = play.model_copy(update={"scene": ""})
    left = order.model_copy(update={"scene": kept})
    return venue.model_copy(update={"play": play}), left, list(map(str, faults))


def _check_scene(name: str) -> None:
    """Raises SceneError or ShaderError."""
    for one in scenes.load(name).passes:
        shaders.load(one.shader)


def check_names(order: Setlist) -> None:
    """Two scenes of one name would share their faders, and a hand could reach but one of them.
    Raises SetlistError."""
    found: dict[str, str] = {}
    for file in order.names():
        name = scenes.scene_name(file)
        other = found.setdefault(name, file)
        if _place(other) != _place(file):
            raise SetlistError(
                f"two scenes of the setlist are called {name}: {other} and {file}; rename one, "
                "its file and its class"
            )


def _place(scene: str) -> Path:
    return Path(str(scenes.find(scene))).resolve()


def _check_piece(name: str) -> None:
    """Raises PieceError."""
    verify(find(name))


def _whose(entry: Entry) -> str:
    return f"the setlist's {entry.scene}"


def _missing(bus: Bus, address: str) -> str:
    near = bus.nearest(address)
    return f"there is no {address}" + (f", did you mean {near!r}?" if near else "")


def _fault(bus: Bus, address: str, value: float) -> str:
    """What is wrong with setting a parameter so; "" where nothing is."""
    what = bus.get(address)
    if what is None:
        return _missing(bus, address)
    if not isinstance(what, Param):
        return f"{address} is a trigger, and holds no value"
    if what.clamp(value) != value:
        return f"{address} = {value:g} is outside {what.low:g} to {what.high:g}"
    return ""


def pieces_of(order: Setlist, asked: str) -> dict[str, Path]:
    """The folders of all pieces that are played, by name. asked: one that plays everything."""
    named = [asked] if asked else [order.scene[0].piece, *(e.piece for e in order.scene if e.piece)]
    found: dict[str, Path] = {}
    for folder in map(find, named):
        if found.setdefault(folder.name, folder).resolve() != folder.resolve():
            raise SetlistError(f"two pieces of the setlist are called {folder.name}; rename one")
    return found


def kin_of(name: str, pieces: dict[str, Path], cards: dict[str, Card]) -> dict[Path, Path]:
    """Who can go to the piece of this name: from folder to folder. Raises PieceError where nobody
    can."""
    if not name:
        return {}
    folder = find(name)
    other = verify(folder)
    who = [
        one
        for one in pieces
        if fits(cards[one], other) and pieces[one].resolve() != folder.resolve()
    ]
    if not who:
        raise PieceError(
            f"{' and '.join(pieces)} cannot go toward {other.name}: their layers are others; a "
            "piece goes to one that was trained from it (`train --from`), at the same size"
        )
    return {pieces[one]: folder for one in who}


def watched(scene_files: Iterable[str], order: Setlist) -> list[Path]:
    """The scene and shader files that are worth watching: those that ship and the artist's."""
    names = list(scene_files)
    own = {path for name in names for path in own_shaders(name)}
    own |= {Path(one.transition) for one in order.scene if Path(one.transition).is_absolute()}
    return [*(Path(str(scenes.find(name))) for name in names), *shaders.files(), *sorted(own)]


def own_shaders(scene: str) -> list[Path]:
    """The artist's shader files that a scene's passes use. Raises SceneError."""
    return [Path(one.shader) for one in scenes.load(scene).passes if Path(one.shader).is_absolute()]
