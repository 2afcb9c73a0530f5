"""The house's own parameters, and the whole list of addresses that a bus carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from installation import scene as scenes
from installation.clock import Hearing, Seeing, Tempo
from installation.engine import wall
from installation.engine.show import Light
from installation.engine.walk import declare_pieces
from installation.modulation import Modulations
from installation.names import slugs
from installation.parameters import Bus, Param, Parameters, Trigger
from installation.presets import Recall, numbers
from installation.programme import Programme
from models.card import Card


class House(Parameters):
    """What anybody at a desk or controller may ask of the house."""

    next = Trigger(doc="The next scene of the setlist.")
    record = Trigger(doc="Start or stop recording.")
    still = Trigger(doc="Save this frame as a PNG.")
    overlay = Trigger(doc="Show or hide the parameters.")
    fullscreen = Trigger(doc="Fill the display, or go back.")
    learn = Trigger(doc="Bind what is selected to the MIDI control moved next; again: give up.")
    quit = Trigger(doc="Close the house.", guarded=True)
    fade = Param(4, 0, 30, unit="s", doc="How long a scene chosen by hand takes to come on.")
    next_piece = Trigger(doc="The next piece, under the scene that is on.")
    black = Trigger(doc="Dark at once, the show going on behind it; or light again.")


def addresses(program: Programme) -> Bus:
    """The bus that a show of this programme has, without the show."""
    bus = Bus()
    declare(bus, program.cards, program.scenes, len(program.venue.screen))
    return bus


def declare(
    bus: Bus, pieces: Mapping[str, Card], wanted: Iterable[str] = (), screens: int = 0
) -> dict[str, str]:
    """Put everything that can be steered on the bus: house, clock, light, pieces, every scene.

    A scene's parameters stand there from the start, whether it is on or not. wanted: scenes by
    name or file, before those that ship. screens: of the venue. Returns the file or
    name of each scene by its name, in order. Raises SceneError for a scene that cannot be read.
    """
    bus.declare("light", Light.declared())
    bus.declare("clock", Tempo.declared())
    cards = pieces.values()
    declare_pieces(bus, [(c.latent, c.directions) for c in cards], any(c.guided for c in cards))
    found: dict[str, str] = {}
    for file in (*wanted, *scenes.shipped()):
        name = scenes.scene_name(file)
        if name not in found or file.endswith(".py"):  # one's own comes in the place of ours
            found[name] = file
    for name, file in found.items():
        scenes.load(file).bind(bus, name)
    bus.declare("stage", House.declared())
    bus.declare("stage/scene", {name: Trigger(doc=f"Put on {name}.") for name in found})
    if len(pieces) > 1:
        names = zip(slugs(pieces), pieces, strict=True)
        bus.declare("stage/piece", {slug: Trigger(doc=f"Go over to {n}.") for slug, n in names})
    for prefix, what in wall.declared(screens).items():
        bus.declare(prefix, what)
    bus.declare("sound", Hearing.declared())
    bus.declare("sight", Seeing.declared())
    bus.declare("preset", {**Recall.declared(), **numbers()})
    bus.declare("modulation", Modulations.declared())
    return found
