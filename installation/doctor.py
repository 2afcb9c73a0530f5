"""`installation check`: is this machine ready for this venue, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

import shaders
from installation import house, machine, presets, scene, setlist, still, venue
from installation.finding import Finding, tried
from installation.programme import Options, Programme, check_names, kin_of, pieces_of
from installation.scene import SceneError
from installation.screens import read_masks
from installation.setlist import Setlist, SetlistError
from installation.still import StillError
from installation.tables import Learned, Venue
from installation.venue import VenueError
from installation.watch.schedule import Hours
from models import shelf
from models.card import PieceError, verify
from shaders import ShaderError


def examine(name: str) -> Iterator[Finding]:
    """Look at everything that this venue needs, one after the other; nothing is changed."""
    place = tried("venue", lambda: venue.load(name), VenueError)
    if isinstance(place, Finding):
        yield place
        place = Venue()
    else:
        yield Finding("venue", "ok", name)
    order = tried("setlist", partial(setlist.load, place.play.setlist), SetlistError)
    if isinstance(order, Finding):
        yield order
    else:
        yield Finding("setlist", "ok", f"{len(order.scene)} entries")
        yield from _scenes(place, order)
        yield from _pieces(place, order)
        yield from _toward(place, order)
        yield from _chosen(place, order)
        yield from _addresses(name)
    if place.hours:
        yield Finding("hours", "ok", f"now {Hours.parse(place.hours).says(datetime.now())}")
    yield from _masks(place)
    yield from _learned(place)
    yield from _presets(place)
    yield from machine.examine(place)


def _scenes(place: Venue, order: Setlist) -> Iterator[Finding]:
    """Every scene that is in the setlist or opens the evening, and every shader these use."""
    names = [name for name in dict.fromkeys([*order.names(), place.play.scene]) if name]
    looked: list[object] = [
        tried("scenes", partial(_load, name), SceneError, ShaderError) for name in names
    ]
    for transition in dict.fromkeys(entry.transition for entry in order.scene):
        looked.append(tried("scenes", partial(shaders.load, transition), ShaderError))
    faults = [one for one in looked if isinstance(one, Finding)]
    if not faults:
        alike = tried("scenes", partial(check_names, order), SetlistError)
        faults = [alike] if isinstance(alike, Finding) else []
    yield from faults
    if not faults:
        yield Finding("scenes", "ok", ", ".join(names))


def _load(name: str) -> None:
    for one in scene.load(name).passes:
        shaders.load(one.shader)


def _pieces(place: Venue, order: Setlist) -> Iterator[Finding]:
    """The pieces that are played, and all others on the shelf, each by the hashes in its card."""
    played = tried("pieces", partial(pieces_of, order, place.play.piece), PieceError, SetlistError)
    wanted = set()
    if isinstance(played, Finding):
        yield played
    else:
        wanted = set(played.values())
    for folder in dict.fromkeys([*wanted, *shelf.list_pieces()]):
        card = tried("piece", partial(verify, folder), PieceError)
        if not isinstance(card, Finding):
            says = f"{card.name}: {card.resolution} pixels, every file as its card says"
            yield Finding("piece", "ok", says)
        elif folder in wanted:
            yield Finding("piece", "fault", card.says, "copy it here again, or train it anew")
        else:
            yield Finding("piece", "note", card.says, "not played here; remove or replace it")


def _toward(place: Venue, order: Setlist) -> Iterator[Finding]:
    """The piece that others can go to, where the venue names one."""
    if not place.play.toward:
        return
    with suppress(PieceError, SetlistError):  # said above
        pieces = pieces_of(order, place.play.piece)
        cards = {name: verify(folder) for name, folder in pieces.items()}
        found = tried("toward", partial(kin_of, place.play.toward, pieces, cards), PieceError)
        if isinstance(found, Finding):
            yield found
        else:
            who = ", ".join(name for name, folder in pieces.items() if folder in found)
            yield Finding("toward", "ok", f"{who} to {place.play.toward}")


def _chosen(place: Venue, order: Setlist) -> Iterator[Finding]:
    """The folder of stills that seeds are, where the venue names one."""
    if not place.play.chosen:
        return

    def stills() -> str:
        cards = {name: verify(f) for name, f in pieces_of(order, place.play.piece).items()}
        found = still.chosen(Path(place.play.chosen), cards).items()
        return ", ".join(f"{len(points)} of {name}" for name, points in found)

    with suppress(PieceError, SetlistError):  # said above
        says = tried("chosen", stills, StillError)
        yield says if isinstance(says, Finding) else Finding("chosen", "ok", says)


def _masks(place: Venue) -> Iterator[Finding]:
    """What is laid over the screens of the wall."""
    masks, faults = read_masks(place.screen)
    for fault in faults:
        yield Finding("mask", "fault", str(fault), "paths count from the folder you work in")
    if not faults and any(mask is not None for mask in masks):
        sizes = [f"{mask.shape[1]} × {mask.shape[0]}" for mask in masks if mask is not None]
        yield Finding("mask", "ok", ", ".join(sizes))


def _addresses(name: str) -> Iterator[Finding]:
    """What venue and setlist move, by hand or by MIDI, must be there."""
    program = tried(
        "parameters", lambda: Programme.of(Options(venue=name)),
        VenueError, SetlistError, SceneError, ShaderError, PieceError, StillError,
    )  # fmt: skip
    if isinstance(program, Finding):
        return  # said above
    bus = house.addresses(program)
    faults = [*program.faults(bus, name)]
    for who, says in faults:
        do = "`installation scenes` lists what can be moved, and how far"
        yield Finding("parameters", "fault", f"{who}: {says}", do)
    if not faults:
        yield Finding("parameters", "ok", f"{sum(1 for _ in bus)} addresses")


def _learned(place: Venue) -> Iterator[Finding]:
    """The file of what was learned at the controllers, where there is one."""
    path = Path(place.midi.learned)
    if place.midi.enabled and place.midi.learned and path.exists():
        do = "mend it, or take it away: then what was learned is forgotten"
        lines = tried("learned", lambda: venue.read(Learned, path).map, VenueError, do=do)
        yield (
            lines
            if isinstance(lines, Finding)
            else Finding("learned", "ok", f"{path}: {len(lines)} controls")
        )


def _presets(place: Venue) -> Iterator[Finding]:
    """The file of presets, where there is one."""
    file = place.play.presets
    if file and Path(file).exists():
        do = "mend it, or take it away: then the presets are forgotten"
        found = tried("presets", lambda: presets.read(file), VenueError, do=do)
        yield (
            found
            if isinstance(found, Finding)
            else Finding("presets", "ok", f"{file}: {len(found)}")
        )
