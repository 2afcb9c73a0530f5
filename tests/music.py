"""Music drawn by code: drums at a tempo, and files of it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE = 48000


def drums(bpm: float, seconds: float, first: float = 0.4, hats: int = 2) -> np.ndarray:
    """A drum on every beat, and hissing between them, in a little noise: (n,) in [-1, 1]."""
    noise = np.random.default_rng(0)
    sound = 0.01 * noise.normal(size=round(seconds * RATE))
    beat, hat = np.arange(RATE // 6), np.arange(RATE // 30)
    thud = 0.7 * np.exp(-beat / 3000) * np.sin(beat / 100)
    hiss = 0.25 * np.exp(-hat / 400) * noise.normal(size=len(hat))
    for number in range(round(seconds * bpm / 60 * hats)):
        what = hiss if number % hats else thud
        at = round((first + number * 60 / bpm / hats) * RATE)
        room = sound[at : at + len(what)]
        room += what[: len(room)]
    return np.clip(sound, -1, 1)


def write(path: Path, *channels: np.ndarray, rate: int = RATE) -> Path:
    """A WAV of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.stack(channels, 1) * 32767).round().astype("<i2").tobytes())
    return path
