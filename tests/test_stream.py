"""The generator beside the renderer: newest request first, never stuck, faults survived."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from installation.engine.stream import Inline, Stream


class Painter:
    """Paints the first number of a point as a grey; can be told to be slow or to fail."""

    seconds = 0.0

    def __init__(self) -> None:
        self.painted: list[float] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fails = False

    def paint(self, points: np.ndarray) -> np.ndarray:
        self.gate.wait(5)
        if self.fails:
            raise RuntimeError("no memory")
        self.painted.append(float(points[0, 0]))
        return np.full((len(points), 4, 4, 4), int(points[0, 0]), np.uint8)


def point(value: float) -> np.ndarray:
    return np.array([[value]], np.float32)


def until(done: Callable[[], bool], seconds: float = 5.0) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.002)


def opened(painter: Painter) -> Stream:
    stream = Stream(lambda: painter)
    stream.start()
    until(lambda: stream.painter is not None)
    return stream


def test_a_request_comes_back_with_its_key() -> None:
    stream = opened(Painter())
    stream.request(point(7), key="cast")
    until(lambda: stream.newest is not None)
    assert stream.newest is not None
    assert stream.newest.key == "cast"
    assert stream.newest.pixels[0, 0, 0, 0] == 7
    stream.close()


def test_only_the_newest_request_is_painted() -> None:
    painter = Painter()
    stream = opened(painter)
    painter.gate.clear()
    stream.request(point(1))
    until(lambda: stream._wanted is None)  # the first is under way
    for value in range(2, 50):
        stream.request(point(value))
    painter.gate.set()
    until(lambda: stream.newest is not None and stream.newest.number == 2)
    assert painter.painted == [1, 49]
    stream.close()


def test_a_picture_that_fails_leaves_the_last_one_and_the_next_works() -> None:
    painter = Painter()
    stream = opened(painter)
    stream.request(point(3))
    until(lambda: stream.newest is not None)
    painter.fails = True
    stream.request(point(4))
    until(lambda: stream.error is not None)
    assert stream.newest is not None
    assert stream.newest.pixels[0, 0, 0, 0] == 3
    painter.fails = False
    stream.request(point(5))
    until(lambda: stream.newest is not None and stream.newest.number == 2)
    stream.close()


def test_a_painter_that_does_not_open_is_told() -> None:
    def broken() -> Painter:
        raise OSError("no such weights")

    stream = Stream(broken)
    stream.start()
    until(lambda: stream.error is not None)
    assert "no such weights" in str(stream.error)
    stream.close()


def test_a_painter_that_does_not_recover_is_opened_anew_and_then_given_up() -> None:
    clock, broken, works = [0.0], Painter(), Painter()
    broken.fails = True
    painters = iter([broken, works, works])
    stream = Stream(lambda: next(painters), lambda: clock[0])
    stream.start()

    def ask() -> None:
        stream.request(point(1))
        until(lambda: stream._wanted is None)
        time.sleep(0.02)

    ask()
    clock[0] = 9.0
    ask()
    assert stream.painter is broken
    clock[0] = 11.0
    ask()
    until(lambda: stream.painter is works)
    ask()
    until(lambda: stream.newest is not None)
    works.fails = True
    for seconds in (1000.0, 1011.0, 1012.0):  # it has rested in between, which is no failure
        assert stream.painter is works
        clock[0] = seconds
        ask()
    assert stream.painter is works  # opened anew
    clock[0] = 1023.0
    ask()
    until(lambda: stream.painter is None)
    assert str(stream.error) == "no memory"
    stream.close()


def test_a_rest_does_not_count_as_a_slow_picture() -> None:
    clock = [0.0]
    stream = Stream(lambda: Painter(), lambda: clock[0])
    stream.start()

    def paint(at: float, cast: str) -> float:
        clock[0] = at
        seen = 0 if stream.newest is None else stream.newest.number
        stream.request(point(1), cast)
        until(lambda: stream.newest is not None and stream.newest.number > seen)
        assert stream.newest is not None
        return stream.newest.interval

    assert [paint(0.1 * (n + 1), "a") for n in range(4)] == pytest.approx([0.1] * 4)
    assert paint(300.0, "b") == pytest.approx(0.1)  # on again after minutes
    assert paint(300.2, "b") == pytest.approx(0.12)
    assert paint(30000.0, "b") == pytest.approx(0.12)  # the same scene in the morning
    assert paint(30000.2, "b") == pytest.approx(0.136)
    stream.close()


def test_closing_waits_for_the_picture_that_has_begun() -> None:
    painter = Painter()
    stream = opened(painter)
    painter.gate.clear()
    stream.request(point(1))
    until(lambda: stream._wanted is None)
    closing = threading.Thread(target=stream.close)
    closing.start()
    assert closing.is_alive()
    painter.gate.set()
    closing.join(5)
    assert not closing.is_alive()
    assert painter.painted == [1]


def test_inline_paints_every_request_at_once() -> None:
    painter = Painter()
    stream = Inline(painter)
    for value in (1, 2, 3):
        stream.request(point(value), key=value)
        assert stream.newest is not None
        assert (stream.newest.number, stream.newest.key) == (value, value)
    assert painter.painted == [1, 2, 3]
