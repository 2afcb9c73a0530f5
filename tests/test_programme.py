"""What is played: all of it where somebody is there to mend it, else what is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from installation.programme import Options, Programme
from installation.scene import SceneError
from installation.setlist import SetlistError
from installation.still import StillError
from installation.venue import VenueError
from models.card import GENERATOR, PieceError
from shaders import ShaderError
from tests.pieces import make_piece
from tests.shows import opened, run

MINE = """
from installation.scene import Param, Scene

class Mine(Scene):
    speed = Param(0.5, 0, 1, doc="How fast.")

    def start(self, space):
        self.at = space.seed(1)

    def step(self, frame):
        return self.at
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A venue of three entries: a scene of one's own, a piece of its own, and one of ours."""
    one, two = make_piece(tmp_path / "one"), make_piece(tmp_path / "two")
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "mine.glsl").write_text("uniform sampler2D a, b; void main() { color = vec4(0); }")
    (tmp_path / "order.toml").write_text(
        f'[[scene]]\nscene = "{tmp_path}/mine.py"\npiece = "{one}"\n'
        f'parameters = {{ "/mine/speed" = 1 }}\n'
        f'[[scene]]\nscene = "ember"\npiece = "{two}"\n'
        f'[[scene]]\nscene = "drift"\npiece = "{one}"\ntransition = "{tmp_path}/mine.glsl"\n'
    )
    venue = tmp_path / "here.toml"
    venue.write_text(
        f'[play]\nsetlist = "{tmp_path}/order.toml"\n[parameters]\n"/mine/speed" = 0.25\n'
        '[midi]\nmap = [{ cc = 7, address = "/mine/speed" }]\n[web]\nenabled = false\n'
    )
    return venue


def scenes_of(program: Programme) -> list[str]:
    return [Path(name).stem for name in program.order.names()]


def unattended(house: Path) -> Programme:
    return Programme.of(Options(venue=str(house), supervised=True))


def test_what_is_whole_is_played_whole(house: Path, caplog: pytest.LogCaptureFixture) -> None:
    program = unattended(house)
    assert scenes_of(program) == ["mine", "ember", "drift"]
    assert program.broken == ()
    assert "left out" not in caplog.text


def test_a_scene_that_is_broken_is_left_out(
    house: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mine.py").write_text(MINE + "def (")
    with pytest.raises(SceneError, match="line 12: SyntaxError"):
        Programme.of(Options(venue=str(house)))
    with opened(Options(venue=str(house), supervised=True)) as show:
        run(show, 3)
        assert show.scene_names[0] == "ember"
        assert show.show.player.card.name == "two"
    assert "left out: scene" in caplog.text
    assert "there is no /mine/speed" in caplog.text  # the venue's, and by MIDI


def test_a_piece_that_is_damaged_is_left_out(house: Path, tmp_path: Path) -> None:
    (tmp_path / "one" / GENERATOR).write_bytes(b"bits that have rotted")
    with pytest.raises(PieceError):
        Programme.of(Options(venue=str(house)))
    program = unattended(house)
    assert scenes_of(program) == ["ember"]
    assert list(program.pieces) == ["two"]
    assert len(program.broken) == 1
    assert GENERATOR in program.broken[0]


def test_a_broken_transition_gives_way_to_the_plain_one(house: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.glsl").unlink()
    with pytest.raises(ShaderError):
        Programme.of(Options(venue=str(house)))
    program = unattended(house)
    assert [entry.transition for entry in program.order.scene] == ["mix/dissolve"] * 3
    assert "mine.glsl" in program.broken[0]


def test_a_first_scene_that_is_broken_gives_way_to_the_setlist(house: Path, tmp_path: Path) -> None:
    text = house.read_text().replace("[play]", f'[play]\nscene = "{tmp_path}/first.py"')
    house.write_text(text)
    assert unattended(house).venue.play.scene == ""


def test_chosen_stills_that_are_gone_leave_the_seeds_to_chance(house: Path) -> None:
    house.write_text(house.read_text().replace("[play]", '[play]\nchosen = "nowhere"'))
    with pytest.raises(StillError):
        Programme.of(Options(venue=str(house)))
    program = unattended(house)
    assert program.chosen == {}
    assert "nowhere" in program.broken[0]


def test_a_mask_that_is_gone_is_left_out_where_nobody_is_there(house: Path) -> None:
    venue = house.read_text() + "[[screen]]\nmask = 'gone.png'\n"
    house.write_text(venue)
    with pytest.raises(VenueError, match=r"screen 1: mask: there is no file gone\.png"):
        Programme.of(Options(venue=str(house)))
    program = Programme.of(Options(venue=str(house), supervised=True))
    assert program.masks == (None,)
    assert program.broken == ("screen 1: mask: there is no file gone.png",)


def test_what_breaks_at_its_start_gives_way_to_the_next(
    house: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mine.py").write_text(MINE.replace("space.seed(1)", "1 / 0"))
    with opened(Options(venue=str(house), supervised=True)) as show:
        run(show, 3)
        assert show.show.scene.name == "ember"
        assert show.show.player.card.name == "two"
    assert "ZeroDivisionError" in caplog.text
    with pytest.raises(SceneError, match="ZeroDivisionError"), opened(Options(venue=str(house))):
        pass


def test_where_no_scene_starts_the_first_fault_is_told(house: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE.replace("space.seed(1)", "1 / 0"))
    order = tmp_path / "order.toml"
    order.write_text(f'[[scene]]\nscene = "{tmp_path}/mine.py"\n')
    options = Options(venue=str(house), supervised=True)
    with pytest.raises(SceneError, match="ZeroDivisionError"), opened(options):
        pass


def test_no_other_piece_takes_the_place_of_one_that_is_damaged(house: Path, tmp_path: Path) -> None:
    """Entries that name none play on the one before, and not on one that ships."""
    order = tmp_path / "order.toml"
    one, two = tmp_path / "one", tmp_path / "two"
    order.write_text(
        f'[[scene]]\nscene = "drift"\npiece = "{one}"\n[[scene]]\nscene = "kin"\n'
        f'[[scene]]\nscene = "ember"\npiece = "{two}"\n[[scene]]\nscene = "janus"\n'
    )
    (one / GENERATOR).write_bytes(b"bits that have rotted")
    program = unattended(house)
    assert scenes_of(program) == ["ember", "janus"]
    assert list(program.pieces) == ["two"]
    order.write_text(
        f'[[scene]]\nscene = "nowhere.py"\npiece = "{two}"\n[[scene]]\nscene = "janus"\n'
    )
    program = unattended(house)  # the piece is whole, the scene that named it is not
    assert scenes_of(program) == ["janus"]
    assert list(program.pieces) == ["two"]


def test_where_nothing_is_left_the_first_fault_is_told(house: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").unlink()
    for name in ("one", "two"):
        (tmp_path / name / GENERATOR).unlink()
    with pytest.raises(PieceError, match=r"one/generator"):
        unattended(house)


def test_two_scenes_of_one_name_are_refused(house: Path, tmp_path: Path) -> None:
    """Their faders would be the same, and one of them out of a hand's reach."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.py").write_text(MINE.replace("speed", "pace"))
    (tmp_path / "drift.py").write_text(MINE.replace("Mine", "Drift"))
    order = tmp_path / "order.toml"
    for one, other, name in (
        (f"{tmp_path}/mine.py", f"{tmp_path}/other/mine.py", "mine"),
        ("drift", f"{tmp_path}/drift.py", "drift"),
    ):
        order.write_text(f'[[scene]]\nscene = "{one}"\n[[scene]]\nscene = "{other}"\n')
        said = re.escape(f"two scenes of the setlist are called {name}: {one} and {other}; rename")
        for supervised in (False, True):
            with pytest.raises(SetlistError, match=said):
                Programme.of(Options(venue=str(house), supervised=supervised))
    order.write_text(f'[[scene]]\nscene = "{tmp_path}/mine.py"\n' * 2)  # one that comes twice
    assert scenes_of(unattended(house)) == ["mine", "mine"]


def test_an_evening_that_is_whole_keeps_its_word_on_parameters(house: Path) -> None:
    """What is wrong in the venue itself is refused, also where nobody watches: at the door."""
    house.write_text(house.read_text().replace('/mine/speed" = 0.25', '/ember/decay" = 99'))
    options = Options(venue=str(house), supervised=True)
    with pytest.raises(VenueError, match=r"outside 0\.05 to 6"), opened(options):
        pass
