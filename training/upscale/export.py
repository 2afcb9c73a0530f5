"""What a fitted upscaler leaves: weights beside their card, a piece that has it, pictures."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save
from torch import Tensor

from models import piece
from models.card import GENERATOR, UPSCALER
from models.upscaler import Chained, Upscaler
from training.resample import resample
from training.upscale.pictures import Picture
from training.upscale.recipe import UpscaleRecipe
from training.writing import replace

_ROWS = 4  # pictures in a sheet
_SIDE = 64  # of what is shown of each, small pixels


def stand_alone(
    upscaler: Upscaler | Chained,
    tier: str,
    folder: Path,
    training: dict[str, Any],
    provenance: Sequence[dict[str, Any]] = (),
    licence: str = "",
) -> Path:
    """Write <tier>x<scale>.safetensors and its card, for models.upscaler.load_default; the path of
    the former."""
    folder.mkdir(parents=True, exist_ok=True)
    data = save({name: t.contiguous() for name, t in upscaler.state_dict().items()})
    name = f"{tier}x{upscaler.scale}"
    card = {
        "upscaler": upscaler.kwargs,
        "sha256": hashlib.sha256(data).hexdigest(),
        "licence": licence,
        "provenance": list(provenance),
        "training": training,
    }
    replace(folder / f"{name}.safetensors", data)
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    replace(folder / f"{name}.json", text.encode())
    return folder / f"{name}.safetensors"


def into_piece(
    upscaler: Upscaler,
    source: Path,
    target: Path,
    training: dict[str, Any],
    provenance: Sequence[dict[str, Any]] = (),
) -> Path:
    """Write the piece `source` to `target`, which may be the same, with this upscaler.

    Everything else stays, to the byte; whose images it learned from joins the card. Raises
    PieceError.
    """
    card, _ = piece.load_unfolded(source)
    rest = {name: (source / name).read_bytes() for name in card.files if name != UPSCALER}
    generator = rest.pop(GENERATOR)
    known = [*card.provenance, *(p for p in provenance if p not in card.provenance)]
    card = changed(
        card,
        name=target.name if target.resolve() != source.resolve() else card.name,
        upscaler=upscaler.kwargs,
        provenance=known,
        training={**card.training, "upscaler": training},
    )
    return piece.save(target, card, generator, upscaler, rest)


def sheet(
    upscaler: Upscaler | Chained, pictures: Sequence[Picture], recipe: UpscaleRecipe
) -> bytes:
    """A PNG: interpolated, upscaled, and the original side by side; the same places every time."""
    rng = np.random.default_rng([recipe.seed, 9])
    rows = []
    for index in rng.integers(len(pictures), size=_ROWS):
        high = _middle(pictures[index], recipe.scale)
        size = (high.shape[1] // recipe.scale, high.shape[2] // recipe.scale)
        low = (resample(high, size, "box").clamp(0, 1) * 255).round()[None] / 255
        with torch.no_grad():
            rows.append(torch.cat([upscaler(low, 0.0)[0], upscaler(low)[0], high], -1))
    return png(rows)


def png(rows: Sequence[Tensor]) -> bytes:
    """Pictures (3, H, W) in [0, 1] below each other as a PNG, white beside the narrower ones."""
    wide = max(row.shape[-1] for row in rows)
    whole = torch.cat([F.pad(row, (0, wide - row.shape[-1]), value=1.0) for row in rows], 1)
    pixels = (whole.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _middle(picture: Picture, scale: int) -> Tensor:
    """The middle of a picture, at most _SIDE small pixels a side: (3, H, W) in [0, 1]."""
    sides = [min(_SIDE, length // scale) * scale for length in picture.shape[:2]]
    y, x = ((whole - side) // 2 for whole, side in zip(picture.shape[:2], sides, strict=True))
    part = picture[y : y + sides[0], x : x + sides[1]]
    return torch.from_numpy(np.ascontiguousarray(part)).permute(2, 0, 1).float() / 255
