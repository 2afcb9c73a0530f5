"""What the distances say: copies, repeats and attractors, each against what real images show.

A distance alone says nothing: drawn faces lie close together, photographs far apart. So the same
rule is put to real images that are new to what they are compared with, and a share among the
samples counts only where it is above theirs beyond chance.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist

import torch
from torch import Tensor

from training import UsageError
from training.novelty.intervals import Excess, Share, excess, share
from training.novelty.neighbours import Features, Nearest, View, find, look

CLOSE = 0.01  # the closest share of real images: what is as close counts
ENOUGH = 100  # real images; of fewer the closest one alone is more than the closest share
FEWEST = 10  # training images; of fewer there is no neighbourhood
MOST = 2000  # real images whose neighbours are sought; more make no figure surer
_ATTRACTORS = 12
_PAIRED = 0.5  # among one another, what is close is close from both sides: one case, counted twice


@dataclass(frozen=True)
class Trial:
    """A rule put to samples and to real images. A score at or below `threshold` is a hit.

    left_out: how many real images are all but the same as another. real: the scores of the rest.
    identical: how many samples are all but the same as what they are nearest to.
    """

    threshold: float
    found: Share
    expected: Share
    excess: Excess
    scores: Tensor
    real: Tensor
    left_out: int
    identical: int

    def percentile(self, score: float) -> float:
        """The share of real images that are less close, 0 to 1."""
        return float((self.real > score).float().mean())


@dataclass(frozen=True)
class Reals:
    """Real images that stand for new ones, and the training images that they are nearest to.

    held_out: whether the training never saw them; else each is a training image among the others.
    """

    nearest: Nearest
    held_out: bool

    @property
    def worth(self) -> float:
        """Of how many independent cases each is worth."""
        return 1.0 if self.held_out else _PAIRED


@dataclass(frozen=True)
class Attractor:
    """A training image (its index) that is nearest to `found` of the samples."""

    index: int
    found: Share
    expected: Share
    beyond: bool


@dataclass(frozen=True)
class Findings:
    """nearest: each sample's training images, by index into those given. twins: each sample's
    other samples. twin_scores: how close the closest of those is. repeats: of as many samples as
    there are real images."""

    nearest: Nearest
    reals: Reals
    copies: Trial
    twins: Nearest
    twin_scores: Tensor
    repeats: Trial
    attractors: list[Attractor]


def study(
    samples: Tensor, training: Tensor, held_out: Tensor | None, features: Features, seed: int = 0
) -> Findings:
    """Compare samples with training images, all (N, 3, S, S) uint8.

    held_out: real images that the piece was not trained on, if there are any (see reals_among).
    Raises UsageError.
    """
    if len(training) < FEWEST:
        raise UsageError(
            f"{len(training)} training images are too few to say what is new; "
            f"{FEWEST} are the least"
        )
    drawn, known = look(samples, features), look(training, features)
    nearest = find(drawn, known)
    rng = torch.Generator().manual_seed(seed)
    reals = reals_among(known, held_out, features, rng)
    twins, pairs = _within(drawn), _within(known.choose(_some(len(known), len(drawn), rng)))
    # Of more samples each has a nearer twin by chance alone.
    tried = _within(drawn.choose(_some(len(drawn), len(known), rng)))
    return Findings(
        nearest,
        reals,
        copies_among(nearest, reals),
        twins,
        _near(twins, pairs),
        trial(_near(tried, pairs), _near(pairs, pairs), tried.same, pairs.same, (_PAIRED,) * 2),
        attractors(nearest, reals.nearest, len(known)),
    )


def reals_among(
    known: View, held_out: Tensor | None, features: Features, rng: torch.Generator
) -> Reals:
    """What samples are compared with: the held-out images, where there are enough.

    The closest of six is their closest sixth, and as close comes many a new picture. The training
    images are far more, and lie about as far from one another as new ones do from them
    (measured: MEASUREMENTS.md, Novelty).
    """
    if held_out is not None and len(held_out) >= ENOUGH:
        chosen = _some(len(held_out), MOST, rng)
        return Reals(find(look(held_out[chosen], features), known), True)
    chosen = _some(len(known), MOST, rng)
    return Reals(find(known.choose(chosen), known, chosen), False)


def copies_among(nearest: Nearest, reals: Reals) -> Trial:
    """Do samples come as close to the training images as the closest real ones, more often?"""
    theirs = reals.nearest
    return trial(nearest.score, theirs.score, nearest.same, theirs.same, (1.0, reals.worth))


def trial(
    scores: Tensor,
    real: Tensor,
    same: Tensor,
    same_real: Tensor,
    worth: tuple[float, float] = (1.0, 1.0),
) -> Trial:
    """Are the scores (N,) lower than the closest of the real ones (M,) more often than those are?

    same, same_real: which are all but the same as another picture; such real ones are left out.
    worth: of how many independent cases each score and each real one is worth.
    The threshold is the real ones' own 1st percentile, or the least of fewer than 200. Raises
    UsageError where no real image is left to compare with.
    """
    kept = real[~same_real]
    if not len(kept):
        raise UsageError(
            "every image is all but the same as another; take the duplicates out first"
        )
    rank = max(1, int(CLOSE * len(kept)))
    threshold = float(kept.sort().values[rank - 1])
    found = share(int((scores <= threshold).sum()), len(scores), worth=worth[0])
    expected = share(int((kept <= threshold).sum()), len(kept), worth=worth[1])
    return Trial(
        threshold, found, expected, excess(found, expected), scores, kept, int(same_real.sum()),
        int(same.sum()),
    )  # fmt: skip


def attractors(nearest: Nearest, unseen: Nearest, images: int) -> list[Attractor]:
    """The training images that most samples are nearest to, beside what real images choose.

    `beyond`: more often than chance, allowing for as many questions as there are training `images`.
    """
    counts = Counter(nearest.index[:, 0].tolist())
    usual = Counter(unseen.index[:, 0].tolist())
    sure = NormalDist().inv_cdf(1 - 0.025 / images)
    found: list[Attractor] = []
    for index, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if count < 2 or len(found) == _ATTRACTORS:
            break
        total = len(nearest.score)
        mine, theirs = share(count, total, sure), share(usual[index], len(unseen.score), sure)
        found.append(Attractor(index, mine, theirs, excess(mine, theirs).low > 0))
    return found


def _within(view: View) -> Nearest:
    return find(view, view, torch.arange(len(view)))


def _near(found: Nearest, reals: Nearest) -> Tensor:
    """How close the nearest is, in units of what is usual among real images: (N,).

    Not relative to the crowd: where all samples are alike, the crowd is as near.
    """
    feature = found.feature / reals.feature.min(1).values.median().clamp(min=1e-6)
    pixel = found.pixel / reals.pixel.min(1).values.median().clamp(min=1e-6)
    return torch.maximum(feature, pixel).min(1).values


def _some(total: int, most: int, rng: torch.Generator) -> Tensor:
    """Up to `most` places of `total`, in order."""
    return torch.randperm(total, generator=rng)[:most].sort().values
