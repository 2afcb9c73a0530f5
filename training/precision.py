"""Whether this machine computes in bfloat16: elsewhere it is emulated, and slower than float32."""

from __future__ import annotations

import torch


def bfloat16_is_fast() -> bool:
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # No public question for this yet; where it cannot be asked, float32 is always right.
    ask = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(ask()) and not torch.backends.mps.is_available()
