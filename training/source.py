"""Where a dataset's files come from: a folder or a zip, read as hostile input."""

from __future__ import annotations

import lzma
import os
import warnings
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from tqdm import tqdm

from training import UsageError

CURATED = ("manifest.csv", "images", "contact")  # what a curated copy's folder holds
IMAGES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp")
_PACKED = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz")
_UNPACK = "is packed, and what is packed inside a dataset is not read; unpack it"
MAX_FILE = 256 << 20  # bytes; no photograph is larger
MAX_FILES = 500_000
_MAX_RATIO = 200  # unpacked to packed; images hardly compress, bombs do
_RATIO_MATTERS = 1 << 20  # bytes; small text may compress as well as it likes
_UTF8 = 0x800  # a zip's flag: the name is UTF-8
_DAMAGED = (  # what zipfile raises for a damaged entry
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
T = TypeVar("T")


class DatasetError(UsageError):
    """A dataset that cannot be used. One line."""


@dataclass(frozen=True)
class Problem:
    """One file that was left out, and why."""

    file: str
    reason: str

    def __str__(self) -> str:
        """One line, whatever the file's name holds: it goes to a terminal."""
        text = f"{self.file}: {self.reason}"
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class TooLarge(ValueError):
    """A file that is larger than what is read."""


@dataclass(frozen=True)
class Unread:
    """Why nothing was made of a file."""

    reason: str
    too_large: bool = False


@dataclass(frozen=True)
class Entry:
    """One file of a dataset. `read` gives its bytes; it raises OSError or ValueError."""

    name: str  # path inside the dataset, with forward slashes
    read: Callable[[], bytes]
    outer: str = ""  # the folder of all images, where it was taken off the name

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.name).parts

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()


def list_entries(path: Path) -> tuple[list[Entry], list[Problem]]:
    """Every file in a folder or zip, sorted by name, with those that are refused.

    Hidden files are passed over. An outer folder that holds all images is taken off the names, as
    zips often have one. Raises DatasetError where there is nothing to open, and for a curated
    copy with its contact sheets, which are no images of the dataset.
    """
    path = Path(path)
    if path.is_dir():
        entries, problems = _from_folder(path)
    elif path.is_file():
        entries, problems = _from_zip(path)
    else:
        raise DatasetError(f"there is no dataset at {path}")
    if len(entries) > MAX_FILES:
        raise DatasetError(f"{path} holds more than {MAX_FILES} files; give a smaller folder")
    entries = sorted(_without_outer_folder(entries), key=lambda entry: entry.name)
    if {entry.parts[0] for entry in entries}.issuperset(CURATED):
        alone = path / "images" if path.is_dir() else "a zip of its folder images alone"
        raise DatasetError(f"{path} is a curated copy, contact sheets and all; give {alone}")
    problems += [Problem(entry.name, _UNPACK) for entry in entries if entry.suffix in _PACKED]
    return entries, problems


def read_each(
    entries: Sequence[Entry], work: Callable[[bytes], T], progress: bool, verb: str = "reading"
) -> Iterator[T | Unread]:
    """What `work` makes of each entry's bytes, or why it makes nothing, in order.

    `work` runs in several threads and raises ValueError with the reason. It is a few images ahead
    at most, so that nothing lies in memory beside what is kept of it.
    """

    def one(entry: Entry) -> T | Unread:
        try:
            return work(entry.read())
        except ValueError as error:
            return Unread(str(error), isinstance(error, TooLarge))
        except OSError as error:
            return Unread(f"cannot be read ({error})")

    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's; what matters is raised or checked
        yield from tqdm(
            _in_order(pool, one, entries, ahead=4 * threads),
            total=len(entries),
            desc=f"{verb} images",
            unit="image",
            delay=2,
            disable=None if progress else True,  # None: no bar where there is no terminal
        )


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Entry], T], entries: Iterable[Entry], ahead: int
) -> Iterator[T]:
    """As pool.map, which would go on to the end whether or not anybody takes what it has."""
    begun: deque[Future[T]] = deque()
    for entry in entries:
        begun.append(pool.submit(work, entry))
        if len(begun) > ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def _from_folder(root: Path) -> tuple[list[Entry], list[Problem]]:
    entries: list[Entry] = []
    problems: list[Problem] = []

    def unreadable(error: OSError) -> None:
        what = f"cannot be opened ({error.strerror})"
        problems.append(Problem(_written(str(error.filename)), what))

    for folder, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            if (Path(folder) / name).is_symlink():
                what = "is a link to a folder; those are not followed"
                problems.append(Problem(_written(name), what))
        for name in files:
            if name.startswith("."):
                continue
            file = Path(folder) / name
            inside = file.relative_to(root).as_posix()
            if (text := _written(inside)) != inside:  # no label could be made of it
                problems.append(Problem(text, "its name is not Unicode text; rename it"))
            else:
                entries.append(Entry(inside, _reader(file)))
    return entries, problems


def _written(name: str) -> str:
    """A file's name as text: what is not Unicode in it as \\udcfc and the like."""
    return name.encode(errors="backslashreplace").decode()


def _reader(file: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        if not file.is_file():
            raise ValueError("is not a regular file")
        if file.stat().st_size > MAX_FILE:
            raise TooLarge(f"is larger than {MAX_FILE >> 20} MB; make it smaller")
        return file.read_bytes()

    return read


def _from_zip(path: Path) -> tuple[list[Entry], list[Problem]]:
    try:
        archive = zipfile.ZipFile(path)
        infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DatasetError(f"{path} is neither a folder nor a readable zip ({error})") from error
    entries: list[Entry] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for info in infos:
        name = _name_in_zip(info)
        parts = PurePosixPath(name).parts
        if (
            not parts  # "." and the like
            or name.endswith("/")
            or "__MACOSX" in parts
            or any(p.startswith(".") and p != ".." for p in parts)
        ):
            continue
        reason = _refusal(info, name)
        if not reason and name in seen:
            reason = "is in the zip a second time under this name"
        seen.add(name)
        if reason:
            problems.append(Problem(name, reason))
        else:
            entries.append(Entry(name, _zip_reader(archive, info)))
    return entries, problems


def _name_in_zip(info: zipfile.ZipInfo) -> str:
    """macOS writes UTF-8 without the flag that says so, some Windows programs \\ for /, and others
    ./ before a name. A / at its begin or end stays: it points outside, or is a folder."""
    name = info.filename
    if not info.flag_bits & _UTF8:
        with suppress(UnicodeError):  # then it is what zipfile took it for: a PC's old letters
            name = name.encode("cp437").decode()
    name = name.replace("\\", "/")
    inside = "/".join(part for part in name.split("/") if part not in ("", "."))
    return "/" * name.startswith("/") + inside + "/" * name.endswith("/")


def _refusal(info: zipfile.ZipInfo, name: str) -> str:
    """Why an entry of a zip is not opened, or nothing."""
    if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name:
        return "its name points outside the zip"
    if info.flag_bits & 0x1:
        return "is encrypted; unpack it with its password first"
    if info.file_size > MAX_FILE:
        return f"is larger than {MAX_FILE >> 20} MB"
    if info.file_size > max(_RATIO_MATTERS, _MAX_RATIO * max(info.compress_size, 1)):
        return "unpacks to far more than an image would; left out as a zip bomb"
    return ""


def _zip_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    """Reads from several threads share the archive: zipfile locks each one's seek and read, and
    opening it again for every entry would read the whole directory again."""

    def read() -> bytes:
        try:
            with archive.open(info) as file:
                data = file.read(info.file_size + 1)  # never more than the directory promised
        except _DAMAGED as error:
            raise ValueError(f"is damaged in the zip ({str(error) or 'cut short'})") from error
        if len(data) != info.file_size:
            raise ValueError("is longer or shorter than the zip says")
        return data

    return read


def _without_outer_folder(entries: list[Entry]) -> list[Entry]:
    """The images alone say which folder it is: a table or a README put beside it later must not
    give every image another name, and with that another side of the split.

    Of two files that would have one name the inner one keeps its whole path.
    """
    images = [entry for entry in entries if entry.suffix in IMAGES] or entries
    first = {entry.parts[0] for entry in images}
    if len(first) != 1 or any(len(entry.parts) < 2 for entry in images):
        return entries
    outer = first.pop()
    beside = {entry.name for entry in entries if entry.parts[0] != outer}

    def within(entry: Entry) -> Entry:
        name = "/".join(entry.parts[1:])
        if entry.parts[0] != outer or not name or name in beside:
            return entry
        return replace(entry, name=name, outer=outer)

    return [within(entry) for entry in entries]
