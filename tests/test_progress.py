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


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("drawing") as tell:
        tell(1, 2)
        tell(2, 2)
    assert capsys.readouterr() == ("", "")
