"""Where this machine computes fastest, and whether it does so in bfloat16."""

from __future__ import annotations

import torch


def fastest() -> torch.device:
    """The CUDA device where there is one, else the CPU.

    Not a Mac's GPU: that has no float64, and nobody has measured what is gained there.
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def bfloat16_is_fast() -> bool:
    """On the fastest device: elsewhere it is emulated, and slower than float32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # No public question for this yet; where it cannot be asked, float32 is always right.
    ask = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(ask()) and not torch.backends.mps.is_available()


def in_bfloat16(wish: str) -> bool:
    """Whether a recipe's `precision` means bfloat16 on this machine."""
    return bfloat16_is_fast() if wish == "auto" else wish == "bf16"
