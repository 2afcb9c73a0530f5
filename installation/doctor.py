"""`installation check`: is this machine ready for this venue, and what to do where it is not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event

import shaders
from installation import house, presets, scene, setlist, still, venue
from installation.control.link import Link
from installation.control.message import ControlError
from installation.control.midi import NoMidi, port_names
from installation.control.osc import OscServer
from installation.control.sight import NoSight, open_camera
from installation.control.sound import NoSound, open_input
from installation.engine.software import draws_on_the_processor
from installation.finding import Finding, tried
from installation.output.offscreen import Offscreen
from installation.output.window import DisplayError, Window, displays
from installation.parameters import Bus
from installation.programme import Options, Programme, pieces_of
from installation.scene import SceneError
from installation.setlist import Setlist, SetlistError
from installation.still import StillError
from installation.venue import Venue, VenueError
from installation.watch.schedule import Hours
from models import shelf
from models.card import PieceError, verify
from shaders import ShaderError

_FIRST_PICTURE = 5.0  # seconds that a camera is waited for
_LITTLE = 2e9  # bytes left on the disk that recordings go to: half an hour or so


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
        yield from _chosen(place, order)
        yield from _addresses(name)
    if place.hours:
        yield Finding("hours", "ok", f"now {Hours.parse(place.hours).says(datetime.now())}")
    yield from _screen(place)
    yield _gpu()
    yield _midi(place)
    yield from _learned(place)
    yield from _presets(place)
    yield _osc(place)
    if place.web.enabled:
        yield _web(place)
    if place.link.enabled:
        yield _link()
    if place.sound.enabled:
        yield _sound(place)
    if place.sight.enabled:
        yield _sight(place)
    yield _disk(place)


def _scenes(place: Venue, order: Setlist) -> Iterator[Finding]:
    """Every scene that is in the setlist or opens the evening, and every shader these use."""
    names = [name for name in dict.fromkeys([*order.names(), place.play.scene]) if name]
    looked: list[object] = [
        tried("scenes", partial(_load, name), SceneError, ShaderError) for name in names
    ]
    for transition in dict.fromkeys(entry.transition for entry in order.scene):
        looked.append(tried("scenes", partial(shaders.load, transition), ShaderError))
    faults = [one for one in looked if isinstance(one, Finding)]
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


def _addresses(name: str) -> Iterator[Finding]:
    """What venue and setlist move, by hand or by MIDI, must be there."""
    program = tried(
        "parameters", lambda: Programme.of(Options(venue=name)),
        VenueError, SetlistError, SceneError, ShaderError, PieceError, StillError,
    )  # fmt: skip
    if isinstance(program, Finding):
        return  # said above
    bus = Bus()
    house.declare(bus, program.cards, program.scenes)
    faults = [*program.faults(bus, name)]
    for who, says in faults:
        do = "`installation scenes` lists what can be moved, and how far"
        yield Finding("parameters", "fault", f"{who}: {says}", do)
    if not faults:
        yield Finding("parameters", "ok", f"{sum(1 for _ in bus)} addresses")


def _screen(place: Venue) -> Iterator[Finding]:
    """The display that the venue wants, and the OpenGL on it; without one, OpenGL alone."""
    # never both in one process: some drivers do not survive a window's and a windowless context
    opened: Callable[[], Window | Offscreen] = _hidden_window
    sizes = tried("display", displays, DisplayError)
    if isinstance(sizes, Finding):
        says = f"{sizes.says}; only --offscreen draws here"
        yield Finding("display", "fault", says, "log in to a desktop, or set DISPLAY to one")
        opened = partial(Offscreen, (16, 16))
    else:
        wanted = place.window.display
        listed = ", ".join(f"{k}: {w} × {h}" for k, (w, h) in enumerate(sizes))
        if wanted < len(sizes):
            yield Finding("display", "ok", f"{listed}; the venue takes {wanted}")
        else:
            says = f"the venue takes display {wanted}, there are {listed}"
            yield Finding("display", "fault", says, "switch it on, or change display in [window]")
    yield _opengl(opened)


def _hidden_window() -> Window:
    return Window("installation check", (64, 64), vsync=False, hidden=True)


def _opengl(opened: Callable[[], Window | Offscreen]) -> Finding:
    screen = tried(
        "OpenGL", opened, DisplayError, do="install the graphics card's driver; 3.3 is needed"
    )
    if isinstance(screen, Finding):
        return screen
    version, renderer = screen.ctx.version_code, str(screen.ctx.info["GL_RENDERER"])
    screen.close()
    says = f"{version // 100}.{version // 10 % 10} on {renderer}"
    if draws_on_the_processor(renderer):
        do = "it is drawn by the processor, smaller and slower: install the graphics card's driver"
        return Finding("OpenGL", "note", says, do)
    return Finding("OpenGL", "ok", says)


def _gpu() -> Finding:
    """Where the generator computes."""
    import torch  # takes a second, and only this needs it

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        says = f"{torch.cuda.get_device_name()}, {memory:.0f} GiB"
        try:
            import cuda.core  # noqa: F401
        except ImportError:
            do = "pip install 'installation[cuda]': frames then stay on it on their way to the wall"
            return Finding("GPU", "note", f"{says}; frames go through the host", do)
        return Finding("GPU", "ok", says)
    do = "pieces up to 128 pixels play well so; larger ones and training want an NVIDIA GPU"
    return Finding("GPU", "note", f"none for torch; {os.cpu_count()} processor cores", do)


def _midi(place: Venue) -> Finding:
    if not place.midi.enabled:
        return Finding("MIDI", "ok", "switched off in this venue")
    try:
        names = port_names()
    except NoMidi as error:
        return _no_midi(place, str(error))
    missing = [p for p in place.midi.ports if not any(p.lower() in n.lower() for n in names)]
    if missing:
        says = f"no port is called {', '.join(missing)}; there are: {', '.join(names) or 'none'}"
        return Finding("MIDI", "fault", says, "plug it in (it is taken up then), or change ports")
    return Finding(
        "MIDI", "ok", ", ".join(names) or "no controller yet; one plugged in is taken up"
    )


def _learned(place: Venue) -> Iterator[Finding]:
    """The file of what was learned at the controllers, where there is one."""
    path = Path(place.midi.learned)
    if place.midi.enabled and place.midi.learned and path.exists():
        do = "mend it, or take it away: then what was learned is forgotten"
        lines = tried("learned", lambda: venue.read_map(path), VenueError, do=do)
        yield (
            lines
            if isinstance(lines, Finding)
            else Finding("learned", "ok", f"{path}: {len(lines)} controls")
        )


def _no_midi(place: Venue, why: str) -> Finding:
    if place.midi.ports or place.midi.map:
        do = "the venue names MIDI controls: install what is missing, or take them out"
        return Finding("MIDI", "fault", why, do)
    return Finding("MIDI", "note", f"{why}; everything else works")


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


def _osc(place: Venue) -> Finding:
    if not place.osc.enabled:
        return Finding("OSC", "ok", "switched off in this venue")
    try:
        with OscServer(
            Bus(), place.osc.host, place.osc.port, feedback=place.osc.feedback
        ) as server:
            where = f"{server.host} port {server.port}"
    except ControlError as error:
        return Finding("OSC", "fault", str(error))
    return _reached("OSC", place.osc.host, where)


def _web(place: Venue) -> Finding:
    from installation.control.web import Web  # a server is loaded where one is wanted

    server = Web(Bus(), place.web.host, place.web.port)
    try:
        server.start()
    except ControlError as error:
        return Finding("remote", "fault", str(error))
    server.close()
    where = f"http://{place.web.host}:{place.web.port}"
    if place.web.password:
        return Finding("remote", "ok", f"{where}, by password")
    return _reached("remote", place.web.host, where)


def _link() -> Finding:
    link = tried("Link", Link(Bus()).start, ControlError)
    if isinstance(link, Finding):
        return link
    link.close()
    return Finding("Link", "ok", "aalink is there")


def _reached(what: str, host: str, where: str) -> Finding:
    """From how far a control is reached."""
    if host.startswith("127.") or host in ("localhost", "::1"):
        return Finding(what, "ok", f"{where}, from this machine alone")
    do = "any machine on that network can move the picture: keep it apart from the visitors' one"
    return Finding(what, "note", f"{where}, from the network", do)


def _sound(place: Venue) -> Finding:
    """The input that the venue listens to, opened for a moment."""
    opened = tried(
        "sound", lambda: open_input(place.sound.device, lambda rate: lambda samples: None), NoSound
    )
    if isinstance(opened, Finding):
        return opened
    opened.close()
    return Finding("sound", "ok", f"{opened.name}, {opened.rate:.0f} samples a second")


def _sight(place: Venue) -> Finding:
    """The camera that the venue looks through, opened until its first picture."""
    came = Event()
    opened = tried(
        "sight", lambda: open_camera(place.sight.device, lambda picture, at: came.set()), NoSight
    )
    if isinstance(opened, Finding):
        return opened
    came.wait(_FIRST_PICTURE)
    opened.close()
    if not came.is_set():
        do = "another program may have it; close that, or plug the camera in anew"
        return Finding("sight", "fault", f"{opened.name} gives no picture", do)
    width, height = opened.size
    return Finding("sight", "ok", f"{opened.name}, {width} × {height}")


def _disk(place: Venue) -> Finding:
    """The folder that clips and stills go to."""
    folder = Path(place.record.folder).resolve()
    try:
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    except OSError:  # one above it may not be entered
        there = None
    if there is None or not there.is_dir() or not os.access(there, os.W_OK):
        says = f"{folder} cannot be written"
        return Finding("recordings", "fault", says, "change folder in [record], or its rights")
    free = shutil.disk_usage(there).free
    says = f"{folder}, {free / 1e9:.0f} GB free"
    if free < _LITTLE:
        return Finding("recordings", "note", says, "make room before recording")
    return Finding("recordings", "ok", says)
