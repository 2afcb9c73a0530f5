"""Processes of their own in which torch is there already: importing it takes two seconds, and many
commands are only asked what they say to a mistake."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess as Process
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent

# Forked from a process that has imported torch and nothing of the house, and holds no thread; where
# nothing is forked (Windows), begun anew.
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_CONTEXT = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
if _FORKS:
    _CONTEXT.set_forkserver_preload(["torch", "safetensors.torch"])


def apart(work: Callable[..., None], *given: object) -> int:
    """Do a module's function there, with things that can be pickled; the exit status."""
    process = _CONTEXT.Process(target=work, args=given)
    process.start()
    process.join(120)
    process.kill()  # only one that hangs is still there
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def installation(*arguments: object, cwd: Path = ROOT) -> CompletedProcess[str]:
    """Run `installation` with these arguments in a folder; what it says, and its exit status."""
    words = [str(one) for one in arguments]
    with TemporaryDirectory() as said:
        out, err = Path(said, "out"), Path(said, "err")
        status = apart(_run, words, cwd, out, err)
        return CompletedProcess(words, status, out.read_text(), err.read_text())


@contextmanager
def serving(*arguments: object, cwd: Path) -> Iterator[tuple[Process, Path]]:
    """`installation` with these arguments in a folder, while it runs, and a file of what it says;
    ended at last, if it has not ended by itself."""
    words = [str(one) for one in arguments]
    with TemporaryDirectory() as said:
        out, err = Path(said, "out"), Path(said, "err")
        process = _CONTEXT.Process(target=_run, args=(words, cwd, out, err))
        process.start()
        try:
            yield process, out
        finally:
            process.kill()
            process.join()


def _run(words: list[str], cwd: Path, out: Path, err: Path) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ |= {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(cwd)}
    for descriptor, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), descriptor)
    from installation.cli import main

    sys.exit(main(words))
