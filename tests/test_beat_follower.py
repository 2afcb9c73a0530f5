"""The beat of music that goes on, found in its last seconds and foretold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from installation.control.beat_follower import BeatFollower
from installation.control.ear import Ear
from tests import music

LOOK = 512
A_SECOND = music.RATE // LOOK
Told = list[tuple[float, float]]


def followed(*parts: np.ndarray) -> Told:
    """Seconds and tempo of each beat that is told, reckoned once a second."""
    sound = np.concatenate(parts).astype(np.float32)
    ear, follower, told = Ear(music.RATE), BeatFollower(music.RATE / LOOK), []
    for number in range(len(sound) // LOOK):
        ear.hear(sound[number * LOOK : (number + 1) * LOOK])
        tempo = follower.hear(ear.attack)
        if tempo is not None:
            told.append(((number + 1) * LOOK / music.RATE, tempo))
        if number % A_SECOND == A_SECOND - 1:
            follower.reckon()
    return told


@pytest.mark.parametrize(("bpm", "hats"), [(60, 1), (90, 2), (128, 4), (174, 2)])
def test_beats_are_told_when_the_drums_are_struck(bpm: float, hats: int) -> None:
    told = followed(music.drums(bpm, 20, hats=hats))
    assert told[0][0] < 6
    played = np.arange(0.4, 20, 60 / bpm)
    late = [np.abs(played - second).min() for second, _ in told if second > 8]
    assert max(late) < 0.05
    assert [tempo for second, tempo in told if second > 8] == pytest.approx(
        [bpm] * len(late), rel=0.02
    )
    assert min(b - a for (a, _), (b, _) in pairwise(told)) > 45 / bpm  # none is told twice
    assert len(late) == pytest.approx(12 * bpm / 60, abs=1)


def test_another_tempo_is_followed_but_not_at_once() -> None:
    told = followed(music.drums(120, 15), music.drums(140, 15))
    assert all(tempo == pytest.approx(120, rel=0.03) for second, tempo in told if second < 16)
    assert all(tempo == pytest.approx(140, rel=0.03) for second, tempo in told if second > 23)


def test_it_goes_on_through_a_break_and_ends_after() -> None:
    quiet = np.zeros(20 * music.RATE)
    told = followed(music.drums(120, 12), quiet)
    assert len([second for second, _ in told if 12 < second < 16]) == pytest.approx(8, abs=1)
    assert told[-1][0] < 28


def test_noise_has_no_beat() -> None:
    assert followed(0.3 * np.random.default_rng(2).normal(size=12 * music.RATE)) == []
