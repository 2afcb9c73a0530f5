"""What is measured of pictures: the split, the encoder, and the distances in its features."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests import discs
from training.metrics import contrast, distances, encoder
from training.metrics.contrast import encoder_for, train_encoder
from training.metrics.damage import KINDS, damage
from training.metrics.encoder import EncoderError
from training.split import held_out, split


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(count: int, width: int = 8, seed: int = 0) -> Tensor:
    return torch.randn(count, width, generator=rng(seed))


# The split


def test_a_file_keeps_its_side_when_others_come_and_go() -> None:
    files = [f"{i}.png" for i in range(1000)]
    held = dict(zip(files, held_out(files).tolist(), strict=True))
    fewer = files[::3]
    assert held_out(fewer).tolist() == [held[file] for file in fewer]
    assert 60 < sum(held.values()) < 140
    assert held_out(files, seed=1).tolist() != list(held.values())


def test_split_keeps_images_with_their_labels() -> None:
    data = discs.dataset(200)
    train, rest = split(data, share=0.3)
    assert sorted(train.files + rest.files) == sorted(data.files)
    where = data.files.index(rest.files[4])
    assert torch.equal(rest.images[4], data.images[where])
    assert torch.equal(rest.conditions[4], data.conditions[where])


def test_nothing_is_held_out_of_very_few() -> None:
    train, rest = split(discs.dataset(19))
    assert (len(train), len(rest)) == (19, 0)


def test_a_copy_on_another_system_keeps_its_sides() -> None:
    files = [f"Käthe {i}.png" for i in range(300)]
    composed = [unicodedata.normalize("NFC", file) for file in files]
    decomposed = [unicodedata.normalize("NFD", file) for file in files]
    assert composed != decomposed
    assert torch.equal(held_out(composed), held_out(decomposed))


def test_a_value_is_never_held_out_with_all_its_images() -> None:
    data = discs.dataset(200)
    rare = held_out(data.files).nonzero().flatten()[:3]
    hue = data.conditions.argmax(1).clamp(min=1)
    hue[rare] = 0
    data = replace(data, conditions=F.one_hot(hue, 3).float())
    train, held = split(data)
    assert train.conditions.sum(0).min() == 1  # blue, and no more than it needs
    assert len(held) == held_out(data.files).sum() - 1
    turned = replace(data, conditions=data.conditions.flip(1))  # as a piece may lay them out
    assert split(turned)[1].files == held.files
    unlabelled = replace(data, conditions=torch.zeros(len(data), 0))
    assert len(split(unlabelled)[1]) == len(held) + 1


# Distances


def test_frechet_of_two_known_gaussians() -> None:
    a = normal(40_000, 3)
    b = normal(40_000, 3, seed=1) * torch.tensor([1.0, 2.0, 1.0]) + torch.tensor([3.0, 0, 0])
    assert distances.frechet(a, b) == pytest.approx(9 + (2 - 1) ** 2, rel=0.02)
    assert distances.frechet(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_with_few_rows_is_shrunk_and_stays_finite() -> None:
    few = distances.frechet(normal(20, 64), normal(20, 64, seed=1))
    far = distances.frechet(normal(20, 64), normal(20, 64, seed=1) + 1)
    assert 0 < few < far
    assert far - few == pytest.approx(64, rel=0.3)  # the means are one apart in each of 64
    # Shrinking knows that these covariances are the identity: what is left is the means' scatter.
    assert few < 2 * 64 / 20 * 1.6


def test_the_published_distance_has_plain_covariances() -> None:
    a, b = normal(40, 64), normal(40, 64, seed=1) * 0.5
    cov_a, cov_b = a.double().T.cov(), b.double().T.cov()
    cross = torch.linalg.eigvals(cov_a @ cov_b).real.clamp(min=0).sqrt().sum()
    published = (a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross
    assert distances.frechet(a, b, shrink=False) == pytest.approx(float(published), rel=1e-3)
    assert distances.frechet(a, b) < 0.8 * float(published)


def test_kernel_distance_is_around_zero_for_one_distribution() -> None:
    found = [
        distances.kernel(normal(300, seed=i), normal(300, seed=100 + i), rng()) for i in range(20)
    ]
    assert min(found) < 0 < max(found)
    assert abs(sum(found) / 20) < 0.02
    assert distances.kernel(normal(300), normal(300, seed=1) + 1, rng()) > 1


def test_precision_and_recall() -> None:
    a, b = normal(200), normal(200, seed=1)
    apart = distances.neighbourhoods(a, b + 100)
    assert apart == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}
    same = distances.neighbourhoods(a, b)
    assert min(same["precision"], same["recall"], same["coverage"]) > 0.8
    narrow = distances.neighbourhoods(a, b * 0.1)  # all good, little of the variety
    assert narrow["precision"] > 0.95
    assert narrow["recall"] < 0.05
    with pytest.raises(ValueError, match="neighbours"):
        distances.neighbourhoods(a, b[:5])


# The encoder


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder is trained in a moment."""
    monkeypatch.setattr(contrast, "_BATCH", 32)


@cache
def small_encoder() -> encoder.Encoder:
    return train_encoder(discs.draw(160)[0], steps=16)


def test_views_of_one_image_must_find_each_other() -> None:
    right = torch.eye(4).repeat(2, 1) * 10
    wrong = torch.cat([torch.eye(4), torch.eye(4).roll(1, 0)])
    assert contrast.contrast(right) < 0.1 < contrast.contrast(wrong)


def test_damage_is_what_it_says() -> None:
    images = encoder.floats(discs.draw(400, side=64)[0])
    found, kind = damage(images, rng())
    assert sorted(set(kind.tolist())) == list(range(KINDS))
    change = (found - images).abs().mean((1, 2, 3))
    assert (change[kind == 0] == 0).all()
    for index in range(1, KINDS):
        assert (change[kind == index] > 0).float().mean() > 0.9
    pasted = ((found - images).abs().sum(1) > 0).float().mean((1, 2))[kind == 3]
    assert pasted.max() < 0.25
    assert found.abs().max() <= 1
    assert torch.equal(damage(images, rng())[0], found)


def test_features_are_standardised_and_take_any_size() -> None:
    images = discs.draw(160)[0]
    found = small_encoder().features(images)
    assert found.shape == (160, encoder.FEATURES)
    assert found.dtype == torch.float32
    assert found.mean(0).abs().max() < 0.05  # images are kept in 256 steps
    assert found.std(0).median() == pytest.approx(1, abs=0.01)
    floats = small_encoder().features(images.float() / 127.5 - 1)
    assert torch.allclose(found, floats, atol=1e-4)
    large = F.interpolate(images.float(), (96, 96), mode="bilinear").to(torch.uint8)
    assert (small_encoder().features(large) - found).abs().mean() < found.std() / 2


def test_the_seed_repeats_the_encoder() -> None:
    images = discs.draw(40)[0]
    made = [train_encoder(images, steps=2, seed=seed).digest() for seed in (0, 0, 1)]
    assert made[0] == made[1] != made[2]
    before = torch.get_rng_state()
    train_encoder(images, steps=1)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("kind", ["blur", "noise", "modes", "others"])
def test_the_distance_grows_with_the_damage(kind: str) -> None:
    first, second = discs.draw(300, seed=1)[0], discs.draw(300, seed=2)[0]
    features = small_encoder().features
    real = features(first)
    found = [distances.frechet(real, features(second))]
    found += [distances.frechet(real, features(worsened(second, kind, step))) for step in (1, 2, 3)]
    assert found == sorted(found), found
    assert found[3] > 2 * found[0]


def worsened(images: Tensor, kind: str, step: int) -> Tensor:
    if kind == "blur":
        side = images.shape[-1]
        small = F.interpolate(images.float(), side >> step, mode="area")
        return F.interpolate(small, side, mode="bilinear").to(torch.uint8)
    if kind == "noise":
        noise = torch.randn(images.shape, generator=rng()) * 10 * 2**step
        return (images + noise).clamp(0, 255).to(torch.uint8)
    if kind == "modes":  # the same few again and again
        return images[torch.arange(len(images)) % (100 >> 2 * step)]
    count = len(images) * step // 10  # some of another kind: the pictures' negatives
    return torch.cat([255 - images[:count], images[count:]])


def test_an_encoder_is_kept_and_found_again(tmp_path: Path) -> None:
    data = discs.dataset(40)
    calls: list[int] = []
    kwargs = {"steps": 2, "progress": lambda done, _: calls.append(done)}
    made = encoder_for(data, tmp_path, **kwargs)
    assert calls == [1, 2]
    again = encoder_for(data, tmp_path, **kwargs)
    assert calls == [1, 2]
    assert again.digest() == made.digest()
    assert torch.equal(again.features(data.images), made.features(data.images))
    encoder_for(discs.dataset(40, seed=3), tmp_path, **kwargs)
    assert len(calls) == 4
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_encoder_is_refused(tmp_path: Path) -> None:
    data = discs.dataset(40)
    encoder_for(data, tmp_path, steps=1)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for broken in (whole[:-100], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        path.write_bytes(broken)
        with pytest.raises(EncoderError, match="not a whole encoder"):
            encoder_for(data, tmp_path, steps=1)


def test_an_encoder_that_cannot_be_kept_is_used_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on a stick that is full, or in pieces of somebody else's."""
    (tmp_path / "pieces").write_text("in the way")
    data, calls = discs.dataset(40), []
    made = encoder_for(
        data, tmp_path / "pieces" / "kept", steps=1, progress=lambda *done: calls.append(done)
    )
    assert made.digest() == train_encoder(data.images, steps=1).digest()
    assert calls == [(1, 1)]  # trained once
    told = capsys.readouterr().err
    assert "cannot be written" in told
    assert told.count("\n") == 1


def test_an_encoder_needs_two_images() -> None:
    with pytest.raises(ValueError, match="two images"):
        train_encoder(discs.draw(1)[0])
    assert math.isfinite(
        float(train_encoder(discs.draw(2)[0], steps=1).features(discs.draw(2)[0]).sum())
    )
