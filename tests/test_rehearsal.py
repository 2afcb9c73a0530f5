"""Saving a file shows it at once; a broken one keeps the old and says which line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import shaders
from installation import setlist
from installation.programme import Options, watched
from installation.rehearsal import FileWatch
from installation.stage import Stage
from models.latent import Latent
from tests.pieces import make_piece
from tests.shows import opened, run

TINT = "uniform float amount = 0.5; // how red\nvoid main() { color = vec4(amount, 0, 0, 1); }\n"


def save(path: Path, text: str) -> None:
    """As editors do: write beside it, then replace; and let the clock of the disk move on."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    stamp = beside.stat().st_mtime_ns + (path.stat().st_size if path.exists() else 0) + 10**9
    os.utime(beside, ns=(stamp, stamp))
    beside.replace(path)


def test_a_watch_names_the_files_that_were_saved(tmp_path: Path) -> None:
    a, b = tmp_path / "a.py", tmp_path / "b.glsl"
    save(a, "1")
    save(b, "1")
    watch = FileWatch([a, b], every=0)
    assert watch.changed() == []
    save(b, "22")
    assert watch.changed() == [b]
    assert watch.changed() == []
    a.unlink()
    assert watch.changed() == []
    save(a, "333")
    assert watch.changed() == [a]
    a.rename(tmp_path / "away")
    assert watch.changed() == []
    (tmp_path / "away").rename(a)  # the same as ever, but it was missed meanwhile
    assert watch.changed() == [a]
    assert watch.changed() == []


def test_a_watch_looks_only_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    save(path, "1")
    watch = FileWatch([path], every=3600)
    assert watch.changed() == []
    save(path, "22")
    assert watch.changed() == []


def test_scene_and_shader_are_taken_up_while_it_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tint, mine = tmp_path / "tint.glsl", tmp_path / "mine.py"
    save(tint, TINT)
    text = (
        "from installation.scene import Param, Pass, Scene\n"
        "class Mine(Scene):\n"
        f"    passes = (Pass({str(tint)!r}, amount=Param(0.5, 0, 1, doc='Red.')),)\n"
        "    def start(self, space):\n        self.walk = space.loop()\n"
        "    def step(self, frame):\n        return self.walk.point()\n"
    )
    save(mine, text)
    piece = make_piece(tmp_path / "tiny")
    with opened(Options(piece=str(piece), scene=str(mine), size=(64, 64)), (64, 64)) as show:
        show._watch._every = 0

        def red() -> int:
            return int(run(show, 65)[0, 0, 0])

        assert "/mine/tint/amount" in show.bus
        half = red()
        save(tint, TINT.replace("vec4(amount,", "vec4(amount * 0.25,"))
        assert red() < half - 30
        save(tint, TINT.replace("vec4(", "vec5("))
        darker = red()
        assert darker < half - 30
        assert "tint.glsl:2" in show.show.scene.fault
        save(tint, TINT)
        assert abs(red() - half) <= 1
        assert show.show.scene.fault == ""
        save(mine, text.replace("def step", "def stepp"))
        assert red() > 0
        assert "NotImplementedError" in show.show.scene.fault
        save(mine, text.replace("'Red.'", "'Redder.'"))
        assert red() > 0
        assert show.bus["/mine/tint/amount"].doc == "Redder."


def test_a_shader_that_a_scene_takes_in_while_it_plays(tmp_path: Path) -> None:
    tint, mine, piece = tmp_path / "tint.glsl", tmp_path / "mine.py", make_piece(tmp_path / "tiny")
    text = (
        "from installation.scene import Param, Pass, Scene\n"
        "class Mine(Scene):\n"
        "    passes = ()\n"
        "    def start(self, space):\n        self.walk = space.loop()\n"
        "    def step(self, frame):\n        return self.walk.point()\n"
    )
    save(mine, text)
    save(tint, TINT.replace("vec4(", "vec5("))
    with opened(Options(piece=str(piece), scene=str(mine), size=(64, 64)), (64, 64)) as show:
        show._watch._every = 0
        run(show, 65)
        save(mine, text.replace("passes = ()", "passes = (Pass('tint.glsl', amount=1),)"))
        run(show, 1)
        assert "tint.glsl:2" in show.show.scene.fault
        save(tint, TINT)
        assert tuple(run(show, 1)[0, 0]) == (255, 0, 0)
        assert show.show.scene.fault == ""
        save(tint, TINT.replace("vec4(amount, 0", "vec4(0, amount"))
        assert tuple(run(show, 1)[0, 0]) == (0, 255, 0)


def test_a_scene_moves_its_shader_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A text names a number of the scene's, read after each step; what fails keeps the last."""
    tint, mine, piece = tmp_path / "tint.glsl", tmp_path / "mine.py", make_piece(tmp_path / "tiny")
    text = (
        "from installation.scene import Param, Pass, Scene\n"
        "class Mine(Scene):\n"
        "    wrong = Param(0, 0, 2)\n"
        "    passes = (Pass('tint.glsl', amount='glow'),)\n"
        "    def start(self, space):\n        self.walk, self.glow = space.loop(), 0\n"
        "    def step(self, frame):\n"
        "        self.glow = min(1, frame.index / 100)\n"
        "        if self.wrong == 1:\n            self.glow = float('nan')\n"
        "        if self.wrong == 2:\n            del self.glow\n"
        "        return self.walk.point()\n"
    )
    save(tint, TINT)
    save(mine, text)
    with opened(Options(piece=str(piece), scene=str(mine), size=(64, 64)), (64, 64)) as show:
        show._watch._every = 0

        def red() -> int:
            return int(run(show, 1)[0, 0, 0])

        assert "/mine/tint/amount" not in show.bus  # it is the scene's, and not the room's
        run(show, 40)
        low = red()
        assert 60 < low < red() < 250
        for wrong, says in ((1, "glow is nan"), (2, "has no attribute 'glow'")):
            show.bus.post("/mine/wrong", wrong, "osc")
            before = red()
            assert abs(int(run(show, 20)[0, 0, 0]) - before) <= 1  # the dither's
            assert says in show.show.scene.fault
        show.bus.post("/mine/wrong", 0, "osc")
        run(show, 60)
        assert red() == 255
        assert show.show.scene.fault == ""
        save(mine, text.replace("'glow'", "'glwo'"))
        run(show, 1)
        assert "has no attribute 'glwo'" in show.show.scene.fault
    assert "the last picture stays" in caplog.text


MIX = (
    "uniform sampler2D a;\nuniform sampler2D b;\nuniform float progress = 0.0; // how far\n"
    "void main() { color = vec4(progress < 1.0 ? vec3(0.1) : here(b), 1); }\n"
)


def test_a_transition_is_taken_up_while_it_plays(tmp_path: Path) -> None:
    own, piece = tmp_path / "own.glsl", make_piece(tmp_path / "tiny")
    save(own, MIX)
    with opened(Options(piece=str(piece), scene="drift", size=(64, 64)), (64, 64)) as show:
        run(show, 80)
        show.show.cue("masquerade", str(own), fade=60)
        dark = run(show, 5)[0, 0, 0]
        save(own, MIX.replace("vec3(0.1)", "vec3(0.8)"))
        show.show.reload_shaders()
        bright = run(show, 1)[0, 0, 0]
        assert bright > dark + 50
        save(own, MIX.replace("vec3(0.1)", "vec5(0.1)"))
        show.show.reload_shaders()
        assert run(show, 1)[0, 0, 0] == pytest.approx(bright, abs=2)


def test_a_broken_transition_keeps_no_scene_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own, piece = tmp_path / "own.glsl", make_piece(tmp_path / "tiny")
    order, place = tmp_path / "order.toml", tmp_path / "here.toml"
    order.write_text(
        f'[[scene]]\nscene = "drift"\ntransition = "{own}"\n'
        f'[[scene]]\nscene = "masquerade"\ntransition = "{own}"\n'
    )
    place.write_text(f"[play]\nsetlist = '{order}'\n")
    save(own, MIX)
    options = Options(piece=str(piece), size=(64, 64), venue=str(place))
    with opened(options, (64, 64)) as show:
        run(show, 80)
        for scene, serves in (("masquerade", "mix/dissolve"), ("drift", str(own))):
            save(own, MIX.replace("vec3(0.1)", "vec5(0.1)"))
            caplog.clear()
            show.bus.post("/stage/next", 1)
            run(show, 150)
            assert show.show.scene.name == scene
            assert len(show.show.layers) == 1
            assert "own.glsl:4" in caplog.text
            assert f"the transition is {serves}, as it last was" in caplog.text
            save(own, MIX)
            show.show.cue("kin", str(own), fade=0)


def test_what_kept_a_scene_off_is_told_until_it_is_mended(tmp_path: Path) -> None:
    """By its own file or its shader's; another file that is saved mends nothing."""
    mine, tint, piece = tmp_path / "mine.py", tmp_path / "tint.glsl", make_piece(tmp_path / "tiny")
    order, place = tmp_path / "order.toml", tmp_path / "here.toml"
    order.write_text(f'[[scene]]\nscene = "drift"\n[[scene]]\nscene = "{mine}"\n')
    place.write_text(f"[play]\nsetlist = '{order}'\n[rehearsal]\nreload = true\n")
    text = (
        "from installation.scene import Pass, Scene\n"
        "class Mine(Scene):\n"
        "    passes = (Pass('tint.glsl', amount=1),)\n"
        "    def start(self, space):\n        self.walk = space.loop()\n"
        "    def step(self, frame):\n        return self.walk.point()\n"
    )
    save(tint, TINT)
    save(mine, text)
    options = Options(piece=str(piece), size=(64, 64), venue=str(place))
    with opened(options, (64, 64)) as show:
        show._watch._every = 0
        broken = text.replace("space.loop()", "space.lop()")
        save(mine, broken)
        show.bus.post("/stage/scene/mine", 1)
        run(show, 2)
        assert "line 5: AttributeError" in show.news.first
        save(tint, TINT + "\n")
        run(show, 1)
        assert "line 5: AttributeError" in show.news.first
        save(mine, "\n" + broken)
        run(show, 1)
        assert "line 6: AttributeError" in show.news.first
        save(tint, TINT.replace("vec4(", "vec5("))
        save(mine, text)
        run(show, 1)
        assert "tint.glsl:2" in show.news.first
        save(tint, TINT)
        run(show, 1)
        assert show.news.first == ""
        assert [layer.name for layer in show.show.layers] == ["drift"]  # nobody has asked again
        show.bus.post("/stage/scene/mine", 1)
        run(show, 2)
        assert show.show.scene.name == "mine"


SCENE = (
    "from installation.scene import Param, Pass, Scene\n"
    "class Mine(Scene):\n"
    "    calm = Param(0.5, 0, 1)\n"
    "    def start(self, space):\n        self.walk = space.loop()\n"
    "    def step(self, frame):\n        return self.walk.point()\n"
)


def test_a_film_is_of_what_was_there_when_it_was_begun(tmp_path: Path) -> None:
    """An artist works on while it is rendered, which takes as long as it takes."""
    mine, tint, place = tmp_path / "mine.py", tmp_path / "tint.glsl", tmp_path / "here.toml"
    place.write_text("[rehearsal]\nreload = true\n")
    save(tint, TINT)
    save(mine, SCENE.replace("def start", "passes = (Pass('tint.glsl', amount=1),)\n    def start"))
    piece = make_piece(tmp_path / "tiny")
    options = Options(
        piece=str(piece), scene=str(mine), size=(64, 64), venue=str(place), offscreen=True
    )
    with opened(options, (64, 64)) as show:
        show._watch._every = 0
        before = run(show, 5)
        save(mine, SCENE)
        save(tint, TINT.replace("amount, 0,", "0, amount,"))
        assert abs(run(show, 5) - before).max() <= 1  # its dither moves


def test_a_saved_scene_has_its_parameters_in_the_order_of_its_file(tmp_path: Path) -> None:
    """As it will have them tomorrow: /on/2 and the automatic MIDI map go by it."""
    mine, glow = tmp_path / "mine.py", "Pass('post/bloom', amount=Param(0.25, 0, 1))"
    text = SCENE.replace("def start", f"passes = ({glow},)\n    def start")
    save(mine, text)
    options = Options(piece=str(make_piece(tmp_path / "tiny")), scene=str(mine), size=(64, 64))

    def order(show: Stage) -> tuple[list[str], list[str]]:
        show.frame()
        return [address for address, _ in show.bus], [show.bus.meant(f"/on/{n}") for n in (1, 2, 3)]

    with opened(options, (64, 64)) as show:
        show._watch._every = 0
        order(show)
        grain = "Pass('post/grain', amount=Param(0.1, 0, 1))"
        text = text.replace("    calm", "    speed = Param(0.1, 0, 2)\n    calm")
        save(mine, text.replace("passes = (", f"passes = ({grain}, "))
        saved = order(show)
    with opened(options, (64, 64)) as tomorrow:
        assert saved == order(tomorrow)
    assert saved[1] == ["/mine/speed", "/mine/calm", "/mine/grain/amount"]


def test_what_is_refused_or_tried_leaves_the_faders_of_the_scene_that_is_on(tmp_path: Path) -> None:
    mine, order, place = tmp_path / "mine.py", tmp_path / "order.toml", tmp_path / "here.toml"
    pieces = [make_piece(tmp_path / "one"), make_piece(tmp_path / "two", 16, Latent(6))]
    order.write_text(
        "".join(f'[[scene]]\nscene = "{mine}"\npiece = "{piece}"\n' for piece in pieces)
    )
    place.write_text(f"[play]\nsetlist = '{order}'\npresets = ''\n[rehearsal]\nreload = true\n")
    text = (
        "from installation.scene import Param, Scene\n"
        "class Mine(Scene):\n"
        "    speed, which = Param(0.1, 0, 1), Param(0, 0, 2)\n"
        "    def start(self, space):\n        self.walk, self.space = space.loop(), space\n"
        "    def step(self, frame):\n"
        "        self.walk.advance(frame.dt * self.speed)\n"
        "        assert self.which < 2 or self.space.labels, 'no labels'\n"
        "        return self.walk.point()\n"
    )
    other = text.replace("speed", "fast")  # another fader, in the place of one that is used
    save(mine, text)
    with opened(Options(size=(64, 64), venue=str(place)), (64, 64)) as show:
        show._watch._every = 0
        show.bus.post("/mine/speed", 0.7)
        show.bus.post("/mine/which", 2)
        run(show, 2)

        def said_of(changed: str) -> tuple[str, str]:
            save(mine, changed)
            run(show, 2)
            assert show.bus.value("/mine/speed") == 0.7
            assert "/mine/fast" not in show.bus
            return show.show.scene.fault, show._evening.fault

        broken = other.replace("self.space.labels, 'no labels'", "not self.space, 'no good'")
        assert "no good" in said_of(broken)[0]
        show.bus.post("/stage/piece/two", 1)
        assert all("no good" in said for said in said_of(broken))
        there = other.replace("self.space.labels, 'no labels'", "not self.space.labels, 'no use'")
        fault, refused = said_of(there)  # on the piece that is wanted it would start
        assert "no use" in fault
        assert refused == ""


def test_shaders_of_one_s_own_are_watched(tmp_path: Path) -> None:
    for name in ("tint", "wipe"):
        (tmp_path / f"{name}.glsl").touch()
    work = tmp_path / "mine.py"
    work.write_text(
        "from installation.scene import Pass, Scene\n"
        "class Mine(Scene):\n    passes = (Pass('tint.glsl'),)\n"
    )
    entry = setlist.Entry(scene=str(work), transition=str(tmp_path / "wipe.glsl"))
    found = watched([str(work)], setlist.Setlist(scene=[entry]))
    assert {work, tmp_path / "tint.glsl", tmp_path / "wipe.glsl"} <= set(found)


def test_every_shader_that_ships_is_watched() -> None:
    names = {path.stem for path in shaders.files()}
    assert {"bloom", "dissolve", "waiting", "color"} <= names
