"""A picture as large as a print, where it may take its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

_GENERAL = (4, "L")  # scale and tier, where a piece has no upscaler of its own


def enlarged(picture: NDArray[np.uint8], size: int, own: nn.Module | None) -> NDArray[np.uint8]:
    """(S, S, 3) -> (size, size, 3): by the piece's own upscaler, or the largest general one, and
    the rest of the way by bicubic interpolation (Keys 1981), as down to a smaller size.

    Raises PieceError where the general upscaler is damaged.
    """
    import torch
    from torch.nn import functional as F

    from models.upscaler import load_default

    x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        if size > x.shape[-1]:
            x = (own or load_default(*_GENERAL))(x)
        if size != x.shape[-1]:
            x = F.interpolate(x, (size, size), mode="bicubic", antialias=True)
        out = x[0].permute(1, 2, 0).mul(255).round().clamp(0, 255).to(torch.uint8)
    return out.numpy()
