"""Stills that know what they show, a folder of them as a show's seeds, and some to choose from."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from unicodedata import normalize

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from installation import candidates, still
from installation.cli import main
from installation.engine import likeness
from installation.engine.painter import Painter
from installation.engine.walk import LatentSpace
from installation.programme import Options
from installation.still import Shown, StillError
from models.card import Card, verify
from models.latent import Code, Label, Latent, Vector
from models.piece import load
from tests.disk import fill
from tests.pieces import LATENT, make_piece
from tests.shows import opened, run
from tests.waiting import until

CODES = (Code("kind", "categorical", 3), Code("turn", "continuous"))
RICH = Latent(8, (Label("form", ("oval", "disc", "long")), Label("horn", ("yes", "no"))), CODES)
PIXELS = np.full((4, 6, 3), 90, np.uint8)


def card_of(latent: Latent, name: str = "tiny") -> Card:
    return Card(name=name, resolution=32, latent=latent, generator={})


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_piece(tmp_path_factory.mktemp("pieces") / "tiny")


def told(path: Path, **changes: object) -> Path:
    """A still whose text says something else than it should."""
    text, said = PngInfo(), {"piece": "tiny", "z": [1.0] * 8, **changes}
    text.add_text("installation", json.dumps(said))
    Image.fromarray(PIXELS).save(path, pnginfo=text)
    return path


def near(a: Vector, b: Vector) -> float:
    """How far two points' z (of 8 numbers) lie in one direction: 1 is the same."""
    return float(np.corrcoef(a[:8], b[:8])[0, 1])


def test_a_still_is_its_picture_and_its_point(tmp_path: Path) -> None:
    point = LatentSpace(RICH).seed(7)
    still.save(tmp_path / "a.png", PIXELS, Shown(card_of(RICH), point))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), PIXELS)
    np.testing.assert_array_equal(still.read(tmp_path / "a.png").point(RICH), point)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    "shares", [[0.25, 0, 0.75], [1 / 3, 1 / 3, 1 / 3], [0.3, 0, 0], [0, 0, 0]],
    ids=["two", "all", "half held by a hand, and else unknown", "unknown"],
)  # fmt: skip
def test_labels_come_back_as_they_were(tmp_path: Path, shares: list[float]) -> None:
    point = LatentSpace(RICH).seed(1)
    point[8:11] = shares
    still.save(tmp_path / "a.png", PIXELS, Shown(card_of(RICH), point))
    np.testing.assert_array_equal(still.read(tmp_path / "a.png").point(RICH), point)


def test_labels_may_be_in_any_language(tmp_path: Path) -> None:
    latent = Latent(8, (Label("顔", ("笑い", "größer")),))
    point = LatentSpace(latent).label(LatentSpace(latent).seed(1), "顔", [1, 0])
    still.save(tmp_path / "a.png", PIXELS, Shown(card_of(latent), point))
    np.testing.assert_array_equal(still.read(tmp_path / "a.png").point(latent)[8:], [1, 0])


def test_labels_go_by_name_where_a_training_has_added_some(tmp_path: Path) -> None:
    point = LatentSpace(LATENT).label(LatentSpace(LATENT).seed(2), "form", [0, 1])  # disc
    still.save(tmp_path / "a.png", PIXELS, Shown(card_of(LATENT), point))
    more = Latent(8, (Label("horn", ("yes", "no")), Label("form", ("long", "disc"))), CODES)
    back = still.read(tmp_path / "a.png").point(more)
    np.testing.assert_array_equal(back[8:12], [0, 0, 0, 1])  # horn unknown; a disc still
    # the piece's first code is another kind of code now: unknown
    np.testing.assert_array_equal(back[12:], [0, 0, 0, 0])


def test_another_z_is_another_training(tmp_path: Path) -> None:
    with pytest.raises(StillError, match=r"its z has 8 numbers, the piece's 5"):
        still.read(told(tmp_path / "a.png")).point(Latent(5))


@pytest.mark.parametrize(
    "said",
    [
        {"z": [float("nan")] * 8},
        {"z": [float("inf")] * 8},
        {"z": "a lot"},
        {"z": [[1.0] * 8]},
        {"labels": {"form": [1, 0]}},
        {"labels": {"form": {"oval": "yes"}}},
        {"codes": [{"kind": 1}]},
        {"z": [1e300] * 8},
        {"labels": {"form": {"oval": 1e39}}},
        {"codes": [[1e308, 0, 0]]},
        {"extra": 1},
    ],
)
def test_what_was_damaged_is_refused(tmp_path: Path, said: dict[str, object]) -> None:
    with pytest.raises(StillError, match="damaged"):
        still.read(told(tmp_path / "a.png", **said))


def test_large_numbers_stay_within_the_space(tmp_path: Path) -> None:
    path = told(
        tmp_path / "a.png",
        z=[1e6] * 8, labels={"form": {"oval": 1e6, "disc": -5}}, codes=[[1e6, 0, 0], [1e6]],
    )  # fmt: skip
    shutil.copy(path, tmp_path / "b.png")
    back = still.read(path).point(RICH)
    assert np.isfinite(back).all()
    assert np.abs(back[8:]).max() <= 1
    for seed in still.chosen(tmp_path, {"tiny": card_of(RICH)})["tiny"]:
        assert np.linalg.norm(seed[:8]) == pytest.approx(np.sqrt(8))
        assert seed[8:11].sum() == 1


def test_what_is_no_still_is_said(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    with pytest.raises(StillError, match="does not tell what it shows"):
        still.read(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:20])
    Image.fromarray(PIXELS).save(tmp_path / "c.png", format="JPEG")
    for name in ("b.png", "c.png"):
        with pytest.raises(StillError, match="no PNG that can be read"):
            still.read(tmp_path / name)


def test_a_folder_of_stills_is_the_seeds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    space, card = LatentSpace(LATENT), card_of(LATENT)
    for name, seed in (("b.png", 5), ("a.PNG", 9), ("c.png", 2)):
        still.save(tmp_path / name, PIXELS, Shown(card, space.seed(seed)))
    still.save(tmp_path / "d.png", PIXELS, Shown(card_of(LATENT, "other"), space.seed(1)))
    Image.fromarray(PIXELS).save(tmp_path / "e.png")
    found = still.chosen(tmp_path, {"tiny": card, "none": card_of(LATENT, "none")})
    assert list(found) == ["tiny"]
    for point in found["tiny"]:  # as long as random ones on average; calm shortens them
        assert np.linalg.norm(point[:8]) == pytest.approx(np.sqrt(8))
    assert "e.png is left out: it does not tell" in caplog.text
    mine = LatentSpace(LATENT, seed=3, chosen=found["tiny"])
    wanted = [space.seed(seed) for seed in (9, 5, 2)]
    for k in range(6):  # over and over, in the order of the names
        assert near(mine.seed(k), wanted[k % 3]) > 0.999
    walk = mine.spline((4, 4, 4, 4))  # whatever seeds a scene names: through all, each once
    for k in range(3):
        assert near(walk.point(), wanted[k]) > 0.999
        walk.advance(1)
    assert near(walk.point(), wanted[0]) > 0.999


def test_what_is_chosen_cannot_be_changed_by_a_scene(tmp_path: Path) -> None:
    points = [LatentSpace(LATENT).seed(k) for k in range(2)]
    space = LatentSpace(LATENT, chosen=points)
    space.seed(0)[:] = 0
    assert np.abs(space.seed(0)).max() > 0


def test_a_choice_that_is_none_is_refused(tmp_path: Path) -> None:
    cards = {"tiny": card_of(LATENT), "two": card_of(LATENT, "two")}
    with pytest.raises(StillError, match="there is no folder"):
        still.chosen(tmp_path / "nowhere", cards)
    with pytest.raises(StillError, match="no still of tiny or two"):
        still.chosen(tmp_path, cards)
    told(tmp_path / "a.png")
    with pytest.raises(StillError, match="one still of tiny; choose two or more"):
        still.chosen(tmp_path, cards)


def test_a_still_of_a_show_brings_back_its_face(piece: Path, tmp_path: Path) -> None:
    """S while drift plays; the next show, through what was kept, begins with that face."""
    place = tmp_path / "here.toml"
    place.write_text(f"[record]\nfolder = '{tmp_path / 'kept'}'\n")
    kept = []
    with opened(Options(piece=str(piece), scene="drift", venue=str(place))) as show:
        for count in (1, 2):
            run(show, 40)
            show.bus.post("/stage/still", 1)
            run(show, 1)
            kept.append(show.show.scene.shown)
            until(lambda n=count: len(list((tmp_path / "kept").glob("*.png"))) == n)
    place.write_text(f"[play]\nchosen = '{tmp_path / 'kept'}'\nscene = 'procession'\n")
    with opened(Options(piece=str(piece), venue=str(place))) as show:
        run(show, 1)
        shown = show.show.scene.shown
        assert shown is not None
        found = [near(shown, one) for one in kept if one is not None]
    assert max(found) > 0.99  # names of stills of one second need not be in their order
    assert len(found) == 2


def test_stills_are_drawn_by_their_seeds(piece: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces"
    assert main(["stills", str(piece), "--out", str(out), "--count", "3", "--seed", "4"]) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "tiny-00004.png", "tiny-00005.png", "tiny-00006.png",
    ]  # fmt: skip
    card = verify(piece)
    point = still.read(out / "tiny-00005.png").point(card.latent)
    seed = LatentSpace(card.latent).seed(5)
    assert near(point, seed) > 0.999
    picture = np.asarray(Image.open(out / "tiny-00005.png"))
    assert picture.shape == (32, 32, 3)
    assert picture.std() > 1
    assert not np.array_equal(picture, np.asarray(Image.open(out / "tiny-00006.png")))


@pytest.mark.skipif(os.name == "nt", reason="quoted in another way there")
def test_what_to_type_next_can_be_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    piece, out = make_piece(tmp_path / "my faces"), tmp_path / "the best of them"
    assert main(["stills", str(piece), "--out", str(out), "--count", "2"]) == 0
    typed = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert typed[:3] == ["installation", "play", str(piece)]
    assert typed[-2:] == ["--chosen", str(out)]


def test_stills_like_one_keep_what_it_is(piece: Path, tmp_path: Path) -> None:
    card = verify(piece)
    space = LatentSpace(card.latent)
    one = space.label(space.seed(1), "form", [0, 1])
    still.save(tmp_path / "one.png", PIXELS, Shown(card, one))
    more = candidates.draw(
        str(piece), tmp_path / "more", count=4, seed=10, like=tmp_path / "one.png", far=0.3
    )
    assert [path.name for path in more] == [f"one-{k:05}.png" for k in range(10, 14)]
    for path in more:
        point = still.read(path).point(card.latent)
        np.testing.assert_allclose(point[8:], one[8:], atol=1e-4)
        assert 0.3 < near(point, one) < 0.999


@pytest.mark.parametrize("truncation", [0.4, 1.2])
def test_the_same_one_is_the_same_picture(piece: Path, tmp_path: Path, truncation: float) -> None:
    (one,) = candidates.draw(str(piece), tmp_path / "one", count=1, truncation=truncation)
    (same,) = candidates.draw(str(piece), tmp_path / "same", count=1, like=one, far=0, seed=7)
    assert np.array_equal(np.asarray(Image.open(same)), np.asarray(Image.open(one)))
    assert still.read(same) == still.read(one)
    (other,) = candidates.draw(str(piece), tmp_path / "other", count=1, like=one, far=1, seed=7)
    (random,) = candidates.draw(str(piece), tmp_path / "random", count=1, seed=7)
    np.testing.assert_allclose(still.read(other).z, still.read(random).z, atol=1e-5)


def test_a_print_is_as_large_as_is_asked_and_knows_its_point(piece: Path, tmp_path: Path) -> None:
    (small,) = candidates.draw(str(piece), tmp_path / "small", count=1)
    seen = Image.open(small)
    for side in (100, 200, 32, 16):  # once it is enlarged by 4, and interpolated from there
        (path,) = candidates.draw(str(piece), tmp_path / str(side), count=1, size=side)
        large = Image.open(path)
        assert large.size == (side, side)
        fewer = min(side, 32), min(side, 32)
        one, other = (shown.resize(fewer, Image.Resampling.BOX) for shown in (large, seen))
        alike = np.corrcoef(np.asarray(one).ravel(), np.asarray(other).ravel())[0, 1]
        assert alike > 0.95
        assert still.read(path) == still.read(small)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "32" / small.name)), seen)


def test_a_print_goes_by_the_piece_s_own_upscaler(tmp_path: Path) -> None:
    own = make_piece(tmp_path / "own", scale=2)
    (path,) = candidates.draw(str(own), tmp_path / "out", count=1, size=64)
    loaded = load(own)
    point = torch.from_numpy(LatentSpace(LATENT).seed(0)[None])
    point[:, :8] *= 0.8
    picture = (loaded.generator(point) * 127.5 + 127.5).round().clamp(0, 255) / 255
    assert loaded.upscaler is not None
    wanted = (loaded.upscaler(picture)[0] * 255).round().permute(1, 2, 0).numpy()
    assert np.abs(np.asarray(Image.open(path)) - wanted).max() <= 1


def test_one_in_every_value_of_a_label(piece: Path, tmp_path: Path) -> None:
    card = verify(piece)
    space = LatentSpace(card.latent)
    still.save(tmp_path / "one.png", PIXELS, Shown(card, space.seed(1)))
    each = candidates.draw(str(piece), tmp_path / "each", each="form", like=tmp_path / "one.png")
    points = [still.read(path).point(card.latent) for path in each]
    assert [list(point[8:10]) for point in points] == [[1, 0], [0, 1]]
    np.testing.assert_allclose(points[0][:8], points[1][:8], atol=1e-4)
    np.testing.assert_allclose(points[0][10:], points[1][10:], atol=1e-4)


def test_all_of_one_value(piece: Path, tmp_path: Path) -> None:
    card = verify(piece)
    out = candidates.draw(str(piece), tmp_path / "d", count=5, labels=[("form", "disc")])
    assert all(list(still.read(p).point(card.latent)[8:10]) == [0, 1] for p in out)


@pytest.mark.parametrize(("stored", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_value_is_known_however_its_accents_are_stored(
    tmp_path: Path, stored: Literal["NFC", "NFD"], typed: Literal["NFC", "NFD"]
) -> None:
    """macOS may give a typed name in pieces, and older pieces have them from its folders."""
    own = make_piece(tmp_path / "own", latent=Latent(8, (Label("größe", ("süß", "ähnlich")),)))
    card = json.loads((own / "card.json").read_text(encoding="utf-8"))
    text = normalize(stored, json.dumps(card, ensure_ascii=False))
    (own / "card.json").write_text(text, encoding="utf-8")
    held = [(normalize(typed, "größe"), normalize(typed, "ähnlich"))]
    (path,) = candidates.draw(str(own), tmp_path / "a", count=1, labels=held)
    assert still.read(path).labels == {"größe": {"ähnlich": 1.0}}
    each = candidates.draw(str(own), tmp_path / "b", each=normalize(typed, "größe"))
    assert [still.read(path).labels for path in each] == [
        {"größe": {"süß": 1.0}}, {"größe": {"ähnlich": 1.0}},
    ]  # fmt: skip
    latent = verify(own).latent
    kept = told(tmp_path / "old.png", labels={held[0][0]: {held[0][1]: 1.0}})
    assert still.read(kept).point(latent)[8:].tolist() == [0, 1]


def test_relatives_of_a_picture_that_the_piece_could_have_drawn(
    piece: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    card, space = verify(piece), LatentSpace(verify(piece).latent)
    point = space.label(space.blend(space.seed(3), space.seed(3), 0, 0.8), "form", [0, 1])
    drawn = np.asarray(Painter(piece).paint(point[None]))[0, ..., :3]
    Image.fromarray(drawn).resize((80, 80)).save(tmp_path / "me.jpg")
    found = candidates.draw(str(piece), tmp_path / "kin", of=tmp_path / "me.jpg", count=3)
    assert [path.name for path in found] == ["me-00000.png", "me-00001.png", "me-00002.png"]
    first = still.read(found[0]).point(card.latent)
    assert first[9] > 0.8
    assert near(first, point) > 0.9
    off = [np.abs(np.asarray(Image.open(path)).astype(float) - drawn).mean() for path in found]
    assert off[0] < 12
    share = int(caplog.text.split("differs by ")[1].split()[0])
    assert 0 < share < 50
    again = candidates.draw(str(piece), tmp_path / "b", of=tmp_path / "me.jpg", count=3)
    assert [a.read_bytes() for a in found] == [b.read_bytes() for b in again]


def test_relatives_of_one_value(piece: Path, tmp_path: Path) -> None:
    Image.new("L", (30, 90), 200).save(tmp_path / "me.png")
    for path in candidates.draw(
        str(piece), tmp_path / "kin", of=tmp_path / "me.png", labels=[("form", "disc")]
    ):
        assert list(still.read(path).point(LATENT)[8:10]) == [0, 1]
    assert len(list((tmp_path / "kin").iterdir())) == 8


def test_any_number_of_relatives_is_looked_for_a_few_at_a_time(piece: Path) -> None:
    painter, counts = Painter(piece), []
    painter.generator.register_forward_hook(lambda _, points, __: counts.append(len(points[0])))
    seen = np.zeros((32, 32, 3), np.uint8)
    points, far = likeness.nearest(painter.generator, LATENT, seen, 100)
    assert len(points) == len(far) == 100
    assert max(counts) <= 32  # each takes megabytes while it is looked for
    _, of_few = likeness.nearest(painter.generator, LATENT, seen, 3)
    assert far[0] <= of_few[0] + 1e-6  # those three are among them


def test_a_picture_is_seen_as_in_a_dataset(piece: Path, tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 32 * 32).reshape(32, 32).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / "deep.png")
    drawing = Image.new("RGBA", (32, 32))  # nothing, which is not black
    drawing.paste((200, 40, 40, 255), (8, 8, 24, 24))
    drawing.save(tmp_path / "cut-out.png")
    Image.new("RGB", (1, 1), (9, 200, 9)).save(tmp_path / "dot.png")
    seen: dict[str, np.ndarray] = {}
    for name in ("deep", "cut-out", "dot"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(likeness, "nearest", lambda *given, n=name, **_: _keep(seen, n, given))
            candidates.draw(str(piece), tmp_path / name, of=tmp_path / f"{name}.png", count=1)
    assert abs(float(seen["deep"].mean()) - 127) < 2
    assert tuple(seen["cut-out"][0, 0]) == (255, 255, 255)
    assert tuple(seen["cut-out"][16, 16]) == (200, 40, 40)
    assert (seen["dot"] == (9, 200, 9)).all()


def _keep(seen: dict[str, np.ndarray], name: str, given: Sequence[Any]) -> tuple[Any, Any]:
    seen[name] = given[2]
    return LatentSpace(LATENT).seed(0)[None], np.zeros(1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--of", "nowhere.png"], "nowhere.png cannot be read: No such file or directory"),
        (["--of", __file__], "is not a JPEG, PNG or WebP image"),
        (["--of", "a.png", "--each", "form"], "--of goes with neither --like nor --each"),
        (["--label", "from=disc"], "has no label 'from'; it has form"),
        (["--label", "form=disk"], "form is never 'disk', but oval, disc"),
        (["--each", "from"], "has no label 'from'"),
        (["--far", "0.5"], "--far does nothing without --like"),
        (["--like", "nowhere.png"], "nowhere.png: there is no such file"),
        (["--like", __file__], "it is no PNG that can be read"),
        (["--label", "form=disc", "--label", "form=oval"], "form is both disc and oval"),
        (["--label", "form=disc", "--each", "form"], "--each form has all of its values"),
        (["--guide", __file__], "tiny has not learned to follow a guide"),
    ],
)
def test_a_mistake_is_told_before_anything_is_drawn(
    piece: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert main(["stills", str(piece), "--out", str(tmp_path / "out"), *arguments]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nothing_is_drawn_over(piece: Path, tmp_path: Path) -> None:
    candidates.draw(str(piece), tmp_path, count=2, seed=1)
    before = (tmp_path / "tiny-00002.png").read_bytes()
    with pytest.raises(StillError, match=r"tiny-00002\.png is there already"):
        candidates.draw(str(piece), tmp_path, count=2, seed=2, truncation=0.1)
    assert (tmp_path / "tiny-00002.png").read_bytes() == before
    assert not (tmp_path / "tiny-00003.png").exists()


@pytest.mark.parametrize(
    ("out", "picture"),
    [
        ("file", "me"),
        pytest.param(".", "x" * 248, marks=pytest.mark.skipif(os.name == "nt", reason="paths")),
    ],
)
def test_a_place_that_cannot_be_written_is_said_before_a_picture_is_looked_for(
    piece: Path, tmp_path: Path, out: str, picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(likeness, "nearest")  # which takes minutes
    (tmp_path / "file").write_text("")
    Image.new("RGB", (9, 9)).save(tmp_path / f"{picture}.png")
    with pytest.raises(StillError, match=r"cannot be written|is a file: name a folder"):
        candidates.draw(str(piece), tmp_path / out, of=tmp_path / f"{picture}.png")


def test_a_full_disk_leaves_no_half_of_a_still(
    piece: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(monkeypatch)
    with pytest.raises(StillError, match="cannot be written: No space left on device"):
        candidates.draw(str(piece), tmp_path / "out", count=2)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_still_of_another_piece_is_told(
    piece: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be of the piece that this one was trained from, and if not, it says nothing."""
    card = replace(verify(piece), name="masks")
    still.save(tmp_path / "one.png", PIXELS, Shown(card, LatentSpace(card.latent).seed(1)))
    candidates.draw(str(piece), tmp_path / "more", count=1, like=tmp_path / "one.png")
    assert "one.png shows masks, and not tiny" in caplog.text


def test_a_card_by_another_name_has_its_stills(tmp_path: Path) -> None:
    """A piece's folder may be renamed: what it is called in its card counts."""
    space, card = LatentSpace(LATENT), card_of(LATENT)
    for seed in range(2):
        still.save(tmp_path / f"{seed}.png", PIXELS, Shown(card, space.seed(seed)))
    assert list(still.chosen(tmp_path, {"renamed": card})) == ["renamed"]
    with pytest.raises(StillError):
        still.chosen(tmp_path, {"tiny": replace(card, name="renamed")})
