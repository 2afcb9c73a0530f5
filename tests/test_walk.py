"""Walks: where they go, that they close, and how the room's faders lie over them."""

from __future__ import annotations

import numpy as np
import pytest

from installation.engine import walk
from installation.engine.walk import LatentSpace, bend, declare_pieces, slerp, steer
from installation.parameters import Bus
from models.latent import Code, Label, Latent

LATENT = Latent(
    32,
    (Label("hair", ("blonde", "Dark Brown")), Label("eyes", ("blue", "green", "red"))),
    (Code("pose", "continuous"), Code("style", "categorical", 4)),
)
PARTS = LATENT.slices()


@pytest.fixture
def space() -> LatentSpace:
    return LatentSpace(LATENT, seed=5)


def shares(point: np.ndarray, name: str) -> np.ndarray:
    return point[PARTS[name]]


def check(point: np.ndarray, truncation: float = 1.0) -> None:
    """A point any generator can be fed: z at its length, weights that are shares."""
    assert point.shape == (LATENT.width,)
    assert point.dtype == np.float32
    length = np.linalg.norm(point[PARTS["z"]])
    assert length == pytest.approx(truncation * np.sqrt(LATENT.z), rel=1e-4)
    for name in ("hair", "eyes", "style"):
        assert shares(point, name).min() >= 0
        assert shares(point, name).sum() == pytest.approx(1, abs=1e-5)
    assert abs(float(shares(point, "pose")[0])) <= 1


@pytest.mark.parametrize("kind", ["loop", "spline"])
def test_a_walk_is_smooth_and_closed(space: LatentSpace, kind: str) -> None:
    walk = space.loop(3) if kind == "loop" else space.spline((1, 2, 3, 4))
    laps = 1.0 if kind == "loop" else 4.0
    first = walk.point()
    steps, before = [], first
    for _ in range(200):
        walk.advance(laps / 200)
        now = walk.point()
        check(now)
        steps.append(np.linalg.norm(now[PARTS["z"]] - before[PARTS["z"]]))
        before = now
    np.testing.assert_allclose(before, first, atol=1e-3)
    assert max(steps) < 5 * np.mean(steps)  # no jump anywhere
    assert np.sum(steps) > np.sqrt(LATENT.z)  # it went somewhere


def test_a_spline_passes_through_its_seeds(space: LatentSpace) -> None:
    walk = space.spline((7, 8, 9))
    for seed in (7, 8, 9):
        at, wanted = walk.point()[PARTS["z"]], space.seed(seed)[PARTS["z"]]
        cosine = np.dot(at, wanted) / (np.linalg.norm(at) * np.linalg.norm(wanted))
        assert cosine == pytest.approx(1, abs=1e-5)
        np.testing.assert_array_equal(walk.point()[LATENT.z :], space.seed(seed)[LATENT.z :])
        walk.advance(1)
    with pytest.raises(ValueError, match="two seeds"):
        space.spline((1,))


def test_truncation_shortens_z_alone(space: LatentSpace) -> None:
    walk = space.loop(1)
    check(walk.point(0.5), 0.5)
    np.testing.assert_array_equal(walk.point(0.5)[LATENT.z :], walk.point()[LATENT.z :])


def test_seeds_are_the_same_everywhere_and_differ(space: LatentSpace) -> None:
    np.testing.assert_array_equal(space.seed(4), LatentSpace(LATENT, seed=5).seed(4))
    assert not np.array_equal(space.seed(4), space.seed(5))
    assert not np.array_equal(space.seed(4), LatentSpace(LATENT, seed=6).seed(4))


def test_slerp_keeps_the_length() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 64)).astype(np.float32)
    for t in np.linspace(0, 1, 9):
        length = (1 - t) * np.linalg.norm(a) + t * np.linalg.norm(b)
        assert np.linalg.norm(slerp(a, b, float(t))) == pytest.approx(length, rel=1e-5)
    np.testing.assert_allclose(slerp(a, b, 0), a, rtol=1e-5)
    np.testing.assert_allclose(slerp(a, b, 1), b, rtol=1e-5)
    np.testing.assert_allclose(slerp(a, a, 0.3), a, rtol=1e-5)
    assert np.isfinite(slerp(a, -a, 0.5)).all()


def test_a_scene_can_set_labels_and_codes(space: LatentSpace) -> None:
    point = space.label(space.seed(1), "eyes", (1, 1, 0))
    np.testing.assert_allclose(shares(point, "eyes"), (0.5, 0.5, 0))
    assert shares(space.code(point, "pose", 7.0), "pose")[0] == 1
    np.testing.assert_allclose(
        shares(space.code(point, "style", (0, 0, 2, 0)), "style"), (0, 0, 1, 0)
    )
    worn = space.wear(space.seed(1), space.seed(2))
    np.testing.assert_array_equal(worn[: LATENT.z], space.seed(1)[: LATENT.z])
    np.testing.assert_array_equal(worn[LATENT.z :], space.seed(2)[LATENT.z :])
    assert space.labels == {"hair": 2, "eyes": 3}
    assert space.codes == {"pose": 1, "style": 4}


def test_faders_at_rest_leave_the_scene_alone(space: LatentSpace) -> None:
    bus = Bus()
    declare_pieces(bus, [(LATENT, ())])
    point = space.seed(1)
    np.testing.assert_array_equal(steer(bus.value, LATENT, point), point)


def test_a_raised_fader_takes_the_choice_over(space: LatentSpace) -> None:
    bus = Bus()
    declare_pieces(bus, [(LATENT, ())])
    assert bus.post("/piece/hair/dark_brown", 1)
    assert bus.post("/piece/code/1", -0.5)
    assert bus.post("/piece/code/2/3", 0.5)
    bus.tick(60)
    before = space.code(space.label(space.seed(1), "hair", (1, 0)), "pose", 0.2)
    before = space.code(before, "style", (1, 0, 0, 0))
    after = steer(bus.value, LATENT, before)
    np.testing.assert_allclose(shares(after, "hair"), (0, 1), atol=1e-5)
    np.testing.assert_allclose(shares(after, "pose"), -0.3, atol=1e-5)
    np.testing.assert_allclose(shares(after, "style"), (0.5, 0, 0.5, 0), atol=1e-5)
    np.testing.assert_array_equal(shares(after, "eyes"), shares(before, "eyes"))


def test_a_direction_moves_z_alone(space: LatentSpace) -> None:
    ways = np.eye(2, LATENT.z)
    bus = Bus()
    declare_pieces(bus, [(LATENT, ways)])
    point = space.seed(1)
    np.testing.assert_array_equal(steer(bus.value, LATENT, point, ways), point)
    assert bus.post("/piece/direction/2", -1.5)
    bus.tick(60)
    moved = steer(bus.value, LATENT, point, ways) - point
    np.testing.assert_allclose(moved[:3], [0, -1.5, 0], atol=1e-5)
    assert not moved[3:].any()


def offered(bus: Bus) -> list[str]:
    """What a piece has of its own: any can be bent."""
    return [a for a, _ in bus if a.startswith("/piece/") and not a.startswith("/piece/bend/")]


def test_another_piece_brings_its_own_faders() -> None:
    bus = Bus()
    declare_pieces(bus, [(LATENT, ())])
    assert "/piece/eyes/blue" in bus
    declare_pieces(bus, [(Latent(8), ())])
    assert not offered(bus)


def test_no_frame_makes_the_names_of_faders_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece may have hundreds of labels, and a frame has 16 ms."""
    latent = Latent(4, tuple(Label(f"tag {n}", ("no", "yes")) for n in range(200)))
    point = np.ones(latent.width, np.float32)
    steer(lambda _: 0.0, latent, point)
    monkeypatch.delattr(walk, "slugs")
    np.testing.assert_array_equal(steer(lambda _: 0.0, latent, point), point)


@pytest.mark.parametrize(
    "names",
    [("bend", "bend_label"), ("bend_label", "Bend"), ("code", "code!", "code label", "direction")],
)
def test_labels_called_as_what_is_ours_have_faders_of_their_own(names: tuple[str, ...]) -> None:
    latent = Latent(
        4, tuple(Label(n, ("turn", "1")) for n in names), (Code("k", "categorical", 2),)
    )
    bus = Bus()
    declare_pieces(bus, [(latent, [[1.0] * 4])])
    found = [
        address for address, what in bus if what.doc.endswith((": turn.", ": 1.", ": value 1."))
    ]
    assert len(found) == 2 * len(names) + 1
    for address in found:
        bus.post(address, 1)
        bus.tick(60)
        point = steer(bus.value, latent, np.zeros(latent.width, np.float32), [[1.0] * 4])
        assert np.count_nonzero(point > 0.5) == 1  # that one, and nothing else
        bus.post(address, 0)
        bus.tick(60)
    assert not bend(bus.value).any()


def test_names_in_any_script_have_faders_of_their_own() -> None:
    """Class folders are named in the artist's language; each value is still one fader."""
    latent = Latent(
        4,
        (Label("形", ("面", "角", "été", "ete")), Label("code", ("1", "2"))),
        (Code("k", "continuous"),),
    )
    bus = Bus()
    declare_pieces(bus, [(latent, ())])
    assert offered(bus) == [
        "/piece/xing/mian", "/piece/xing/jiao", "/piece/xing/ete", "/piece/xing/ete_4",
        "/piece/code_label/1", "/piece/code_label/2", "/piece/code/1",
    ]  # fmt: skip
    bus.post("/piece/xing/jiao", 1)
    bus.tick(60)
    point = steer(bus.value, latent, np.zeros(latent.width, np.float32))
    np.testing.assert_allclose(point[4:8], [0, 1, 0, 0], atol=1e-6)
