"""The upscaler's detail comes to rest where the picture stands still, and nowhere else."""

from __future__ import annotations

import moderngl
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from installation.engine.steady import Steady
from installation.engine.textures import Target
from models.upscaler import Upscaler
from tests.gl_objects import Made

Picture = NDArray[np.float32]  # (height, width, 3)
SIDE, SCALE = 16, 2


def texture(gl: moderngl.Context, picture: Picture, dtype: str) -> moderngl.Texture:
    rgba = np.concatenate([picture, np.ones_like(picture[..., :1])], -1)
    data = np.round(rgba * 255).astype(np.uint8) if dtype == "f1" else rgba.astype(np.float16)
    return gl.texture((picture.shape[1], picture.shape[0]), 4, data.tobytes(), dtype=dtype)


def frame(seed: int) -> Picture:
    rng = np.random.default_rng(seed)
    return (rng.integers(30, 225, (SIDE, SIDE, 3)) / 255).astype(np.float32)


def base(low: Picture) -> Picture:
    x = torch.from_numpy(low).permute(2, 0, 1)[None]
    return Upscaler(SCALE)(x, 0.0)[0].permute(1, 2, 0).detach().numpy()


def shown(
    gl: moderngl.Context, steady: Steady, high: Picture, low: Picture, time: float, reach: float
) -> Picture:
    picture, small = texture(gl, high, "f2"), texture(gl, low, "f1")
    drawn = steady.render(picture, small, time, reach)
    pixels = np.frombuffer(drawn.read(), np.float16).reshape(*high.shape[:2], 4)
    picture.release()
    small.release()
    return pixels[..., :3].astype(np.float32)


@pytest.fixture
def steady(gl: moderngl.Context):
    made = Steady(gl)
    yield made
    made.release()


def test_detail_that_shimmers_comes_to_rest_on_a_still_picture(
    gl: moderngl.Context, steady: Steady
) -> None:
    low = frame(0)
    still = base(low)
    rng = np.random.default_rng(1)
    seen = []
    for index in range(60):
        noise = rng.uniform(-0.04, 0.04, still.shape).astype(np.float32)
        seen.append(shown(gl, steady, np.clip(still + noise, 0, 1), low, index / 30, 0.5))
    raw, late = 0.04 / 3**0.5, np.std(seen[-15:], axis=0).mean()
    assert late < raw / 4
    assert np.abs(np.mean(seen[-15:], axis=0) - still).mean() < 0.01


def test_a_picture_that_does_not_change_is_left_as_it_is(
    gl: moderngl.Context, steady: Steady
) -> None:
    low = frame(0)
    high = np.clip(base(low) + 0.05, 0, 1)
    for index in range(5):
        assert np.abs(shown(gl, steady, high, low, index / 30, 0.5) - high).max() < 2e-3


def test_a_cut_drags_no_ghost(gl: moderngl.Context, steady: Steady) -> None:
    first, second = frame(0), frame(1)
    for index in range(10):
        shown(gl, steady, np.clip(base(first) + 0.08, 0, 1), first, index / 30, 1.0)
    wanted = np.clip(base(second) - 0.08, 0, 1)
    assert np.abs(shown(gl, steady, wanted, second, 10 / 30, 1.0) - wanted).max() < 2e-3


def test_what_moves_is_shown_as_it_is_and_the_rest_is_held(
    gl: moderngl.Context, steady: Steady
) -> None:
    first = frame(0)
    second = first.copy()
    second[:, 8:] = frame(1)[:, 8:]
    before, after = np.clip(base(first) + 0.03, 0, 1), np.clip(base(second) - 0.03, 0, 1)
    for index in range(3):
        shown(gl, steady, before, first, index / 30, 1.0)
    drawn = shown(gl, steady, after, second, 3 / 30, 1.0)
    moved, held = slice(2 * 10, None), slice(0, 2 * 5)
    assert np.abs(drawn - after)[:, moved].max() < 2e-3
    assert np.abs(drawn - before)[:, held].mean() < 0.01


def test_at_zero_it_does_nothing_and_forgets(gl: moderngl.Context, steady: Steady) -> None:
    low = frame(0)
    bright, dark = np.clip(base(low) + 0.05, 0, 1), np.clip(base(low) - 0.05, 0, 1)
    shown(gl, steady, bright, low, 0.0, 1.0)
    assert np.abs(shown(gl, steady, dark, low, 0.1, 0.0) - dark).max() < 1e-3
    assert np.abs(shown(gl, steady, bright, low, 0.2, 1.0) - bright).max() < 2e-3


def test_it_follows_the_clock_and_not_the_number_of_pictures(
    gl: moderngl.Context, steady: Steady
) -> None:
    low = frame(0)
    bright, dark = np.clip(base(low) + 0.03, 0, 1), np.clip(base(low) - 0.03, 0, 1)
    found = []
    for steps in (3, 12):
        shown(gl, steady, bright, low, 0.0, 0.0)  # forgets
        shown(gl, steady, bright, low, 0.0, 0.5)
        for index in range(1, steps + 1):
            last = shown(gl, steady, dark, low, index * 0.4 / steps, 0.5)
        found.append(last)
    assert np.abs(found[0] - found[1]).max() < 3e-3


def test_what_comes_after_it_draws_without_an_error(gl: moderngl.Context) -> None:
    """moderngl binds again what was bound before: that must not be a framebuffer released here."""
    bound = Target(gl, (8, 8))
    bound.framebuffer.use()
    _ = gl.error  # whatever another test has left
    one = Steady(gl)
    shown(gl, one, base(frame(0)), frame(0), 0.0, 1.0)
    target = Target(gl, (8, 8))
    assert gl.error == "GL_NO_ERROR"
    one.release()
    target.release()
    bound.release()
    Target(gl, (8, 8)).release()
    assert gl.error == "GL_NO_ERROR"


def test_it_is_released(gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch)
    one = Steady(gl)
    shown(gl, one, base(frame(0)), frame(0), 0.0, 1.0)
    one.release()
    assert made.alive() == 0
