"""What senses the room, kept open for weeks: what the log says of one that does not stay."""

from __future__ import annotations

import logging

import pytest

from installation.control import inlet
from installation.control.inlet import Inlet, NoInput


class Socket:
    """Where one is plugged in, as the test says; time goes by as Inlet looks again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.opened, self.rested = 0.0, 0, 0
        self.name, self.alive, self.gives, self.refuses = "Cyclops", False, False, ""
        monkeypatch.setattr(inlet.time, "monotonic", lambda: self.now)
        self.made: Inlet[Socket] = Inlet(
            "sight", self.open, self.rest,
            taken="looking through", none="nothing is seen", gone="the picture of",
        )  # fmt: skip

    def open(self) -> Socket:
        if self.refuses:
            raise NoInput(self.refuses)
        self.opened, self.alive, self.gives = self.opened + 1, True, False
        return self

    def rest(self) -> None:
        self.rested += 1

    def close(self) -> None:
        pass

    def wait(self, seconds: float, gives: bool = False, stays: float = 10.0) -> None:
        """gives: pictures, from its first second on; stays: for so many seconds."""
        began = self.now
        while self.now < began + seconds:
            if self.alive and self.now - began >= stays:
                self.alive, began, seconds = False, self.now, seconds - (self.now - began)
            self.gives = gives and self.alive
            self.made.look()
            self.now += 2.0


@pytest.fixture
def socket(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Socket:
    caplog.set_level(logging.INFO)
    return Socket(monkeypatch)


GIVES, LOST = "looking through Cyclops", "the picture of Cyclops is gone; it is looked for again"
BLIND = "nothing is seen: Cyclops is there, and gives nothing"


def test_one_that_gives_nothing_is_said_once_in_a_long_while(
    socket: Socket, caplog: pytest.LogCaptureFixture
) -> None:
    socket.wait(600)
    assert caplog.messages == [BLIND]
    assert socket.opened > 20
    socket.wait(24 * 3600)
    assert 2 <= len(caplog.messages) <= 30
    assert set(caplog.messages) == {BLIND}
    said = len(caplog.messages)
    socket.wait(30, gives=True, stays=1000)
    assert caplog.messages[said:] == [GIVES]  # it is back


def test_one_that_stays_open_and_gives_nothing_is_said_too(
    socket: Socket, caplog: pytest.LogCaptureFixture
) -> None:
    """As an input for sound, whose driver may take its time."""
    socket.wait(8, stays=1e9)
    assert not caplog.messages
    socket.wait(24 * 3600, stays=1e9)
    assert caplog.messages == [BLIND]
    assert socket.opened == 1
    socket.wait(20, gives=True, stays=1e9)
    assert caplog.messages == [BLIND, GIVES]


def test_one_that_cannot_even_be_opened_now_and_then_is_no_more(
    socket: Socket, caplog: pytest.LogCaptureFixture
) -> None:
    """As where a driver that hangs keeps it busy."""
    for number in range(200):
        socket.refuses = "Cyclops is busy" if number % 2 else ""
        socket.wait(12)
    assert caplog.messages.count(BLIND) <= 3
    assert caplog.messages.count("nothing is seen: Cyclops is busy") <= 3
    assert len(caplog.messages) <= 6


def test_one_that_comes_and_goes_is_said_once_in_a_long_while(
    socket: Socket, caplog: pytest.LogCaptureFixture
) -> None:
    socket.wait(3000, gives=True, stays=10)
    assert caplog.messages == [GIVES, LOST, GIVES]
    socket.wait(24 * 3600, gives=True, stays=10)
    assert len(caplog.messages) <= 60
    socket.wait(3000, gives=True, stays=3000)
    assert caplog.messages[-1] == GIVES
    socket.alive = False
    socket.wait(20, gives=True, stays=30)  # after it has stayed, each is said again
    assert caplog.messages[-2:] == [LOST, GIVES]


def test_one_that_is_lost_and_back_is_said_each_time(
    socket: Socket, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        socket.refuses = ""
        socket.wait(600, gives=True, stays=600)
        socket.alive, socket.refuses = False, "there is none"
        socket.wait(600)
    assert caplog.messages == [GIVES, LOST, "nothing is seen: there is none"] * 3
    assert socket.rested == 3
