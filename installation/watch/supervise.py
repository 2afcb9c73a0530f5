"""`installation open`: a show that is started again whenever it ends, until somebody closes it.

The show runs in a process of its own and tells its pulse. One that crashes, hangs or stands still
is replaced; one that will not start gives way to a built-in picture, and is tried again and again:
nobody stands beside the wall to press a key. Every night it begins anew, since no driver is free of
leaks. This process imports neither torch nor a window, so that there is little in it to fail.
"""

from __future__ import annotations

import datetime
import logging
import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import IO

from installation.signals import ended_by_signals
from installation.watch.health import Health, Pulse
from installation.watch.schedule import next_time
from installation.watch.systemd import notify

log = logging.getLogger(__name__)
show_log = logging.getLogger("installation.show")  # what the show's process says

_PATIENCE = 3  # shows that end soon after they began, until the built-in picture comes
_ABRUPT = 1.0  # seconds
_SETTLED = 10.0  # seconds that a show is on, at least, until other displays begin it anew
_HOUR = 3600.0
_DAY = datetime.timedelta(days=1, hours=2)  # and what summer time may add
_TIME = re.compile(r"^\d\d:\d\d:\d\d ")


class End(Enum):
    """How a show ended."""

    CLOSED = auto()  # by hand, at the wall
    FAILED = auto()
    PLANNED = auto()  # by us


class Start(Enum):
    """What begins."""

    FRESH = auto()  # the show, from its beginning
    AGAIN = auto()  # the show, where it ended
    STANDBY = auto()  # the built-in picture


@dataclass(frozen=True)
class Terms:
    """Seconds, but for `restart`, the time of the day at which it begins anew, if at all.

    hang: without a frame. soon: a show that ended within it has hardly begun. retry: for how long
    the built-in picture is on before the show is tried again. grace: to end by itself. slowest:
    between two tries.
    """

    restart: datetime.time | None = datetime.time(4)
    hang: float = 30.0
    soon: float = 300.0
    retry: float = 300.0
    grace: float = 10.0
    first_wait: float = 1.0
    slowest: float = 30.0


class Supervisor:
    """command: of what begins. It writes pulses to stdout (watch/health.py) and ends on SIGTERM.
    saved: whether a file that a show reads as it begins was saved since this was asked last.

    What fails once takes up where it was; what fails again soon after begins afresh, as where it
    was may be what is wrong.
    """

    def __init__(
        self,
        command: Callable[[Start], Sequence[str]],
        terms: Terms,
        now: Callable[[], datetime.datetime] = datetime.datetime.now,
        saved: Callable[[], object] = lambda: False,
    ) -> None:
        self._saved = saved
        self._command, self._terms, self._now = command, terms, now
        self._over = threading.Event()
        self._failures = 0  # in a row, each soon after its beginning

    def end(self) -> None:
        """Close the house."""
        self._over.set()

    def run(self) -> int:
        """Until it is closed by hand, by a signal or by end(). Returns the exit status."""
        start = Start.FRESH
        notify("READY=1")  # it is this process that systemd watches; the show may take its time
        with ended_by_signals(self.end):
            while not self._over.is_set():
                began = time.monotonic()
                end = self._perform(start)
                if end is End.CLOSED:
                    break
                start = self._after(end, start, time.monotonic() - began)
        notify("STOPPING=1")
        log.info("closed")
        return 0

    def _after(self, end: End, last: Start, lasted: float) -> Start:
        """Wait as long as is wise; what is to begin next."""
        if end is End.PLANNED:  # nobody is to notice that it begins anew at night
            return Start.FRESH if last is Start.STANDBY else Start.AGAIN
        soon = last is Start.STANDBY or lasted < self._terms.soon
        self._failures = self._failures + 1 if soon else 1
        # Where not even the built-in picture comes, as without a display, the show is as good a try
        if self._failures >= _PATIENCE and last is not Start.STANDBY:
            return Start.STANDBY  # at once: it is what is seen in the meantime
        doublings = min(self._failures - 1, 16)
        wait = min(self._terms.slowest, self._terms.first_wait * 2**doublings)
        log.info("once more in %.3g s", wait)
        self._over.wait(wait)
        return Start.AGAIN if self._failures == 1 else Start.FRESH

    def _perform(self, start: Start) -> End:
        """One process from beginning to end."""
        standby = start is Start.STANDBY
        what = "the built-in picture" if standby else "the show"
        log.info("%s begins", what)
        if not standby:
            self._saved()  # what was saved until now it will read
        try:
            process = Process(self._command(start))
        except (OSError, RuntimeError) as error:  # no memory, no files, no threads left just now
            log.error("%s cannot begin: %s", what, error)
            return End.FAILED
        began = time.monotonic()
        health = Health(began, self._terms.hang)
        anew = self._next_restart()
        told = began
        try:
            while not self._over.is_set():
                notify("WATCHDOG=1")
                now = time.monotonic()
                for pulse in process.pulses(0.25):
                    if health.newest is None:
                        log.info("%s is on", what)
                        notify(f"STATUS={what} is on")
                    health.note(pulse, now)
                status = process.status()
                if status is not None:
                    # a signal that closes the house may have reached the show as well
                    if status == 0 or self._over.is_set():
                        return End.CLOSED
                    log.error("%s ended by itself (status %d)", what, status)
                    return End.FAILED
                if fault := health.fault(now):
                    log.error("%s is ended: %s", what, fault)
                    process.end(_ABRUPT)  # it has nothing to say any more
                    return End.FAILED
                settled = now - began > _SETTLED
                if settled and health.newest is not None and health.newest.misplaced:
                    log.info("%s begins anew, as the displays are others now", what)
                    return End.PLANNED
                if standby and self._saved():
                    log.info("the show is tried again, as a file of it was saved")
                    return End.PLANNED
                if standby and now - began > self._terms.retry:
                    log.info("the show is tried again")
                    return End.PLANNED
                if anew is not None and self._now() >= anew:
                    log.info("%s begins anew, as every day at this time", what)
                    return End.PLANNED
                if anew is not None and anew - self._now() > _DAY:
                    anew = self._next_restart()  # the clock was years ahead, and was set right
                if now - told > _HOUR:
                    told = now
                    _tell(what, now - began, health.newest)
        finally:
            process.end(self._terms.grace)
        return End.PLANNED

    def _next_restart(self) -> datetime.datetime | None:
        at = self._terms.restart
        return None if at is None else next_time(self._now(), at)


class Process:
    """A show's process: its pulses, and what it says, line by line, into the log."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
        self._queue: queue.Queue[Pulse] = queue.Queue()
        self._readers = [
            threading.Thread(target=_each, args=(self._process.stdout, self._beat), daemon=True),
            threading.Thread(target=_each, args=(self._process.stderr, self._say), daemon=True),
        ]
        try:
            for reader in self._readers:
                reader.start()
        except RuntimeError:
            self._process.kill()
            self._process.wait()
            raise

    def pulses(self, wait: float) -> list[Pulse]:
        """Those that have come, waiting so many seconds for the first."""
        found: list[Pulse] = []
        try:
            found.append(self._queue.get(timeout=wait))
            while True:
                found.append(self._queue.get_nowait())
        except queue.Empty:
            return found

    def status(self) -> int | None:
        """The exit status, once it has ended."""
        return self._process.poll()

    def end(self, grace: float) -> None:
        """Ask it to end, and make it end after so many seconds."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(grace)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for reader in self._readers:
            reader.join(timeout=1)  # a grandchild may hold the pipe open

    def _beat(self, line: str) -> None:
        pulse = Pulse.read(line)
        if pulse is None:
            self._say(line)
        else:
            self._queue.put(pulse)

    @staticmethod
    def _say(line: str) -> None:
        show_log.info("%s", _TIME.sub("", line))  # the log writes the time itself


def _each(pipe: IO[str] | None, take: Callable[[str], None]) -> None:
    for line in pipe or ():
        take(line.rstrip("\n"))


def _tell(what: str, seconds: float, pulse: Pulse | None) -> None:
    """One line an hour: that it is well."""
    if pulse is None:
        return
    memory = f", {pulse.memory:.0f} MB" if pulse.memory else ""
    log.info(
        "%s has been on for %.0f h: %d frames, %d pictures%s",
        what, seconds / _HOUR, pulse.frames, pulse.pictures, memory,
    )  # fmt: skip
