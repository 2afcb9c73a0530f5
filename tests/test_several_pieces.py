"""Several pieces in one show: each scene of a setlist on its own, and changed by hand."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from installation import playing, stage
from installation.engine.stream import Inline
from installation.output.offscreen import Offscreen
from installation.parameters import Param
from installation.programme import Options, Programme
from installation.setlist import SetlistError
from models.card import PieceError
from models.latent import Code, Label, Latent
from tests import shows
from tests.pieces import make_piece
from tests.shows import paint, run

SIZE = (64, 64)
OTHER = Latent(6, (Label("form", ("disc", "long")),), (Code("kind", "categorical", 3),))


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pieces")
    return make_piece(folder / "one"), make_piece(folder / "two", 16, OTHER, scale=2)


@pytest.fixture
def place(pieces: tuple[Path, Path], tmp_path: Path) -> Path:
    """A venue whose setlist goes from the one to the other."""
    order = tmp_path / "order.toml"
    order.write_text(
        f'[[scene]]\nscene = "drift"\nseconds = 3\npiece = "{pieces[0]}"\n'
        f'[[scene]]\nscene = "kin"\nseconds = 99\nfade = 0.5\npiece = "{pieces[1]}"\n'
        '[[scene]]\nscene = "ember"\n'
    )
    venue = tmp_path / "here.toml"
    venue.write_text(f"[play]\nsetlist = '{order}'\nadvance = true\n")
    return venue


@pytest.fixture
def show(place: Path) -> Iterator[stage.Stage]:
    with opened(Options(venue=str(place), size=SIZE, offscreen=True)) as made:
        yield made


class Broken(Inline):
    """A stream whose piece passed its check and cannot be opened for all that."""

    def __init__(self, folder: Path) -> None:
        self.painter, self.newest = None, None
        self.error = OSError(f"{folder.name} went away")


def opened(options: Options, broken: Collection[str] = ()) -> AbstractContextManager[stage.Stage]:
    def stream_of(folder: Path) -> Inline:
        return Broken(folder) if folder.name in broken else paint(folder)

    return shows.opened(options, SIZE, stream_of=stream_of)


def on(show: stage.Stage) -> list[tuple[str, str]]:
    return [(layer.name, layer.player.card.name) for layer in show.show.layers]


def test_the_setlist_goes_from_piece_to_piece(show: stage.Stage) -> None:
    run(show, 80)
    assert on(show) == [("drift", "one")]
    run(show, 15)
    assert on(show) == [("drift", "one"), ("kin", "two")]  # giving way
    run(show, 20)
    assert on(show) == [("kin", "two")]
    assert show.report()["upscaler"]["tier"] == "own"  # the second piece's
    show.bus.post("/stage/next", 1)
    run(show, 200)
    assert on(show) == [("ember", "two")]  # named no piece: the one that is on


def test_two_runs_are_the_same(place: Path) -> None:
    options = Options(venue=str(place), size=SIZE, offscreen=True)
    shown = []
    for _ in range(2):
        with opened(options) as show:
            shown.append([run(show, 20) for _ in range(6)])
    first, again = shown
    np.testing.assert_array_equal(first, again)


def test_a_piece_is_put_on_by_hand_under_the_scene_that_is_on(show: stage.Stage) -> None:
    run(show, 65)  # the waiting picture has given way
    show.bus.post("/stage/fade", 0.2)
    show.bus.post("/stage/piece/two", 1)
    run(show, 2)
    assert on(show) == [("drift", "one"), ("drift", "two")]
    run(show, 60)
    assert on(show) == [("drift", "two")]  # the setlist waits, as the hand has taken over
    show.bus.post("/stage/scene/drift", 1)
    run(show, 20)
    assert on(show) == [("drift", "one")]  # its place in the setlist
    for name in ("two", "one"):
        show.keyboard.press("p")
        run(show, 20)
        assert on(show) == [("drift", name)]


@pytest.mark.parametrize(
    "bundle",
    [
        ("scene/kin", "piece/one"),
        ("piece/one", "scene/kin"),
        ("piece/one", "scene/ember", "scene/kin"),
        ("next_piece", "piece/one", "scene/kin"),
    ],
)
def test_a_scene_and_a_piece_in_one_frame_come_on_together(
    show: stage.Stage, bundle: tuple[str, ...]
) -> None:
    """In whichever order another program sends them, and not with the piece of kin's own entry."""
    run(show, 3)
    with show.bus.together:
        for name in bundle:
            show.bus.post(f"/stage/{name}", 1, "osc")
    run(show, 1)
    assert on(show)[-1] == ("kin", "one")
    show.bus.post("/stage/scene/kin", 1, "osc")  # that was then
    run(show, 1)
    assert on(show)[-1] == ("kin", "two")


def test_every_piece_can_be_steered_and_what_two_share_is_one_address(show: stage.Stage) -> None:
    addresses = [address for address, _ in show.bus]
    for address in ("form/oval", "form/disc", "form/long", "code/1", "code/1/3"):
        assert addresses.count(f"/piece/{address}") == 1
    run(show, 5)
    for player in show.show.players.values():
        latent = player.card.latent
        show.bus.post("/piece/form/disc", 1)
        show.bus.post(f"/stage/piece/{player.card.name}", 1)
        show.bus.post("/stage/fade", 0)
        run(show, 90)
        painted: list[np.ndarray] = []
        request = player.stream.request
        player.stream.request = lambda p, k, r=request, seen=painted: (seen.append(p), r(p, k))[1]
        run(show, 1)
        values = painted[0][0][latent.slices()["form"]]
        assert values[latent.labels[0].values.index("disc")] == pytest.approx(1, abs=0.01)


def test_an_artists_own_piece_may_be_called_as_one_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It plays in the setlist that ships, whose parameters for the other one it does not have."""
    monkeypatch.chdir(tmp_path)
    own = make_piece(tmp_path / "pieces" / "masks", 16, OTHER)
    with opened(Options(size=SIZE, offscreen=True)) as show:
        assert show.program.pieces["masks"].resolve() == own.resolve()
        assert "/piece/ground/black" not in show.bus
        show.bus.post("/stage/scene/masquerade", 1)
        run(show, 3)
        assert on(show)[-1] == ("masquerade", "masks")


def test_a_piece_that_is_asked_for_plays_everything(place: Path, pieces: tuple[Path, Path]) -> None:
    with opened(Options(piece=str(pieces[1]), venue=str(place), size=SIZE, offscreen=True)) as show:
        assert list(show.show.players) == ["two"]
        assert "/stage/piece/two" not in show.bus  # nothing to change to
        show.keyboard.press("p")
        run(show, 120)
        assert on(show) == [("kin", "two")]


def test_what_the_setlist_names_wrongly_is_said_before_the_first_frame(
    pieces: tuple[Path, Path], tmp_path: Path
) -> None:
    same = make_piece(tmp_path / "elsewhere" / "one")
    order, venue = tmp_path / "order.toml", tmp_path / "here.toml"
    venue.write_text(f"[play]\nsetlist = '{order}'\n")
    for piece, error, says in (
        (same, SetlistError, "called one"),
        (tmp_path / "none", PieceError, "no piece"),
    ):
        order.write_text(
            f'[[scene]]\nscene = "drift"\npiece = "{pieces[0]}"\n'
            f'[[scene]]\nscene = "drift"\npiece = "{piece}"\n'
        )
        with pytest.raises(error, match=says):
            Programme.of(Options(venue=str(venue)))


@pytest.mark.parametrize(("lost", "left"), [("one", "two"), ("two", "one")])
def test_a_piece_that_cannot_be_opened_does_not_end_the_show(
    place: Path, caplog: pytest.LogCaptureFixture, lost: str, left: str
) -> None:
    with opened(Options(venue=str(place), size=SIZE, offscreen=True), {lost}) as show:
        run(show, 75)
        assert f"{lost} cannot be played, the show goes on without: {lost} went away" in caplog.text
        assert on(show) == [("drift", left)]
        run(show, 60)
        assert on(show) == [("kin", left)]  # its place in the setlist names the other or the lost
        show.bus.post(f"/stage/piece/{lost}", 1)
        show.keyboard.press("p")
        run(show, 3)
        assert on(show) == [("kin", left)]
        assert f"{lost} could not be opened; {left} stays on" in caplog.text
        assert f"{lost} could not be opened; {left} stays on" == show.news.first
        show.bus.post(f"/stage/piece/{left}", 1)
        run(show, 3)
        assert show.news.first == ""


def test_a_scene_that_is_for_the_lost_piece_alone_gives_way(
    place: Path, pieces: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    mine = place.with_name("mine.py")
    mine.write_text(
        "from installation.scene import *\n"
        "class Mine(Scene):\n"
        "    def start(self, space):\n"
        "        if 'kind' in space.codes: raise KeyError('hair')\n"
        "        self.point = space.seed(1)\n"
        "    def step(self, frame):\n"
        "        return self.point\n"
    )
    order = place.with_name("order.toml")
    order.write_text(
        f'[[scene]]\nscene = "{mine}"\npiece = "{pieces[0]}"\n'
        f'[[scene]]\nscene = "ember"\npiece = "{pieces[1]}"\n'
    )
    with opened(Options(venue=str(place), size=SIZE, offscreen=True), {"one"}) as show:
        run(show, 5)
        assert "KeyError: 'hair'; mine stays on" in caplog.text
        assert on(show) == [("ember", "two")]
        assert show.bus.meant("/on/1").startswith("/ember/")


def test_where_no_piece_can_be_opened_the_show_says_why(place: Path) -> None:
    options = Options(venue=str(place), size=SIZE, offscreen=True)
    why = pytest.raises(OSError, match="two went away")
    with opened(options, {"one", "two"}) as show, why:
        run(show, 2)


def test_an_entry_sets_parameters_while_it_is_on(place: Path, pieces: tuple[Path, Path]) -> None:
    order = place.with_name("order.toml")
    text = order.read_text()
    order.write_text(
        text.replace("seconds = 3", 'seconds = 3\nparameters = {"/drift/speed" = 0.15}', 1).replace(
            "seconds = 99",
            'seconds = 9\nparameters = {"/piece/form/disc" = 1, "/drift/speed" = 0.12}',
        )
    )
    with opened(Options(venue=str(place), size=SIZE, offscreen=True)) as show:
        speed = show.bus["/drift/speed"]
        assert isinstance(speed, Param)
        run(show, 2)
        assert show.bus.target("/drift/speed") == 0.15
        run(show, 100)
        assert on(show)[-1] == ("kin", "two")
        assert show.bus.target("/drift/speed") == 0.12
        assert show.bus.target("/piece/form/disc") == 1
        show.bus.post("/piece/form/disc", 0.8, "midi")  # a hand has taken it over
        show.bus.post("/stage/next", 1)
        run(show, 3)
        assert on(show)[-1] == ("ember", "two")
        assert show.bus.target("/drift/speed") == speed.default  # not 0.15: that was an entry's too
        assert show.bus.target("/piece/form/disc") == 0.8
        show.bus.post("/stage/scene/drift", 1)  # by hand, and yet as the setlist has it
        run(show, 3)
        assert show.bus.target("/drift/speed") == 0.15
    # Another piece for everything: what is the setlist's piece's is left out.
    with opened(Options(piece=str(pieces[0]), venue=str(place), size=SIZE, offscreen=True)) as show:
        show.bus.post("/stage/scene/kin", 1)
        run(show, 3)
        assert show.bus.target("/drift/speed") == 0.12


def test_what_the_venue_starts_with_is_what_an_entry_goes_back_to(place: Path) -> None:
    order = place.with_name("order.toml")
    dressed = 'seconds = 99\nparameters = {"/light/brightness" = 0.2}'
    order.write_text(order.read_text().replace("seconds = 3", dressed, 1))
    place.write_text(place.read_text() + '[parameters]\n"/light/brightness" = 0.8\n')
    with opened(Options(venue=str(place), size=SIZE, offscreen=True)) as show:
        run(show, 2)
        assert show.bus.target("/light/brightness") == 0.2
        show.bus.post("/stage/next", 1)
        run(show, 2)
        assert show.bus.target("/light/brightness") == 0.8


def test_of_many_scenes_in_one_frame_the_last_is_put_on(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place.with_name("order.toml")
    dressed = 'parameters = {"/light/brightness" = 0.2}\nseconds = 99\n'
    order.write_text(order.read_text().replace("seconds = 99", dressed, 1))
    with opened(Options(venue=str(place), size=SIZE, offscreen=True)) as show:
        run(show, 2)
        cue = Mock(wraps=show.show.cue)
        monkeypatch.setattr(show.show, "cue", cue)
        for _ in range(100):  # drift, kin, ember, drift …
            show.bus.post("/stage/next", 1)
            show.bus.post("/stage/overlay", 1)
        run(show, 2)
        assert [call.args[0] for call in cue.mock_calls] == ["kin"]
        assert not show._desk.on
        for _ in range(2):
            show.bus.post("/stage/next", 1)
        run(show, 3)
        assert on(show)[-1] == ("drift", "one")
        assert show.bus.target("/light/brightness") == 1  # nothing of what was passed by stays


def test_who_leaves_keeps_what_it_wore(place: Path, pieces: tuple[Path, Path]) -> None:
    """A setlist's entry dresses its own picture, not the one that it comes after."""
    order = place.with_name("order.toml")
    text = order.read_text().replace(
        "seconds = 99", 'seconds = 99\nparameters = {"/piece/form/disc" = 1}'
    )
    order.write_text(text.replace(str(pieces[1]), str(pieces[0])))
    with opened(Options(venue=str(place), size=SIZE, offscreen=True)) as show:
        run(show, 150)
        show.bus.post("/stage/fade", 9)
        show.bus.post("/stage/scene/kin", 1)
        stream = show.show.player.stream
        stream.request = Mock(wraps=stream.request)
        run(show, 120)
        latent = show.show.player.card.latent
        where, disc = latent.slices()["form"], latent.labels[0].values.index("disc")
        asked = [call.args[0][:, where][:, disc] for call in stream.request.mock_calls]
        old, new = asked[-1]
        assert new > 0.9
        assert old == pytest.approx(asked[0][0], abs=0.05)  # it walks on by itself


@pytest.mark.parametrize("after", ["kin", "drift"])
def test_who_leaves_keeps_its_own_faders(place: Path, after: str) -> None:
    """What an entry has set goes back when it is over; that is not seen while it fades."""
    order = place.with_name("order.toml")
    dressed = 'parameters = {"/drift/grade/exposure" = -2, "/drift/calm" = 0.4}\nseconds = 99\n'
    text = order.read_text().replace("seconds = 3\n", dressed, 1)
    order.write_text(text.replace("fade = 0.5", "fade = 9").replace("kin", after, 1))
    with opened(Options(venue=str(place), size=SIZE, offscreen=True)) as show:
        run(show, 150)
        show.bus.post("/stage/next", 1)
        run(show, 2)
        old, new = show.show.layers
        old.chain.render = Mock(wraps=old.chain.render)
        run(show, 120)
        exposures = [call.args[1][0]["exposure"] for call in old.chain.render.mock_calls]
        assert exposures == pytest.approx([-2] * 120, abs=0.01)
        assert old.scene.calm == pytest.approx(0.4, abs=0.01)
        assert new.fader("/drift/grade/exposure") == pytest.approx(0, abs=0.01)
        assert new.name == after


@pytest.mark.parametrize("address", ["/drift/spede", "/stage/next", "/piece/form/square"])
def test_an_entry_that_sets_what_is_not_there(place: Path, address: str) -> None:
    order = place.with_name("order.toml")
    text = order.read_text().replace("seconds = 3", f'parameters = {{"{address}" = 1}}', 1)
    order.write_text(text)
    options = Options(venue=str(place), size=SIZE, offscreen=True)
    with pytest.raises(SetlistError, match=f"drift: .*{address}"), opened(options):
        pass


def test_live_the_next_piece_is_ready_before_it_is_put_on(place: Path) -> None:
    screen = Offscreen(SIZE)
    show = playing.live(Options(venue=str(place), size=SIZE), screen)
    show.show.start()
    try:
        end = time.monotonic() + 60
        while show.show.waiting:
            show.frame()
            assert time.monotonic() < end
        assert all(player.upscaler is not None for player in show.show.players.values())
        show.bus.post("/stage/piece/two", 1)
        show.frame()
        while not show.show.scene.ready:
            show.frame()
            assert time.monotonic() < end
        assert on(show)[-1] == ("drift", "two")
    finally:
        show.close()
        screen.close()


def test_a_preset_brings_scene_piece_and_faders_back(show: stage.Stage, tmp_path: Path) -> None:
    run(show, 65)  # the waiting picture has given way
    show.bus.post("/drift/speed", 0.17, "osc")
    show.bus.post("/piece/form/oval", 0.6, "osc")
    run(show, 1)
    show.keyboard.press("f2", ["shift"])
    run(show, 1)
    show.bus.post("/stage/next", 1)
    show.bus.post("/preset/fade", 0.5, "osc")
    run(show, 90)
    show.bus.post("/drift/speed", 0.1, "osc")
    show.bus.post("/piece/form/oval", 0, "osc")
    run(show, 1)
    assert on(show) == [("kin", "two")]
    show.keyboard.press("f2")
    run(show, 3)
    assert on(show) == [("kin", "two"), ("drift", "one")]  # giving way
    assert show.bus.target("/drift/speed") == 0.17
    assert show.bus.target("/piece/form/oval") == 0.6
    run(show, 200)
    assert on(show) == [("drift", "one")]  # the hand has chosen: the setlist waits
    assert show.bus.target("/drift/speed") == 0.17  # and not as the setlist would dress it
    assert not Path("presets.toml").exists()  # offscreen nothing is kept
