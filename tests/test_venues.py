"""Every venue loads; a wrong one says file, key, value and what is allowed, in one line."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest

from installation import setlist, tables, venue
from installation.house import declare
from installation.modulation import WAYS, Modulation
from installation.parameters import Bus
from models.card import Card
from models.latent import Latent

CARD = Card(name="test", resolution=64, latent=Latent(8), generator={})


@pytest.mark.parametrize("name", venue.shipped())
def test_every_venue_loads_and_its_addresses_exist(name: str) -> None:
    place = venue.load(name)
    bus = Bus()
    declare(bus, {"tiny": CARD}, setlist.load(place.play.setlist).names())
    for address in [*place.parameters, *(one.address for one in place.midi.map)]:
        assert address in bus
    if place.play.scene:
        assert f"/stage/scene/{place.play.scene}" in bus


def test_there_are_the_three_of_the_plan_and_all_listen_to_this_machine_only() -> None:
    assert {"rehearsal", "gallery", "club"} <= set(venue.shipped())
    assert all(venue.load(name).osc.host == "127.0.0.1" for name in venue.shipped())
    assert not venue.load("rehearsal").window.fullscreen
    assert venue.load("gallery").window.fullscreen
    assert venue.load("club").midi.enabled


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[window]\nfullscren = true", "unknown key 'window.fullscren'"),
        ("[window]\nfullscren = true", "fullscreen"),
        ("[window]\ndisplay = 99", "window.display = 99"),
        ("[nonsense]", "unknown key 'nonsense'"),
        ('[osc]\nport = "no"', "osc.port = 'no'"),
        ('[[midi.map]]\naddress = "/a"\ncc = 3\nnote = 4', "needs one of cc, note"),
        ('[[midi.map]]\nadress = "/a"\ncc = 3', "midi.map 1: unknown key 'adress'"),
        ('[[midi.map]]\naddress = "a"\ncc = 3', "map 1: address = 'a': an address begins with /"),
        ('[[midi.map]]\naddress = "/a"\ncc = 3\nrelative = "x"', 'true, false, "offset" or "sign"'),
        (
            '[midi.map]\naddress = "/a"\ncc = 3',
            "midi.map wants two brackets, once for each: [[midi",
        ),
        ('[window]\nsize = "64x48"', "size = '64x48': two numbers in brackets, like [960, 960]"),
        ("[window]\nsize = [640]", "two numbers in brackets, like [960, 960]"),
        ("[window]\nfps = 1000", "window.fps = 1000: 240 or less"),
        ("[screen]\ndisplay = 1", "screen wants two brackets, once for each: [[screen]]"),
        ("[[screen]]\nturn = 45", "screen 1: turn = 45: 0, 90, 180 or 270"),
        ("[[screen]]\npart = [0, 0, 1]", "screen 1: part"),
        ("[[screen]]\npart = [0, 0, 1]", "four numbers from 0 to 1 in brackets, like [0, 0, 0.5"),
        ("[[screen]]\narea = [0, 0, 1.5, 1]", "screen 1: area = 1.5: 1 or less"),
        ("[[screen]]\narea = [0.5, 0, 0.6, 1]", "what lies within the whole"),
        ("[[screen]]\ndisplay = 0\n[[screen]]", "names a display of its own, or none does"),
        ("[[screen]]\ndisplay = 0\n[[screen]]\ndisplay = 0", "names a display of its own"),
        ("window = 3", "window = 3: a table"),
        ('[osc]\nfeedback = ["a"]', "osc.feedback = 'a': feedback goes to HOST:PORT"),
        ('[osc]\nfeedback = ["a:99999"]', "feedback goes to HOST:PORT"),
        ("[parameters]\nlight.brightness = 1", 'in quotes: "/light/brightness"'),
        ('[parameters]\n"/a" = "x"', "parameters./a = 'x': a number"),
        ('[[midi.map]]\naddress = "/a"\ncc = 40\nbits = 14', "0 to 31"),
        ('[[midi.map]]\naddress = "/a"\ncc = 99', "cc 98 to 101 choose NRPNs, and move nothing"),
        ('[parameters]\n"drift" = 1', "parameters"),
        ('[parameters]\n"/a piece" = 1', "parameters"),
        ("window = ", "not valid TOML"),
        ("window = " + "[" * 9000, "not valid TOML"),
        ("window = " + "9" * 9000, "not valid TOML"),
    ],
)
def test_a_wrong_venue_is_one_clear_line(text: str, said: str) -> None:
    with pytest.raises(venue.VenueError, match=r"here\.toml") as caught:
        venue.parse(text, "here.toml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", ["'swordfi'", f"'{'fish' * 33}'", "55555555", "['swordfish']"])
def test_a_wrong_password_is_not_shown(given: str) -> None:
    with pytest.raises(venue.VenueError) as caught:
        venue.parse(f"[web]\npassword = {given}", "here.toml")
    says = "here.toml: web.password: a password is text of 8 to 128 characters"
    assert str(caught.value) == says
    whole = "".join(traceback.format_exception(caught.value))  # as --debug prints it
    assert "ValidationError" in whole
    assert given.strip("[']") not in whole


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[web]]\npassword = 'swordfish'", "web wants one bracket: [web]"),
        ("web = ['swordfish']", "web wants one bracket: [web]"),
        ("[osc]\nhost = { password = 'swordfish' }", "osc.host = a table: text in quotes"),
    ],
)
def test_a_password_in_the_wrong_place_is_not_shown(text: str, said: str) -> None:
    with pytest.raises(venue.VenueError) as caught:
        venue.parse(text, "here.toml")
    assert said in str(caught.value)
    assert "swordfish" not in "".join(traceback.format_exception(caught.value))


def test_files_of_windows_begin_with_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "marked.toml"
    path.write_text("[window]\ndisplay = 2\n", encoding="utf-8-sig")
    assert venue.load(str(path)).window.display == 2
    path.write_text("[[scene]]\nscene = 'drift'\n", encoding="utf-8-sig")
    assert setlist.load(str(path)).names() == ["drift"]


def test_an_address_may_have_what_a_name_may_have() -> None:
    """A piece's name has capitals and hyphens; whether it is there is asked later."""
    text = '[[midi.map]]\naddress = "/stage/piece/Photos-2024"\ncc = 3\n'
    place = venue.parse(text + '[parameters]\n"/my-scene/speed" = 1', "here.toml")
    assert place.midi.map[0].address == "/stage/piece/Photos-2024"
    assert place.parameters == {"/my-scene/speed": 1}


def test_a_venue_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(venue.VenueError, match="rehearsal"):
        venue.load("nosuch")
    with pytest.raises(venue.VenueError, match="cannot read"):
        venue.load(str(tmp_path / "nosuch.toml"))


def test_a_copy_in_the_working_folder_comes_before_the_one_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.chdir(tmp_path)
    assert venue.load("gallery").window.picture == 1080
    assert caplog.text == ""
    (tmp_path / "gallery.toml").write_text("[window]\npicture = 640")
    assert venue.load("gallery").window.picture == 640
    venue.load("gallery")
    assert caplog.messages == [
        f"the venue gallery is {tmp_path / 'gallery.toml'}, not one that ships"
    ]
    (tmp_path / "gallery.toml").write_text("[window]\npictur = 640")
    with pytest.raises(venue.VenueError, match=r"^gallery\.toml: unknown key"):
        venue.load("gallery")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "scene is missing"),
        ("scene = []", "1 or more"),
        ('[scene]\nscene = "drift"', "scene wants two brackets, once for each: [[scene]]"),
        ('[[scene]]\nscene = "drift"\nseconds = -1', "scene 1: seconds = -1: above 0"),
        ('[[scene]]\nscene = "drift"\n[[scene]]\nname = 1', "scene 2: unknown key 'name'; allowed"),
        ('[[scene]]\nscene = "drift"\ntransition = "melt"', "like mix/melt, or the whole path"),
        ("scene = " + "[" * 9000, "recursion"),
    ],
)
def test_a_wrong_setlist_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "order.toml"
    path.write_text(text)
    with pytest.raises(setlist.SetlistError, match=r"order\.toml") as caught:
        setlist.load(str(path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_setlist_that_is_not_there_is_named_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(setlist.SetlistError, match="count from the folder you work in") as caught:
        setlist.load("evening.toml")
    assert str(tmp_path / "evening.toml") in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(setlist.SetlistError, match=r"cannot read the setlist \.: "):
        setlist.load(".")


def test_every_key_is_explained_with_its_default() -> None:
    text = (Path(__file__).parent.parent / "venue" / "README.md").read_text("utf-8")
    for table, field in tables.Venue.model_fields.items():
        if table == "screen":
            continue  # below
        if table in ("hours", "parameters"):
            assert f"`[{table}]`" in text
            continue
        start = text.index(f"| `[{table}]`")
        part = text[start:].split("\n\n", 1)[0]
        for key, inner in type(field.default).model_fields.items():
            value = json.dumps(
                inner.default if not isinstance(inner.default, tuple) else list(inner.default)
            )
            assert f"| `{key}` | {value.removesuffix('.0')} |" in part, (table, key)
    for title, table in (("`map`", tables.MidiBinding), ("each `[[screen]]`", tables.Screen)):
        part = text[text.index(f"| in {title} |") :].split("\n\n", 1)[0]
        for key in table.model_fields:
            assert f"`{key}`" in part, key


def test_every_key_of_a_setlist_is_explained_and_every_way_to_move() -> None:
    root = Path(__file__).parent.parent
    text = (root / "venue" / "README.md").read_text("utf-8")
    for title, table in (("`[[scene]]`", setlist.Entry), ("of `modulation`", Modulation)):
        rows = text[text.index(f"| in each {title} |") :].split("\n\n", 1)[0]
        keys = " ".join(row.split("|")[1] for row in rows.splitlines())
        assert [key for key in table.model_fields if f"`{key}`" not in keys] == [], title
    (by,) = [row for row in rows.splitlines() if row.startswith("| `by` |")]
    readme = (root / "installation" / "README.md").read_text("utf-8")
    told = readme[readme.index("`by` is a wave") :].split("\n\n", 1)[0]
    remote = (root / "installation/control/remote/remote.js").read_text("utf-8")
    offered = remote[remote.index("const WAYS =") :].split(";", 1)[0]
    for way in WAYS:
        assert f"`{way}`" in by, way
        assert f"`{way}`" in told, way
        assert f'"{way}"' in offered, way
