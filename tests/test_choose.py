"""Choosing stills in a browser: the way through a piece, the page in Node, and who else may ask."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib import resources
from multiprocessing.process import BaseProcess as Process
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from installation import candidates, still
from installation.choose import choice as choices
from installation.choose.choice import Choice
from installation.choose.server import serve
from installation.engine.painter import Painter
from installation.still import StillError
from models.latent import Code, Label, Latent, Vector
from tests.browser import ELEMENT
from tests.pieces import make_piece
from tests.processes import serving
from tests.waiting import PATIENCE, until

LATENT = Latent(
    8,
    (Label("hair", ("black", "pink", "white")),),
    (Code("kind", "categorical", 2), Code("one", "continuous")),
)


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("piece") / "mine"
    make_piece(folder, latent=LATENT, directions=(tuple(np.eye(8)[0]), tuple(np.eye(8)[1])))
    return folder


@pytest.fixture(scope="module")
def painter(piece: Path) -> Painter:
    return Painter(piece, "cpu")


@pytest.fixture
def choice(painter: Painter, tmp_path: Path) -> Choice:
    return Choice(painter, tmp_path)


def points(choice: Choice, shown: list[choices.Candidate]) -> list[Vector]:
    return [choice._point(one.number) for one in shown]


def share(point: Vector, name: str) -> list[float]:
    return [float(x) for x in point[LATENT.slices()[name]]]


def test_the_first_that_are_shown_are_those_of_stills(
    piece: Path, choice: Choice, tmp_path: Path
) -> None:
    drawn = candidates.draw(str(piece), tmp_path / "stills", count=16)
    for one, path in zip(choice.others(), drawn, strict=True):
        (tmp_path / "one.png").write_bytes(choice.picture(one.number))
        assert np.array_equal(Image.open(tmp_path / "one.png"), Image.open(path))
    again = points(choice, choice.others())
    (path,) = candidates.draw(str(piece), tmp_path / "stills", count=1, seed=16)
    assert np.array_equal(again[0], still.read(path).point(LATENT))


def test_alike_ones_have_the_labels_of_the_one_and_are_as_far_as_was_asked(choice: Choice) -> None:
    one = choice.others()[3]
    (at,) = points(choice, [one])
    near = points(choice, choice.alike(one.number, 0.2))
    far = points(choice, choice.alike(one.number, 0.8))
    for point in near + far:
        assert np.array_equal(point[8:], at[8:])

    def away(some: list[Vector]) -> float:
        return float(np.mean([np.linalg.norm(point[:8] - at[:8]) for point in some]))

    assert 0 < away(near) < away(far)


def test_a_label_and_a_code_give_one_of_each_value_and_say_which_it_is(choice: Choice) -> None:
    one = choice.others()[0]
    (at,) = points(choice, [one])
    hair = choice.label(one.number, "hair")
    assert [each.says for each in hair] == ["black", "pink", "white"]
    assert [share(point, "hair") for point in points(choice, hair)] == np.eye(3).tolist()
    assert [each.now for each in hair] == [x > 0 for x in share(at, "hair")]
    kinds = choice.code(one.number, "kind")
    assert [share(point, "kind") for point in points(choice, kinds)] == np.eye(2).tolist()
    assert [each.now for each in kinds] == [x > 0 for x in share(at, "kind")]
    values = points(choice, choice.code(one.number, "one"))
    assert [share(point, "one") for point in values] == [[-1], [-0.5], [0], [0.5], [1]]
    for point in (*points(choice, hair), *points(choice, kinds), *values):
        assert np.array_equal(point[:8], at[:8])


def test_a_direction_goes_to_both_sides_and_keeps_the_length(choice: Choice) -> None:
    one = choice.others()[0]
    (at,) = points(choice, [one])
    found = choice.direction(one.number, 2)
    moved = points(choice, found)
    assert [each.now for each in found] == [False] * 3 + [True] + [False] * 3
    assert moved[3] == pytest.approx(at, abs=1e-6)
    along = [point[1] for point in moved]
    assert along == sorted(along)
    assert along[0] < at[1] < along[-1]
    for point in moved:
        assert np.linalg.norm(point[:8]) == pytest.approx(np.linalg.norm(at[:8]), rel=1e-5)
        assert np.array_equal(point[8:], at[8:])


def test_what_is_kept_is_a_still_that_goes_back_there(choice: Choice, tmp_path: Path) -> None:
    (tmp_path / "mine-00001.png").write_text("somebody's")
    one = choice.others()[5]
    kept = choice.keep(one.number)
    assert kept.says == "mine-00002.png"
    (at,) = points(choice, [one])
    assert np.array_equal(still.read(tmp_path / kept.says).point(LATENT), at)
    assert choice.keep(one.number).says == "mine-00003.png"


def test_what_was_kept_is_shown_as_it_is(painter: Painter, piece: Path, tmp_path: Path) -> None:
    (path,) = candidates.draw(str(piece), tmp_path, count=1, truncation=0.3)
    choice = Choice(painter, tmp_path)
    (there,) = choice.kept()
    shown = Image.open(io.BytesIO(choice.picture(there.number)))
    assert np.array_equal(np.asarray(shown), np.asarray(Image.open(path)))
    hair = next(one for one in choice.label(there.number, "hair") if one.now)
    one, same = points(choice, [there, hair])
    assert np.array_equal(one, same)


def test_a_folder_can_be_gone_on_with_and_nothing_of_others_is_removed(
    choice: Choice, painter: Painter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = choice.keep(choice.others()[5].number)
    Image.new("RGB", (8, 8)).save(tmp_path / "holiday.png")
    make_piece(tmp_path / "other", latent=LATENT)
    candidates.draw(str(tmp_path / "other"), tmp_path / "elsewhere", count=1)
    (tmp_path / "elsewhere" / "other-00000.png").rename(tmp_path / "other-00000.png")

    later = Choice(painter, tmp_path)
    (there,) = later.kept()
    assert there.says == before.says
    kept, again = points(choice, [before]) + points(later, [there])
    assert np.array_equal(kept, again)
    assert "holiday.png is left out" in caplog.text
    for name in (before.says, "holiday.png", "../mine/card.json"):
        with pytest.raises(StillError, match="take it away in a file manager"):
            later.drop(name)
    assert (tmp_path / before.says).exists()
    new = later.keep(later.others()[0].number)
    later.drop(new.says)
    assert [one.says for one in later.kept()] == [before.says]
    assert not (tmp_path / new.says).exists()


def test_what_is_not_there_is_said(
    choice: Choice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = choice.others()[0]
    with pytest.raises(StillError, match="no label 'eyes'"):
        choice.label(one.number, "eyes")
    with pytest.raises(StillError, match="no code 'mood'"):
        choice.code(one.number, "mood")
    with pytest.raises(StillError, match="no direction 3"):
        choice.direction(one.number, 3)
    monkeypatch.setattr(choices, "_REMEMBERED", 16)
    choice.others()
    with pytest.raises(StillError, match="forgotten"):
        choice.alike(one.number, 0.5)
    (last,) = choice.others()[-1:]
    tmp_path.chmod(0o500)
    monkeypatch.setattr(still, "replace", _full)
    with pytest.raises(StillError, match="cannot be written: No space left"):
        choice.keep(last.number)


def _full(path: Path, data: bytes) -> None:
    raise OSError(28, "No space left on device")


def test_a_folder_that_somebody_took_away_is_made_anew(painter: Painter, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    choice = Choice(painter, folder)
    number = choice.others()[0].number
    kept = choice.keep(number)
    (folder / kept.says).unlink()
    folder.rmdir()
    assert choice.kept() == []
    assert choice.keep(number).says == kept.says
    assert [one.says for one in choice.kept()] == [kept.says]


def test_what_cannot_be_taken_away_is_said_and_can_be_later(
    choice: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = choice.keep(choice.others()[0].number)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", _read_only)
        with pytest.raises(StillError, match=f"{kept.says} cannot be taken away: Read-only"):
            choice.drop(kept.says)
    choice.drop(kept.says)
    assert choice.kept() == []
    choice.drop(kept.says)  # on another page it is shown still
    other = choice.keep(choice.others()[1].number)
    (choice.out / other.says).replace(choice.out / "theirs.png")
    choice.drop(other.says)
    (choice.out / "theirs.png").replace(choice.out / other.says)
    assert [one.says for one in choice.kept()] == [other.says]
    with pytest.raises(StillError, match="was there before"):
        choice.drop(other.says)


def _read_only(path: Path, missing_ok: bool = False) -> None:
    raise OSError(30, "Read-only file system")


def test_what_is_kept_is_never_forgotten(choice: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = choice.keep(choice.others()[5].number)
    monkeypatch.setattr(choices, "_REMEMBERED", 20)
    for _ in range(3):
        choice.others()
    assert choice.alike(kept.number, 0.5)


def test_what_is_no_still_is_said_once_and_looked_at_again(
    choice: Choice, piece: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    coming = tmp_path / "mine-coming.PNG"
    coming.touch()  # as another program begins to write it
    (tmp_path / "a folder.png").mkdir()
    for _ in range(3):
        assert choice.kept() == []
    assert caplog.text.count("mine-coming.PNG is left out") == 1
    assert caplog.text.count("a folder.png is left out") == 1
    drawn = candidates.draw(str(piece), tmp_path / "drawn", count=1)
    drawn[0].replace(coming)
    assert [one.says for one in choice.kept()] == [coming.name]


def test_pictures_that_are_no_longer_at_hand_are_painted_anew(
    choice: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = choice.others()[0]
    seen = choice.picture(one.number)
    monkeypatch.setattr(choices, "_PICTURES", 16)
    choice.others()
    assert one.number not in choice._pictures
    assert choice.picture(one.number) == seen


@dataclass
class Page:
    """The command, as it runs in a terminal without a desktop. url: where its page is."""

    url: str
    process: Process
    out: Path

    def ended(self) -> str:
        """What it has said, when it has ended as it should."""
        self.process.join(PATIENCE)
        assert self.process.exitcode == 0
        return self.out.read_text()


@pytest.fixture
def page(piece: Path, tmp_path: Path) -> Iterator[Page]:
    with serving("choose", piece, "--out", "faces", cwd=tmp_path) as (process, out):
        where = re.compile(r"http://127\.0\.0\.1:\d+(?=;)")
        until(lambda: out.exists() and where.search(out.read_text()))
        found = where.search(out.read_text())
        assert found is not None
        yield Page(found[0], process, out)


def clicked(url: str, does: str) -> Any:
    """What a browser returns that does this on the page."""
    script = (resources.files("installation.choose") / "choose.js").read_text("utf-8")
    code = f"""{ELEMENT}
    const known = {{}}, all = [], far = fetch;
    const made = () => {{
      const one = Object.assign(new Element(), {{ dataset: {{}} }});
      all.push(one);
      return one;
    }};
    Object.assign(globalThis, {{
      document: {{ createElement: made, body: made(), querySelectorAll: () => all,
                   getElementById: (id) => known[id] ??= made() }},
      fetch: (path, how) => far("{url}" + path, how),
    }});
    document.getElementById("far").value = "0.5";
    const until = async (there) => {{
      for (let k = 0; k < 2000; k++) {{
        if (there()) return;
        await new Promise((done) => setTimeout(done, 5));
      }}
      throw new Error("it never happened: " + there);
    }};
    (async () => {{
      {script.replace('"use strict";', "", 1)}
      const grid = () => by("grid").children, says = () => by("says").textContent;
      const click = (one) => one.on.click();
      const way = (name) => by("ways").children.find((one) => one.textContent === name);
      console.log(JSON.stringify(await (async () => {{ {does} }})()));
    }})();"""
    done = subprocess.run(["node", "-e", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_somebody_chooses_and_what_is_kept_is_in_the_folder(page: Page, tmp_path: Path) -> None:
    seen = clicked(
        page.url,
        """
        await until(() => grid().length === 16);
        const first = [way("alike").disabled, by("kept").hidden];
        click(grid()[4]);
        await until(() => says().startsWith("They resemble"));
        const alike = [grid().length, by("one").src, by("reach").hidden];
        click(way("hair"));
        await until(() => grid().length === 3);
        const hair = grid().map((one) => one.textContent);
        click(grid()[2]);
        const pressed = grid().map((one) => one.attributes.get("aria-pressed"));
        const white = by("one").src;
        click(by("keep"));
        await until(() => by("strip").children.length === 1);
        click(by("back"));
        const back = by("one").src;
        await until(() => !document.body.classList.contains("busy"));
        click(by("keep"));
        await until(() => by("strip").children.length === 2);
        click(by("strip").children[1].children[1]);
        await until(() => by("strip").children.length === 1);
        click(by("keep"));
        await until(() => by("strip").children.length === 2);
        click(by("done"));
        await until(() => says().startsWith("Done"));
        return [first, alike, hair, pressed, white !== back, back, by("title").textContent];
        """,
    )
    first, alike, hair, pressed, other, back, title = seen
    assert first == [True, True]
    assert alike == [16, "/picture/5", False]
    assert hair == ["black", "pink", "white"]
    assert pressed == [False, False, True]
    assert other
    assert back == "/picture/5"
    assert title == "Test"
    out = page.ended()
    assert "faces: 2 stills" in out
    assert "--scene procession --chosen faces" in out
    names = sorted(path.name for path in (tmp_path / "faces").iterdir())
    assert names == ["mine-00001.png", "mine-00002.png"]
    labels = [still.read(tmp_path / "faces" / name).labels["hair"] for name in names]
    assert labels[0] == {"white": 1.0}


def test_whoever_goes_by_keyboard_stays_where_they_are(page: Page) -> None:
    """What holds the focus is replaced by what it has led to."""
    seen = clicked(
        page.url,
        """
        await until(() => grid().length === 16);
        const on = () => document.activeElement;
        grid()[4].focus();
        const old = on();
        click(old);
        await until(() => says().startsWith("They resemble"));
        const led = on() === grid()[0] && on() !== old;
        click(by("keep"));
        await until(() => by("strip").children.length === 1);
        const stayed = on() === grid()[0];
        await until(() => says().startsWith("kept"));
        click(by("keep"));
        await until(() => by("strip").children.length === 2);
        by("strip").children[0].children[1].focus();
        click(on());
        await until(() => by("strip").children.length === 1);
        const next = on() === by("strip").children[0].children[0];
        by("strip").children[0].children[1].focus();
        click(on());
        await until(() => by("strip").children.length === 0);
        return [led, stayed, next, on() === by("keep")];
        """,
    )
    assert seen == [True] * 4


def test_what_was_there_before_has_nothing_that_would_take_it_away(
    page: Page, piece: Path, tmp_path: Path
) -> None:
    (before,) = candidates.draw(str(piece), tmp_path / "faces", count=1)
    seen = clicked(
        page.url,
        """
        await until(() => by("strip").children.length === 1 && grid().length === 16);
        click(grid()[4]);
        await until(() => says().startsWith("They resemble"));
        click(by("keep"));
        await until(() => by("strip").children.length === 2);
        return by("strip").children.map((box) => box.children.map((one) => one.title ?? "x"));
        """,
    )
    assert seen == [[before.name], ["mine-00001.png", "x"]]


def test_a_row_of_variants_is_of_the_one_that_is_chosen(page: Page) -> None:
    """As one that was kept is gone back to."""
    seen = clicked(
        page.url,
        """
        await until(() => grid().length === 16);
        click(grid()[4]);
        await until(() => says().startsWith("They resemble"));
        click(by("keep"));
        await until(() => by("strip").children.length === 1);
        click(way("others"));
        await until(() => says().startsWith("Click"));
        click(grid()[7]);
        await until(() => says().startsWith("They resemble"));
        click(way("hair"));
        await until(() => grid().length === 3);
        const before = grid().map((one) => one.dataset.number);
        click(by("strip").children[0].children[0]);
        await until(() => grid()[0].dataset.number !== before[0]);
        return [by("one").src, grid().length, wish.number];
        """,
    )
    assert seen == ["/picture/5", 3, 5]


def asked(url: str, said: object = None, **headers: str) -> int:
    """The status of an answer; said: what is posted, as JSON where it is not bytes."""
    data = None if said is None else said if isinstance(said, bytes) else json.dumps(said).encode()
    host, _, path = url.removeprefix("http://").partition("/")
    talk = HTTPConnection(host, timeout=20)
    talk.request("GET" if data is None else "POST", f"/{path}", data, headers)
    status = talk.getresponse().status
    talk.close()
    return status


def test_others_are_told_nothing_and_move_nothing(page: Page, tmp_path: Path) -> None:
    url = page.url
    host = url.removeprefix("http://")
    assert asked(f"{url}/show", {"way": "others"}, Origin=url) == 200
    evil = "evil.example"
    for headers in ({"Origin": f"http://{evil}"}, {"Host": evil}, {"Origin": "null"}):
        assert asked(f"{url}/keep", {"number": 1}, **headers) == 403
        assert asked(f"{url}/piece", **headers) == 403
    assert asked(f"{url}/keep", {"number": 10**12}) == 409
    for wrong in (b"", b"{", [], {"number": "1"}, {"number": 1.5}, {"number": 1, "file": "/etc"}):
        assert asked(f"{url}/keep", wrong) == 400
    for wrong in ({"way": "everything"}, {"way": "alike", "number": 1, "far": 7}, b"\xff"):
        assert asked(f"{url}/show", wrong) == 400
    assert asked(f"{url}/show", {"way": "direction", "number": 1, "name": "²"}) == 409
    assert asked(f"{url}/show", b"x" * 5000) == 413
    assert asked(f"{url}/drop", {"file": "../mine/card.json"}) == 409
    for path in ("/picture/999", "/picture/x", "/picture/-1", "/../card.json", "/choose.py"):
        assert asked(f"{url}{path}") in (404, 409)
    assert asked(f"http://{host}/", Accept="text/html") == 200
    assert list((tmp_path / "faces").iterdir()) == []
    page.process.terminate()
    assert "no still" in page.ended()


def test_the_page_is_there_while_the_browser_is_being_opened(choice: Choice) -> None:
    """Some return only when they are closed, and a first Chromium or Firefox after five seconds."""
    seen = []

    def browser(url: str) -> None:
        try:
            seen.append(asked(url))
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    serve(choice, browser)
    assert seen == [200]


def test_a_folder_that_cannot_be_written_is_said(piece: Path, tmp_path: Path) -> None:
    from installation.choose import choose

    (tmp_path / "file").touch()
    with pytest.raises(StillError, match="file is a file: name a folder"):
        choose(str(piece), tmp_path / "file")
    with pytest.raises(StillError, match="cannot be written: Not a directory"):
        choose(str(piece), tmp_path / "file" / "faces")
