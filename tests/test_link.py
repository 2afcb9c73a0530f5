"""Ableton Link: tempo both ways, beats while anybody is there. The session is played by the test;
aalink's own was tried by hand (two in a process), since CI has no network to meet others on."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator

import pytest

from installation.control.link import Link
from installation.control.message import ControlError
from installation.parameters import Bus, Param, Trigger
from tests.waiting import until


class Session:
    """Link as others would play it: sync gives the beat that the test says it is."""

    def __init__(self, tempo: float) -> None:
        self.tempo, self.enabled, self.num_peers = tempo, False, 0
        self.beats: list[float] = []
        self.looks = 0

    async def sync(self, beat: float) -> float:
        assert beat == 0.25
        await asyncio.sleep(0.001)
        self.looks += 1
        return self.beats.pop(0) if self.beats else 0.25


@pytest.fixture
def bus() -> Bus:
    made = Bus()
    made.declare("clock", {"bpm": Param(72, 20, 300), "beat": Trigger(guarded=True)})
    return made


@pytest.fixture
def session() -> Session:
    return Session(72)


@pytest.fixture
def link(bus: Bus, session: Session) -> Iterator[Link]:
    def joins(bpm: float) -> Session:
        session.tempo = bpm
        return session

    made = Link(bus, joins).start()
    yield made
    made.close()
    assert not session.enabled


def looked(session: Session, more: int = 3) -> None:
    before = session.looks
    until(lambda: session.looks >= before + more)


def tempo(bus: Bus) -> float:
    bus.tick(0)
    return bus.target("/clock/bpm")


def test_whoever_moves_the_tempo_moves_it_for_all(link: Link, bus: Bus, session: Session) -> None:
    until(lambda: session.enabled)
    session.num_peers, session.tempo = 1, 124.5  # somebody is there: theirs is taken up
    until(lambda: tempo(bus) == 124.5)
    assert bus.moved_by("/clock/bpm") == "link"
    bus.post("/clock/bpm", 90, "tap")
    bus.tick(0)
    until(lambda: session.tempo == 90)
    looked(session)
    assert tempo(bus) == 90
    session.tempo = 140
    until(lambda: tempo(bus) == 140)


def test_a_tempo_that_goes_too_far_here_is_left_to_them(
    link: Link, bus: Bus, session: Session
) -> None:
    session.num_peers, session.tempo = 1, 500
    until(lambda: tempo(bus) == 300)
    looked(session)
    assert session.tempo == 500


def test_beats_are_told_while_anybody_is_there(link: Link, bus: Bus, session: Session) -> None:
    beats = [1.0, 1.25, 1.5, 1.75, 2.0001, 2.25, 2.9999]
    session.beats = list(beats)
    until(lambda: not session.beats)
    looked(session)
    assert bus.tick(0) == []  # alone, the beat is ours
    session.num_peers = 2
    session.beats = list(beats)
    until(lambda: not session.beats)
    looked(session)
    assert bus.tick(0) == ["/clock/beat"] * 3


def test_it_leads_while_anybody_is_there(link: Link, session: Session) -> None:
    looked(session)
    assert not link.leads
    session.num_peers = 1
    until(lambda: link.leads)
    session.num_peers = 0
    until(lambda: not link.leads)
    session.num_peers = 1
    until(lambda: link.leads)
    link.close()
    assert not link.leads


def test_without_aalink_it_says_what_to_do(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aalink", None)
    with pytest.raises(ControlError, match=r"installation\[link\]"):
        Link(bus).start()
    until(lambda: "link" not in [thread.name for thread in threading.enumerate()])
