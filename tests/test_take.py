"""A take: what was done to a show is done once more, and gives the same evening."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from installation import playing
from installation.cli import _moment
from installation.control.keyboard import Keyboard
from installation.engine.painter import Painter
from installation.engine.stream import Inline
from installation.modulation import Modulation
from installation.parameters import Bus, Param, Trigger
from installation.programme import Options, Programme
from installation.stage import Stage
from installation.take import Head, Moment, Posted, Take, TakeError, said
from tests.pieces import make_piece
from tests.shows import opened

FPS, SIZE = 30.0, (96, 64)
FRAMES = 150


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_piece(tmp_path / "pieces" / "tiny")
    Path("here.toml").write_text(
        "[osc]\nenabled = false\n[midi]\nenabled = false\n[parameters]\n'/drift/speed' = 0.1\n"
    )
    return tmp_path


def asked(**more: object) -> Options:
    return Options(piece="tiny", venue="here.toml", take="evening.take", **more)  # type: ignore[arg-type]


def pixels(show: Stage) -> np.ndarray:
    width, height = show.window.size
    data = show.window.screen.read(components=3, alignment=1)
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)[::-1]


def play(
    hands: dict[int, Callable[[Stage], object]], stream_of: Callable[[Path], Inline] | None = None
) -> list[np.ndarray]:
    """A show by a clock of its own, as it is seen; hands: what is done to it before a frame."""
    seen = []
    with opened(asked(scene="drift", size=SIZE), SIZE, FPS, stream_of) as show:
        show.open()
        for frame in range(FRAMES):
            if frame in hands:
                hands[frame](show)
            show.frame()
            seen.append(pixels(show))
    return seen


def film(out: str, **more: object) -> list[np.ndarray]:
    options = Options(take="evening.take", offscreen=True, fps=FPS, size=SIZE, out=out)
    assert playing.play(replace(options, **more)) == 0  # type: ignore[arg-type]
    return [np.asarray(Image.open(path)) for path in sorted(Path(out).glob("*.png"))]


HANDS: dict[int, Callable[[Stage], object]] = {
    20: lambda show: show.bus.post("/drift/speed", 0.2, "osc"),
    30: lambda show: show.keyboard.press("f1", {"shift"}),
    40: lambda show: show.keyboard.press("4"),
    41: lambda show: show.bus.post("/clock/tap", 1, "midi"),
    56: lambda show: show.bus.post("/clock/tap", 1, "midi"),
    60: lambda show: show.bus.post("/light/brightness", 0.5, "midi", "unit"),
    70: lambda show: [show.keyboard.press("down"), show.keyboard.press("m")],
    75: lambda show: show.bus.post("/light/brightness", Modulation(by="sine"), "osc", "modulation"),
    90: lambda show: show.keyboard.press("right", {"shift"}),
    100: lambda show: show.keyboard.press("f1"),
    110: lambda show: show.bus.post("/sound/onset", 1, "sound"),
}


def test_the_same_evening_again_to_the_bit(house: Path) -> None:
    """Scenes, faders, taps, presets and what moves by itself, from the first picture on."""
    seen = play(HANDS)
    take = Take.read(Path("evening.take"))
    shown = round(take.begins * FPS) - 1
    again = film("again")
    assert len(again) == FRAMES - shown
    apart = [np.abs(a.astype(int) - b).max() for a, b in zip(seen[shown:], again, strict=True)]
    assert max(apart) == 0
    assert np.abs(again[0].astype(int) - again[-1]).mean() > 1


def test_the_film_begins_when_the_pieces_were_there(house: Path) -> None:
    """Scenes had waited for them; the beat and the setlist had not."""
    painters = []

    def late(folder: Path) -> Inline:
        painters.append(Painter(folder))
        stream = Inline(painters[0])
        stream.painter = None
        return stream

    def there(show: Stage) -> None:
        show.show.player.stream.painter = painters[0]

    early = {3: lambda show: show.bus.post("/drift/speed", 0.2, "osc")}
    seen = play(early | {12: there}, late)
    assert Take.read(Path("evening.take")).begins == pytest.approx(13 / FPS)
    again = film("again")
    assert len(again) == FRAMES - 12
    for a, b in zip(seen[12:], again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_film_out_of_the_middle_is_that_part(house: Path) -> None:
    seen = play({4: lambda show: show.bus.post("/drift/speed", 0.2, "osc")})
    part = film("part", start=4.0, frames=20)
    assert len(part) == 20
    first = 119
    for a, b in zip(seen[first : first + 20], part, strict=True):
        assert np.abs(a.astype(int) - b).max() <= 1


def test_a_film_of_another_rate_has_the_tempo_that_was_tapped(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From taps at the times of its own frames another would follow, and drift from the music."""
    tap = lambda show: show.bus.post("/clock/tap", 1, "midi")  # noqa: E731
    played: list[tuple[float, float]] = []
    frame = Stage.frame

    def told(self: Stage) -> None:
        frame(self)
        played.append((self.bus.target("/clock/bpm"), self.show._frame.beat))

    monkeypatch.setattr(Stage, "frame", told)
    play(dict.fromkeys((41, 56, 72), tap))
    there, played[:] = played[-1], []
    film("slow", fps=24.0)
    assert played[-1][0] == pytest.approx(there[0], abs=1e-4)
    assert played[-1][1] == pytest.approx(there[1], abs=2 / 24 * 2)


def test_what_is_not_seen_is_not_painted(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play({})
    painted = []
    request = Inline.request
    monkeypatch.setattr(
        Inline, "request", lambda self, *given: (painted.append(1), request(self, *given))[1]
    )
    monkeypatch.setattr(playing, "_SETTLING", 0.2)
    film("part", start=4.0, frames=5)
    assert len(painted) == 1 + 6 + 5  # a first picture, those before the film, and the film


def test_only_what_came_from_the_room_is_written_down(house: Path) -> None:
    play(HANDS)
    head, *lines = [json.loads(line) for line in Path("evening.take").read_text().splitlines()]
    assert (head["take"], head["piece"], head["scene"], head["seed"]) == (1, "tiny", "drift", 0)
    assert [*head["pieces"]] == ["tiny"]
    sources = {post["source"] for line in lines for post in line.get("posts", [])}
    assert sources == {"osc", "key", "midi", "sound", "tap"}
    assert lines[-1] == {"at": pytest.approx(FRAMES / FPS, abs=1e-3)}


def test_what_is_of_that_machine_is_not_played(house: Path) -> None:
    bus = Bus()
    bus.declare("stage", {"fader": Param(0, 0, 1)})
    moment = Moment(
        at=1,
        selected="/stage/fader",
        posts=[
            Posted(address="/stage/quit", number=1),
            Posted(address="/stage/record", number=1),
            Posted(address="/stage/fader", number=0.5, source="osc"),
        ],
    )
    head = Head(
        take=1, piece="", scene="", venue="", toward="", chosen="", seed=0, pieces={}, presets=[]
    )
    taken = Take(head, iter([moment]), begins=0.0, length=1.0)
    keyboard = Keyboard(bus, [])
    taken.play(bus, keyboard, 0.9)
    bus.tick(10)
    assert bus.taken == []
    taken.play(bus, keyboard, 1.0)
    bus.tick(10)
    assert [(post.address, post.source) for post in bus.taken] == [("/stage/fader", "osc")]
    assert keyboard.selected == "/stage/fader"
    taken.play(bus, keyboard, 2.0)
    bus.tick(10)
    assert bus.taken == []


def test_what_was_meant_for_the_selected_stays_its_own_in_a_film_of_fewer_frames() -> None:
    """M is carried out at a frame's end, on what is selected then."""
    bus = Bus()
    bus.declare("stage", {"one": Param(0, 0, 1), "two": Param(0, 0, 1)})
    bus.declare("modulation", {"next": Trigger()})
    m = Posted(address="/modulation/next", number=1, source="key")
    moments = [
        Moment(at=0.5, selected="/stage/one", posts=[m]),
        Moment(at=0.6, selected="/stage/two", posts=[m, m]),
    ]
    head = Head.model_validate_json(HEAD)
    taken, keyboard, done = Take(head, iter(moments), 0.0, 1.0), Keyboard(bus, []), []
    for _ in range(3):
        taken.play(bus, keyboard, 1.0)
        done.append((keyboard.selected, len(bus.tick(1.0))))
    assert done == [("/stage/one", 1), ("/stage/two", 2), ("/stage/two", 0)]


def test_a_piece_that_was_trained_on_since_is_said(
    house: Path, caplog: pytest.LogCaptureFixture
) -> None:
    play({})
    take = Take.read(Path("evening.take"))
    take.check(Programme.of(take.options(Options())))
    assert caplog.text == ""
    make_piece(house / "pieces" / "tiny", resolution=16)
    with caplog.at_level(logging.WARNING):
        take.check(Programme.of(take.options(Options())))
    assert "tiny is not the piece that it was then" in caplog.text


def test_a_recording_is_told_by_where_it_is_in_the_take(
    house: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        play(
            {60: lambda show: show.keyboard.press("r"), 120: lambda show: show.keyboard.press("r")}
        )
    assert "that was 0:02 to 0:04 of evening.take" in caplog.text
    assert "0:05 of the show are in evening.take" in caplog.text


def test_a_take_is_never_written_over(house: Path) -> None:
    Path("evening.take").write_text("precious")
    with opened(asked(), SIZE, FPS) as show, pytest.raises(TakeError, match="is there already"):
        show.open()
    assert Path("evening.take").read_text() == "precious"
    Path("evening.take").unlink()
    with (
        opened(replace(asked(), take="none/evening.take"), SIZE, FPS) as show,
        pytest.raises(TakeError, match=r"none/evening\.take cannot be written"),
    ):
        show.open()


def test_a_show_that_was_killed_leaves_a_take(
    house: Path, caplog: pytest.LogCaptureFixture
) -> None:
    play(HANDS)
    path = Path("evening.take")
    text = path.read_text()
    path.write_text(text[: text.rindex("}") - 3])
    with caplog.at_level(logging.WARNING):
        Take.read(path)
    assert "in the middle of a line" in caplog.text


def test_a_show_that_is_killed_in_a_quiet_hour_leaves_all_of_it(house: Path) -> None:
    """To within a second or so, also where nobody has done anything since."""
    with opened(asked(scene="drift", size=SIZE), SIZE, FPS) as show:
        show.open()
        show.bus.post("/drift/speed", 0.2, "osc")
        for _ in range(FRAMES):
            show.frame()
        left = Take.read(Path("evening.take"))
    assert left.length >= FRAMES / FPS - 2


def test_a_controller_with_a_long_name_ends_no_show(house: Path) -> None:
    """A program calls the MIDI port that it opens whatever it likes."""
    play({60: lambda show: show.bus.post("/drift/speed", 0.2, f"midi {'x' * 300} cc 1")})
    assert "xxx cc 1" in Path("evening.take").read_text()
    film("again", frames=80)


def test_a_take_whose_file_is_gone_is_said(house: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        play({60: lambda show: Path("evening.take").unlink()})
    assert "evening.take is gone: somebody has taken it away" in caplog.text
    assert "of the show are in" not in caplog.text


HEAD = (
    '{"take":1,"piece":"","scene":"","venue":"","toward":"","chosen":"","seed":0,"pieces":{},'
    '"presets":[]}\n'
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,
        "no take\n",
        HEAD.replace('"take":1', '"take":2') + '{"at":1}\n',
        HEAD + '{"at":2}\n{"at":1}\n',
        HEAD + '{"at":-1}\n',
        HEAD + '{"at":1e999}\n',
        HEAD + '{"at":1e308}\n',
        HEAD.replace('"seed":0', '"seed":-1') + '{"at":1}\n',
        HEAD + '{"at":1,"posts":[{"address":"/a","number":"NaN"}]}\n',
        HEAD + '{"at":1,"posts":[{"address":"/a","number":1,"form":"exec"}]}\n',
        HEAD + '{"at":1,"more":1}\n',
        HEAD + '{"at":1}' + " " * (1 << 23) + "\n",
    ],
)
def test_what_is_no_take_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.take"
    path.write_text(text)
    with pytest.raises(TakeError, match="is no take, or is damaged") as caught:
        Take.read(path)
    assert "\n" not in str(caught.value)


def test_what_a_take_does_not_go_with(house: Path) -> None:
    for more in ({"sound": "a.wav"}, {"sight": "a.mp4"}, {"loop": True}):
        with pytest.raises(TakeError, match=f"--take does not go with --{next(iter(more))}"):
            playing.play(replace(asked(), offscreen=True, **more))  # type: ignore[arg-type]
    for offscreen in (False, True):
        with pytest.raises(TakeError, match="--from goes with --offscreen"):
            playing.play(Options(start=3.0, offscreen=offscreen))
    with pytest.raises(TakeError, match="cannot read the take"):
        playing.play(Options(offscreen=True, take="none.take"))
    play({})
    with pytest.raises(TakeError, match="the take is 0:05 long"):
        film("late", start=6.0)


def test_times_are_said_as_they_are_typed() -> None:
    for text, seconds in (("754", 754.0), ("12:34", 754.0), ("1:02:03.5", 3723.5)):
        assert _moment(text) == seconds
    for wrong in ("9:99", "1:60:00", "a", "", "1:2:3:4", "-1"):
        with pytest.raises(argparse.ArgumentTypeError, match="is no time as 12:34"):
            _moment(wrong)
    assert [said(t) for t in (0, 59.9, 754, 3723)] == ["0:00", "0:59", "12:34", "1:02:03"]
