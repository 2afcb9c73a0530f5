"""`installation check`: every fault is found, in one run, with what to do about it."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from unittest.mock import Mock

import pytest
from PIL import Image

from installation import candidates, doctor, machine
from installation.cli import main
from installation.control.midi import NoMidi
from installation.finding import Finding
from installation.output.displays import DisplayError
from installation.output.ndi import Ndi
from installation.output.offscreen import Offscreen
from installation.scene import find
from models.card import GENERATOR
from models.latent import Latent
from tests.pieces import make_piece
from tests.visitors import Room, film


@pytest.fixture(autouse=True)
def simple(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One display, one controller, in a folder of our own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(machine, "sizes", lambda: [(640, 480)])
    monkeypatch.setattr(machine, "_hidden_window", lambda: Offscreen((16, 16)))
    monkeypatch.setattr(machine, "port_names", lambda: ["nanoKONTROL2:in 20:0"])


@pytest.fixture
def port() -> int:
    """One that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.bind(("127.0.0.1", 0))
        number: int = asked.getsockname()[1]
    return number


def venue(folder: Path, port: int, text: str = "", order: str = "") -> Path:
    """A venue file with a setlist of one piece."""
    piece = folder / "mine"
    if not piece.exists():
        make_piece(piece)
    setlist = folder / "order.toml"
    setlist.write_text(order or f'[[scene]]\nscene = "drift"\npiece = "{piece}"\n')
    path = folder / "here.toml"
    top = "" if "[play]" in text else f"[play]\nsetlist = '{setlist}'\n"
    osc = "" if "[osc]" in text else f"[osc]\nport = {port}\n"
    path.write_text(f"{top}{osc}{text}")
    return path


def faults(path: Path | str) -> list[Finding]:
    return [one for one in doctor.examine(str(path)) if one.state == "fault"]


def test_a_machine_that_is_ready(
    tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = venue(tmp_path, port)
    assert main(["check", str(path)]) == 0
    said = capsys.readouterr().out
    assert said.rstrip().endswith("ready to play")
    for part in ("nanoKONTROL2", "0: 640 × 480", "mine: "):
        assert part in said
    assert main(["check", str(path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["what"] for row in rows} == {
        "venue", "setlist", "scenes", "piece", "parameters", "display", "OpenGL", "GPU", "MIDI",
        "OSC", "recordings",
    }  # fmt: skip
    assert not (tmp_path / "clips").exists()  # it only looks


@pytest.mark.parametrize(
    ("text", "what", "says"),
    [
        ("[window]\ndisplay = 3\n", "display", "takes display 3"),
        ("[midi]\nports = ['launchpad']\n", "MIDI", "no port is called launchpad"),
        ("[parameters]\n'/drift/spede' = 1\n", "parameters", "/drift/spede"),
        ("[record]\nfolder = 'here.toml/clips'\n", "recordings", "cannot be written"),
        ("[play]\nscene = 'dirft'\n", "scenes", "dirft"),
        ("[play]\nsetlist = 'none.toml'\n", "setlist", "none.toml"),
        ("[window]\ncolour = 1\n", "venue", "colour"),
    ],
)
def test_what_the_venue_wants_and_the_machine_has_not(
    tmp_path: Path, port: int, text: str, what: str, says: str
) -> None:
    found = faults(venue(tmp_path, port, text))
    assert [one.what for one in found] == [what]
    assert says in found[0].says


def test_what_the_setlist_sets_must_be_there(tmp_path: Path, port: int) -> None:
    order = (
        f'[[scene]]\nscene = "drift"\npiece = "{tmp_path / "mine"}"\n'
        'parameters = {"/drift/speed" = 1, "/drift/spede" = 0.1, "/stage/next" = 1}\n'
    )
    found = faults(venue(tmp_path, port, order=order))
    assert [one.says for one in found] == [
        "the setlist's drift: /drift/speed = 1 is outside 0 to 0.2",
        "the setlist's drift: there is no /drift/spede, did you mean '/drift/speed'?",
        "the setlist's drift: /stage/next is a trigger, and holds no value",
    ]


def test_two_scenes_of_one_name(tmp_path: Path, port: int) -> None:
    own = tmp_path / "drift.py"
    own.write_text(Path(str(find("drift"))).read_text())
    order = f'[[scene]]\nscene = "drift"\npiece = "{tmp_path}/mine"\n[[scene]]\nscene = "{own}"\n'
    (fault,) = faults(venue(tmp_path, port, order=order))
    assert (fault.what, fault.says.split(":")[0]) == (
        "scenes", "two scenes of the setlist are called drift"
    )  # fmt: skip


def test_a_midi_control_that_would_go_too_far(tmp_path: Path, port: int) -> None:
    text = '[[midi.map]]\naddress = "/light/brightness"\ncc = 7\nhigh = 80\n'
    found = [one.says for one in faults(venue(tmp_path, port, text)) if one.what == "parameters"]
    assert len(found) == 1
    assert "by MIDI, /light/brightness = 80 is outside" in found[0]


def test_a_folder_that_may_not_be_entered(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists = Path.exists

    def refuse(path: Path) -> bool:
        if "locked" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return exists(path)

    here = venue(tmp_path, port, f'[record]\nfolder = "{tmp_path}/locked/clips"\n')
    monkeypatch.setattr(Path, "exists", refuse)
    assert [(one.what, "cannot be written" in one.says) for one in faults(here)] == [
        ("recordings", True)
    ]


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    order = '[[scene]]\nscene = "drift"\npiece = "lost"\n[[scene]]\nscene = "nowhere"\n'
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        path = venue(tmp_path, taken.getsockname()[1], "[window]\ndisplay = 9\n", order)
        found = faults(path)
    assert [one.what for one in found] == ["scenes", "pieces", "display", "OSC"]
    assert main(["check", str(path)]) == 1


def test_a_piece_whose_file_was_damaged(tmp_path: Path, port: int) -> None:
    path = venue(tmp_path, port)
    weights = tmp_path / "mine" / GENERATOR
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    found = faults(path)
    assert [one.what for one in found] == ["piece"]
    assert GENERATOR in found[0].says
    assert "copy it here again" in found[0].do


def test_no_display_and_no_midi(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> list[tuple[int, int]]:
        raise DisplayError("no display to open a window on")

    def silent() -> list[str]:
        raise NoMidi("this machine has no MIDI system")

    monkeypatch.setattr(machine, "sizes", none)
    monkeypatch.setattr(machine, "port_names", silent)
    assert [one.what for one in faults(venue(tmp_path, port))] == ["display"]
    named = venue(tmp_path, port, "[[midi.map]]\naddress = '/drift/speed'\ncc = 1\n")
    assert [one.what for one in faults(named)] == ["display", "MIDI"]


def test_osc_from_the_network_is_a_note(tmp_path: Path, port: int) -> None:
    path = venue(tmp_path, port, f"[osc]\nhost = '0.0.0.0'\nport = {port}\n")
    notes = {one.what: one for one in doctor.examine(str(path)) if one.state == "note"}
    assert "from the network" in notes["OSC"].says


def test_a_remote_that_is_wanted_is_looked_at(tmp_path: Path, port: int) -> None:
    path = venue(tmp_path, port, f"[web]\nenabled = true\nport = {port}\n")
    (found,) = [one for one in doctor.examine(str(path)) if one.what == "remote"]
    assert (found.state, found.says) == (
        "ok", f"http://127.0.0.1:{port}, from this machine alone",
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", port)):
        (fault,) = [one for one in faults(path) if one.what == "remote"]
    assert "another program" in fault.says
    for more, state in (("", "note"), ("password = 'for the house'\n", "ok")):
        table = f"[web]\nenabled = true\nport = {port}\nhost = '0.0.0.0'\n{more}"
        (found,) = [
            one for one in doctor.examine(str(venue(tmp_path, port, table))) if one.what == "remote"
        ]
        assert found.state == state


def test_a_camera_that_is_wanted_is_looked_through(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(tmp_path / "night.mp4", [Room().walls] * 3)
    path = venue(tmp_path, port, '[sight]\nenabled = true\ndevice = "night.mp4"\n')
    (found,) = [one for one in doctor.examine(str(path)) if one.what == "sight"]
    assert (found.state, found.says) == ("ok", "night.mp4, 64 × 48")
    path = venue(tmp_path, port, '[sight]\nenabled = true\ndevice = "cyclops"\n')
    (fault,) = [one for one in faults(path) if one.what == "sight"]
    assert "camera" in fault.says
    silent = Mock(size=(640, 480))
    silent.name = "cyclops"
    monkeypatch.setattr(machine, "open_camera", lambda device, look: silent)
    monkeypatch.setattr(machine, "_FIRST_PICTURE", 0.01)
    (fault,) = [one for one in faults(path) if one.what == "sight"]
    assert fault.says == "cyclops gives no picture"
    assert "another program may have it" in fault.do
    silent.close.assert_called_once()


def test_a_source_for_other_programs_is_looked_at(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"a wall {os.getpid()}"
    path = venue(tmp_path, port, f"[ndi]\nenabled = true\nname = '{name}'\n")
    monkeypatch.setattr(machine, "_AVAHI", tmp_path)  # it is on
    (found,) = [one for one in doctor.examine(str(path)) if one.what == "NDI"]
    assert found.state == "ok"
    assert found.says.endswith(f"({name})")
    monkeypatch.setattr(machine, "_AVAHI", tmp_path / "none")
    monkeypatch.setattr("sys.platform", "linux")
    (found,) = [one for one in doctor.examine(str(path)) if one.what == "NDI"]
    assert (found.state, "avahi-daemon" in found.do) == ("note", True)
    other = Ndi(name, 60).start()
    (fault,) = [one for one in faults(path) if one.what == "NDI"]
    other.close()
    assert "another name under [ndi]" in fault.says


def test_the_kin_that_a_piece_goes_to_is_looked_at(tmp_path: Path, port: int) -> None:
    make_piece(tmp_path / "pieces" / "twin")
    make_piece(tmp_path / "pieces" / "large", resolution=64)
    path = venue(tmp_path, port)
    text = path.read_text()
    for toward, said in (("nobody", "no piece 'nobody'"), ("large", "cannot go toward large")):
        path.write_text(text.replace("[play]", f"[play]\ntoward = '{toward}'"))
        (fault,) = [one for one in faults(path) if one.what == "toward"]
        assert said in fault.says
    path.write_text(text.replace("[play]", "[play]\ntoward = 'twin'"))
    (found,) = [one for one in doctor.examine(str(path)) if one.what == "toward"]
    assert (found.state, found.says) == ("ok", "mine to twin")


def test_chosen_stills_are_looked_at(tmp_path: Path, port: int) -> None:
    path = venue(tmp_path, port)
    path.write_text(path.read_text().replace("[play]", "[play]\nchosen = 'faces'"))
    (fault,) = [one for one in faults(path) if one.what == "chosen"]
    assert "there is no folder faces" in fault.says
    candidates.draw(str(tmp_path / "mine"), Path("faces"), count=3)
    (found,) = [one for one in doctor.examine(str(path)) if one.what == "chosen"]
    assert (found.state, found.says) == ("ok", "3 of mine")
    make_piece(tmp_path / "mine", latent=Latent(5))  # trained anew, otherwise
    (fault,) = [one for one in faults(path) if one.what == "chosen"]
    assert "has no still of mine" in fault.says


def test_the_masks_of_screens_are_looked_at(tmp_path: Path, port: int) -> None:
    path = venue(tmp_path, port, "[[screen]]\nmask = 'arch.png'\n")
    (fault,) = [one for one in faults(path) if one.what == "mask"]
    assert fault.says == "screen 1: mask: there is no file arch.png"
    Image.new("L", (40, 30)).save("arch.png")
    (found,) = [one for one in doctor.examine(str(path)) if one.what == "mask"]
    assert (found.state, found.says) == ("ok", "40 × 30")


def test_edges_of_a_second_screen_may_be_set(tmp_path: Path, port: int) -> None:
    text = '[parameters]\n"/wall/2/top_bow" = 0.1\n'
    (fault,) = [one for one in faults(venue(tmp_path, port, text)) if one.what == "parameters"]
    assert "there is no /wall/2/top_bow" in fault.says
    assert faults(venue(tmp_path, port, "[[screen]]\n[[screen]]\n" + text)) == []


def test_files_that_a_show_keeps_are_looked_at(tmp_path: Path, port: int) -> None:
    path = venue(tmp_path, port)
    for name, good, what in (
        ("midi-learned.toml", "map = []\n", "learned"),
        ("presets.toml", "[[preset]]\nnumber = 2\nscene = 'kin'\n", "presets"),
    ):
        Path(name).write_text(good)
        (found,) = [one for one in doctor.examine(str(path)) if one.what == what]
        assert found.state == "ok"
        Path(name).write_text("map = 3")
        (fault,) = [one for one in faults(path) if one.what == what]
        assert name in fault.says
        assert "forgotten" in fault.do
        Path(name).unlink()
