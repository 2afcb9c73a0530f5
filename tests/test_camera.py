"""Stills: each one whole, under a name of its own, and never more than the machine can hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import moderngl
import numpy as np
import pytest
from PIL import Image

from installation import camera
from installation.camera import Camera

SIZE = (64, 48)


@pytest.fixture
def screen(gl: moderngl.Context) -> Iterator[moderngl.Framebuffer]:
    texture = gl.texture(SIZE, 4)
    made = gl.framebuffer([texture])
    yield made
    made.release()
    texture.release()


def take(one: Camera, screen: moderngl.Framebuffer, level: float) -> None:
    screen.clear(level, level, level, 1.0)
    one.still()
    one.take(screen, SIZE, 0.0)


def test_stills_of_one_second_have_names_of_their_own(
    gl: moderngl.Context, screen: moderngl.Framebuffer, tmp_path: Path
) -> None:
    one = Camera(gl, tmp_path / "clips", "masks")
    for level in (0.2, 0.4, 0.6):
        take(one, screen, level)
    one.close()
    found = sorted((tmp_path / "clips").iterdir())
    assert len(found) == 3
    assert {int(np.asarray(Image.open(path)).mean()) for path in found} == {51, 102, 153}


def test_no_more_wait_than_can_be_held(
    gl: moderngl.Context,
    screen: moderngl.Framebuffer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    disk, save = threading.Event(), camera._save
    monkeypatch.setattr(camera, "_save", lambda *a: (disk.wait(10), save(*a)))
    one = Camera(gl, tmp_path, "masks")
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
    (tmp_path / "clips").write_text("a file")
    one = Camera(gl, tmp_path / "clips", "masks")
    take(one, screen, 0.5)
    one.close()
    assert "no still" in caplog.text


def test_a_recording_of_half_the_displays_rate_has_every_second_frame(
    gl: moderngl.Context,
    screen: moderngl.Framebuffer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Frames come a little before or after their time: that must not be seen in the movie."""
    one, taken = Camera(gl, tmp_path, "masks"), []
    one.begin(tmp_path / "clip.mp4", SIZE, 30, live=True)
    monkeypatch.setattr(one._readback, "push", lambda _, now: taken.append(now))
    for index, off in enumerate(np.random.default_rng(0).normal(0, 0.0005, 300)):
        one.take(screen, SIZE, 100 + index / 60 + float(off))
    one.close()
    gaps = np.diff(taken)[2:]  # the first may come twice
    assert gaps == pytest.approx([1 / 30] * len(gaps), abs=0.005)
