"""What a flood of messages is reduced to, and how much of a core it may take."""

from __future__ import annotations

import asyncio
import random
import struct

import pytest

from installation.control import intake
from installation.control.flood import Share, newest
from installation.control.intake import Intake
from installation.control.packet import ParseError, asked, encoded, parsed
from installation.parameters import Bus, Param, Trigger


def new_bus() -> Bus:
    bus = Bus()
    bus.declare("drift", {"speed": Param(0.5, 0, 2), "calm": Param(0, 0, 1), "flash": Trigger()})
    bus.lead({"/on/1": "/drift/speed", "/go/1": "/drift/flash"})
    return bus


def text(value: str) -> bytes:
    return value.encode() + b"\0" * (4 - len(value) % 4)


def message(address: str, tags: str = "", data: bytes = b"") -> bytes:
    return text(address) + text(f",{tags}") + data


STEP = message("/drift/speed", "sf", text("+") + struct.pack(">f", 0.25))
NUMBERS = (
    encoded("/drift/speed", 0.25),
    message("/drift/speed", "i", struct.pack(">i", -1)),
    message("/drift/speed", "h", struct.pack(">q", 1)),
    message("/drift/speed", "d", struct.pack(">d", 0.75)),
)
NAN = float("nan")
# Nothing of this moves /drift/speed, so nothing of it may take a value's place.
USELESS = (
    encoded("/drift/speed", NAN),
    encoded("/drift/speed", -NAN),
    encoded("/drift/speed", float("-inf")),
    message("/drift/speed", "d", struct.pack(">d", NAN)),
    message("/drift/speed", "d", struct.pack(">d", float("-inf"))),
    encoded("/drift/speed", 1)[:-4],
    encoded("/drift/speed", 1) + b"\0",
    encoded("/drift/speed", 1) + b"\0" * 4,
    b"/drift/speed\0,f\0\0" + struct.pack(">f", 1),
    message("/drift/speed", "s", text("much")),
    message("/drift/speed", "N"),
    message("/drift/speed", "I"),
    b"",
    b"rubbish",
)


def kept(bus: Bus, *datas: bytes) -> list[bytes]:
    return [data for data, _ in newest([(data, None) for data in datas], bus)]


def act(bus: Bus, datas: list[bytes]) -> list[str]:
    """What a control does with messages. Returns the triggers that fired."""
    for data in datas:
        try:
            address, arguments = parsed(data)
        except ParseError:
            continue
        value, form = asked(arguments, bus.get(address))
        bus.post(address, value, "", form)
    return bus.tick(0.01)


@pytest.mark.parametrize("last", NUMBERS)
def test_of_each_fader_the_newest_value_is_left(last: bytes) -> None:
    calm = encoded("/drift/calm", 0.5)
    assert kept(new_bus(), *NUMBERS, calm, *NUMBERS * 50, last) == [calm, last]


def test_every_trigger_step_and_question_is_left() -> None:
    flash, go = message("/drift/flash"), encoded("/go/1", 1)
    asks = message("/drift/speed"), message("/drift/speed?"), text("/drift/speed")
    all_of_them = [flash, go, STEP, encoded("/drift/flash", 1), flash, *asks, STEP, STEP, go]
    assert kept(new_bus(), *all_of_them * 3) == all_of_them * 3


def test_what_is_left_is_in_the_order_in_which_it_came() -> None:
    slow, fast = encoded("/drift/speed", 0.1), encoded("/drift/speed", 2)
    calm, go = encoded("/drift/calm", 1), encoded("/go/1", 1)
    assert kept(new_bus(), slow, calm, go, fast, STEP) == [calm, go, fast, STEP]
    assert kept(new_bus(), slow, STEP, fast, go, calm) == [STEP, fast, go, calm]


@pytest.mark.parametrize("useless", USELESS)
def test_what_is_no_value_takes_no_values_place(useless: bytes) -> None:
    value = encoded("/drift/speed", 1.5)
    assert act(new_bus(), [useless]) == []
    assert kept(new_bus(), value, useless) == [value, useless]


def test_the_bus_stands_where_it_would_without() -> None:
    """Whatever comes in whatever order, by other names as well."""
    rng = random.Random(3)
    addresses = ("/drift/speed", "/drift/calm", "/on/1", "/drift/flash", "/go/1", "/nowhere", "/é")

    def one() -> bytes:
        if rng.random() < 0.2:
            return rng.choice((*USELESS, *NUMBERS, STEP))
        address = rng.choice(addresses)
        if rng.random() < 0.2:
            return message(address, "s", text(rng.choice("+-") + str(rng.random())))
        return encoded(address, rng.uniform(-1, 3))

    for _ in range(200):
        came = [one() for _ in range(rng.randrange(1, 100))]
        whole, reduced = new_bus(), new_bus()
        assert act(whole, came) == act(reduced, kept(reduced, *came))
        for address in ("/drift/speed", "/drift/calm"):
            assert whole.target(address) == reduced.target(address)
            assert whole.moved_through(address) == reduced.moved_through(address)


class Clocks:
    """A thread's life: how late it is, and how long it has worked."""

    def __init__(self) -> None:
        self.time = self.worked = 100.0
        self.share = Share(lambda: self.time, lambda: self.worked)

    def work(self, seconds: float) -> float:
        self.share.begin()
        self.time += seconds
        self.worked += seconds
        return self.share.rest()

    def wait(self, seconds: float) -> None:
        self.time += seconds


def test_whoever_floods_gets_a_fifth_of_a_core() -> None:
    clocks = Clocks()
    began = clocks.time, clocks.worked
    for _ in range(10_000):
        clocks.wait(clocks.work(0.0003))
    worked = clocks.worked - began[1]
    assert worked / (clocks.time - began[0]) == pytest.approx(1 / 5, rel=0.05)


def test_whoever_does_not_flood_never_waits() -> None:
    clocks = Clocks()
    for _ in range(10_000):
        assert clocks.work(0.00005) == 0  # two thousand messages a second
        clocks.wait(0.0005)
    assert clocks.work(0.004) == 0  # hundreds at once
    clocks.wait(10)
    assert clocks.work(0.004) == 0


def test_a_share_that_was_not_used_is_not_saved_up() -> None:
    clocks = Clocks()
    clocks.wait(1000)
    assert clocks.work(1) > 4


def test_a_rest_is_no_shorter_than_what_it_costs_to_wake_up() -> None:
    clocks = Clocks()
    rests = [clocks.work(0.0001) for _ in range(1000)]
    assert all(rest == 0 or rest >= 0.005 for rest in rests)


def test_what_others_do_in_its_thread_is_not_counted() -> None:
    clocks = Clocks()
    for _ in range(100):
        clocks.worked += 1
        clocks.wait(1)
        assert clocks.work(0.0001) == 0


class Resting:
    """In the place of a Share: so long has whoever brings a message to wait."""

    def __init__(self, rest: float) -> None:
        self.begin, self.rest = lambda: None, lambda: rest


@pytest.mark.parametrize("rest", [0.0, 1000.0])
def test_whoever_brings_too_much_waits_before_any_more(
    rest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    heeded: list[list[str]] = []
    blamed: list[list[str]] = []
    monkeypatch.setattr(intake, "Share", lambda: Resting(rest))

    async def work() -> None:
        taken = Intake(heeded.append, blamed.append)

        async def bring(*messages: str) -> None:
            for message in messages:
                await taken.add(message, message)

        first = asyncio.create_task(bring("a", "b"))
        for _ in range(5):  # turns of the loop
            await asyncio.sleep(0)
        assert first.done()
        then = asyncio.create_task(bring("c", "d"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert then.done() == (rest == 0)
        then.cancel()

    asyncio.run(work())
    assert heeded == [["a", "b"], ["c"] if rest else ["c", "d"]]
    assert blamed == (heeded if rest else [])
