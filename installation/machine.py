"""What a venue needs of the machine: screens, ports, inputs, and a place to write to."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event

from installation.control.link import Link
from installation.control.message import ControlError
from installation.control.midi import NoMidi, port_names
from installation.control.osc import OscServer
from installation.control.sight import NoSight, open_camera
from installation.control.sound import NoSound, open_input
from installation.engine.software import draws_on_the_processor
from installation.finding import Finding, tried
from installation.output.displays import DisplayError, sizes
from installation.output.ndi import Ndi, NdiError
from installation.output.offscreen import Offscreen
from installation.output.window import Window
from installation.parameters import Bus
from installation.tables import Venue

_FIRST_PICTURE = 5.0  # seconds that a camera is waited for
_LITTLE = 2e9  # bytes left on the disk that recordings go to: half an hour or so
_AVAHI = Path("/run/avahi-daemon/socket")  # by which NDI announces itself on Linux


def examine(place: Venue) -> Iterator[Finding]:
    """Look at each, as far as the venue wants it; nothing is changed."""
    yield from _screen(place)
    yield _gpu()
    yield _midi(place)
    yield _osc(place)
    for wanted, look in (
        (place.web.enabled, _web),
        (place.link.enabled, _link),
        (place.sound.enabled, _sound),
        (place.sight.enabled, _sight),
        (place.ndi.enabled, _ndi),
    ):
        if wanted:
            yield look(place)
    yield _disk(place)


def _screen(place: Venue) -> Iterator[Finding]:
    """The display that the venue wants, and the OpenGL on it; without one, OpenGL alone."""
    # never both in one process: some drivers do not survive a window's and a windowless context
    opened: Callable[[], Window | Offscreen] = _hidden_window
    found = tried("display", sizes, DisplayError)
    if isinstance(found, Finding):
        says = f"{found.says}; only --offscreen draws here"
        yield Finding("display", "fault", says, "log in to a desktop, or set DISPLAY to one")
        opened = partial(Offscreen, (16, 16))
    else:
        wanted = " and ".join(map(str, place.displays))
        listed = ", ".join(f"{k}: {w} × {h}" for k, (w, h) in enumerate(found))
        if max(place.displays) < len(found):
            yield Finding("display", "ok", f"{listed}; the venue takes {wanted}")
        else:
            says = f"the venue takes display {wanted}; found {listed}"
            yield Finding(
                "display", "fault", says, "switch it on, or change `display` in the venue file"
            )
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


def _no_midi(place: Venue, why: str) -> Finding:
    if place.midi.ports or place.midi.map:
        do = "the venue names MIDI controls: install what is missing, or take them out"
        return Finding("MIDI", "fault", why, do)
    return Finding("MIDI", "note", f"{why}; everything else works")


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


def _link(place: Venue) -> Finding:
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


def _ndi(place: Venue) -> Finding:
    """The source by which other programs get the picture, opened for a moment."""
    sender = tried("NDI", Ndi(place.ndi.name, place.ndi.fps).start, NdiError)
    if isinstance(sender, Finding):
        return sender
    name = sender.name
    sender.close()
    if sys.platform == "linux" and not _AVAHI.exists():
        do = "begin it (avahi-daemon): until then other machines find the picture by address alone"
        return Finding("NDI", "note", f"{name}; nothing announces it, since Avahi is not on", do)
    return Finding("NDI", "ok", f"others find the picture as {name}")


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
