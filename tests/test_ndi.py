"""The picture for other programs: real ones are sent to a receiver in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from installation.broadcast import Broadcast
from installation.engine.textures import Target
from installation.output import ndi
from installation.output.ndi import Library, Ndi, NdiError
from installation.output.offscreen import Offscreen
from installation.programme import Options
from installation.tables import Ndi as Settings
from installation.venue import VenueError, parse
from tests import shows
from tests.gl_objects import Made
from tests.ndi_receiver import __file__ as RECEIVER
from tests.waiting import until

NAME = f"a test {os.getpid()}"  # another process may run the same one


class Received:
    """What another program sees: of each picture its size, and its colours above and below."""

    def __init__(self, folder: Path) -> None:
        # no machine here announces itself (that takes avahi): it is told where to look
        config = {"ndi": {"networks": {"ips": "127.0.0.1,"}}}
        (folder / "ndi-config.v1.json").write_text(json.dumps(config))
        self._process = subprocess.Popen(
            [sys.executable, RECEIVER, NAME], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "NDI_CONFIG_DIR": str(folder)},
        )  # fmt: skip
        self.pictures: list[list[int]] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.pictures.append([int(number) for number in line.split()])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reading.join()


@pytest.fixture
def received(tmp_path: Path) -> Iterator[Received]:
    made = Received(tmp_path)
    yield made
    made.close()


class Played:
    """In place of NDI's library: somebody receives, and a picture takes until it is let go."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.sent: list[int] = []
        self.receivers, self.taken, self.closed = 1, False, 0
        self.ready = threading.Event()
        self.ready.set()

    def open(self, name: str) -> int:
        self.names.append(name)
        if self.taken:
            raise NdiError("taken")
        return 7

    def called(self, sender: int) -> str:
        return "HERE"

    def watching(self, sender: int, seconds: float) -> int:
        return self.receivers

    def send(self, sender: int, picture: np.ndarray, rate: Fraction) -> None:
        self.sent.append(int(picture[0, 0, 0]))
        self.ready.wait()

    def close(self, sender: int) -> None:
        self.closed += 1


def plain(red: int, size: tuple[int, int] = (64, 32)) -> np.ndarray:
    return np.full((size[1], size[0], 4), (red, 0, 0, 255), np.uint8)


@pytest.fixture
def senders() -> Iterator[list[Ndi]]:
    """Those in it are closed, whatever happens: a name is one's own in the whole machine."""
    made: list[Ndi] = []
    yield made
    for one in made:
        one.close()


def test_other_programs_receive_what_is_sent_upright_and_in_its_size(
    received: Received, senders: list[Ndi]
) -> None:
    senders.append(Ndi(NAME, 60).start())
    until(lambda: senders[0].watched)
    for width, height in ((320, 240), (200, 100)):
        picture = plain(250, (width, height))
        picture[height // 2 :] = (0, 0, 250, 255)

        def arrives(picture: np.ndarray = picture, size: tuple[int, int] = (width, height)) -> bool:
            senders[0].offer(picture)
            return any(one[:2] == [*size] for one in received.pictures)

        until(arrives)
    colours = np.array(received.pictures[-1][2:])
    assert np.abs(colours - [250, 0, 0, 0, 0, 250]).max() < 20  # as video carries them


def test_a_name_that_is_taken_is_said_and_free_again_afterwards(senders: list[Ndi]) -> None:
    first = Ndi(NAME, 60).start()
    senders.append(first)
    with pytest.raises(NdiError, match=f"sends as '{NAME}' already: close it, or give another"):
        Ndi(NAME, 60).start()
    first.close()
    Ndi(NAME, 60).start().close()


def test_a_patient_one_tries_until_it_can(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ndi, "_AGAIN", 0.01)
    library = Played()
    library.taken = True
    sender = Ndi("wall", 60, lambda: library).start(patient=True)
    until(lambda: len(library.names) > 2)
    assert not sender.watched
    library.taken = False
    until(lambda: sender.watched)
    sender.close()
    assert caplog.text.count("taken; the show goes on without, and tries again") == 1


def test_the_newest_picture_is_sent_and_nobody_waits_for_it() -> None:
    library = Played()
    library.ready.clear()
    sender = Ndi("wall", 60, lambda: library).start()
    until(lambda: sender.watched)
    sender.offer(plain(1))
    until(lambda: library.sent == [1])  # it is still under way
    for red in range(2, 9):
        sender.offer(plain(red))
    library.ready.set()
    until(lambda: len(library.sent) == 2)
    assert library.sent == [1, 8]
    sender.close()
    assert library.closed == 1


def test_who_comes_later_is_not_sent_what_was_left_when_the_last_one_went() -> None:
    library = Played()
    library.ready.clear()
    sender = Ndi("wall", 60, lambda: library).start()
    until(lambda: sender.watched)
    sender.offer(plain(1))
    until(lambda: library.sent == [1])
    sender.offer(plain(2))
    library.receivers = 0
    library.ready.set()
    until(lambda: not sender.watched)
    library.receivers = 1
    until(lambda: sender.watched)
    sender.offer(plain(3))
    until(lambda: 3 in library.sent)
    assert library.sent == [1, 3]
    sender.close()
    assert sender.name == ""  # there is nothing to be asked any more


def test_without_the_library_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for told in ("NDI_RUNTIME_DIR_V6", "NDI_RUNTIME_DIR_V5"):
        monkeypatch.delenv(told, raising=False)
    monkeypatch.setitem(ndi._FILES, sys.platform, "nothing-of-this-name.so")
    with pytest.raises(NdiError, match=r"pip install 'installation\[ndi\]'.*enabled = false"):
        Ndi(NAME, 60).start()


@pytest.mark.parametrize("content", [b"", b"not a library"])
def test_a_library_that_is_damaged_is_named(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / ndi._FILES[sys.platform]
    damaged.write_bytes(content)
    monkeypatch.setattr(ndi, "_places", lambda: iter([str(damaged), "nothing-of-this-name.so"]))
    with pytest.raises(NdiError, match=f"cannot be used .*{damaged}.*enabled = false"):
        Ndi(NAME, 60).start()


def test_another_library_of_that_name_is_passed_over_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import _ctypes  # a library that is there on every machine, and is not NDI's

    there = list(ndi._places())
    monkeypatch.setattr(ndi, "_places", lambda: iter([_ctypes.__file__]))
    with pytest.raises(NdiError, match=r"cannot be used .*NDIlib.*enabled = false"):
        Ndi(NAME, 60).start()
    monkeypatch.setattr(ndi, "_places", lambda: iter([_ctypes.__file__, *there]))
    Ndi(NAME, 60).start().close()


def test_the_library_of_ndi_tools_counts_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NDI_RUNTIME_DIR_V6", "/usr/lib/ndi")
    assert next(ndi._places()) == str(Path("/usr/lib/ndi", ndi._FILES[sys.platform]))


@pytest.fixture
def screen() -> Iterator[Offscreen]:
    made = Offscreen((64, 64))
    yield made
    made.close()


def settings(text: str = "") -> object:
    return parse(f"[ndi]\nenabled = true\nname = '{NAME}'\n{text}", "here.toml").ndi


def test_the_wall_is_sent_while_anybody_receives_it(
    screen: Offscreen, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = Made(monkeypatch)
    source = Target(screen.ctx, (128, 64))  # linear light: a bright red above, dark blue below
    source.framebuffer.clear(1.0, 0.0, 0.0, viewport=(0, 32, 128, 32))
    source.framebuffer.clear(0.0, 0.0, 0.2, viewport=(0, 0, 128, 32))
    made = Broadcast(screen.ctx, settings())
    made.open(patient=False)
    moments = iter(range(10_000))
    until(lambda: made.offer(source.texture, next(moments), 1.0) or received.pictures)
    assert received.pictures[0][:2] == [128, 64]
    assert np.abs(np.array(received.pictures[0][2:]) - [255, 0, 0, 0, 0, 124]).max() < 20
    until(lambda: made.rest() or max(received.pictures[-1][2:]) < 5)  # the house is closed
    made.release()
    source.release()
    assert objects.alive() == 0


def test_nothing_is_drawn_while_nobody_receives_it(
    screen: Offscreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Played()
    library.receivers = 0
    monkeypatch.setattr(ndi.Ndi, "__init__", _of(library))
    source = Target(screen.ctx, (128, 64))
    made = Broadcast(screen.ctx, settings("fps = 10"))
    made.open(patient=False)
    objects = Made(monkeypatch)
    for moment in range(100):
        made.offer(source.texture, moment, 1.0)
        made.rest()
    assert objects.alive() == 0
    library.receivers = 1
    until(lambda: made._ndi is not None and made._ndi.watched)
    for moment in range(100):
        made.offer(source.texture, 200 + moment / 40, 1.0)
    assert objects.alive() > 0
    made.release()
    source.release()
    assert objects.alive() == 0


def test_who_comes_later_is_not_shown_what_was_on_when_the_last_one_went(
    screen: Offscreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Played()
    monkeypatch.setattr(ndi.Ndi, "__init__", _of(library))
    source = Target(screen.ctx, (64, 64))
    made = Broadcast(screen.ctx, settings())
    made.open(patient=False)
    moments = iter(range(10_000))

    def shown(red: float) -> None:
        source.framebuffer.clear(red, 0.0, 0.0)
        made.offer(source.texture, next(moments), 1.0)

    until(lambda: made._ndi is not None and made._ndi.watched)
    until(lambda: shown(1.0) or library.sent)
    library.receivers = 0
    until(lambda: made._ndi is not None and not made._ndi.watched)
    shown(1.0)  # an hour of it
    before = len(library.sent)
    library.receivers = 1
    until(lambda: made._ndi is not None and made._ndi.watched)
    until(lambda: shown(0.0) or len(library.sent) > before)
    assert library.sent[before] == 0
    made.release()
    source.release()


def _of(library: Played) -> object:
    made = Ndi.__init__
    return lambda self, name, fps: made(self, name, fps, lambda: library)


def test_a_show_whose_name_is_taken_does_not_begin_and_one_left_alone_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, senders: list[Ndi]
) -> None:
    venue = tmp_path / "here.toml"
    venue.write_text(
        f"[osc]\nenabled = false\n[midi]\nenabled = false\n[ndi]\nenabled = true\nname = '{NAME}'\n"
    )
    senders.append(Ndi(NAME, 60).start())
    with (
        shows.opened(Options(venue=str(venue), offscreen=True)) as show,
        pytest.raises(NdiError, match="already"),
    ):
        show.open()
    with shows.opened(Options(venue=str(venue), offscreen=True, supervised=True)) as show:
        show.open()
        until(lambda: "the show goes on without" in caplog.text)


@pytest.mark.parametrize("name", ["", "  ", "a\\nb", "x" * 46])
def test_a_name_that_nobody_could_read_is_refused(name: str) -> None:
    with pytest.raises(VenueError, match=r"ndi\.name"):
        parse(f'[ndi]\nname = "{name}"\n', "here.toml")


def test_the_longest_name_is_one_for_the_library() -> None:
    """Of letters of four bytes, beside the longest name of a machine."""
    longest = next(part.max_length for part in Settings.model_fields["name"].metadata[::-1]
                   if hasattr(part, "max_length"))  # fmt: skip
    library, here = Library(), len(socket.gethostname())
    sender = library.open("🎭" * longest + (63 - here) * "x")
    library.close(sender)


def test_the_library_gives_a_name_that_says_the_machine() -> None:
    library = Library()
    sender = library.open(NAME)
    assert library.called(sender).endswith(f"({NAME})")
    library.close(sender)
