"""What the room sounds like, in five numbers."""

from __future__ import annotations

import numpy as np
import pytest

from installation.control.ear import WINDOW, Ear, Sounds

RATE = 48000
BLOCK = 512


def sine(hertz: float, loud: float = 0.5, seconds: float = 3.0) -> np.ndarray:
    return loud * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def heard(samples: np.ndarray, block: int = BLOCK, ear: Ear | None = None) -> list[Sounds]:
    ear = ear or Ear(RATE)
    whole = samples.astype(np.float32)
    return [ear.hear(whole[i : i + block]) for i in range(0, len(whole) - block + 1, block)]


def mean(found: list[Sounds], name: str) -> float:
    return float(np.mean([getattr(one, name) for one in found[50:]]))


@pytest.mark.parametrize(("hertz", "band"), [(60, "bass"), (600, "middle"), (5000, "high")])
@pytest.mark.parametrize("loud", [0.9, 0.02])
def test_each_band_hears_its_own_however_loud(hertz: float, band: str, loud: float) -> None:
    found = heard(sine(hertz, loud))
    assert mean(found, band) > 0.9
    assert mean(found, "level") > 0.9
    for other in {"bass", "middle", "high"} - {band}:
        assert mean(found, other) < 0.35


@pytest.mark.parametrize("samples", [np.zeros(3 * RATE), sine(440, 1e-4)])
def test_silence_is_silent(samples: np.ndarray) -> None:
    assert set(heard(samples)) == {Sounds()}


def test_drums_over_a_pad_begin_when_they_are_struck() -> None:
    samples, struck = sine(220, 0.05, 4.0), [0.5, 1.0, 1.25, 1.5, 2.0, 2.75, 3.5]
    for second in struck:
        start, tail = round(second * RATE), np.arange(RATE // 4)
        samples[start : start + len(tail)] += np.exp(-tail / 2500) * 0.6 * np.sin(tail / 139)
    found = heard(samples)
    begun = [i * BLOCK / RATE for i, one in enumerate(found) if one.onset]
    assert begun[0] < 0.1  # the pad itself
    np.testing.assert_allclose(begun[1:], struck, atol=0.04)
    quiet = min(one.bass for one in found[round(3.3 * RATE / BLOCK) : round(3.45 * RATE / BLOCK)])
    assert quiet < 0.4 < max(one.bass for one in found)


def test_what_stops_falls_softly_and_what_begins_is_there_at_once() -> None:
    found = heard(np.concatenate([sine(60, 0.5, 2.0), np.zeros(RATE)]))
    after = [one.bass for one in found[round(2.05 * RATE / BLOCK) :]]
    assert after == sorted(after, reverse=True)
    assert after[0] > 0.5
    assert after[-1] < 0.01


def test_blocks_may_be_of_any_size() -> None:
    for block in (64, WINDOW, 4 * WINDOW):
        assert mean(heard(sine(60, 0.5, 6.0), block), "bass") > 0.9
    assert Ear(RATE).hear(np.zeros(0, np.float32)) == Sounds()


def test_samples_that_are_not_finite_do_no_harm() -> None:
    ear = Ear(RATE)
    broken = np.full(BLOCK, np.nan, np.float32)
    broken[::3] = np.inf
    assert ear.hear(broken) == Sounds()
    assert mean(heard(sine(600), ear=ear), "middle") > 0.9


@pytest.mark.parametrize("rubbish", [3e38, -1e6])
def test_rubbish_for_a_moment_does_not_deafen_it(rubbish: float) -> None:
    """As an input sends that is being pulled."""
    ear = Ear(RATE)
    ear.hear(np.full(BLOCK, rubbish, np.float32))
    found = heard(sine(60, seconds=5), ear=ear)
    assert found[-1].bass > 0.5
    assert any(one.onset for one in heard(sine(600), ear=ear))
