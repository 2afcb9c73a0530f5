"""What there is: pieces with their labels and codes, scenes with every address that moves them."""

from __future__ import annotations

import sys
from typing import Any

from installation import focus, house, setlist, venue
from installation.control.mapping import MidiMap
from installation.control.monitor import monitor as listen
from installation.control.query import explained
from installation.learned import Learned
from installation.parameters import Bus, Param
from installation.programme import pieces_of
from installation.scene import scene_name
from installation.tables import Venue
from models import shelf
from models.card import Card, PieceError, verify
from models.latent import Latent

_NO_PIECE = Card(name="", resolution=64, latent=Latent(1), generator={})


def pieces() -> list[dict[str, Any]]:
    """Every piece, checked: a damaged one is listed with what is wrong with it."""
    rows = []
    for folder in shelf.list_pieces():
        row: dict[str, Any] = {"name": folder.name, "path": str(folder), "fault": ""}
        try:
            card = verify(folder)
        except PieceError as error:
            rows.append({**row, "fault": str(error)})
            continue
        row |= {"title": card.title, "author": card.author, "licence": card.licence}
        row |= {"resolution": card.resolution, "z": card.latent.z}
        row |= {"labels": {label.name: list(label.values) for label in card.latent.labels}}
        row |= {"codes": [{"name": c.name, "kind": c.kind} for c in card.latent.codes]}
        row |= {"guided": card.guided}
        rows.append(row)
    return rows


def pieces_text(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        if row["fault"]:
            lines.append(f"{row['name']}: {row['fault']}")
            continue
        lines.append(f"{row['name']}  {row['title']}".rstrip())
        lines.append(f"  {row['resolution']} px, {row['licence'] or 'no licence given'}")
        lines.append(f"  {row['path']}")
        lines += [f"  {name}: {', '.join(values)}" for name, values in row["labels"].items()]
        lines += [f"  {code['name']} ({code['kind']} code)" for code in row["codes"]]
        lines += ["  can take the shape of who is before the wall"] if row["guided"] else []
    return "\n".join(lines) or "no pieces yet; `installation train DATASET` makes one"


def _house(piece: str, venue_name: str) -> tuple[Bus, MidiMap, Venue]:
    """The bus as a show has it while its first scene is on, without a show."""
    place = venue.load(venue_name)
    order = setlist.load(place.play.setlist)
    try:
        folders = pieces_of(order, piece or place.play.piece)
        cards = {name: verify(folder) for name, folder in folders.items()}
    except PieceError:
        if piece:
            raise
        cards = {"": _NO_PIECE}
    bus = Bus()
    names = [*order.names(), place.play.scene]
    found = house.declare(bus, cards, [name for name in names if name], len(place.screen))
    first = scene_name(place.play.scene or order.scene[0].scene)
    bus.lead(focus.meant(bus, first, list(found)))
    return bus, Learned(place, bus, takeover="jump").map, place


def scenes(piece: str, venue_name: str) -> list[dict[str, Any]]:
    """Every address: what it is, its range, and the MIDI control that reaches it. Those that
    follow what is on are there as while the first scene is on."""
    bus, midi, _ = _house(piece, venue_name)
    controls = dict(midi.rows())
    rows = []
    for address, what in (*bus, *bus.others()):
        row: dict[str, Any] = {"address": address, "midi": controls.get(address, "")}
        if isinstance(what, Param):
            row |= {"kind": "parameter", "default": what.default, "low": what.low}
            row |= {"high": what.high, "unit": what.unit}
        else:
            row["kind"] = "trigger"
        rows.append({**row, "doc": explained(bus, address, what)})
    return rows


def scenes_text(rows: list[dict[str, Any]]) -> str:
    """A table for the terminal; the OSC address is the first column."""
    follows = "/on/… stand for what the scene that is on has; here it is the first one."
    table = [("OSC address", "default", "range", "MIDI", "what it does")]
    for row in rows:
        if row["kind"] == "trigger":
            table.append((row["address"], "", "trigger", row["midi"], row["doc"]))
            continue
        span = f"{row['low']:g} to {row['high']:g} {row['unit']}".rstrip()
        table.append((row["address"], f"{row['default']:g}", span, row["midi"], row["doc"]))
    widths = [max(len(line[i]) for line in table) for i in range(4)]
    lines = [
        "  ".join([*(cell.ljust(w) for cell, w in zip(line, widths, strict=False)), line[4]])
        for line in table
    ]
    return "\n".join([*lines, "", follows])


def monitor(venue_name: str, as_json: bool) -> int:
    """Print what comes in until Ctrl-C."""
    bus, midi, place = _house("", venue_name)
    listen(
        bus, midi, sys.stdout, host=place.osc.host, port=place.osc.port,
        ports=place.midi.ports, as_json=as_json,
    )  # fmt: skip
    return 0
