"""`installation open`: the gallery, supervised, fullscreen, by the venue's hours."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from installation import house
from installation import log as logs
from installation.control.message import ControlError
from installation.control.osc import listen
from installation.programme import Options, Programme
from installation.rehearsal import FileWatch
from installation.tables import Osc
from installation.venue import VenueError
from installation.watch.schedule import Hours
from installation.watch.supervise import Start, Supervisor, Terms

log = logging.getLogger(__name__)


def open_house(venue: str) -> int:
    """Play a venue's setlist until somebody closes it. Returns the exit status.

    What is wrong in the venue is raised here, before anything is opened, and what is broken in the
    setlist is left out and said, as it is later; whatever happens then is outlived.
    """
    program = Programme.of(Options(venue=venue, supervised=True))
    program.check(house.addresses(program), venue)
    _refuse_a_second(program.venue.osc)
    settings = program.venue.watch
    if settings.log:
        try:
            logs.keep(settings.log)
        except OSError as error:
            says = f"{venue}: watch.log = {settings.log!r} cannot be written: {error.strerror}"
            raise VenueError(says) from error
    log.info("%s is %s", venue, Hours.parse(program.venue.hours).says(datetime.now()))
    setlist = program.venue.play.setlist
    own = venue if venue.endswith(".toml") else f"{venue}.toml"
    files = FileWatch([Path(own), *([Path(setlist)] if setlist else [])])
    terms = Terms(restart=settings.begins_anew, hang=settings.hang)
    with TemporaryDirectory(prefix="installation-") as folder:
        memory = Path(folder) / "show.json"
        return Supervisor(
            lambda start: command(venue, start, memory), terms, saved=files.changed
        ).run()


def _refuse_a_second(osc: Osc) -> None:
    """Of two shows on one wall the second would be laid over the first: it is known by its port,
    where somebody is there to read of it; systemd begins but one. Raises ControlError."""
    if not osc.enabled or "NOTIFY_SOCKET" in os.environ:
        return
    try:
        listen(osc.host, osc.port).close()
    except ControlError as error:  # any other may pass: a network that is not there yet
        if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE:
            raise


def command(venue: str, start: Start, memory: Path) -> Sequence[str]:
    """What plays it, in a process of its own, which imports nothing from the folder that is worked
    in (-P): a scene called random.py lies there. memory: a file for what is on."""
    if start is not Start.AGAIN:
        memory.unlink(missing_ok=True)
    asked = ["--venue", venue, "--fullscreen", "--supervised"]
    asked += ["--standby"] if start is Start.STANDBY else ["--memory", str(memory)]
    return [sys.executable, "-P", "-m", "installation.cli", "play", *asked]
