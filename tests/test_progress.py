"""What long work tells where nobody watches a terminal."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from training import progress


def test_without_a_terminal_a_plain_line_comes_every_half_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    line = progress.Line()
    for now[0] in (1.0, 29.0, 31.0, 40.0, 62.0):
        line.show(now[0] / 50, lambda: f"at {now[0]:.0f} s")
    line.close()
    assert capsys.readouterr().err.splitlines() == [" 62% at 31 s", "100% at 62 s"]


def test_without_a_terminal_long_work_says_what_it_is_and_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    with progress.bar("drawing", "image") as tell:
        for done, now[0] in ((1, 1.5), (2, 4.0), (3, 6.0), (15, 33.0), (17, 34.0), (60, 120.0)):
            tell(done, 60)
    assert capsys.readouterr() == (
        "",
        "drawing: 2 of 60 images, about 1:56 left\ndrawing: 17 of 60 images, about 1:26 left\n",
    )


def test_without_a_terminal_what_is_soon_done_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: 0.0))
    with progress.bar("drawing") as tell:
        tell(1, 2)
        tell(2, 2)
    assert capsys.readouterr() == ("", "")
