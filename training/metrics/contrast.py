"""How the encoder learns, without labels, from two questions about the training images.

Which two changed views are of one image (SimCLR, Chen et al. 2020)? And is this image whole, or in
which way is it damaged (training.metrics.damage)? The first makes the features tell images apart,
the second makes them see what is wrong with generated ones. The views differ in place, side, light
and in what a hole hides, which does what SimCLR's crops do; nothing is rescaled, since that would
teach the features to pass over sharpness.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from tqdm import tqdm

from training.augment import augment, mirror
from training.dataset import Dataset
from training.metrics.damage import KINDS, damage
from training.metrics.encoder import FEATURES, Encoder, EncoderError, load, prepare, save
from training.pixels import pixels
from training.precision import bfloat16_is_fast, fastest
from training.progress import Progress

VERSION = 4  # rises when the same images and seed give another encoder
STEPS = 300
_BATCH = 96  # images a step; each gives two views and a damaged one
_RATE = 2e-3
_TEMPERATURE = 0.2
_STRENGTH = 0.8  # how often each kind of change strikes a view
_GENTLE = 0.3  # the same for a damaged one: the damage is to be seen


def train_encoder(
    images: Tensor, *, seed: int = 0, steps: int = STEPS, progress: Progress | None = None
) -> Encoder:
    """Train on images (N, 3, S, S) uint8.

    The same images and seed give the same encoder on the same CPU. About a minute and a half
    on one core that computes in bfloat16. Raises ValueError for fewer than two images.
    """
    if len(images) < 2:
        raise ValueError("an encoder needs two images or more to tell apart")
    rng = Generator().manual_seed(seed)
    device = fastest()
    small = torch.cat([pixels(prepare(part.to(device))) for part in images.split(256)])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # the weights; every later draw comes from rng
        encoder = Encoder()
        projector = nn.Sequential(nn.Linear(FEATURES, 128), nn.ReLU(), nn.Linear(128, 64))
        judge = nn.Linear(FEATURES, KINDS)
    networks = nn.ModuleList([encoder, projector, judge]).to(device).train()
    optimizer = torch.optim.AdamW(networks.parameters(), _RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    for step in range(steps):
        chosen = torch.randperm(len(small), generator=rng)[:_BATCH]
        batch = prepare(small[chosen.to(device)])
        damaged, kind = damage(batch, rng)
        views = [_view(batch, rng, _STRENGTH, _STRENGTH) for _ in range(2)]
        views += [_view(damaged, rng, _GENTLE, 0.0)]
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16_is_fast()):
            means = encoder(torch.cat(views))
            found, guess = projector(means[: -len(batch)]), judge(means[-len(batch) :])
        loss = contrast(found.float()) + F.cross_entropy(guess.float(), kind.to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if progress is not None:
            progress(step + 1, steps)
    encoder.eval().requires_grad_(False)
    encoder.standardise(small)
    return encoder


def encoder_for(
    training: Dataset,
    cache: Path | None = None,
    *,
    seed: int = 0,
    steps: int = STEPS,
    progress: Progress | None = None,
) -> Encoder:
    """The encoder of a training split: from the folder `cache` if it is there, else trained and
    put there, so that every measure of one dataset uses the same one. Where it cannot be, that is
    said: what it has learned in a minute is not lost.

    Raises EncoderError for a damaged one.
    """
    card = _card(training, seed, steps)
    path = None if cache is None else kept(training, cache, seed=seed, steps=steps)
    if path is not None and path.exists():
        encoder, found = load(path)
        if all(found.get(key) == value for key, value in card.items()):
            return encoder
    encoder = train_encoder(training.images, seed=seed, steps=steps, progress=progress)
    if path is not None:
        try:
            save(path, encoder, card)
        except EncoderError as error:
            tqdm.write(f"{error}; it is used without being kept", file=sys.stderr)
    return encoder


def _card(training: Dataset, seed: int, steps: int) -> dict[str, object]:
    return {"version": VERSION, "dataset": training.digest(), "seed": seed, "steps": steps}


def kept(training: Dataset, cache: Path, *, seed: int = 0, steps: int = STEPS) -> Path:
    """Where the encoder of a training split is kept, there or not."""
    name = "-".join(str(value)[:16] for value in _card(training, seed, steps).values())
    return cache / f"encoder-{name}.safetensors"


def contrast(found: Tensor) -> Tensor:
    """NT-Xent: (2N, D), rows i and i + N two views of one image; each must find the other."""
    direction = F.normalize(found)
    likeness = direction @ direction.T / _TEMPERATURE
    likeness.fill_diagonal_(float("-inf"))
    count = len(found) // 2
    partner = torch.arange(2 * count, device=found.device).roll(count)
    return F.cross_entropy(likeness, partner)


def _view(batch: Tensor, rng: Generator, strength: float, cutout: float) -> Tensor:
    changed = augment(mirror(batch, rng), strength, rng, cutout)
    return changed.contiguous(memory_format=torch.channels_last)
