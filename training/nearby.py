"""Where the dataset's pixels wait: decoded once, as bytes, on the device that trains."""

from __future__ import annotations

import torch
from torch import Tensor

SHARE = 0.25  # of a GPU's free memory; the rest is for networks and their gradients


def near(images: Tensor, device: torch.device) -> Tensor:
    """The same images (N, 3, S, S) uint8 on a GPU where they fit, else in pinned memory, from
    where each batch travels faster. On a CPU they stay as they are."""
    if device.type != "cuda":
        return images
    free, _ = torch.cuda.mem_get_info(device)
    return images.to(device) if fits(images, free) else images.pin_memory()


def fits(images: Tensor, free: int) -> bool:
    """Whether images may take their place in so many free bytes."""
    return images.numel() * images.element_size() <= SHARE * free
