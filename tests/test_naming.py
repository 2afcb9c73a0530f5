"""What a piece is called where nobody says so."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from training.naming import checked, name_of


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("masks", "masks"),
        ("My masks (2024).v2", "My-masks-2024-v2"),
        ("ọma", "oma"),
        (unicodedata.normalize("NFD", "ọma"), "oma"),
        ("笑顔", "XiaoYan"),
        ("маски Бенина", "maski-Benina"),
        ("Größe", "Grosse"),
        ("!", "piece"),
        ("木" * 60, "Mu" * 32),
    ],
)
def test_it_is_named_after_its_dataset(tmp_path: Path, dataset: str, name: str) -> None:
    (tmp_path / dataset).mkdir()
    assert name_of(tmp_path / dataset, "piece") == name == checked(name)
