"""torch.compile, where it holds and pays."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn


def compile_networks(
    networks: Sequence[nn.Module], choice: bool | Literal["auto"], device: torch.device
) -> bool:
    """Compile networks in place, which changes neither their names nor their weights; whether it
    was done. auto: on CUDA only.

    Calling `network.forward` still runs it as it is: second derivatives cannot be compiled, so the
    penalised discriminator goes that way. Where there is no working compiler, a line says so and
    everything runs as it is.
    """
    if choice is False or (choice == "auto" and device.type != "cuda"):
        return False
    try:
        torch.compile(torch.tanh)(torch.ones(8, device=device))
    except (RuntimeError, OSError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        print(f"torch.compile does not work here ({reason}); going on without", file=sys.stderr)
        return False
    for network in networks:
        network.compile()
    return True
