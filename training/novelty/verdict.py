"""The plain sentences: whether a piece memorises, repeats itself, and what makes that unsure."""

from __future__ import annotations

from typing import Any

from training.novelty.findings import Trial

MEMORISES, NEW, UNSURE = "memorises", "no sign of copying", "cannot tell"
FEW = 500  # images; how much is copied falls with their number (Feng et al. 2021)
_OFTEN = 0.25  # of its pictures with a twin beyond what is usual: no chance variation any more
_WIDE = 0.05  # a share of copies that could be larger than this is not ruled out


def verdict(copies: Trial) -> str:
    """Beyond chance, or not, or too few images to say.

    What chance gives is taken off when a piece is accused, never when it is cleared: nobody knows
    that the rest of its pictures come as close by chance as real images do.
    """
    if copies.excess.low > 0:
        return MEMORISES
    return UNSURE if copies.found.high > _WIDE else NEW


def sentence(title: str, copies: Trial, held_out: bool) -> str:
    """One or two sentences for a person who knows no statistics."""
    found, expected = copies.found, copies.expected
    closest = f"the closest {expected.count} of {expected.total}"
    reals = (
        f"{closest} real images that it was not trained on ({percent(expected.rate)}) do"
        if held_out
        else f"{closest} training images ({percent(expected.rate)}) come to one another"
    )
    facts = (
        f"{found.count} of {found.total} pictures ({percent(found.rate)}) come as close to a "
        f"training image as {reals}."
    )
    most = percent(found.high)
    kind = verdict(copies)
    if kind == MEMORISES:
        return (
            f"{title} memorises: {facts} That is more than chance, by at least "
            f"{percent(copies.excess.low)} of what it draws."
        )
    identical = (
        f" But {copies.identical} of them {_are(copies.identical)} all but the same as a training "
        "image: look at the first rows."
        if copies.identical
        else ""
    )
    if kind == NEW:
        return (
            f"No sign that {title} copies its training images: {facts} At most {most} of what it "
            f"draws can be copies.{identical}"
        )
    return (
        f"Whether {title} copies its training images cannot be told from so few: {facts} Up to "
        f"{most} of what it draws could be copies.{identical}"
    )


def repetition(title: str, repeats: Trial) -> str:
    """Do the samples lie closer together than real images do? Soft pictures do a little."""
    found, expected = repeats.found, repeats.expected
    facts = (
        f"{percent(found.rate)} of {found.total} pictures have another as close to them as the "
        f"closest {percent(expected.rate)} of {expected.total} real images have"
    )
    if repeats.excess.low > _OFTEN:
        return f"{title} repeats itself: {facts}."
    if repeats.excess.low > 0:
        return f"{title} varies less than real images do: {facts}."
    return f"No sign that {title} repeats itself: {facts}, within chance."


def warnings(facts: dict[str, Any], copies: Trial, held_out: bool) -> list[str]:
    """What a reader should know before believing the figures. held_out: whether the real images
    that it was compared with were."""
    data, found = facts["dataset"], []
    if data["compared"] < FEW:
        found.append(
            f"{data['compared']} training images are few: pieces trained on fewer than {FEW} often "
            "copy. Look at the pictures, whatever the figures say."
        )
    if not held_out:
        why = (
            f"Only {data['held_out']} images were held out of its training, too few to compare with"
            if data["held_out"]
            else "The piece's card names no images that were held out of its training"
        )
        found.append(
            f"{why}, so each training image compared with all the others stands for an image it "
            "never saw."
        )
    named = data["named_by_card"]
    if named is not None and named not in (data["images"], data["compared"]):
        found.append(
            f"The card says it was trained on {named} images, and this dataset has "
            f"{data['images']}: what it copies from others cannot be found here."
        )
    if not data["same_labels"]:
        found.append(
            "The dataset's labels are not the piece's, so labels were drawn by chance; it may be "
            "another dataset than the one the piece was trained on."
        )
    if copies.left_out:
        found.append(
            f"{copies.left_out} real images are all but the same as a training image and were "
            "left out of the comparison. `installation dataset check` finds duplicates."
        )
    return found


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
