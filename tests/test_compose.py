"""The road of a frame: up to the GPU, onto the canvas, to the screen, and back again."""

from __future__ import annotations

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from installation.engine.compose import Compose, Present
from installation.engine.readback import Readback
from installation.engine.resize import Resize
from installation.engine.textures import FrameTexture, Target
from tests.drawing import encoded, face_card, linear_target, read


def linear(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB decoded as IEC 61966-2-1 says, first row at the bottom."""
    c = frame[::-1] / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("channels", [3, 4])
def test_frame_goes_through_unchanged(gl: moderngl.Context, channels: int) -> None:
    rng = np.random.default_rng(1)
    frame = rng.integers(0, 256, (37, 41, channels), dtype=np.uint8)
    drawn = Compose(gl, (41, 37)).render(FrameTexture(gl).upload(frame))
    assert np.abs(read(gl, drawn) - linear(frame[..., :3])).max() < 1 / 1024
    shown = encoded(gl, drawn).astype(int) - frame[..., :3]
    assert np.abs(shown).max() <= 1
    assert abs(shown.mean()) < 0.02


def test_upload_keeps_the_texture_until_the_size_changes(gl: moderngl.Context) -> None:
    up = FrameTexture(gl)
    first = up.upload(face_card(32))
    assert up.upload(face_card(32)) is first
    assert up.upload(face_card(48)).size == (48, 48)
    with pytest.raises(ValueError, match="uint8"):
        up.upload(np.zeros((4, 4)))  # type: ignore[arg-type]


def test_blend_is_of_light(gl: moderngl.Context) -> None:
    black, white = (
        FrameTexture(gl).upload(np.full((8, 8, 3), level, np.uint8)) for level in (0, 255)
    )
    compose = Compose(gl, (8, 8))
    for blend in (0.0, 0.25, 1.0):
        drawn = read(gl, compose.render(black, white, blend))
        assert np.abs(drawn - blend).max() < 1e-3


def catmull_rom(row: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Along the first axis, cubic convolution with a = −0.5 (Keys 1981), edges continued; widened
    where the row becomes shorter, and kept to the range of the taps."""
    wide = max(len(row) / length, 1)
    out = np.zeros((length, *row.shape[1:]))
    for index in range(length):
        at = (index + 0.5) / length * len(row) - 0.5
        taps = np.arange(np.floor(at - 2 * wide) + 1, np.ceil(at + 2 * wide))
        x = np.abs(taps - at) / wide
        weight = np.where(x <= 1, 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2)
        read = row[np.clip(taps.astype(int), 0, len(row) - 1)]
        mean = np.tensordot(weight / weight.sum(), read, 1)
        out[index] = np.clip(mean, read.min(0), read.max(0))
    return out


SIZES = [(64, 64), (100, 75), (37, 160), (31, 33), (13, 9), (8, 50)]


@pytest.mark.parametrize("size", SIZES)
def test_a_resize_is_catmull_rom_within_range(gl: moderngl.Context, size: tuple[int, int]) -> None:
    frame = np.random.default_rng(2).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    wanted = catmull_rom(linear(frame).transpose(1, 0, 2), size[0]).transpose(1, 0, 2)
    wanted = catmull_rom(wanted, size[1])
    canvas = Target(gl, size)
    Resize(gl).draw(linear_target(gl, linear(frame)).texture, canvas.framebuffer)
    assert np.abs(canvas.read()[..., :3] - wanted).max() < 4e-3


@pytest.mark.parametrize("side", [10, 47, 48, 63, 65, 100, 301])
def test_no_edge_rings_at_any_size(gl: moderngl.Context, side: int) -> None:
    """From dark to light there is one way: no rim brighter or darker than the two."""
    frame = np.full((64, 64, 3), 40, np.uint8)
    frame[:, 30:] = 230
    row = read(gl, Compose(gl, (side, side)).render(FrameTexture(gl).upload(frame)))[
        side // 2, :, 0
    ]
    assert (np.diff(row) > -1e-3).all()
    assert row[0] == pytest.approx(linear(frame)[0, 0, 0], abs=1e-3)
    assert row[-1] == pytest.approx(linear(frame)[0, -1, 0], abs=1e-3)


@pytest.mark.parametrize("side", [16, 23, 40, 47])
def test_what_is_finer_than_a_pixel_is_grey_and_no_pattern(gl: moderngl.Context, side: int) -> None:
    checks = np.indices((64, 64)).sum(0) % 2 * 255
    frame = np.repeat(checks[..., None], 3, 2).astype(np.uint8)
    drawn = read(gl, Compose(gl, (side, side)).render(FrameTexture(gl).upload(frame)))
    assert np.abs(drawn - 0.5)[2:-2, 2:-2].max() < 0.05
    assert np.abs(drawn - 0.5).max() < 0.1  # beyond its edge the picture is flat, and leans there


def test_contain_shows_all_of_it_and_no_bars(gl: moderngl.Context) -> None:
    up = FrameTexture(gl).upload(face_card(64))
    whole = read(gl, Compose(gl, (64, 64)).render(up))
    wide = read(gl, Compose(gl, (128, 64)).render(up))
    tall = read(gl, Compose(gl, (64, 100)).render(up))
    assert np.abs(wide[:, 32:96] - whole).max() < 4e-3
    assert np.abs(tall[18:82] - whole).max() < 4e-3
    assert np.abs(wide[:, 31] - whole[:, 0]).max() < 0.2  # the border goes on …
    assert np.abs(np.diff(wide[:, 0], axis=0)).max() < 0.05  # … and is soft far out
    assert wide[:, :32].mean(-1).min() > 0.1  # no black


def test_dither_is_exact_at_the_ends_and_fair_between(gl: moderngl.Context) -> None:
    for level in (0.0, 1.0):
        even = linear_target(gl, np.full((64, 64, 3), level))
        assert (encoded(gl, even.texture) == round(level * 255)).all()
    wanted = 100.3  # of 255; without dither all would be 100
    light = ((wanted / 255 + 0.055) / 1.055) ** 2.4
    shown = encoded(gl, linear_target(gl, np.full((256, 256, 3), light)).texture)
    assert shown.mean() == pytest.approx(wanted, abs=0.05)
    assert set(np.unique(shown)) <= {99, 100, 101}


def test_fade_and_another_window_size(gl: moderngl.Context) -> None:
    half, present = linear_target(gl, np.full((16, 16, 3), 0.5)), Present(gl)
    window = Target(gl, (40, 24), "f1")
    present.render(half.texture, window.framebuffer, 0.0)
    assert np.abs(window.read()[..., :3] - 0.7354).max() < 0.006
    edge = linear_target(gl, np.repeat(np.indices((16, 16))[1][..., None] // 8 * 0.8, 3, -1))
    present.render(edge.texture, window.framebuffer, 0.0)
    brightest = ((0.8 * 1.055**2.4) ** (1 / 2.4) - 0.055) * 255
    assert window.read()[..., :3].max() * 255 < brightest + 2  # enlarged without a rim
    present.render(edge.texture, window.framebuffer, 0.0, hurried=True)
    row = window.read()[12, :, 0]
    assert (np.diff(row) > -0.01).all()  # from dark to light in steps, and both are there
    assert row[0] < 0.01
    assert row[-1] * 255 == pytest.approx(brightest, abs=2)
    present.render(half.texture, window.framebuffer, 0.0, fade=0.0)
    assert window.read()[..., :3].max() == 0


def test_readback_keeps_order_time_and_rows(gl: moderngl.Context) -> None:
    compose, present = Compose(gl, (40, 30)), Present(gl)
    target, back = Target(gl, (40, 30), "f1"), Readback(gl, (40, 30))
    frames, out = [], []
    for index in range(5):
        frame = np.full((30, 40, 3), 40 * index, np.uint8)
        frame[:10] = 255  # the top third is white
        frames.append(frame)
        present.render(compose.render(FrameTexture(gl).upload(frame)), target.framebuffer, 0.0)
        done = back.push(target.framebuffer, index / 60)
        assert (done is None) == (index < 2)
        out += [done] if done else []
    out += back.flush()
    assert [time for _, time in out] == [index / 60 for index in range(5)]
    for (picture, _), frame in zip(out, frames, strict=True):
        assert np.abs(picture.astype(int) - frame).max() <= 1
    with pytest.raises(ValueError, match="reads back"):
        back.push(Target(gl, (8, 8), "f1").framebuffer, 0.0)
    back.release()
