"""Figures for other programs: TensorBoard's event files, and an HTTP page that Prometheus reads.

Both need the extra `dashboards`; whoever does not ask for them needs neither library.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from training import UsageError

FOLDER = "tensorboard"
_PREFIX = "installation_train"
_CODE = "mi_"  # begins the mutual information of a code
_MEANING = {
    "kimg": "Thousands of images shown.",
    "seconds": "Seconds of training, earlier runs included.",
    "spent": "Share of the budget used up, 0 to 1.",
    "seconds_left": "Seconds until the budget is used up.",
    "images_per_second": "Images shown a second, since the record before.",
    "discriminator": "Mean loss of the discriminator since the record before.",
    "generator": "Mean loss of the generator since the record before.",
    "penalty": "Mean squared gradient of the discriminator (R1 + R2).",
    "diversity": "Diversity of the fixed grid, as a share of the real images' own.",
    "augment": "How often images are augmented, 0 to 1.",
    "real_logit": "Mean logit of the discriminator on images it learns from.",
    "val_logit": "The same on images held out.",
    "fake_logit": "The same on drawn pictures.",
    "fd": "Frechet distance in the project's own encoder; never FID.",
    "skipped_steps": "Steps skipped because their numbers were not finite.",
    "codes_mi": "Mutual information of each code with the picture, nats.",
    "watching": "Share of the training time spent on watching it.",
}


class BoardError(UsageError):
    """A board that cannot be opened. One line."""


class Board(Protocol):
    """Takes figures and pictures as they come. May raise OSError, and takes the next all the same.

    data, size: a PNG, and its width and height.
    """

    def figures(self, record: Mapping[str, float]) -> None: ...
    def picture(self, name: str, data: bytes, size: tuple[int, int], kimg: float) -> None: ...
    def close(self) -> None: ...


@contextmanager
def open_boards(folder: Path, metrics: str | None, tensorboard: bool) -> Iterator[list[Board]]:
    """The boards that were asked for. metrics: PORT or HOST:PORT. Raises BoardError.

    Nothing is written yet; the port is listened on from now.
    """
    boards: list[Board] = [TensorBoard(folder / FOLDER)] if tensorboard else []
    if metrics is not None:
        boards.append(Metrics(*address(metrics)))
    try:
        yield boards
    finally:
        for board in boards:
            board.close()


def address(text: str) -> tuple[str, int]:
    """`9100` or `0.0.0.0:9100`; this machine alone where no host is named. Raises BoardError."""
    host, _, port = text.strip().rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise BoardError(f"--metrics {text}: write it as 9100, or 0.0.0.0:9100 to let others read")
    return host.strip("[]") or "127.0.0.1", int(port)


class TensorBoard:
    """Scalars and pictures under <piece>.training/tensorboard; the step is images shown.

    Written at once and here, not by a thread: the library's own writer was made for disks that are
    never full. After a failure a new file is begun, as nothing behind half a record is read.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.compat.proto.summary_pb2 import Summary
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError as error:
            raise BoardError(_missing("--tensorboard")) from error
        self.folder = folder
        self._event, self._summary, self._records = Event, Summary, RecordWriter
        self._file: BinaryIO | None = None

    def figures(self, record: Mapping[str, float]) -> None:
        values = [
            self._summary.Value(tag=key, simple_value=value)
            for key, value in record.items()
            if key != "kimg"
        ]
        self._add(record["kimg"], values)

    def picture(self, name: str, data: bytes, size: tuple[int, int], kimg: float) -> None:
        image = self._summary.Image(
            width=size[0], height=size[1], colorspace=3, encoded_image_string=data
        )
        self._add(kimg, [self._summary.Value(tag=name, image=image)])

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _add(self, kimg: float, values: list[Any]) -> None:
        try:
            file = self._file = self._file or self._begin()
            self._write(file, step=round(kimg * 1000), summary=self._summary(value=values))
        except OSError:
            with suppress(OSError):  # it would tell of the same full disk again
                self.close()
            raise

    def _begin(self) -> BinaryIO:
        self.folder.mkdir(exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns() // 1000:020d}.installation"
        file = (self.folder / name).open("wb")
        self._write(file, file_version="brain.Event:2")
        return file

    def _write(self, file: BinaryIO, **content: Any) -> None:
        event = self._event(wall_time=time.time(), **content)
        self._records(file).write(event.SerializeToString())
        file.flush()


class Metrics:
    """http://HOST:PORT/metrics. A figure is a gauge; those of codes, mi_hair and mi_eyes, one
    gauge with a label. Pictures are not for it."""

    def __init__(self, host: str, port: int) -> None:
        try:
            from prometheus_client import CollectorRegistry, Gauge, start_http_server
        except ImportError as error:
            raise BoardError(_missing("--metrics")) from error
        self._registry, self._gauge = CollectorRegistry(), Gauge
        self._gauges: dict[str, Any] = {}
        try:
            self._server, self._thread = start_http_server(port, host, self._registry)
        except OSError as error:
            raise BoardError(
                f"--metrics {host}:{port}: {error.strerror or error}; choose another port"
            ) from error
        self.port: int = self._server.server_port

    def figures(self, record: Mapping[str, float]) -> None:
        for key, value in record.items():
            of_code = key.startswith(_CODE)
            name, part = ("codes_mi", key.removeprefix(_CODE)) if of_code else (key, "")
            gauge = self._gauges.get(name)
            if gauge is None:
                gauge = self._gauges[name] = self._gauge(
                    f"{_PREFIX}_{re.sub(r'[^A-Za-z0-9_]', '_', name)}",
                    _MEANING.get(name, name),
                    ["code"] if of_code else [],
                    registry=self._registry,
                )
            (gauge.labels(part) if of_code else gauge).set(value)

    def picture(self, name: str, data: bytes, size: tuple[int, int], kimg: float) -> None:
        pass

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _missing(option: str) -> str:
    return f"{option} needs a library that is not there: pip install 'installation[dashboards]'"
