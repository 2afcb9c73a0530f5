"""Convolutions that halve or double a picture: 4×4 kernels, stride 2, padding 1.

While training on a CPU, the smallest maps go through a plain matrix product instead: oneDNN's
bfloat16 weight gradient of a 4×4 convolution onto 4×4 pixels takes 250 ms there, this one 3
(measured, torch 2.13, AMX). Both ways differentiate twice and agree up to rounding. Large pictures
are laid out channels last, and what is made of them then is too; at 64 pixels that took a twentieth
more on a CPU (training/MEASUREMENTS.md).

A gradient penalty differentiates twice. Left to itself, torch makes one of the weight gradients of
that a convolution with the batch for channels and a kernel as large as the picture, which took an
H200 9 to 16 ms at 256 pixels, 40 % of all its time. `Halve` takes the ordinary one, however often
(as do Karras et al. 2021, StyleGAN3).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F

_SMALL = 4  # pixels of the smaller side's map
_LARGE = 128  # pixels of a picture
_OWN = 64  # pixels of a map, from which a CPU too is faster with `Halve`


def halve(x: Tensor, weight: Tensor, bias: Tensor, twice: bool = False) -> Tensor:
    """(N, A, H, W) and a kernel (B, A, 4, 4) -> (N, B, H/2, W/2).

    twice: it will be differentiated twice; the same numbers, up to rounding.
    """
    side = x.shape[2] // 2
    if not _by_matrix(x, side):
        x = _laid_out(x, x.shape[2])
        if not twice or not (x.is_cuda or x.shape[2] >= _OWN):
            return F.conv2d(x, weight, bias, stride=2, padding=1)
        if torch.is_autocast_enabled(x.device.type):
            dtype = torch.get_autocast_dtype(x.device.type)
            x, weight, bias = x.to(dtype), weight.to(dtype), bias.to(dtype)
        y: Tensor = Halve.apply(x, weight)
        return y + bias.view(1, -1, 1, 1)
    rows = F.unfold(x, 4, padding=1, stride=2).transpose(1, 2)  # (N, pixels, A·16)
    # One product for the whole batch: a product per image would copy the weights N times.
    y = F.linear(rows.flatten(0, 1), weight.flatten(1), bias)
    return y.view(len(x), side, -1, len(weight)).permute(0, 3, 1, 2)


def double(x: Tensor, weight: Tensor) -> Tensor:
    """(N, A, H, W) and a kernel (A, B, 4, 4) -> (N, B, 2H, 2W)."""
    side = x.shape[2]
    if not _by_matrix(x, side):
        return F.conv_transpose2d(_laid_out(x, 0), weight, stride=2, padding=1)
    rows = x.permute(0, 2, 3, 1).flatten(0, 2) @ weight.flatten(1)  # (N·pixels, B·16)
    columns = rows.view(len(x), -1, rows.shape[1]).transpose(1, 2)
    return F.fold(columns, (2 * side, 2 * x.shape[3]), 4, padding=1, stride=2)


# Each of the three is a derivative of the others:
# x (N, A, 2H, 2W), weight (B, A, 4, 4), y (N, B, H, W).


class Halve(Function):
    """x, weight -> y."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, stride=2, padding=1)

    @staticmethod
    def backward(ctx: Any, y: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        for_x, for_weight = ctx.needs_input_grad
        return (
            Double.apply(y, weight) if for_x else None,
            Weight.apply(x, y) if for_weight else None,
        )


class Double(Function):
    """y, weight -> x."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(y, weight)
        return F.conv_transpose2d(y, weight, stride=2, padding=1)

    @staticmethod
    def backward(ctx: Any, x: Tensor) -> tuple[Tensor | None, ...]:
        y, weight = ctx.saved_tensors
        for_y, for_weight = ctx.needs_input_grad
        return (
            Halve.apply(x, weight) if for_y else None,
            Weight.apply(x, y) if for_weight else None,
        )


class Weight(Function):
    """x, y -> weight."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(x, y)
        like = x.new_empty(1).expand(y.shape[1], x.shape[1], 4, 4)  # only its shape is asked for
        found: Tensor = torch.ops.aten.convolution_backward(
            y, x, like, None, (2, 2), (1, 1), (1, 1), False, (0, 0), 1, (False, True, False)
        )[1]
        return found

    @staticmethod
    def backward(ctx: Any, weight: Tensor) -> tuple[Tensor | None, ...]:
        x, y = ctx.saved_tensors
        for_x, for_y = ctx.needs_input_grad
        return (
            Double.apply(y, weight) if for_x else None,
            Halve.apply(x, weight) if for_y else None,
        )


def _laid_out(x: Tensor, side: int) -> Tensor:
    """Channels last where that is faster; on a GPU it always is what convolutions compute in."""
    if side >= _LARGE or x.is_cuda:
        return x.contiguous(memory_format=torch.channels_last)
    return x


def _by_matrix(x: Tensor, side: int) -> bool:
    return side <= _SMALL and x.device.type == "cpu" and torch.is_grad_enabled()
