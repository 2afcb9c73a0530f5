"""The exported user shader, run pass by pass as mpv's manual says, against torch."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import moderngl
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from installation.cli import main
from installation.engine import mpv
from models.upscaler import Chained, Upscaler, load_default
from tests.disk import fill
from tests.pieces import make_piece

VERTEX = """#version 330
out vec2 place;
void main() {
    place = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    gl_Position = vec4(place * 2.0 - 1.0, 0.0, 1.0);
}
"""
# What mpv offers for each texture that is bound.
BOUND = """uniform sampler2D {0}_raw;
uniform vec2 {0}_size;
#define {0}_pos place
#define {0}_pt (1.0 / {0}_size)
#define {0}_tex(pos) texture({0}_raw, pos)
#define {0}_texOff(off) {0}_tex({0}_pos + {0}_pt * vec2(off))
"""


@dataclass
class Block:
    """One pass of a user shader."""

    binds: list[str] = field(default_factory=list)
    save: str = "MAIN"
    width: str = "HOOKED.w"
    height: str = "HOOKED.h"
    body: str = ""


def blocks(text: str) -> list[Block]:
    found = []
    for part in re.split(r"(?m)^(?=//!DESC)", text)[1:]:
        block = Block()
        for line in part.splitlines():
            command, _, rest = line.partition(" ")
            match command:
                case "//!BIND":
                    block.binds.append(rest)
                case "//!SAVE":
                    block.save = rest
                case "//!WIDTH":
                    block.width = rest
                case "//!HEIGHT":
                    block.height = rest
                case "//!HOOK":
                    assert rest == "MAIN"
                case "//!COMPONENTS":
                    assert rest == "4"
                case _:
                    assert not line.startswith("//!") or command == "//!DESC", line
                    block.body += line + "\n"
        assert len(set(block.binds)) == len(block.binds) <= 16, "mpv binds no more"
        found.append(block)
    return found


def size(rule: str, hooked: int) -> int:
    """An expression in reverse Polish notation, of a number and HOOKED."""
    stack: list[float] = []
    for word in rule.split():
        if word == "*":
            stack.append(stack.pop() * stack.pop())
        else:
            stack.append(hooked if word.startswith("HOOKED.") else float(word))
    assert len(stack) == 1
    return round(stack[0])


def play(
    gl: moderngl.Context, text: str, x: torch.Tensor, dtype: str = "f4"
) -> NDArray[np.float32]:
    """Run all passes on a frame (1, 3, H, W); the picture (3, height, width)."""
    rgba = torch.cat([x, torch.ones_like(x[:, :1])], 1)[0].permute(1, 2, 0).contiguous().numpy()
    main_texture = gl.texture((x.shape[3], x.shape[2]), 4, rgba.tobytes(), dtype="f4")
    saved, made = {"MAIN": main_texture}, [main_texture]
    for block in blocks(text):
        textures = {name: saved["MAIN" if name == "HOOKED" else name] for name in block.binds}
        source = "#version 330\nin vec2 place;\nout vec4 result;\n"
        source += "".join(BOUND.format(name) for name in textures) + block.body
        source += "void main() { result = hook(); }\n"
        program = gl.program(vertex_shader=VERTEX, fragment_shader=source)
        for unit, (name, texture) in enumerate(textures.items()):
            texture.repeat_x = texture.repeat_y = False  # mpv clamps, and filters linearly
            texture.use(unit)
            for key, value in ((f"{name}_raw", unit), (f"{name}_size", texture.size)):
                if key in program:
                    program[key].value = value
        wide, tall = textures["HOOKED"].size
        target = gl.texture((size(block.width, wide), size(block.height, tall)), 4, dtype=dtype)
        framebuffer, triangle = gl.framebuffer([target]), gl.vertex_array(program, [])
        framebuffer.use()
        gl.enable_only(moderngl.NOTHING)
        triangle.render(moderngl.TRIANGLES, vertices=3)
        saved[block.save] = target
        made += [program, target, framebuffer, triangle]
    kind = {"f2": np.float16, "f4": np.float32}[dtype]
    out = saved["MAIN"]
    picture = np.frombuffer(out.read(), kind).reshape(out.height, out.width, 4).astype(np.float32)
    for thing in made:
        thing.release()
    return picture[..., :3].transpose(2, 0, 1)


def frame(width: int, height: int) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_scale_agrees_with_torch(gl: moderngl.Context, scale: int) -> None:
    torch.manual_seed(0)
    upscaler = Upscaler(scale, 8, 2).requires_grad_(False)
    torch.nn.init.normal_(upscaler.tail.weight, std=0.05)
    x = frame(31, 23)
    found = play(gl, mpv.text(upscaler, "test"), x)
    assert np.abs(found - upscaler(x)[0].numpy()).max() <= 1e-4


def test_a_chain_is_one_file(gl: moderngl.Context) -> None:
    torch.manual_seed(0)
    links = [Upscaler(scale, 4, 2).requires_grad_(False) for scale in (2, 3)]
    for link in links:
        torch.nn.init.normal_(link.tail.weight, std=0.05)
    network, x = Chained(*links), frame(17, 11)
    found = play(gl, mpv.text(network, "test"), x)
    assert np.abs(found - network(x)[0].numpy()).max() <= 1e-4


def test_the_shipped_weights_in_half_float(gl: moderngl.Context) -> None:
    upscaler, x = load_default(4, "T"), frame(65, 47)
    error = play(gl, mpv.text(upscaler, "test"), x, "f2") - upscaler(x)[0].numpy()
    assert np.abs(error).max() <= 1 / 255
    assert -10 * np.log10((error.astype(float) ** 2).mean()) >= 60


def test_an_artist_exports_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sharp.glsl"
    assert main(["export", "--tier", "T", "--scale", "4", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert out.read_text() == mpv.text(load_default(4, "T"), "Upscaler of tier T")
    piece = make_piece(tmp_path / "mine", 32, scale=3)
    assert main(["export", str(piece), "--out", str(out)]) == 0
    assert "The upscaler of mine" in out.read_text()
    assert len(list(tmp_path.glob("*.part"))) == 0


def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(monkeypatch)
    out = tmp_path / "a.glsl"
    assert main(["export", "--tier", "T", "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert told == f"installation export: {out} cannot be written: No space left on device\n"
    assert list(tmp_path.iterdir()) == []


def test_a_piece_without_an_upscaler_has_none_to_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    piece = make_piece(tmp_path / "bare", 32)
    assert main(["export", str(piece), "--out", str(tmp_path / "a.glsl")]) == 2
    assert "no upscaler of its own" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--tier", "Z"], "tier Z at ×2 ships; there are: T at ×2, S at ×2, M at ×2, T at ×3"),
        (["--scale", "9"], "×9"),
        (["--out", "/nowhere/a.glsl"], "folder that is there"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], said: str
) -> None:
    assert main(["export", "--out", str(tmp_path / "a.glsl"), *wrong]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())
