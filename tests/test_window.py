"""The real window, on a virtual display: keys, OSC and the picture that follows."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pygame
import pytest
from PIL import Image, ImageGrab

from installation.output.window import key_name
from tests.pieces import make_piece

ROOT = Path(__file__).parent.parent
SIZE = (320, 240)
PORT = "9137"


class Running:
    """`installation play` in its window."""

    def __init__(self, display: str, folder: Path, *arguments: str, more: str = "") -> None:
        self.display, self.folder = display, folder
        piece = make_piece(folder / "tiny")
        venue = folder / "here.toml"
        venue.write_text(
            f"[osc]\nport = {PORT}\n[midi]\nenabled = false\n[rehearsal]\nreload = true\n{more}"
        )
        command = [sys.executable, "-m", "installation.cli", "play", str(piece)]
        self.process = subprocess.Popen(
            [*command, "--venue", str(venue), "--size", "320x240", *arguments],
            cwd=folder,
            env={**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)},
            stderr=(folder / "log").open("w"),
        )

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def picture(self) -> np.ndarray:
        """What is on the screen now: (480, 640, 3)."""
        grabbed = ImageGrab.grab(xdisplay=self.display)
        return np.asarray(grabbed.convert("RGB")).astype(int)

    def key(self, name: str) -> None:
        """Press a key; without a window manager it goes to the window under the pointer."""
        environment = {"DISPLAY": self.display}
        for command in (["mousemove", "320", "240"], ["key", name]):
            subprocess.run(["xdotool", *command], env=environment, check=True)

    def osc(self, address: str, *values: str) -> None:
        subprocess.run(["oscsend", "localhost", PORT, address, *values], check=True)

    def until(self, done: Callable[[], bool], what: str, seconds: float = 40) -> None:
        ends = time.monotonic() + seconds
        while not done():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < ends, f"{what} never happened: {self.log}"
            time.sleep(0.1)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


@pytest.fixture
def show(display: str, tmp_path: Path) -> Iterator[Running]:
    running = Running(display, tmp_path, "--scene", "drift")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def bright(show: Running) -> bool:
    return bool(show.picture().mean() > 8)


def test_the_picture_moves_and_follows_the_room(show: Running) -> None:
    show.until(lambda: bright(show), "a picture")
    first = show.picture()
    show.until(lambda: np.abs(show.picture() - first).mean() > 0.2, "movement")

    show.osc("/light/brightness", "f", "0")
    show.until(lambda: not bright(show), "darkness by OSC")
    show.osc("/light/brightness", "f", "1")
    show.until(lambda: bright(show), "light by OSC")

    before = show.picture()
    show.key("Tab")
    show.until(lambda: np.abs(show.picture() - before)[140:340, 170:300].mean() > 10, "the overlay")
    show.key("s")
    show.until(lambda: any(show.folder.glob("clips/*.png")), "a still")
    show.key("r")
    show.until(lambda: "recording to" in show.log, "a recording")
    show.until(lambda: any(show.folder.glob("clips/*.part.mp4")), "a file being written")
    show.key("r")
    show.until(lambda: "recorded" in show.log, "the end of the recording")
    assert len(list(show.folder.glob("clips/*.mp4"))) == 1

    show.key("Escape")
    assert show.process.wait(40) == 0, show.log


def test_keys_of_the_number_pad_are_those_of_the_row() -> None:
    keys = pygame.K_KP1, pygame.K_KP9, pygame.K_KP_ENTER, pygame.K_1, pygame.K_PAGEUP
    assert [key_name(key) for key in keys] == ["1", "9", "enter", "1", "pageup"]


def test_fullscreen_covers_the_display(display: str, tmp_path: Path) -> None:
    show = Running(display, tmp_path, "--fullscreen", "--scene", "drift")
    corners = (slice(None, 20), slice(None, 20)), (slice(-20, None), slice(-20, None))
    show.until(
        lambda: all(show.picture()[corner].mean() > 8 for corner in corners), "a full screen"
    )
    assert show.end() == 0


def filled(show: Running) -> bool:
    """Whether the window covers the screen: outside it the screen is black."""
    corners = (slice(None, 20), slice(None, 20)), (slice(-20, None), slice(-20, None))
    return all(show.picture()[corner].mean() > 2 for corner in corners)


@pytest.mark.parametrize("begins", [(), ("--fullscreen",)], ids=["windowed", "fullscreen"])
def test_fullscreen_comes_and_goes_and_recording_goes_on(
    display: str, tmp_path: Path, begins: tuple[str, ...]
) -> None:
    show = Running(display, tmp_path, "--scene", "drift", *begins)
    show.until(lambda: bright(show) and filled(show) == bool(begins), "a picture")
    for turn in (1, 2):
        show.key("r")
        show.until(lambda n=turn: show.log.count("recording to") == n, "a recording")
        time.sleep(0.5)
        show.key("f")
        if begins:  # a window needs a window manager to fill the display; there is none here
            show.until(lambda n=turn: filled(show) == (n == 2), "fullscreen, or not")
        show.until(lambda n=turn: show.log.count(" recorded ") == n, "the end of the recording")
    assert show.log.count("another size") == 2
    show.key("Next")  # Page Down
    show.key("r")
    show.until(lambda: show.log.count("recording to") == 3, "a recording in the new size")
    time.sleep(0.5)
    assert show.end() == 0, show.log
    assert show.log.count(" recorded ") == 3
    assert "Traceback" not in show.log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_house(show: Running, number: signal.Signals) -> None:
    show.until(lambda: bright(show), "a picture")
    show.key("r")
    show.until(lambda: "recording to" in show.log, "a recording")
    time.sleep(1)
    assert show.end(number) == 0
    assert "recorded" in show.log
    assert "Traceback" not in show.log


def test_a_display_that_is_not_there_is_one_line(display: str, tmp_path: Path) -> None:
    running = Running(display, tmp_path, "--display", "7")
    assert running.process.wait(40) == 2
    assert running.log.strip() == "installation play: there is no display 7; found 1, from 0"


def test_the_tools_are_there() -> None:
    """CI installs them; a test that needs them is not skipped."""
    for tool in ("Xvfb", "xdotool", "oscsend"):
        assert shutil.which(tool), f"{tool} is missing; .ci/run installs it"


WINDOW = """
import pygame
asked, set = [], pygame.display.gl_set_attribute
def note(*given): asked.append(given); set(*given)
pygame.display.gl_set_attribute = note
from installation.output.window import Window
window = Window("x", (64, 48))
window.toggle_fullscreen()
window.ctx.screen.clear(1.0, 0.0, 0.0)
print(window.ctx.version_code, window.ctx.screen.read(viewport=(0, 0, 1, 1)).hex())
names = pygame.GL_CONTEXT_MAJOR_VERSION, pygame.GL_CONTEXT_MINOR_VERSION
print(*[value for name, value in asked if name in names][:2])
"""
OFFSCREEN = """
import moderngl
asked, create = [], moderngl.create_context
moderngl.create_context = lambda **given: (asked.append(given["require"]), create(**given))[1]
from installation.output.offscreen import Offscreen
print(Offscreen((8, 8)).ctx.version_code, asked[0])
"""


@pytest.mark.parametrize(("offered", "code"), [("4.5", "450"), ("4.1", "410"), ("3.3", "330")])
def test_the_best_opengl_there_is(display: str, offered: str, code: str) -> None:
    """4.3 is asked for first: NVIDIA's driver gives just what is asked for. Where there is
    no such version (Mesa can be told so), 3.3 is enough, and the window can still grow."""
    env = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    env |= {"MESA_GL_VERSION_OVERRIDE": offered, "PYGAME_HIDE_SUPPORT_PROMPT": "1"}

    def said(script: str) -> list[str]:
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert said(WINDOW) == [code, "ff0000", "4", "3"]
    assert said(OFFSCREEN) == [code, "430"]


DISPLAYS = """
import pygame
from installation.output.window import Window
def misplaced(*displays):
    pygame.display.get_desktop_sizes = lambda: list(displays)
    window.events()
    return window.misplaced
window = Window("x", (64, 48))
print(misplaced((800, 600)))  # a window that fills nothing
window = Window("x", (64, 48), fullscreen=True, on=[0])
print(misplaced((800, 600)), misplaced(), misplaced((800, 600)))
print(misplaced((1920, 1080)), misplaced((1920, 1080)))
"""


def test_a_window_says_when_the_display_that_it_fills_is_another(display: str) -> None:
    env = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    env["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    command = [sys.executable, "-c", DISPLAYS]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == ["False", "False False True", "True True"]


RESOLUTION = """
import time
from installation.output import displays, window as windows
windows._LOOK = 0.0
window = windows.Window("x", (64, 48), fullscreen=True)
print(displays.desktop())
window.events(); print(window.misplaced)
displays.desktop = lambda: (800, 600)
window.events(); print(window.misplaced)
"""


def test_another_resolution_of_a_display_that_stays_is_noticed(display: str) -> None:
    env = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    env["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    command = [sys.executable, "-c", RESOLUTION]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(640, 480)", "False", "True"]


SEVERAL = """
import pygame
from installation.output import displays
from installation.output.window import Window
where = {0: (0, 0), 1: (320, 96)}  # two of 320 x 240, one lower, on a screen of 640 x 480
sizes, opened, asked = [(320, 240), (320, 240)], pygame.display.set_mode, []
pygame.display.get_desktop_sizes = lambda: sizes
def mode(size, flags, display=0, **more):
    asked.append((display, size, bool(flags & pygame.HIDDEN)))
    opened(size, flags, **more)
    if flags & pygame.HIDDEN:
        x, y = where[display]
        pygame.display.set_window_position((x + 160 - size[0] // 2, y + 120 - size[1] // 2))
        pygame.event.pump()
pygame.display.set_mode = mode
window = Window("x", (64, 48), fullscreen=%s, on=[1, 0])
def filled():
    for _ in range(50):
        pygame.event.pump()
        if pygame.display.get_window_position() == (0, 0) and window.size == (640, 336):
            return True
        pygame.time.wait(100)
    return False
if not window.fullscreen:
    print(window.size)
    window.ctx.screen.clear(1.0, 0.0, 0.0)
    window.toggle_fullscreen()
print(filled(), window.areas(2))
print(window.ctx.screen.read(viewport=(0, 0, 1, 1)) is not None, window.misplaced)
sizes = [(320, 240)]  # one is switched off
window.events(); print(window.misplaced)
sizes = [(320, 240), (320, 240)]
window.events(); print(window.misplaced)
window.toggle_fullscreen()
print(window.size)
"""


@pytest.mark.parametrize("fullscreen", [True, False])
def test_one_window_fills_several_displays(display: str, fullscreen: bool) -> None:
    env = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    env["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    command = [sys.executable, "-c", SEVERAL % fullscreen]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    if not fullscreen:
        assert said.pop(0) == "(64, 48)"
    lower, upper = (0.5, 96 / 336, 0.5, 240 / 336), (0.0, 0.0, 0.5, 240 / 336)
    assert said[0] == f"True [{lower}, {upper}]"
    assert said[1:] == ["True False", "False", "True", "(64, 48)"]


ELSEWHERE = """
import pygame
from installation.output import displays
from installation.output.window import Window
for on in ([0, 1], [0]):  # a rehearsal, on one display
    print(Window("x", (64, 48), on=on).areas(2))
for wanted in ([0, 1], [3]):
    try:
        Window("x", (64, 48), fullscreen=True, on=wanted)
    except displays.DisplayError as error:
        print(error)
pygame.display.get_desktop_sizes = lambda: [(640, 480)] * 2  # that show the same
opened = pygame.display.set_mode
pygame.display.set_mode = lambda size, flags, display=0, **more: opened(size, flags, **more)
try:
    displays.places([0, 1])
except displays.DisplayError as error:
    print(error)
"""


def test_where_the_displays_of_a_wall_are_not_there(display: str) -> None:
    env = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    env["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    command = [sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    areas, again, missing, none, same = done.stdout.splitlines()
    assert areas == again == "[(0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 0.5, 1.0)]"
    assert missing == "there is no display 1; found 1, from 0"
    assert none == "there is no display 3; found 1, from 0"
    assert same.startswith("two displays lie in one place")


def test_screens_share_the_window(display: str, tmp_path: Path) -> None:
    """The same on both, once mirrored; the still is of the picture alone."""
    halves = "[[screen]]\narea = [0, 0, 0.5, 1]\n"
    halves += "[[screen]]\narea = [0.5, 0, 0.5, 1]\nmirror = true\n"
    show = Running(display, tmp_path, "--scene", "drift", more=halves)
    try:
        show.until(lambda: bright(show), "a picture")
        show.osc("/drift/speed", "f", "0")
        show.osc("/light/steady", "f", "0")

        def mirrored() -> bool:
            window = show.picture()[120:360, 160:480]
            left, right = window[:, :160], window[:, 160:][:, ::-1]
            return bool(np.abs(left - right).max() <= 2 and np.ptp(left) > 16)

        show.until(mirrored, "a mirror")
        show.key("s")
        show.until(lambda: any((tmp_path / "clips").glob("*.png")), "a still")
    finally:
        show.end()
    (still,) = (tmp_path / "clips").glob("*.png")
    assert Image.open(still).size == (160, 240)


KILLED = """
import os, signal
from installation.output.window import Window
window = Window("x", (64, 48))
os.kill(os.getpid(), signal.SIGTERM)
print(window.events())
"""


def test_a_kill_while_it_begins_is_not_taken_for_a_hand_that_closes_it(display: str) -> None:
    env = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", KILLED], env=env, capture_output=True, text=True)
    assert done.returncode == -signal.SIGTERM
    assert "quit" not in done.stdout
