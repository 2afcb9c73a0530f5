"""The drawn faces: what a seed fixes, what each label changes, and the command that draws them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from installation.cli import main, parser
from training.corpus import anime
from training.corpus.corpus import CorpusError
from training.corpus.portrait.colour import from_hex, tone
from training.corpus.portrait.sitter import EYES, HAIR, SKIN
from training.dataset import read_dataset

ROOT = Path(__file__).parent.parent
PLAIN = {
    "expression": "neutral", "glasses": "none", "headwear": "none", "fringe": "blunt",
    "style": "long", "background": "flat",
}  # fmt: skip


def test_a_seed_and_an_index_fix_the_picture() -> None:
    whole, labels = anime.draw(5, 48, 11)
    again, again_labels = anime.draw(5, 48, 11)
    last, last_labels = anime.draw(2, 48, 11, start=3)
    assert np.array_equal(whole, again)
    assert labels == again_labels
    assert np.array_equal(whole[3:], last)
    assert labels[3:] == last_labels
    assert not np.array_equal(whole, anime.draw(5, 48, 12)[0])


def test_size_changes_the_sampling_and_not_the_face() -> None:
    small = anime.draw(4, 64, 4)[0].astype(float)
    large = anime.draw(4, 192, 4)[0].astype(float)
    folded = large.reshape(4, 64, 3, 64, 3, 3).mean((2, 4))
    same = np.abs(folded - small).mean()
    assert same < 5
    assert np.abs(np.roll(folded, 1, axis=0) - small).mean() > 5 * same


def test_labels_come_up_as_often_as_they_should() -> None:
    drawn = [anime.label(3, i) for i in range(12 * 11 * 6 * 7)]
    for group in (("hair", "eyes"), ("style", "fringe"), ("skin", "gender", "age")):
        found = Counter(tuple(label[name] for name in group) for label in drawn)
        assert len(found) == np.prod([len(anime.LABELS[name]) for name in group])
        assert max(found.values()) - min(found.values()) <= 1
    for name in ("expression", "clothes", "background", "angle", "tilt"):
        found = Counter((label[name],) for label in drawn)
        assert max(found.values()) - min(found.values()) <= 1
    assert 0.6 < np.mean([label["headwear"] == "none" for label in drawn]) < 0.7
    pairs = Counter((label["hair"], label["skin"]) for label in drawn)
    assert len(pairs) == 72
    assert max(pairs.values()) < 2 * min(pairs.values())  # 77 each, by chance


@pytest.mark.parametrize("name", anime.LABELS)
def test_every_value_can_be_pinned_and_changes_the_picture(name: str) -> None:
    """The same two faces, with one label put to each of its values."""
    values = anime.LABELS[name]
    plain = {key: value for key, value in PLAIN.items() if key != name}
    drawn = []
    for value in values:
        images, labels = anime.draw(2, 64, 5, **plain, **{name: value})
        assert all(found[name] == value for found in labels)
        assert all(tuple(found) == tuple(anime.LABELS) for found in labels)
        assert images.std(axis=(1, 2)).min() > 5
        drawn.append(images.astype(float))
    for i, images in enumerate(drawn):
        for other in drawn[i + 1 :]:
            assert (np.abs(images - other).max(-1) > 12).mean() > 0.004


def test_the_colour_of_closed_eyes_is_not_told() -> None:
    labels = anime.label(3, 0, expression="wink")
    assert anime.CORPUS.seen(labels) == labels
    labels["expression"] = "closed"
    assert anime.CORPUS.seen(labels) == {**labels, "eyes": ""}


@pytest.mark.parametrize("size", [64, 128])
def test_every_value_draws_without_error(size: int) -> None:
    longest = max(len(values) for values in anime.LABELS.values())
    for k in range(longest):
        wanted = {name: values[k % len(values)] for name, values in anime.LABELS.items()}
        images, labels = anime.draw(1, size, 8, start=k, **wanted)
        assert images.shape == (1, size, size, 3)
        assert images.dtype == np.uint8
        assert labels == [wanted]


def region(
    name: str, values: tuple[str, str], seed: int, count: int, **fixed: str
) -> NDArray[np.bool_]:
    """Where the pictures change with a label: (count, 64, 64). It is the part the label colours."""
    fixed |= PLAIN
    a, b = (anime.draw(count, 64, seed, **fixed, **{name: v})[0].astype(float) for v in values)
    return np.abs(a - b).max(-1) > 60


@pytest.mark.parametrize(
    ("name", "palette", "between", "share", "right"),
    [
        ("hair", HAIR, ("blue", "orange"), (0.25, 0.7), 0.85),
        ("eyes", EYES, ("aqua", "red"), (0.008, 0.09), 0.85),
        ("skin", SKIN, ("porcelain", "deep"), (0.07, 0.45), 0.75),
    ],
)
def test_a_colour_can_be_read_where_it_belongs(
    name: str, palette: dict[str, str], between: tuple[str, str], share: tuple[float, float],
    right: float,
) -> None:  # fmt: skip
    """The nearest colour of those drawn for other faces tells the label, in the label's region."""
    count = 4
    where = region(name, between, 21, count)
    assert (where.mean((1, 2)) > share[0]).all()
    assert (where.mean((1, 2)) < share[1]).all()
    table = []
    for value in palette:
        images = anime.draw(count, 64, 21, **PLAIN, **{name: value})[0]
        pairs = zip(images, where, strict=True)
        table.append([np.median(image[spot], axis=0) for image, spot in pairs])
    colours = np.array(table)  # (values, faces, 3)
    hits = []
    for face in range(count):
        known = np.delete(colours, face, axis=1).mean(1)
        distance = np.linalg.norm(colours[:, face, None] - known, axis=-1)
        hits.append(distance.argmin(-1) == np.arange(len(palette)))
    assert np.mean(hits) > right


@pytest.mark.parametrize("angle", ["left", "right"])
def test_the_far_eye_is_foreshortened(angle: str) -> None:
    fixed = {"tilt": "upright", "angle": angle, "gender": "feminine", "age": "young"}
    where = region("eyes", ("aqua", "red"), 2, 6, **fixed)
    columns = where.sum((0, 1))
    split = 20 + int(columns[20:44].argmin())  # between the eyes
    left, right = columns[:split].sum(), columns[split:].sum()
    far, near = (left, right) if angle == "left" else (right, left)
    assert 0.3 * near < far < 0.92 * near


def test_shadows_turn_gold_to_red_and_keep_blue_blue() -> None:
    gold, blue = from_hex(HAIR["blonde"]), from_hex(HAIR["blue"])
    assert tone(gold, 1.0) == pytest.approx(gold, abs=1e-3)
    r, g, _ = tone(gold, 0.7, 1.0, 0.3)
    assert r / g > gold[0] / gold[1]
    assert max(tone(blue, 0.7, 1.0, 0.3)) == tone(blue, 0.7, 1.0, 0.3)[2]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"hair": "mauve"}, "blonde, brown"),
        ({"mood": "calm"}, "hair, eyes"),
        ({"size": 8}, "--size"),
    ],
)
def test_what_cannot_be_drawn_is_said(request_: dict, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        anime.draw(**({"count": 1, "size": 32, "seed": 0} | request_))


def test_the_command_draws_a_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "faces"
    asked = ["corpus", "anime", "--count", "3", "--size", "48", "--seed", "6", "--out", str(out)]
    assert main(asked) == 0
    assert capsys.readouterr().out.strip() == str(out)
    images, labels = anime.draw(3, 48, 6)
    with (out / "labels.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row.pop("file") for row in rows] == ["00000.png", "00001.png", "00002.png"]
    assert rows == [anime.CORPUS.seen(found) for found in labels]
    for i, image in enumerate(images):
        assert np.array_equal(np.asarray(Image.open(out / f"{i:05d}.png")), image)
    facts = json.loads((out / "provenance.json").read_text())
    assert (facts["corpus"], facts["version"]) == ("anime", anime.VERSION)
    page = (out / "index.html").read_text()
    assert page.count("<figure>") == 3
    assert "expression " + labels[0]["expression"] in page
    dataset = read_dataset(out, 48)  # the page is no image of the dataset
    assert len(dataset.images) == 3


def test_every_corpus_of_the_command_is_there() -> None:
    line = next(a for a in parser()._actions if a.dest == "command").choices["corpus"]  # type: ignore[index]
    kinds = next(action for action in line._actions if action.dest == "kind").choices
    assert kinds == ["masks", "anime"]
    for kind in kinds:
        assert import_module(f"training.corpus.{kind}").CORPUS.name == kind


def test_without_skia_it_is_one_line_and_masks_are_drawn_all_the_same(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['skia'] = None\n"
        "from installation.cli import main\n"
        "kind, out = sys.argv[1:]\n"
        "sys.exit(main(['corpus', kind, '--count', '1', '--size', '16', '--out', out]))"
    )
    results = [
        subprocess.run(
            [sys.executable, "-c", script, kind, str(tmp_path / kind)],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )
        for kind in ("anime", "masks")
    ]  # fmt: skip
    assert [result.returncode for result in results] == [2, 0]
    assert len(results[0].stderr.strip().splitlines()) == 1
    assert "installation[anime]" in results[0].stderr
    assert not (tmp_path / "anime").exists()
