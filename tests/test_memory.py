"""A show that ended against its will takes up what it was doing; and the wall out of hours."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from installation import stage
from installation.control.feedback import Stand, news
from tests import shows
from tests.pieces import make_piece
from tests.shows import run


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_piece(tmp_path_factory.mktemp("pieces") / "tiny")


def opened(piece: Path, fps: float = 10, **asked: object) -> AbstractContextManager[stage.Stage]:
    options = stage.Options(piece=str(piece), offscreen=True, **asked)  # type: ignore[arg-type]
    return shows.opened(options, (64, 48), fps)


def test_scene_and_faders_are_taken_up_again(piece: Path, tmp_path: Path) -> None:
    memory = tmp_path / "show.json"
    with opened(piece, memory=str(memory)) as show:
        run(show, 5)
        assert show.show.scene.name != "ember"
        show.bus.post("/stage/scene/ember", 1, "osc")
        show.bus.post("/light/brightness", 0.5, "midi nano cc 1")
        show.bus.post("/stage/fade", 1.0, "keyboard")
        run(show, 25)
    with opened(piece, fps=2, memory=str(memory)) as again:
        again.frame()
        assert again.show.scene.name == "ember"
        assert again.bus.target("/light/brightness") == 0.5
        assert again.bus.target("/stage/fade") == 1.0
        assert again.bus.moved_by("/drift/speed") == ""  # what nobody has moved stays as it is
        run(again, 200)
        assert again.show.scene.name == "ember"  # a hand had chosen: the setlist waits
        again.bus.post("/light/brightness", 0.7, "osc")
        run(again, 15)
    with opened(piece, memory=str(memory)) as third:
        third.frame()
        assert third.bus.target("/light/brightness") == 0.7
        assert third.bus.target("/stage/fade") == 1.0  # remembered twice


def test_a_setlist_goes_on_by_itself_from_where_it_was(piece: Path, tmp_path: Path) -> None:
    memory = tmp_path / "show.json"
    with opened(piece, memory=str(memory)) as show:
        show.bus.post("/stage/next", 1, "osc")
        run(show, 60)
        second = show.show.scene.name
    with opened(piece, memory=str(memory)) as again:
        assert again.show.scene.name == second
        again.bus.post("/stage/next", 1, "osc")
        run(again, 30)
        assert again.show.scene.name not in (second, show.order.scene[0].scene)


def setlist(folder: Path, entries: str, play: str = "") -> str:
    """A venue of this setlist."""
    order, venue = folder / "order.toml", folder / "here.toml"
    order.write_text(entries)
    venue.write_text(f"[play]\nsetlist = '{order}'\nadvance = true\n{play}")
    return str(venue)


def test_an_entry_longer_than_the_time_between_two_restarts_ends(
    piece: Path, tmp_path: Path
) -> None:
    """Kept to ten seconds: of 22 a day, 20."""
    long = '[[scene]]\nscene = "drift"\nseconds = 50\n[[scene]]\nscene = "kin"\nseconds = 50\n'
    venue, memory, seen = setlist(tmp_path, long), tmp_path / "show.json", []
    for _ in range(6):
        with opened(piece, fps=2, venue=venue, memory=str(memory)) as show:
            run(show, 44)
            seen.append(show.show.scene.name)
    assert seen == ["drift", "drift", "kin", "kin", "drift", "drift"]


def test_of_a_scene_that_comes_twice_the_place_that_was_on_is_taken_up(
    piece: Path, tmp_path: Path
) -> None:
    venue = setlist(
        tmp_path,
        '[[scene]]\nscene = "drift"\nseconds = 2\n[[scene]]\nscene = "kin"\nseconds = 2\n'
        '[[scene]]\nscene = "drift"\nseconds = 900\nparameters = {"/light/brightness" = 0.4}\n'
        '[[scene]]\nscene = "ember"\n',
    )
    memory = tmp_path / "show.json"
    with opened(piece, venue=venue, memory=str(memory)) as show:
        run(show, 60)
        assert show.bus.target("/light/brightness") == 0.4
    with opened(piece, venue=venue, memory=str(memory)) as again:
        run(again, 5)
        assert again.show.scene.name == "drift"
        assert again.bus.target("/light/brightness") == 0.4
        again.bus.post("/stage/next", 1, "osc")
        run(again, 2)
        assert again.show.scene.name == "ember"


def test_a_shorter_setlist_begins_where_its_scene_is(piece: Path, tmp_path: Path) -> None:
    memory = tmp_path / "show.json"
    memory.write_text(MOMENT.replace('"at": 0', '"at": 9'))
    order = '[[scene]]\nscene = "kin"\n[[scene]]\nscene = "drift"\n[[scene]]\nscene = "ember"\n'
    with opened(piece, venue=setlist(tmp_path, order), memory=str(memory)) as show:
        show.bus.post("/stage/next", 1, "osc")
        run(show, 2)
        assert show.show.scene.name == "ember"


def test_a_preset_s_scene_leaves_the_setlist_where_it_was(piece: Path, tmp_path: Path) -> None:
    """Also where a restart lies between; and the entry's own values stay until it is over."""
    order = '[[scene]]\nscene = "drift"\nfade = 0\n[[scene]]\nscene = "kin"\nfade = 0\n'
    order += 'parameters = {"/modulation/depth" = 0.5}\n[[scene]]\nscene = "ember"\nfade = 0\n'
    venue, memory = setlist(tmp_path, order), tmp_path / "show.json"
    with opened(piece, venue=venue, memory=str(memory)) as show:
        for asked in ("/preset/store", "/preset/1", "/stage/next", "/preset/1"):
            show.bus.post(asked, 1, "osc")
            run(show, 3)
        assert show.show.scene.name == "drift"
        run(show, 40)
        assert show.bus.target("/modulation/depth") == 0.5
    for _ in range(2):  # remembered twice
        with opened(piece, venue=venue, memory=str(memory)) as again:
            run(again, 12)
            assert again.show.scene.name == "drift"
            assert again.bus.target("/modulation/depth") == 0.5
    with opened(piece, venue=venue, memory=str(memory)) as last:
        last.bus.post("/stage/next", 1, "osc")
        run(last, 3)
        assert last.show.scene.name == "ember"
        assert last.bus.target("/modulation/depth") == 1


def test_a_preset_s_scene_after_one_of_no_setlist_wears_nothing(
    piece: Path, tmp_path: Path
) -> None:
    order = '[[scene]]\nscene = "drift"\n[[scene]]\nscene = "kin"\n[[scene]]\nscene = "ember"\n'
    order = order.replace('"ember"', '"ember"\nparameters = {"/modulation/depth" = 0.5}')
    venue, memory = setlist(tmp_path, order), tmp_path / "show.json"
    asks = ("/stage/scene/ember", "/preset/store", "/preset/1", "/stage/next", "/stage/scene/janus")
    with opened(piece, venue=venue, memory=str(memory)) as show:
        for asked in (*asks, "/preset/1"):
            show.bus.post(asked, 1, "osc")
            run(show, 30)
        assert show.show.scene.name == "ember"
        assert show.bus.target("/modulation/depth") == 1
    with opened(piece, venue=venue, memory=str(memory)) as again:
        run(again, 2)
        assert again.show.scene.name == "ember"
        assert again.bus.target("/modulation/depth") == 1
        again.bus.post("/stage/next", 1, "osc")
        run(again, 2)
        assert again.show.scene.name == "kin"  # it had come to the first


def test_a_setlist_that_is_another_by_now_goes_on_from_the_scene(
    piece: Path, tmp_path: Path
) -> None:
    order = [f'[[scene]]\nscene = "{name}"\n' for name in ("drift", "kin", "ember")]
    memory = tmp_path / "show.json"
    with opened(piece, venue=setlist(tmp_path, "".join(order)), memory=str(memory)) as show:
        show.bus.post("/stage/next", 1, "osc")
        run(show, 20)
        assert show.show.scene.name == "kin"
    venue = setlist(tmp_path, "".join(order[::-1] + order[1:]))  # the night brought another
    with opened(piece, venue=venue, memory=str(memory)) as again:
        again.bus.post("/stage/next", 1, "osc")
        run(again, 2)
        assert again.show.scene.name == "drift"
    venue = setlist(tmp_path, order[0] + order[2] + order[1])
    with opened(piece, venue=venue, memory=str(memory)) as third:
        run(third, 2)
        assert third.show.scene.name == "kin"
        third.bus.post("/stage/next", 1, "osc")
        run(third, 2)
        assert third.show.scene.name == "drift"


def test_a_preset_that_was_fading_has_come_to_its_end(piece: Path, tmp_path: Path) -> None:
    memory, venue = tmp_path / "show.json", setlist(tmp_path, '[[scene]]\nscene = "drift"\n')
    with opened(piece, venue=venue, memory=str(memory)) as show:
        begins = {"/light/brightness": 0.2, "/drift/calm": 0.9}
        for address, value in begins.items():
            show.bus.post(address, value, "osc")
        for asked in ("/preset/store", "/preset/1"):
            show.bus.post(asked, 1, "osc")
        run(show, 2)
        for address in begins:
            show.bus.reset(address)
        show.bus.post("/preset/fade", 20, "osc")
        run(show, 2)
        show.bus.post("/preset/1", 1, "osc")
        run(show, 50)
        show.bus.post("/drift/calm", 0.4, "osc")  # a hand takes it over
        run(show, 15)
        assert 0.5 < show.bus.target("/light/brightness") < 0.9
    with opened(piece, venue=venue, memory=str(memory)) as again:
        again.frame()
        assert again.bus.target("/light/brightness") == pytest.approx(0.2)
        assert again.bus.target("/drift/calm") == pytest.approx(0.4)


DRESSED = (
    '[[scene]]\nscene = "drift"\nseconds = 2\nfade = 0\n'
    '[[scene]]\nscene = "kin"\nseconds = 3\nfade = 0\nparameters = {"/light/brightness" = 0.8}\n'
    '[[scene]]\nscene = "ember"\nfade = 0\n'
)


def test_what_a_hand_had_set_outlives_an_entry_and_a_restart(piece: Path, tmp_path: Path) -> None:
    venue, memory = setlist(tmp_path, DRESSED), tmp_path / "show.json"
    with opened(piece, venue=venue, memory=str(memory)) as show:
        show.bus.post("/light/brightness", 0.3, "osc desk")
        run(show, 10)
        told: dict[str, Stand] = {}
        told.update(news(show.bus, told, "osc desk", "/light/brightness".__eq__))
        run(show, 25)
        assert show.bus.target("/light/brightness") == 0.8
        told.update(news(show.bus, told, "osc desk", "/light/brightness".__eq__))
        run(show, 35)
        assert show.show.scene.name == "ember"
        back = dict(news(show.bus, told, "osc desk", "/light/brightness".__eq__))
        assert back == {"/light/brightness": ("/light/brightness", 0.3)}  # its fader is to move
    with opened(piece, venue=venue, memory=str(memory)) as again:
        run(again, 2)
        assert again.show.scene.name == "ember"
        assert again.bus.target("/light/brightness") == 0.3


def test_what_a_hand_had_set_outlives_a_restart_within_an_entry(
    piece: Path, tmp_path: Path
) -> None:
    venue, memory = setlist(tmp_path, DRESSED), tmp_path / "show.json"
    with opened(piece, venue=venue, memory=str(memory)) as show:
        show.bus.post("/light/brightness", 0.3, "osc desk")
        run(show, 35)
        assert show.show.scene.name == "kin"
    for _ in range(2):  # remembered twice
        with opened(piece, venue=venue, memory=str(memory)) as again:
            run(again, 12)
            assert again.show.scene.name == "kin"
            assert again.bus.target("/light/brightness") == 0.8
    with opened(piece, venue=venue, memory=str(memory)) as last:
        run(last, 40)
        assert last.show.scene.name == "ember"
        assert last.bus.target("/light/brightness") == 0.3


def test_what_the_venue_had_set_is_no_hands(piece: Path, tmp_path: Path) -> None:
    venue, memory = setlist(tmp_path, DRESSED), tmp_path / "show.json"
    with opened(piece, venue=venue, memory=str(memory)) as show:
        run(show, 70)
        assert show.show.scene.name == "ember"
        assert show.bus.target("/light/brightness") == 1
        assert json.loads(memory.read_text())["moved"] == {}


def test_a_wall_that_a_hand_made_dark_stays_dark(piece: Path, tmp_path: Path) -> None:
    memory = tmp_path / "show.json"
    with opened(piece, memory=str(memory)) as show:
        show.bus.post("/stage/black", 1, "keyboard")
        run(show, 15)
    with opened(piece, memory=str(memory)) as again:
        assert run(again, 1).max() == 0  # from its first frame
        assert run(again, 30).max() == 0
        again.bus.post("/stage/black", 1, "keyboard")
        assert run(again, 15).max() > 20
    with opened(piece, memory=str(memory)) as third:
        run(third, 1)
        assert third.lights.level == 1


def test_faders_stand_where_they_did_from_the_first_frame(piece: Path, tmp_path: Path) -> None:
    """The wall was black by its fader: it stays so, also while the pieces are opened."""
    memory = tmp_path / "show.json"
    with opened(piece, memory=str(memory)) as show:
        show.bus.post("/light/brightness", 0.0, "osc")
        run(show, 40)
    with opened(piece, memory=str(memory)) as again:
        assert max(run(again, 1).max() for _ in range(10)) == 0


def test_a_setlist_set_going_by_hand_goes_on(piece: Path, tmp_path: Path) -> None:
    order = '[[scene]]\nscene = "drift"\nseconds = 4\n[[scene]]\nscene = "kin"\nseconds = 4\n'
    venue = setlist(tmp_path, order, 'scene = "ember"\n')
    memory = tmp_path / "show.json"
    with opened(piece, venue=venue, memory=str(memory)) as show:
        run(show, 60)
        assert show.show.scene.name == "ember"  # it waits for a hand
        show.bus.post("/stage/next", 1, "osc")
        run(show, 20)
        assert show.show.scene.name == "kin"
    with opened(piece, venue=venue, memory=str(memory)) as again:
        run(again, 45)
        assert again.show.scene.name == "drift"


def test_what_could_not_be_written_is_tried_again(
    piece: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory = tmp_path / "gone" / "show.json"
    with opened(piece, memory=str(memory)) as show:
        run(show, 40)
        assert caplog.text.count("what is on cannot be kept for a restart") == 1
        memory.parent.mkdir()
        run(show, 12)
        assert json.loads(memory.read_text())["scene"] == show.show.scene.name


MOMENT = (
    '{"scene": "drift", "piece": "", "held": false, "at": 0, "seconds": 0, "moved": {}, '
    '"covered": {}, "dark": false}'
)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        MOMENT.replace("drift", "gone"),
        MOMENT.replace('"moved": {}', '"moved": {"/light/brightness": NaN}'),
        MOMENT.replace('"at": 0', '"at": -1'),
    ],
)
def test_what_makes_no_sense_is_left(piece: Path, tmp_path: Path, text: str) -> None:
    memory = tmp_path / "show.json"
    memory.write_text(text)
    with opened(piece, memory=str(memory)) as show:
        run(show, 3)
        assert show.show.scene.name == show.order.scene[0].scene
        assert show.bus.target("/light/brightness") == 1


def test_what_is_gone_is_no_fault(piece: Path, tmp_path: Path) -> None:
    memory = tmp_path / "show.json"
    gone = MOMENT.replace('"piece": ""', '"piece": "ghost"')
    memory.write_text(gone.replace("{}", '{"/nothing/here": 1.0, "/light/brightness": 0.6}', 1))
    with opened(piece, memory=str(memory)) as show:
        run(show, 3)
        assert show.show.scene.name == "drift"
        assert show.bus.target("/light/brightness") == 0.6


def test_faders_outlive_the_scene_that_was_on(piece: Path, tmp_path: Path) -> None:
    """Its file is broken today: what a hand had done to the wall is kept for all that."""
    memory = tmp_path / "show.json"
    with opened(piece, memory=str(memory)) as show:
        show.bus.post("/light/brightness", 0.4, "osc")
        show.bus.post("/stage/black", 1, "osc")
        run(show, 15)
    kept = json.loads(memory.read_text())
    memory.write_text(json.dumps({**kept, "scene": "gone"}))
    with opened(piece, memory=str(memory)) as again:
        assert run(again, 1).max() == 0
        assert again.bus.target("/light/brightness") == pytest.approx(0.4)


def closed(show: stage.Stage) -> None:
    """Out of hours, whatever the clock on this wall says."""
    show.lights._house, show.lights._open = 0.0, False
    show.lights._looked = -1e9


def test_what_a_hand_does_out_of_hours_is_done_and_remembered(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_REST", 0.0)
    told: dict[str, str] = {}
    order = '[[scene]]\nscene = "drift"\nseconds = 8\n[[scene]]\nscene = "ember"\n'
    venue = setlist(tmp_path, order, '[hours]\nmon = "10:00-10:01"\n')
    memory = tmp_path / "show.json"
    with opened(piece, venue=venue, memory=str(memory), supervised=True) as show:
        monkeypatch.setattr(show.controls, "keep", lambda dt, status: told.update(status()))
        closed(show)
        run(show, 100)
        assert show.show.scene.name == "drift"  # the setlist waits
        show.bus.post("/light/brightness", 0.3, "osc")
        show.bus.post("/stage/scene/kin", 1, "osc")
        run(show, 15)
        assert told["scene"] == "kin"
        assert run(show, 0).max() == 0
    with opened(piece, venue=venue, memory=str(memory), supervised=True) as again:
        again.frame()
        assert again.show.scene.name == "kin"
        assert again.bus.target("/light/brightness") == 0.3


def test_a_preset_called_up_out_of_hours_is_remembered(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_REST", 0.0)
    venue, memory = tmp_path / "here.toml", tmp_path / "show.json"
    venue.write_text('[play]\npresets = ""\n[hours]\nmon = "10:00-10:01"\n')
    with opened(piece, venue=str(venue), memory=str(memory), supervised=True) as show:
        closed(show)
        for asked in ("/preset/store", "/preset/1"):
            show.bus.post(asked, 1, "osc")
        run(show, 2)
        show.bus.post("/light/brightness", 0.3, "osc")
        run(show, 15)
        show.bus.post("/preset/1", 1, "osc")
        run(show, 45)
        assert show.bus.target("/light/brightness") == 1
        assert json.loads(memory.read_text())["moved"]["/light/brightness"] == 1


def test_out_of_hours_nothing_is_painted(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_REST", 0.0)
    venue = tmp_path / "here.toml"
    venue.write_text('[hours]\nmon = "10:00-10:01"\n')
    with opened(piece, venue=str(venue)) as show:  # `play` plays whenever it is asked
        run(show, 40)
        assert run(show, 0).max() > 20
    with opened(piece, venue=str(venue), supervised=True) as show:
        closed(show)
        run(show, 30)
        assert show.show.player.upscaler is not None  # made ready meanwhile
        assert show.show.warm()
        assert show.lights.out
        assert run(show, 0).max() == 0
        assert show.stats.neural == 0
        show.lights._open = True
        run(show, 120)
        assert show.lights.level == 1
        assert run(show, 0).max() > 20
