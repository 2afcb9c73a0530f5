"""The state of a training on disk: one safetensors file, its account in JSON inside the header.

No pickle. Written to a temporary file, flushed and renamed; the one before is kept, and used
where the newest is damaged.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from models.piece import write_synced
from training import UsageError
from training.module import GanModule

NAME = "checkpoint.safetensors"
PREVIOUS = "checkpoint.previous.safetensors"
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")
_ACCOUNT = {"recipe", "dataset", "labels", "seconds", "steps", "shown", "resolution"}


class CheckpointError(UsageError):
    """A training that cannot be resumed. One line."""


def write_checkpoint(folder: Path, module: GanModule, account: dict[str, Any]) -> None:
    """Save networks, average and optimisers, with `account` (plain JSON) for the rest."""
    tensors = {f"module.{key}": value for key, value in module.state_dict().items()}
    for name, optimizer, network in _optimizers(module):
        for key, parameter in network.named_parameters():
            state = optimizer.state.get(parameter, {})
            tensors.update({f"{name}.{key}.{m}": state[m] for m in _MOMENTS if m in state})
    tensors = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    record = {
        **account,
        "steps": module.steps,
        "shown": module.shown,
        "resolution": module.size.resolution,
        "digest": _digest(tensors),
    }
    path = folder / NAME
    fresh = path.with_suffix(".new")
    try:
        write_synced(fresh, save(tensors, {"account": json.dumps(record)}))
    except OSError:  # a full disk: half a checkpoint would only fill it more
        fresh.unlink(missing_ok=True)
        raise
    if path.exists():
        os.replace(path, folder / PREVIOUS)
    os.replace(fresh, path)


def read_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and account of the newest whole checkpoint. Raises CheckpointError."""
    reason = "there is none"
    for path in (folder / NAME, folder / PREVIOUS):
        try:
            with safe_open(path, framework="pt") as file:
                account = json.loads((file.metadata() or {})["account"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            if account["digest"] != _digest(tensors):
                raise ValueError("its hash does not match")
            if not account.keys() >= _ACCOUNT:
                raise ValueError("its account is incomplete")
            if path.name == PREVIOUS:  # or the next save would keep the damaged one as previous
                os.replace(path, folder / NAME)
            return tensors, account
        except FileNotFoundError:
            continue
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            reason = f"{path} is damaged ({error})"
    raise CheckpointError(f"nothing to resume in {folder}: {reason}")


def has_checkpoint(folder: Path) -> bool:
    return (folder / NAME).exists() or (folder / PREVIOUS).exists()


def restore(module: GanModule, tensors: dict[str, Tensor], account: dict[str, Any]) -> None:
    """Put a checkpoint's weights and steps into a module. Raises CheckpointError."""
    state = {k.removeprefix("module."): v for k, v in tensors.items() if k.startswith("module.")}
    try:
        _grow_to(module, account["resolution"])
        module.load_state_dict(state)
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(
            "the checkpoint was made with other networks, labels or codes; "
            "train under a new --name to change those"
        ) from error
    if not module.recipe.adapt:  # what is asked for now counts
        module.strength.fill_(float(module.recipe.augment))
    module.steps, module.shown = account["steps"], account["shown"]


def _grow_to(module: GanModule, resolution: int) -> None:
    """Make the networks as large as they were. Raises ValueError where the recipe never does."""
    sizes = module.recipe.sizes
    reached = [size.resolution for size in sizes].index(resolution)
    for size in sizes[1 : reached + 1]:
        module.grow(size)


def restore_optimizers(module: GanModule, tensors: dict[str, Tensor]) -> None:
    """Put the moments back, once Lightning has made the optimisers."""
    for name, optimizer, network in _optimizers(module):
        for key, parameter in network.named_parameters():
            saved = {moment: tensors.get(f"{name}.{key}.{moment}") for moment in _MOMENTS}
            found = {m: t.to(parameter.device) for m, t in saved.items() if t is not None}
            if len(found) == len(_MOMENTS):
                optimizer.state[parameter] = found


def _optimizers(module: GanModule) -> list[tuple[str, Any, torch.nn.Module]]:
    networks = {"generator": module.generator, "discriminator": module.discriminator}
    optimizers: Any = module.optimizers(use_pl_optimizer=False)
    return [
        (name, optimizer, network)
        for optimizer, (name, network) in zip(optimizers, networks.items(), strict=True)
    ]


def _digest(tensors: dict[str, Tensor]) -> str:
    found = hashlib.sha256()
    for key in sorted(tensors):
        found.update(key.encode())
        found.update(tensors[key].numpy().tobytes())
    return found.hexdigest()
