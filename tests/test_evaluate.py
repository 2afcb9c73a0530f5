"""`installation evaluate`: what reads labels and codes, the official networks, the whole report."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.discriminator import Discriminator
from models.latent import Code, Label, Latent
from tests import discs
from tests.pieces import make_piece
from training import UsageError
from training.evaluate import Effort, evaluate, to_text
from training.metrics import codes, contrast, figures, inception, pyramid, recogniser, vgg
from training.metrics.distances import frechet
from training.metrics.figure import Figure, plain
from training.metrics.identity import estranged, lines
from training.metrics.labels import label_accuracy
from training.metrics.material import EvaluationError, Material, conditions_for
from training.metrics.recogniser import score, steps_for, train_recogniser
from training.metrics.weights import Official, WeightsError, load_official
from training.pixels import floats, pixels
from training.split import split
from training.train import train

LITTLE = Effort(encoder=2, labels=2, codes=2, code_pictures=64)
LATENT = Latent(8, (discs.HUE,))
TINY = ["resolution=16", "generator=4:16 8:8", "batch=8", "precision=float32", "z=8"]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that measure are trained in a moment."""
    monkeypatch.setattr(recogniser, "_BATCH", 16)
    monkeypatch.setattr(contrast, "_BATCH", 16)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# The pyramid


def test_a_pyramid_adds_up_to_its_picture() -> None:
    images = torch.rand(2, 3, 64, 64, generator=rng()) * 2 - 1
    levels = pyramid.laplacian(images)
    assert [level.shape[-1] for level in levels] == [64, 32, 16]
    whole = levels[-1]
    for level in reversed(levels[:-1]):
        whole = pyramid._double(whole) + level
    assert torch.allclose(whole, images, atol=1e-5)


def test_each_level_speaks_of_its_own_scale() -> None:
    first, second = (floats(discs.draw(60, seed, 64)[0]) for seed in (1, 2))
    floor = pyramid.sliced_wasserstein(first, second, rng())
    grain = torch.randn(second.shape, generator=rng()) * 0.1
    noisy = pyramid.sliced_wasserstein(first, second + grain, rng())
    darker = pyramid.sliced_wasserstein(first, second - 0.3, rng())
    assert list(floor) == [64, 32, 16]
    assert noisy[64] > 3 * floor[64]
    assert noisy[64] / floor[64] > noisy[16] / floor[16]
    assert darker[64] < 1.5 * floor[64]  # details are the same
    assert darker[16] > 3 * floor[16]


# Labels and codes


def test_scores_are_accuracy_and_r2() -> None:
    parts = (Label("hair", ("a", "b")), Code("turn", "continuous"))
    truth = torch.tensor([[1.0, 0, -1], [0, 1, 0], [0, 1, 1], [0, 0, 0]])
    guess = torch.tensor([[2.0, 1, -1], [2, 1, 0], [1, 2, 1], [9, 0, 0]])
    found = score(guess, truth, parts)
    assert found["hair"].value == pytest.approx(2 / 3)  # the last row's hair is unknown
    assert found["hair"].chance == pytest.approx(2 / 3)
    assert (found["hair"].count, found["turn"].count) == (3, 4)
    assert found["turn"].value == pytest.approx(1)
    useless = score(torch.zeros(4, 3), truth, parts)["turn"]
    assert useless.value == pytest.approx(0, abs=0.1)
    assert score(guess, torch.zeros(4, 3), parts[:1]) == {}


def test_a_label_is_learned_and_disobedience_seen() -> None:
    training, held_out = split(discs.dataset(240), share=0.3)
    images, hue = discs.draw(90, seed=9)
    asked = torch.nn.functional.one_hot(hue, 3).float()
    both = torch.cat([images, images])
    wishes = torch.cat([asked, asked.roll(1, 1)])  # half of them are obeyed
    found = label_accuracy(training, held_out, both, wishes, steps=50)["hue"]
    assert found.real.value > 0.9
    assert found.generated.value == pytest.approx(0.5, abs=0.05)


def test_few_images_are_not_looked_at_for_ever_and_many_as_long_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()  # the batches of small_batches
    most = Effort().labels
    assert steps_for(5400, most) == most  # a tenth of 6,000 is held out
    assert steps_for(5400, 2 * most) == 2 * most  # as the pieces that ship are measured
    assert steps_for(600, most) == 375
    assert steps_for(40, most) == steps_for(100, most) == 300
    assert steps_for(40, 20) == 20


def test_an_evaluation_learns_labels_in_as_many_steps_as_its_images_want(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def noted(images: Tensor, *given: Any, steps: int, **settings: Any) -> Any:
        asked.append(steps)
        return train_recogniser(images, *given, steps=1, **settings)

    monkeypatch.setattr("training.metrics.labels.train_recogniser", noted)
    piece = make_piece(tmp_path / "p", latent=LATENT)
    effort = Effort(encoder=2, codes=2, code_pictures=64)
    evaluate(piece, discs.write(tmp_path / "d", 60), cache=tmp_path / "c", effort=effort)
    assert asked == [300]


CODED = Latent(4, (), (Code("hue", "categorical", 3), Code("light", "continuous")))


def paint_codes(points: Tensor) -> Tensor:
    """A generator that uses both codes, and z a little: a coloured disc on a ground."""
    hue, light = points[:, 4:7].argmax(1), points[:, 7].view(-1, 1, 1, 1)
    pictures = light.expand(-1, 3, 32, 32) * 0.6 + points[:, :1, None, None] * 0.05
    pictures = pictures.clone()
    for index, value in enumerate(hue.tolist()):
        pictures[index, :, 8:24, 8:24] = -1
        pictures[index, value, 8:24, 8:24] = 1
    return pixels(pictures)


def test_the_probe_reads_codes_that_are_used_and_no_others() -> None:
    kwargs = {"count": 400, "steps": 60}
    used = codes.probe(paint_codes, CODED, torch.zeros(9, 0), **kwargs)
    assert used["hue"].value > 0.9
    assert used["light"].value > 0.6
    unused = codes.probe(
        lambda points: paint_codes(points.roll(1, 0)), CODED, torch.zeros(9, 0), **kwargs
    )
    assert unused["hue"].value < 0.6
    assert unused["light"].value < 0.2


def test_disturbed_pictures_are_shifted_and_compressed() -> None:
    pictures = discs.draw(8)[0]
    found = codes.disturb(pictures, rng())
    assert found.shape == pictures.shape
    assert found.dtype == torch.uint8
    assert 0 < (found.float() - pictures).abs().mean() < 25
    assert torch.equal(found, codes.disturb(pictures, rng()))


def test_z_and_labels_share_the_variance() -> None:
    def features(pictures: Tensor) -> Tensor:
        return pictures.float().flatten(1)

    real = paint_codes(torch.from_numpy(CODED.sample(np.random.default_rng(3), 64)))
    little = codes.diversity(paint_codes, features, CODED, torch.zeros(9, 0), real)
    assert 0 < little.z_pixels < 0.05
    assert little.relative == pytest.approx(1, abs=0.15)
    alone = codes.diversity(
        lambda points: pixels(points[:, :3, None, None].expand(-1, -1, 8, 8)),
        features, CODED, torch.zeros(9, 0), real[..., :8, :8],
    )  # fmt: skip
    assert alone.z_features > 0.9


def test_a_label_that_only_tints_keeps_the_character_and_one_that_rules_does_not() -> None:
    latent = Latent(4, (Label("tint", ("a", "b")), Label("kind", ("a", "b", "c"))))

    def paint(points: Tensor) -> Tensor:
        rows = points[:, :4] + 0.1 * points[:, 4:5]
        return rows + 50 * points[:, 6:9].argmax(1, keepdim=True)

    known = torch.tensor([[1.0, 0, 1, 0, 0], [0, 1, 0, 0, 1]])
    found = estranged(paint, lambda rows: rows, latent, known, count=200)
    assert 0 < found["tint"] < 0.2
    assert found["kind"] > 5


def test_lines_are_where_they_are_whatever_the_colours() -> None:
    def disc(x: float, inside: int, outside: int) -> torch.Tensor:
        at = torch.arange(64.0) - 31.5
        there = (at[:, None] ** 2 + (at[None] - x) ** 2) < 20**2
        return torch.where(there, inside, outside).to(torch.uint8).expand(3, 64, 64)

    read = lines(torch.stack([disc(0, 200, 20), disc(0, 30, 90), disc(6, 200, 20)]))
    recoloured, moved = (read[0] - read[1]).norm(), (read[0] - read[2]).norm()
    assert recoloured < 1e-5
    assert moved > 0.5
    assert torch.isfinite(lines(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))).all()


# Official networks


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(2)


def saved(network: nn.Module, path: Path) -> Official:
    torch.save(network.state_dict(), path)
    return Official(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), "nowhere")


def test_official_weights_are_loaded_when_the_hash_is_right(tmp_path: Path) -> None:
    path = tmp_path / "small.pth"
    theirs, mine = Small(), Small()
    nn.init.normal_(theirs.norm.weight)
    official = saved(theirs, path)
    load_official(mine, path, official)
    assert torch.equal(mine.norm.weight, theirs.norm.weight)
    with pytest.raises(WeightsError, match="does not fit"):
        load_official(nn.Linear(2, 2), path, official)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(WeightsError, match="SHA-256"):
        load_official(mine, path, official)
    with pytest.raises(WeightsError, match="downloads nothing"):
        load_official(mine, tmp_path / "gone.pth", official)


def test_inception_has_the_published_shapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = inception.Inception()
    state = network.state_dict()
    assert sum(p.numel() for p in network.parameters()) == 23_834_568 + 8 * 2049  # 1,008 classes
    assert state["Mixed_5b.branch5x5_2.conv.weight"].shape == (64, 48, 5, 5)
    assert state["Mixed_6b.branch7x7dbl_5.conv.weight"].shape == (192, 128, 1, 7)
    assert state["Mixed_7c.branch3x3dbl_3b.bn.running_var"].shape == (384,)
    assert state["fc.weight"].shape == (1008, 2048)
    path = tmp_path / "pt_inception-2015-12-05-6726825d.pth"
    monkeypatch.setattr(inception, "OFFICIAL", saved(network, path))
    loaded = inception.load_inception(path)
    pictures = discs.draw(2)[0]
    assert torch.equal(loaded.read(pictures), network.eval().read(pictures))
    assert loaded.read(pictures).shape == (2, 2048)
    monkeypatch.undo()
    with pytest.raises(WeightsError, match="6726825d"):
        inception.load_inception(path)


def test_vgg_has_the_published_shapes() -> None:
    with torch.device("meta"):
        network = vgg.Vgg16()
    state = network.state_dict()
    convolutions = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    names = [f"features.{i}" for i in convolutions] + [f"classifier.{i}" for i in (0, 3, 6)]
    assert list(state) == [f"{name}.{kind}" for name in names for kind in ("weight", "bias")]
    assert sum(p.numel() for p in network.parameters()) == 138_357_544
    early, late = network(torch.zeros(1, 3, 32, 32, device="meta"))
    assert (early.shape, late.shape) == ((1, 128), (1, 4096))


def test_nearest_cosine_knows_a_copy() -> None:
    def layers(x: Tensor) -> tuple[Tensor, Tensor]:
        return x.mean((2, 3)) + 1, x[:, 0].flatten(1)

    real = torch.rand(20, 3, 8, 8, generator=rng()) * 2 - 1
    assert vgg.nearest_cosine(layers, real, real[5:9])["late"] == pytest.approx(1)  # type: ignore[arg-type]
    other = torch.rand(4, 3, 8, 8, generator=rng(1)) * 2 - 1
    assert vgg.nearest_cosine(layers, real, other)["late"] < 0.8  # type: ignore[arg-type]


def test_fid_is_the_published_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wide:
        def read(self, images: Tensor) -> Tensor:
            return images.float().flatten(1)[:, ::16] / 255

    a, b, made = (discs.draw(30, seed)[0] for seed in (1, 2, 3))
    data = discs.dataset(2)
    material = Material(data, data, lambda points: points, a, b, torch.zeros(0), made)
    found = figures.inception(material, Wide(), 0)["fid"]  # type: ignore[arg-type]
    wide = Wide()
    plain = [frechet(wide.read(a), wide.read(x), shrink=False) for x in (made, b)]
    assert [found.value, found.floor] == plain
    assert plain[0] != pytest.approx(frechet(wide.read(a), wide.read(made)), rel=0.01)


def test_held_out_pictures_are_taken_from_all_folders() -> None:
    """They come by name, so by class: the distance must not see the first classes alone."""
    seen: list[Tensor] = []

    class Watching:
        def features(self, images: Tensor) -> Tensor:
            seen.append(images)
            return images.float().mean((2, 3)) + torch.arange(3)

    training, held_out = discs.dataset(120, seed=1), discs.dataset(300, seed=2)
    a, b, made = training.images[:60], training.images[60:], discs.draw(60, 3)[0]
    material = Material(training, held_out, lambda points: points, a, b, torch.zeros(0), made)
    figures.own_distances(material, Watching(), 0)  # type: ignore[arg-type]
    chosen = next(images for images in seen if images is not a and len(images) == 60
                  and not any(torch.equal(images, x) for x in (b, made)))  # fmt: skip
    where = [int((held_out.images == image).all((1, 2, 3)).nonzero()[0]) for image in chosen]
    assert len(set(where)) == 60
    assert max(where) > 200


# The whole


def test_the_report_and_its_files(tmp_path: Path) -> None:
    piece = make_piece(tmp_path / "p", latent=LATENT)
    data = discs.write(tmp_path / "discs", 120)
    kwargs = {"cache": tmp_path / "cache", "effort": LITTLE, "samples": 40}
    report = evaluate(piece, data, out=tmp_path / "out", **kwargs)
    again = evaluate(piece, data, **kwargs)
    assert again == report
    assert report != evaluate(piece, data, seed=1, **kwargs)
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == report
    assert (tmp_path / "out" / "evaluation.txt").read_text().strip() == to_text(report).strip()
    assert sorted(p.name for p in (tmp_path / "out").iterdir())[-1] == "real-above-generated.png"
    figures = report["figures"]
    assert {"fd_own", "kd_own", "precision", "recall", "swd_32", "label_hue"} <= set(figures)
    assert figures["fd_own"]["value"] > 5 * figures["fd_own"]["floor"]  # it is untrained
    assert report["samples"] == 40
    assert "never" not in to_text(report)
    assert "FID" in to_text(report).splitlines()[2]


def test_codes_are_read_by_the_shared_q_where_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = discs.write(tmp_path / "discs", 60)
    turn = "{name='turn', kind='continuous'}"
    kind = "{name='kind', kind='categorical', size=3}"
    settings = [*TINY, f"codes=[{turn}, {kind}]"]
    piece = train(data, out=tmp_path / "p", budget="0.03kimg", overrides=settings)
    kwargs = {"cache": tmp_path / "cache", "effort": LITTLE, "samples": 24}
    report = evaluate(piece, data, **kwargs)
    assert {"code_turn_q", "code_turn_probe", "code_kind_q"} <= set(report["figures"])
    assert report["figures"]["code_kind_probe"]["floor"] < 0.8
    assert report["notes"] == []
    monkeypatch.chdir(piece)
    assert evaluate(".", data, **kwargs) == report
    piece = piece.rename(tmp_path / "alone")
    report = evaluate(piece, data, **kwargs)
    assert "code_turn_q" not in report["figures"]
    assert "a piece has no Q" in to_text(report)


def test_q_of_another_training_is_not_taken(tmp_path: Path) -> None:
    data = discs.write(tmp_path / "discs", 24)
    train(data, out=tmp_path / "p", budget="0.01kimg", overrides=TINY)
    kept = tmp_path / "p.training"
    assert "other labels or codes" in str(codes.saved_discriminator(kept, CODED, 16))
    assert codes.saved_discriminator(tmp_path / "none", CODED, 16) == "there is no none beside it"
    assert isinstance(codes.saved_discriminator(kept, LATENT, 16), Discriminator)
    # As after Ctrl-C in the middle of a fade: the piece is of the smaller size.
    assert "for 16 pixels, not for 8" in str(codes.saved_discriminator(kept, LATENT, 8))


def test_labels_are_laid_out_as_the_piece_has_them() -> None:
    data = discs.dataset(30)
    wider = Latent(4, (Label("hue", ("black", "red", "green", "blue")),))
    found = conditions_for(wider, data)
    assert torch.equal(found[:, 1:], data.conditions.flip(1))
    assert found[:, 0].sum() == 0
    assert conditions_for(Latent(4), data).shape == (30, 0)  # labels the piece is not steered by


@pytest.mark.parametrize(
    ("latent", "says"),
    [
        (Latent(4, (discs.HUE, Label("size", ("a", "b")))), "the piece has the label 'size'"),
        (Latent(4, (Label("hue", ("red", "green")),)), "does not know hue = 'blue'"),
    ],
)
def test_a_dataset_that_does_not_fit_is_told(latent: Latent, says: str) -> None:
    with pytest.raises(EvaluationError, match=says) as caught:
        conditions_for(latent, discs.dataset(30))
    assert "\n" not in str(caught.value)


def test_refusals_before_any_work(tmp_path: Path) -> None:
    piece = make_piece(tmp_path / "p", latent=LATENT)
    data = discs.write(tmp_path / "few", 30)
    with pytest.raises(EvaluationError, match="to measure by"):
        evaluate(piece, data, effort=LITTLE)
    with pytest.raises(WeightsError, match="downloads nothing"):
        evaluate(piece, data, vgg=tmp_path / "vgg16-397923af.pth", effort=LITTLE)
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="--out"):
        evaluate(piece, data, out=tmp_path / "file", effort=LITTLE)
    with pytest.raises(EvaluationError, match="--samples 5: 6 are the least"):
        evaluate(piece, data, samples=5, effort=LITTLE)
    before = sorted(data.rglob("*"))
    for inside in (data, data / "report"):
        with pytest.raises(UsageError, match="inside the dataset"):
            evaluate(piece, data, out=inside, effort=LITTLE)
    assert sorted(data.rglob("*")) == before


def test_so_few_samples_as_are_allowed_are_enough(tmp_path: Path) -> None:
    piece = make_piece(tmp_path / "p", latent=LATENT)
    data = discs.write(tmp_path / "discs", 60)
    assert evaluate(piece, data, cache=tmp_path / "c", effort=LITTLE, samples=6)["samples"] == 6


def test_a_figure_that_is_no_number_is_null() -> None:
    figure = Figure("x", float("nan"), None, "", "lower", "")
    assert plain({"x": figure})["x"]["value"] is None


def test_a_recogniser_leaves_the_random_numbers_alone() -> None:
    data = discs.dataset(20)
    before = torch.get_rng_state()
    made = [
        train_recogniser(data.images, data.conditions, data.labels, steps=2, flip=True)
        for _ in range(2)
    ]
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(made[0].read(data.images), made[1].read(data.images))


def test_a_batch_without_a_known_label_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recogniser, "_BATCH", 4)  # of 100, of which 4 are labelled
    images = torch.randint(0, 256, (100, 3, 64, 64), dtype=torch.uint8)
    truth = torch.zeros(100, 2)
    truth[torch.arange(4), torch.arange(4) % 2] = 1
    label = Label("wood", ("dark", "red"))
    network = train_recogniser(images, truth, (label,), steps=5, flip=True)
    assert network.read(images).isfinite().all()


def test_a_recogniser_sees_what_only_large_pictures_show() -> None:
    """Fine stripes upright or lying: at 64 pixels both are the same grey."""
    upright = (torch.arange(128) % 2 * 255).to(torch.uint8).expand(3, 128, 128)
    images = torch.stack([upright if k % 2 else upright.mT for k in range(32)])
    truth = torch.eye(2)[torch.arange(32) % 2]
    label = Label("stripes", ("lying", "upright"))
    network = train_recogniser(images, truth, (label,), steps=20, flip=True)
    assert score(network.read(images), truth, (label,))["stripes"].value == 1
