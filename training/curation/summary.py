"""What a review says: plain sentences for a person, the same facts for a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from training.curation.check import Balance, Review
from training.curation.curate import CONTACT, IMAGES, Outcome
from training.curation.duplicates import Finding
from training.curation.manifest import NAME as MANIFEST
from training.curation.reasons import REASONS
from training.source import Problem

_SHOWN = 5  # files named for each reason; --json names all
_FEW = 20  # images of a value: fewer are hardly learned
_UNEVEN = 5  # times as many of the most common value as of the rarest


def facts(review: Review) -> dict[str, Any]:
    """The review as plain data for --json."""
    keep = review.suggested()
    return {
        "dataset": str(review.path),
        "images": len(review.files),
        "readable": len(review.looks),
        "suggested": sum(keep.values()),
        "reasons": {
            name: {
                "count": len(found),
                "keep": REASONS[name].keep,
                "meaning": REASONS[name].meaning,
                "advice": REASONS[name].advice,
                "files": [
                    {"file": one.file, "detail": one.detail, "other": one.other} for one in found
                ],
            }
            for name, found in review.by_reason().items()
        },
        "labels": [asdict(one) for one in review.balance],
        "sixteen_bit": _deep(review),
        "without_licence": _without_licence(review),
        "notes": list(review.notes),
        "problems": [asdict(problem) for problem in review.problems],
    }


def text(review: Review) -> str:
    return "\n".join(_lines(review))


def curated_text(review: Review, outcome: Outcome) -> str:
    """What `dataset curate` did, and what to do next."""
    reasons = ", ".join(f"{name} {len(some)}" for name, some in review.by_reason().items())
    images = outcome.folder / IMAGES
    lines = [
        f"{review.path}: {_count(len(review.files))}; {reasons or 'nothing to say of any'}",
        f"{images}: {outcome.kept} kept, {outcome.left_out} left out; now {outcome.added} added, "
        f"{outcome.removed} taken out; {outcome.decided} as you decided",
    ]
    lines += _notes(review)
    if outcome.unlisted:
        lines.append(
            f"note: {MANIFEST} had no line for {_count(len(outcome.unlisted))}, first "
            f"{outcome.unlisted[0]}: new, or the line was deleted; what is suggested was done. To "
            "leave an image out, write no into its keep"
        )
    lines += [f"note: {file} and all its copies are left out" for file in outcome.lost]
    if outcome.foreign:
        lines.append(
            f"note: {images} holds {len(outcome.foreign)} files that are not from the dataset, "
            f"first {outcome.foreign[0]}; training would read them too"
        )
    train = f"; or: installation train {images}" if outcome.kept > 1 else ""
    lines.append(
        f"Look at {outcome.folder / CONTACT}, change `keep` in {outcome.folder / MANIFEST}, and "
        f"run this again{train}"
    )
    return "\n".join(lines)


def _lines(review: Review) -> Iterator[str]:
    keep = sum(review.suggested().values())
    yield f"{review.path}: {_count(len(review.files))}, {len(review.looks)} readable"
    for name, found in review.by_reason().items():
        yield from _reason(name, found)
    if _deep(review):
        yield f"\n{_count(_deep(review))} of 16 bits a channel: read as 8, which is fine"
    for balance in review.balance:
        yield from _balance(balance)
    yield from _origins(review)
    if notes := _notes(review):
        yield "\n" + "\n".join(notes)
    look = len({f.file for f in review.findings if REASONS[f.reason].keep})
    yield (
        f"\nSuggested: keep {keep}, leave out {len(review.files) - keep}, look at {look}. "
        "Nothing was changed; `installation dataset curate` makes a copy to decide in."
    )


def _notes(review: Review) -> list[str]:
    notes = [f"note: {note}" for note in (*review.notes, *review.problems[:_SHOWN])]
    if len(review.problems) > _SHOWN:
        more = len(review.problems) - _SHOWN
        notes.append(f"  and {more} more; `installation dataset check --json` names them all")
    return notes


def _reason(name: str, found: list[Finding]) -> Iterator[str]:
    reason = REASONS[name]
    yield f"\n{name}: {len(found)} ({'look' if reason.keep else 'leave out'})"
    yield f"  {reason.meaning}. {reason.advice[0].upper()}{reason.advice[1:]}."
    for one in found[:_SHOWN]:
        yield "    " + str(Problem(one.file, one.detail) if one.detail else one.file)
    if len(found) > _SHOWN:
        yield f"    and {len(found) - _SHOWN} more; --json names them all"


def _balance(balance: Balance) -> Iterator[str]:
    total = sum(balance.counts.values())
    unknown = f", {balance.unknown} images without" if balance.unknown else ""
    yield f"\nlabel {balance.label}: {len(balance.counts)} values{unknown}"
    width = max(map(len, balance.counts))
    for value, count in balance.counts.items():
        few = "  too few to learn: merge it with another, or add images" if count < _FEW else ""
        yield f"  {value.ljust(width)}  {count:6}  {count / max(total, 1):4.0%}{few}"
    alike: dict[str, list[str]] = {}
    for value in balance.counts:
        alike.setdefault(value.casefold(), []).append(value)
    for values in alike.values():
        if len(values) > 1:
            yield f"  {', '.join(values)}: if they mean the same, write them in one way"
    most, least = max(balance.counts.values()), min(balance.counts.values())
    if most >= _UNEVEN * max(least, 1):
        yield f"  uneven: the first is {most / max(least, 1):.0f} times as common as the last"


def _origins(review: Review) -> Iterator[str]:
    missing = _without_licence(review)
    if not review.looks:
        return
    if missing == 0:
        yield "\nlicence: stated for every image"
    elif missing:
        whom = "no image" if missing == len(review.looks) else f"{_count(missing)} without"
        said = f"{whom}{'' if whom.endswith('without') else ' has one stated'}"
        yield f"\nlicence: {said}; say it in provenance.csv (path,source,author,licence)"


def _without_licence(review: Review) -> int:
    return sum(not origin.licence for origin in review.origins.values())


def _deep(review: Review) -> int:
    return sum(look.header.bits > 8 for look in review.looks.values())


def _count(number: int) -> str:
    return f"{number} image{'' if number == 1 else 's'}"
