"""Resizing, PSNR, SSIM and flicker against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image

from training.metrics.fidelity import luma, psnr, ssim
from training.metrics.flicker import flicker, least
from training.resample import resample


def test_halving_by_bicubic_weighs_eight_pixels_as_matlab_does() -> None:
    """Keys' cubic, twice as wide: at 0.25, 0.75, 1.25 and 1.75 from the middle, halved."""
    half = [0.43359375, 0.11328125, -0.03515625, -0.01171875]
    wanted = torch.zeros(16, dtype=torch.float64)
    wanted[5:13] = torch.tensor([*half[::-1], *half])
    found = resample(torch.eye(16, dtype=torch.float64), (16, 8), "bicubic")[:, 4]
    assert torch.allclose(found, wanted)


@pytest.mark.parametrize("kernel", ["box", "bicubic", "lanczos"])
@pytest.mark.parametrize("size", [(9, 13), (18, 26), (27, 39), (6, 7)])
def test_an_even_picture_stays_even(kernel: str, size: tuple[int, int]) -> None:
    flat = torch.full((3, 18, 26), 0.3, dtype=torch.float64)
    assert torch.allclose(resample(flat, size, kernel), flat[:, :1, :1].expand(3, *size))


def test_box_averages_and_the_edge_is_mirrored() -> None:
    line = torch.tensor([[1.0, 2, 3, 4, 5, 6]])
    assert torch.allclose(resample(line, (1, 3), "box"), torch.tensor([[1.5, 3.5, 5.5]]))
    assert torch.allclose(resample(line, (1, 2), "box"), torch.tensor([[2.0, 5.0]]))
    mirrored = torch.cat([line.flip(1), line, line.flip(1)], 1)
    found = resample(mirrored, (1, 36), "bicubic")[:, 12:24]
    assert torch.allclose(resample(line, (1, 12), "bicubic"), found)


@pytest.mark.parametrize(("kernel", "filter_"), [("bicubic", 3), ("lanczos", 1)])
def test_inside_it_agrees_with_pillow(kernel: str, filter_: int) -> None:
    plane = np.random.default_rng(0).random((48, 60), np.float32)
    wanted = np.asarray(Image.fromarray(plane).resize((20, 16), Image.Resampling(filter_)))
    found = resample(torch.from_numpy(plane), (16, 20), kernel).numpy()
    assert np.abs(found - wanted)[4:-4, 4:-4].max() < 1e-5


def test_luma_of_the_corners_of_the_cube() -> None:
    colours = torch.tensor([[0.0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0]]).T.reshape(3, 2, 2)
    wanted = torch.tensor([[16, 235], [81.481, 144.553]]) / 255
    assert torch.allclose(luma(colours)[0], wanted, atol=1e-6)


def test_psnr() -> None:
    grey = torch.full((3, 4, 4), 0.5)
    assert psnr(grey, grey) == math.inf
    assert psnr(grey + 0.1, grey) == pytest.approx(20, abs=1e-4)
    spot = grey.clone()
    spot[0, 0, 0] += 0.48
    assert psnr(spot, grey) == pytest.approx(-10 * math.log10(0.48**2 / 48), abs=1e-4)


def test_ssim() -> None:
    """Of two even greys only the means count; of a picture and its negative, the structure."""
    a, b = torch.full((1, 16, 16), 0.2), torch.full((1, 16, 16), 0.4)
    assert ssim(a, a) == pytest.approx(1)
    assert ssim(a, b) == pytest.approx((2 * 0.08 + 1e-4) / (0.04 + 0.16 + 1e-4), abs=1e-6)
    noise = torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert ssim(1 - noise, noise) < -0.7
    assert 0.5 < ssim(noise + 0.05 * torch.randn(1, 32, 32), noise) < 0.995


def test_flicker_of_an_edge_by_nearest_neighbour() -> None:
    """Every second frame the edge falls inside a small pixel: two columns swing by half, so their
    deviation is a quarter."""
    picture = torch.zeros(3, 96, 96)
    picture[..., 48:] = 1

    def nearest(x: torch.Tensor) -> torch.Tensor:
        return x.repeat_interleave(2, -1).repeat_interleave(2, -2)

    width = (96 - 7) // 2 * 2 - 7 - 16
    assert flicker(picture, nearest, 2) == pytest.approx(255 * 0.25 * 2 / width, rel=1e-4)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_flicker_is_none_where_nothing_changes(scale: int) -> None:
    side = least(scale)

    def interpolated(x: torch.Tensor) -> torch.Tensor:
        return resample(x, (x.shape[-2] * scale, x.shape[-1] * scale), "bicubic")

    assert flicker(torch.full((3, side, side), 0.6), interpolated, scale) < 1e-3
    noise = torch.rand(3, side, side, generator=torch.Generator().manual_seed(0))
    assert flicker(noise, interpolated, scale) > 5
