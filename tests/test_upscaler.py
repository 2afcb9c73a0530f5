"""The upscaling network by itself: its base, its shape, its weights' file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save

from models.card import PieceError
from models.upscaler import SCALES, TIERS, Upscaler, build, catmull_rom, load_default


def test_catmull_rom_reproduces_a_plane_and_sums_to_one() -> None:
    for scale in SCALES:
        kernel = catmull_rom(scale)
        assert torch.allclose(kernel.sum((1, 2)), torch.ones(scale * scale), atol=1e-6)
        x = torch.linspace(0.1, 0.9, 12).expand(1, 3, 12, 12)
        out = Upscaler(scale)(x, strength=0.0)
        step = (0.9 - 0.1) / 11 / scale
        inner = out[..., 3 * scale : -3 * scale]  # away from the clamped edge
        assert torch.allclose(inner.diff(dim=-1), torch.tensor(step).expand_as(inner)[..., 1:],
                              atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("scale", SCALES)
def test_base_agrees_with_pillows_bicubic(scale: int) -> None:
    """Pillow's bicubic has a = -0.5 too; only its edges differ (renormalised, not clamped)."""
    rng = np.random.default_rng(0)
    plane = rng.random((16, 20), np.float32)
    wanted = np.asarray(
        Image.fromarray(plane).resize((20 * scale, 16 * scale), Image.Resampling.BICUBIC)
    )
    x = torch.from_numpy(plane).expand(1, 3, 16, 20)
    found = Upscaler(scale).unclamped(x, strength=0.0)[0, 0].detach().numpy()
    inner = np.s_[2 * scale : -2 * scale, 2 * scale : -2 * scale]
    assert np.abs(found[inner] - wanted[inner]).max() < 1e-5


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("scale", SCALES)
def test_shape_range_and_strength(tier: str, scale: int) -> None:
    torch.manual_seed(scale)
    upscaler = Upscaler(scale, **TIERS[tier])
    x = torch.rand(2, 3, 9, 7)
    half, whole = upscaler.unclamped(x, 0.5), upscaler.unclamped(x)
    assert upscaler(x).shape == (2, 3, 9 * scale, 7 * scale)
    assert upscaler(x).min() >= 0
    assert upscaler(x).max() <= 1
    base = upscaler.unclamped(x, 0.0)
    assert torch.allclose(half, (base + whole) / 2, atol=1e-5)
    assert not torch.allclose(base, whole, atol=1e-4)


def test_macs_count_every_convolution() -> None:
    assert Upscaler(2, 16, 4).macs == 9 * (3 * 16 + 4 * 16 * 16 + 16 * 12)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"scale": 5}, "scale is 2, 3 or 4"),
        ({"channels": 10}, "multiple of 4"),
        ({"channels": 4096}, "multiple of 4"),
        ({"depth": 0}, "depth is 1 to 16"),
        ({"scale": "2"}, "whole number"),
        ({"depth": True}, "whole number"),
    ],
)
def test_impossible_shapes_are_refused(kwargs: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Upscaler(**kwargs)  # type: ignore[arg-type]


def test_build_restores_what_was_saved() -> None:
    torch.manual_seed(1)
    upscaler = Upscaler(2, 8, 3)
    again = build(upscaler.kwargs, save(upscaler.state_dict()), "there")
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(again(x), upscaler(x))


def test_build_refuses_what_does_not_fit() -> None:
    upscaler = Upscaler(2, 8, 3)
    good = save(upscaler.state_dict())
    broken = {name: tensor.clone() for name, tensor in upscaler.state_dict().items()}
    broken["head.bias"][0] = float("nan")
    for kwargs, weights in (
        (upscaler.kwargs, good[:-5]),
        (upscaler.kwargs, b""),
        ({**upscaler.kwargs, "depth": 4}, good),
        ({**upscaler.kwargs, "width": 4}, good),
        (upscaler.kwargs, save(broken)),
    ):
        with pytest.raises(PieceError, match="there"):
            build(kwargs, weights, "there")


@pytest.mark.parametrize(("tier", "scale"), [("S", 2), ("S", 4), ("T", 4)])
def test_shipped_weights_sharpen_an_edge_without_a_halo(tier: str, scale: int) -> None:
    """A soft diagonal edge becomes steeper than Catmull-Rom makes it; flat stays flat."""
    upscaler = load_default(scale, tier)
    side = 32
    y, x = torch.meshgrid(*[torch.arange(side * scale) / scale] * 2, indexing="ij")
    edge = (0.3 * x + y > 0.65 * side).float() * 0.5 + 0.25
    high = edge.expand(1, 3, -1, -1)
    low = torch.nn.functional.avg_pool2d(high, scale)
    low = torch.nn.functional.avg_pool2d(low, 3, stride=1, padding=1, count_include_pad=False)
    sharp, plain = upscaler(low), upscaler(low, 0.0)
    inner = slice(6 * scale, -6 * scale)
    error = (sharp - high)[..., inner, inner].abs().mean()
    assert error < 0.75 * (plain - high)[..., inner, inner].abs().mean()
    assert sharp[..., inner, inner].max() < 0.75 + 0.03
    assert sharp[..., inner, inner].min() > 0.25 - 0.03
    flat = torch.full((1, 3, 12, 12), 0.6)
    assert (upscaler(flat) - flat.mean()).abs().max() < 0.012
    assert (
        Path(str(files("models"))) / f"upscalers/{tier}x{scale}.safetensors"
    ).stat().st_size < 200_000
