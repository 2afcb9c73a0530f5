"""Being asked to stop: Ctrl-C, SIGTERM, and Slurm's warning that the time is nearly up."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from training import UsageError, ranks

JOB = "SLURM_JOB_ID"
STOPPING = "stopping: all is saved first, which can take a minute; Ctrl-C again ends without that"


class RequeueError(UsageError):
    """A Slurm job that could not be queued again. One line."""


class StopRequest:
    """Ctrl-C or SIGTERM, once: finish the step, save, leave. A second one interrupts at once.

    In a Slurm job also SIGUSR1 (sbatch --signal=SIGUSR1@90): `requeue` is true then. Lightning
    would write a checkpoint of its own at that signal, in the middle of a step, so it is told not
    to (training/fit.py).
    """

    def __init__(self) -> None:
        self.asked = False
        self.requeue = False
        self._before: dict[int, Any] = {}

    @contextmanager
    def listening(self) -> Iterator[StopRequest]:
        if threading.current_thread() is threading.main_thread():  # no other may handle signals
            self._before = {number: signal.getsignal(number) for number in _signals()}
        try:
            self.arm()
            yield self
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def arm(self) -> None:
        """Handle the signals here; again once Lightning has put its own SIGTERM handler in place,
        which would raise in the middle of a step."""
        for number in self._before:
            if not self.asked:
                signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._before[number])
            if ranks.leads():
                _say(STOPPING)
        else:
            self.requeue = True


def _say(text: str) -> None:
    """Past Python's buffers: a signal may come in the middle of a line that is being printed."""
    with suppress(OSError):  # a terminal that is gone
        os.write(2, f"\n{text}\n".encode())


def _signals() -> list[int]:
    warning = [signal.SIGUSR1] if JOB in os.environ and hasattr(signal, "SIGUSR1") else []
    return [signal.SIGINT, signal.SIGTERM, *warning]


def requeue() -> None:
    """Put this Slurm job back into the queue; Slurm then ends it. Raises RequeueError."""
    job = os.environ[JOB]
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ.get('SLURM_ARRAY_TASK_ID', '0')}"
    try:
        # scontrol is found on PATH, as on every cluster; the job's number comes from Slurm.
        done = subprocess.run(  # noqa: S603
            ["scontrol", "requeue", job],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        reason = done.stderr.strip() if done.returncode else ""
        if done.returncode and not reason:
            reason = f"status {done.returncode}"
    except OSError as error:
        reason = f"scontrol: {error.strerror or error}"
    if reason:
        raise RequeueError(
            f"job {job} could not be queued again ({reason}); everything is saved, so submit it "
            "once more, with --resume-or-start"
        )
