"""Copies of one image: which are left out, and for which that stays."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from training.curation.likeness import RECOLOURED, Pair, Traits, find_pairs
from training.curation.look import Look

Looks = dict[str, Look]  # file -> what is known of it, in the order of the files


@dataclass(frozen=True)
class Finding:
    """One reason for one file. other: the file that it is a copy of, or like."""

    file: str
    reason: str
    detail: str = ""
    other: str = ""


def find_duplicates(looks: Looks, progress: bool = False) -> list[Finding]:
    """Same bytes, then same pixels, then copies by their details: each of them names the file that
    stays. Files that are merely alike are named too."""
    findings = _same(looks, lambda look: look.file_hash, "the same file as {}")
    left = _without(looks, findings)
    findings += _same(left, lambda look: look.pixel_hash, "the same pixels as {}")
    left = _without(looks, findings)
    files, seen = list(left), list(left.values())
    traits = Traits(
        np.array([look.code for look in seen], np.uint64),
        np.array([look.mirrored for look in seen], np.uint64),
        [look.detail for look in seen],
        [look.colours for look in seen],
    )
    pairs = find_pairs(traits, progress)
    return findings + _near(files, seen, pairs)


def _same(looks: Looks, key: Callable[[Look], Hashable], detail: str) -> list[Finding]:
    """All but the first file of each key; None is no key."""
    first: dict[Hashable, str] = {}
    findings = []
    for file, look in looks.items():
        found = key(look)
        if found is None:
            continue
        if found in first:
            other = first[found]
            findings.append(Finding(file, "duplicate", detail.format(other), other))
        else:
            first[found] = file
    return findings


def _without(looks: Looks, findings: list[Finding]) -> Looks:
    out = {finding.file for finding in findings}
    return {file: look for file, look in looks.items() if file not in out}


def _near(files: Sequence[str], looks: Sequence[Look], pairs: list[Pair]) -> list[Finding]:
    """The best copy stays, and all that are copies of it go; then the best of what is left.

    So each file that goes was compared with one that stays: a chain of likenesses, from one
    expression of a face to the next, cannot sweep away what is not alike.
    """
    links: dict[int, list[tuple[int, Pair]]] = {}
    for pair in pairs:
        links.setdefault(pair.i, []).append((pair.j, pair))
        links.setdefault(pair.j, []).append((pair.i, pair))
    findings: dict[int, Finding] = {}
    for best in sorted(links, key=lambda n: looks[n].worth, reverse=True):
        if best in findings:
            continue
        for other, pair in links[best]:
            if pair.is_copy and other not in findings and other != best:
                findings[other] = _finding("near-duplicate", files[other], files[best], pair)
    alike = []
    for pair in pairs:
        if not pair.is_copy and not {pair.i, pair.j} & findings.keys():
            alike.append(_finding("alike", files[pair.j], files[pair.i], pair))
    return [*findings.values(), *alike]


def _finding(reason: str, file: str, other: str, pair: Pair) -> Finding:
    told = f"{'near-duplicate of' if pair.is_copy else 'like'} {other}, distance {pair.distance}, "
    told += f"{100 * pair.likeness:.0f} % of the details agree"
    if pair.colour >= RECOLOURED:
        told += ", other colours"
    return Finding(file, reason, told + (", mirrored" if pair.mirrored else ""), other)
