"""Those before the wall on their way to the bus: from a film, and from a camera that is pulled.

A virtual screen that FFmpeg grabs is the camera: FFmpeg reads it by the same calls, at its own
pace, and it can be switched off."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import Mock

import av
import numpy as np
import pytest
from av.device import DeviceInfo
from numpy.typing import NDArray
from PIL import Image

from installation.clock import Frame, Senses
from installation.control import inlet, sight
from installation.control.eye import WIDTH
from installation.control.film import Film
from installation.control.sight import NoSight, Sight, open_camera
from installation.parameters import Bus, Param
from tests.screen import Screen
from tests.visitors import RATE, Picture, Room, film
from tests.waiting import until

Pictures = list[NDArray[np.uint8]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlet, "_EVERY", 0.01)


@pytest.fixture
def bus() -> Bus:
    made = Bus()
    made.declare("a", {"fader": Param(0, 0, 1)})
    return made


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """The only camera of this machine, called Cyclops, with its blind entry before it."""
    made = Screen()
    entries = [DeviceInfo(name, "Cyclops", False, []) for name in (":77777", made.name)]
    microphone = DeviceInfo(made.name, "Cyclops' ear", False, ["audio"])
    display = DeviceInfo(":77778", "Capture screen 0", False, ["video"])
    monkeypatch.setattr(sight, "_driver", lambda: ("x11grab", "{}"))
    monkeypatch.setattr(
        av, "enumerate_input_devices", lambda driver: [microphone, display, *entries]
    )
    yield made
    made.close()


def test_who_walks_through_a_film_is_on_the_bus_and_in_the_frame(bus: Bus, tmp_path: Path) -> None:
    senses, room = Senses(), Room()
    senses.bind(bus)
    pictures = [room.walls] * 85 + [room.person(6 + n) for n in range(40)] + [room.walls] * 10
    looking = Sight(bus, str(film(tmp_path / "visitor.mp4", pictures))).start()
    came: set[str] = set()

    def told() -> Frame:
        came.update(bus.tick(0.01))
        return senses.tell(Frame(1, 2.0, 0.01, 3.0))

    until(lambda: told().presence > 0.3)
    frame = told()
    assert (frame.index, frame.time, frame.beat) == (1, 2.0, 3.0)
    assert frame.across > 0.2  # at first at the picture's left
    assert frame.motion > 0.3
    assert bus.moved_by("/sight/presence") == "sight"
    assert "/sight/arrives" in came
    until(lambda: looking.guide is not None and looking.guide.std() > 0.5)
    looking.close()
    bus.tick(0.01)
    assert looking.guide is None
    assert senses.tell(frame).presence == 0  # it comes to rest


def test_a_camera_that_is_pulled_is_taken_up_again(
    bus: Bus, screen: Screen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    looking = Sight(bus, "cyclops").start()
    until(lambda: "looking through Cyclops" in caplog.messages)
    screen.off()
    until(lambda: "the picture of Cyclops is gone; it is looked for again" in caplog.messages)
    until(lambda: any("nothing is seen: Cyclops cannot be opened" in m for m in caplog.messages))
    screen.on()
    until(lambda: caplog.messages.count("looking through Cyclops") == 2)
    looking.close()
    assert sum("nothing is seen" in message for message in caplog.messages) == 1


class Plugged:
    """A camera that the test draws the pictures of, until it is pulled."""

    def __init__(self, look: sight.Look) -> None:
        self.name, self.look, self.alive, self.gives = "Cyclops", look, True, True
        self.moment = 0.0

    def watch(self, seconds: float, picture: Picture) -> None:
        for _ in range(round(seconds * RATE)):
            self.moment += 1 / RATE
            self.look((255 * picture).astype(np.uint8), self.moment)

    def close(self) -> None:
        pass


def test_who_is_seen_by_a_camera_that_is_pulled_goes_as_if_they_walked_away(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    senses, room, lenses = Senses(), Room(), list[Plugged]()
    senses.bind(bus)

    def plug(device: str, look: sight.Look) -> Plugged:
        if lenses and lenses[-1].alive:
            raise NoSight("one is enough")
        lenses.append(Plugged(look))
        return lenses[-1]

    monkeypatch.setattr(sight, "open_camera", plug)
    looking = Sight(bus).start()
    until(lambda: lenses)
    looking.keep(0.02)
    assert looking.shade is None  # nobody has been seen yet
    lenses[0].watch(4, room.walls)
    lenses[0].watch(2, room.dancer(10))

    def told() -> tuple[Frame, NDArray[np.float32], NDArray[np.uint8]]:
        bus.tick(0.02)
        assert looking.guide is not None
        assert looking.shade is not None
        return senses.tell(Frame(1, 2.0, 0.02, 3.0)), looking.guide, looking.shade.astype(int)

    seen = [told()]
    lenses[0].alive = False
    until(lambda: len(lenses) == 2)
    for number in range(80):
        looking.keep(1 / RATE)
        if number >= 5:  # it is back, and in other walls; who was seen still goes softly
            lenses[1].watch(1 / RATE, np.roll(room.walls, 9, 1))
        seen.append(told())
    presence = [frame.presence for frame, _, _ in seen]
    assert presence == sorted(presence, reverse=True)
    assert presence[0] > 0.5
    assert presence[1] > 0.8 * presence[0]
    guides = [guide for _, guide, _ in seen]
    steps = [np.abs(b - a).max() for a, b in itertools.pairwise(guides)]
    assert max(steps) < 0.5 * guides[0].max()
    assert np.abs(guides[-1]).max() < 0.01
    shades = [shade.mean() for _, _, shade in seen]
    assert shades[0] > 30
    assert shades[1] > 0.7 * shades[0]
    assert shades == sorted(shades, reverse=True)
    assert shades[-1] == 0
    looking.close()


def test_a_camera_that_stays_away_is_nobody_in_the_end(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenses: list[Plugged] = []

    def plug(device: str, look: sight.Look) -> Plugged:
        if lenses:
            raise NoSight("it is gone")
        lenses.append(Plugged(look))
        return lenses[-1]

    monkeypatch.setattr(sight, "open_camera", plug)
    looking = Sight(bus).start()
    until(lambda: lenses)
    lenses[0].watch(1, Room().walls)
    lenses[0].alive = False
    until(lambda: (looking.keep(0.5), looking.guide is None)[1])
    assert looking.shade is None
    looking.close()


def test_a_camera_that_gives_nothing_leaves_the_room_to_others(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that sees better sends the same by OSC."""
    Senses().bind(bus)
    lenses: list[Plugged] = []

    def plug(device: str, look: sight.Look) -> Plugged:
        lenses.append(Plugged(look))
        lenses[-1].alive = lenses[-1].gives = False
        return lenses[-1]

    monkeypatch.setattr(sight, "open_camera", plug)
    looking = Sight(bus).start()
    bus.post("/sight/presence", 0.7, "osc")
    until(lambda: (looking.keep(0.1), len(lenses) > 5)[1])
    bus.tick(0.1)
    assert bus.value("/sight/presence") == 0.7
    looking.close()


def test_a_camera_that_is_just_being_opened_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inlet, "_PATIENCE", 0.01)
    answers, opened, rested = threading.Event(), Mock(), Mock()
    opens = Mock(side_effect=lambda: answers.wait(30) and opened)
    looking = inlet.Inlet("sight", opens, rested, taken="through", none="nothing", gone="gone")
    looking.start()
    until(lambda: opens.called)
    looking.close()
    opened.close.assert_not_called()
    answers.set()
    until(lambda: rested.called)
    opened.close.assert_called_once()


def test_a_camera_gives_small_grey_pictures_one_after_the_other(screen: Screen) -> None:
    pictures: Pictures = []
    moments: list[float] = []

    def look(picture: NDArray[np.uint8], moment: float) -> None:
        pictures.append(picture)
        moments.append(moment)

    lens = open_camera("", look)
    until(lambda: len(pictures) > 3)
    assert lens.alive
    lens.close()
    assert not lens.alive
    assert lens.size == (640, 480)
    assert {one.shape for one in pictures} == {(48, WIDTH)}
    assert pictures[0].dtype == np.uint8
    assert moments == sorted(moments)


def test_a_film_is_shown_over_again_at_its_own_pace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film(tmp_path / "night.mkv", [np.full((48, 64), n / 10) for n in range(10)], 25)
    moments: list[float] = []
    lens = open_camera(str(path), lambda picture, moment: moments.append(moment))
    until(lambda: len(moments) > 20)
    lens.close()
    steps = np.diff(moments[:10])
    assert steps == pytest.approx(np.full(9, 0.04), abs=1e-6)


def cut(path: Path, seconds: tuple[int, ...]) -> Path:
    """A film with a picture at each of these moments, as one that was cut out of another."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = WIDTH, 48
        for moment in seconds:
            frame = av.VideoFrame.from_ndarray(np.full((72, WIDTH), 99, np.uint8), "yuv420p")
            frame.pts, frame.time_base = moment * 25, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_film_begins_at_once_and_may_pause(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, moments = cut(tmp_path / "cut.mkv", (600, 1200)), list[float]()
    lens = open_camera(str(path), lambda picture, moment: moments.append(moment))
    until(lambda: moments)
    late = time.monotonic() + 60
    monkeypatch.setattr(sight.time, "monotonic", lambda: late)
    assert lens.alive
    lens.close()
    movie = Film(path, 25)
    movie.play(bus, 0)
    assert movie.shade is not None
    movie.close()


def test_a_film_of_one_picture_does_not_keep_a_core_busy(tmp_path: Path) -> None:
    moments: list[float] = []
    path = cut(tmp_path / "still.mkv", (0,))
    lens = open_camera(str(path), lambda picture, moment: moments.append(moment))
    until(lambda: len(moments) > 4)
    lens.close()
    assert np.diff(moments).min() > 0.03


@pytest.mark.parametrize("there", [0.3, 0.6])
def test_what_is_left_of_a_film_is_no_film(tmp_path: Path, there: float) -> None:
    """As of one whose copying was broken off."""
    path = film(tmp_path / "a.mp4", [np.full((48, 64), 0.5)] * 5)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(there * len(whole))])
    with pytest.raises(NoSight, match=r"a\.mp4 (cannot be opened|has no picture that can be read)"):
        open_camera(str(path), lambda picture, moment: None)


def test_a_camera_that_gives_nothing_any_more_is_gone(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its driver waits for a picture for good; so does closing it not."""
    pictures: Pictures = []
    now = [100.0]
    monkeypatch.setattr(sight.time, "monotonic", lambda: now[0])
    lens = open_camera("", lambda picture, moment: pictures.append(picture))
    until(lambda: pictures)
    lens.close()  # no more pictures, as from a driver that hangs
    monkeypatch.setattr(lens._thread, "is_alive", lambda: True)
    now[0] = 104.0
    assert lens.alive
    now[0] = 106.0
    assert not lens.alive


@pytest.mark.parametrize(
    ("device", "says"),
    [
        ("polyphem", "no camera is called polyphem; there are: Cyclops"),
        ("file:///etc/passwd", "a camera's address begins with rtsp, http, https"),
        ("concat:one.mp4|two.mp4", "no camera is called concat:one.mp4|two.mp4"),
        ("rtsp://eye:secret@[::1/small", "that is no address of a camera"),
        ("rtsp:/eye:secret@127.0.0.1/small", "the network cannot be opened"),
        (300 * "x", "no camera is called xxx"),
    ],
)
def test_what_cannot_be_looked_through_is_named(screen: Screen, device: str, says: str) -> None:
    with pytest.raises(NoSight) as error:
        open_camera(device, lambda picture, moment: None)
    assert says in str(error.value)
    assert "secret" not in "".join(traceback.format_exception(error.value))


def test_a_machine_without_a_camera_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "enumerate_input_devices", lambda driver: [])
    with pytest.raises(NoSight, match="this machine has no camera, or none that this user may"):
        open_camera("", lambda picture, moment: None)


def test_a_password_in_an_address_is_not_told() -> None:
    where = "rtsp://eye:secret@127.0.0.1:1/small"
    with pytest.raises(NoSight) as error:
        open_camera(where, lambda picture, moment: None)
    assert str(error.value).startswith("127.0.0.1 cannot be opened (")
    assert "secret" not in "".join(traceback.format_exception(error.value))


@contextlib.contextmanager
def phone(pictures: Callable[[int], bytes]) -> Iterator[str]:
    """The address of a camera as telephones and the cheapest are: one JPEG after the other, without
    an end. pictures: draws the one of a number."""

    class Phone(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                for number in itertools.count():
                    data = pictures(number)
                    head = (
                        f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    )
                    self.wfile.write(head.encode() + data + b"\r\n")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Phone) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://eye:secret@127.0.0.1:{server.server_port}/video"
        server.shutdown()


def jpeg(width: int, height: int) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (width, height), (120, 120, 120)).save(drawn, "JPEG")
    return drawn.getvalue()


def test_a_camera_of_the_network_is_looked_through() -> None:
    """It may change its picture's size."""
    pictures: Pictures = []
    first, later = jpeg(320, 240), jpeg(640, 360)
    with phone(lambda number: first if number < 20 else later) as where:
        lens = open_camera(where, lambda picture, moment: pictures.append(picture))
        until(lambda: {one.shape for one in pictures} == {(48, WIDTH), (36, WIDTH)})
        lens.close()
    assert (lens.name, lens.size) == ("127.0.0.1", (320, 240))
    assert pictures[0].mean() == pytest.approx(120, abs=6)


def test_damaged_pictures_of_a_network_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    pictures: Pictures = []
    whole = jpeg(320, 240)
    with phone(lambda number: whole[:40] + bytes(80) if number % 5 == 4 else whole) as where:
        lens = open_camera(where, lambda picture, moment: pictures.append(picture))
        until(lambda: len(pictures) > 20 or not lens.alive)
        assert lens.alive
        lens.close()
    said = "some pictures of 127.0.0.1 are damaged; they are left out"
    assert caplog.messages.count(said) == 1


@pytest.mark.parametrize("size", [(1, 1), (300, 1), (1, 300)])
def test_what_is_no_picture_is_left_out(size: tuple[int, int]) -> None:
    """FFmpeg ends the process over one of a single row, in the formats of some cameras' sensors."""
    pictures: Pictures = []
    whole, speck = jpeg(320, 240), jpeg(*size)
    with phone(lambda number: speck if number % 5 == 4 else whole) as where:
        lens = open_camera(where, lambda picture, moment: pictures.append(picture))
        until(lambda: len(pictures) > 20 or not lens.alive)
        lens.close()
    assert {one.shape for one in pictures} == {(48, WIDTH)}


def test_a_picture_too_large_for_any_camera_is_not_decoded() -> None:
    """A small file may hold one that fills the memory."""
    pictures: Pictures = []
    whole, huge = jpeg(320, 240), jpeg(8192, 8192)
    with phone(lambda number: whole if number < 20 else huge) as where:
        lens = open_camera(where, lambda picture, moment: pictures.append(picture))
        until(lambda: not lens._thread.is_alive() or len(pictures) > 20)
        lens.close()
    assert len(pictures) <= 20


def test_a_camera_that_does_not_answer_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "_PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"http://127.0.0.1:{silent.getsockname()[1]}/video"
        with pytest.raises(NoSight, match=r"cannot be opened \(it does not answer\)"):
            open_camera(where, lambda picture, moment: None)


def test_a_playlist_or_text_is_no_film(tmp_path: Path) -> None:
    """FFmpeg would open what it names."""
    inside = film(tmp_path / "a.mp4", [np.full((48, 64), 0.5)] * 5)
    listed = tmp_path / "list.txt"
    listed.write_text(f"ffconcat version 1.0\nfile {inside}\n")
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{inside}\n#EXT-X-ENDLIST\n")
    for path in (listed, playlist):
        with pytest.raises(NoSight, match=f"{path.name} cannot be opened"):
            open_camera(str(path), lambda picture, moment: None)


def test_a_film_is_seen_frame_by_frame_for_a_movie(bus: Bus, tmp_path: Path) -> None:
    """The same twice, at any rate of the movie, and nothing is seen after its end."""
    room, senses = Room(), Senses()
    senses.bind(bus)
    shown = [room.walls] * 90 + [room.dancer(n // 4 - 8) for n in range(45)]
    path = film(tmp_path / "visitor.mp4", shown)

    def seen(fps: float) -> list[tuple[float, float, bool, float, bytes]]:
        movie, told = Film(path, fps), []
        assert movie.frames == pytest.approx(9 * fps, abs=1)
        for number in range(movie.frames + round(5 * fps)):
            movie.play(bus, number)
            arrives = "/sight/arrives" in bus.tick(1 / fps)
            frame = senses.tell(Frame(number, number / fps, 1 / fps, 0.0))
            mean = 0.0 if movie.shade is None else float(movie.shade.mean())
            guide = b"" if movie.guide is None else movie.guide.tobytes()
            told.append((frame.presence, frame.across, arrives, mean, guide))
        movie.close()
        return told

    first = seen(10)
    assert first == seen(10)
    assert first[50][0] < 0.05
    assert sum(one[2] for one in first) == 1
    for frame in (85, 89):  # its last picture is seen, too
        assert first[frame][0] > 0.3
        assert first[frame][3] > 10
        assert np.frombuffer(first[frame][4], np.float32).std() > 0.5
    assert first[-1][0] == pytest.approx(0, abs=0.01)
    assert first[-1][3] == 0
    assert np.abs(np.frombuffer(first[-1][4], np.float32)).max() < 0.01
    for slow in (3, 60):
        other = seen(slow)
        assert other[8 * slow][0] == pytest.approx(first[80][0], abs=0.1)
        assert other[9 * slow - 1][3] == pytest.approx(first[89][3], abs=3)
        assert sum(one[2] for one in other) == 1


def test_who_is_there_at_a_film_s_end_walks_away(bus: Bus, tmp_path: Path) -> None:
    room = Room()
    shown = [room.walls] * 60 + [room.dancer(n // 4 - 8) for n in range(45)]
    movie, guides = Film(film(tmp_path / "visitor.mp4", shown), 15), []
    for number in range(movie.frames + 75):
        movie.play(bus, number)
        assert movie.guide is not None
        guides.append(movie.guide)
    most = guides[movie.frames - 1].max()
    steps = [np.abs(b - a).max() for a, b in itertools.pairwise(guides[movie.frames - 1 :])]
    assert 0 < max(steps) < 0.5 * most
    assert np.abs(guides[-1]).max() < 0.01
    movie.close()


def test_a_film_that_ends_early_is_said(
    bus: Bus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    room = Room()
    path = film(tmp_path / "a.mkv", [room.dancer(n % 8) for n in range(60)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    movie = Film(path, 15)
    for number in range(60):
        movie.play(bus, number)
    assert movie.shade is not None
    assert not movie.shade.any()
    with pytest.raises(NoSight, match=r"there is no film .*b\.mp4"):
        Film(tmp_path / "b.mp4", 15)


def test_a_picture_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    Image.new("L", (64, 48)).save(path)
    with pytest.raises(NoSight, match=r"picture\.png cannot be opened .*; a film is an \.mp4"):
        Film(path, 30)
