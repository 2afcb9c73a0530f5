"""Which network a show is given, and when it gets another one. No time is measured here: the ladder
is told one, and the tiers' clock is made to say one."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable

import moderngl
import numpy as np
import pytest
import torch

from installation.engine import tiers
from installation.engine.chain import Chain
from installation.engine.fragments import FragmentUpscaler
from installation.engine.ladder import Ladder
from installation.engine.tiers import Rung, Tiers, rungs
from installation.engine.tiles import REQUIRED
from models.upscaler import Chained, Upscaler, shipped
from tests.gl_objects import Made

COSTS = [3, 12, 40, 80]  # as the four tiers, in thousands
FRAME = 1 / 30


def climb(ladder: Ladder, took: Callable[[int], float]) -> list[int]:
    """Try what the ladder wants to the end; the rungs tried."""
    order = []
    while (rung := ladder.wants) is not None:
        order.append(rung)
        ladder.tried(rung, took(rung))
    return order


def test_a_fast_machine_goes_straight_to_the_best() -> None:
    ladder = Ladder(COSTS, FRAME)
    assert climb(ladder, lambda rung: COSTS[rung] * 1e-5) == [0, 3]
    assert ladder.stands == 3


def test_a_machine_between_stops_where_the_budget_ends() -> None:
    ladder = Ladder(COSTS, FRAME)
    assert climb(ladder, lambda rung: COSTS[rung] * 5e-4) == [0, 1]
    assert ladder.stands == 1


def test_what_turns_out_too_slow_is_not_kept_and_the_next_lower_is_tried() -> None:
    """Large networks may cost more than their arithmetic says."""
    ladder = Ladder(COSTS, FRAME)
    assert climb(ladder, lambda rung: [0.0001, 0.0004, 0.009, 0.02][rung]) == [0, 3, 2]
    assert ladder.stands == 2


def test_the_lightest_has_a_whole_frame_and_beyond_it_there_is_none() -> None:
    for seconds, stands in ((0.03, 0), (0.05, None)):
        ladder = Ladder(COSTS, FRAME)
        assert climb(ladder, lambda _, s=seconds: s) == [0]
        assert ladder.stands == stands
    for _ in range(1000):  # where there is none, nothing is to be kept of it
        assert not ladder.measured(0.05)
    assert not ladder._times


def test_it_steps_down_at_once_and_up_only_after_a_long_calm() -> None:
    ladder = Ladder(COSTS, FRAME)
    climb(ladder, lambda rung: COSTS[rung] * 1e-4)
    assert ladder.stands == 3

    def look(seconds: float) -> bool:
        return sum(ladder.measured(seconds) for _ in range(5)) > 0

    assert not look(ladder.budget * 0.95)
    assert look(ladder.budget * 1.1)
    assert ladder.stands == 0
    assert not any(look(0.0006) for _ in range(50)), "what would not fit with room is left alone"
    assert [look(0.0002) for _ in range(6)] == [False] * 5 + [True]
    assert ladder.stands == 3


def test_a_hiccup_changes_nothing() -> None:
    ladder = Ladder(COSTS, FRAME)
    climb(ladder, lambda rung: COSTS[rung] * 1e-5)
    for _ in range(50):
        assert not any(ladder.measured(s) for s in (1.0, 1.0, 0.001, 0.001, 0.001))
    assert ladder.stands == 3


Machine = Callable[[int, float], float]  # by how much a rung is slower in the show; of its seconds


def underrated() -> Machine:
    """All but the lightest take over twice what they did while the loading picture was on."""
    return lambda rung, seconds: 2.2 if rung else 1.0


def noisy() -> Machine:
    rng = np.random.default_rng(0)
    return lambda rung, seconds: float(rng.lognormal(-0.3, 0.8))


def drifting() -> Machine:
    """Slower and faster again, to more than twice, in hours."""
    count = itertools.count()
    return lambda rung, seconds: 1.6 + 1.2 * math.sin(next(count) / 2000)


def throttled() -> Machine:
    """A machine that gets hot by work and slow by heat, and cools down on a lighter network."""
    heat = 0.0

    def slower(rung: int, seconds: float) -> float:
        nonlocal heat
        heat += 0.001 * (seconds - heat)
        return 3.0 if heat > 0.7 * 80 * 1e-4 else 1.0

    return slower


@pytest.mark.parametrize("machine", [underrated, noisy, drifting, throttled])
@pytest.mark.parametrize("costs", [COSTS, [40, 80]])
def test_where_a_network_is_slower_than_it_was_timed_the_steps_become_rare(
    machine: Callable[[], Machine], costs: list[int]
) -> None:
    """Else the picture's sharpness comes and goes, all night."""
    ladder = Ladder(costs, FRAME)
    climb(ladder, lambda rung: costs[rung] * 1e-4)
    slower, steps = machine(), 0
    for _ in range(60_000):
        assert ladder.stands is not None
        seconds = costs[ladder.stands] * 1e-4
        steps += ladder.measured(seconds * slower(ladder.stands, seconds))
    assert steps <= 24  # 30 pictures, 60, 120 …: eleven times up within all of these


@pytest.mark.parametrize("slower", [1.0, 2.0])
def test_a_machine_that_is_evenly_slower_than_it_was_timed_stays_where_it_is(slower: float) -> None:
    ladder = Ladder(COSTS, FRAME)
    climb(ladder, lambda rung: COSTS[rung] * 1e-4)
    assert not any(ladder.measured(slower * 80 * 1e-4) for _ in range(5000))
    assert ladder.stands == 3


def test_a_load_that_passes_takes_nothing_for_good() -> None:
    """As a backup does, night by night: the better network comes back every time."""
    ladder = Ladder(COSTS, FRAME)
    climb(ladder, lambda rung: COSTS[rung] * 1e-4)
    for _ in range(5):
        for slower, pictures in ((3.0, 200), (1.0, 2000)):
            for _ in range(pictures):
                assert ladder.stands is not None
                ladder.measured(slower * COSTS[ladder.stands] * 1e-4)
        assert ladder.stands == 3


def test_the_networks_of_a_show() -> None:
    found = rungs(None, 3.5)
    assert [one.network.scale for one in found] == [4] * len(found)
    assert [one.tier for one in found] == shipped(4)
    assert rungs(None, 1.5)[0].network.scale == 2
    large = rungs(None, 99)
    assert {one.network.scale for one in large} == {4, 6}
    assert large[0].network.scale == 4  # for a machine that affords no chain
    own = Upscaler(4, 8, 4).requires_grad_(False)
    found = rungs(own, 2)
    assert [one.tier for one in found] == ["T", "own"]
    assert [one.network.macs for one in found] == sorted(one.network.macs for one in found)


@pytest.fixture
def networks() -> list[Rung]:
    torch.manual_seed(0)
    made = [Upscaler(2, 4, 1), Upscaler(2, 8, 2)]
    return [Rung(tier, one.requires_grad_(False)) for tier, one in zip("TS", made, strict=True)]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, networks: list[Rung]) -> dict[tuple[str, str], float]:
    """Seconds that a network takes in a back end."""
    told: dict[tuple[str, str], float] = {}
    tier = {one.network.macs: one.tier for one in networks}

    def seconds(runner: Chain, frame: moderngl.Texture) -> float:
        runner.render(frame)
        return told[tier[runner.macs], runner.backend]

    monkeypatch.setattr(tiers, "_seconds", seconds)
    return told


def test_the_faster_back_end_and_the_best_network_are_kept(
    gl: moderngl.Context,
    networks: list[Rung],
    slow: dict[tuple[str, str], float],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if gl.version_code < REQUIRED:
        pytest.skip("needs GL 4.3")
    slow |= {("T", "fragment"): 0.001, ("T", "compute"): 0.0012}
    slow |= {("S", "fragment"): 0.004, ("S", "compute"): 0.003}
    made = Made(monkeypatch)
    with caplog.at_level(logging.INFO):
        chosen = Tiers(gl, networks, (16, 12), FRAME)
        for _ in chosen.choose():
            pass
    assert str(chosen) == "S ×2 compute"
    assert "S ×2 takes 4.0 ms in fragment passes, 3.0 ms in compute passes here" in caplog.text
    found = chosen.report()
    assert (found["tier"], found["backend"], found["passes"]) == ("S", "compute", 4)
    frame = gl.texture((16, 12), 4, bytes(16 * 12 * 4))
    assert chosen.render(frame, 1.0).size == (32, 24)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            chosen.took(0.03)
    assert str(chosen) == "T ×2 fragment"
    assert "took 30 of 17 ms" in caplog.text
    chosen.release()
    frame.release()
    assert made.alive() == 0


def test_a_machine_that_affords_none_says_so(
    gl: moderngl.Context,
    networks: list[Rung],
    slow: dict[tuple[str, str], float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow |= {("T", "fragment"): 0.2, ("T", "compute"): 0.3}
    with caplog.at_level(logging.INFO):
        chosen = Tiers(gl, networks, (16, 12), FRAME)
        for _ in chosen.choose():
            pass
    assert "no network; even tier T takes 200 of the 33 ms of a frame" in caplog.text
    assert chosen.report()["tier"] == "none"
    frame = gl.texture((16, 12), 4)
    assert chosen.render(frame, 1.0) is frame
    frame.release()
    chosen.release()


def test_a_back_end_that_the_driver_refuses_is_left_out(
    gl: moderngl.Context,
    networks: list[Rung],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = Made(monkeypatch)
    monkeypatch.setattr("installation.engine.tiles.picture", lambda *_: "no shader")
    chosen = Tiers(gl, networks, (16, 12), 1e6)
    for _ in chosen.choose():
        pass
    assert str(chosen) == "S ×2 fragment"
    assert ("refuses compute passes" in caplog.text) == (gl.version_code >= REQUIRED)
    chosen.release()
    monkeypatch.setattr("installation.engine.fragments.shuffle", lambda *_: "no shader")
    chosen = Tiers(gl, networks, (16, 12), 1e6)
    for _ in chosen.choose():
        pass
    assert str(chosen) == "no network"
    chosen.release()
    assert made.alive() == 0


def test_unwatched_nothing_is_timed(
    gl: moderngl.Context, networks: list[Rung], slow: dict[tuple[str, str], float]
) -> None:
    """Two renderings of a film must not differ because one machine was busy."""
    chosen = Tiers(gl, networks, (16, 12), None)
    for _ in chosen.choose():
        pass
    assert str(chosen) == "S ×2 fragment"
    x = np.random.default_rng(0).integers(0, 256, (12, 16, 4), dtype=np.uint8)
    frame = gl.texture((16, 12), 4, x.tobytes())
    plain = FragmentUpscaler(gl, networks[1].network.links[0], (16, 12))
    assert chosen.render(frame, 1.0).read() == plain.render(frame).read()
    for thing in (chosen, plain, frame):
        thing.release()


def test_leaving_in_the_middle_of_the_choice_leaves_nothing(
    gl: moderngl.Context, networks: list[Rung], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Made(monkeypatch)
    chosen = Tiers(gl, networks, (16, 12), FRAME)
    choosing = chosen.choose()
    for _ in range(3):
        next(choosing)
    choosing.close()
    chosen.release()
    assert made.alive() == 0


def test_a_chain_is_one_network_after_the_other(
    gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """×2 and then ×3, in every back end; the second works on four times the pixels."""
    torch.manual_seed(2)
    links = tuple(Upscaler(scale, 4, 1).requires_grad_(False) for scale in (2, 3))
    network = Chained(*links)
    assert (network.scale, network.macs) == (6, links[0].macs + 4 * links[1].macs)
    made = Made(monkeypatch)
    x = torch.rand(1, 3, 7, 9)
    rgba = torch.cat([x, torch.ones_like(x[:, :1])], 1)[0].permute(1, 2, 0).contiguous().numpy()
    frame = gl.texture((9, 7), 4, rgba.tobytes(), dtype="f4")
    for kind in tiers.back_ends(gl):
        chain = Chain(gl, network, (9, 7), kind)
        chain.strength = 0.5
        out = chain.render(frame)
        found = np.frombuffer(out.read(), np.float16).reshape(42, 54, 4)[..., :3].transpose(2, 0, 1)
        wanted = network(x, 0.5)[0].numpy()
        assert np.abs(found - wanted).max() <= 1 / 255
        chain.release()
    frame.release()
    assert made.alive() == 0
