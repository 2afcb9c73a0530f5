"""Looking through a dataset: every image, every reason why one might be left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.latent import columns
from training.curation.duplicates import Finding, Looks, find_duplicates
from training.curation.look import look
from training.curation.measures import BLURRED
from training.curation.outliers import FAR, strangeness
from training.curation.reasons import REASONS
from training.dataset import (
    FOLDER_LABEL,
    IMAGES,
    OTHER_IMAGES,
    SAVE_AS,
    no_image,
    read_labels,
    unlearnable,
    unread_tables,
)
from training.provenance import Origin, read_origins
from training.source import DatasetError, Entry, Problem, Unread, list_entries, read_each

_TINY = 32  # pixels of the longer side: half of what the smallest recipe draws
_ODD = 3.0  # times wider or narrower than the middle one
_STYLE = 0.25  # a share of the images that have it is how this dataset is, and no fault


@dataclass(frozen=True)
class Balance:
    """How often each value of a label occurs. unknown: images without a value."""

    label: str
    counts: dict[str, int]
    unknown: int


@dataclass(frozen=True)
class Review:
    """What was found in a dataset. files: every image's name, the unreadable ones too."""

    path: Path
    entries: dict[str, Entry]  # everything in it, tables too
    files: tuple[str, ...]
    looks: Looks  # of the readable ones
    findings: tuple[Finding, ...]  # by file, then by the order of REASONS
    notes: tuple[str, ...]  # about the dataset as a whole
    problems: tuple[Problem, ...]  # refused files, lines of tables that say nothing
    balance: tuple[Balance, ...]
    origins: dict[str, Origin]  # of each readable file

    def suggested(self) -> dict[str, bool]:
        """Whether each image is suggested to be kept."""
        keep = dict.fromkeys(self.files, True)
        for finding in self.findings:
            keep[finding.file] &= REASONS[finding.reason].keep
        return keep

    def by_reason(self) -> dict[str, list[Finding]]:
        """The findings of each reason that occurs, in the order of REASONS."""
        found: dict[str, list[Finding]] = {name: [] for name in REASONS}
        for finding in self.findings:
            found[finding.reason].append(finding)
        return {name: some for name, some in found.items() if some}


def check(path: str | Path, progress: bool = False) -> Review:
    """Look at every image of a folder or zip; nothing is changed. Raises DatasetError."""
    path = Path(path)
    listed, problems = list_entries(path)
    wanted = [entry for entry in listed if entry.suffix in IMAGES]
    others = [entry for entry in listed if entry.suffix in OTHER_IMAGES]
    if not wanted and not others:
        raise no_image(path, problems)
    findings = [Finding(entry.name, "format", SAVE_AS) for entry in others]
    looks: Looks = {}
    for entry, seen in zip(wanted, read_each(wanted, look, progress, "looking at"), strict=True):
        if isinstance(seen, Unread):
            reason = "too-large" if seen.too_large else "broken"
            findings.append(Finding(entry.name, reason, seen.reason))
        else:
            looks[entry.name] = seen
    useless = _useless(looks)
    out = {finding.file for finding in useless}
    useful = {file: seen for file, seen in looks.items() if file not in out}
    odd, notes = _odd(useful)
    labels = _read_labels(listed, list(looks))
    copies = find_duplicates(useful, labels.rows, progress)
    findings += [*useless, *copies, *odd, *_animated(looks)]
    order = list(REASONS)
    findings.sort(key=lambda finding: (finding.file, order.index(finding.reason)))
    origins, origin_problems = read_origins(listed, list(looks))
    return Review(
        path=path,
        entries={entry.name: entry for entry in listed},
        files=tuple(sorted(entry.name for entry in (*wanted, *others))),
        looks=looks,
        findings=tuple(findings),
        notes=(*notes, *labels.notes),
        problems=(*origin_problems, *unread_tables(listed), *labels.problems, *problems),
        balance=tuple(labels.balance),
        origins=origins,
    )


def _useless(looks: Looks) -> list[Finding]:
    """Tiny and empty images. Where all are small, as pixel art is, tiny is half of the usual."""
    if not looks:
        return []
    sides = {file: max(seen.header.width, seen.header.height) for file, seen in looks.items()}
    least = min(_TINY, float(np.median(list(sides.values()))) / 2)
    findings = []
    for file, seen in looks.items():
        if sides[file] < least or sides[file] == 1:
            size = f"{seen.header.width}×{seen.header.height} pixels"
            findings.append(Finding(file, "tiny", size))
        elif seen.empty:
            findings.append(Finding(file, "empty"))
    return findings


def _odd(looks: Looks) -> tuple[list[Finding], list[str]]:
    """What is to be looked at, compared with the rest; and what the rest is like."""
    findings, notes = [], []
    blurred = {file: seen for file, seen in looks.items() if seen.blur >= BLURRED}
    if _is_style(blurred, looks):
        notes.append(f"{len(blurred)} images are soft: so is this dataset, and none is named")
    else:
        findings += [Finding(f, "blurred", f"blur {x.blur:.2f} of 1") for f, x in blurred.items()]
    drawn = {file: seen for file, seen in looks.items() if seen.drawn}
    if _is_style(drawn, looks):
        notes.append(f"{len(drawn)} images are flat drawings: so is this dataset; none is named")
    else:
        findings += [Finding(file, "drawing") for file in drawn]
    findings += _odd_aspects(looks)
    if looks:
        whole = [np.append(seen.structure, seen.colours) for seen in looks.values()]
        strange = strangeness(np.stack(whole))
        for file, value in zip(looks, strange, strict=True):
            if value >= FAR:
                findings.append(Finding(file, "outlier", f"{value:.1f} times the usual spread off"))
    return findings, notes


def _is_style(some: Looks, all_of_them: Looks) -> bool:
    return len(some) > 1 and len(some) > _STYLE * len(all_of_them)


def _odd_aspects(looks: Looks) -> list[Finding]:
    aspects = {file: seen.header.width / seen.header.height for file, seen in looks.items()}
    if not aspects:
        return []
    middle = float(np.median(list(aspects.values())))
    return [
        Finding(file, "odd-aspect", f"{looks[file].header.width}×{looks[file].header.height}")
        for file, aspect in aspects.items()
        if not 1 / _ODD < aspect / middle < _ODD
    ]


def _animated(looks: Looks) -> list[Finding]:
    return [
        Finding(file, "animated", f"{seen.header.frames} frames")
        for file, seen in looks.items()
        if seen.header.frames > 1
    ]


@dataclass(frozen=True)
class _Labels:
    """rows: of each file, something that is equal where all labels are."""

    balance: list[Balance]
    rows: dict[str, bytes]
    problems: list[Problem]
    notes: list[str]


def _read_labels(entries: list[Entry], files: list[str]) -> _Labels:
    """The values of each label with their counts; a table that cannot be used is a note."""
    try:
        labels, conditions, problems = read_labels(entries, files)
    except DatasetError as error:
        return _Labels([], {}, [], [f"training would refuse the labels: {error}"])
    table = conditions.numpy()
    balance = []
    for label, where in columns(labels):
        counts = table[:, where].sum(0).astype(int).tolist()
        common = Counter(dict(zip(label.values, counts, strict=True))).most_common()
        balance.append(Balance(label.name, dict(common), len(files) - sum(counts)))
    hopeless = unlearnable(labels, conditions)
    learned = [where for label, where in columns(labels) if label.name not in hopeless]
    table = np.concatenate([table[:, :0], *(table[:, where] for where in learned)], axis=1)
    rows = {file: row.tobytes() for file, row in zip(files, table, strict=True)}
    notes = [
        f"training makes no label {name!r}: {why}"
        if name == FOLDER_LABEL
        else f"training would refuse the labels: {why}"
        for name, why in hopeless.items()
    ]
    return _Labels(balance, rows, problems, notes)
