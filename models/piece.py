"""A piece on disk: save, load, list, verify. Weights are safetensors and hashed, never pickled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as pack
from torch import Tensor, nn

from models.card import CARD, GENERATOR, UPSCALER, Card, PieceError, verify
from models.folder import check_target, new_folder, write_synced
from models.generator import FoldedGenerator, Generator
from models.upscaler import build


@dataclass(frozen=True)
class Piece:
    """A verified piece: networks in eval mode, float32, on the CPU.

    generator: (N, card.latent.width) -> (N, 3, S, S) in [-1, 1]. upscaler: None where the piece
    has none.
    """

    path: Path
    card: Card
    generator: FoldedGenerator
    upscaler: nn.Module | None


def save(
    folder: Path,
    card: Card,
    generator: Generator | bytes,
    upscaler: nn.Module | None = None,
    pictures: Mapping[str, bytes] | None = None,
    *,
    half: bool = False,
) -> Path:
    """Write a piece, whole or not at all; hashes are filled in. An older piece there is replaced
    once the new one is on disk; what a person has put beside its files stays. generator: the
    network, or the bytes of its file, which stay as they are. pictures: PNG by file name, the
    preview among them. half: the network's weights in 16 bits, half the bytes. Raises PieceError
    for a folder that is not ours.
    """
    folder = Path(folder)
    check_target(folder)
    if (card.upscaler is None) != (upscaler is None):
        raise ValueError("the card and the upscaler given disagree on whether there is one")
    packed = generator if isinstance(generator, bytes) else _pack(generator, half)
    contents = {GENERATOR: packed}
    if upscaler is not None:
        contents[UPSCALER] = _pack(upscaler)
    contents |= pictures or {}
    files = {name: {"sha256": _sha256(data), "bytes": len(data)} for name, data in contents.items()}
    contents[CARD] = replace(card, files=files).to_json().encode()
    with new_folder(folder) as fresh:
        for name, data in contents.items():
            write_synced(fresh / name, data)
    return folder


def load(folder: Path) -> Piece:
    """Verify every hash, rebuild the networks, check every shape. Raises PieceError, one line."""
    folder = Path(folder)
    card, generator = load_unfolded(folder)
    upscaler = None
    if card.upscaler is not None:
        path = folder / UPSCALER
        upscaler = build(card.upscaler, path.read_bytes(), str(path))
    return Piece(folder, card, generator.eval().fold(), upscaler)


def load_unfolded(folder: Path) -> tuple[Card, Generator]:
    """A verified piece's card and its generator as it was trained. Raises PieceError."""
    card = verify(folder)
    generator = _rebuild(card.generator, folder / GENERATOR)
    if generator.inputs != card.latent.width or generator.resolution != card.resolution:
        raise PieceError(f"{folder / CARD} contradicts itself: the generator does not fit its card")
    return card, generator


def _pack(module: nn.Module, half: bool = False) -> bytes:
    """half: all but vectors, whose variances may be too small for 16 bits."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in module.state_dict().items()}
    if half:
        tensors = {k: v.half() if v.dim() > 1 else v for k, v in tensors.items()}
    return pack(tensors)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _rebuild(arguments: dict[str, Any], path: Path) -> Generator:
    """Build the generator from its card without memory for it, then give it the file's tensors.

    The shapes are compared before anything is allocated: a hostile card cannot ask for gigabytes.
    """
    try:
        with torch.device("meta"):
            network = Generator(**arguments)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise PieceError(f"{path.parent / CARD} describes no network: {error}") from error
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise PieceError(f"{path} is not a safetensors file: {error}") from error
    _compare(network.state_dict(), state, path)
    state = {k: v.float() if v.dtype == torch.float16 else v for k, v in state.items()}
    network.load_state_dict(state, assign=True)
    return network.requires_grad_(False)


def _compare(wanted: dict[str, Tensor], found: dict[str, Tensor], path: Path) -> None:
    for key in sorted(set(wanted) ^ set(found)):
        what = "is missing" if key in wanted else "is not part of the network"
        raise PieceError(f"{path} does not fit its card: {key} {what}")
    for key, tensor in found.items():
        halved = wanted[key].is_floating_point() and tensor.dtype == torch.float16
        if tensor.shape != wanted[key].shape or not (halved or tensor.dtype == wanted[key].dtype):
            raise PieceError(
                f"{path} does not fit its card: {key} is {list(tensor.shape)} {tensor.dtype}, "
                f"not {list(wanted[key].shape)} {wanted[key].dtype}"
            )
        if not torch.isfinite(tensor).all():
            raise PieceError(f"{path} holds numbers that are not finite in {key}")
