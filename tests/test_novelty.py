"""Is it new? Samplers that copy are told from one that draws anew; the report is safe to open."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from models.latent import Latent
from tests import discs
from tests.pieces import make_piece
from training import UsageError, judging
from training.metrics.origin import hold_out_of
from training.novelty import findings, folder, page, report, verdict
from training.novelty.findings import Trial, study, trial
from training.novelty.inspect import inspect
from training.novelty.intervals import excess, share
from training.novelty.neighbours import Features, View, find, look
from training.novelty.verdict import MEMORISES, NEW, UNSURE

SIDE = 16


def draw(count: int, seed: int) -> Tensor:
    """Soft fields of colour with a hard-edged bar on each: (N, 3, S, S) uint8."""
    rng = torch.Generator().manual_seed(seed)
    fields = F.interpolate(
        torch.rand(count, 3, 4, 4, generator=rng) * 255, (SIDE, SIDE), mode="bicubic"
    )
    place = torch.rand(count, 1, 1, 1, generator=rng) * SIDE
    near = (torch.arange(SIDE).view(1, 1, 1, -1) - place).abs() < 2
    colour = torch.rand(count, 3, 1, 1, generator=rng) * 255
    return torch.where(near, colour, fields).clamp(0, 255).to(torch.uint8)


def features(images: Tensor) -> Tensor:
    """An encoder that needs no training: colours in a few places."""
    return F.adaptive_avg_pool2d(images.float() / 255, 6).flatten(1)


def blurred(images: Tensor) -> Tensor:
    padded = F.pad(images.float(), (1, 1, 1, 1), mode="replicate")
    return F.avg_pool2d(padded, 3, stride=1).round().to(torch.uint8)


@pytest.fixture(scope="module")
def training() -> Tensor:
    return draw(300, seed=1)


@pytest.fixture(scope="module")
def held_out() -> Tensor:
    return draw(200, seed=2)


COPIES = {
    "exactly": lambda x: x,
    "mirrored": lambda x: x.flip(3),
    "blurred": blurred,
    "shifted": lambda x: x.roll(1, 3),
    "grainy": lambda x: (
        (x + 10 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0)))
        .clamp(0, 255)
        .to(torch.uint8)
    ),
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("split", [True, False], ids=["held out", "leave one out"])
def test_a_sampler_that_copies_memorises(
    how: str, split: bool, training: Tensor, held_out: Tensor
) -> None:
    found = study(COPIES[how](training[:50]), training, held_out if split else None, features)
    assert verdict.verdict(found.copies) == MEMORISES
    # Each is found at its own original.
    right = found.nearest.index[:, 0] == torch.arange(50)
    assert right.float().mean() > 0.9
    if how == "mirrored":
        assert found.nearest.mirrored[:, 0].float().mean() > 0.9


@pytest.mark.parametrize("split", [True, False], ids=["held out", "leave one out"])
@pytest.mark.parametrize("change", [lambda x: x, blurred], ids=["sharp", "soft"])
def test_a_sampler_that_draws_anew_does_not(
    split: bool, change: object, training: Tensor, held_out: Tensor
) -> None:
    samples = change(draw(300, seed=3))  # type: ignore[operator]
    found = study(samples, training, held_out if split else None, features)
    assert verdict.verdict(found.copies) == NEW
    assert found.copies.identical == 0
    if change is not blurred:  # soft pictures do vary less
        assert found.repeats.excess.low <= 0
    assert not verdict.repetition("it", found.repeats).startswith("it repeats")


def test_one_picture_in_five_copied_is_found(training: Tensor, held_out: Tensor) -> None:
    samples = torch.cat([blurred(training[:30]), draw(120, seed=3)])
    found = study(samples, training, held_out, features)
    assert verdict.verdict(found.copies) == MEMORISES
    assert 0.15 < found.copies.found.rate < 0.25


def test_duplicates_in_the_data_do_not_hide_copies(training: Tensor) -> None:
    twice = torch.cat([training, training[:8]])
    found = study(blurred(training[20:70]), twice, None, features)
    assert found.copies.left_out == 16
    assert verdict.verdict(found.copies) == MEMORISES


def test_a_training_judges_by_held_out_images_of_all_folders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Tensor] = []

    def watching(images: Tensor, features: Features) -> View:
        seen.append(images)
        return look(images, features)

    class Encoder:
        features = staticmethod(features)

    monkeypatch.setattr(findings, "look", watching)
    monkeypatch.setattr(findings, "MOST", 20)
    unseen = discs.dataset(200, seed=2)
    judging._Sight(Encoder(), discs.dataset(40), unseen)  # type: ignore[arg-type]
    where = [int((unseen.images == x).all((1, 2, 3)).nonzero()[0]) for x in seen[-1]]
    assert len(set(where)) == 20
    assert max(where) > 100


def test_few_samples_tell_nothing(training: Tensor) -> None:
    found = study(draw(30, seed=3), training, draw(4, seed=2), features)
    assert verdict.verdict(found.copies) == UNSURE


def test_few_held_out_images_hide_no_copies(training: Tensor) -> None:
    few, unseen = training[:54], draw(6, seed=2)
    for copies, verdicts in ((0, {NEW, UNSURE}), (13, {UNSURE}), (60, {MEMORISES})):
        samples = torch.cat([blurred(few[torch.arange(copies) % 54]), draw(256 - copies, seed=3)])
        found = study(samples, few, unseen, features)
        assert not found.reals.held_out
        assert verdict.verdict(found.copies) in verdicts
        assert found.copies.found.count >= copies


def test_a_training_with_few_held_out_images_sees_copies(training: Tensor) -> None:
    class Encoder:
        features = staticmethod(features)

    data, few = discs.dataset(54), discs.dataset(6, seed=2)
    sight = judging._Sight(Encoder(), data, few)  # type: ignore[arg-type]
    assert sight._copies(blurred(data.images))
    assert not sight._copies(discs.dataset(100, seed=3).images)


@pytest.mark.parametrize("held_out", [2, 6, 60, 150])
def test_what_is_usual_is_not_taken_off_what_could_be_copies(held_out: int) -> None:
    def tried(copies: int, samples: int) -> Trial:
        scores = torch.full((samples,), 0.95)
        scores[:copies] = 0.3
        real = torch.linspace(0.6, 1, held_out)
        return trial(scores, real, torch.zeros(samples).bool(), torch.zeros(held_out).bool())

    assert verdict.verdict(tried(0, 256)) == NEW
    assert "At most 1.5 % of what" in verdict.sentence("it", tried(0, 256), True)
    assert verdict.verdict(tried(0, 64)) == UNSURE
    assert "Up to 5.7 % of what" in verdict.sentence("it", tried(0, 64), True)
    assert verdict.verdict(tried(15, 256)) != NEW


def test_collapse_and_the_images_it_returns_to_are_named(
    training: Tensor, held_out: Tensor
) -> None:
    samples = blurred(training[torch.arange(90) % 3])
    found = study(samples, training, held_out, features)
    assert found.repeats.excess.low > 0
    beyond = {one.index for one in found.attractors if one.beyond}
    assert beyond == {0, 1, 2}
    assert verdict.repetition("it", found.repeats).startswith("it repeats itself")


def test_more_samples_than_images_do_not_look_like_repeats() -> None:
    known = draw(80, seed=21)
    found = study(draw(600, seed=22), known, None, features)
    assert found.repeats.found.total == 80
    assert len(found.twin_scores) == 600
    assert verdict.repetition("it", found.repeats).startswith("No sign that it repeats itself")
    few = study(blurred(draw(600, seed=22)[torch.arange(600) % 30]), known, None, features)
    assert verdict.repetition("it", few.repeats).startswith("it repeats itself")


def test_an_image_is_never_its_own_neighbour(training: Tensor) -> None:
    view = look(training[:40], features)
    found = find(view, view, torch.arange(40))
    named = found.index[found.relative < float("inf")]
    rows = torch.arange(40)[:, None].expand_as(found.index)[found.relative < float("inf")]
    assert (named != rows).all()
    assert (found.score > 0).all()


def test_the_same_seed_finds_the_same(training: Tensor) -> None:
    one, two = (study(draw(20, seed=3), training, None, features, seed=5) for _ in range(2))
    assert torch.equal(one.nearest.index, two.nearest.index)
    assert torch.equal(one.copies.scores, two.copies.scores)
    assert torch.equal(one.repeats.scores, two.repeats.scores)


def test_parts_of_any_size_find_the_same(training: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = find(look(training[:50], features), look(training, features))
    monkeypatch.setattr("training.novelty.neighbours._QUERIES", 7)
    monkeypatch.setattr("training.novelty.neighbours._IMAGES", 9)
    parts = find(look(training[:50], features), look(training, features))
    assert torch.equal(whole.index[:, 0], parts.index[:, 0])
    assert torch.allclose(whole.score, parts.score, atol=1e-4)


def test_intervals_are_those_of_the_papers() -> None:
    # Newcombe 1998, table II: 56/70 and 48/80, by his method 10; (a) of 1998a for Wilson: 81/263.
    one = share(81, 263)
    assert (one.low, one.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    both = excess(share(56, 70), share(48, 80))
    assert (both.low, both.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert share(0, 20).low == 0
    assert share(20, 20).high == 1


def test_nothing_but_duplicates_is_an_error() -> None:
    with pytest.raises(UsageError, match="duplicates"):
        trial(torch.rand(5), torch.zeros(9), torch.zeros(5).bool(), torch.ones(9).bool())


# The command, with an untrained piece: what is written, and where.


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "faces <i>&"
    folder.mkdir()
    for i, picture in enumerate(draw(30, seed=1)):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(folder / f'<script>{i}" &.png')
    with (folder / "provenance.csv").open("w", newline="") as table:
        csv.writer(table).writerows(
            [["path", "source", "author", "licence"], [".", "a & b", "<b>Eve</b>", "CC0-1.0"]]
        )
    return folder


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hostile in its title, as a card from elsewhere may be."""
    made = make_piece(tmp_path_factory.mktemp("pieces") / "tiny", SIDE, Latent(8))
    card = json.loads((made / "card.json").read_text())
    card["title"] = "</title><script>alert(1)</script>"
    card["author"] = "\u202e\ud800"  # of a title these are refused
    (made / "card.json").write_text(json.dumps(card))
    return made


def run(piece: Path, photographs: Path, out: Path, **options: object) -> dict:
    cache = photographs.parent / "encoders"
    settings: dict = {"samples": 45, "steps": 2, "cache": cache, "neighbours": 2, **options}
    return inspect(piece, photographs, out, **settings)


class Reader(HTMLParser):
    """Every tag, and whether each that needs it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "path", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_escapes_everything(
    piece: Path, photographs: Path, tmp_path: Path
) -> None:
    run(piece, photographs, tmp_path / "new")
    text = (tmp_path / "new" / report.PAGE).read_text("utf-8")
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    names = {tag for tag, _ in reader.tags}
    assert not names & {"script", "i", "iframe", "link", "base", "form"}
    assert text.count("<b>Eve</b>") == 0
    assert "&lt;b&gt;Eve&lt;/b&gt;" in text
    assert "&quot; &amp;.png</bdi>" in text
    assert "\u202e" not in text  # it turns the reading direction
    pictures = [attrs["src"] for tag, attrs in reader.tags if tag == "img"]
    assert len(pictures) >= 45
    for source in pictures:
        assert re.fullmatch(r"images/(sample|training)-\d{5}\.png", source or "")
        assert (tmp_path / "new" / str(source)).is_file()
    for _, attrs in reader.tags:
        assert not any(key.startswith("on") for key in attrs)
        assert not any("://" in str(value) for value in attrs.values())


def test_the_record_holds_every_number(piece: Path, photographs: Path, tmp_path: Path) -> None:
    returned = run(piece, photographs, tmp_path / "new")
    record = json.loads((tmp_path / "new" / folder.RECORD).read_text())
    assert record == json.loads(json.dumps(returned))
    assert record["baseline"] == "leave one out"
    assert record["verdict"] in (MEMORISES, NEW, UNSURE)
    assert any("500" in text for text in record["warnings"])
    assert any("names no images that were held out" in text for text in record["warnings"])
    assert len(record["drawn"]) == record["samples"] == 45
    scores = [one["distance"] for one in record["drawn"]]
    assert scores == sorted(scores)
    for one in record["drawn"]:
        assert len(one["neighbours"]) == 2
        assert one["twin"] != one["sample"]
        for near in one["neighbours"]:
            assert (photographs / near["file"]).is_file()
            assert (near["author"], near["licence"]) == ("<b>Eve</b>", "CC0-1.0")
    assert record["copies"]["found"]["total"] == 45
    written = {p.relative_to(tmp_path / "new").as_posix() for p in (tmp_path / "new").rglob("*.*")}
    assert written == {*record["files"], folder.RECORD}


def test_the_same_seed_writes_the_same_files(
    piece: Path, photographs: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        run(piece, photographs, tmp_path / name, seed=4)
    run(piece, photographs, tmp_path / "other", seed=5)
    one, two, other = (
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in (tmp_path / "one", tmp_path / "two", tmp_path / "other")
    )
    assert one == two
    assert one != other


def test_a_card_that_names_a_split_is_believed(
    piece: Path, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = json.loads((piece / "card.json").read_text())
    monkeypatch.setattr(findings, "ENOUGH", 3)
    made = tmp_path / "held"
    made.mkdir()
    for path in piece.iterdir():
        (made / path.name).write_bytes(path.read_bytes())
    card["training"] = {"hold_out": 0.3, "images": 12, "recipe": {"fit": "crop"}}
    (made / "card.json").write_text(json.dumps(card))
    record = run(made, photographs, tmp_path / "new")
    data = record["dataset"]
    assert record["baseline"] == "held out"
    assert 0 < data["held_out"] < data["images"]
    assert data["compared"] + data["held_out"] == data["images"]
    assert record["copies"]["expected"]["total"] <= data["held_out"]
    assert any("12 images" in text for text in record["warnings"])
    monkeypatch.undo()
    record = run(made, photographs, tmp_path / "few")
    assert record["baseline"] == "leave one out"
    assert any("were held out of its training, too few" in text for text in record["warnings"])
    for wrong in ("0.3", True, 2, float("nan"), None):
        card["training"]["hold_out"] = wrong
        assert hold_out_of(type("C", (), {"training": card["training"]})(), "photos") == 0  # type: ignore[arg-type]


def test_another_folder_is_refused_and_left_alone(
    piece: Path, photographs: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years")
    with pytest.raises(UsageError, match="other files"):
        run(piece, photographs, mine)
    (mine / folder.RECORD).write_text('{"kind": "something else", "files": ["thesis.txt"]}')
    with pytest.raises(UsageError, match="other files"):
        run(piece, photographs, mine)
    with pytest.raises(UsageError, match="not a folder"):
        run(piece, photographs, mine / "thesis.txt")
    with pytest.raises(UsageError, match="inside the dataset"):
        run(piece, photographs, photographs / "new")
    assert (mine / "thesis.txt").read_text() == "years"
    assert len(list(mine.iterdir())) == 2


def test_a_report_replaces_its_own_files_alone(
    piece: Path, photographs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new"
    run(piece, photographs, out, samples=50)
    (out / "note.txt").write_text("for the curator")
    (out / "images" / "mine.png").write_bytes(b"mine")
    run(piece, photographs, out, samples=20)
    assert (out / "note.txt").read_text() == "for the curator"
    assert (out / "images" / "mine.png").read_bytes() == b"mine"
    assert len(list((out / "images").glob("sample-*.png"))) == 20
    assert [path.name for path in tmp_path.iterdir()] == ["new"]  # nothing left beside


def test_a_failure_leaves_the_older_report(
    piece: Path, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "new"
    run(piece, photographs, out)
    before = (out / folder.RECORD).read_bytes()

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.novelty.report.write_synced", full)
    with pytest.raises(UsageError, match="No space left"):
        run(piece, photographs, out, seed=9)
    assert (out / folder.RECORD).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_too_few_images_is_one_line(piece: Path, tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    for i, picture in enumerate(draw(5, seed=1)):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(tmp_path / "few" / f"{i}.png")
    with pytest.raises(UsageError, match="too few"):
        run(piece, tmp_path / "few", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(UsageError, match="--samples 1"):
        run(piece, tmp_path / "few", tmp_path / "new", samples=1)


def test_the_page_shows_every_script() -> None:
    names = "می\u200cخواهم क्\u200dष 笑顔 ọma"
    assert page._text(names) == names
    assert page._text("<b>\u202e\x1b") == "&lt;b&gt;\\u202e\\x1b"
