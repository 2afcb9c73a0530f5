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
from models.upscaler import (
    CHAINS,
    SCALES,
    TIERS,
    Upscaler,
    build,
    catmull_rom,
    load_default,
    shipped,
)


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
    found = torch.pixel_shuffle(Upscaler(scale).base(x), scale)[0, 0].numpy()
    inner = np.s_[2 * scale : -2 * scale, 2 * scale : -2 * scale]
    assert np.abs(found[inner] - wanted[inner]).max() < 1e-5


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("scale", SCALES)
def test_shape_range_and_strength(tier: str, scale: int) -> None:
    torch.manual_seed(scale)
    upscaler = Upscaler(scale, **TIERS[tier])
    x = torch.rand(2, 3, 9, 7)
    assert upscaler(x).shape == (2, 3, 9 * scale, 7 * scale)
    assert upscaler(x).min() >= 0
    assert upscaler(x).max() <= 1
    base = torch.pixel_shuffle(upscaler.base(x), scale).clamp(0, 1)
    assert torch.equal(upscaler(x, 0.0), base)
    far = [(upscaler(x, strength) - base).abs().mean() for strength in (0.0, 0.5, 1.0)]
    assert far[0] < far[1] < far[2]


def test_the_residual_stays_near_its_neighbours() -> None:
    """However wild the network, an output pixel keeps to the 3×3 around it, or to the base."""
    torch.manual_seed(0)
    upscaler = Upscaler(2, 8, 2)
    torch.nn.init.normal_(upscaler.tail.weight, std=9.0)
    x = torch.rand(1, 3, 12, 10)
    out = torch.nn.functional.pixel_unshuffle(upscaler(x), 2)[0].detach().numpy()
    base = upscaler.base(x).clamp(0, 1)[0].numpy()
    wide = np.pad(x[0].numpy(), ((0, 0), (1, 1), (1, 1)), "edge")
    around = np.stack([wide[:, i : i + 12, j : j + 10] for i in range(3) for j in range(3)])
    low, high = around.min(0), around.max(0)
    slack = 0.05 * (high - low) + 1e-6
    for phase in range(4):
        found, plain = out[phase::4], base[phase::4]
        assert (found <= np.maximum(high + slack, plain)).all()
        assert (found >= np.minimum(low - slack, plain)).all()
    assert np.abs(out - base).mean() > 0.1


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
        ([upscaler.kwargs], good),
        ([], good),
        ("S", good),
        (upscaler.kwargs, save(broken)),
    ):
        with pytest.raises(PieceError, match="there"):
            build(kwargs, weights, "there")


SHIPPED = [(tier, scale) for scale in (*SCALES, *CHAINS) for tier in shipped(scale)]


def test_there_are_weights_for_every_scale() -> None:
    """And for the smallest machine at each that one network reaches alone."""
    assert {scale for _, scale in SHIPPED} == {*SCALES, *CHAINS}
    assert {("T", scale) for scale in SCALES} | {("S", scale) for scale in SCALES} <= {*SHIPPED}


@pytest.mark.parametrize(("tier", "scale"), SHIPPED)
def test_shipped_weights_sharpen_an_edge_without_a_halo(tier: str, scale: int) -> None:
    """A slanted edge comes out nearer to the original, with no more of a rim; flat stays flat."""
    upscaler, share = load_default(scale, tier), 0.95 if tier == "T" else 0.75
    side = 32
    places = (torch.arange(side * scale) + 0.5) / scale
    y, x = torch.meshgrid(places, places, indexing="ij")
    high = ((0.3 * x + y > 0.65 * side).float() * 0.5 + 0.25).expand(1, 3, -1, -1)
    low = torch.nn.functional.avg_pool2d(high, scale)
    inside = np.s_[..., 6 * scale : -6 * scale, 6 * scale : -6 * scale]
    sharp, plain, high = (part[inside] for part in (upscaler(low), upscaler(low, 0.0), high))
    assert (sharp - high).abs().mean() < share * (plain - high).abs().mean()
    rim = 0.25 * (1.1 ** len(upscaler.links) - 1)  # each may go 5 % beyond what it is given
    assert sharp.max() <= max(plain.max(), 0.75 + rim) + 1e-6
    assert sharp.min() >= min(plain.min(), 0.25 - rim) - 1e-6
    flat = torch.full((1, 3, 12, 12), 0.6)
    assert (upscaler(flat) - 0.6).abs().max() < 1e-5


@pytest.mark.parametrize(("tier", "scale"), SHIPPED)
def test_shipped_weights_are_small(tier: str, scale: int) -> None:
    weights = Path(str(files("models"))) / f"upscalers/{tier}x{scale}.safetensors"
    assert weights.stat().st_size < 400_000
