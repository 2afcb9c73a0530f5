"""The room's sound, from an input of the machine: heard, measured and posted to the bus.

Needs sounddevice (the extra `sound`), which is PortAudio. Nothing is recorded: a few numbers are
all that leaves this module.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from installation.control.beat_follower import BeatFollower
from installation.control.ear import Ear, Sounds
from installation.control.inlet import Inlet, NoInput, Opened
from installation.parameters import Bus

BLOCK = 512  # samples of one look: 11 ms at 48 kHz
_RECKONED = 1.0  # seconds between two looks for the beat
_SILENT = 5.0  # seconds without a sample, where silence has as many as sound
_SOURCE = "sound"

Take = Callable[[NDArray[np.float32]], None]  # (n,) samples of one channel, in the input's thread


class NoSound(NoInput):
    """There is no input to listen to, or nothing to listen with."""


class Stream(Opened, Protocol):
    """An input that is open. rate: samples a second."""

    rate: float


Open = Callable[[str, Callable[[float], Take]], Stream]
"""Opens an input by part of its name, "" for the system's. Is given what makes, of the rate, the
function that takes the samples. Raises NoSound."""


class Sound:
    """Listens to an input and posts /sound/level, bass, middle, high and onset.

    beat: also /clock/bpm and /clock/beat, where the music has a beat, and none that counts more:
    yields says whether one does.
    """

    def __init__(
        self,
        bus: Bus,
        device: str = "",
        opens: Open | None = None,
        beat: bool = False,
        yields: Callable[[], bool] = lambda: False,
    ) -> None:
        self._bus, self._beat, self._yields = bus, beat, yields
        open_one = opens or open_input
        self._inlet = Inlet(
            "sound", lambda: open_one(device, self._listens), self._rest,
            taken="listening to", none="no sound is heard", gone="the sound of",
        )  # fmt: skip
        self._follower: BeatFollower | None = None
        self._closing = threading.Event()
        self._reckoning = threading.Thread(target=self._reckon, name="beat", daemon=True)

    def start(self) -> Self:
        """Begin to look for the input, at once and then for good. Returns immediately."""
        self._inlet.start()
        if self._beat:
            self._reckoning.start()
        return self

    @property
    def leads(self) -> bool:
        """A beat is wanted, and one is heard."""
        return self._follower is not None and self._follower.found

    def close(self) -> None:
        self._closing.set()
        self._inlet.close()
        if self._beat:
            self._reckoning.join()

    def _rest(self) -> None:
        """Nothing is heard any more: what it moved comes to rest."""
        self._follower = None
        post(self._bus, Sounds(), _SOURCE)

    def _listens(self, rate: float) -> Take:
        ear = Ear(rate)
        follower = self._follower = BeatFollower(rate / BLOCK) if self._beat else None

        def take(samples: NDArray[np.float32]) -> None:
            post(self._bus, ear.hear(samples), _SOURCE)
            tempo = follower.hear(ear.attack) if follower is not None else None
            if tempo is not None and not self._yields():
                self._bus.post("/clock/bpm", tempo, _SOURCE)
                self._bus.post("/clock/beat", 1, _SOURCE)

        return take

    def _reckon(self) -> None:
        """Not in the input's thread, which must not be late."""
        while not self._closing.wait(_RECKONED):
            follower = self._follower
            if follower is not None:
                follower.reckon()


def post(bus: Bus, heard: Sounds, source: str) -> None:
    """Say on the bus what is heard now."""
    for name in ("level", "bass", "middle", "high"):
        bus.post(f"/sound/{name}", getattr(heard, name), source)
    if heard.onset:
        bus.post("/sound/onset", 1, source)


class Input:
    """One of PortAudio's. Channels are mixed to one."""

    def __init__(self, number: int, name: str, rate: float, channels: int, take: Take) -> None:
        import sounddevice

        self._heard: float | None = None  # when samples came last

        def heard(data: NDArray[np.float32], *_: Any) -> None:
            self._heard = time.monotonic()
            take(data.mean(axis=1))

        self.name, self.rate = name, rate
        self._stream = sounddevice.InputStream(
            device=number, channels=channels, samplerate=rate, blocksize=BLOCK, dtype="float32",
            latency="low", callback=heard,
        )  # fmt: skip
        self._stream.start()

    @property
    def gives(self) -> bool:
        """It has given samples."""
        return self._heard is not None

    @property
    def alive(self) -> bool:
        """It goes on giving samples, once it has given any: a driver may call it active, and call
        nobody any more."""
        silent = 0.0 if self._heard is None else time.monotonic() - self._heard
        return bool(self._stream.active) and silent < _SILENT

    def close(self) -> None:
        self._stream.close(ignore_errors=True)


def open_input(device: str, listens: Callable[[float], Take]) -> Input:
    """An input of this machine. Raises NoSound."""
    try:
        import sounddevice
    except ImportError as error:
        raise NoSound("sounddevice is missing; pip install 'installation[sound]'") from error
    except OSError as error:  # it is there, and PortAudio is not
        raise NoSound(f"PortAudio is missing ({error}); on Debian: libportaudio2") from error
    try:
        sounddevice._terminate()  # PortAudio knows only what was plugged in when it began
        sounddevice._initialize()
        found = [
            (number, one)
            for number, one in enumerate(sounddevice.query_devices())
            if one["max_input_channels"] > 0 and device.lower() in one["name"].lower()
        ]
        if not found:
            raise NoSound(f"no input is called {device}" if device else "this machine has no input")
        number, one = found[0]
        default = sounddevice.default.device[0]
        if not device and default >= 0:
            number, one = default, sounddevice.query_devices(default)
        rate, channels = float(one["default_samplerate"]), min(2, one["max_input_channels"])
        return Input(number, one["name"], rate, channels, listens(rate))
    except sounddevice.PortAudioError as error:
        raise NoSound(f"the input cannot be opened ({error})") from error
