"""The bench measures what it says, and says why where it cannot. No figure is judged here."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation import bench
from installation.report import FrameStats, write
from tests.pieces import make_piece

ROOT = Path(__file__).parent.parent


@pytest.fixture
def _with_a_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_piece(tmp_path / "pieces" / "tiny")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.mark.usefixtures("_with_a_piece")
def test_the_start_is_measured_in_a_fresh_process() -> None:
    found = bench.run("start")
    assert set(found) == {"machine", "start"}
    assert set(found["machine"]) == {"cpu", "gpu", "renderer", "torch"}
    times = found["start"]
    assert 0 < times["import_s"] < times["first_picture_s"] < times["first_neural_s"]


@pytest.mark.usefixtures("_with_a_piece")
def test_latency_is_measured_and_a_machine_without_midi_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench, "_MESSAGES", 5)
    monkeypatch.setattr(bench, "_WARM_UP", 2)
    monkeypatch.setenv("MIDO_BACKEND", "mido.backends.rtmidi/NO_SUCH_API")
    found = bench.latency()
    assert 0 < found["osc_to_swap_ms"]["p50"] <= found["osc_to_swap_ms"]["p99"]
    assert "no MIDI system" in found["midi_to_swap_ms"]["why"]


def test_a_part_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.chdir("/")
    assert bench._in_child("nosuch")["why"]


def test_what_lies_in_the_working_folder_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('a scene was imported')\n")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    assert bench._in_child("nosuch")["why"] == "KeyError: 'nosuch'"


def test_an_unknown_part_names_those_there_are() -> None:
    with pytest.raises(bench.BenchError, match="frame_path"):
        bench.run("nosuch")


def test_the_text_has_every_figure() -> None:
    text = bench.text({"a": {"b": 1.0}, "rows": [{"ms": 2}, {"ms": 3}], "none": None})
    assert [line.split() for line in text.splitlines()] == [
        ["a.b", "1.000"],
        ["rows[0].ms", "2"],
        ["rows[1].ms", "3"],
        ["none", "None"],
    ]


def test_frame_statistics(tmp_path: Path) -> None:
    stats = FrameStats()
    for milliseconds in [10] * 98 + [20, 50]:
        stats.frame(milliseconds / 1000)
    stats.stage("upload", 0.002)
    found = stats.report(device="cpu")
    assert found["frames"] == 100
    assert found["fps"] == pytest.approx(100 / 1.05, abs=0.01)
    assert found["frame_ms"] == {"p50": 10.0, "p99": 20.3, "max": 50.0}
    assert found["upload_ms"] == 2.0
    assert found["post_ms"] is None
    assert stats.recent_fps() == pytest.approx(60 / 0.65)
    write(tmp_path / "r.json", found)
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]
