"""The small picture for whoever looks from elsewhere."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import moderngl
import numpy as np
import pytest
from PIL import Image

from installation import preview
from installation.controls import Controls
from installation.engine.textures import Target
from installation.output.offscreen import Offscreen
from installation.parameters import Bus
from installation.preview import Preview
from installation.venue import parse
from tests.gl_objects import Made
from tests.test_web import get
from tests.waiting import until


@pytest.fixture
def screen() -> Iterator[Offscreen]:
    made = Offscreen((64, 64))
    yield made
    made.close()


@pytest.fixture
def source(screen: Offscreen) -> Iterator[Target]:
    """Linear light: red above, blue below."""
    made = Target(screen.ctx, (800, 400))
    made.framebuffer.clear(1.0, 0.0, 0.0, viewport=(0, 200, 800, 200))
    made.framebuffer.clear(0.0, 0.0, 0.2, viewport=(0, 0, 800, 200))
    yield made
    made.release()


def look(made: Preview, source: moderngl.Texture, fade: float = 1.0) -> np.ndarray:
    """What somebody sees while frames pass."""
    with ThreadPoolExecutor(1) as other:
        seen = other.submit(made.jpeg)
        until(lambda: made.offer(source, 0.0, fade) or seen.done())
    data = seen.result()
    assert data is not None
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


def test_it_is_small_upright_and_as_bright_as_the_wall(
    screen: Offscreen, source: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "_EVERY", 0.0)
    made = Preview(screen.ctx)
    picture = look(made, source.texture)
    assert picture.shape == (180, 360, 3)
    assert picture[20:60].mean((0, 1)) == pytest.approx([255, 0, 0], abs=6)
    assert picture[120:160].mean((0, 1)) == pytest.approx([0, 0, 124], abs=6)  # sRGB of 0.2
    look(made, source.texture, 0.0)  # one that was under way
    assert look(made, source.texture, 0.0).max() < 8
    made.release()


def test_who_looks_again_after_a_while_sees_what_is_on_now(
    screen: Offscreen, source: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "_EVERY", 0.0)
    monkeypatch.setattr(preview, "_PATIENCE", 0.4)
    made = Preview(screen.ctx)
    look(made, source.texture)
    time.sleep(0.5)
    assert look(made, source.texture, 0.0).max() < 8  # the lights have gone down since
    made.release()


def test_without_anybody_nothing_is_made(
    screen: Offscreen, source: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "_PATIENCE", 0.01)
    objects = Made(monkeypatch)
    made = Preview(screen.ctx)
    made.offer(source.texture, 0.0, 1.0)
    assert objects.alive() == 0
    assert made.jpeg() is None  # no frame passes: the house is closed
    made.offer(source.texture, 0.0, 1.0)
    made.release()
    assert objects.alive() == 0


def test_the_house_serves_it_where_the_venue_wants_it() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    venue = parse(
        f"[osc]\nenabled = false\n[midi]\nenabled = false\n[web]\nenabled = true\nport = {port}\n",
        "here.toml",
    )
    controls = Controls(Bus(), venue, "Masks", lambda: b"a picture")
    controls.open()
    try:
        assert get(port, "/preview.jpg")[:2] == (200, b"a picture")
        info = get(port, "/?HOST_INFO")[1]
        assert b'"Masks"' in info
        assert b"OSC_PORT" not in info
    finally:
        controls.close()
    with pytest.raises(ConnectionRefusedError):
        get(port, "/")
