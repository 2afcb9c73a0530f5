"""A drawn corpus on disk: numbered PNG files, labels.csv, provenance.json and a contact sheet.

PNG rather than JPEG: a GAN learns the blocks of JPEG as if they were texture.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.corpus import hands, sheet
from training.corpus.corpus import Corpus, CorpusError
from training.progress import Progress
from training.table import read
from training.writing import replace

PROVENANCE = "provenance.json"
TABLE = "labels.csv"
SHEET = "index.html"


def write(
    out: Path,
    corpus: Corpus,
    count: int,
    size: int,
    seed: int,
    progress: Progress | None = None,
    pinned: Mapping[str, str] | None = None,
) -> int:
    """Draw a corpus into the folder `out`; returns how many images were drawn now.

    pinned: labels that all images share, as {"form": "heart"}. An empty or new folder is filled. A
    folder that holds this same corpus (name, version, size, seed, what is pinned) is completed up
    to `count`, so an interrupted run goes on where it stopped; columns that were added to
    labels.csv stay. Any other folder is refused with a CorpusError, untouched, and a file that is
    not from here is never overwritten. `progress(done, count)` is called as images are written.
    """
    pinned = dict(pinned or {})
    corpus.check(count, size, seed, pinned)
    try:
        return _write(out, corpus, count, size, seed, pinned, progress)
    except OSError as error:
        raise CorpusError(
            f"{out} cannot be written ({error.strerror or error}); what is whole stays, and the "
            "same command goes on from there"
        ) from error


def _write(
    out: Path,
    corpus: Corpus,
    count: int,
    size: int,
    seed: int,
    pinned: Mapping[str, str],
    progress: Progress | None,
) -> int:
    facts: dict[str, Any] = {
        "corpus": corpus.name,
        "version": corpus.version,
        "seed": seed,
        "size": size,
        "count": count,
        "pinned": dict(pinned),
        "labels": {key: list(values) for key, values in corpus.labels.items()},
        "origin": "drawn by the code of installation, training/corpus; no image was used",
        "licence": "CC0-1.0 for the images, Apache-2.0 for the code that draws them",
    }
    known = _check_folder(out, facts)
    rows, delimiter = _read_rows(out, corpus, count)
    held = len(rows)
    ours = ["file", *corpus.labels]
    columns = ours + [name for row in rows[:1] for name in row if name not in ours]
    out.mkdir(parents=True, exist_ok=True)
    replace(out / PROVENANCE, (json.dumps(known | facts, indent=2) + "\n").encode())
    for images, labels in hands.draw(corpus, held, count, size, seed, **pinned):
        for image, found in zip(images, labels, strict=True):
            file = _name(len(rows))
            _save(out / file, image)
            rows.append({"file": file, **corpus.seen(found)})
        replace(out / TABLE, _table(rows, columns, delimiter))
        if progress is not None:
            progress(len(rows), count)
    title = f"{corpus.name}: {count} images of {size} pixels, seed {seed}"
    replace(out / SHEET, sheet.page(title, rows))
    return len(rows) - held


def _name(index: int) -> str:
    return f"{index:05d}.png"


def _check_folder(out: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What provenance.json says already; raises where the folder is not ours."""
    if out.exists() and not out.is_dir():
        raise CorpusError(f"{out} is a file: name a folder for the corpus")
    if not out.exists() or not any(out.iterdir()):
        return {}
    try:
        found = json.loads((out / PROVENANCE).read_text("utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or "corpus" not in found:
        raise CorpusError(f"{out} holds other files: name an empty or new folder")
    found.setdefault("pinned", {})
    for key in ("corpus", "version", "size", "seed", "pinned"):
        if found.get(key) != facts[key]:
            raise CorpusError(
                f"{out} holds a corpus with {key} {found.get(key)!r}, not {facts[key]!r}: "
                "name another folder"
            )
    return found


def _read_rows(out: Path, corpus: Corpus, count: int) -> tuple[list[dict[str, str]], str]:
    """The rows of labels.csv that are there already, and its delimiter; raises where images cannot
    follow them."""
    if not (out / TABLE).exists():
        return [], ","
    try:
        lines, delimiter = read((out / TABLE).read_bytes())
    except ValueError as error:
        raise CorpusError(f"{out / TABLE} cannot be read as a table: {error}") from error
    header, *rest = [line for line in lines if any(cell.strip() for cell in line)] or [[]]
    if not {"file", *corpus.labels} <= set(header) or any(len(r) != len(header) for r in rest):
        raise CorpusError(f"{out / TABLE} is damaged, or lacks a column: draw into a new folder")
    rows = [dict(zip(header, line, strict=True)) for line in rest]
    if {row["file"] for row in rows} != {_name(index) for index in range(len(rows))}:
        raise CorpusError(
            f"{out / TABLE} no longer names {_name(0)} to {_name(len(rows) - 1)}, so what comes "
            "next would take the place of others: draw into a new folder"
        )
    if len(rows) > count:
        raise CorpusError(f"{out} holds {len(rows)} images already: ask for as many or more")
    gone = next((row["file"] for row in rows if not (out / row["file"]).is_file()), None)
    if gone:
        raise CorpusError(f"{out} has lost {gone}: draw into a new folder")
    return rows, delimiter


def _save(path: Path, image: NDArray[np.uint8]) -> None:
    png = io.BytesIO()
    Image.fromarray(image).save(png, "PNG", compress_level=3)  # half the time, 5 % more bytes
    if path.exists():  # left by an interrupted run, before the table named it; or not ours
        if path.read_bytes() != png.getvalue():
            raise CorpusError(f"{path} is not as it would be drawn: move it away, and run again")
        return
    replace(path, png.getvalue())


def _table(rows: list[dict[str, str]], columns: list[str], delimiter: str) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
