"""Copies of one image: which are left out, and for which that stays."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
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


def find_duplicates(
    looks: Looks, labels: Mapping[str, bytes], progress: bool = False
) -> list[Finding]:
    """Same bytes, then same pixels, then copies by their details: each of them names the file that
    stays. Files that are merely alike are named too, and copies of which the labels differ: hair
    painted anew is another picture to whoever learns hair. labels: equal where all labels are, and
    zeros where none is known."""
    findings = _same(looks, labels, lambda look: look.file_hash, "the same file as {}")
    left = _without(looks, findings)
    findings += _same(left, labels, lambda look: look.pixel_hash, "the same pixels as {}")
    left = _without(looks, findings)
    files, seen = list(left), list(left.values())
    traits = Traits(
        np.array([look.code for look in seen], np.uint64),
        np.array([look.mirrored for look in seen], np.uint64),
        [look.detail for look in seen],
        [look.colours for look in seen],
    )
    pairs = find_pairs(traits, progress)
    said = [labels.get(file) for file in files]
    return findings + _near(files, seen, said, pairs)


def _same(
    looks: Looks, labels: Mapping[str, bytes], key: Callable[[Look], Hashable], detail: str
) -> list[Finding]:
    """All but the first file of each key, of those with labels where some have them; None is no
    key."""
    first: dict[Hashable, str] = {}
    findings = []
    said = {file: labels.get(file, b"") for file in looks}
    for file in sorted(looks, key=lambda file: not any(said[file])):
        found = key(looks[file])
        if found is None:
            continue
        if found in first:
            other = first[found]
            told = detail.format(other)
            if any(said[file]) and said[file] != said[other]:
                told += ", but the labels differ: one of them is wrong"
            findings.append(Finding(file, "duplicate", told, other))
        else:
            first[found] = file
    return findings


def _without(looks: Looks, findings: list[Finding]) -> Looks:
    out = {finding.file for finding in findings}
    return {file: look for file, look in looks.items() if file not in out}


def _near(
    files: Sequence[str],
    looks: Sequence[Look],
    labels: Sequence[bytes | None],
    pairs: list[Pair],
) -> list[Finding]:
    """The best copy stays, and all that are copies of it go; then the best of what is left.

    So each file that goes was compared with one that stays: a chain of likenesses, from one
    expression of a face to the next, cannot sweep away what is not alike.
    """
    copies = [pair for pair in pairs if pair.is_copy and labels[pair.i] == labels[pair.j]]
    links: dict[int, list[tuple[int, Pair]]] = {}
    for pair in copies:
        links.setdefault(pair.i, []).append((pair.j, pair))
        links.setdefault(pair.j, []).append((pair.i, pair))
    findings: dict[int, Finding] = {}
    for best in sorted(links, key=lambda n: looks[n].worth, reverse=True):
        if best in findings:
            continue
        for other, pair in links[best]:
            if other not in findings:
                findings[other] = Finding(
                    files[other],
                    "near-duplicate",
                    f"near-duplicate of {files[best]}, {_told(pair)}",
                    files[best],
                )
    alike = []
    for pair in pairs:
        relabelled = labels[pair.i] != labels[pair.j]
        different = not pair.same and (relabelled or pair.colour >= RECOLOURED)
        if not different and not {pair.i, pair.j} & findings.keys():
            told = f"like {files[pair.i]}, {_told(pair)}{', other labels' if relabelled else ''}"
            alike.append(Finding(files[pair.j], "alike", told, files[pair.i]))
    return [*findings.values(), *alike]


def _told(pair: Pair) -> str:
    told = f"distance {pair.distance}, {100 * pair.likeness:.0f} % of the details agree"
    if pair.colour >= RECOLOURED:
        told += ", other colours"
    return told + (", mirrored" if pair.mirrored else "")
