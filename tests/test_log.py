"""Complaints: a flood fills neither the log nor the memory."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from installation.log import Complaints, keep


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


def test_nothing_that_is_logged_steers_a_terminal(tmp_path: Path) -> None:
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    keep(tmp_path / "house.log")
    (handler,) = set(root.handlers) - set(before)
    try:
        logging.getLogger("test").warning("%s", "a\x1b[2J\r\x9b31mname\tand another\nline, é 面")
    finally:
        root.removeHandler(handler)
        handler.close()
    text = (tmp_path / "house.log").read_text(encoding="utf-8")
    assert text.endswith("a\\x1b[2J\\r\\x9b31mname\tand another\nline, é 面\n")


def test_a_log_that_cannot_be_written_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk: the show goes on, and so does what is said beside the file."""
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    path = tmp_path / "house.log"
    path.symlink_to("/dev/full")
    keep(path)
    (handler,) = set(root.handlers) - set(before)
    try:
        for n in range(3):
            logging.getLogger("test").warning("number %d", n)
        assert capsys.readouterr().err == f"{path} cannot be written: No space left on device\n"
        path.unlink()
        monkeypatch.setattr(handler, "stream", path.open("w"))  # there is room again
        logging.getLogger("test").warning("later")
        assert path.read_text(encoding="utf-8").endswith("later\n")
        path.unlink()
        path.symlink_to("/dev/full")
        monkeypatch.setattr(handler, "stream", path.open("w"))  # and none
        logging.getLogger("test").warning("at last")
        assert "No space left" in capsys.readouterr().err
    finally:
        root.removeHandler(handler)
        with suppress(OSError):
            handler.close()


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
