"""A cross of two pieces: whose layers are whose, and what its card says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models import piece
from models.card import PieceError, read_card, verify
from models.generator import Generator
from models.latent import Latent
from tests.pieces import LATENT, make_kin, make_piece
from training import UsageError, lineage, progress
from training.cross import cross, joined, settle
from training.metrics.origin import fit_of, recipe_of


@pytest.fixture
def kin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.chdir(tmp_path)
    return make_kin(tmp_path / "pieces")


def drawn(folder: Path, points: np.ndarray) -> torch.Tensor:
    return piece.load(folder).generator(torch.from_numpy(points))


def points(latent: Latent = LATENT) -> np.ndarray:
    return latent.sample(np.random.default_rng(5), 8)


def test_the_first_layers_are_one_s_and_the_last_the_other_s(kin: tuple[Path, Path]) -> None:
    (_, one), (_, other), (_, made) = (
        piece.load_unfolded(folder) for folder in (*kin, cross("faces", "carved", at=8))
    )
    for key, tensor in made.state_dict().items():
        early = key.startswith(("seed", "norm", "stages.0"))
        mine, theirs = one.state_dict()[key], (one if early else other).state_dict()[key]
        if "tracked" in key or ("running" in key and not early):  # taken anew
            continue
        assert torch.equal(tensor, theirs)
        assert early or "weight" not in key or not torch.equal(tensor, mine)


def test_a_cross_with_itself_draws_the_same(kin: tuple[Path, Path]) -> None:
    for at in (4, 8, 16):
        made = cross("faces", "faces", name=f"again{at}", at=at)
        pictures, same = drawn(made, points()), drawn(kin[0], points())
        assert (pictures - same).abs().mean() < 0.03 * same.std()


def test_the_last_layers_are_given_maps_as_they_know_them(kin: tuple[Path, Path]) -> None:
    """Before their ReLU each has a mean of 0 and a deviation of 1, scaled and moved."""
    (card, one), (_, other) = (piece.load_unfolded(folder) for folder in kin)
    made = joined(one, other, 2)
    settle(made, 2, card.latent)
    seen = []
    made.stages[1].norm.register_forward_hook(lambda norm, _, out: seen.append((norm, out)))
    made(torch.from_numpy(card.latent.sample(np.random.default_rng(7), 1024)))
    ((norm, out),) = seen
    plain = (out - norm.bias[:, None, None]) / norm.weight[:, None, None]
    assert plain.mean((0, 2, 3)) == pytest.approx(torch.zeros(len(norm.bias)), abs=0.1)
    assert plain.std((0, 2, 3)) == pytest.approx(torch.ones(len(norm.bias)), abs=0.1)


def test_its_card_says_whose_it_is(kin: tuple[Path, Path]) -> None:
    made = cross("faces", "carved", at=16)
    assert made == Path("pieces/faces-carved")
    card, faces = verify(made), read_card(kin[0])
    assert (card.name, card.latent, card.directions) == (
        "faces-carved", faces.latent, faces.directions,
    )  # fmt: skip
    assert card.licence == "CC0-1.0 and CC-BY-4.0"
    assert card.author == "A. Artist"
    assert card.provenance == [{"source": "drawn"}, {"source": "a museum"}]
    told = {"shape": "faces", "surface": "carved", "at": 16, "datasets": {}}
    assert card.training["cross"] == told
    assert card.training["upscaler"] == {"kimg": 3}
    assert piece.load(made).upscaler is not None
    assert {path.name for path in made.glob("*.png")} == {
        "preview.png", "code_1.png", "directions.png",
    }  # fmt: skip


def test_two_sizes_are_crossed_where_both_have_layers(kin: tuple[Path, Path]) -> None:
    small = make_piece(kin[0].with_name("small"), 16)
    made = cross(str(small), "carved", at=8)
    assert read_card(made).resolution == 32
    assert drawn(made, points()).shape == (8, 3, 32, 32)
    with pytest.raises(UsageError, match="--at 16: one of 4, 8 pixels"):
        cross("small", "carved", name="other", at=16)


def test_a_guide_is_followed_where_its_two_layers_are_the_first_piece_s(tmp_path: Path) -> None:
    guided = make_piece(tmp_path / "guided", guided=True)
    plain = make_piece(tmp_path / "plain")
    assert read_card(cross(str(guided), str(plain), out=str(tmp_path / "a"), at=8)).guided
    assert not read_card(cross(str(guided), str(plain), out=str(tmp_path / "b"), at=4)).guided
    assert not read_card(cross(str(plain), str(guided), out=str(tmp_path / "c"), at=8)).guided


def test_what_does_not_fit_is_said(
    kin: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="--at 24: one of 4, 8, 16 pixels"):
        cross("faces", "carved", at=24)
    wide = Generator(LATENT.width, 32, (16, 14, 8))
    card = replace(read_card(kin[0]), name="wide", generator=wide.arguments())
    piece.save(tmp_path / "pieces" / "wide", card, wide)
    with pytest.raises(
        UsageError, match=r"at 8 pixels the two have 12 and 14 maps.*--at 4, 16 can"
    ):
        cross("faces", "wide", at=8)
    capsys.readouterr()
    cross("faces", "wide", at=16)
    assert "faces and wide are not kin" in capsys.readouterr().err
    old = Generator(LATENT.width, 32, (16, 12, 8), "transposed")
    card = replace(card, name="old", generator=old.arguments())
    piece.save(tmp_path / "pieces" / "old", card, old)
    with pytest.raises(UsageError, match="of different kinds"):
        cross("faces", "old")
    before = (kin[0] / "card.json").read_bytes()
    with pytest.raises(PieceError, match=r"there is a piece at .*faces already"):
        cross("faces", "carved", name="faces")
    assert (kin[0] / "card.json").read_bytes() == before
    with pytest.raises(UsageError, match="letters, digits"):
        cross("faces", "carved", name="../faces")


def test_a_full_disk_is_one_line_and_leaves_nothing(
    kin: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(piece, "write_synced", full)
    before = sorted(kin[0].parent.iterdir())
    with pytest.raises(UsageError, match=r"both cannot be written: No space left on device"):
        cross("faces", "carved", name="both")
    assert sorted(kin[0].parent.iterdir()) == before


def test_a_place_that_cannot_be_written_is_said_before_it_settles(
    kin: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[object] = []
    monkeypatch.setattr("training.cross.settle", lambda *given: settled.append(given))
    Path("file").write_text("in the way")
    for out in ("file/both", "file/more/both"):
        with pytest.raises(UsageError, match=f"{out} cannot be written: Not a directory"):
            cross("faces", "carved", out=out)
    assert settled == []


def test_it_is_measured_as_what_gave_it_its_shapes(kin: tuple[Path, Path]) -> None:
    """Cut to a square or not, and mirrored or not, is what shapes are like."""
    card, generator = piece.load_unfolded(kin[0])
    recipe = {"fit": "crop", "mirror": False, "codes": [{"name": "shape"}], "discriminator": "4:9"}
    piece.save(kin[0], replace(card, training={"recipe": recipe}), generator)
    made = read_card(cross("faces", "carved"))
    again = read_card(cross("faces-carved", "carved", name="again"))
    for one in (made, again):
        assert fit_of(one) == "crop"
        assert recipe_of(one)["mirror"] is False
        assert list(lineage.once_called(one)) == ["shape"]
        assert "discriminator" not in recipe_of(one)  # it has none
    assert fit_of(read_card(cross("carved", "faces", name="other"))) == "pad"


def test_it_tells_how_far_it_has_come(
    kin: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_SOON", 0.0)
    cross("faces", "carved")
    assert "settling: 64 of 2048 points, about" in capsys.readouterr().err


def test_what_either_was_trained_on_is_not_held_out_of_what_begins_from_it(
    kin: tuple[Path, Path],
) -> None:
    drawn = {"dataset": "drawn", "hold_out": 0.1, "datasets": {"drawn": 0.1, "older": 0.2}}
    for folder, told in zip(kin, (drawn, {"dataset": "museum"}), strict=True):
        card, generator = piece.load_unfolded(folder)
        piece.save(folder, replace(card, training=told, upscaler=None), generator)
    card = read_card(cross("faces", "carved"))
    again = read_card(cross("faces-carved", "carved", name="again"))
    for one in (card, again):
        names = ("drawn", "older", "museum", "others")
        assert [lineage.held_out_of(one, name) for name in names] == [0.1, 0.2, 0.0, 1.0]
