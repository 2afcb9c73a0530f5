"""What an upscaler is worth: what `installation evaluate --upscaler` measures and prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from models.piece import load
from models.shelf import find
from models.upscaler import CHAINS, SCALES, TIERS, Chained, Upscaler, load_default, shipped
from training.metrics.fidelity import luma, psnr, ssim
from training.metrics.flicker import Enlarge, flicker, least
from training.metrics.material import EvaluationError
from training.naming import called
from training.resample import resample
from training.upscale.export import png
from training.upscale.pictures import Picture, read_pictures
from training.writing import replace

SAMPLES = 100  # pictures, where there are as many
KERNELS = ("bicubic", "box")  # by which they are made small
_LARGEST = 1024  # pixels; larger pictures are made smaller first
_PANNED = 256  # side of the middle of a picture whose flicker is measured
_SHOWN = 3  # pictures in the sheet, each _WINDOW wide
_WINDOW = 240


@dataclass(frozen=True)
class Method:
    """One way to make a picture larger. tier: None for an interpolation; macs: multiply-adds for
    each small pixel."""

    name: str
    tier: str | None
    scale: int
    macs: int
    enlarge: Enlarge


def evaluate(
    dataset: Path,
    *,
    piece: str | Path | None = None,
    samples: int = SAMPLES,
    out: Path | None = None,
) -> dict[str, Any]:
    """Bicubic, Lanczos, every tier and scale that ships and, where a piece is given, its own
    upscaler, on any folder or zip of pictures. A chain is left out where a picture is too small.

    The report is plain JSON: `upscaler` has a row for each method and scale, and in it a figure for
    each kernel in KERNELS: the mean over the pictures of PSNR and SSIM on luma and on RGB, as many
    pixels as the scale left out at the edges. out: a folder for pictures side by side. Raises
    UsageError and PieceError, one line each.
    """
    own = _own(piece)
    pictures, problems, _ = read_pictures(dataset, _LARGEST, least(max(SCALES)))
    chosen = np.linspace(0, len(pictures) - 1, min(samples, len(pictures))).round().astype(int)
    pictures = [pictures[k] for k in chosen]
    smallest = min(min(picture.shape[:2]) for picture in pictures)
    methods = [method for method in _methods(own) if least(method.scale) <= smallest]
    rows = []
    with torch.no_grad(), tqdm(total=len(methods) * len(pictures), delay=2, disable=None) as bar:
        for method in methods:
            rows.append(_row(method, pictures, bar))
        if out is not None:
            _show(out, pictures[:_SHOWN], methods)
    return {
        "dataset": called(dataset),
        "images": len(pictures),
        "left_out": len(problems),
        "upscaler": rows,
    }


def to_text(report: dict[str, Any]) -> str:
    """The report as a table."""
    lines = [
        f"{report['dataset']}: {report['images']} pictures made small by bicubic / box and enlarged"
        " again.\nPSNR in dB and SSIM on luma (Y) and RGB; flicker in 255ths, less is calmer.\n",
        f"{'':12}{'scale':>6}{'MAC':>8}{'PSNR Y':>15}{'PSNR RGB':>15}{'SSIM Y':>15}"
        f"{'SSIM RGB':>15}{'flicker':>9}",
    ]
    for row in report["upscaler"]:
        cells = [
            " / ".join(f"{row[kernel][key]:.{digits}f}" for kernel in KERNELS)
            for key, digits in (("psnr_y", 2), ("psnr_rgb", 2), ("ssim_y", 3), ("ssim_rgb", 3))
        ]
        lines.append(
            f"{row['method']:12}{'×' + str(row['scale']):>6}{row['mac'] or '–':>8}"
            + "".join(f"{cell:>15}" for cell in cells)
            + f"{row['flicker']:>9.2f}"
        )
    return "\n".join(lines)


def _own(piece: str | Path | None) -> Upscaler | None:
    if piece is None:
        return None
    work = load(find(piece))
    if not isinstance(work.upscaler, Upscaler):
        raise EvaluationError(
            f"{work.path} has no upscaler of its own; "
            f"installation train DATASET --recipe upscale --from {piece} fits one"
        )
    return work.upscaler


def _methods(own: Upscaler | None) -> Iterator[Method]:
    for scale in (*SCALES, *CHAINS):
        networks: list[tuple[str, str | None, Upscaler | Chained]] = [
            (f"tier {tier}", tier, load_default(scale, tier)) for tier in shipped(scale)
        ]
        if own is not None and own.scale == scale:
            networks.append(("the piece's", _tier(own), own))
        if networks:
            for kernel in ("bicubic", "lanczos"):
                yield Method(kernel, None, scale, 0, _interpolation(kernel, scale))
        for name, tier, network in networks:
            yield Method(name, tier, scale, network.macs, network)


def _tier(upscaler: Upscaler) -> str | None:
    shape = {"channels": upscaler.channels, "depth": upscaler.depth}
    return next((tier for tier, kwargs in TIERS.items() if kwargs == shape), None)


def _interpolation(kernel: str, scale: int) -> Enlarge:
    def enlarge(x: Tensor) -> Tensor:
        return resample(x, (x.shape[-2] * scale, x.shape[-1] * scale), kernel)

    return enlarge


def _row(method: Method, pictures: list[Picture], bar: Any) -> dict[str, Any]:
    found: dict[str, list[dict[str, float]]] = {kernel: [] for kernel in KERNELS}
    shimmer = []
    for picture in pictures:
        high = _tensor(picture, method.scale)
        for kernel in KERNELS:
            found[kernel].append(_compare(_again(high, method, kernel), high, method.scale))
        shimmer.append(flicker(_middle(high, _PANNED), method.enlarge, method.scale))
        bar.update()
    means = {
        kernel: {key: float(np.mean([one[key] for one in each])) for key in each[0]}
        for kernel, each in found.items()
    }
    return {
        "method": method.name, "tier": method.tier, "scale": method.scale, "mac": method.macs,
        **means, "flicker": float(np.mean(shimmer)),
    }  # fmt: skip


def _again(high: Tensor, method: Method, kernel: str) -> Tensor:
    """Made small, rounded, made large again, rounded."""
    height, width = high.shape[-2:]
    small = resample(high, (height // method.scale, width // method.scale), kernel)
    return _rounded(method.enlarge(_rounded(small)[None])[0])


def _compare(made: Tensor, wanted: Tensor, edge: int) -> dict[str, float]:
    made, wanted = (x[..., edge:-edge, edge:-edge] for x in (made, wanted))
    made_y, wanted_y = luma(made), luma(wanted)
    return {
        "psnr_y": psnr(made_y, wanted_y),
        "psnr_rgb": psnr(made, wanted),
        "ssim_y": ssim(made_y, wanted_y),
        "ssim_rgb": ssim(made, wanted),
    }


def _tensor(picture: Picture, scale: int) -> Tensor:
    """(3, H, W) in [0, 1], cut to a multiple of the scale."""
    height, width = (side // scale * scale for side in picture.shape[:2])
    part = np.ascontiguousarray(picture[:height, :width])
    return torch.from_numpy(part).permute(2, 0, 1).float() / 255


def _middle(picture: Tensor, most: int) -> Tensor:
    """The middle of a picture, at most so many pixels a side."""
    height, width = (min(most, side) for side in picture.shape[-2:])
    top, left = (picture.shape[-2] - height) // 2, (picture.shape[-1] - width) // 2
    return picture[:, top : top + height, left : left + width]


def _rounded(picture: Tensor) -> Tensor:
    return (picture.clamp(0, 1) * 255).round() / 255


def _show(out: Path, pictures: list[Picture], methods: list[Method]) -> None:
    """One PNG for each scale: every method beside the original, a row for each picture."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for scale in sorted({method.scale for method in methods}):
            rows = []
            for picture in pictures:
                high = _middle(_tensor(picture, scale), _WINDOW // 12 * 12)
                of_scale = [m for m in methods if m.scale == scale]
                rows.append(torch.cat([*(_again(high, m, "box") for m in of_scale), high], -1))
            replace(out / f"x{scale}.png", png(rows))
    except OSError as error:
        raise EvaluationError(f"--out {out} cannot be written ({error.strerror or error})") from (
            error
        )
