"""The whole road, offscreen: a piece, a scene, the passes, a file; and what the room can ask."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from unittest.mock import Mock

import av
import numpy as np
import pytest
from PIL import Image

from installation import house, patience, playing, stage
from installation import scene as scenes
from installation.clock import Frame
from installation.engine.layer import Layer
from installation.engine.player import Player
from installation.modulation import Modulation
from installation.output.offscreen import Offscreen
from installation.output.window import Event
from installation.parameters import Bus
from installation.signals import ENDING, TERMINATED, ended_by_signals, status
from installation.venue import VenueError
from installation.watch.schedule import DAYS
from models.card import PieceError
from models.latent import GUIDE, Code, Label, Latent
from tests import music
from tests.gl_objects import Made
from tests.pieces import make_piece
from tests.shows import opened, run
from tests.visitors import Room, film
from tests.waiting import until

SIZE = (96, 64)


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_piece(tmp_path_factory.mktemp("pieces") / "tiny")


@pytest.fixture
def show(piece: Path) -> Iterator[stage.Stage]:
    options = stage.Options(piece=str(piece), scene="drift", size=SIZE, offscreen=True)
    with opened(options) as made:
        yield made


def render(piece: Path, out: Path, **changes: object) -> list[np.ndarray]:
    settings: dict[str, object] = {"scene": "drift", "size": SIZE, "frames": 12, "fps": 30.0}
    settings |= changes
    options = stage.Options(piece=str(piece), offscreen=True, out=str(out), **settings)  # type: ignore[arg-type]
    assert playing.play(options) == 0
    return [np.asarray(Image.open(path)) for path in sorted(out.glob("*.png"))]


def test_a_scene_is_told_who_is_there(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shape of those in a film, and the same each time; without one there is none."""
    room, told = Room(), list[np.ndarray | None]()
    pictures = [room.walls] * 60 + [room.dancer(n // 4) for n in range(30)]
    visitor = film(tmp_path / "visitor.mp4", pictures)
    step = Layer.step
    monkeypatch.setattr(Layer, "step", lambda s, f: (told.append(f.guide), step(s, f))[1])
    render(piece, tmp_path / "a", frames=17, fps=3.0, sight=str(visitor))
    assert told[0] is not None
    assert told[0].shape == (GUIDE, GUIDE)
    assert not told[0].any()
    assert told[-1] is not None
    assert told[-1].std() > 0.5
    first = list(told)
    told.clear()
    render(piece, tmp_path / "b", frames=17, fps=3.0, sight=str(visitor))
    np.testing.assert_array_equal(np.array(told), np.array(first))
    told.clear()
    render(piece, tmp_path / "c", frames=2)
    assert told == [None, None]


def test_the_same_seed_gives_the_same_frames(piece: Path, tmp_path: Path) -> None:
    first = render(piece, tmp_path / "a")
    again = render(piece, tmp_path / "b")
    other = render(piece, tmp_path / "c", seed=9)
    assert len(first) == 12
    assert first[0].shape == (SIZE[1], SIZE[0], 3)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_a_clip_and_its_report(piece: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "a.mp4", tmp_path / "a.json"
    options = stage.Options(
        piece=str(piece), offscreen=True, frames=9, fps=30, size=SIZE, out=str(out),
        report=str(told),
    )  # fmt: skip
    assert playing.play(options) == 0
    assert out.stat().st_size > 0
    found = json.loads(told.read_text())
    assert set(found) == {
        "frames", "seconds", "fps", "frame_ms", "neural_fps", "generator_ms", "upload_ms",
        "upscale_ms", "post_ms", "host_copy", "device", "renderer", "size", "upscaler",
        "dropped",
    }  # fmt: skip
    assert found["frames"] == 9
    assert found["size"] == list(SIZE)
    assert found["dropped"] == 0
    assert found["upscaler"]["tier"] == "S"
    assert found["upscaler"]["backend"] == "fragment"
    assert "nobody is watching" in found["upscaler"]["why"]


def test_a_song_is_heard_and_as_long_as_its_movie(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = music.write(tmp_path / "song.wav", music.drums(100, 1.5, first=0.2))
    struck, step = [], stage.Show.step

    def noted(self: stage.Show, moment: Frame) -> None:
        step(self, moment)
        struck.append((moment.onset, moment.level))

    monkeypatch.setattr(stage.Show, "step", noted)
    options = stage.Options(
        piece=str(piece), offscreen=True, fps=20, size=SIZE, sound=str(song),
        out=str(tmp_path / "a.mp4"),
    )  # fmt: skip
    assert playing.play(options) == 0
    assert [i for i, (onset, _) in enumerate(struck) if onset and i] == [4, 10, 16, 22, 28]
    assert len(struck) == 30
    assert max(level for _, level in struck) > 0.9
    with av.open(str(tmp_path / "a.mp4")) as movie:
        assert len(list(movie.decode(video=0))) == 30
        assert movie.streams.audio[0].duration is not None


@pytest.mark.parametrize("number", ENDING)
def test_a_clip_that_is_ended_on_request_is_whole(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    frame = stage.Stage.frame

    def ended(self: stage.Stage) -> None:
        frame(self)
        if self.stats.frames == 5:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(stage.Stage, "frame", ended)
    out = tmp_path / "a.mp4"
    options = stage.Options(piece=str(piece), offscreen=True, frames=500, size=SIZE, out=str(out))
    assert playing.play(options) == 130
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
    with av.open(str(out)) as movie:
        assert 5 <= len(list(movie.decode(video=0))) <= 10


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has none")
def test_a_closed_terminal_ends_it_unless_that_is_to_be_outlived() -> None:
    """It is nobody's wish at the wall; and `nohup` asks to stay."""
    before = signal.getsignal(signal.SIGHUP)
    try:
        for handler, ended in ((signal.SIG_DFL, [signal.SIGHUP]), (signal.SIG_IGN, [])):
            signal.signal(signal.SIGHUP, handler)
            with ended_by_signals(lambda: None) as came:
                os.kill(os.getpid(), signal.SIGHUP)
            assert came == ended
            assert status(came) == (TERMINATED if ended else 0)
            assert signal.getsignal(signal.SIGHUP) == handler
    finally:
        signal.signal(signal.SIGHUP, before)
    assert status([signal.SIGINT]) == 0


def test_a_rendering_that_keeps_nothing_says_so(
    piece: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = tmp_path / "a.json"
    options = stage.Options(piece=str(piece), offscreen=True, frames=1, size=SIZE, report=str(kept))
    playing.play(options)
    assert "nothing is kept" not in caplog.text
    playing.play(replace(options, report=""))
    assert "nothing is kept: --out FILE.mp4" in caplog.text


def test_a_film_is_not_sent_to_other_programs_and_that_is_said(
    piece: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "here.toml"
    place.write_text("[ndi]\nenabled = true\n")
    options = stage.Options(piece=str(piece), offscreen=True, frames=1, size=SIZE)
    playing.play(options)
    assert "NDI" not in caplog.text
    playing.play(replace(options, venue=str(place)))
    assert caplog.text.count("by NDI a film is not sent") == 1


def stand_still(show: stage.Stage) -> None:
    show.bus.post("/drift/speed", 0)
    show.bus.tick(100)


def test_the_waiting_picture_gives_way_to_the_piece(
    show: stage.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Player, "at_once", False)  # as in a window
    stand_still(show)
    assert show.show.waiting
    until(lambda: (show.frame(), not show.show.waiting)[1])
    first, later, grain = run(show, 1), run(show, 90), run(show, 1)
    assert np.abs(first - later).mean() > 5 * np.abs(later - grain).mean()


def test_a_movie_begins_with_the_piece(show: stage.Stage) -> None:
    """Nobody has waited for it."""
    stand_still(show)
    first, later, grain = run(show, 1), run(show, 90), run(show, 1)
    assert np.abs(first - later).mean() < 1.5 * np.abs(later - grain).mean()


def test_dark_by_hand_and_light_again(show: stage.Stage) -> None:
    assert run(show, 70).max() > 30
    show.keyboard.press("b")
    walked = show.show.stats.neural
    assert run(show, 15).max() == 0
    assert show.show.stats.neural > walked  # the show goes on behind it
    show.bus.post("/stage/black", 1)
    assert run(show, 15).max() > 30


def test_the_remote_is_told_what_is_on(show: stage.Stage) -> None:
    def told() -> tuple[str, str]:
        run(show, 1)
        status = show.news.all()
        return status["lit"], status["stored"]

    alone = "/stage/scene/drift"  # with one piece there is nothing to choose
    assert told() == (alone, "")
    show.bus.post("/stage/black", 1)
    show.bus.post("/preset/store", 1)
    assert told() == (f"{alone} /stage/black /preset/store", "")
    show.bus.post("/preset/3", 1)
    show.bus.post("/stage/black", 1)
    assert told() == (alone, "/preset/3")


def test_the_remote_is_told_why_the_wall_is_dark(piece: Path, tmp_path: Path) -> None:
    """Who comes before the house opens, and looks from a telephone."""
    place = tmp_path / "here.toml"
    day = DAYS[(datetime.now().weekday() + 3) % 7]  # neither today nor tomorrow
    place.write_text(f"[hours]\n{day} = '10:00-18:00'\n")
    with opened(stage.Options(piece=str(piece), venue=str(place), supervised=True)) as show:
        run(show, 2)
        assert show.news.all()["news"] == f"dark: closed until {day} 10:00"
    with opened(stage.Options(piece=str(piece), venue=str(place))) as show:  # of no concern here
        run(show, 2)
        assert show.news.all()["news"] == ""


def test_a_parameter_moves_the_picture(show: stage.Stage) -> None:
    bright = run(show, 90)
    show.bus.post("/light/brightness", 0)
    dark = run(show, 90)
    assert dark.mean() < 0.2 * bright.mean()


def test_a_label_moves_the_picture(show: stage.Stage) -> None:
    show.bus.post("/drift/speed", 0)
    before = run(show, 120)
    resting = np.abs(run(show, 2) - before).mean()  # the grain alone
    show.bus.post("/piece/form/disc", 1)
    disc = run(show, 60)
    show.bus.post("/piece/form/disc", 0)
    show.bus.post("/piece/form/oval", 1)
    oval = run(show, 60)
    assert np.abs(disc - oval).mean() > resting + 0.2


def test_scenes_change_by_hand_and_by_setlist(show: stage.Stage) -> None:
    run(show, 90)  # the waiting picture is gone
    show.bus.post("/stage/scene/procession", 1)
    show.bus.post("/stage/fade", 0.2)
    run(show, 2)
    assert [layer.name for layer in show.show.layers] == ["drift", "procession"]
    run(show, 20)
    assert [layer.name for layer in show.show.layers] == ["procession"]
    show.bus.post("/stage/next", 1)
    run(show, 2)
    names = show.order.names()
    after = names[names.index("procession") + 1]
    assert show.show.scene.name == after != names[1]  # on from where the hand has gone


def test_the_printed_addresses_are_those_of_the_show(show: stage.Stage) -> None:
    """MIDI controls are dealt out in order: `installation scenes` must print the same order."""
    bus = Bus()
    house.declare(bus, show.program.cards, show.order.names())
    assert [address for address, _ in show.bus] == [address for address, _ in bus]


def test_a_third_scene_cuts_a_transition_short_without_a_jump(show: stage.Stage) -> None:
    run(show, 90)
    show.bus.post("/stage/scene/procession", 1)
    show.bus.post("/stage/fade", 1)
    before = run(show, 15)  # halfway
    usual = np.abs(run(show, 1) - before).mean()
    for name in ("masquerade", "drift", "procession"):
        before = run(show, 0)
        show.bus.post(f"/stage/scene/{name}", 1)
        assert np.abs(run(show, 1) - before).mean() < 2 * usual + 1
        assert [layer.name for layer in show.show.layers] == [name]
    run(show, 45)
    assert show.show._still is None


def test_until_the_new_scene_is_ready_the_old_one_stays(piece: Path) -> None:
    """In a window the new scene's shaders and first picture take some frames."""
    options = stage.Options(piece=str(piece), scene="drift", size=SIZE, venue="rehearsal")
    screen = Offscreen(SIZE)
    show = playing.live(options, screen)
    show.show.start()
    try:
        until(lambda: (show.frame(), not show.show.waiting)[1])
        until(lambda: (show.frame(), show.show._progress >= 1)[1])
        waits: list[object] = []
        wait = show.show._wait
        show.show._wait = lambda frame: (waits.append(frame), wait(frame))[1]  # type: ignore[method-assign]
        for name in ("procession", "masquerade", "drift"):
            show.bus.post(f"/stage/scene/{name}", 1)
            show.frame()
        assert not show.show.scene.ready
        show.show.resize((SIZE[0] - 8, SIZE[1]))  # on a slow machine the picture gets smaller
        until(lambda: (show.frame(), show.show.scene.ready)[1])
        assert waits == []
    finally:
        show.close()
        screen.close()


def test_a_scene_chosen_while_one_waits_is_the_first_that_is_seen(piece: Path) -> None:
    options = stage.Options(piece=str(piece), scene="drift", size=SIZE, venue="rehearsal")
    screen = Offscreen(SIZE)
    show = playing.live(options, screen)
    show.bus.post("/stage/scene/masquerade", 1)
    show.frame()
    assert [layer.name for layer in show.show.layers] == ["masquerade"]
    show.close()
    screen.close()


def test_another_size_in_the_middle_of_transitions(show: stage.Stage) -> None:
    run(show, 90)
    for turn, name in enumerate(("procession", "masquerade", "drift")):
        show.bus.post(f"/stage/scene/{name}", 1)
        run(show, 2)
        show.show.resize((SIZE[0] + 8 * turn, SIZE[1]))
        assert run(show, 2).mean() > 1


def test_of_many_alike_in_one_frame_one_is_done(
    show: stage.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Mock()
    monkeypatch.setattr(show._presets._file, "write", written)
    for _ in range(500):
        show.bus.post("/preset/store", 1, "osc")
        show.bus.post("/preset/1", 1, "osc")
    run(show, 1)
    assert written.call_count == 1


def test_keys_of_one_frame_are_meant_for_what_was_selected_then(
    show: stage.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow frame: M, the next parameter, a step of it, M and L."""
    run(show, 2)
    first, second = "/light/brightness", "/light/sharpen"
    while show.keyboard.selected != first:
        show.keyboard.press("down")
    learned: list[str] = []
    monkeypatch.setattr(show.controls, "learn", learned.append)
    keys = [Event("key", key) for key in ("m", "l", "down", "left", "m", "m", "up", "l")]
    events = [keys, [Event("key", "down")]]
    monkeypatch.setattr(show.window, "events", lambda: events.pop(0) if events else [])
    run(show, 4)
    assert {a: one.by for a, one in show.modulations.moving.items()} == {
        first: "sine", second: "noise"
    }  # fmt: skip
    assert show.bus.target(second) < 1
    assert show.bus.target(first) == 1
    assert learned == [first, first]
    assert show.keyboard.selected == second


def test_of_several_scenes_in_one_frame_the_last_comes_on(show: stage.Stage) -> None:
    run(show, 3)
    for name in ("kin", "drift", "kin"):  # keys 1 2 1, while a frame took long
        show.bus.post(f"/stage/scene/{name}", 1, "key")
    run(show, 1)
    assert show.show.scene.name == "kin"


def test_several_presets_are_stored_in_one_frame(show: stage.Stage) -> None:
    """As by a bundle of OSC; none of them is called up instead."""
    for name in ("store", "1", "store", "2", "3"):
        show.bus.post(f"/preset/{name}", 1, "osc")
    run(show, 1)
    assert show._presets.stored == [1, 2]
    assert show.news.first.startswith("preset 3 is empty")
    show.bus.post("/preset/store", 1, "osc")
    run(show, 1)
    for name in ("4", "2", "4"):  # it is the first that is stored
        show.bus.post(f"/preset/{name}", 1, "osc")
    run(show, 1)
    assert show._presets.stored == [1, 2, 4]
    assert not show._presets.storing


def test_the_setlist_goes_on_by_itself(piece: Path, tmp_path: Path) -> None:
    order = tmp_path / "order.toml"
    order.write_text(
        '[[scene]]\nscene = "drift"\nseconds = 0.2\n'
        '[[scene]]\nscene = "masquerade"\nseconds = 9\nfade = 0\ntransition = "mix/melt"\n'
    )
    place = tmp_path / "here.toml"
    place.write_text(f"[play]\nsetlist = '{order}'\n")
    with opened(stage.Options(piece=str(piece), venue=str(place))) as show:
        run(show, 3)
        assert show.show.scene.name == "drift"
        run(show, 10)
        assert show.show.scene.name == "masquerade"


def test_a_setlist_of_one_scene_lets_it_be(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, place = tmp_path / "order.toml", tmp_path / "here.toml"
    order.write_text(
        '[[scene]]\nscene = "drift"\nseconds = 0.1\nfade = 0\n'
        'parameters = { "/drift/speed" = 0.15 }\n'
        'modulation = { "/light/sharpen" = { by = "sine" } }\n'
    )
    place.write_text(f"[play]\nsetlist = '{order}'\n")
    with opened(stage.Options(piece=str(piece), venue=str(place))) as show:
        run(show, 1)
        cue = Mock(wraps=show.show.cue)
        monkeypatch.setattr(show.show, "cue", cue)
        run(show, 20)
        assert cue.mock_calls == []
        assert show.bus.target("/drift/speed") == 0.15
        assert list(show.modulations.moving) == ["/light/sharpen"]
        show.bus.post("/stage/scene/kin", 1)
        run(show, 3)
        show.bus.post("/stage/next", 1)  # and this is still the way back
        run(show, 20)
        assert [call.args[0] for call in cue.mock_calls] == ["kin", "drift"]


def test_where_no_other_scene_starts_the_one_that_is_on_stays(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, order, place = tmp_path / "mine.py", tmp_path / "order.toml", tmp_path / "here.toml"
    mine.write_text(MINE.format(step="pass"))
    order.write_text(
        '[[scene]]\nscene = "drift"\nseconds = 0.1\nfade = 0\n'
        f'[[scene]]\nscene = "{mine}"\nseconds = 0.1\nfade = 0\n'
    )
    place.write_text(f"[play]\nsetlist = '{order}'\n")
    with opened(stage.Options(piece=str(piece), venue=str(place))) as show:
        run(show, 1)
        mine.unlink()
        drift, cue = show.show.scene, Mock(wraps=show.show.cue)
        monkeypatch.setattr(show.show, "cue", cue)
        run(show, 20)
        tried = [call.args[0] for call in cue.mock_calls]
        assert set(tried) == {str(mine)}
        assert len(tried) > 1  # it may have been mended
        assert show.show.scene is drift
        mine.write_text(MINE.format(step="pass"))
        run(show, 8)
        assert str(mine) in {layer.file for layer in show.show.layers}


def test_what_comes_together_with_a_scene_is_the_hands(piece: Path, tmp_path: Path) -> None:
    """A cue of another program: a bundle with the scene and how it is to be."""
    order, place = tmp_path / "order.toml", tmp_path / "here.toml"
    order.write_text(
        '[[scene]]\nscene = "drift"\n'
        '[[scene]]\nscene = "kin"\nparameters = { "/kin/beats" = 8, "/kin/calm" = 0.4 }\n'
    )
    place.write_text(f"[play]\nsetlist = '{order}'\n")
    with opened(stage.Options(piece=str(piece), venue=str(place))) as show:
        run(show, 3)
        show.bus.post("/stage/scene/kin", 1, "osc")
        show.bus.post("/kin/beats", 2, "osc")
        run(show, 3)
        assert show.bus.target("/kin/beats") == 2
        assert show.bus.target("/kin/calm") == 0.4
        show.bus.post("/stage/scene/drift", 1, "osc")
        run(show, 3)
        assert show.bus.target("/kin/beats") == 2  # nobody else's to give back
        assert show.bus.target("/kin/calm") == show.bus["/kin/calm"].default  # type: ignore[union-attr]


def test_a_scene_that_fails_keeps_the_last_picture(piece: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from installation.scene import Scene\n"
        "class Mine(Scene):\n"
        "    def start(self, space):\n        self.walk = space.loop()\n"
        "    def step(self, frame):\n"
        "        if frame.index > 5:\n            raise ValueError('my mistake')\n"
        "        return self.walk.point()\n"
    )
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        run(show, 60)
        assert "line 7: ValueError: my mistake" in show.show.scene.fault
        assert run(show, 0).mean() > 1
        path.rename(tmp_path / "mine.bak")  # as editors do while they save
        run(show, 3)
        assert "line 7: ValueError: my mistake" in show.show.scene.fault


MINE = (
    "from installation.scene import Pass, Scene\n"
    "class Mine(Scene):\n"
    "    passes = (Pass('post/grade'), Pass('post/grain'))\n"
    "    def start(self, space):\n        self.walk = space.loop()\n"
    "    def step(self, frame):\n        {step}\n        return self.walk.point()\n"
)


def test_a_scene_that_loops_for_ever_is_left_where_it_was(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its step, as it begins, and as its file is read. Nobody waits for it a second time."""
    monkeypatch.setattr(patience, "LONGEST", 0.05)
    monkeypatch.setattr(patience, "LOADING", 0.05)
    endless, path = "while True: pass", tmp_path / "mine.py"
    path.write_text(MINE.format(step="while frame.index > 5: pass"))
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        run(show, 60)
        says = "scene mine: line 7: Endless: it does not come to an end within 0.05 seconds"
        assert show.show.scene.fault == says
        assert run(show, 0).mean() > 1
        show.bus.post("/stage/scene/drift", 1)
        run(show, 3)
        assert show.show.scene.name == "drift"
        for broken in (MINE.format(step=endless), MINE.format(step="pass") + endless):
            path.write_text(broken)
            show.bus.post("/stage/scene/mine", 1)
            run(show, 3)
            assert "Endless: it does not come to an end within 0.05 seconds" in show.news.first
            assert show.news.first.endswith("; drift stays on")
        path.write_text(MINE.format(step="pass"))
        show.bus.post("/stage/scene/mine", 1)
        run(show, 3)
        assert (show.show.scene.name, show.news.first) == ("mine", "")


def test_a_scene_that_is_mended_is_stepped_again(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LONGEST", 0.05)
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(step="while frame.index > 5: pass"))
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        run(show, 60)
        path.write_text(MINE.format(step="self.walk.advance(0.1)"))
        show.show.reload_scene(path)
        run(show, 1)
        before = show.show.scene.shown
        run(show, 3)
        assert show.show.scene.fault == ""
        assert (show.show.scene.shown != before).any()


def test_a_scene_that_exits_ends_no_show(piece: Path, tmp_path: Path) -> None:
    """In its step, as it begins, and as its file is read."""
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(step="if frame.index > 5: raise SystemExit(3)"))
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        assert run(show, 10).mean() > 1
        assert show.show.scene.fault.endswith("line 7: SystemExit: 3")
        for broken in (MINE.format(step="exit()"), "import sys\nsys.exit()\n"):
            path.write_text(broken)
            show.show.reload_scene(path)
            assert "SystemExit" in show.show.scene.fault
            show.bus.post("/stage/scene/mine", 1)
            assert run(show, 3).mean() > 1
            assert "SystemExit" in show._evening.fault


def test_ctrl_c_in_the_middle_of_a_scene_is_none_of_its_faults(piece: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(step="if frame.index > 5: raise KeyboardInterrupt"))
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        with pytest.raises(KeyboardInterrupt):
            run(show, 10)
        path.write_text(MINE.format(step="raise KeyboardInterrupt"))
        with pytest.raises(KeyboardInterrupt):
            show.show.reload_scene(path)


def test_a_scene_that_fails_now_and_then_says_so_once(
    piece: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(step="1 / ((frame.index + 1) % 3)"))
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        run(show, 12)
        assert caplog.text.count("division by zero") == 1
        show.show.reload_scene(path)
        run(show, 3)
        assert caplog.text.count("division by zero") == 2


@pytest.mark.parametrize("step", ["self.passes = self.passes[:1]", "self.passes *= 2"])
def test_a_scene_that_changes_its_passes_as_it_plays_keeps_those_it_began_with(
    piece: Path, tmp_path: Path, step: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINE.format(step=f"if frame.index == 5: {step}"))
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        assert run(show, 10).mean() > 1


@pytest.mark.parametrize("passes", ["Pass('post/grade')", "('post/grade',)", "3"])
def test_a_scene_that_begins_with_passes_that_are_none_is_refused(
    piece: Path, tmp_path: Path, passes: str
) -> None:
    path = tmp_path / "mine.py"
    good = MINE.format(step="pass")
    path.write_text(good)
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        run(show, 3)
        path.write_text(good.replace("space.loop()", f"space.loop(); self.passes = {passes}"))
        show.show.reload_scene(path)
        assert "passes must be a tuple" in show.show.scene.fault


def test_a_point_that_is_too_large_for_the_piece_is_a_fault(piece: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        MINE.format(step="if frame.index > 5: return self.walk.point().astype('f8') + 1e300")
    )
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        assert run(show, 10).mean() > 1
        assert "not finite" in show.show.scene.fault


def test_saving_a_scene_reloads_it_and_a_broken_one_keeps_the_old(
    piece: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.py"
    good = (scenes.find("drift").read_text()).replace("class Drift", "class Mine")
    path.write_text(good)
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        run(show, 3)
        show.bus.post("/mine/speed", 0.15)
        run(show, 3)
        path.write_text(good.replace("class Mine(Scene):", "class Mine(Scene)"))
        show.show.reload_scene(path)
        run(show, 3)
        assert "SyntaxError" in show.show.scene.fault  # until it is mended
        path.write_text(good.replace('unit="loops/s"', 'unit="laps/s"'))
        show.show.reload_scene(path)
        assert show.show.scene.fault == ""
        assert show.bus["/mine/speed"].unit == "laps/s"  # type: ignore[union-attr]
        assert show.bus.target("/mine/speed") == pytest.approx(0.15)


def test_a_broken_reload_leaves_the_old_scene_its_parameters(piece: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    good = (scenes.find("drift").read_text()).replace("class Drift", "class Mine")
    path.write_text(good)
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        show.bus.post("/mine/calm", 0.9)
        run(show, 60)
        path.write_text(good.replace("post/bloom", "post/blom").replace("calm", "calmer"))
        show.show.reload_scene(path)
        run(show, 3)
        assert "post/blom" in show.show.scene.fault
        assert show.bus.target("/mine/calm") == pytest.approx(0.9)
        fails_with_what_the_room_set = good.replace(
            "self.walk.advance", "assert self.calm < 0.8\n        self.walk.advance"
        )
        path.write_text(fails_with_what_the_room_set)
        show.show.reload_scene(path)
        run(show, 3)
        assert "AssertionError" in show.show.scene.fault
        show.bus.post("/stage/scene/mine", 1)
        run(show, 3)
        assert len(show.show.layers) == 1


def test_a_shader_saved_broken_is_shown_until_it_is_mended(piece: Path, tmp_path: Path) -> None:
    shader = tmp_path / "mine.glsl"
    good = "uniform float amount = 0.5f; // how much\nvoid main() { color = vec4(amount); }\n"
    shader.write_text(good)
    path = tmp_path / "mine.py"
    drift = (scenes.find("drift").read_text()).replace("class Drift", "class Mine")
    path.write_text(drift.replace('"post/bloom"', repr(str(shader))))
    with opened(stage.Options(piece=str(piece), scene=str(path))) as show:
        run(show, 3)
        for broken in (good.replace(";", ""), good.replace("0.5f", "1.0 - 0.5")):
            shader.write_text(broken)
            show.show.reload_shaders()
            run(show, 3)
            assert "mine.glsl" in show.show.scene.fault
        shader.write_text(good)
        show.show.reload_shaders()
        assert show.show.scene.fault == ""


def test_a_scene_that_does_not_start_is_told_where_a_hand_looks(
    piece: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.py"
    shutil.copy(str(scenes.find("drift")), mine)
    mine.write_text(mine.read_text().replace("class Drift", "class Mine"))
    order, place = tmp_path / "order.toml", tmp_path / "here.toml"
    order.write_text(f'[[scene]]\nscene = "drift"\n[[scene]]\nscene = "{mine}"\n')
    place.write_text(f"[play]\nsetlist = '{order}'\npresets = ''\n")
    with opened(stage.Options(piece=str(piece), venue=str(place))) as show:
        run(show, 3)
        mine.unlink()
        show.bus.post("/stage/scene/mine", 1)
        run(show, 2)
        assert show.news.first == f"no scene file {mine}; drift stays on"
        show.bus.post("/preset/store", 1)
        run(show, 2)
        assert "preset's number" in show.news.first  # what a hand waits for comes first
        for _ in ("stored", "called up"):
            show.bus.post("/preset/1", 1)
            run(show, 2)
        assert show.news.first == ""  # called up or on, drift is what is wanted now
        for wanted in ("mine", "drift"):
            show.bus.post(f"/stage/scene/{wanted}", 1)
            run(show, 2)
        assert show.news.first == ""


def test_a_preset_whose_scene_does_not_start_leaves_the_faders(piece: Path, tmp_path: Path) -> None:
    mine, order, place = tmp_path / "mine.py", tmp_path / "order.toml", tmp_path / "here.toml"
    shutil.copy(str(scenes.find("drift")), mine)
    mine.write_text(mine.read_text().replace("class Drift", "class Mine"))
    order.write_text(f'[[scene]]\nscene = "{mine}"\n[[scene]]\nscene = "drift"\n')
    place.write_text(f"[play]\nsetlist = '{order}'\npresets = ''\n")
    bright, sine, bass = "/light/brightness", Modulation(by="sine"), Modulation(by="bass")
    with opened(stage.Options(piece=str(piece), venue=str(place))) as show:
        show.bus.post(bright, 0.2, "osc")
        show.bus.post(bright, sine, "osc", "modulation")
        run(show, 3)
        show.keyboard.press("f1", ["shift"])
        run(show, 1)
        show.bus.post("/stage/scene/drift", 1, "osc")
        show.bus.post(bright, 0.9, "osc")
        show.bus.post(bright, None, "osc", "modulation")
        run(show, 3)
        text = mine.read_text()
        mine.unlink()
        show.keyboard.press("f1")
        run(show, 3)
        assert show.news.first == f"no scene file {mine}; drift stays on"
        assert (show.bus.target(bright), show.modulations.of(bright)) == (0.9, None)
        mine.write_text(text)
        show.keyboard.press("f1")
        run(show, 3)
        assert show.show.scene.name == "mine"
        assert (show.bus.target(bright), show.modulations.of(bright)) == (0.2, sine)
        show.keyboard.press("f1")
        show.bus.post(bright, bass, "osc", "modulation")  # together with it, as in a bundle
        run(show, 3)
        assert show.modulations.of(bright) == bass


def test_a_recording_that_cannot_be_made_is_told_where_a_hand_looks(
    piece: Path, tmp_path: Path
) -> None:
    clips, place = tmp_path / "clips", tmp_path / "here.toml"
    clips.write_text("a file")
    place.write_text(f"[record]\nfolder = '{clips}'\n")
    with opened(stage.Options(piece=str(piece), venue=str(place))) as show:
        show.bus.post("/stage/record", 1, "key")
        run(show, 1)
        assert show.news.first.startswith("no recording: ")
        clips.unlink()
        show.bus.post("/stage/record", 1, "key")
        run(show, 1)
        assert show.news.first == "recording"


def test_a_still_is_of_the_picture_that_is_drawn(piece: Path, tmp_path: Path) -> None:
    place = tmp_path / "here.toml"
    place.write_text(f"[record]\nfolder = '{tmp_path}'\n")
    with opened(stage.Options(piece=str(piece), scene="drift", venue=str(place))) as show:
        run(show, 30)
        show.bus.post("/stage/still", 1)
        shown = run(show, 1)
        until(lambda: list(tmp_path.glob("*.png")))
        saved = np.asarray(Image.open(next(tmp_path.glob("*.png")))).astype(int)
        np.testing.assert_array_equal(saved, shown[::-1])


def test_a_scene_of_ones_own_takes_the_place_of_ours(piece: Path, tmp_path: Path) -> None:
    """`--scene` changes no number and no MIDI channel of the other scenes."""
    bus = Bus()
    cards = stage.Programme.of(stage.Options(piece=str(piece))).cards
    before = house.declare(bus, cards, ["drift", "procession"])
    mine = str(tmp_path / "procession.py")
    shutil.copy(str(scenes.find("procession")), mine)
    after = house.declare(Bus(), cards, ["drift", "procession", mine])
    assert list(after) == list(before)
    assert after["procession"] == mine
    options = stage.Options(piece=str(piece), scene="masquerade")
    assert stage.Programme.of(options).scenes[0] == "drift"


def test_a_window_of_another_shape(show: stage.Stage) -> None:
    run(show, 3)
    show.show.resize((64, 96))
    assert run(show, 3).shape == (SIZE[1], SIZE[0], 3)


@pytest.mark.parametrize(
    ("resolution", "latent", "scale"),
    [
        (64, Latent(6), 0),
        (128, Latent(6, (), (Code("a", "categorical", 3), Code("b", "continuous"))), 0),
        (256, Latent(6, (Label("one", ("only",)),)), 0),
        (32, Latent(6), 3),
    ],
    ids=["bare", "codes", "large", "own upscaler"],
)
def test_pieces_of_every_kind_play(
    tmp_path: Path, resolution: int, latent: Latent, scale: int
) -> None:
    folder = make_piece(tmp_path / "one", resolution, latent, scale)
    with opened(stage.Options(piece=str(folder), scene="masquerade")) as show:
        for name in ("procession", "drift"):
            assert run(show, 30).std() > 1
            show.bus.post(f"/stage/scene/{name}", 1)


@pytest.mark.parametrize("name", scenes.shipped())
def test_every_scene_draws_something_alive(piece: Path, name: str) -> None:
    with opened(stage.Options(piece=str(piece), scene=name)) as show:
        before = run(show, 90)
        assert before.std() > 1
        assert np.abs(run(show, 60) - before).mean() > 0.05


def test_a_venue_s_values_are_there_from_the_first_frame(piece: Path, tmp_path: Path) -> None:
    place = tmp_path / "here.toml"
    place.write_text('[parameters]\n"/light/brightness" = 0.5\n"/drift/calm" = 1\n')
    options = stage.Options(piece=str(piece), scene="drift", venue=str(place))
    with opened(options) as show:
        assert show.bus.value("/light/brightness") == 0.5
        assert show.bus.value("/drift/calm") == 1


def test_a_venue_value_for_an_unknown_parameter_is_refused(piece: Path, tmp_path: Path) -> None:
    place = tmp_path / "here.toml"
    place.write_text('[parameters]\n"/drift/sped" = 1\n')
    options = stage.Options(piece=str(piece), venue=str(place))
    with pytest.raises(VenueError, match="/drift/sped"), opened(options):
        pass


def test_a_damaged_piece_is_refused_before_anything_opens(piece: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(piece, damaged)
    weights = damaged / "generator.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(PieceError, match="damaged"):
        playing.play(stage.Options(piece=str(damaged), offscreen=True, frames=1))


def test_nothing_is_left_on_the_gpu_when_scenes_change(
    piece: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is made for a scene goes with it: moderngl frees nothing by itself."""
    made = Made(monkeypatch)
    options = stage.Options(piece=str(piece), scene="drift")
    with opened(options) as show:
        counts = []
        for _ in range(3):
            for name in scenes.shipped():
                show.show.cue(name, "mix/dissolve", 0)
                run(show, 2)
            counts.append(made.alive())
        assert counts[0] == counts[1] == counts[2]
        assert counts[0] < 200
    assert made.alive() == 0
