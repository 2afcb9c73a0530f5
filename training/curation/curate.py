"""A curated copy of a dataset: the manifest decides, and can be changed and run again.

    FOLDER/manifest.csv   one row an image: keep, and why
    FOLDER/contact/       a sheet of pictures for each reason
    FOLDER/images/        the curated dataset: copies of what is kept, with its tables

The original is only read. In images/ nothing is removed or replaced unless the original dataset
holds the same bytes: whatever a person changed or added there stays theirs.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from training import UsageError, provenance
from training.curation import manifest
from training.curation.carried import carried_tables
from training.curation.check import Review, check
from training.curation.contact import draw_sheets
from training.curation.reasons import REASONS
from training.dataset import LABELS
from training.writing import replace

IMAGES, CONTACT = "images", "contact"
_TABLES = (LABELS, provenance.TABLE, provenance.RECORDS)
_COPIES = ("duplicate", "near-duplicate")
_UNSEEN = ("broken", "too-large", "format")  # reasons for which there is no picture to show


class CurationError(UsageError):
    """A folder that cannot be curated into. One line."""


@dataclass(frozen=True)
class Outcome:
    """What a run did. decided: images whose keep a person chose. unlisted: images of which the
    manifest that was there says nothing. lost: images of which every copy is left out, by that
    choice. foreign: files in images/ that are not from here."""

    folder: Path
    kept: int
    left_out: int
    decided: int
    added: int
    removed: int
    unlisted: tuple[str, ...]
    lost: tuple[str, ...]
    foreign: tuple[str, ...]


def curate(dataset: str | Path, out: str | Path, progress: bool = False) -> tuple[Review, Outcome]:
    """Check a dataset and write FOLDER as above, following the manifest that is there already.

    Raises UsageError with one line, before anything is written, where that cannot be done.
    """
    dataset, out = Path(dataset), Path(out)
    _check_place(dataset, out)
    review = check(dataset, progress)
    words = manifest.read_words(out / manifest.NAME, review)
    rows = manifest.make_rows(review, words.decisions)
    keep = {row.file: row.keep for row in rows}
    try:
        plan = _plan(review, keep, out / IMAGES)
        out.mkdir(parents=True, exist_ok=True)
        replace(out / manifest.NAME, manifest.write_rows(rows, words))
        _write_sheets(review, keep, out / CONTACT)
        _carry_out(review, keep, plan, out / IMAGES, progress)
    except OSError as error:
        raise CurationError(
            f"{out} cannot be written ({error.strerror or error}); the originals are untouched, "
            "and the same command goes on from here"
        ) from error
    kept = sum(keep.values())
    unlisted = tuple(file for file in keep if file not in words.cells) if words.cells else ()
    return review, Outcome(
        out, kept, len(keep) - kept, len(words.decisions), len(plan.add), len(plan.remove),
        unlisted, _lost(review, keep), plan.foreign,
    )  # fmt: skip


def _check_place(dataset: Path, out: Path) -> None:
    """Refuse folders where a copy could touch the original, or that are something else."""
    here, there = out.resolve(), dataset.resolve()
    if here == there or here.is_relative_to(there) or there.is_relative_to(here):
        raise CurationError(
            f"--out {out} and the dataset {dataset} lie in each other; name a folder elsewhere"
        )
    if out.exists() and not out.is_dir():
        raise CurationError(f"--out {out} is a file; name a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / manifest.NAME).is_file():
        raise CurationError(
            f"--out {out} holds other files and no {manifest.NAME}; name an empty or new folder"
        )
    for folder in (out / IMAGES, out / CONTACT):
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise CurationError(f"{folder} is not a folder of its own; move it away")


@dataclass(frozen=True)
class _Plan:
    add: tuple[str, ...]
    remove: tuple[str, ...]
    foreign: tuple[str, ...]


def _plan(review: Review, keep: dict[str, bool], images: Path) -> _Plan:
    """What must change in images/. Raises CurationError where that would lose a person's file."""
    there = {p.relative_to(images).as_posix(): p for p in sorted(images.rglob("*")) if _is_file(p)}
    link = next((path for path in there.values() if path.is_symlink()), None)
    if link is not None:
        raise CurationError(f"{link} is a link, and what it leads to is not ours; move it away")
    add, remove, changed = [], [], []
    for file, wanted in keep.items():
        if file not in there:
            if wanted:
                add.append(file)
        elif not _same(review, file, there[file]):
            changed.append(file)
        elif not wanted:
            remove.append(file)
    tables = carried_tables(review.entries, list(keep))
    changed += [t for t in _TABLES if t in there and not _within(there[t], tables.get(t, b""))]
    if changed:
        raise CurationError(
            f"{images / changed[0]} is not as in {review.path}, so it is left alone "
            f"({len(changed)} such files); move them away and run again, and they are made anew"
        )
    foreign = tuple(file for file in there if file not in keep and file not in _TABLES)
    return _Plan(tuple(add), tuple(remove), foreign)


def _is_file(path: Path) -> bool:
    return path.is_symlink() or not path.is_dir()


def _same(review: Review, file: str, copy: Path) -> bool:
    """Whether a file in images/ is a plain file with the original's bytes."""
    if not copy.is_file():
        return False
    try:
        original = review.entries[file].read()
    except ValueError:  # an unreadable original cannot give it back
        return False
    return hashlib.sha256(copy.read_bytes()).digest() == hashlib.sha256(original).digest()


def _within(copy: Path, table: bytes) -> bool:
    """Whether each line of a table in images/ is one of the dataset's own."""
    return set(copy.read_bytes().splitlines()) <= set(table.splitlines())


def _carry_out(
    review: Review, keep: dict[str, bool], plan: _Plan, images: Path, progress: bool
) -> None:
    images.mkdir(exist_ok=True)
    quiet = None if progress else True  # None: no bar where there is no terminal
    for file in tqdm(plan.add, "copying images", delay=2, unit="image", disable=quiet):
        (images / file).parent.mkdir(parents=True, exist_ok=True)
        try:
            replace(images / file, review.entries[file].read())
        except ValueError as error:  # such as a damaged file of a zip that a person wants kept
            raise CurationError(f"{file} {error}; set its keep to no") from error
    for file in plan.remove:
        (images / file).unlink()
        for parent in (images / file).parents:
            if parent == images or any(parent.iterdir()):
                break
            parent.rmdir()
    tables = carried_tables(review.entries, [file for file, kept in keep.items() if kept])
    for name in _TABLES:
        if name in tables:
            replace(images / name, tables[name])
        else:
            (images / name).unlink(missing_ok=True)


def _write_sheets(review: Review, keep: dict[str, bool], folder: Path) -> None:
    """One sheet for each reason that has pictures, more where there are many; old ones go."""
    folder.mkdir(exist_ok=True)
    written = set()
    for name, found in review.by_reason().items():
        if name in _UNSEEN:
            continue
        for page, sheet in enumerate(draw_sheets(found, review.entries, keep), start=1):
            path = folder / (f"{name}.jpg" if page == 1 else f"{name}-{page}.jpg")
            data = io.BytesIO()
            sheet.save(data, "JPEG", quality=88)
            replace(path, data.getvalue())
            written.add(path.name)
    ours = re.compile(rf"({'|'.join(REASONS)})(-\d+)?\.jpg")
    for path in folder.iterdir():
        if path.name not in written and ours.fullmatch(path.name):
            path.unlink()


def _lost(review: Review, keep: dict[str, bool]) -> tuple[str, ...]:
    """The images that would stay but were left out by hand, while all their copies are left out for
    their sake. What is a copy itself stands for the image that stays, as its own copies do."""
    copies = {f.file: f.other for f in review.findings if f.reason in _COPIES}

    def original(file: str) -> str:
        return original(copies[file]) if file in copies else file

    kept = {original(file) for file, wanted in keep.items() if wanted}
    return tuple(sorted({original(file) for file in copies} - kept))
