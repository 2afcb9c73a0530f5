"""The people before the wall, by a camera: seen, measured and posted to the bus.

FFmpeg, inside PyAV, reads cameras of the machine (Video4Linux, AVFoundation, DirectShow), of the
network, and films, which stand in for one at a rehearsal. Nothing is recorded, and no picture
leaves this module: a few numbers do, a shade 64 points wide, and a guide of 16, in which nobody can
be recognised.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from installation.control.eye import WIDTH, Eye, Seen
from installation.control.inlet import Inlet, NoInput
from installation.log import Complaints
from installation.parameters import Bus
from installation.soundtrack import FORMATS

log = logging.getLogger(__name__)
_complaints = Complaints(log)

_SOURCE = "sight"
_BLIND = 5.0  # seconds without a picture, and the camera is gone
_PATIENCE = 10.0  # seconds for the first one, and for the network
_LOWEST, _HIGHEST = 16, 128  # rows of the picture that is looked at
_LARGEST = 7680 * 4320  # points of a picture; a small file may hold one that fills the memory
_LEAVES = 8.0  # seconds in which nothing is left of who was seen by a camera that is gone
_BETWEEN = 0.04  # seconds from a film's last picture to its first

Look = Callable[[NDArray[np.uint8], float], None]
"""Is given each picture, (h, WIDTH) grey, and its moment in seconds, in the camera's thread."""

# A camera is asked for small pictures; which sizes it has only trying tells.
_WISHES: tuple[dict[str, str], ...] = (
    {"video_size": "640x480", "framerate": "30"},
    {"framerate": "30"},
    {},
)
_NETWORK = ("rtsp", "http", "https")


class NoSight(NoInput):
    """There is no camera to look through."""


class Sight:
    """Looks through a camera and posts /sight/motion, presence, across, up and arrives.

    device: see open_camera. mirror: it hangs at the wall.
    """

    def __init__(self, bus: Bus, device: str = "", mirror: bool = True) -> None:
        self._bus, self._eye, self._lock = bus, Eye(mirror), threading.Lock()
        self._leaving = 0.0  # seconds for which somebody is still seen to go
        # the newest, as Eye has them; none: nobody looks
        self.shade: NDArray[np.uint8] | None = None
        self.guide: NDArray[np.float32] | None = None
        self._inlet = Inlet(
            "sight", lambda: open_camera(device, self._looks()), self._rest,
            taken="looking through", none="nothing is seen", gone="the picture of",
        )  # fmt: skip

    def start(self) -> Self:
        """Begin to look for the camera, at once and then for good. Returns immediately."""
        self._inlet.start()
        return self

    def close(self) -> None:
        self._inlet.close()
        self._nobody()

    def keep(self, dt: float) -> None:
        """Once a frame, dt seconds after the last: whoever was seen by a camera that is gone goes,
        as if they walked away."""
        if self._leaving <= 0:
            return
        with self._lock:
            if self._leaving <= 0:  # a camera is back meanwhile
                return
            self._leaving -= dt
            self._tell(self._eye.rest(dt))
            if self._leaving <= 0:
                self._nobody()

    def _rest(self) -> None:
        """A camera is gone; of one that has given nothing nobody is left."""
        if self.shade is not None and self._leaving <= 0:
            self._leaving = _LEAVES

    def _nobody(self) -> None:
        """Nothing is seen any more: what it moved is at rest."""
        self.shade = self.guide = None
        post(self._bus, Seen(), _SOURCE)

    def _looks(self) -> Look:
        before: float | None = None

        def look(picture: NDArray[np.uint8], moment: float) -> None:
            nonlocal before
            with self._lock:
                if before is None:
                    self._eye.anew()
                    self._leaving = 0.0
                self._tell(self._eye.see(picture, 0.0 if before is None else moment - before))
                before = moment

        return look

    def _tell(self, seen: Seen) -> None:
        post(self._bus, seen, _SOURCE)
        self.shade, self.guide = self._eye.shade, self._eye.guide


def post(bus: Bus, seen: Seen, source: str) -> None:
    """Say on the bus what is seen now."""
    for name in ("motion", "presence", "across", "up"):
        bus.post(f"/sight/{name}", getattr(seen, name), source)
    if seen.arrives:
        bus.post("/sight/arrives", 1, source)


class Lens:
    """A camera that is open, read by a thread of its own, since FFmpeg waits for each picture.

    film: it is a file, shown at its own pace and over again.
    """

    def __init__(
        self, container: InputContainer, name: str, look: Look, film: bool = False
    ) -> None:
        self._container, self._look, self._film = container, look, film
        self.name = name
        stream = container.streams.video[0]
        self.size = (stream.width, stream.height)
        self._seen, self._until = time.monotonic(), _PATIENCE
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, name="lens", daemon=True)
        self._thread.start()

    @property
    def gives(self) -> bool:
        """It has given a picture."""
        return self._until == _BLIND

    @property
    def alive(self) -> bool:
        """It goes on giving pictures; a film may pause."""
        late = not self._film and time.monotonic() - self._seen >= self._until
        return self._thread.is_alive() and not late

    def close(self) -> None:
        """A driver that hangs is not waited for for good: its thread is left alone."""
        self._closing.set()
        self._thread.join(1.0)

    def _read(self) -> None:
        try:
            with self._container:
                for frame, moment in self._frames():
                    if self._closing.is_set():
                        return
                    self._seen, self._until = time.monotonic(), _BLIND
                    self._look(small(frame), moment)
        except (av.FFmpegError, OSError, ValueError) as error:  # pulled, or damaged
            log.debug("%s: %s", self.name, _reason(error))

    def _frames(self) -> Iterator[tuple[av.VideoFrame, float]]:
        """Each picture as it comes, and its moment."""
        if not self._film:
            for frame in decoded(self._container, self.name):
                yield frame, time.monotonic()
            return
        shown = True
        while shown and not self._closing.is_set():
            began, shown = time.monotonic(), False
            for frame, moment in timed(self._container, self.name):
                self._closing.wait(max(0.0, began + moment - time.monotonic()))
                yield frame, began + moment
                shown = True
            self._closing.wait(_BETWEEN)
            self._container.seek(0)


def decoded(container: InputContainer, name: str) -> Iterator[av.VideoFrame]:
    """Each picture. What is damaged is left out, as a network may lose some of it; and what is one
    point high, over which FFmpeg ends the process where it is a sensor's raw picture."""
    for packet in container.demux(video=0):
        try:
            found = packet.decode()
        except av.InvalidDataError:
            _complaints.once(
                name, lambda: f"some pictures of {name} are damaged; they are left out"
            )
            continue
        yield from (one for one in found if min(one.width, one.height) > 1)


def timed(container: InputContainer, name: str) -> Iterator[tuple[av.VideoFrame, float]]:
    """Each picture of a film, and its moment in seconds after the first: in a film that was cut
    out of another, times go on from there."""
    first: float | None = None
    for frame in decoded(container, name):
        moment = frame.time or 0.0
        first = moment if first is None else first
        yield frame, moment - first


def small(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """A picture as an Eye wants it, (h, WIDTH) grey."""
    rows = min(_HIGHEST, max(_LOWEST, round(WIDTH * frame.height / frame.width)))
    grey = frame.reformat(WIDTH, rows, "gray", interpolation="AREA")
    return np.asarray(grey.to_ndarray(), np.uint8)


def open_camera(device: str, look: Look) -> Lens:
    """A camera. Raises NoSight.

    device: part of the name of one of this machine, "" for the first; or the address of one on the
    network (rtsp://…, http://…); or a film.
    """
    if "://" in device or device.partition(":")[0].lower() in _NETWORK:
        try:
            where = urlsplit(device)
        except ValueError:  # which may say the password
            do = "in a password write %5B for [, %40 for @ and %2F for /"
            raise NoSight(f"that is no address of a camera; {do}") from None
        if where.scheme not in _NETWORK:
            raise NoSight(f"a camera's address begins with {', '.join(_NETWORK)}, and then ://")
        name = where.hostname or "the network"  # an address may have a password in it
        options = {"protocol_whitelist": "tcp,udp,rtp,rtsp,http,https,tls,crypto"}
        options |= {"rtsp_transport": "tcp"} if where.scheme == "rtsp" else {}
        return Lens(_opened(device, name, options), name, look)
    if os.path.isfile(device):
        return Lens(open_film(Path(device)), Path(device).name, look, film=True)
    return _of_machine(device, look)


def open_film(path: Path) -> InputContainer:
    """A film that stands in for a camera. Raises NoSight."""
    if not os.path.isfile(path):
        raise NoSight(f"there is no film {path}")
    # no playlists, which name other files and addresses
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    try:
        # absolute: to FFmpeg 12:30.mp4 is an address
        return _opened(str(path.absolute()), path.name, options)
    except NoSight as error:
        raise NoSight(f"{error}; a film is an .mp4, .mov, .mkv or .webm") from None


def _driver() -> tuple[str, str]:
    """What reads this machine's cameras, and how it is told which one."""
    match sys.platform:
        case "darwin":
            return "avfoundation", "{}"
        case "win32":
            return "dshow", "video={}"
    return "v4l2", "{}"


def _of_machine(device: str, look: Look) -> Lens:
    driver, address = _driver()
    try:
        listed = av.enumerate_input_devices(driver)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise NoSight(f"this machine's cameras cannot be listed ({_reason(error)})") from error
    known = [(one.name, one.description or one.name) for one in listed if _shows(one)]
    wanted = [one for one in known if device.lower() in f"{one[1]} {one[0]}".lower()]
    if not wanted:
        names = ", ".join(name for _, name in known)
        if device and names:
            raise NoSight(f"no camera is called {device}; there are: {names}")
        raise NoSight("this machine has no camera, or none that this user may open")
    # one camera may have several entries, of which some show nothing
    fault = NoSight("")
    for number, name in wanted:
        for wish in _WISHES:
            try:
                return Lens(_opened(address.format(number), name, wish, driver), name, look)
            except NoSight as error:
                fault = error
    raise fault


def _shows(listed: av.DeviceInfo) -> bool:
    """Whether it is a camera: DirectShow and AVFoundation list microphones as well, and the latter
    the screens."""
    pictures = not listed.media_types or "video" in listed.media_types
    return pictures and not listed.description.startswith("Capture screen")


def _opened(
    address: str, name: str, options: dict[str, str], driver: str | None = None
) -> InputContainer:
    try:
        container = av.open(address, format=driver, options=options, timeout=(_PATIENCE, _BLIND))
    except (av.FFmpegError, OSError, ValueError) as error:
        # without the error, which has the address in it
        raise NoSight(f"{name} cannot be opened ({_reason(error)})") from None
    decoder = container.streams.video[0].codec_context if container.streams.video else None
    if decoder is None:  # or one in a format that FFmpeg does not know
        container.close()
        raise NoSight(f"{name} has no picture that can be read")
    decoder.thread_count = 1  # other cores are the generator's
    decoder.options = {**decoder.options, "max_pixels": str(_LARGEST)}
    return container


def _reason(error: Exception) -> str:
    """Without the address: a password may stand in it."""
    if isinstance(error, av.ExitError):  # our patience was at its end
        return "it does not answer"
    return getattr(error, "strerror", None) or type(error).__name__
