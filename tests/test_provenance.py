"""Provenance: per file, per folder, for the whole; from the dataset to the piece's card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.card import Card
from models.latent import Latent
from tests.planted import drawn, encoded
from training import table as tables
from training.curation import summary
from training.curation.check import check
from training.dataset import read_dataset
from training.provenance import Origin, read_origins, read_provenance
from training.source import DatasetError, Entry

FILES = ["a.png", "dan/1.png", "dan/old/2.png", "igbo/3.png"]


def entry(name: str, text: str) -> Entry:
    return Entry(name, text.encode)


def csv_entry(*lines: str) -> Entry:
    return entry("provenance.csv", "\n".join(("path,source,author,licence", *lines)))


def test_the_nearest_wins() -> None:
    table = csv_entry(".,web,,", "dan,museum,,CC0", "dan/old/,archive,B,", "./a.png,own,A,MIT")
    found, problems = read_origins([table], FILES)
    assert problems == []
    assert [found[file].source for file in FILES] == ["own", "museum", "archive", "web"]
    assert found["a.png"] == Origin("own", "A", "MIT")


def test_tables_that_would_fill_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip of a few MB holds a table of hundreds, and each of its empty lines takes 64 bytes."""
    monkeypatch.setattr(tables, "_MOST", 2_000_000)
    _, problems = read_origins([csv_entry(*[""] * 2_000_000)], FILES)
    assert [str(one) for one in problems] == [
        "provenance.csv: cannot be read as a table: it has more than 2 million cells"
    ]
    large = entry("provenance.json", "[" + "[],\n" * 300_000 + "[]]")
    with pytest.raises(DatasetError, match="is larger than 1024 KB; shorten it"):
        read_origins([large], FILES)


def test_one_record_for_the_whole_stands_where_the_table_is_silent() -> None:
    whole = entry("provenance.json", json.dumps({"source": "drawn", "licence": "CC0"}))
    found, _ = read_origins([whole, csv_entry("dan,museum,,")], FILES)
    assert found["igbo/3.png"] == Origin("drawn", "", "CC0")
    assert found["dan/1.png"] == Origin("museum", "", "")


def test_the_card_counts() -> None:
    records, _ = read_provenance([csv_entry("dan,museum,,CC0")], FILES)
    assert records == [
        {"images": 2, "source": "museum", "licence": "CC0"},
        {"images": 2, "source": "not stated"},
    ]


def test_columns_in_any_order_and_spelling() -> None:
    table = entry("provenance.csv", "\ufeffLicense,Path\nCC0,dan\\old\n")
    found, problems = read_origins([table], FILES)
    assert problems == []
    assert found["dan/old/2.png"].licence == "CC0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first line"),
        ("file,source\n", "first line"),
        ("path,colour\n", "first line"),
        ("path,path\n", "first line"),
        ('path,source\n"a', "cannot be read"),
        ("path,source\nnosuch,x\n", "line 2 names 'nosuch'"),
        ("path,source\na.png,x\n./a.png,y\n", "line 3 names 'a.png' a second time"),
        ("path,source\na.png,x,y\n", "line 2 has more values"),
        ("path,source\n,a museum\n", "line 2 names no path"),
    ],
)
def test_what_says_nothing_is_told(text: str, said: str) -> None:
    _, problems = read_provenance([entry("provenance.csv", text)], FILES)
    assert [said in problem.reason for problem in problems] == [True]


def test_a_forgotten_path_says_nothing_of_the_others() -> None:
    found, _ = read_origins([csv_entry(",a museum,,CC-BY-4.0", "dan,own,,")], FILES)
    assert found["igbo/3.png"] == Origin()


def test_a_record_may_be_spelled_as_the_table_and_null_says_nothing() -> None:
    whole = entry("provenance.json", json.dumps({"source": None, "license": "CC0-1.0"}))
    found, problems = read_origins([whole], FILES)
    assert problems == []
    assert found["igbo/3.png"] == Origin("", "", "CC0-1.0")


def test_many_and_long_origins_still_fit_a_card() -> None:
    files = [f"{n}.png" for n in range(3000)]
    lines = [f"{file},{'s' * 5000}{file},author {file},licence" for file in files[:2500]]
    records, _ = read_provenance([csv_entry(*lines)], files)
    assert sum(record["images"] for record in records) == 3000
    assert records[-1] == {"images": 500, "source": "not stated"}
    card = Card(name="p", resolution=64, latent=Latent(4), generator={}, provenance=records)
    assert Card.from_json(card.to_json()).provenance == records


def test_from_the_dataset_to_the_check(tmp_path: Path) -> None:
    for n, image in enumerate(drawn(3)):
        (tmp_path / f"{n}.png").write_bytes(encoded(image))
    assert "no image has one stated" in summary.text(check(tmp_path))
    (tmp_path / "provenance.csv").write_text("path,licence\n0.png,CC0\n")
    assert summary.facts(check(tmp_path))["without_licence"] == 2
    assert "2 images without" in summary.text(check(tmp_path))
    (tmp_path / "provenance.csv").write_text("path,licence\n.,CC0\n")
    assert "stated for every image" in summary.text(check(tmp_path))
    assert read_dataset(tmp_path, 8).provenance == [{"images": 3, "licence": "CC0"}]
