"""What is played where: all that is read and checked before a window opens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from installation import scene as scenes
from installation import setlist
from installation import venue as venues
from installation.control.mapping import Binding
from installation.setlist import Setlist
from installation.venue import Venue
from models.card import Card, verify
from models.shelf import find


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
    offscreen: bool = False
    frames: int | None = None
    fps: float = 60.0
    out: str = ""
    report: str = ""


@dataclass(frozen=True)
class Programme:
    """What is played where: everything that is read and checked before a window opens."""

    venue: Venue
    order: Setlist
    folder: Path
    card: Card

    @classmethod
    def of(cls, options: Options) -> Self:
        venue = venues.load(options.venue)
        order = setlist.load(venue.play.setlist)
        for name in {options.scene, venue.play.scene, *order.names()} - {""}:
            scenes.find(name)
        folder = find(options.piece or venue.play.piece)
        return cls(venue, order, folder, verify(folder))


def bindings(venue: Venue) -> list[Binding]:
    """The venue's MIDI map as the control takes it."""
    return [
        Binding(
            one.address,
            kind="note" if one.cc is None else "cc",
            number=(one.note if one.cc is None else one.cc) or 0,
            channel=one.channel,
            low=one.low,
            high=one.high,
            mode="relative" if one.relative else "absolute",
            bits=one.bits,
        )
        for one in venue.midi.map
    ]
