"""The state of a training on disk: one safetensors file, its account in JSON inside the header.

No pickle. Written to a temporary file, flushed and renamed; the one before is kept, and used
where the newest is damaged. The digest covers every tensor and the account.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from models.folder import write_synced
from training import UsageError
from training.guard import Health
from training.recipe import Recipe, make_recipe

if TYPE_CHECKING:
    from training.module import GanModule

NAME = "checkpoint.safetensors"
PREVIOUS = "checkpoint.previous.safetensors"
_ACCOUNT = {
    "recipe", "dataset", "labels", "seconds", "steps", "shown", "kimg", "resolution", "health",
}  # fmt: skip

_OTHERS = "other networks, labels or codes"
# of a recipe: what the networks' tensors hang on
_SHAPES = (
    "resolution", "growth", "z", "codes", "networks", "generator", "discriminator", "guide",
)  # fmt: skip


class CheckpointError(UsageError):
    """A training that cannot be resumed. One line."""


# Any state


def write_state(path: Path, tensors: dict[str, Tensor], account: dict[str, Any]) -> None:
    """Write tensors and account (plain JSON), whole or not at all. Raises OSError."""
    tensors = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    text = json.dumps(account, sort_keys=True)
    fresh = path.with_name(f"{path.name}.new")
    try:
        write_synced(fresh, save(tensors, {"account": text, "digest": _digest(tensors, text)}))
        _rotate(fresh, path)
    except OSError:  # a full disk: half a checkpoint would only fill it more
        fresh.unlink(missing_ok=True)
        raise


def read_state(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and account of one file. Raises FileNotFoundError, or CheckpointError for a file
    that is not whole."""
    try:
        with safe_open(path, framework="pt") as file:
            told = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        if told["digest"] != _digest(tensors, told["account"]):
            raise ValueError("its hash does not match")
        return tensors, dict(json.loads(told["account"]))
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged ({error})") from error


def _rotate(fresh: Path, path: Path) -> None:
    """Give the new file its name; a checkpoint's older one stays as the previous one, unless that
    is damaged and the previous one is what the training went on from."""
    if path.name == NAME and _is_whole(path):
        os.replace(path, path.with_name(PREVIOUS))
    os.replace(fresh, path)


def _is_whole(path: Path) -> bool:
    try:
        read_state(path)
    except (FileNotFoundError, CheckpointError):
        return False
    return True


def _digest(tensors: dict[str, Tensor], account: str) -> str:
    found = hashlib.sha256(account.encode())
    for key in sorted(tensors):
        value = tensors[key]
        found.update(f"\0{key} {value.dtype} {tuple(value.shape)}\0".encode())
        found.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def newest(folder: Path) -> Path:
    """The checkpoint to go on from, in a folder that has one: the newest that is whole. Where none
    is, the newest there is, so that reading it says what is wrong."""
    there = [path for path in (folder / NAME, folder / PREVIOUS) if path.exists()]
    return next(filter(_is_whole, there), there[0])


# The state of a GAN's training


def write_checkpoint(folder: Path, module: GanModule, account: dict[str, Any]) -> None:
    """Save networks, average and optimisers, with `account` (plain JSON) for the rest."""
    record = {
        **account,
        "steps": module.steps,
        "shown": module.shown,
        "grown_at": module.grown_at,
        "fade": module.generator.fade,
        "kimg": module.kimg,
        "resolution": module.size.resolution,
        "health": asdict(module.health),
    }
    write_state(folder / NAME, state_of(module), record)


def read_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and account of the newest whole checkpoint. Raises CheckpointError."""
    reason = ""
    for path in (folder / NAME, folder / PREVIOUS):
        try:
            tensors, account = read_state(path)
            if not account.keys() >= _ACCOUNT:
                raise CheckpointError(f"{path} was written by another version of installation")
            return tensors, account
        except FileNotFoundError:
            continue
        except CheckpointError as error:
            reason = str(error)
    raise CheckpointError(
        f"nothing to resume in {folder}: {reason}"
        if reason
        else f"there is no training in {folder} yet; leave out --resume"
    )


def has_checkpoint(folder: Path) -> bool:
    return (folder / NAME).exists() or (folder / PREVIOUS).exists()


def state_of(module: GanModule) -> dict[str, Tensor]:
    """Every tensor of networks, average and optimisers, by name."""
    tensors = {f"module.{key}": value for key, value in module.state_dict().items()}
    for name, optimizer, network in _optimizers(module):
        tensors.update(moments(name, optimizer, network))
    return tensors


def restore(module: GanModule, tensors: dict[str, Tensor], account: dict[str, Any]) -> None:
    """Put a checkpoint's weights, steps and health into a module. Raises CheckpointError."""
    try:
        _grow_to(module, account["resolution"])
        grown = True
    except ValueError:
        grown = False
    if not grown or not fits(module, tensors):
        raise _not_the_same(_differing(account["recipe"], module.recipe))
    restore_weights(module, tensors)
    module.steps, module.shown = account["steps"], account["shown"]
    module.grown_at = account.get("grown_at", 0)  # before it was kept, the average ignored it
    module.fade_to(account.get("fade", 1.0))  # most of a training is past the last fade
    module.health = Health(**account["health"])


def _grow_to(module: GanModule, resolution: int) -> None:
    """Make the networks as large as they were. Raises ValueError where the recipe never does."""
    sizes = module.recipe.sizes
    reached = [size.resolution for size in sizes].index(resolution)
    for size in sizes[1 : reached + 1]:
        module.grow(size)


def restore_weights(module: GanModule, tensors: dict[str, Tensor]) -> None:
    """Put back the networks and the average alone. Raises CheckpointError."""
    if not fits(module, tensors):
        raise _not_the_same(_OTHERS)
    module.load_state_dict(_weights(tensors))
    if not module.recipe.adapt:  # what is asked for now counts
        module.strength.fill_(float(module.recipe.augment))


def _not_the_same(made_with: str) -> CheckpointError:
    return CheckpointError(
        f"the checkpoint was made with {made_with}; to change that, train under a new --name, and "
        "--from this piece begins where it is"
    )


def _differing(before: dict[str, Any], now: Recipe) -> str:
    """What two recipes say differently of the networks."""
    then = make_recipe(before, where="as before")
    said = ((key, getattr(then, key), getattr(now, key)) for key in _SHAPES)
    told = [
        f"{key} = {_told(one)}, not {_told(other)}"
        for key, one, other in said
        if one != other and _shape(then, key) != _shape(now, key)
    ]
    return ", and ".join(told) or _OTHERS


def _shape(recipe: Recipe, key: str) -> Any:
    """What a network has of it: as many of a line's sizes as are used, and whether a guide."""
    if key == "guide":
        return recipe.guide > 0
    return getattr(recipe, f"{key}_stages" if key in ("generator", "discriminator") else key)


def _told(value: Any) -> str:
    """A recipe's value; codes by name and size."""
    if not isinstance(value, tuple):
        return repr(value)
    codes = (f"{one.name} ({one.size if one.kind == 'categorical' else one.kind})" for one in value)
    return ", ".join(codes) or "none"


def fits(module: GanModule, tensors: dict[str, Tensor]) -> bool:
    """Whether a state is one of networks of this shape."""
    mine, theirs = module.state_dict(), _weights(tensors)
    return {k: v.shape for k, v in mine.items()} == {k: v.shape for k, v in theirs.items()}


def discriminator_of(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The discriminator's weights in a state, by their own names."""
    return _below("module.discriminator.", tensors)


def _weights(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return _below("module.", tensors)


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def restore_optimizers(module: GanModule, tensors: dict[str, Tensor]) -> None:
    """Put the moments back, once Lightning has made the optimisers."""
    for name, optimizer, network in _optimizers(module):
        restore_moments(name, optimizer, network, tensors)


def moments(name: str, optimizer: torch.optim.Optimizer, network: nn.Module) -> dict[str, Tensor]:
    """What an optimiser knows beyond the weights, as `<name>.<parameter>.<moment>`."""
    found = {}
    for key, parameter in network.named_parameters():
        state = optimizer.state.get(parameter, {})
        found.update({f"{name}.{key}.{m}": t for m, t in state.items() if isinstance(t, Tensor)})
    return found


def restore_moments(
    name: str, optimizer: torch.optim.Optimizer, network: nn.Module, tensors: dict[str, Tensor]
) -> None:
    """Put back what `moments` gave; a parameter without any of its own shape begins anew."""
    saved: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        owner, _, moment = key.rpartition(".")
        saved.setdefault(owner, {})[moment] = tensor
    for key, parameter in network.named_parameters():
        found = saved.get(f"{name}.{key}", {})
        # Of another shape they would be read beyond their end: fused Adam on a CPU does not look.
        if found and all(m == "step" or t.shape == parameter.shape for m, t in found.items()):
            optimizer.state[parameter] = {m: t.to(parameter.device) for m, t in found.items()}
        else:
            optimizer.state.pop(parameter, None)


def _optimizers(module: GanModule) -> list[tuple[str, Any, nn.Module]]:
    networks = {"generator": module.generator, "discriminator": module.discriminator}
    optimizers: Any = module.optimizers(use_pl_optimizer=False)
    return [
        (name, optimizer, network)
        for optimizer, (name, network) in zip(optimizers, networks.items(), strict=True)
    ]
