"""What the room sounds like, in five numbers: how loud, how loud low, in the middle and high, and
whether something begins.

Every band is measured against its own loudest moment of the last seconds, so that a whisper and a
sound system both use the whole range; below a floor there is silence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW = 1024  # samples of one look
BANDS = {"bass": (20.0, 150.0), "middle": (150.0, 2000.0), "high": (2000.0, 12000.0)}  # Hz

_FLOOR = 10 ** (-60 / 20)  # of full scale: what is quieter is silence
_FORGET = 8.0  # seconds in which half of a loudest moment is forgotten
_RELEASE = 0.10  # seconds in which a band falls by half when its sound stops
_MEMORY = 1.0  # seconds over which the usual change from look to look is known
_ABOVE = 2.8  # times that change, and something has begun
_LEAST = 0.25  # what begins anything at all: steady noise does not
_QUIET = 0.02  # of the loudest: a click below it begins nothing
_TONES = 24  # bands in which something may begin
_PAUSE = 0.12  # seconds between two beginnings, at least


@dataclass(frozen=True)
class Sounds:
    """Each 0 to 1. onset: something begins."""

    level: float = 0.0
    bass: float = 0.0
    middle: float = 0.0
    high: float = 0.0
    onset: bool = False


class Ear:
    """Listens to one channel. rate: samples a second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._shape = np.hanning(WINDOW).astype(np.float32)
        self._heard = np.zeros(WINDOW, np.float32)
        frequencies = np.fft.rfftfreq(WINDOW, 1 / rate)
        self._bands = {
            name: (frequencies >= low) & (frequencies < high) for name, (low, high) in BANDS.items()
        }
        self._loudest = dict.fromkeys(("level", *BANDS), _FLOOR)
        self._now = dict.fromkeys(("level", *BANDS), 0.0)
        self._edges = np.unique(np.geomspace(1, WINDOW // 4, _TONES + 1).round().astype(int))
        self._before = np.zeros(len(self._edges))
        self._amplitude = np.zeros(len(self._edges))
        self._usual = 0.0
        self._since = _PAUSE
        self.attack = 0.0  # how hard something is struck in this look: a drum more than a cymbal

    def hear(self, samples: NDArray[np.float32]) -> Sounds:
        """The newest samples, (n,) in [-1, 1], fewer than WINDOW or as many."""
        count = len(samples)
        if count == 0:
            return self._sounds(False)
        fresh = np.clip(np.nan_to_num(samples[-WINDOW:], posinf=0.0, neginf=0.0), -1, 1)
        self._heard = np.concatenate([self._heard[len(fresh) :], fresh])
        seconds = count / self._rate
        spectrum = np.abs(np.fft.rfft(self._heard * self._shape)) * 4 / WINDOW  # of a sine: its top
        loud = {"level": float(np.sqrt(np.mean(np.square(fresh))) * np.sqrt(2))}
        loud |= {
            name: float(np.sqrt(np.sum(np.square(spectrum[band])) / 1.5))
            for name, band in self._bands.items()
        }
        for name, value in loud.items():
            self._now[name] = self._measured(name, value, seconds)
        return self._sounds(self._begins(spectrum, loud["level"], seconds))

    def _sounds(self, onset: bool) -> Sounds:
        now = self._now
        return Sounds(now["level"], now["bass"], now["middle"], now["high"], onset)

    def _measured(self, name: str, value: float, seconds: float) -> float:
        kept = self._loudest[name] * 0.5 ** (seconds / _FORGET)
        self._loudest[name] = max(value, kept, _FLOOR)
        now = value / self._loudest[name] if value > _FLOOR else 0.0
        return max(min(1.0, now), self._now[name] * 0.5 ** (seconds / _RELEASE))

    def _begins(self, spectrum: NDArray[np.floating], level: float, seconds: float) -> bool:
        """Spectral flux (Bello et al. 2005, A Tutorial on Onset Detection): how much louder, on a
        logarithmic scale, beyond what is usual here. Of bands as wide as tones are apart, so that
        a single note counts as a cymbal does."""
        power = np.add.reduceat(np.square(spectrum), self._edges)
        quiet = max(_FLOOR, _QUIET * self._loudest["level"])
        amplitude = np.sqrt(power)
        loudness = np.log1p(amplitude / quiet)
        flux = float(np.maximum(loudness - self._before, 0).mean())
        self._before = loudness
        louder = np.maximum(amplitude - self._amplitude - quiet, 0)
        self.attack = float(np.sqrt(np.sqrt(np.sum(np.square(louder)))))
        self._amplitude = amplitude
        self._since += seconds
        begins = (
            level > _FLOOR and self._since >= _PAUSE and flux > max(_LEAST, _ABOVE * self._usual)
        )
        share = min(1.0, seconds / _MEMORY)
        self._usual += share * (min(flux, 4 * max(self._usual, 0.05)) - self._usual)
        if begins:
            self._since = 0.0
        return begins
