"""torch.compile, for whoever asks for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch
from torch import nn

from training.precision import fastest


def compile_networks(networks: Sequence[nn.Module], backend: str = "inductor") -> bool:
    """Compile networks in place, which changes neither their names nor their weights; whether it
    was done.

    Calling `network.forward` still runs it as it is: second derivatives cannot be compiled, so the
    penalised discriminator goes that way. Where there is no working compiler, a line says so and
    everything runs as it is.
    """
    try:
        torch.compile(torch.tanh, backend=backend)(torch.ones(8, device=fastest()))
    except (RuntimeError, OSError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        print(f"torch.compile does not work here ({reason}); going on without", file=sys.stderr)
        return False
    torch._dynamo.config.suppress_errors = True  # what cannot be compiled later runs as it is
    for network in networks:
        network.compile(backend=backend)
    return True
