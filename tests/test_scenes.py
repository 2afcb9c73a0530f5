"""Every scene that ships, swept over its parameters; and what happens to one that is broken."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shaders
from installation import focus, house, setlist
from installation import scene as scenes
from installation.clock import Frame, Tempo
from installation.engine.walk import LatentSpace
from installation.parameters import Bus, Param
from models.card import Card
from models.latent import BEND, GUIDE, Code, Label, Latent

PLAIN = Latent(16)
FULL = Latent(
    16, (Label("form", ("oval", "disc")),), (Code("c", "continuous"), Code("k", "categorical", 3))
)


def perform(
    scene: scenes.Scene, latent: Latent, bus: Bus, frames: int = 120, **heard: Any
) -> np.ndarray:
    """Walk a scene for some frames at 60 a second: (frames, width)."""
    tempo = Tempo()
    tempo.bind(bus, "clock")
    scene.start(LatentSpace(latent))
    points = []
    for _ in range(frames):
        bus.tick(1 / 60)
        points.append(scene.step(replace(tempo.frame(1 / 60), **heard)))
    return np.stack(points)


@pytest.mark.parametrize("latent", [PLAIN, FULL], ids=["plain", "full"])
@pytest.mark.parametrize("name", scenes.shipped())
def test_every_parameter_at_low_default_and_high(name: str, latent: Latent) -> None:
    bus = Bus()
    scenes.load(name).bind(bus, name)
    addresses = [(a, p) for a, p in bus if isinstance(p, Param)]
    assert addresses
    for address, param in addresses:
        for value in (param.low, param.default, param.high):
            one = Bus()
            scene = scenes.load(name)
            scene.bind(one, name)
            one.post(address, value)
            points = perform(scene, latent, one, frames=60)
            bends = points.shape[1] - latent.width
            assert len(points) == 60
            assert bends in (0, len(BEND))
            assert np.isfinite(points).all(), (address, value)
            for chosen in scene.passes:
                assert all(np.isfinite(v) for v in chosen.values(one.value, name).values())


@pytest.mark.parametrize("name", scenes.shipped())
def test_a_scene_moves_and_is_repeatable(name: str) -> None:
    runs = []
    for _ in range(2):
        bus = Bus()
        scene = scenes.load(name)
        scene.bind(bus, name)
        runs.append(perform(scene, FULL, bus, frames=600))
    np.testing.assert_array_equal(*runs)
    assert np.abs(runs[0][-1] - runs[0][0]).max() > 0.05


@pytest.mark.parametrize("name", scenes.shipped())
def test_every_scene_heeds_what_it_hears(name: str) -> None:
    loud = {"level": 1.0, "bass": 1.0, "middle": 1.0, "high": 1.0, "onset": True}
    runs = []
    for heed, heard in ((None, {}), (None, loud), (0.0, loud)):
        bus = Bus()
        scene = scenes.load(name)
        scene.bind(bus, name)
        if heed is not None:
            bus.post(f"/{name}/heed", heed)
            bus.tick(1000.0)
        runs.append(perform(scene, FULL, bus, frames=240, **heard))
    silent, moved, deaf = runs
    assert np.isfinite(moved).all()
    assert np.abs(moved - silent).max() > 0.01
    np.testing.assert_allclose(deaf, silent, atol=1e-6)  # it can be told not to


@pytest.mark.parametrize("name", scenes.shipped())
def test_a_fader_never_makes_the_picture_jump(name: str) -> None:
    """Thrown from one end to the other, at any moment: in so short a time nothing moves by it."""
    for wanted, param in scenes.load(name).declared().items():
        if not isinstance(param, Param):
            continue
        bus, scene, time = Bus(), scenes.load(name), 0.0
        scene.bind(bus, name)
        scene.start(LatentSpace(FULL))
        for index in range(240):
            points = []
            for dt, value in ((0.06, None), (1e-5, param.low), (1e-5, param.high)):
                if value is not None:
                    bus.post(f"/{name}/{wanted}", value)
                bus.tick(dt)
                time += dt
                points.append(scene.step(Frame(index, time, dt, 1.2 * time)))
            assert np.abs(np.diff(points, axis=0)).max() < 0.02, (wanted, index)


def test_the_scenes_walk_differently() -> None:
    """Three scenes are three ways through the same piece, not one under three names."""
    ways = []
    for name in scenes.shipped():
        bus = Bus()
        scene = scenes.load(name)
        scene.bind(bus, name)
        ways.append(perform(scene, FULL, bus, frames=300)[:, : FULL.width])
    assert len(ways) >= 3
    for i, a in enumerate(ways):
        for b in ways[i + 1 :]:
            assert np.abs(a - b).mean() > 0.1


@pytest.mark.parametrize("name", scenes.shipped())
def test_each_keyword_of_a_pass_is_a_uniform(name: str) -> None:
    for one in scenes.load(name).passes:
        known = {uniform.name for uniform in shaders.load(one.shader).uniforms}
        assert {*one.params, *one.fixed} <= known


@pytest.mark.parametrize("name", scenes.shipped())
def test_everything_is_documented(name: str) -> None:
    bus = Bus()
    scene = scenes.load(name)
    scene.bind(bus, name)
    assert type(scene).__doc__
    assert all(what.doc for _, what in bus)


def test_the_setlist_that_ships_names_scenes_and_transitions_that_exist() -> None:
    for entry in setlist.load().scene:
        scenes.find(entry.scene)
        shaders.find(entry.transition)


def test_kin_never_jumps_and_a_stranger_comes_at_once() -> None:
    bus, scene, space = Bus(), scenes.load("kin"), LatentSpace(FULL)
    scene.bind(bus, "kin")
    bus.post("/kin/breath", 0.5)
    bus.post("/kin/changes", 1)
    bus.tick(60)
    scene.start(space)

    def step(index: int) -> np.ndarray:
        bus.tick(1 / 60)
        time = index / 60
        z: np.ndarray = scene.step(Frame(index, time, 1 / 60, time * 1.2))[: FULL.z]
        return z / np.linalg.norm(z)

    def angle(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))

    before = step(0)
    for index in range(1, 3000):
        if index == 1300:  # in the middle of a change
            bus.post("/kin/stranger", 1)
        now = step(index)
        assert angle(before, now) < 2.5, index
        before = now
        if index == 1299:
            was = now
        if index == 1300 + 45:
            assert angle(was, now) > 5


def one_by_one(latent: Latent, changes: int) -> list[dict[str, int]]:
    """What kin wears, label by label, at the start and after each change and each stranger."""
    bus, scene, where = Bus(), scenes.load("kin"), latent.slices()
    scene.bind(bus, "kin")
    scene.start(LatentSpace(latent))
    points = [scene.step(Frame(n, 6.0 * n, 6.0, 6.0 * n)) for n in range(changes + 1)]
    return [{one.name: int(p[where[one.name]].argmax()) for one in latent.labels} for p in points]


@pytest.mark.parametrize("sizes", [(5,), (2, 2), (3, 1), (5, 5, 5, 5, 5, 6, 5), (1, 12, 4)])
def test_each_change_of_kin_is_one_and_all_values_come_round(sizes: tuple[int, ...]) -> None:
    labels = [Label(f"label {n}", tuple(map(str, range(size)))) for n, size in enumerate(sizes)]
    rounds = 2 * len(sizes) * max(sizes)
    worn = one_by_one(Latent(16, tuple(labels)), rounds)
    for number, (before, after) in enumerate(pairwise(worn), start=1):
        changed = sum(before[name] != after[name] for name in before)
        stranger = number > 1 and number % 5 == 1  # dressed as the one before
        assert changed == (0 if stranger else 1), number
    for label in labels:
        assert {one[label.name] for one in worn} == {*range(label.width)}


@pytest.mark.parametrize("changes", [1.0, 5.0, 5.02, 5.5])
def test_a_stranger_comes_wherever_the_fader_of_changes_stands(changes: float) -> None:
    bus, scene = Bus(), scenes.load("kin")
    scene.bind(bus, "kin")
    scene.start(LatentSpace(FULL))
    bus.post("/kin/changes", changes)
    bus.post("/kin/stranger", 1)
    bus.tick(1 / 60)
    first = scene.step(Frame(0, 0.0, 0.0, 0.0))
    last = scene.step(Frame(1, 3.0, 3.0, 5.99))  # nearly at the end of the change
    assert np.abs(last - first)[: FULL.z].max() > 0.5


@pytest.mark.parametrize("name", ["light", "clock", "stage", "Piece"])
def test_the_names_of_the_house_are_not_a_scene_s(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text(scenes.find("drift").read_text(encoding="utf-8").replace("Drift", name.title()))
    with pytest.raises(scenes.SceneError, match="is a name of the house"):
        scenes.load(str(path))


def watched(bus: Bus, scene: scenes.Scene, seconds: float, **seen: Any) -> np.ndarray:
    """A vigil in which this is seen: (frames, width)."""
    return np.stack([
        scene.step(Frame(0, 0.0, 1 / 30, 0.0, **seen)) for _ in range(round(seconds * 30))
    ])  # fmt: skip


def test_umbra_puts_its_lantern_out_for_who_comes() -> None:
    scene, bus = scenes.load("umbra"), Bus()
    scene.bind(bus, "umbra")
    scene.start(LatentSpace(FULL))
    watched(bus, scene, 5)
    assert scene.found == 0
    watched(bus, scene, 10, presence=0.4)
    assert scene.found == pytest.approx(1, abs=0.01)
    calm, stirred = (
        np.abs(np.diff(watched(bus, scene, 3, presence=1.0, motion=motion), axis=0)).sum()
        for motion in (0.0, 1.0)
    )
    assert stirred > 2 * calm
    watched(bus, scene, 30)
    assert scene.found < 0.05


def test_speculum_takes_the_shape_of_who_comes() -> None:
    scene, bus, space = scenes.load("speculum"), Bus(), LatentSpace(FULL, guided=True)
    scene.bind(bus, "speculum")
    scene.start(space)
    shape = np.random.default_rng(2).standard_normal((GUIDE, GUIDE)).astype(np.float32)
    form = space.latent.slices()["form"]

    def followed(points: np.ndarray) -> np.ndarray:
        """How far, in each frame."""
        along: np.ndarray = points[:, FULL.width :] @ shape.ravel() / (shape**2).sum()
        return along

    alone = watched(bus, scene, 5, guide=0 * shape)
    assert np.abs(np.diff(alone[:, : FULL.z], axis=0)).max() > 1e-4  # it wanders
    assert not followed(watched(bus, scene, 1, guide=shape)).any()  # nobody is there
    first = watched(bus, scene, 1 / 30, guide=shape, presence=0.6, arrives=True)
    there = watched(bus, scene, 8, guide=shape, presence=0.6)
    far = followed(np.concatenate([first, there]))
    assert far[0] < 0.05
    assert (np.diff(far) > -1e-6).all()
    assert far[-1] == pytest.approx(scene.follow, abs=0.01)
    steps = np.abs(np.diff(np.concatenate([alone[-1:], there])[:, : FULL.width], axis=0))
    assert steps[1:].max() < 0.1  # into another face without a jump
    np.testing.assert_allclose(there[-1, form], space.seed(951)[form], atol=0.02)
    watched(bus, scene, 1 / 30, guide=shape, presence=0.6, arrives=True)
    next_one = watched(bus, scene, 8, guide=shape, presence=0.6)
    np.testing.assert_allclose(next_one[-1, form], space.seed(952)[form], atol=0.02)
    assert np.abs(next_one[-1, : FULL.z] - there[-1, : FULL.z]).max() > 0.3
    gone = followed(watched(bus, scene, 8, guide=shape))
    assert gone[0] > 0.9 * scene.follow
    assert gone[-1] < 0.01
    watched(bus, scene, 10, presence=1.0)
    calm, stirred = (
        np.abs(np.diff(watched(bus, scene, 4, presence=1.0, motion=motion), axis=0)).sum()
        for motion in (0.0, 1.0)
    )
    assert stirred > 1.5 * calm
    assert watched(bus, scene, 1 / 30, presence=1.0).shape == (1, FULL.width)  # no camera


def test_vigil_wakes_for_who_comes_and_leans_to_where_they_stand() -> None:
    scene, bus = scenes.load("vigil"), Bus()
    scene.bind(bus, "vigil")
    scene.start(LatentSpace(FULL))
    shift = FULL.width + BEND.index("across")
    asleep = watched(bus, scene, 20)
    assert scene.light == -scene.dark
    assert asleep[-1, shift] == 0
    left = watched(bus, scene, 10, presence=1.0, across=-0.8)
    assert scene.light == pytest.approx(0, abs=0.01)
    assert scene.colour == pytest.approx(1, abs=0.01)
    assert left[-1, shift] < -0.05
    assert np.abs(left[-1, :16] - asleep[-1, :16]).max() > 0.3
    right = watched(bus, scene, 3, presence=1.0, across=0.8)
    assert right[-1, shift] > 0.05
    assert np.abs(np.diff(right, axis=0)).max() < 0.1  # it moves, and does not jump
    watched(bus, scene, 30)
    assert scene.light < -0.95 * scene.dark
    watched(bus, scene, 1 / 30, arrives=True)
    another = watched(bus, scene, 4)
    assert scene.light > -0.3 * scene.dark  # greeted, though nobody stays
    assert np.abs(another[-1, :16] - left[-1, :16]).max() > 0.3  # another face
    calm, stirred = (
        np.abs(np.diff(watched(bus, scene, 3, presence=1.0, motion=motion), axis=0)[-1]).max()
        for motion in (0.0, 1.0)
    )
    assert stirred > 2 * calm


def test_vigil_comes_on_asleep_however_late_the_evening() -> None:
    scene, tempo = scenes.load("vigil"), Tempo()
    scene.start(LatentSpace(PLAIN))
    scene.step(Frame(0, 0.0, 0.0, 0.0))  # tried out
    evening = tempo.frame(3600)
    dreamt = []
    for _ in range(15 * 30):  # beats at 72 a minute
        frame = tempo.frame(1 / 30)
        scene.step(frame)
        dreamt += [frame.beat - evening.beat] * scene.met
    assert dreamt[0] == pytest.approx(scene.dream / 2, abs=1)


def write(folder: Path, body: str) -> str:
    path = folder / "mine.py"
    path.write_text(f"from installation.scene import Param, Scene\n{body}\n")
    return str(path)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("class Mine(Scene:\n    pass", "line 2: SyntaxError"),
        ("x = 1 / 0", "line 2: ZeroDivisionError"),
        ("import sys\nsys.exit('enough')", "line 3: SystemExit: enough"),
        ("class Other(Scene):\n    pass", "named Mine"),
        ("x = 1", "has 0"),
        ("class Mine(Scene):\n    speed = Param(3, 0, 2)", "low ≤ default"),
    ],
)
def test_a_broken_scene_is_one_line_with_its_place(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(scenes.SceneError, match="mine") as caught:
        scenes.load(write(tmp_path, body))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ctrl_c_is_no_fault_of_a_scene(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        scenes.load(write(tmp_path, "raise KeyboardInterrupt"))


@pytest.mark.parametrize("name", ["my scene.py", "2nd.py"])
def test_a_file_whose_name_no_class_can_have_is_to_be_renamed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("from installation.scene import Scene\nclass Mine(Scene):\n    pass\n")
    with pytest.raises(scenes.SceneError, match="rename the file: a letter first"):
        scenes.load(str(path))


def test_a_shader_of_one_s_own_lies_beside_its_scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "works").mkdir()
    (tmp_path / "works" / "tint.glsl").write_text("void main() { color = vec4(here(source), 1); }")
    body = "from installation.scene import Pass\nclass Mine(Scene):\n    passes = (Pass({!r}),)"
    monkeypatch.chdir(tmp_path)  # wherever one works
    write(tmp_path / "works", body.format("tint.glsl"))
    (found,) = scenes.load("works/mine.py").passes
    assert shaders.read(found.shader).startswith("void main()")
    write(tmp_path / "works", body.format("tnit.glsl"))
    (missing,) = scenes.load("works/mine.py").passes
    with pytest.raises(shaders.ShaderError, match=r"or a \.glsl file beside the scene"):
        shaders.read(missing.shader)


def test_an_unknown_scene_names_those_there_are() -> None:
    with pytest.raises(scenes.SceneError, match="drift"):
        scenes.load("nosuch")
    with pytest.raises(scenes.SceneError, match="no scene file"):
        scenes.load("nosuch.py")


def test_no_scene_can_take_a_name_of_the_house() -> None:
    bus = Bus()
    shown = house.declare(bus, {"tiny": Card("tiny", 64, FULL, {})})
    found = {address.split("/")[1] for address in [*focus.ADDRESSES, *(a for a, _ in bus)]}
    assert found - set(shown) == scenes.HOUSE


def test_a_scene_saved_on_windows_is_read(tmp_path: Path) -> None:
    mine = tmp_path / "drift.py"
    text = scenes.find("drift").read_text(encoding="utf-8")
    mine.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert scenes.load(str(mine)).declared().keys() == scenes.load("drift").declared().keys()
