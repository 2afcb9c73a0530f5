"""Plain sentences about a training, read from its figures alone.

A history is a list of records, oldest first, each a mapping of figures: kimg, spent (share of the
budget), discriminator, generator, penalty, real_logit, val_logit, fake_logit, diversity (share of
the real images' own), fd, skipped_steps. Whatever is missing leaves its sentences unsaid. Every
sign begins at one threshold and ends at a lower one, so that it does not flicker, and hangs on the
history alone: a resumed training says what an uninterrupted one would have said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from training.advice import (
    either,
    higher_gamma,
    less_augmentation,
    lower_gamma,
    more_augmentation,
    slower,
)
from training.recipe import Recipe

Figures = Mapping[str, float]
Series = list[float | None]  # one value a record, None where it is not known

FEW = 500  # images; below, replication is to be expected (anchors: it falls with the data's size)
UNEVEN = 10  # times as many images of the commonest value as of the rarest
WARM = 5.0  # kimg during which nothing is judged: both networks are still finding their feet
_LN2 = math.log(2)


@dataclass(frozen=True)
class Verdict:
    """kind: a word for programs. sentence: for the artist, with what to do. over: it has ended."""

    kind: str
    sentence: str
    over: bool = False


@dataclass(frozen=True)
class Sign:
    """What stands while a measure is above `begin`, until it falls below `end`.

    sentence: `{value}` is the measure when it began. remedies: what may help with a recipe.
    """

    kind: str
    sentence: str
    ended: str
    measure: Callable[[Sequence[Figures]], Series]
    begin: float
    end: float
    remedies: tuple[Callable[[Recipe], str], ...] = ()

    def standing(self, history: Sequence[Figures], recipe: Recipe) -> Verdict | None:
        began: float | None = None
        for value in self.measure(history):
            if value is None:
                continue
            if began is None and value > self.begin:
                began = value
            elif began is not None and value < self.end:
                began = None
        if began is None:
            return None
        advice = either(*(remedy(recipe) for remedy in self.remedies))
        sentence = self.sentence.format(value=began)
        return Verdict(self.kind, f"{sentence}. Try {advice}" if advice else sentence)


def standing(history: Sequence[Figures], recipe: Recipe) -> dict[str, Verdict]:
    """What is to be said of a training now, by kind. recipe: settled, for what to change in it."""
    found = (sign.standing(history, recipe) for sign in SIGNS)
    return {verdict.kind: verdict for verdict in found if verdict}


def news(before: Mapping[str, Verdict], now: Mapping[str, Verdict]) -> list[Verdict]:
    """What began, and what ended, between two answers of `standing`."""
    began = [verdict for kind, verdict in now.items() if kind not in before]
    ended = [
        Verdict(sign.kind, sign.ended, over=True)
        for sign in SIGNS
        if sign.kind in before and sign.kind not in now
    ]
    return began + ended


def of_dataset(images: int, labels: Mapping[str, Mapping[str, int]]) -> list[Verdict]:
    """What can be said before the first step. labels: label -> value -> number of images."""
    found = []
    if images < FEW:
        sentence = (
            f"few images ({images}): expect near copies of them. More images help more than a "
            "longer training"
        )
        found.append(Verdict("few", sentence))
    for label, counts in labels.items():
        known = {value: count for value, count in counts.items() if count}
        if len(known) < 2:
            continue
        most, least = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
        if known[most] > UNEVEN * known[least]:
            sentence = (
                f"the label {label!r} is very uneven: {known[most]} images of {most!r}, "
                f"{known[least]} of {least!r}. Expect {least!r} to look poor: add images of it or "
                "merge it with another value"
            )
            found.append(Verdict(f"uneven {label}", sentence))
    return found


def overfitting(record: Figures) -> float | None:
    """r_v = (E[D_train] − E[D_val]) / (E[D_train] − E[D_fake]): 0 where D judges held-out images as
    it judges those it learns from, 1 where it takes them for fakes (Karras et al. 2020, ADA)."""
    if not {"real_logit", "val_logit", "fake_logit"} <= record.keys():
        return None
    gap = record["real_logit"] - record["fake_logit"]
    if not gap > 0.1:  # D tells nothing apart yet, nor NaN from anything
        return None
    return (record["real_logit"] - record["val_logit"]) / gap


def _memorising(history: Sequence[Figures]) -> Series:
    return _settled(history, [overfitting(record) for record in history])


def _collapse(history: Sequence[Figures]) -> Series:
    """How much of the diversity is gone: 1 − now / best, the best at most the real images' own."""
    found: Series = []
    best = 0.0
    for value in _settled(history, [record.get("diversity") for record in history]):
        best = max(best, min(value or 0.0, 1.0))
        found.append(1 - value / best if value is not None and best > 0.2 else None)
    return found


def _alike(history: Sequence[Figures]) -> Series:
    """How far the pictures are from being as varied as the real ones, once they should be."""
    series = _settled(history, [record.get("diversity") for record in history])
    return [
        1 - value if value is not None and record["kimg"] > 3 * WARM else None
        for value, record in zip(series, history, strict=True)
    ]


def _flat(history: Sequence[Figures]) -> Series:
    """How near D is to telling nothing apart: 1 where both losses are those of equal logits and its
    slope has gone; the logits themselves where they are known."""
    found: Series = []
    for record in history:
        d, g, slope = (record.get(key) for key in ("discriminator", "generator", "penalty"))
        if "real_logit" in record and "fake_logit" in record:
            found.append(1 - abs(record["real_logit"] - record["fake_logit"]) / 0.25)
        elif d is None or g is None or slope is None:
            found.append(None)
        else:  # equal logits cost ln 2 a term: one term relativistic, two classic
            off = min(abs(d - _LN2), abs(d - 2 * _LN2)) + abs(g - _LN2)
            found.append(1 - max(off / 0.3, slope / 0.05))
    return _settled(history, found)


def _beaten(history: Sequence[Figures]) -> Series:
    """How surely D wins: 1 where its loss is 0.05, or where the generator's is 8."""
    found: Series = []
    for record in history:
        d, g = record.get("discriminator"), record.get("generator")
        if d is None or g is None:
            found.append(None)
        else:
            found.append(max(math.log10(max(d, 1e-9)) / math.log10(0.05), g / 8))
    return _settled(history, found)


def _stalled(history: Sequence[Figures]) -> Series:
    """The share of the budget spent since the best FD, bettered by a hundredth at least."""
    found: Series = []
    best, when = math.inf, 0.0
    for record in history:
        fd, spent = record.get("fd"), record.get("spent")
        if fd is not None and spent is not None and fd < 0.99 * best:
            best, when = fd, spent
        found.append(None if spent is None or best == math.inf else spent - when)
    return found


def _skipping(history: Sequence[Figures]) -> Series:
    """Steps skipped during the last ten records."""
    counts = [record.get("skipped_steps", 0.0) for record in history]
    return [count - counts[max(0, i - 10)] for i, count in enumerate(counts)]


def _settled(history: Sequence[Figures], series: Series) -> Series:
    """The running median of three, once the training is warm; None until there are three."""
    found: Series = []
    recent: list[float] = []
    for record, value in zip(history, series, strict=True):
        if value is not None and math.isfinite(value) and record["kimg"] >= WARM:
            recent = [*recent[-2:], value]
        found.append(median(recent) if len(recent) == 3 else None)
    return found


SIGNS = (
    Sign(
        "memorising",
        "the discriminator is memorising your images ({value:.0%} of the way)",
        "the discriminator no longer memorises",
        _memorising, begin=0.7, end=0.5,
        remedies=(more_augmentation, lambda recipe: "more images"),
    ),
    Sign(
        "collapse",
        "collapse suspected: {value:.0%} of the variety is gone",
        "the variety is back",
        _collapse, begin=0.5, end=0.3, remedies=(slower, higher_gamma),
    ),
    Sign(
        "alike",
        "the pictures are nearly all the same: the generator is not learning",
        "the pictures differ from each other now",
        _alike, begin=0.85, end=0.75,
        remedies=(lower_gamma, lambda recipe: "a dataset whose images have more in common"),
    ),
    Sign(
        "flat",
        "the discriminator has gone flat: it hardly tells real from drawn, so little is learnt",
        "the discriminator tells real from drawn again",
        _flat, begin=0.8, end=0.6, remedies=(lower_gamma, less_augmentation),
    ),
    Sign(
        "beaten",
        "the discriminator wins every time: the generator is not learning",
        "the generator holds its own again",
        _beaten, begin=1.0, end=0.75, remedies=(higher_gamma, more_augmentation),
    ),
    Sign(
        "stalled",
        "no gain for a quarter of the budget: what is there now is about as good as it gets. Stop, "
        "or change the images or the recipe",
        "it gains again",
        _stalled, begin=0.25, end=0.25,
    ),
    Sign(
        "skipping",
        "{value:.0f} steps were skipped, their numbers not finite",
        "no more steps are skipped",
        _skipping, begin=0.5, end=0.5, remedies=(slower,),
    ),
)  # fmt: skip
