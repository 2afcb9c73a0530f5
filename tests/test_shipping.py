"""Pieces that ship: every commission is sound, and one is carried out, small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models import piece
from training import UsageError
from training.evaluate import Effort
from training.export import export
from training.recipe import load_recipe
from training.shipping import ship as shipping
from training.shipping.__main__ import main
from training.shipping.commission import commissions, read_commission
from training.shipping.ship import Terms, ship
from training.train import train

TERMS = Terms(
    budget="0.032kimg",
    upscaler="0.064kimg",
    resolution=16,
    guide="0.016kimg",
    count=60,
    large=4,
    overrides=["growth=", "generator=4:8 8:8", "batch=8", "z=8", "precision=float32"],
    guide_overrides=["batch=8", "precision=float32"],
    upscaler_overrides=["batch=2", "crop=8", "tier=T"],
    measuring=Effort(encoder=2, labels=2, codes=2, code_pictures=32),
)


@pytest.mark.parametrize("name", commissions())
@pytest.mark.parametrize("resolution", [128, 256])
def test_a_commission_can_be_carried_out(name: str, resolution: int) -> None:
    commission = read_commission(name)
    commission.artist.check(commission.count, resolution, commission.seed, commission.pinned)
    recipe = load_recipe(commission.recipe, commission.set, resolution=resolution)
    assert recipe.sizes[-1].resolution == resolution
    assert set(recipe.labels) <= set(commission.artist.labels) - set(commission.pinned)
    assert not {code.name for code in recipe.codes} & set(commission.artist.labels)
    assert recipe.codes


def test_a_piece_is_made_measured_and_put_on_the_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commission = read_commission("masks")
    with monkeypatch.context() as smaller:
        smaller.setattr(shipping, "MOST_BYTES", 1000)
        with pytest.raises(UsageError, match="at most 0 MB"):
            ship("masks", commission, TERMS, tmp_path / "work", tmp_path / "shelf")
    assert not (tmp_path / "shelf").exists()  # too large to travel
    made = ship("masks", commission, TERMS, tmp_path / "work", tmp_path / "shelf")
    assert made == tmp_path / "shelf" / "masks"
    whole = piece.load(made)
    assert whole.card.title == commission.title
    assert whole.card.training["kimg"] == 0.032
    figures = whole.card.training["figures"]
    assert figures["fd_own"]["floor"] >= 0
    assert "label_material" in figures
    assert "guide" in figures
    assert whole.card.guided
    assert whole.card.training["guide"]["kimg"] == 0.016
    assert "guided.png" in whole.card.files
    assert whole.upscaler is not None
    assert {"upscaler.safetensors", "directions.png", "code_1.png"} <= set(whole.card.files)
    assert len(whole.card.provenance) == 2  # drawn at 16 pixels, and at 64 for the upscaler
    # In half precision it is as good as the one that was trained, and half as large.
    whole_size = (tmp_path / "work" / "masks-guided" / "generator.safetensors").stat().st_size
    assert (made / "generator.safetensors").stat().st_size < 0.75 * whole_size
    trained = piece.load(tmp_path / "work" / "masks-guided").generator
    points = torch.randn(4, whole.card.latent.width, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (whole.generator(points) - trained(points)).abs().max() < 5e-3

    longer = replace(TERMS, budget="0.048kimg")
    plain = commission.model_copy(update={"guided": False})
    assert not piece.load(
        ship("masks", plain, TERMS, tmp_path / "work", tmp_path / "b")
    ).card.guided
    ship("masks", commission, longer, tmp_path / "work", tmp_path / "shelf")
    again = piece.load(made)
    assert again.card.training["kimg"] == 0.048  # gone on with
    assert again.upscaler is not None
    assert again.card.guided


def test_what_began_from_an_earlier_state_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before there was a piece of it, too: its pictures are those of then."""
    commission, work = read_commission("masks"), tmp_path / "work"

    def cut(folder: Path, *given: object) -> None:
        if folder.name == "masks-guided":
            raise KeyboardInterrupt
        export(folder, *given)

    with monkeypatch.context() as later:
        later.setattr("training.run.export", cut)
        with pytest.raises(KeyboardInterrupt):
            ship("masks", commission, TERMS, work, tmp_path / "shelf")
    assert not (work / "masks-guided").exists()
    assert (work / "masks-guided.training").exists()
    ship("masks", commission, replace(TERMS, budget="0.048kimg"), work, tmp_path / "shelf")
    one, two = (piece.load_unfolded(work / name)[1].state_dict() for name in
                ("masks", "masks-guided"))  # fmt: skip
    assert [key for key in one if not torch.equal(one[key], two[key])] == []


def test_a_training_that_was_stopped_is_not_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(*arguments: object, budget: str, **settings: object) -> None:
        train(*arguments, budget="0.016kimg", **settings)

    monkeypatch.setattr(shipping, "train", half)
    with pytest.raises(UsageError, match=r"masks was stopped at 0\.016 kimg; the same"):
        ship("masks", read_commission("masks"), TERMS, tmp_path / "work", tmp_path / "shelf")
    assert not (tmp_path / "shelf").exists()


def test_a_wrong_budget_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["masks", "--work", str(tmp_path / "w"), "--shelf", str(tmp_path), "--budget", "soon"]
    assert main(asked) == 2
    assert capsys.readouterr().err.startswith("shipping: ")
    assert not (tmp_path / "w").exists()  # nothing was drawn for nothing
