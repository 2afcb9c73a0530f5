"""States of networks, compared to the bit."""

from __future__ import annotations

from collections.abc import Mapping

import torch


def differing(one: Mapping[str, torch.Tensor], two: Mapping[str, torch.Tensor]) -> list[str]:
    """The names of those that are not the same in both, or in one alone."""
    both = one.keys() & two.keys()
    return sorted((one.keys() ^ two.keys()) | {k for k in both if not torch.equal(one[k], two[k])})
