"""What moves the pictures: the codes, and z beside them.

A code is used when it can be read from the pictures. The Q that was trained with the generator can
agree with it on a pattern that no eye sees, so a fresh network reads them too, from pictures that
were shifted and went through JPEG. A code that is used need not be one that means something.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from models.discriminator import Discriminator
from models.latent import Latent
from training.grid import fixed_latent
from training.information import code_columns
from training.metrics.distances import mean_distance
from training.metrics.encoder import prepare
from training.metrics.material import Paint
from training.metrics.recogniser import Score, score, train_recogniser
from training.pixels import floats
from training.precision import fastest
from training.progress import Progress

Features = Callable[[Tensor], Tensor]  # pictures -> (N, D)

_SHIFT = 1 / 16  # of the side
_QUALITY = (50, 95)  # of JPEG
_SCENES = 24  # settings of labels and codes, each drawn with as many z


@dataclass(frozen=True)
class Diversity:
    """z_pixels, z_features: the share of all variance that z alone makes, 0 to 1, the first at
    64 px. relative: mean distance between two generated images, to that between two real ones, in
    features."""

    z_pixels: float
    z_features: float
    relative: float


def probe(
    paint: Paint,
    latent: Latent,
    known: Tensor,
    *,
    count: int,
    steps: int,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Score]:
    """How well a fresh network reads each code from disturbed pictures that it has not seen.

    known: (N, C) label combinations to draw with. A quarter of the pictures is kept for the score.
    """
    points = fixed_latent(latent, count, seed, known)
    pictures = disturb(paint(points), Generator().manual_seed(seed))
    truth = code_columns(points, latent.slices(), latent.codes)
    kept = count // 4
    network = train_recogniser(
        pictures[kept:], truth[kept:], latent.codes,
        steps=steps, flip=False, seed=seed, progress=progress,
    )  # fmt: skip
    return score(network.read(pictures[:kept]), truth[:kept], latent.codes)


def shared_q(
    discriminator: Discriminator,
    paint: Paint,
    latent: Latent,
    known: Tensor,
    *,
    count: int,
    seed: int,
) -> dict[str, Score]:
    """How well the Q that was trained with the generator reads each code, from clean pictures."""
    points = fixed_latent(latent, count, seed, known)
    device = next(discriminator.parameters()).device
    with torch.no_grad():
        parts = (floats(part.to(device)) for part in paint(points).split(64))
        guess = torch.cat([discriminator.recognise(part) for part in parts]).cpu()
    return score(guess, code_columns(points, latent.slices(), latent.codes), latent.codes)


def saved_discriminator(work: Path, latent: Latent, resolution: int) -> Discriminator | str:
    """The discriminator that a training left in its folder, or why there is none for a piece of
    this resolution.

    Raises CheckpointError for a folder whose checkpoints are damaged.
    """
    from training.checkpoint import discriminator_of, has_checkpoint, read_checkpoint
    from training.networks import make_discriminator
    from training.recipe import make_recipe

    if not has_checkpoint(work):
        return f"there is no {work.name} beside it"
    tensors, account = read_checkpoint(work)
    recipe, size = make_recipe(account["recipe"]), account["resolution"]
    if size != resolution:  # stopped in the middle of a fade, or another training by now
        return f"the one in {work.name} is for {size} pixels, not for {resolution}"
    network = make_discriminator(recipe, latent, size)
    saved = discriminator_of(tensors).items()
    try:  # `former` is of a smaller size
        network.load_state_dict({k: v for k, v in saved if not k.startswith("former.")})
    except RuntimeError:
        return f"the one in {work.name} is for other labels or codes"
    return network.to(fastest()).eval().requires_grad_(False)


def diversity(
    paint: Paint, features: Features, latent: Latent, known: Tensor, real: Tensor, seed: int = 0
) -> Diversity:
    """How much z moves, and how much the pictures vary. real: pictures (N, 3, S, S).

    z's share: the mean variance within settings of labels and codes, to that of all the pictures.
    """
    rng = Generator().manual_seed(seed)
    settings = fixed_latent(latent, _SCENES, seed, known)
    points = settings.repeat_interleave(_SCENES, 0)
    points[:, : latent.z] = torch.randn(len(points), latent.z, generator=rng)
    pictures = paint(points)
    found = features(pictures)
    everything = features(paint(fixed_latent(latent, len(real), seed + 1, known)))
    return Diversity(
        z_pixels=_share_within(prepare(pictures).flatten(1)),
        z_features=_share_within(found),
        relative=mean_distance(everything) / max(mean_distance(features(real)), 1e-12),
    )


def _share_within(x: Tensor) -> float:
    """Rows in _SCENES groups of _SCENES: the unbiased variance within a group, to the sum of that
    and the one between groups."""
    groups = x.double().unflatten(0, (_SCENES, _SCENES))
    within = groups.var(1).sum(1).mean()
    between = (groups.mean(1).var(0).sum() - within / _SCENES).clamp(min=0)
    return float(within / (within + between).clamp(min=1e-12))


def disturb(pictures: Tensor, rng: Generator) -> Tensor:
    """Each picture shifted by up to a sixteenth, then through JPEG: (N, 3, S, S) uint8."""
    reach = max(1, round(pictures.shape[-1] * _SHIFT))
    shifts = torch.randint(2 * reach + 1, (len(pictures), 2), generator=rng).tolist()
    qualities = torch.randint(*_QUALITY, (len(pictures),), generator=rng).tolist()
    found = []
    for image, (y, x), quality in zip(pictures, shifts, qualities, strict=True):
        side = image.shape[-1]
        wide = np.pad(
            image.permute(1, 2, 0).numpy(), ((reach, reach), (reach, reach), (0, 0)), "edge"
        )
        found.append(_through_jpeg(wide[y : y + side, x : x + side], quality))
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).contiguous()


def _through_jpeg(image: Any, quality: int) -> Any:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file, formats=["JPEG"]))
