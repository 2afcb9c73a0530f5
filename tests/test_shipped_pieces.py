"""The pieces that ship: whole, playable, and open about where they come from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models import piece, shelf
from models.card import CARD, verify
from training.shipping.ship import MOST_BYTES

ROOT = Path(__file__).parent.parent
SHIPPED = sorted((ROOT / "models" / "pieces").glob("*/card.json"))


def test_without_a_name_the_first_that_ships_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert SHIPPED
    assert shelf.find() == SHIPPED[0].parent


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_it_paints_varied_pictures(path: Path) -> None:
    loaded = piece.load(path.parent)
    points = loaded.card.latent.sample(np.random.default_rng(0), 24)
    with torch.inference_mode():
        pictures = loaded.generator(torch.from_numpy(points))
    side = loaded.card.resolution
    assert pictures.shape == (24, 3, side, side)
    assert pictures.std(dim=0).mean() > 0.1  # not one picture repeated
    assert pictures.flatten(1).std(dim=1).min() > 0.1  # and none of them flat


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_its_directions_change_more_than_any_way_would(path: Path) -> None:
    loaded = piece.load(path.parent)
    z = loaded.card.latent.z
    rng = np.random.default_rng(0)
    points = loaded.card.latent.sample(rng, 16)
    by_chance = rng.standard_normal((8, z))
    by_chance /= np.linalg.norm(by_chance, axis=1, keepdims=True)

    def change(way: np.ndarray) -> float:
        there = points.copy()
        there[:, :z] += 3 * way.astype(np.float32)
        with torch.inference_mode():
            before, after = (loaded.generator(torch.from_numpy(p)) for p in (points, there))
        return float((after - before).abs().mean())

    assert loaded.card.directions
    strongest = change(np.asarray(loaded.card.directions[0]))
    assert strongest > 1.2 * np.mean([change(way) for way in by_chance])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_its_card_says_whose_it_is_and_what_it_was_trained_on(path: Path) -> None:
    card = verify(path.parent)
    assert card.title
    assert card.author
    assert card.licence
    assert card.provenance
    assert all("no image was used" in one["origin"] for one in card.provenance)
    assert card.training["kimg"] > 0
    text = (path.parent / CARD).read_text(encoding="utf-8")
    assert '"/' not in text  # no path of the machine it was trained on
    assert sum(entry["bytes"] for entry in json.loads(text)["files"].values()) <= MOST_BYTES
