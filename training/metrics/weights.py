"""Official network weights, from a file that the artist gives; nothing is ever downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import nn

from models.card import sha256
from training import UsageError


class WeightsError(UsageError):
    """A weights file that is missing or not the official one. One line."""


@dataclass(frozen=True)
class Official:
    """A published file of weights."""

    file: str
    sha256: str
    where: str  # for the message; this program does not go there


def load_official(network: nn.Module, path: Path, official: Official) -> None:
    """Put an official file's weights into a network. Raises WeightsError.

    The hash is checked first, so that only the published bytes are ever unpacked; and
    weights_only unpacks nothing but tensors.
    """
    try:
        if not path.is_file():
            raise WeightsError(
                f"there is no file {path}; put {official.file} there ({official.where}), this "
                "program downloads nothing"
            )
        if sha256(path) != official.sha256:
            raise WeightsError(
                f"{path} is not {official.file}: its SHA-256 does not begin with "
                f"{official.sha256[:8]}; get it from {official.where}"
            )
        state = torch.load(path, map_location="cpu", weights_only=True)
        # A counter of training steps, which some files have and some have not.
        state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
        missing, unknown = network.load_state_dict(state, strict=False)
    except (OSError, RuntimeError, AttributeError, UnpicklingError) as error:
        raise WeightsError(f"{path} cannot be read ({error})") from error
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unknown:
        raise WeightsError(f"{path} does not fit: {[*missing, *unknown][0]} is not in both")
    network.eval().requires_grad_(False)
