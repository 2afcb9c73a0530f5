"""How the display goes from one neural picture to the next."""

from __future__ import annotations

import numpy as np
import pytest

from installation.engine.layer import Dissolve


def shown(pictures: float, frames: float, jitter: float, seconds: float = 30) -> np.ndarray:
    """The moment of the walk that each frame shows. pictures, frames: a second."""
    rng = np.random.default_rng(0)
    dissolve, now, found = Dissolve(), 0.0, []
    arrived, before, newest, smooth = 0.0, 0.0, 0.0, 1 / pictures
    due = 1 / pictures
    for _ in range(round(seconds * frames)):
        dt = 1 / frames + float(rng.normal(0, jitter))
        now += dt
        while due <= now:
            smooth = 0.8 * smooth + 0.2 * (due - arrived)
            arrived, before, newest = due, newest, due
            due += 1 / pictures
        blend = dissolve(now - arrived, smooth, dt)
        found.append((1 - blend) * before + blend * newest)
    return np.array(found)


@pytest.mark.parametrize("pictures", [20, 30, 40, 45, 120])
def test_time_on_the_wall_does_not_run_backwards(pictures: float) -> None:
    back = np.diff(shown(pictures, 60, 0.001)) < -1e-9
    assert back.mean() < 0.002


def test_slow_pictures_are_dissolved_and_fast_ones_shown_at_once() -> None:
    slow = np.diff(shown(10, 60, 0.0))[60:]
    assert slow.max() < 1.3 / 60
    lag = np.arange(1, 1801) / 60 - shown(120, 60, 0.0)
    assert lag.max() < 1.01 / 60


def test_a_picture_that_is_ahead_of_the_frame_is_not_gone_before() -> None:
    dissolve = Dissolve()
    assert dissolve(-0.01, 0.1, 1 / 60) == 0.0
    assert dissolve(0.5, 0.1, 1 / 60) == 1.0
