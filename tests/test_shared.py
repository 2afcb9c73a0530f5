"""Frames that stay on the GPU, here with a buffer that CUDA's part is played for."""

from __future__ import annotations

import moderngl
import numpy as np
import pytest
import torch

from installation.engine.shared import CudaBuffer, Frames
from tests.gl_objects import Made


class Shared:
    """Writes into the GL buffer as CUDA would."""

    made: list[Shared]
    fails_at = 0

    def __init__(self, buffer: moderngl.Buffer, device: int) -> None:
        self.buffer, self.device, self.filled, self.released = buffer, device, 0, False
        Shared.made.append(self)

    def fill(self, frame: torch.Tensor) -> None:
        self.filled += 1
        if self.filled == Shared.fails_at:
            raise RuntimeError("the GPU is gone\nand more")
        self.buffer.write(frame.numpy().tobytes())

    def release(self) -> None:
        self.released = True


@pytest.fixture(autouse=True)
def _nothing_made() -> None:
    Shared.made, Shared.fails_at = [], 0


def frame(side: int, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (side, side, 4), dtype=torch.uint8, generator=rng)


def shown(texture: moderngl.Texture) -> np.ndarray:
    side = texture.width
    return np.frombuffer(texture.read(alignment=1), np.uint8).reshape(side, side, 4)


def test_a_frame_on_the_gpu_arrives_row_by_row(gl: moderngl.Context) -> None:
    frames = Frames(gl, Shared)
    for seed in range(5):
        texture = frames.upload(frame(16, seed))
        np.testing.assert_array_equal(shown(texture), frame(16, seed).numpy())
        assert frames.direct
    assert [one.filled for one in Shared.made] == [2, 3]  # in turn, made once
    larger = frames.upload(frame(32))
    np.testing.assert_array_equal(shown(larger), frame(32).numpy())
    assert [one.released for one in Shared.made] == [True, True, False, False]
    frames.release()
    assert all(one.released for one in Shared.made)


def test_what_the_driver_refuses_goes_through_the_host(
    gl: moderngl.Context, caplog: pytest.LogCaptureFixture
) -> None:
    Shared.fails_at = 2
    frames = Frames(gl, Shared)
    for seed in range(6):
        texture = frames.upload(frame(16, seed))
        np.testing.assert_array_equal(shown(texture), frame(16, seed).numpy())
    assert frames.refused
    assert not frames.direct
    assert caplog.messages == ["frames go through the host: the GPU is gone"]
    assert all(one.released for one in Shared.made)
    frames.release()


def test_without_cuda_a_tensor_still_arrives(
    gl: moderngl.Context, caplog: pytest.LogCaptureFixture
) -> None:
    frames = Frames(gl, CudaBuffer)
    texture = frames.upload(frame(16))
    np.testing.assert_array_equal(shown(texture), frame(16).numpy())
    assert frames.refused
    assert len(caplog.messages) == 1
    frames.release()


def test_frames_from_the_host_go_the_old_way(gl: moderngl.Context) -> None:
    frames = Frames(gl, Shared)
    np.testing.assert_array_equal(shown(frames.upload(frame(8).numpy())), frame(8).numpy())
    assert not Shared.made
    assert not frames.direct
    frames.release()


def test_everything_is_released(gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch)
    frames = Frames(gl, Shared)
    frames.upload(frame(8))
    frames.upload(frame(16))
    frames.upload(frame(16).numpy())
    frames.release()
    assert made.alive() == 0
