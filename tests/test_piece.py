"""A piece on disk: whole, verified, never over something else; every damage is one line."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models import piece, shelf
from models.card import CARD, GENERATOR, Card, PieceError, sha256
from models.generator import Generator
from models.latent import Code, Label, Latent
from models.upscaler import Upscaler

LATENT = Latent(4, (Label("hair", ("black", "brown")),), (Code("k", "categorical", 3),))


def network() -> Generator:
    torch.manual_seed(0)
    return Generator(LATENT.width, 16, (8, 8)).eval()


def card(**changes: object) -> Card:
    made = Card("tiny", 16, LATENT, network().arguments(), title="Tiny", training={"kimg": 1.5})
    return replace(made, **changes)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return piece.save(
        tmp_path / "pieces" / "tiny", card(), network(), pictures={"preview.png": b"\x89PNG"}
    )


def damaged(folder: Path) -> str:
    with pytest.raises(PieceError) as caught:
        piece.load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def rewrite(folder: Path, **fields: object) -> None:
    """Change the card by hand and keep its hashes right."""
    data = json.loads((folder / CARD).read_text())
    data.update(fields)
    data["files"][GENERATOR]["sha256"] = sha256(folder / GENERATOR)
    (folder / CARD).write_text(json.dumps(data))


def test_round_trip(tiny: Path) -> None:
    loaded = piece.load(tiny)
    latent = torch.randn(5, LATENT.width)
    assert torch.allclose(loaded.generator(latent), network()(latent), atol=1e-6)
    assert not loaded.generator.training
    assert loaded.upscaler is None
    assert loaded.card.latent == LATENT
    assert replace(loaded.card, files={}) == card()
    assert set(loaded.card.files) == {GENERATOR, "preview.png"}
    assert sorted(path.name for path in tiny.parent.iterdir()) == ["tiny"]  # nothing left behind


def test_card_round_trip() -> None:
    assert Card.from_json(card().to_json()) == card()
    steered = card(directions=((0.6, 0.8, 0.0, 0.0), (0.0, 0.0, 0.0, -1.0)))
    assert Card.from_json(steered.to_json()) == steered


@pytest.mark.parametrize("ways", [[[1, 0]], [[float("nan")] * 4], [[9, 0, 0, 0]], 3, [["a"] * 4]])
def test_directions_that_are_none(ways: object) -> None:
    data = json.loads(card().to_json()) | {"directions": ways}
    with pytest.raises(PieceError, match="incomplete or wrong"):
        Card.from_json(json.dumps(data))


def test_truncated_weights(tiny: Path) -> None:
    path = tiny / GENERATOR
    path.write_bytes(path.read_bytes()[:-100])
    assert "damaged" in damaged(tiny)
    rewrite(tiny)  # even with a hash that agrees
    assert "safetensors" in damaged(tiny)


def test_one_flipped_bit(tiny: Path) -> None:
    path = tiny / GENERATOR
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert "SHA-256" in damaged(tiny)


def test_missing_weights_and_missing_hash(tiny: Path) -> None:
    (tiny / GENERATOR).rename(tiny / "elsewhere")
    assert "missing" in damaged(tiny)
    data = json.loads((tiny / CARD).read_text())
    del data["files"][GENERATOR]
    (tiny / CARD).write_text(json.dumps(data))
    assert "no hash" in damaged(tiny)


@pytest.mark.parametrize(
    "arguments",
    [
        {"inputs": 9, "resolution": 16, "channels": [8, 9]},
        {"inputs": 9, "resolution": 16, "channels": [4096, 4096]},
        {"inputs": 10**12, "resolution": 16, "channels": [8, 8]},
        {"inputs": 9, "resolution": 64, "channels": [8, 8]},
        {"inputs": 9, "resolution": 16, "channels": "ab"},
        {"inputs": -1, "resolution": 16, "channels": [8, 8]},
        {"inputs": 9, "resolution": 16, "channels": [8, 8], "command": "rm"},
        {},
    ],
)
def test_a_card_that_describes_another_network(tiny: Path, arguments: dict[str, object]) -> None:
    rewrite(tiny, generator=arguments)
    assert str(tiny) in damaged(tiny)


def test_a_small_file_cannot_fill_the_memory(tiny: Path) -> None:
    """Of 24 KB: the last layer but one draws 64 channels of 2048 pixels."""
    rewrite(tiny, generator={"inputs": 9, "resolution": 4096, "channels": [1] * 9 + [64]})
    assert "64 channels at 2048 pixels fill the memory; 16 at most" in damaged(tiny)


def test_a_card_that_contradicts_itself(tiny: Path) -> None:
    rewrite(tiny, resolution=32)
    assert "contradicts" in damaged(tiny)


def test_wrong_tensors(tiny: Path) -> None:
    path = tiny / GENERATOR
    whole = load_file(path)
    for change, says in (
        ({"extra": torch.zeros(1)}, "extra is not part"),
        ({"ground": torch.zeros(4)}, "ground is [4]"),
        ({"ground": torch.zeros(3, dtype=torch.float64)}, "float64"),
        ({"ground": torch.full((3,), float("nan"))}, "not finite"),
    ):
        save_file({**whole, **change}, path)
        rewrite(tiny)
        assert says in damaged(tiny)
    save_file({k: v for k, v in whole.items() if k != "ground"}, path)
    rewrite(tiny)
    assert "ground is missing" in damaged(tiny)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[" * 100_000, "\xff", '{"format": 1}', "9" * 5000]
)
def test_foreign_cards(tmp_path: Path, text: str) -> None:
    (tmp_path / CARD).write_bytes(text.encode("latin-1"))
    damaged(tmp_path)


@pytest.mark.parametrize("name", ["../../by", "/etc/x", "a\\b", "c:d", "", "..", "a\nb", "é" * 101])
def test_a_name_that_would_lead_elsewhere(tiny: Path, name: str) -> None:
    """Clips and stills are called after the piece."""
    text = json.loads((tiny / CARD).read_text())
    (tiny / CARD).write_text(json.dumps({**text, "name": name}))
    assert "cannot be a file's" in damaged(tiny)


def test_a_folder_without_a_card(tmp_path: Path) -> None:
    assert "not a piece" in damaged(tmp_path)
    assert "not a piece" in damaged(tmp_path / "nowhere")


def test_save_replaces_a_piece_but_nothing_else(tiny: Path, tmp_path: Path) -> None:
    piece.save(tiny, card(title="Second"), network())
    assert piece.load(tiny).card.title == "Second"
    foreign = tmp_path / "photographs"
    foreign.mkdir()
    (foreign / "one.jpg").write_bytes(b"mine")
    with pytest.raises(PieceError, match="not a piece"):
        piece.save(foreign, card(), network())
    assert [path.name for path in foreign.iterdir()] == ["one.jpg"]
    with pytest.raises(PieceError):
        piece.save(foreign / "one.jpg", card(), network())
    assert (foreign / "one.jpg").read_bytes() == b"mine"


def test_a_failed_save_keeps_the_older_piece(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError("no space left on device")

    before = (tiny / CARD).read_bytes()
    monkeypatch.setattr(piece, "write_synced", full)
    with pytest.raises(OSError, match="no space"):
        piece.save(tiny, card(title="Second"), network())
    assert (tiny / CARD).read_bytes() == before
    assert [path.name for path in tiny.parent.iterdir()] == ["tiny"]
    piece.load(tiny)


def test_find_and_list(tiny: Path) -> None:
    own = tiny.parent
    assert shelf.find(tiny) == tiny
    assert shelf.find("tiny", own) == tiny
    assert tiny in shelf.list_pieces(own)
    with pytest.raises(PieceError, match=r"there is: .*tiny"):
        shelf.find("giant", own)
    with pytest.raises(PieceError, match="not a piece"):
        shelf.find(own)


def test_what_is_nearly_a_piece_says_where_it_is(tiny: Path) -> None:
    """A card, a zip as friends send it, the folder in a folder that it is unpacked to, and what a
    training leaves beside it."""
    own = tiny.parent
    with pytest.raises(PieceError, match=r"is a file of a piece; give the folder .*tiny$"):
        shelf.find(tiny / CARD)
    (own / "sent.zip").write_bytes(b"PK")
    for given in (own / "sent.zip", "sent"):
        with pytest.raises(PieceError, match=r"sent\.zip is a zip; unpack it, and give the folder"):
            shelf.find(given, own)
    (own / "outer").mkdir()
    tiny.rename(own / "outer" / "tiny")
    for given in (own / "outer", "outer"):
        with pytest.raises(
            PieceError, match=r"outer is not a piece, but .*outer.tiny in it is one"
        ):
            shelf.find(given, own)
    (own / "outer" / "tiny").rename(tiny)
    (own / "tiny.training").mkdir()
    for given in (own / "tiny.training", "tiny.training"):
        with pytest.raises(PieceError, match=r"the training of a piece, which is .*tiny$"):
            shelf.find(given, own)
    (own / "new.training").mkdir()
    with pytest.raises(PieceError, match=r"new is not there yet: its training still .*--resume"):
        shelf.find("new", own)


def test_a_folder_whose_name_is_no_text_is_to_be_renamed(tiny: Path) -> None:
    """No preset could be stored with it: that ended the show."""
    strange = tiny.rename(tiny.with_name(os.fsdecode(b"M\xe4rz")))
    with pytest.raises(PieceError, match="is not Unicode text; rename it"):
        shelf.find(strange)


def test_what_a_person_put_beside_a_piece_stays(tiny: Path) -> None:
    (tiny / "notes.txt").write_text("mine")
    (tiny / "photos").mkdir()
    (tiny / "photos" / "a.jpg").write_text("mine too")
    piece.save(tiny, card(title="Second"), network())
    assert (tiny / "notes.txt").read_text() == "mine"
    assert (tiny / "photos" / "a.jpg").read_text() == "mine too"
    assert not (tiny / "preview.png").exists()  # the older piece's own, and not of the new one
    assert sorted(path.name for path in tiny.parent.iterdir()) == ["tiny"]


@pytest.mark.parametrize("title", ["می\u200cخواهم", "क्\u200dष", "笑顔 ọma"])
def test_a_title_in_any_script(tiny: Path, title: str) -> None:
    """Persian and Hindi have signs in their words that are not seen themselves."""
    rewrite(tiny, title=title)
    assert piece.load(tiny).card.title == title


@pytest.mark.parametrize("title", ["a\0b", "two\nlines", "\ud800", "x" * 10_000])
def test_a_title_that_no_window_can_bear(tiny: Path, title: str) -> None:
    rewrite(tiny, title=title)
    says = damaged(tiny)
    assert "is not text of one line" in says
    assert len(says) < 400


def test_an_upscaler_travels_with_its_piece(tmp_path: Path) -> None:
    torch.manual_seed(0)
    upscaler = Upscaler(scale=2, channels=4, depth=1).eval()
    out = piece.save(tmp_path / "p", card(upscaler=upscaler.kwargs), network(), upscaler)
    loaded = piece.load(out).upscaler
    assert loaded is not None
    frame = torch.rand(1, 3, 8, 8)
    assert torch.equal(loaded(frame), upscaler(frame))


@pytest.mark.parametrize(
    ("latent", "says"),
    [
        ({"z": float("inf")}, "infinity"),
        ({"z": 10**12}, "wider"),
        ({"labels": [{"name": "a", "values": [str(n) for n in range(5000)]}]}, "more than 4096"),
        ({"labels": [{"name": "hair", "values": []}]}, "hair"),
        ({"labels": [{"name": "hair", "values": ["black", "black"]}]}, "hair"),
        ({"labels": [{"name": "z", "values": ["1", "2"]}]}, "from z"),
    ],
)
def test_a_card_with_an_impossible_latent(tiny: Path, latent: dict[str, object], says: str) -> None:
    rewrite(tiny, latent={"z": 4, "labels": [], "codes": [], **latent})
    assert says in damaged(tiny)


def test_a_card_that_names_what_is_not_a_file(tiny: Path) -> None:
    os.mkfifo(tiny / "pipe")
    for name, says in (("pipe", "missing"), ("a\0b", "leave the folder"), ("..", "leave")):
        data = json.loads((tiny / CARD).read_text())
        data["files"] = {GENERATOR: data["files"][GENERATOR], name: {"sha256": "0" * 64}}
        (tiny / CARD).write_text(json.dumps(data))
        assert says in damaged(tiny)


def test_a_card_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    for provenance in ([{"source": "x" * (1 << 20)}], [{"source": "\ud800"}], [{"deep": deep}]):
        with pytest.raises(PieceError, match="card of 'tiny'"):
            piece.save(tmp_path / "p", card(provenance=provenance), network())
    assert list(tmp_path.iterdir()) == []
