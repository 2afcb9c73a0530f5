"""A film whose end meets its beginning."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from installation import playing
from installation import scene as scenes
from installation.engine.looped import LoopError, close, turn_of
from installation.programme import Options
from models.latent import BEND, GUIDE, Code, Label, Latent
from tests.pieces import make_piece
from tests.shows import opened

FPS, FRAMES, SIZE = 12, 36, (64, 48)
LATENT = Latent(
    8, (Label("form", ("oval", "disc")),), (Code("c", "continuous"), Code("k", "categorical", 3))
)
MINE = """
import numpy as np
from installation.scene import Param, Pass, Scene

class Mine(Scene):
    speed = Param(0.5, 0, 1, doc="How fast.")
    passes = (Pass("post/grade", exposure="light"), Pass("post/grain", amount=0))

    def start(self, space):
        self.space, self.light = space, 0.0

    def step(self, frame):
        if {broken}:
            raise RuntimeError("tired")
        self.light = frame.time / 10  # it never comes back by itself
        point = self.space.blend(self.space.seed(1), self.space.seed(2), frame.time / 20)
        point = self.space.guide(point, np.full((16, 16), frame.time))
        return self.space.bend(point, turn=2 * frame.time) if frame.time > 3 else point
"""


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_piece(tmp_path_factory.mktemp("pieces") / "tiny", latent=LATENT, guided=True)


def venue(folder: Path, text: str) -> str:
    place = folder / "here.toml"
    place.write_text(text)
    return str(place)


def mine(folder: Path, broken: str = "False") -> str:
    path = folder / "mine.py"
    path.write_text(MINE.format(broken=broken))
    return str(path)


def steps(shown: np.ndarray) -> np.ndarray:
    """How far it is from each frame to the next, and from the last to the first."""
    far: np.ndarray = np.abs(np.roll(shown, -1, 0) - shown).reshape(len(shown), -1).mean(1)
    return far


def meets(shown: np.ndarray) -> bool:
    """Whether it goes on from the end to the beginning as it does around that."""
    far = steps(shown)
    return bool(far[-1] <= 1.25 * max(far[-3:-1].max(), far[:2].max()))


@pytest.mark.parametrize("name", scenes.shipped())
def test_a_film_of_any_scene_that_ships_has_no_seam(name: str, piece: Path, tmp_path: Path) -> None:
    grainy = any(one.name == "grain" for one in scenes.load(name).passes)
    text = '[parameters]\n"/clock/bpm" = 160\n'
    text += f'"/{name}/grain/amount" = 0\n' if grainy else ""  # new in each frame by its nature
    options = Options(
        piece=str(piece), scene=name, offscreen=True, loop=True, frames=FRAMES, fps=FPS, size=SIZE,
        out=str(tmp_path / "out"), venue=venue(tmp_path, text),
    )  # fmt: skip
    assert playing.play(options) == 0
    files = sorted((tmp_path / "out").glob("*.png"))
    assert len(files) == FRAMES
    shown = np.stack([np.asarray(Image.open(file), float) for file in files])
    assert steps(shown).max() > 0.3  # it moves
    assert meets(shown), steps(shown)


@pytest.fixture
def moved(tmp_path: Path) -> str:
    """A venue whose setlist has a scene that never comes back, and a fader and the piece that are
    moved by waves as long as no film; after a second another scene's turn would come."""
    (tmp_path / "order.toml").write_text(
        f'[[scene]]\nscene = "{mine(tmp_path)}"\nseconds = 1\n[scene.modulation]\n'
        '"/light/brightness" = { by = "ramp", seconds = 30, phase = 0.5, depth = -0.5 }\n'
        '"/piece/code/1" = { by = "noise", seconds = 7, depth = 0.3 }\n'
        '"/piece/bend/across" = { by = "sine", beats = 9, depth = 0.5 }\n'
        '[[scene]]\nscene = "drift"\n'
    )
    return venue(tmp_path, f'[play]\nsetlist = "{tmp_path}/order.toml"\n')


def test_all_that_changes_by_itself_comes_back(piece: Path, moved: str) -> None:
    """The point with its guide and bends, the numbers of the scene, and what modulates faders."""
    turn = turn_of(FRAMES, FPS)
    options = Options(piece=str(piece), venue=moved, size=SIZE, offscreen=True, loop=True)
    found: dict[str, list[np.ndarray]] = {}
    with opened(options, SIZE, FPS) as show:
        layer = show.show.scene
        close(layer, show.ahead(turn + FRAMES), show.bus, turn)
        for frame in range(turn + 2 * FRAMES):
            show.frame()
            assert show.show.scene is layer  # the setlist waits
            assert layer.shown is not None
            own, more = layer.shown[: LATENT.width], layer.shown[LATENT.width :]
            assert len(more) in {GUIDE**2 + k * len(BEND) for k in (1, 2)}
            seen = {"point": own, "guide": more[: GUIDE**2], "bend": more[GUIDE**2 :][1::5]}
            seen["light"] = np.array([layer.told[0]["exposure"]])
            seen["fader"] = np.array([show.bus.value("/light/brightness")])
            if frame >= turn:
                for name, value in seen.items():
                    found.setdefault(name, []).append(value)
    for name, values in found.items():
        longest = max(map(len, values))
        film = np.stack([np.pad(value, (0, longest - len(value))) for value in values])
        np.testing.assert_array_equal(film[:FRAMES], film[FRAMES:], err_msg=name)  # over and over
        assert np.ptp(film) > 0.01, name
        assert meets(film[:FRAMES]), (name, steps(film[:FRAMES]))
    light = np.concatenate(found["light"])
    went = np.diff(light[FRAMES - 2 : FRAMES + 2])
    assert went.min() > 0.5 * went.max(), went  # it arrives as fast as it sets out, and that way


def film(piece: Path, out: Path, **changes: object) -> list[np.ndarray]:
    settings: dict[str, object] = {
        "scene": "ember",
        "size": SIZE,
        "frames": 15,
        "fps": 12,
    } | changes
    options = Options(piece=str(piece), offscreen=True, loop=True, out=str(out), **settings)  # type: ignore[arg-type]
    assert playing.play(options) == 0
    with av.open(str(out)) as movie:
        return [one.to_ndarray(format="rgb24") for one in movie.decode(video=0)]


def test_a_file_has_as_many_frames_as_were_asked_for_and_is_the_same_again(
    piece: Path, tmp_path: Path
) -> None:
    first, again, told = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "report.json"
    assert len(film(piece, first)) == 15
    film(piece, again, report=str(told))
    report = json.loads(told.read_text())  # of the film, and not of what goes before it
    assert report["frames"] == 15
    assert report["neural_fps"] == pytest.approx(report["fps"], rel=0.01)
    assert first.read_bytes() == again.read_bytes()
    assert len(film(piece, tmp_path / "c.mp4", frames=None)) == 60  # as a clip, else


def test_a_scene_that_fails_keeps_its_last_picture_here_too(
    piece: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tired = mine(tmp_path, broken="frame.index == 50")  # in the turn
    shown = film(piece, tmp_path / "a.mp4", scene=tired, frames=FRAMES)
    assert len(shown) == FRAMES
    assert caplog.text.count("RuntimeError: tired; the last picture stays") == 1


def test_how_long_it_takes_to_come_back() -> None:
    assert turn_of(5 * 30, 30) == round(3.75 * 30)
    assert turn_of(120 * 60, 60) == 16 * 60
    assert turn_of(24, 24000 / 1001) == 18
    for frames, fps, least in ((29, 30.0, 30), (23, 24000 / 1001, 24), (1, 1.0, 2)):
        with pytest.raises(LoopError, match=f"in {frames} of them .* give it {least} or more"):
            turn_of(frames, fps)
