"""Stills: each one whole, under a name of its own, and never more than the machine can hold."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import moderngl
import numpy as np
import pytest
from PIL import Image

from installation import capture
from installation.capture import Capture
from installation.output import recorder
from installation.still import Shown
from models.card import Card
from models.latent import Latent
from tests.waiting import until

SIZE = (64, 48)


@pytest.fixture
def screen(gl: moderngl.Context) -> Iterator[moderngl.Framebuffer]:
    texture = gl.texture(SIZE, 4)
    made = gl.framebuffer([texture])
    yield made
    made.release()
    texture.release()


def take(one: Capture, screen: moderngl.Framebuffer, level: float) -> None:
    screen.clear(level, level, level, 1.0)
    one.still()
    one.take(screen, SIZE, 0.0)


def test_stills_of_one_second_have_names_of_their_own(
    gl: moderngl.Context, screen: moderngl.Framebuffer, tmp_path: Path
) -> None:
    one = Capture(gl, tmp_path / "clips", "masks")
    for level in (0.2, 0.4, 0.6):
        take(one, screen, level)
    one.close()
    found = sorted((tmp_path / "clips").iterdir())
    assert len(found) == 3
    assert {int(np.asarray(Image.open(path)).mean()) for path in found} == {51, 102, 153}


def test_a_still_is_called_after_the_piece_that_it_shows(
    gl: moderngl.Context, screen: moderngl.Framebuffer, tmp_path: Path
) -> None:
    """A show may have several, and is called after its first."""
    one, latent = Capture(gl, tmp_path, "masks"), Latent(4)
    one.still()
    card = Card("anime", 64, latent, {})
    one.take(screen, SIZE, 0.0, lambda: Shown(card, np.zeros(latent.width, np.float32)))
    one.close()
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("anime-")


def test_no_more_wait_than_can_be_held(
    gl: moderngl.Context,
    screen: moderngl.Framebuffer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    disk, save = threading.Event(), capture.save
    monkeypatch.setattr(capture, "save", lambda *a: (disk.wait(10), save(*a)))
    one = Capture(gl, tmp_path, "masks")
    for _ in range(6):
        take(one, screen, 0.5)
    assert caplog.text.count("no still: 4 are still being saved") == 2
    disk.set()
    one.close()
    assert len(list(tmp_path.glob("*.png"))) == 4


def test_a_place_that_cannot_be_written_is_said(
    gl: moderngl.Context,
    screen: moderngl.Framebuffer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And where the hand looks that has pressed R or S, until one of them does what it is to do."""
    clips = tmp_path / "clips"
    clips.write_text("a file")
    one = Capture(gl, clips, "masks")
    take(one, screen, 0.5)
    assert one.fault.startswith(f"no still: cannot write to {clips}: ")
    assert one.fault in caplog.text
    one.toggle(SIZE, 30)
    assert one.fault.startswith(f"no recording: cannot write to {clips}: ")
    assert one.fault in caplog.text
    clips.unlink()
    one.toggle(SIZE, 30)
    assert (one.fault, one.recording) == ("", True)
    one.close()


def test_a_still_that_the_disk_refuses_is_said(
    gl: moderngl.Context,
    screen: moderngl.Framebuffer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(capture, "save", full)
    one = Capture(gl, tmp_path, "masks")
    take(one, screen, 0.5)
    one.close()
    assert one.fault == f"no still: cannot write to {tmp_path}: No space left on device"


def test_a_recording_that_ends_by_itself_is_said(
    gl: moderngl.Context,
    screen: moderngl.Framebuffer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever pressed R looks at the wall, and not into a log."""
    one = Capture(gl, tmp_path, "masks")
    one.toggle(SIZE, 30)
    one.take(screen, (SIZE[0], 96), 0.0)
    assert one.fault == "the window has another size now: the recording ends here"
    monkeypatch.setattr(recorder.shutil, "disk_usage", lambda _: SimpleNamespace(free=0.9e9))
    one.toggle(SIZE, 30)
    assert one.fault == ""
    times = itertools.count()
    until(lambda: one.take(screen, SIZE, next(times) / 30) or not one.recording)
    assert "less than 1 GB is left" in one.fault
    one.close()


def test_a_recording_of_half_the_displays_rate_has_every_second_frame(
    gl: moderngl.Context,
    screen: moderngl.Framebuffer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Frames come a little before or after their time: that must not be seen in the movie."""
    one, taken = Capture(gl, tmp_path, "masks"), []
    one.begin(tmp_path / "clip.mp4", SIZE, 30, live=True)
    monkeypatch.setattr(one._readback, "push", lambda _, now: taken.append(now))
    for index, off in enumerate(np.random.default_rng(0).normal(0, 0.0005, 300)):
        one.take(screen, SIZE, 100 + index / 60 + float(off))
    one.close()
    gaps = np.diff(taken)[2:]  # the first may come twice
    assert gaps == pytest.approx([1 / 30] * len(gaps), abs=0.005)
