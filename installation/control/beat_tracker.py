"""Where the beats of a whole piece of music lie, by dynamic programming (Ellis 2007, Beat Tracking
by Dynamic Programming, J. New Music Research 36): beats fall on what begins, and as far apart from
each other as the tempo says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

USUAL = 120.0  # beats a minute
_WIDE = 0.9  # octaves, in which others are still likely
_TEMPI = (40.0, 240.0)  # beats a minute
_STRICT = 100.0  # how much an even beat counts against what begins beside it (librosa's too)
_SWELL = 1.0  # seconds: what changes more slowly is no beat
_LIKE = 0.1  # how like itself a beat later music must be to have a beat at all
_BY_CHANCE = 5.0  # the same for short music, times what noise is like itself (Bartlett 1946)
_WEAK = 0.5  # of the usual strength: with weaker beats a piece does not begin or end


def beats(attacks: Numbers, rate: float, usual: float = USUAL) -> Numbers:
    """Seconds of the beats; none where there is no beat to be found.

    attacks: (n,) how much begins at each look, 0 and more. rate: looks a second. usual: beats a
    minute, to which the nearer one is taken of two tempi that fit.
    """
    if not len(attacks) or not attacks.std():
        return np.zeros(0)
    long = np.ones(2 * min(round(_SWELL * rate / 2), (len(attacks) - 1) // 2) + 1)
    swell = np.convolve(attacks, long, "same") / np.convolve(np.ones(len(attacks)), long, "same")
    period = _period(attacks - swell, rate, usual)
    if not period:
        return np.zeros(0)
    window = np.arange(-round(period), round(period) + 1)
    smooth = np.convolve(
        attacks / attacks.std(), np.exp(-0.5 * (window * 32 / period) ** 2), "same"
    )
    found = _chain(smooth, period)
    strong = smooth[found] >= _WEAK * np.sqrt(np.mean(np.square(smooth[found])))
    kept = np.flatnonzero(strong)
    return found[kept[0] : kept[-1] + 1] / rate


def _period(change: Numbers, rate: float, usual: float) -> float:
    """Looks from beat to beat, 0 where music is not like itself at any tempo."""
    size = 1 << (2 * len(change) - 1).bit_length()
    alike = np.fft.irfft(np.square(np.abs(np.fft.rfft(change, size))))[: len(change)]
    first, last = round(rate * 60 / _TEMPI[1]), round(rate * 60 / _TEMPI[0])
    lags = np.arange(first, min(last, len(change) // 2) + 1)
    lags = lags[(alike[lags] > alike[lags - 1]) & (alike[lags] >= alike[lags + 1])]
    if not len(lags):
        return 0.0
    octaves = np.log2(60 * rate / lags / usual)
    likely = alike[lags] * np.exp(-0.5 * np.square(octaves / _WIDE))
    best = int(np.argmax(likely))
    chance = _BY_CHANCE / np.sqrt(len(change))
    if alike[lags[best]] < max(_LIKE, chance) * alike[0]:
        return 0.0
    return float(lags[best]) + _summit(alike, int(lags[best]))


def _summit(curve: Numbers, at: int) -> float:
    """How far from a highest sample the curve is highest, by a parabola through three."""
    before, here, after = curve[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def _chain(smooth: Numbers, period: float) -> NDArray[np.int64]:
    """The best chain of beats: each on what begins, each about a period after the one before."""
    gaps = np.arange(round(period / 2), round(period * 2) + 1)
    uneven = -_STRICT * np.square(np.log(gaps / period))
    score, before = smooth.copy(), np.full(len(smooth), -1)
    for here in range(gaps[0], len(smooth)):
        reach = gaps[: np.searchsorted(gaps, here, side="right")]
        options = score[here - reach] + uneven[: len(reach)]
        best = int(np.argmax(options))
        if options[best] > 0:
            score[here] += options[best]
            before[here] = here - reach[best]
    tail = score[-round(period) :]
    here = len(score) - len(tail) + int(np.argmax(tail))
    chain = []
    while here >= 0:
        chain.append(here)
        here = int(before[here])
    return np.array(chain[::-1])
