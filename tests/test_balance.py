"""How often each image is shown."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from models.latent import Label
from training.balance import BalanceError, weights
from training.batches import Batches
from training.dataset import Dataset

HAIR = Label("hair", ("black", "blonde", "red"))
SEX = Label("sex", ("boy", "girl"))


def conditions() -> torch.Tensor:
    """1,000 images: hair 700, 250 and 50; a tenth boys, unevenly among them; 40 without hair."""
    rng = torch.Generator().manual_seed(0)
    hair = torch.tensor([0] * 700 + [1] * 250 + [2] * 50)
    sex = (torch.rand(1000, generator=rng) > torch.tensor([0.05, 0.2, 0.3])[hair]).long()
    rows = torch.cat([F.one_hot(hair, 3), F.one_hot(sex, 2)], 1).float()
    rows[:40, :3] = 0
    return rows


def shares(found: torch.Tensor, rows: torch.Tensor, part: slice) -> torch.Tensor:
    count = (rows[:, part].double() * found[:, None]).sum(0)
    return count / count.sum()


def test_nothing_to_balance() -> None:
    assert weights(conditions(), (HAIR, SEX)) is None
    assert weights(torch.zeros(5, 0), (), 0.5) is None


def test_root_of_the_frequency_for_every_label_at_once() -> None:
    rows = conditions()
    found = weights(rows, (HAIR, SEX), 0.5)
    assert found is not None
    assert found.mean() == pytest.approx(1)
    for part in (slice(0, 3), slice(3, 5)):
        root = rows[:, part].double().sum(0).sqrt()
        assert torch.allclose(shares(found, rows, part), root / root.sum(), atol=1e-3)


def test_a_target_that_an_artist_writes() -> None:
    rows = conditions()
    found = weights(rows, (HAIR, SEX), 1.0, {"sex": {"boy": 1, "girl": 1}, "hair": {"red": 2}})
    assert found is not None
    assert torch.allclose(
        shares(found, rows, slice(3, 5)), torch.tensor([0.5, 0.5]).double(), atol=1e-3
    )
    own = rows[:, :3].double().sum(0)  # red alone is named: it keeps what it had
    assert torch.allclose(shares(found, rows, slice(0, 3)), own / own.sum(), atol=1e-3)
    none = weights(rows, (HAIR, SEX), 1.0, {"hair": {"black": 0, "red": 1}})
    assert none is not None
    assert shares(none, rows, slice(0, 3))[0] == 0


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ({"eyes": {"red": 1}}, "no label 'eyes'; there is hair, sex"),
        ({"hair": {"green": 1}}, r"target.hair: there is no 'green'; there is black, blonde, red"),
        ({"hair": {"red": -1}}, r"target.hair.red = -1: 0 or more"),
        ({"hair": {"red": float("nan")}}, "0 or more"),
        ({"hair": {"red": 0}}, "at least one share"),
    ],
)
def test_wrong_targets(target: dict[str, dict[str, float]], says: str) -> None:
    with pytest.raises(BalanceError, match=says):
        weights(conditions(), (HAIR, SEX), 1.0, target)


@pytest.mark.parametrize("rare", [1, 10, 30, 60])
@pytest.mark.parametrize("target", [{}, {"sex": {"boy": 1, "girl": 9}}])
def test_no_image_is_shown_more_than_20_times_as_often_as_the_mean(
    rare: int, target: dict[str, dict[str, float]]
) -> None:
    rows = F.one_hot(torch.tensor([0] * (1000 - rare) + [1] * rare), 2).float()
    found = weights(rows, (SEX,), 0.0, target)
    assert found is not None
    assert found.mean() == pytest.approx(1)
    assert found.min() > 0
    reached = rare == 60 or (rare == 30 and not target)
    share = 0.9 if target else 0.5
    most = share * 1000 / rare if reached else 20
    assert found.max() == pytest.approx(most, rel=1e-3)


def test_where_few_images_are_left_they_are_alike() -> None:
    rows = F.one_hot(torch.tensor([0] * 990 + [1] * 10), 2).float()
    found = weights(rows, (SEX,), 1.0, {"sex": {"girl": 1, "boy": 0}})
    assert found is not None
    assert found.tolist() == [0.0] * 990 + [100.0] * 10


def test_an_epoch_shows_images_by_their_weight() -> None:
    images = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1).expand(10, 3, 2, 2)
    data = Dataset("numbers", images, (), torch.zeros(10, 0), ("",) * 10, (), [])
    shares = torch.tensor([0.0, 2.5, 0.5, 1, 1, 1, 1, 1, 1, 1])
    batches = Batches(data, batch=10, seed=3, weights=shares)
    seen = torch.stack([batches.at(k)[0][:, 0, 0, 0] for k in range(0, 400, 10)])  # 40 epochs
    counts = torch.bincount(seen.flatten().long(), minlength=10)
    assert counts[0] == 0
    assert (counts[3:] == 40).all()
    assert 80 <= counts[1] <= 120
    assert counts[1] + counts[2] == 120
    per_epoch = (seen == 1).sum(1)
    assert set(per_epoch.tolist()) <= {2, 3}
    again = Batches(data, batch=10, seed=3, weights=shares)
    assert torch.equal(again.at(50)[0], batches.at(50)[0])


def test_an_epoch_is_shuffled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not for every batch: of 400,000 images that took longer than a step."""
    shuffled, randperm = [], torch.randperm

    def noted(count: int, **settings: torch.Generator) -> torch.Tensor:
        shuffled.append(count)
        return randperm(count, **settings)

    monkeypatch.setattr(torch, "randperm", noted)
    data = Dataset("ten", torch.zeros(10, 3, 2, 2), (), torch.zeros(10, 0), ("",) * 10, (), [])
    batches = Batches(data, batch=4, seed=3)
    for shown in range(0, 40, 4):
        batches.at(shown)
    assert shuffled == [10] * 4  # epochs
