"""A generator bent while it draws: its maps are turned, enlarged and moved on their way to the
picture, and the layers after them draw what they then see (Broad et al. 2021, Network Bending:
Expressive Manipulation of Deep Generative Models)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def bent(maps: Tensor, bend: Tensor, layer: int, layers: int) -> Tensor:
    """One layer's maps, (N, C, H, W), moved as much as falls to it; what is beyond their edge is
    their mirror image.

    bend: (N, 5), each as models.latent.BEND says. layer: from 0, which is the 4 by 4 maps, of
    `layers`. Between two of them either takes its share, so that the depth can glide.
    """
    depth, turn, larger, across, up = bend.unbind(1)
    share = (1 - (depth * (layers - 1) - layer).abs()).clamp(min=0)
    angle, scale = torch.deg2rad(turn) * share, torch.exp2(-larger * share)
    x, y = scale * angle.cos(), scale * angle.sin()
    # from where each pixel comes, in [-1, 1] across and down
    rows = [torch.stack([x, y, -2 * across * share], 1), torch.stack([-y, x, 2 * up * share], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(maps.shape), align_corners=False)
    return F.grid_sample(maps, grid, padding_mode="reflection", align_corners=False)
