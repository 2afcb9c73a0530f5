"""A piece that goes to its kin while it plays: what is between, who can, and what is said."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from installation import house
from installation.engine.painter import Painter
from installation.programme import Options, Programme
from models import piece
from models.card import GENERATOR, PieceError
from models.latent import Latent
from models.toward import Toward
from tests.pieces import LATENT, make_kin, make_piece
from tests.shows import opened, run


@pytest.fixture
def kin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.chdir(tmp_path)
    return make_kin(tmp_path / "pieces")


def points(latent: Latent = LATENT) -> np.ndarray:
    return latent.sample(np.random.default_rng(5), 4)


def drawn(painter: Painter, share: float) -> np.ndarray:
    painter.toward = share
    return np.asarray(painter.paint(points())).astype(int)


def test_a_piece_goes_to_its_kin_and_comes_back_to_the_bit(kin: tuple[Path, Path]) -> None:
    plain, painter = Painter(kin[0]), Painter(kin[0], kin=kin[1])
    start = drawn(painter, 0)
    np.testing.assert_array_equal(start, drawn(plain, 0))
    steps = [drawn(painter, share) for share in (0.25, 0.5, 1.0)]
    away = [np.abs(step - start).mean() for step in steps]
    assert 1 < away[0] < away[1] < away[2]
    np.testing.assert_array_equal(drawn(painter, 0.25), steps[0])  # from wherever it comes
    np.testing.assert_array_equal(drawn(painter, 0), start)


def test_at_its_end_it_draws_as_the_other_from_the_second_layer_on(kin: tuple[Path, Path]) -> None:
    """The two read points of other labels: the first layer is the first piece's."""
    painter = Painter(kin[0], kin=kin[1])
    painter.toward = 1.0
    painter.paint(points())
    one, other = (piece.load(folder).generator for folder in kin)
    for layer, weight in enumerate(painter.generator.weights):
        whose = one if layer == 0 else other
        torch.testing.assert_close(weight, whose.weights[layer], rtol=0, atol=0)
        torch.testing.assert_close(painter.generator.biases[layer], whose.biases[layer])


def test_where_both_have_the_same_labels_the_first_layer_goes_along(tmp_path: Path) -> None:
    first = make_piece(tmp_path / "one")
    card, generator = piece.load_unfolded(first)
    generator.seed.weight.mul_(1.5)
    second = piece.save(tmp_path / "two", replace(card, name="two"), generator)
    painter = Painter(first, kin=second)
    painter.toward = 1.0
    got = painter.paint(points())
    np.testing.assert_array_equal(got, Painter(second).paint(points()))


def test_guides_and_bends_are_those_of_the_piece(tmp_path: Path) -> None:
    """Only layers go: a kin that follows no guide takes none away."""
    first = make_piece(tmp_path / "one", guided=True)
    second = make_piece(tmp_path / "two")
    painter = Painter(first, kin=second)
    painter.toward = 0.5
    longer = np.concatenate([points(), np.ones((4, 256 + 5), np.float32)], 1)
    assert (
        np.abs(painter.paint(longer)[..., :3].astype(int) - drawn(painter, 0.5)[..., :3]).max() > 0
    )


def test_strangers_are_said(kin: tuple[Path, Path], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Painter(kin[0], kin=kin[1])
    assert caplog.text == ""
    torch.manual_seed(7)
    card, generator = piece.load_unfolded(kin[0])
    for weight in generator.parameters():
        torch.nn.init.normal_(weight, 0, 0.5)
    stranger = piece.save(Path("stranger"), replace(card, name="stranger"), generator)
    one, other = (piece.load(folder).generator for folder in (kin[0], stranger))
    assert abs(Toward(one, other, alike=True).kinship) < 0.15
    with caplog.at_level(logging.WARNING):
        Painter(kin[0], kin=stranger)
    assert "faces and stranger are not kin" in caplog.text


def test_a_kin_that_breaks_before_the_show_begins_leaves_the_piece(
    kin: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    (kin[1] / GENERATOR).write_bytes(b"no weights")
    with caplog.at_level(logging.ERROR):
        painter = Painter(kin[0], kin=kin[1])
    assert "faces goes nowhere: " in caplog.text
    np.testing.assert_array_equal(drawn(painter, 1), drawn(Painter(kin[0]), 0))


def test_the_fader_is_there_where_a_piece_can_go(kin: tuple[Path, Path]) -> None:
    assert "/piece/toward" not in house.addresses(Programme.of(Options(piece="faces")))
    program = Programme.of(Options(piece="faces", toward="carved"))
    assert program.toward == {program.pieces["faces"]: Path("pieces/carved")}
    assert "/piece/toward" in house.addresses(program)
    Path("here.toml").write_text('[play]\npiece = "faces"\ntoward = "carved"\n')
    assert Programme.of(Options(venue="here.toml")).toward == program.toward


def test_a_show_goes_there_by_the_fader(kin: tuple[Path, Path]) -> None:
    options = Options(piece="faces", toward="carved", scene="drift", size=(96, 64), offscreen=True)
    with opened(options) as show:
        start = run(show, 3)
        show.bus.post("/piece/toward", 1)
        show.bus.post("/drift/speed", 0)
        run(show, 120)
        painter = show.show.player.stream.painter
        assert isinstance(painter, Painter)
        assert painter.toward > 0.9
        assert np.abs(run(show, 1) - start).mean() > 2


def test_who_cannot_go_is_said(kin: tuple[Path, Path], tmp_path: Path) -> None:
    make_piece(tmp_path / "pieces" / "large", resolution=64)
    said = "faces cannot go toward large: their layers are others"
    with pytest.raises(PieceError, match=said):
        Programme.of(Options(piece="faces", toward="large"))
    with pytest.raises(PieceError, match="faces cannot go toward faces"):
        Programme.of(Options(piece="faces", toward="faces"))
    with pytest.raises(PieceError, match="faces cannot go toward faces"):
        Programme.of(Options(piece=str(tmp_path / "pieces" / "faces"), toward="faces"))
    with pytest.raises(PieceError, match="no piece 'nobody'"):
        Programme.of(Options(piece="faces", toward="nobody"))
    program = Programme.of(Options(piece="faces", toward="large", supervised=True))
    assert program.toward == {}
    assert said in program.broken[0]
