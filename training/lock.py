"""One training per folder: two would overwrite each other's checkpoints.

The operating system's own lock, which it takes back when a process ends, however it ends: what
`kill -9` leaves behind never stands in the way.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from training import UsageError

LOCK = "training.lock"
HOLDER = "running.json"  # who holds it, for people


class LockError(UsageError):
    """A folder that another training is using. One line."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold a training's folder, which is made where it is not there, and goes again where nothing
    was left in it. Raises LockError."""
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LockError(f"{folder} cannot be made: {error.strerror}") from error
    try:
        with held(folder):
            try:
                yield
            finally:
                if made:
                    _unmark(folder)
    finally:
        with suppress(OSError):  # something is in it
            for one in made:
                one.rmdir()


def _unmark(folder: Path) -> None:
    """Take the lock's file away where there is nothing else, while it is held: whoever waits at it
    sees that, and nobody else's is taken."""
    with suppress(OSError):  # the folder is gone; or Windows, which takes the file away itself
        if {path.name for path in folder.iterdir()} <= {LOCK, HOLDER}:
            (folder / LOCK).unlink()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder, which is there, for one training. Raises LockError."""
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except OSError as error:
        if not isinstance(error, Timeout):
            raise LockError(f"{folder} cannot be used: {error.strerror or error}") from error
        raise LockError(
            f"{folder} is being trained already{_holder(folder)}; stop that one first, or choose "
            "another --name"
        ) from error
    try:
        _sign(folder)
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _sign(folder: Path) -> None:
    me = {"pid": os.getpid(), "host": socket.gethostname()}
    with suppress(OSError):  # a full disk: the lock holds without a name on it
        (folder / HOLDER).write_text(json.dumps(me) + "\n", encoding="utf-8")


def _holder(folder: Path) -> str:
    try:
        told = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return f" by process {int(told['pid'])} on {str(told['host'])[:64]}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
