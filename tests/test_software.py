"""Where OpenGL draws on the processor, the generator's thread is not to wait for the drawing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import moderngl
import pytest

import shaders
from installation.engine import software
from installation.engine.programs import Program
from installation.engine.textures import Target

# Long enough that another thread, once it may, has surely begun before it is drawn.
_LONG = """
uniform float amount; // = 0.5
void main() {
    float x = uv.x * amount;
    for (int k = 0; k < 3000; k++) x = fract(sin(x + uv.y) * 43.7);
    color = vec4(x, x, x, 1.0);
}
"""


@pytest.fixture
def only_who_lets_go() -> Iterator[None]:
    """A thread that runs keeps Python's lock until it gives it away by itself."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000.0)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize(
    ("renderer", "processor"),
    [
        ("llvmpipe (LLVM 15.0.6, 256 bits)", True),
        ("Google SwiftShader", True),
        ("NVIDIA H100/PCIe/SSE2", False),
        ("Mesa Intel(R) UHD Graphics 620 (KBL GT2)", False),
        ("AMD Radeon RX 6600 (radeonsi, navi23, LLVM 15.0.6)", False),
    ],
)
def test_who_draws_is_known_by_name(renderer: str, processor: bool) -> None:
    assert software.draws_on_the_processor(renderer) is processor


@pytest.mark.usefixtures("only_who_lets_go")
def test_another_thread_works_while_it_is_drawn(
    gl: moderngl.Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(software, "draws_on_the_processor", lambda renderer: True)
    (tmp_path / "long.glsl").write_text(_LONG)
    program = Program(gl, shaders.load(str(tmp_path / "long.glsl")))
    target = Target(gl, (512, 512))
    began, may, worked = threading.Event(), threading.Event(), []

    def work() -> None:
        began.set()
        may.wait()
        worked.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    may.set()
    assert not worked
    program.draw(target.framebuffer, {}, {"amount": 0.5})
    found = list(worked)
    thread.join()
    assert found
    target.release()
    program.release()


def test_nothing_is_waited_for_on_a_gpu(
    gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(software, "draws_on_the_processor", lambda renderer: False)
    assert software.lets_go(gl) is software._nothing


def test_without_the_library_it_is_drawn_all_the_same(
    gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(software, "draws_on_the_processor", lambda renderer: True)
    monkeypatch.setattr(software, "_LIBRARIES", ("libNowhere.so.0",))
    software._finish.cache_clear()
    try:
        assert software.lets_go(gl) is software._nothing
    finally:
        software._finish.cache_clear()
