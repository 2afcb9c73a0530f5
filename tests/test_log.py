"""Complaints: a flood fills neither the log nor the memory."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from installation.log import Complaints, Gate, keep


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_each_thing_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    time = Time()
    complaints = Complaints(logging.getLogger("test"), now=time)
    for second in range(10):
        time.now = float(second)
        complaints.once("a", lambda: "first")
        complaints.once("b", lambda: "second")
    assert caplog.messages == ["first", "second"]


def test_a_second_holds_only_so_many_and_the_rest_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    time = Time()
    complaints = Complaints(logging.getLogger("test"), per_second=2, now=time)
    composed = []
    for n in range(100):
        complaints.once(n, lambda n=n: composed.append(n) or f"number {n}")  # type: ignore[misc]
    assert caplog.messages == ["number 0", "number 1"]
    assert composed == [0, 1]  # what is held back costs nothing
    time.now += 1
    complaints.once("later", lambda: "later")
    assert caplog.messages[2:] == ["… and 98 more such messages", "later"]


def test_what_was_held_back_may_be_said_later(caplog: pytest.LogCaptureFixture) -> None:
    time = Time()
    complaints = Complaints(logging.getLogger("test"), per_second=1, now=time)
    complaints.once("a", lambda: "a")
    complaints.once("b", lambda: "b")
    time.now += 1
    complaints.once("b", lambda: "b")
    assert caplog.messages == ["a", "… and 1 more such messages", "b"]


def test_memory_of_what_was_said_is_bounded() -> None:
    time = Time()
    complaints = Complaints(logging.getLogger("test"), per_second=1, remember=10, now=time)
    for n in range(1000):
        time.now = float(n)
        complaints.once(n, lambda: "x")
    assert len(complaints._said) == 10


def test_many_threads_say_it_once(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints(logging.getLogger("test"))
    ready = threading.Barrier(8)

    def complain() -> None:
        ready.wait()
        for _ in range(100):
            complaints.once("same", lambda: "same")

    threads = [threading.Thread(target=complain) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert caplog.messages == ["same"]


def test_whoever_asks_sixty_times_a_second_does_not_fill_the_log() -> None:
    time, lines = Time(), []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    kept = Kept()
    kept.addFilter(Gate(kept, per_second=3, now=time))
    for n in range(120):
        time.now = 100 + n // 60
        kept.handle(logging.makeLogRecord({"msg": "preset %d", "args": (n,)}))
    time.now += 1
    kept.handle(logging.makeLogRecord({"msg": "closing"}))
    told = "… and 57 more lines in a second"
    assert lines == [
        *(f"preset {n}" for n in (0, 1, 2)), told,
        *(f"preset {n}" for n in (60, 61, 62)), told, "closing",
    ]  # fmt: skip


def test_the_kept_log_has_its_gate(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = list(root.handlers)
    keep(tmp_path / "log")
    (handler,) = [one for one in root.handlers if one not in before]
    try:
        for n in range(500):
            handler.handle(logging.makeLogRecord({"msg": f"line {n}"}))
        assert len((tmp_path / "log").read_text().splitlines()) < 250
    finally:
        root.removeHandler(handler)
        handler.close()
