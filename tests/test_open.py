"""`installation open`, on a virtual display: whatever happens to the show, it comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageGrab

from installation import cli, gallery
from installation.control.osc import OscServer
from installation.parameters import Bus
from installation.rehearsal import FileWatch
from installation.signals import TERMINATED
from installation.watch.health import Pulse
from installation.watch.schedule import DAYS
from installation.watch.supervise import Start
from tests.pieces import make_piece
from tests.screen import Screen
from tests.waiting import until

ROOT = Path(__file__).parent.parent
LONG = 60.0  # seconds; a show begins in three on a quiet machine

VENUE = """
[play]
piece = "{piece}"
scene = "drift"
[osc]
enabled = false
[midi]
enabled = false
[watch]
hang = 5
log = "{folder}/house.log"
"""


class Opened:
    """The house, opened in a process of its own."""

    def __init__(self, display: str, folder: Path, more: str = "") -> None:
        self.display, self.folder = display, folder
        piece = make_piece(folder / "tiny")
        venue = folder / "here.toml"
        venue.write_text(VENUE.format(piece=piece, folder=folder) + more)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "installation.cli", "open", str(venue)],
            cwd=folder,
            env={
                **os.environ,
                "DISPLAY": display,
                "PYTHONPATH": str(ROOT),
                "TMPDIR": str(folder),
            },
            stderr=subprocess.DEVNULL,
        )

    def show(self) -> int:
        """The number of the show's process, 0 while there is none."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = children.read_text().split()
        return int(found[0]) if found else 0

    def picture(self) -> np.ndarray:
        grabbed = ImageGrab.grab(xdisplay=self.display).convert("RGB")
        return np.asarray(grabbed).astype(int)

    def moves(self) -> bool:
        """The wall is lit, and not twice the same."""
        until(lambda: self.picture().max() > 20, LONG)
        first = self.picture()
        until(lambda: (self.picture() != first).any(), LONG)
        return bool(self.picture().max() > 20)

    def log(self) -> str:
        path = self.folder / "house.log"
        return path.read_text() if path.exists() else ""

    def shows(self, count: int) -> int:
        """Wait until so many shows have begun, and the newest one moves; its process."""
        until(lambda: self.log().count("the show is on") == count, LONG)
        assert self.moves()
        return self.show()

    def kill(self) -> None:
        show = self.show() if self.process.poll() is None else 0
        self.process.kill()
        self.process.wait()
        if show:
            until(lambda: not alive(show), LONG)  # it notices that nobody hears its pulse


def alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def house(display: str, tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(display, tmp_path)
    yield opened
    opened.kill()


def test_a_show_that_is_killed_or_hangs_comes_back(house: Opened) -> None:
    first = house.shows(1)
    assert house.picture().shape == (480, 640, 3)
    os.kill(first, signal.SIGKILL)
    second = house.shows(2)
    assert second != first
    os.kill(second, signal.SIGSTOP)
    third = house.shows(3)
    assert third not in (0, second)
    assert "always open" in house.log()
    assert "the show is ended: it shows no frames any more" in house.log()
    house.process.send_signal(signal.SIGTERM)
    assert house.process.wait(LONG) == 0
    assert not alive(third)
    assert "closed" in house.log()


def test_a_show_that_is_ended_from_outside_comes_back(house: Opened) -> None:
    first = house.shows(1)
    os.kill(first, signal.SIGTERM)
    second = house.shows(2)
    assert second not in (0, first)
    house.process.send_signal(signal.SIGTERM)
    assert house.process.wait(LONG) == 0
    assert not alive(second)


def test_a_show_whose_supervisor_is_gone_ends(house: Opened) -> None:
    show = house.shows(1)
    house.process.kill()
    house.process.wait()
    until(lambda: not alive(show), LONG)


def test_a_display_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """However long that takes, the show goes on where it was: nothing was wrong with it."""
    screen = Screen()
    house = Opened(screen.name, tmp_path)
    try:
        house.shows(1)
        until(lambda: list(tmp_path.glob("installation-*/show.json")), LONG)
        screen.off()
        waits = "display 0 is not there; the show waits until it is switched on"
        until(lambda: waits in house.log(), LONG)
        screen.on()
        assert house.moves()
        assert "drift is taken up again" in house.log()
        assert "built-in picture" not in house.log()
    finally:
        house.kill()
        screen.close()


def test_the_name_of_a_display_that_is_away_is_given_to_nobody_else() -> None:
    away = Screen()
    away.off()
    other = Screen()
    assert other.name != away.name
    away.on()
    for screen in (away, other):
        screen.close()


def test_out_of_hours_the_wall_is_dark(display: str, tmp_path: Path) -> None:
    far = DAYS[(datetime.now().weekday() + 3) % 7]
    house = Opened(display, tmp_path, f'[hours]\n{far} = "10:00-18:00"\n')
    try:
        until(lambda: "the show is on" in house.log(), LONG)
        assert f"closed until {far} 10:00" in house.log()
        assert house.picture().max() == 0
    finally:
        house.kill()


def test_the_built_in_picture_needs_no_piece_and_no_venue(display: str, tmp_path: Path) -> None:
    venue = tmp_path / "here.toml"
    venue.write_text("[play")  # broken while it was on
    command = [
        *gallery.command(str(venue), Start.STANDBY, tmp_path / "memory"),
        "--size",
        "320x240",
    ]
    with subprocess.Popen(
        command,
        env={**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        pulse = Pulse.read(running.stdout.readline())
        assert pulse is not None
        assert pulse.resting
        until(lambda: np.asarray(ImageGrab.grab(xdisplay=display)).max() > 20, LONG)
        running.terminate()
        assert "not valid TOML" in running.stderr.read()
        assert running.wait(LONG) == TERMINATED  # nobody has closed it


@pytest.mark.parametrize("named", ["here", "here.toml"])
def test_a_mended_venue_or_setlist_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("order.toml").write_text('[[scene]]\nscene = "drift"\n')
    Path("here.toml").write_text('[play]\nsetlist = "order.toml"\n[osc]\nenabled = false\n')
    noticed: list[bool] = []

    def run(house: gallery.Supervisor) -> int:
        noticed.append(bool(house._saved()))
        for file in ("here.toml", "order.toml"):
            Path(file).write_text(Path(file).read_text() + "# mended\n")
            noticed.append(bool(house._saved()))
        return 0

    monkeypatch.setattr(gallery.Supervisor, "run", run)
    monkeypatch.setattr(gallery, "FileWatch", partial(FileWatch, every=0.0))
    gallery.open_house(named)
    assert noticed == [False, True, True]


def test_a_scene_of_any_name_may_lie_in_the_working_folder(tmp_path: Path) -> None:
    for name in ("argparse", "random"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a scene was imported')\n")
    command = gallery.command("here.toml", Start.STANDBY, tmp_path / "memory")
    done = subprocess.run(
        [*command, "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[hours]\ntuesday = "10:00-18:00"', "'tuesday' names no days"),
        ('[hours]\nmon = "10-18"', "write it as 10:00-18:00"),
        ('[watch]\nrestart = "soon"', "watch.restart = 'soon': a time of the day"),
        ('[watch]\nrestart = "04:00Z"', "by the machine's clock"),
        ("[watch]\nhang = 1", "watch.hang = 1"),
        ('[watch]\nlog = "nowhere/at/all.log"', "watch.log = 'nowhere/at/all.log' cannot be"),
        ('[play]\npiece = "ghost"', "no piece 'ghost'"),
        ('[parameters]\n"/drift/spede" = 1', "did you mean '/drift/speed'?"),
    ],
)
def test_a_mistake_in_the_venue_opens_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    venue = tmp_path / "here.toml"
    venue.write_text(text)
    assert cli.main(["open", str(venue)]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])  # the latter is nobody's (RFC 5737)
def test_a_second_house_is_refused_and_a_network_that_is_away_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    monkeypatch.setattr(gallery.Supervisor, "run", lambda _: 0)
    with OscServer(Bus(), port=0) as first:
        venue = tmp_path / "here.toml"
        venue.write_text(f'[osc]\nhost = "{host}"\nport = {first.port}\n[watch]\nlog = ""\n')
        assert cli.main(["open", str(venue)]) == (2 if host == first.host else 0)
    assert ("a show that is on already" in capsys.readouterr().err) == (host == first.host)
