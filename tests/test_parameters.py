"""The bus: what any thread may post, and what a frame sees of it."""

from __future__ import annotations

import logging
import math
import threading

import pytest

from installation.parameters import Bus, Param, Parameters, Trigger


class Drift(Parameters):
    speed = Param(0.5, 0, 2, unit="seeds/s", doc="How fast.")
    calm = Param(0.7, 0.3, 1, glide=1.0)
    flash = Trigger(doc="A flash.")


@pytest.fixture
def bus() -> Bus:
    bus = Bus()
    bus.declare("drift", Drift.declared())
    return bus


def test_values_start_at_their_default(bus: Bus) -> None:
    assert bus.value("/drift/speed") == 0.5
    assert bus.target("/drift/calm") == 0.7
    assert bus.value("/drift/flash") == 0
    assert bus.moved_by("/drift/speed") == ""


def test_addresses_come_in_the_order_they_were_written(bus: Bus) -> None:
    assert [address for address, _ in bus] == ["/drift/speed", "/drift/calm", "/drift/flash"]
    assert "/drift/speed" in bus
    assert "/drift/haste" not in bus
    assert bus.get("/drift/haste") is None
    assert bus["/drift/speed"] is bus.get("/drift/speed") is Drift.speed


def test_an_owner_reads_its_parameters_off_the_bus() -> None:
    scene, bus = Drift(), Bus()
    assert (scene.speed, scene.flash) == (0.5, 0)  # not on a bus yet
    scene.bind(bus, "drift")
    bus.post("/drift/speed", 1.5)
    bus.post("/drift/flash", 1)
    assert scene.speed == 0.5  # a frame sees one set of values
    bus.tick(0.01)
    assert (scene.speed, scene.flash) == (1.5, 1)


def test_subclasses_inherit_parameters_and_may_replace_them() -> None:
    class Faster(Drift):
        speed = Param(1.0, 0, 4)
        extra = Param(0, 0, 1)

    assert list(Faster.declared()) == ["speed", "calm", "flash", "extra"]
    assert Faster().speed == 1.0


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (1.25, "value", 1.25),
        (2, "value", 2.0),
        (True, "value", 1.0),
        (99, "value", 2.0),
        (-99, "value", 0.0),
        (-0.0, "value", 0.0),
        (1e308, "value", 2.0),
        (10**300, "value", 2.0),
        (0.25, "unit", 0.5),
        (1.5, "unit", 2.0),
        (-1, "unit", 0.0),
        (0.1, "nudge", 0.7),
        (-0.1, "nudge", 0.3),
        (-5, "nudge", 0.0),
    ],
)
def test_values_are_taken_in_three_forms_and_clamped(
    bus: Bus, value: float, form: str, expected: float
) -> None:
    assert bus.post("/drift/speed", value, "test", form)  # type: ignore[arg-type]
    bus.tick(0.01)
    assert bus.value("/drift/speed") == pytest.approx(expected)
    assert bus.moved_by("/drift/speed") == "test"


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, "1", "", None, b"1", [1], (1,), {}, 10**400, 10**5000, 1j],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_a_number_is_ignored_and_said_once(
    bus: Bus, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert not bus.post("/drift/speed", value, "osc 1.2.3.4")
        assert not bus.post("/drift/flash", value, "osc 1.2.3.4")
    bus.tick(1)
    assert bus.value("/drift/speed") == 0.5
    assert bus.value("/drift/flash") == 0
    about_speed = [r.getMessage() for r in caplog.records if "/drift/speed" in r.getMessage()]
    assert len(about_speed) == 1
    assert "osc 1.2.3.4" in about_speed[0]
    assert len(about_speed[0]) < 200


def test_a_deep_or_long_value_is_shown_short(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    bus.post("/drift/speed", deep, "a")
    bus.post("/drift/speed", "x" * 100_000, "b")
    assert [len(r.getMessage()) < 200 for r in caplog.records] == [True, True]


def test_an_unknown_address_is_answered_with_the_nearest(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert not bus.post("/drift/sped", 1, "osc")
    assert [r.getMessage() for r in caplog.records] == [
        "osc sent to '/drift/sped', not known; did you mean '/drift/speed'?"
    ]
    bus.post("/zzz", 1)
    assert "`installation scenes` lists them" in caplog.messages[-1]
    bus.post("/" + "é\x1b[2J" * 1000, 1)
    assert len(caplog.messages[-1]) < 1000
    assert "\x1b" not in caplog.messages[-1]


def test_the_last_value_before_a_frame_wins(bus: Bus) -> None:
    for n in range(10_000):
        bus.post("/drift/speed", n / 10_000, f"hand {n}")
    assert len(bus._posted._all) == 1  # a flood costs one slot
    bus.tick(0.01)
    assert bus.value("/drift/speed") == 0.9999
    assert bus.moved_by("/drift/speed") == "hand 9999"


def test_steps_add_up_and_keep_their_place_among_values(bus: Bus) -> None:
    for form, number in (("nudge", 0.1), ("value", 1.0), ("nudge", 0.1), ("nudge", 0.1)):
        bus.post("/drift/speed", number, "", form)  # type: ignore[arg-type]
    bus.tick(0.01)
    assert bus.value("/drift/speed") == pytest.approx(1.4)  # 1.0 and two steps of 0.2
    bus.post("/drift/speed", 0.1, "", "nudge")
    bus.post("/drift/speed", 0.25)
    bus.tick(0.01)
    assert bus.value("/drift/speed") == 0.25


def test_what_was_asked_for_counts_every_step(bus: Bus) -> None:
    bus.post("/drift/speed", 1.0)
    bus.post("/drift/speed", 0.1, "", "nudge")
    assert bus.asked("/drift/speed") == pytest.approx(1.2)
    bus.tick(0.01)
    assert bus.target("/drift/speed") == pytest.approx(1.2)


def test_steering_yields_to_whoever_came_between(bus: Bus) -> None:
    before = bus.asked("/drift/speed")
    said = bus.steer("/drift/speed", 99, "fade", before)
    assert said == bus.asked("/drift/speed") == 2  # as far as it goes
    bus.post("/drift/speed", -0.05, "hand", "nudge")
    assert bus.steer("/drift/speed", 1.5, "fade", said) is None
    bus.tick(0.01)
    assert bus.target("/drift/speed") == pytest.approx(1.9)
    assert bus.moved_by("/drift/speed") == "hand"
    assert bus.steer("/drift/gone", 1, "fade") is None
    assert bus.steer("/drift/speed", 0.5, "fade") == 0.5  # whatever it was


def test_triggers_are_counted_and_none_is_dropped(bus: Bus) -> None:
    for _ in range(5):
        bus.post("/drift/flash", 1, "pad")
        bus.post("/drift/flash", 0, "pad")  # a release
    assert bus.tick(0.01) == ["/drift/flash"] * 5
    assert bus.value("/drift/flash") == 5
    assert bus.moved_by("/drift/flash") == "pad"
    assert bus.tick(0.01) == []
    assert bus.value("/drift/flash") == 0


def test_a_flood_of_events_is_bounded(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    for n in range(20_000):
        bus.post("/drift/flash", 1)
        bus.post("/drift/speed", 0.001, "", "nudge")
        bus.post("/drift/speed", n / 20_000)
    assert len(bus._posted._all) < 1100
    assert "more events than a frame can hold" in caplog.text
    bus.tick(0.01)
    assert bus.value("/drift/speed") == 0.99995
    bus.post("/drift/flash", 1)
    assert bus.tick(0.01) == ["/drift/flash"]


def test_a_glide_covers_two_thirds_in_its_time(bus: Bus) -> None:
    bus.post("/drift/calm", 1.0)
    bus.tick(1.0)
    assert bus.value("/drift/calm") == pytest.approx(0.7 + 0.3 * (1 - math.exp(-1)))
    assert bus.target("/drift/calm") == 1.0


@pytest.mark.parametrize("frames", [1, 7, 60, 144])
def test_a_glide_is_the_same_at_every_frame_rate(bus: Bus, frames: int) -> None:
    bus.post("/drift/calm", 0.3)
    for _ in range(frames):
        bus.tick(0.5 / frames)
    assert bus.value("/drift/calm") == pytest.approx(0.3 + 0.4 * math.exp(-0.5))


def test_a_glide_arrives_and_never_overshoots(bus: Bus) -> None:
    bus.post("/drift/calm", 1.0)
    seen = []
    for _ in range(2000):
        bus.tick(1 / 60)
        seen.append(bus.value("/drift/calm"))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    bus.tick(0)
    assert bus.value("/drift/calm") == 1.0


def test_reset_returns_along_the_glide(bus: Bus) -> None:
    bus.post("/drift/calm", 1.0)
    bus.tick(100)
    bus.reset("/drift/calm")
    bus.reset("/drift/flash")  # a trigger has nothing to go back to
    assert bus.tick(1.0) == []
    assert bus.target("/drift/calm") == 0.7
    assert 0.7 < bus.value("/drift/calm") < 1.0


def test_declaring_again_keeps_values_within_the_new_range(bus: Bus) -> None:
    bus.post("/drift/speed", 1.5, "hand")
    bus.tick(0.01)
    bus.declare("drift", {"speed": Param(0.1, 0, 3), "new": Param(0.2, 0, 1)})
    assert bus.value("/drift/speed") == 1.5
    assert bus.moved_by("/drift/speed") == "hand"
    assert bus.value("/drift/new") == 0.2
    bus.declare("drift", {"speed": Param(0.1, 0, 1)})
    assert bus.value("/drift/speed") == 1.0


def test_declaring_again_lets_a_glide_go_on(bus: Bus) -> None:
    """As where a scene is saved, or put on once more with another piece."""
    slow = {"slow": Param(0, 0, 1, glide=1.0)}
    bus.declare("drift", slow)
    bus.post("/drift/slow", 1, "hand")
    bus.tick(0.1)
    before = bus.value("/drift/slow")
    bus.declare("drift", slow)
    assert (bus.value("/drift/slow"), bus.target("/drift/slow")) == (before, 1)
    assert bus.moved_through("/drift/slow") == "/drift/slow"
    bus.tick(0.1)
    assert before < bus.value("/drift/slow") < 0.3


def test_a_parameter_may_become_a_trigger_and_back(bus: Bus) -> None:
    bus.declare("drift", {"speed": Trigger(), "flash": Param(0, 0, 1)})
    bus.post("/drift/speed", 1)
    bus.post("/drift/flash", 0.5)
    assert bus.tick(0.01) == ["/drift/speed"]
    assert (bus.value("/drift/speed"), bus.value("/drift/flash")) == (1, 0.5)


def test_withdrawing_forgets_and_what_was_on_its_way_is_let_go(bus: Bus) -> None:
    bus.declare("drifter", {"speed": Param(0, 0, 1)})
    bus.post("/drift/speed", 1)
    bus.post("/drift/flash", 1)
    bus.withdraw("drift")
    assert bus.tick(0.01) == []
    assert [address for address, _ in bus] == ["/drifter/speed"]
    bus.declare("drift", Drift.declared())
    assert bus.value("/drift/speed") == 0.5


def test_what_is_posted_together_is_taken_in_by_one_tick(bus: Bus) -> None:
    other = threading.Thread(target=lambda: bus.post("/drift/calm", 0.4))
    with bus.together:
        bus.post("/drift/speed", 1.5)
        bus.post("/drift/flash", 1)
        other.start()
        other.join()
        assert bus.tick(math.inf) == []
        assert (bus.value("/drift/speed"), bus.value("/drift/calm")) == (0.5, 0.4)
    assert bus.tick(math.inf) == ["/drift/flash"]
    assert bus.value("/drift/speed") == 1.5
    bus.post("/drift/speed", 0.25)
    bus.tick(math.inf)
    assert bus.value("/drift/speed") == 0.25


def test_many_threads_may_post_while_frames_are_drawn(bus: Bus) -> None:
    each, threads = 100, 5  # together fewer than a frame may hold
    ready = threading.Barrier(threads + 1)

    def hammer() -> None:
        ready.wait()
        for n in range(each):
            bus.post("/drift/flash", 1)
            bus.post("/drift/speed", 0.001, "", "nudge")
            bus.post("/drift/calm", 0.3 + 0.7 * n / (each - 1))
            bus.post("/nowhere", n)
            bus.post("/drift/speed", math.nan)

    workers = [threading.Thread(target=hammer) for _ in range(threads)]
    for worker in workers:
        worker.start()
    bus.post("/drift/speed", 0.0)
    bus.tick(0)
    ready.wait()
    fired = 0
    while any(worker.is_alive() for worker in workers):
        fired += len(bus.tick(0.001))
        assert 0.3 <= bus.value("/drift/calm") <= 1.0
    fired += len(bus.tick(0.001))
    assert fired == each * threads
    assert bus.value("/drift/speed") == pytest.approx(2.0 * 0.001 * each * threads)


@pytest.mark.parametrize(
    "numbers",
    [(0, 1, 2), (3, 0, 2), (0, 0, 0), (1, 2, 0), (math.nan, 0, 1), (0, -math.inf, 1)],
)
def test_a_param_that_makes_no_sense_is_refused(numbers: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"param|default"):
        Param(*numbers)
    with pytest.raises(ValueError, match="glide"):
        Param(0, 0, 1, glide=-1)


def test_unit_and_value_are_each_others_inverse() -> None:
    param = Param(0, -3, 5)
    assert [param.from_unit(u) for u in (-1, 0, 0.5, 1, 2)] == [-3, -3, 1, 5, 5]
    assert param.to_unit(param.from_unit(0.3)) == pytest.approx(0.3)


def test_complaints_go_to_the_log_of_the_bus(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    bus.post("/nowhere", 1)
    assert [(r.name, r.levelno) for r in caplog.records] == [
        ("installation.parameters", logging.WARNING)
    ]
