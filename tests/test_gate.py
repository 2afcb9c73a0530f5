"""Who may guess the remote's password, and how often."""

from __future__ import annotations

import asyncio
from base64 import b64encode

import pytest
from aiohttp.test_utils import make_mocked_request
from aiohttp.web import HTTPException

from installation.control import gate


class Guesses:
    """A gate without a network: by whom it is asked, and which passwords it has looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looked_at: list[str] = []
        self.gate = gate.Gate("right", 8080)
        same = gate._same

        def noted(given: str, wanted: str) -> bool:
            if wanted == "right":
                self.looked_at.append(given)
            return same(given, wanted)

        monkeypatch.setattr(gate, "_same", noted)
        monkeypatch.setattr(gate, "_PAUSE", 1000.0)

    async def by(self, remote: str | None, *passwords: str) -> list[str]:
        """What becomes of each, all at once and by a connection of its own: "in", "401", "429", or
        "waits" after a few turns of the loop. Who waits then goes away."""
        tasks = [asyncio.create_task(self.ask(remote, one)) for one in passwords]
        for _ in range(5):
            await asyncio.sleep(0)
        found = [task.result() if task.done() else "waits" for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return found

    async def ask(self, remote: str | None, password: str) -> str:
        given = b64encode(f"anyone:{password}".encode()).decode()
        asked = make_mocked_request("GET", "/", headers={"Authorization": f"Basic {given}"})
        try:
            await self.gate.admit(asked.clone(remote=remote) if remote else asked)
        except HTTPException as error:
            return str(error.status)
        return "in"


@pytest.fixture
def guesses(monkeypatch: pytest.MonkeyPatch) -> Guesses:
    return Guesses(monkeypatch)


def test_whoever_guesses_pays_before_the_next_is_heard(guesses: Guesses) -> None:
    async def work() -> None:
        assert await guesses.by("192.0.2.1", "wrong") == ["401"]
        assert await guesses.by("192.0.2.1", "right") == ["waits"]
        assert await guesses.by("192.0.2.2", "right") == ["in"]

    asyncio.run(work())
    assert guesses.looked_at == ["wrong", "right"]


def test_who_does_not_stay_for_the_answer_pays_all_the_same(guesses: Guesses) -> None:
    async def work() -> None:
        for n in range(20):
            await guesses.by("192.0.2.1", f"guess {n}")

    asyncio.run(work())
    assert guesses.looked_at == ["guess 0"]


def test_who_waits_is_waited_for_when_the_time_has_come(guesses: Guesses) -> None:
    async def work() -> None:
        await guesses.by("192.0.2.1", "wrong")
        waiting = asyncio.create_task(guesses.ask("192.0.2.1", "wrong"))
        await asyncio.sleep(0)
        guesses.gate._places["192.0.2.1"].free = 0.0  # now, but it has not noticed yet
        assert await guesses.by("192.0.2.1", "right") == ["waits"]
        waiting.cancel()

    asyncio.run(work())


def test_the_right_password_costs_nothing(guesses: Guesses) -> None:
    """Programs that speak OSCQuery give it with each request."""

    async def work() -> None:
        assert await guesses.by("192.0.2.1", *["right"] * 100) == ["in"] * 100

    asyncio.run(work())


def test_only_so_many_wait_at_an_address(guesses: Guesses) -> None:
    async def work() -> None:
        found = await guesses.by("192.0.2.1", *["wrong"] * 20)
        assert found == ["401"] + ["waits"] * gate._QUEUE + ["429"] * (19 - gate._QUEUE)

    asyncio.run(work())
    assert guesses.looked_at == ["wrong"]


def test_the_addresses_of_one_network_are_not_endless(guesses: Guesses) -> None:
    """By IPv6 any machine has as many as it likes, but all within a /64."""

    async def work() -> None:
        for house in (1, 2):
            for n in range(16 * gate._KIN):
                await guesses.by(f"2001:db8:0:{house}::{n:x}", f"guess {n}")
            assert len(guesses.looked_at) == house * (gate._KIN + 1)
        assert await guesses.by("2001:db8:0:3::1", "right") == ["in"]

    asyncio.run(work())


def test_a_neighbour_by_ipv6_keeps_the_owner_out_as_little(guesses: Guesses) -> None:
    """A whole house is one /64, and all who are on a cable are fe80::."""

    async def work() -> None:
        for house in ("2001:db8:0:1::", "fe80::"):
            await guesses.by(f"{house}1%eth0" if house == "fe80::" else f"{house}1", *["no"] * 20)
            assert await guesses.by(f"{house}2", "right") == ["in"]

    asyncio.run(work())


def test_ipv4_is_the_same_by_a_socket_of_ipv6(guesses: Guesses) -> None:
    async def work() -> None:
        await guesses.by("192.0.2.1", "wrong")
        assert await guesses.by("::ffff:192.0.2.1", "right") == ["waits"]
        assert await guesses.by("::ffff:192.0.2.2", "right") == ["in"]

    asyncio.run(work())


def test_guesses_of_all_the_world_are_bounded_and_so_is_the_memory_of_them(
    guesses: Guesses,
) -> None:
    async def work() -> None:
        for n in range(8 * gate._MOST):
            await guesses.by(f"10.0.{n // 250}.{n % 250}", f"guess {n}")
            assert len(guesses.gate._places) <= gate._MOST + 1
        assert len(guesses.looked_at) <= gate._MOST + 1

    asyncio.run(work())


def test_who_has_paid_is_forgotten(guesses: Guesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_PAUSE", 0.0)

    async def work() -> None:
        for n in range(200):
            assert await guesses.by(f"10.0.0.{n}", "wrong") == ["401"]
        assert len(guesses.gate._places) <= 1
        assert await guesses.by(None, "wrong", "right") == ["401", "in"]

    asyncio.run(work())
