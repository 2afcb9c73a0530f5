"""Convolutions that halve or double a picture: 4×4 kernels, stride 2, padding 1.

While training on a CPU, the smallest maps go through a plain matrix product instead: oneDNN's
bfloat16 weight gradient of a 4×4 convolution onto 4×4 pixels takes 250 ms there, this one 3
(measured, torch 2.13, AMX). Both ways differentiate twice and agree up to rounding. Large pictures
are laid out channels last, and what is made of them then is too; at 64 pixels that took a twentieth
more (training/MEASUREMENTS.md).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_SMALL = 4  # pixels of the smaller side's map
_LARGE = 128  # pixels of a picture


def halve(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(N, A, H, W) and a kernel (B, A, 4, 4) -> (N, B, H/2, W/2)."""
    side = x.shape[2] // 2
    if not _by_matrix(x, side):
        if x.shape[2] >= _LARGE:
            x = x.contiguous(memory_format=torch.channels_last)
        return F.conv2d(x, weight, bias, stride=2, padding=1)
    rows = F.unfold(x, 4, padding=1, stride=2).transpose(1, 2)  # (N, pixels, A·16)
    # One product for the whole batch: a product per image would copy the weights N times.
    y = F.linear(rows.flatten(0, 1), weight.flatten(1), bias)
    return y.view(len(x), side, -1, len(weight)).permute(0, 3, 1, 2)


def double(x: Tensor, weight: Tensor) -> Tensor:
    """(N, A, H, W) and a kernel (A, B, 4, 4) -> (N, B, 2H, 2W)."""
    side = x.shape[2]
    if not _by_matrix(x, side):
        return F.conv_transpose2d(x, weight, stride=2, padding=1)
    rows = x.permute(0, 2, 3, 1).flatten(0, 2) @ weight.flatten(1)  # (N·pixels, B·16)
    columns = rows.view(len(x), -1, rows.shape[1]).transpose(1, 2)
    return F.fold(columns, (2 * side, 2 * x.shape[3]), 4, padding=1, stride=2)


def _by_matrix(x: Tensor, side: int) -> bool:
    return side <= _SMALL and x.device.type == "cpu" and torch.is_grad_enabled()
