"""A show that is started again whenever it ends; here by little programs that play its part."""

from __future__ import annotations

import datetime
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from installation.rehearsal import FileWatch
from installation.watch import health, supervise
from installation.watch.supervise import Start, Supervisor, Terms
from installation.watch.systemd import notify
from tests.waiting import until

# Each line of `parts` is what one run does after the other; the last one is repeated.
PLAYER = """
import json, os, pathlib, signal, sys, time
log, parts = pathlib.Path(sys.argv[1]), sys.argv[2:]
with log.open("a") as file:
    file.write(f"{sys.argv[0]} begins\\n")
runs = len(log.read_text().splitlines())
part = parts[min(runs, len(parts)) - 1]
frames = 0
def pulse(pictures, resting=False):
    global frames
    frames += 1
    told = {"frames": frames, "pictures": pictures, "resting": resting}
    told["misplaced"] = part == "misplaced"
    print(json.dumps({"pulse": told}), flush=True)
if part == "crash":
    pulse(1)
    print("12:34:56 my last words", file=sys.stderr, flush=True)
    sys.exit(3)
if part == "close":
    pulse(1)
    sys.exit(0)
if part == "with us":
    pulse(1)
    os.kill(os.getppid(), signal.SIGTERM)
    os._exit(143)
if part == "hang":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pulse(1)
    time.sleep(60)
while True:
    pulse({"stand still": 1, "rest": 0}.get(part, frames), part == "rest")
    time.sleep(0.05)
"""

FRESH, AGAIN, STANDBY = Start.FRESH, Start.AGAIN, Start.STANDBY
QUICK = Terms(restart=None, hang=1.0, retry=0.3, grace=0.3, first_wait=0.01, slowest=0.02)


class House:
    """A supervisor of little programs. began: how each of them did."""

    def __init__(
        self, folder: Path, *parts: str, picture: str = "rest", terms: Terms = QUICK,
        now: object = datetime.datetime.now, saved: Callable[[], object] = lambda: False,
    ) -> None:  # fmt: skip
        self.began: list[Start] = []
        self._folder, self._parts, self._picture = folder, parts, picture
        self.supervisor = Supervisor(self._command, terms, now, saved)  # type: ignore[arg-type]

    def _command(self, start: Start) -> Sequence[str]:
        self.began.append(start)
        if start is STANDBY:
            runs, parts = self._folder / "standby", (self._picture,)
        else:
            runs, parts = self._folder / "runs", self._parts
        return [sys.executable, "-c", PLAYER, str(runs), *parts]


def test_what_crashes_begins_again_and_what_is_closed_stays_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house = House(tmp_path, "crash", "crash", "close")
    assert house.supervisor.run() == 0
    assert house.began == [FRESH, AGAIN, FRESH]
    assert caplog.messages.count("the show ended by itself (status 3)") == 2
    assert caplog.messages.count("my last words") == 2  # once, without a second time before it


def test_a_show_that_hangs_is_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    house = House(tmp_path, "hang", "close")
    assert house.supervisor.run() == 0
    assert len(house.began) == 2
    assert "the show is ended: it shows no frames any more" in caplog.messages


def test_a_picture_that_stands_still_is_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "STILL", 0.5)
    house = House(tmp_path, "stand still", "close")
    assert house.supervisor.run() == 0
    assert "the show is ended: its picture stands still" in caplog.messages


def test_a_window_that_no_longer_fills_the_display_begins_anew_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "_SETTLED", 1.0)
    house = House(tmp_path, "misplaced", "misplaced", "misplaced", "close")
    assert house.supervisor.run() == 0
    assert house.began == [FRESH, AGAIN, AGAIN, AGAIN]  # however often: it is no failure


def test_what_will_not_start_gives_way_to_the_built_in_picture_and_is_tried_again(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, "crash", "crash", "crash", "crash", "close")
    assert house.supervisor.run() == 0
    # three tries, the picture, another try, the picture, and then it plays
    assert house.began == [FRESH, AGAIN, FRESH, STANDBY, FRESH, STANDBY, FRESH]


def test_the_built_in_picture_is_not_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    House(tmp_path, "crash", "crash", "crash", "crash", "close").supervisor.run()
    ended = "the show ended by itself (status 3)"
    said = [one for one in caplog.messages if one != "my last words"]  # a thread's, at any time
    after = [said[at + 1] for at, one in enumerate(said) if one == ended]
    picture = "the built-in picture begins"
    assert after == ["once more in 0.01 s", "once more in 0.02 s", picture, picture]


def test_what_is_mended_while_the_picture_is_on_is_tried_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And what was saved before a show began, which has read it, is no reason to try another."""
    caplog.set_level(logging.INFO)
    file = tmp_path / "here.toml"
    watch = FileWatch([file], every=0.0)
    looks: list[bool] = []

    def saved() -> object:
        if house.began[-1:] == [STANDBY]:
            looks.append(True)
            if len(looks) == 5:
                file.write_text("mended")
        else:
            file.write_text(f"broken {len(house.began)}")
        return watch.changed()

    house = House(
        tmp_path, *["crash"] * 3, "close", terms=replace(QUICK, retry=600.0), saved=saved
    )  # fmt: skip
    assert house.supervisor.run() == 0
    assert house.began == [FRESH, AGAIN, FRESH, STANDBY, FRESH]
    assert len(looks) == 6  # the last as the show begins
    assert "the show is tried again, as a file of it was saved" in caplog.messages


def test_where_not_even_the_picture_comes_it_never_gives_up(tmp_path: Path) -> None:
    house = House(tmp_path, *["crash"] * 6, "close", picture="crash")
    assert house.supervisor.run() == 0
    assert house.began == [FRESH, AGAIN, FRESH] + [STANDBY, FRESH] * 4


def test_thousands_of_failures_are_no_reason_to_give_up(tmp_path: Path) -> None:
    house = House(tmp_path, "crash", "close")
    house.supervisor._failures = 100_000  # a month without a display
    assert house.supervisor.run() == 0
    assert house.began == [FRESH, STANDBY, FRESH]


def test_every_day_it_begins_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    days = iter(range(10_000))

    def now() -> datetime.datetime:  # an hour passes at every look
        return datetime.datetime(2026, 11, 26, 1) + datetime.timedelta(hours=next(days))

    terms = Terms(restart=datetime.time(4), grace=0.3, first_wait=0.01)
    house = House(tmp_path, "play", "close", terms=terms, now=now)
    assert house.supervisor.run() == 0
    assert house.began == [FRESH, AGAIN]
    assert "the show begins anew, as every day at this time" in caplog.messages


def test_a_clock_that_was_years_ahead_costs_no_restart(tmp_path: Path) -> None:
    right = datetime.datetime(2026, 11, 26, 1)
    looks = iter([right + datetime.timedelta(days=3650)])
    passed = iter(range(10_000))

    def now() -> datetime.datetime:
        return next(looks, None) or right + datetime.timedelta(hours=next(passed))

    terms = Terms(restart=datetime.time(4), grace=0.3, first_wait=0.01)
    house = House(tmp_path, "play", "close", terms=terms, now=now)
    assert house.supervisor.run() == 0
    assert house.began == [FRESH, AGAIN]


def test_what_cannot_begin_just_now_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begin = subprocess.Popen
    refusals = iter([BlockingIOError(11, "Resource temporarily unavailable")] * 2)

    def refused(*args: object, **named: object) -> object:
        for refusal in refusals:
            raise refusal
        return begin(*args, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", refused)
    house = House(tmp_path, "close")
    assert house.supervisor.run() == 0
    assert house.began == [FRESH, AGAIN, FRESH]
    assert caplog.text.count("the show cannot begin: [Errno 11] Resource temporarily") == 2


def test_a_closed_house_may_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "STILL", 0.2)
    house = House(tmp_path, "rest")
    thread = threading.Timer(1.0, house.supervisor.end)
    thread.start()
    assert house.supervisor.run() == 0
    assert house.began == [FRESH]


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert House(tmp_path, "close").supervisor.run() == 0
        told = [systemd.recv(200).decode()]
        while told[-1] != "STOPPING=1":
            told.append(systemd.recv(200).decode())
    assert told[:2] == ["READY=1", "WATCHDOG=1"]  # a show that hangs at its start is ours to end
    assert "STATUS=the show is on" in told


def test_a_systemd_that_is_gone_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    assert House(tmp_path, "close").supervisor.run() == 0


def test_no_files_left_for_systemd_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setattr(socket, "socket", refused)
    notify("WATCHDOG=1")


def test_a_signal_closes_show_and_house(tmp_path: Path) -> None:
    house = House(tmp_path, "play")

    def close() -> None:
        until(lambda: (tmp_path / "runs").exists())
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=close).start()
    assert house.supervisor.run() == 0
    assert house.began == [FRESH]


def test_a_signal_to_show_and_house_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    house = House(tmp_path, "with us")
    assert house.supervisor.run() == 0
    assert house.began == [FRESH]
    assert caplog.messages[-1] == "closed"
    assert "the show ended by itself (status 143)" not in caplog.messages
