"""NDI: the picture for other programs, on this machine and its network (Resolume, OBS, MadMapper).

The library is Vizrt's own and not free, and so never comes along by itself: NDI Tools have it, and
cyndilib (the extra `ndi`) carries it. It is called directly, since cyndilib 0.1.3 ends the whole
process where a name is taken. After Processing.NDI.Send.h and structs.h of its SDK.
"""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from installation.log import Complaints

log = logging.getLogger(__name__)

_FILES = {"linux": "libndi.so", "darwin": "libndi.dylib", "win32": "Processing.NDI.Lib.x64.dll"}
_AGAIN = 10.0  # seconds between two tries to open what could not be
_LOOK = 0.25  # seconds between two looks whether anybody watches
_RGBX = int.from_bytes(b"RGBX", "little")
_PROGRESSIVE = 1
_BY_ITSELF = 2**63 - 1  # a timecode that the library makes


class NdiError(Exception):
    """Nothing can be sent. One line: why, and what to do."""


class _Create(ctypes.Structure):
    """NDIlib_send_create_t"""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("groups", ctypes.c_char_p),
        ("clock_video", ctypes.c_bool),
        ("clock_audio", ctypes.c_bool),
    )


class _Source(ctypes.Structure):
    """NDIlib_source_t"""

    _fields_ = (("name", ctypes.c_char_p), ("address", ctypes.c_char_p))


class _Video(ctypes.Structure):
    """NDIlib_video_frame_v2_t"""

    _fields_ = (
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("kind", ctypes.c_int),
        ("rate", ctypes.c_int),
        ("rate_per", ctypes.c_int),
        ("aspect", ctypes.c_float),  # 0: square pixels
        ("scan", ctypes.c_int),
        ("timecode", ctypes.c_int64),
        ("pixels", ctypes.c_void_p),
        ("stride", ctypes.c_int),  # bytes
        ("metadata", ctypes.c_char_p),
        ("timestamp", ctypes.c_int64),
    )


class Library:
    """What of NDI a sender needs. Raises NdiError where it is not there."""

    def __init__(self) -> None:
        self._functions = _loaded()

    def open(self, name: str) -> int:
        """A source of this name. Raises NdiError where another of this machine has it."""
        wanted = _Create(name.encode(), None, False, False)
        sender = self._functions.NDIlib_send_create(ctypes.byref(wanted))
        if not sender:
            raise NdiError(
                f"NDI: another program of this machine sends as {name!r} already: close it, or give"
                " another name under [ndi]"
            )
        return int(sender)

    def called(self, sender: int) -> str:
        """Under which name the network finds it: MACHINE (name)."""
        found = self._functions.NDIlib_send_get_source_name(sender)
        return str(found.contents.name.decode("utf-8", "replace"))

    def watching(self, sender: int, seconds: float) -> int:
        """How many receive it; where nobody does, waits for one so long."""
        milliseconds = round(1000 * seconds)
        return int(self._functions.NDIlib_send_get_no_connections(sender, milliseconds))

    def send(self, sender: int, picture: NDArray[np.uint8], rate: Fraction) -> None:
        """Compress and send this one, (height, width, 4), contiguous; returns when that is done."""
        height, width, _ = picture.shape
        frame = _Video(
            width, height, _RGBX, rate.numerator, rate.denominator, 0.0, _PROGRESSIVE,
            _BY_ITSELF, picture.ctypes.data, picture.strides[0], None, 0,
        )  # fmt: skip
        self._functions.NDIlib_send_send_video_v2(sender, ctypes.byref(frame))

    def close(self, sender: int) -> None:
        self._functions.NDIlib_send_destroy(sender)


def _loaded() -> ctypes.CDLL:
    """The library, initialised. Raises NdiError."""
    wrong = "is not there"
    for place in _places():
        try:
            found = _declared(ctypes.CDLL(place))
        except AttributeError as error:  # another library, or a very old one
            wrong = f"cannot be used ({place}: {error})"
        except OSError as error:  # not there, damaged, or not for this processor
            if Path(place).is_file():
                wrong = f"cannot be used ({place}: {error})"
        else:
            if not found.NDIlib_initialize():
                raise NdiError("NDI does not run on this processor: it needs SSE4.2, or NEON")
            return found
    raise NdiError(
        f"NDI's library {wrong}: pip install 'installation[ndi]', or NDI Tools from ndi.video, or "
        "say enabled = false under [ndi]"
    )


def _declared(found: ctypes.CDLL) -> ctypes.CDLL:
    """With what its functions take and return. Raises AttributeError where one is not there."""
    found.NDIlib_initialize.restype = ctypes.c_bool
    found.NDIlib_send_create.argtypes = [ctypes.POINTER(_Create)]
    found.NDIlib_send_create.restype = ctypes.c_void_p
    found.NDIlib_send_destroy.argtypes = [ctypes.c_void_p]
    found.NDIlib_send_destroy.restype = None
    found.NDIlib_send_send_video_v2.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Video)]
    found.NDIlib_send_send_video_v2.restype = None
    found.NDIlib_send_get_no_connections.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    found.NDIlib_send_get_source_name.argtypes = [ctypes.c_void_p]
    found.NDIlib_send_get_source_name.restype = ctypes.POINTER(_Source)
    return found


def _places() -> Iterator[str]:
    """Where it may be, the best first: where NDI Tools say, what cyndilib carries, the system."""
    file = _FILES.get(sys.platform, _FILES["linux"])
    for told in ("NDI_RUNTIME_DIR_V6", "NDI_RUNTIME_DIR_V5"):
        if os.environ.get(told):
            yield str(Path(os.environ[told], file))
    package = importlib.util.find_spec("cyndilib")  # not imported
    for folder in package.submodule_search_locations or () if package else ():
        yield from map(str, sorted(Path(folder).rglob(file)))
    yield from (file, f"{file}.6", f"{file}.5")


class Ndi:
    """A source of pictures that others find as MACHINE (name).

    offer() comes from the render thread and never waits: the newest picture is sent, and one that
    a newer overtakes is left out. fps: what is said of how many come.
    """

    def __init__(self, name: str, fps: float, library: Callable[[], Library] = Library) -> None:
        self._name, self._rate = name, Fraction(fps).limit_denominator(1001)
        self._load = library
        self._library: Library | None = None
        self._sender = 0
        self._watching = 0
        self._picture: NDArray[np.uint8] | None = None
        self._news, self._closing = threading.Condition(), threading.Event()
        self._complaints = Complaints(log)
        self._thread = threading.Thread(target=self._run, name="ndi", daemon=True)

    def start(self, patient: bool = False) -> Self:
        """Let others find it. Raises NdiError where that cannot be; of a patient one it is said,
        and tried again until it can."""
        if not patient:
            self._open()
        self._thread.start()
        return self

    @property
    def name(self) -> str:
        """By which others find it, where it is open: MACHINE (name)."""
        return self._library.called(self._sender) if self._library and self._sender else ""

    @property
    def watched(self) -> bool:
        """Whether anybody receives it. While nobody does there is no need to offer anything."""
        return self._watching > 0

    def offer(self, picture: NDArray[np.uint8]) -> None:
        """Send this one, RGB and one byte that says nothing, (height, width, 4), first row at the
        top. It must not be changed afterwards."""
        with self._news:
            self._picture = picture
            self._news.notify()

    def close(self) -> None:
        self._closing.set()
        with self._news:
            self._news.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def _open(self) -> None:
        library = self._library = self._library or self._load()
        self._sender = library.open(self._name)
        log.info("NDI: others find the picture as %s", self.name)

    def _run(self) -> None:
        while not self._closing.is_set():
            if self._sender or self._opened():
                self._look()
                self._send_newest()
            else:
                self._closing.wait(_AGAIN)
        if self._library is not None and self._sender:
            sender, self._sender = self._sender, 0
            self._library.close(sender)

    def _opened(self) -> bool:
        try:
            self._open()
        except NdiError as error:
            told = f"{error}; the show goes on without, and tries again"
            self._complaints.once(told, lambda: told)
            return False
        return True

    def _look(self) -> None:
        assert self._library is not None  # noqa: S101 - it is open
        now = self._library.watching(self._sender, 0.0 if self._watching else _LOOK)
        if now != self._watching:
            log.info("NDI: %d %s", now, "receives it" if now == 1 else "receive it")
        self._watching = now

    def _send_newest(self) -> None:
        with self._news:
            if self._watching and self._picture is None and not self._closing.is_set():
                self._news.wait(_LOOK)
            picture, self._picture = self._picture, None  # nobody's is not for who comes later
        if picture is not None and self._watching:
            assert self._library is not None  # noqa: S101 - it is open
            self._library.send(self._sender, np.ascontiguousarray(picture), self._rate)
