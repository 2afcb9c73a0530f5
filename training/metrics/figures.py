"""Every figure of an evaluation, each beside its floor."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from training.metrics import distances
from training.metrics.codes import Diversity
from training.metrics.encoder import Encoder
from training.metrics.figure import Figure, Figures
from training.metrics.guide import Following
from training.metrics.inception import Inception
from training.metrics.labels import Obedience
from training.metrics.material import Material
from training.metrics.pyramid import sliced_wasserstein
from training.metrics.recogniser import Score
from training.metrics.vgg import Vgg16, nearest_cosine

REAL = "real half against real half"
_ENOUGH_HELD_OUT = 50  # images, for a distance to them to mean anything
_OVERLAP = {
    "precision": "of the generated, how many look like real ones",
    "recall": "of the real, how many are reached by generated ones",
    "density": "how deep among the real ones the generated lie; 1 is as deep as they",
    "coverage": "of the real, how many have a generated one as near as their neighbours",
}


def own_distances(material: Material, encoder: Encoder, seed: int) -> Figures:
    """FD-own, KD-own and overlap, in the features of the dataset's own encoder."""
    real, half, made = map(encoder.features, (material.a, material.b, material.generated))
    found = {
        "fd_own": Figure(
            "FD-own", distances.frechet(real, made), distances.frechet(real, half), REAL,
            "lower", "distance from the real pictures; the floor is as near as it gets",
        ),
        "kd_own": Figure(
            "KD-own", _kernel(real, made, seed), _kernel(real, half, seed), REAL,
            "lower", "the same by another rule, which is fair to few pictures; 0 is alike",
        ),
    }  # fmt: skip
    held_out = material.held_out.images
    count = min(len(held_out), len(made))
    if count >= _ENOUGH_HELD_OUT:
        # By chance: the first by name would be those of the first folders.
        chosen = torch.randperm(len(held_out), generator=Generator().manual_seed(seed))[:count]
        unseen = encoder.features(held_out[chosen])
        found["fd_own_held_out"] = Figure(
            "FD-own, held out", distances.frechet(unseen, made[:count]),
            distances.frechet(unseen, real[:count]), "training images against held-out ones",
            "lower", f"distance from {count} real pictures held out of the training",
        )  # fmt: skip
    overlap = distances.neighbourhoods(real, made)
    floor = distances.neighbourhoods(real, half)
    for key, means in _OVERLAP.items():
        found[key] = Figure(key, overlap[key], floor[key], REAL, "higher", means)
    return found


def pyramid(material: Material, seed: int) -> Figures:
    """Sliced Wasserstein per level."""
    made, floor = (
        sliced_wasserstein(material.a, other, Generator().manual_seed(seed))
        for other in (material.generated, material.b)
    )
    return {
        f"swd_{side}": Figure(
            f"SWD {side} px", made[side], floor[side], REAL, "lower",
            "details of this size: how far their statistics are from the real ones",
        )
        for side in made
    }  # fmt: skip


def variety(found: Diversity) -> Figures:
    return {
        "diversity": Figure(
            "diversity", found.relative, 1.0, "the real pictures", "near",
            "how much the pictures differ from each other; the real ones do by 1",
        ),
        "z_share_pixels": Figure(
            "z's share, pixels", found.z_pixels, None, "", "higher",
            "of all differences in pixels, what z makes; the rest is labels and codes",
        ),
        "z_share_features": Figure(
            "z's share, features", found.z_features, None, "", "higher", "the same in features",
        ),
    }  # fmt: skip


def labels(found: dict[str, Obedience]) -> Figures:
    return {
        f"label_{name}": Figure(
            f"label {name}", one.generated.value, one.real.value, "held-out real images", "higher",
            f"how often it is read as asked; chance is {one.generated.chance:.2f}",
        )
        for name, one in found.items()
    }  # fmt: skip


def identity(found: dict[str, float], by: str) -> Figures:
    """by: "identity", in the encoder's features, or "lines", in the drawing alone."""
    what = {"identity": "a picture goes", "lines": "a picture's lines go"}[by]
    return {
        f"{by}_{name}": Figure(
            f"{by}, {name}", value, 1.0, "another z", "lower",
            f"how far {what} when this alone changes; 1 is as far as another character",
        )
        for name, value in found.items()
    }  # fmt: skip


def codes(found: dict[str, Score], reader: str) -> Figures:
    """reader: "probe" or "q". The floor of a code is chance: real pictures have none."""
    who = {"probe": "a fresh network, after JPEG and shift", "q": "the Q trained with it"}[reader]
    return {
        f"code_{name}_{reader}": Figure(
            f"code {name}, {reader}", one.value, one.chance, "chance", "higher",
            f"how well {who}, reads it" + (" (R²)" if one.number else ""),
        )
        for name, one in found.items()
    }  # fmt: skip


def guide(found: Following, floor: Figure) -> Figures:
    """floor: FD-own."""
    return {
        "guide": Figure(
            "guide", found.likeness, found.unguided, "the same points without", "higher",
            "how far pictures follow a guide that they are given: their correlation",
        ),
        "fd_own_guided": Figure(
            "FD-own, guided", found.distance, floor.floor, REAL, "lower",
            "distance from the real pictures of those that follow one of them",
        ),
    }  # fmt: skip


def inception(material: Material, network: Inception, seed: int) -> Figures:
    real, half, made = map(network.read, (material.a, material.b, material.generated))
    return {
        "fid": Figure(
            "FID", distances.frechet(real, made, shrink=False),
            distances.frechet(real, half, shrink=False), REAL, "lower",
            f"with Inception, at {len(real)} pictures; published ones have 50,000",
        ),
        "kid": Figure(
            "KID", _kernel(real, made, seed), _kernel(real, half, seed), REAL, "lower",
            "with Inception",
        ),
    }  # fmt: skip


def vgg(material: Material, network: Vgg16) -> Figures:
    made = nearest_cosine(network, material.a, material.generated)
    floor = nearest_cosine(network, material.a, material.b)
    means = {"early": "texture and colour", "late": "what is seen"}
    return {
        f"vgg_{layer}": Figure(
            f"VGG-16, {layer}", made[layer], floor[layer], REAL, "near",
            f"likeness of the nearest real picture in {means[layer]}; 1 is a copy",
        )
        for layer in made
    }  # fmt: skip


def _kernel(a: Tensor, b: Tensor, seed: int) -> float:
    return distances.kernel(a, b, Generator().manual_seed(seed))
