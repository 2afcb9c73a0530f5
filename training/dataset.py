"""A folder or zip of images, decoded once into one tensor, with the labels it carries."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.latent import Label, columns, composed
from training.lookup import Lookup
from training.naming import called
from training.picture import Fit, decode
from training.provenance import RECORDS, TABLE, read_provenance
from training.source import IMAGES, DatasetError, Entry, Problem, Unread, list_entries, read_each
from training.table import lines_of

OTHER_IMAGES = (
    ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2",
    ".psd", ".xcf", ".svg", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef",
)  # fmt: skip
SAVE_AS = "save it as JPEG, PNG or WebP to have it read"
LABELS = "labels.csv"
FOLDER_LABEL = "class"
_UNREAD = "is not read; only {} in the outermost folder is"
_MAX_VALUES = 64  # more values than this in one attribute is a title or a number, not a label
_FEW_VALUES = 8  # or fewer are a label, however few images there are
_MAX_WIDTH = 1024  # values of all labels together; each is an input of the generator and a fader

Rows = dict[str, dict[str, str]]  # file -> attribute -> value; unknown values are left out


@dataclass(frozen=True)
class Dataset:
    """Images in memory. images: (N, 3, S, S) uint8. conditions: (N, label widths) float32, one-hot
    per label, all zero where the value is unknown. files: N names. problems: what was left out,
    tables first."""

    name: str
    images: Tensor
    labels: tuple[Label, ...]
    conditions: Tensor
    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    provenance: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.images)

    def at(self, side: int) -> Dataset:
        """The same dataset, each pixel the mean of those it covers: images (N, 3, side, side)."""
        if side == self.images.shape[-1]:
            return self
        parts = [
            F.adaptive_avg_pool2d(part.float(), side).round_().to(torch.uint8)
            for part in self.images.split(256)
        ]
        return replace(self, images=torch.cat(parts))

    def steered_by(self, names: Sequence[str]) -> Dataset:
        """The same dataset with the labels named alone, in that order. Raises DatasetError."""
        known = {label.name: (label, where) for label, where in columns(self.labels)}
        for name in names:
            if name not in known:
                there = ", ".join(known) or "none at all"
                raise DatasetError(f"{self.name} has no label {name!r}; it has {there}")
        chosen = [known[name] for name in names]
        kept = [column for _, where in chosen for column in range(where.start, where.stop)]
        labels = tuple(label for label, _ in chosen)
        return replace(self, labels=labels, conditions=self.conditions[:, kept])

    def learnable(self, also: Collection[str] = ()) -> Dataset:
        """The same dataset without a label of folders that cannot be learned, which is said among
        its problems. also: labels that stay. Raises DatasetError for one of a table."""
        found = unlearnable(self.labels, self.conditions)
        told = {name: why for name, why in found.items() if name not in also}
        for name, why in told.items():
            if name != FOLDER_LABEL:
                raise DatasetError(why)
        left = self.steered_by([one.name for one in self.labels if one.name not in told])
        said = (Problem(f"the label {name!r}", why) for name, why in told.items())
        return replace(left, problems=(*self.problems, *said))

    def digest(self) -> str:
        """A hash of every pixel and label: has the dataset changed since?"""
        found = hashlib.sha256(self.images.contiguous().numpy().data)
        found.update(self.conditions.numpy().tobytes())
        return found.hexdigest()


def read_dataset(path: str | Path, size: int, fit: Fit = "pad", progress: bool = False) -> Dataset:
    """Decode every readable image of a folder or zip to size × size. Raises DatasetError.

    Labels come from labels.csv (`file,attribute,…`, empty where unknown) or else from the first
    level of folders. Unreadable files are left out and listed in `problems`.
    """
    path = Path(path)
    entries, problems = list_entries(path)
    files: list[str] = []
    wanted = [entry for entry in entries if entry.suffix in IMAGES]
    for entry in entries:
        if entry.suffix in OTHER_IMAGES:
            problems.append(Problem(entry.name, SAVE_AS))
    read_labels(entries, [entry.name for entry in wanted])  # its faults, before minutes of looking
    images = np.empty((len(wanted), 3, size, size), np.uint8)
    decoded = read_each(wanted, lambda data: decode(data, size, fit), progress)
    for entry, result in zip(wanted, decoded, strict=True):
        if isinstance(result, Unread):
            problems.append(Problem(entry.name, result.reason))
        else:
            images[len(files)] = result.transpose(2, 0, 1)
            files.append(entry.name)
    _require_images(path, len(files), problems)
    labels, conditions, label_problems = read_labels(entries, files)
    provenance, provenance_problems = read_provenance(entries, files)
    unread = unread_tables(entries)
    return Dataset(
        name=called(path),
        images=torch.from_numpy(images[: len(files)]),
        labels=labels,
        conditions=conditions,
        files=tuple(files),
        problems=(*provenance_problems, *unread, *label_problems, *problems),
        provenance=provenance,
    )


def _require_images(path: Path, count: int, problems: list[Problem]) -> None:
    if count == 1:
        raise DatasetError(
            f"{path} holds one readable image; training needs at least two{_first_of(problems)}"
        )
    if count == 0:
        raise no_image(path, problems)


def no_image(path: Path, problems: list[Problem]) -> DatasetError:
    """What to say of a dataset without any that can be read."""
    if problems:
        return DatasetError(f"{path} holds no readable image{_first_of(problems)}")
    return DatasetError(f"{path} holds no images (JPEG, PNG or WebP)")


def _first_of(problems: list[Problem]) -> str:
    return f"; {len(problems)} left out, first {problems[0]}" if problems else ""


def unread_tables(entries: list[Entry]) -> list[Problem]:
    """Files meant for labels or provenance, but not named or placed as those that are read."""
    problems = []
    for entry in entries:
        if entry.name in (LABELS, TABLE, RECORDS) or entry.suffix in IMAGES:
            continue
        # All before the first dot: Windows hides the last ending, as in labels.csv.txt.
        word = PurePosixPath(entry.name.lower()).name.partition(".")[0]
        if word == PurePosixPath(LABELS).stem:
            problems.append(Problem(entry.name, _UNREAD.format(LABELS)))
        elif word == PurePosixPath(TABLE).stem:
            problems.append(Problem(entry.name, _UNREAD.format(f"{TABLE} or {RECORDS}")))
    return problems


def read_labels(
    entries: list[Entry], files: list[str]
) -> tuple[tuple[Label, ...], Tensor, list[Problem]]:
    """The labels of some files, their conditions as in Dataset, and the lines that say nothing.

    Raises DatasetError for a table that cannot be used.
    """
    table = next((entry for entry in entries if entry.name == LABELS), None)
    lookup = Lookup(files, entries)
    rows, problems = _rows_of_table(table, lookup, files) if table else _rows_of_folders(files)
    attributes = list(dict.fromkeys(key for row in rows.values() for key in row))
    labels = []
    for attribute in attributes:
        values = sorted({row[attribute] for row in rows.values() if attribute in row})
        if len(values) > _MAX_VALUES:
            raise DatasetError(
                f"{LABELS}: {attribute!r} has {len(values)} values; a label may have "
                f"{_MAX_VALUES}, so take it out or merge some"
            )
        if len(values) >= 2:  # one value alone steers nothing
            labels.append(Label(attribute, tuple(values)))
    width = sum(label.width for label in labels)
    if width > _MAX_WIDTH:
        raise DatasetError(
            f"{LABELS}: {len(labels)} labels have {width} values together; {_MAX_WIDTH} is the "
            "most, so take columns out"
        )
    conditions = torch.zeros(len(files), width)
    for label, where in columns(labels):
        for index, file in enumerate(files):
            value = rows.get(file, {}).get(label.name)
            if value is not None:
                conditions[index, where.start + label.values.index(value)] = 1
    return tuple(labels), conditions, problems


def unlearnable(labels: Sequence[Label], conditions: Tensor) -> dict[str, str]:
    """Why a label cannot be learned, by its name: hardly a value has a second image, as with
    titles, numbers or dates."""
    images = {label.name: int(conditions[:, where].sum()) for label, where in columns(labels)}
    rare = [one for one in labels if one.width > _FEW_VALUES and images[one.name] < 2 * one.width]
    meant = json.dumps([one.name for one in labels if one not in rare], ensure_ascii=False)
    named = f", or name the labels that are meant, by --set 'labels={meant}'"
    found = {}
    for label in rare:
        many = f"{label.width} values for {images[label.name]} images"
        found[label.name] = (
            f"it has {many}, so that none can be learned"
            if label.name == FOLDER_LABEL
            else f"{LABELS}: {label.name!r} has {many}: that is no label that can be learned; take "
            f"the column out{named if len(rare) < len(labels) else ''}"
        )
    return found


def _rows_of_folders(files: list[str]) -> tuple[Rows, list[Problem]]:
    """The first folder of each file as its class, where there are two such folders or more. Of very
    many, such as dates or authors, no label is made: nobody means them by classes."""
    folders = {file.split("/")[0] for file in files if "/" in file}
    if len(folders) < 2:
        return {}, []
    if len(folders) > _MAX_VALUES:
        reason = (
            f"{len(folders)} folders, and a label has at most {_MAX_VALUES} values; if they are "
            f"classes and no dates or authors, merge some or write a {LABELS}"
        )
        return {}, [Problem(f"the label {FOLDER_LABEL!r}", reason)]
    return {file: {FOLDER_LABEL: plain(file.split("/")[0])} for file in files if "/" in file}, []


def _rows_of_table(table: Entry, lookup: Lookup, files: list[str]) -> tuple[Rows, list[Problem]]:
    try:
        lines = lines_of(table.read())
    except (OSError, ValueError) as error:
        raise DatasetError(f"{LABELS} cannot be read as a table: {error}") from error
    header = [plain(cell) for cell in lines[0]] if lines else []
    if not header or header[0].lower() != "file" or len(set(header)) != len(header) or "" in header:
        raise DatasetError(
            f"the first line of {LABELS} must be file,attribute,… without repeats or gaps; it is "
            f"{','.join(header)[:80]!r}"
        )
    rows: Rows = {}
    problems = []
    for number, line in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) > len(header):
            problems.append(Problem(LABELS, f"line {number} has more values than the first line"))
            continue
        file = lookup(line[0])
        if file is None:
            problems.append(Problem(LABELS, f"line {number} names {line[0]!r}, which was not read"))
            continue
        if file in rows:
            problems.append(Problem(LABELS, f"line {number} names {file!r} a second time"))
            continue
        values = zip(header[1:], line[1:], strict=False)
        rows[file] = {key: plain(value) for key, value in values if plain(value)}
    if problems and not rows and files:  # names without their endings, say, or of another dataset
        raise DatasetError(
            f"no line of {LABELS} is of an image that is here ({problems[0].reason}); write names "
            f"as they stand in the folder, like {files[0]!r}, or take the table away"
        )
    return rows, problems


def plain(text: str) -> str:
    """A label's or value's name: it stands in the card, on terminals and in pages, so it has no
    line ends and other control characters, and accents are stored as a keyboard writes them, not in
    pieces as in macOS's names of folders."""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text).strip()
    return composed(text)
