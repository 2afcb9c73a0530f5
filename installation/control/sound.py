"""The room's sound, from an input of the machine: heard, measured and posted to the bus.

Needs sounddevice (the extra `sound`), which is PortAudio. An input that is pulled is looked for
again every two seconds. Nothing is recorded: a few numbers are all that leaves this module.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from installation.control.beat_follower import BeatFollower
from installation.control.ear import Ear, Sounds
from installation.parameters import Bus

log = logging.getLogger(__name__)

BLOCK = 512  # samples of one look: 11 ms at 48 kHz
_EVERY = 2.0  # seconds between two looks for an input
_RECKONED = 1.0  # seconds between two looks for the beat
_SILENT = 5.0  # seconds without a sample, where silence has as many as sound
_SOURCE = "sound"

Take = Callable[[NDArray[np.float32]], None]  # (n,) samples of one channel, in the input's thread


class NoSound(Exception):
    """There is no input to listen to, or nothing to listen with."""


class Stream(Protocol):
    """An input that is open. name: whose it is; rate: samples a second."""

    name: str
    rate: float

    @property
    def alive(self) -> bool: ...

    def close(self) -> None: ...


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
        self._bus, self._device, self._beat, self._yields = bus, device, beat, yields
        self._open = opens or open_input
        self._stream: Stream | None = None
        self._follower: BeatFollower | None = None
        self._said = ""
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=self._watch, name="sound", daemon=True)]
        if beat:
            self._threads.append(threading.Thread(target=self._reckon, name="beat", daemon=True))

    def start(self) -> Self:
        """Begin to look for the input, at once and then for good. Returns immediately."""
        for thread in self._threads:
            thread.start()
        return self

    @property
    def leads(self) -> bool:
        """A beat is wanted, and one is heard."""
        return self._follower is not None and self._follower.found

    def close(self) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()

    def _watch(self) -> None:
        while not self._closing.is_set():
            if self._stream is None:
                self._take_up()
            elif not self._stream.alive:
                log.warning("the sound of %s is gone; it is looked for again", self._stream.name)
                self._let_go()
            self._closing.wait(_EVERY)
        self._let_go()

    def _take_up(self) -> None:
        try:
            self._stream = self._open(self._device, self._listens)
        except NoSound as error:
            if str(error) != self._said:
                self._said = str(error)
                log.warning("no sound is heard: %s", error)
            return
        self._said = ""
        log.info("listening to %s", self._stream.name)

    def _let_go(self) -> None:
        """Close the input; what it moved comes to rest."""
        if self._stream is not None:
            self._stream.close()
            self._stream = self._follower = None
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
