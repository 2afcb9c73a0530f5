"""The upscaler's shaders against torch, per layer and at the end."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from installation.engine.chain import Chain
from installation.engine.convolution import parts
from installation.engine.fragments import FragmentUpscaler
from installation.engine.naive import NaiveUpscaler
from installation.engine.tiles import REQUIRED, TileUpscaler
from installation.engine.tiles import layer as layer_text
from installation.engine.tiles import picture as picture_text
from installation.engine.upscale import ShaderUpscaler
from models.upscaler import CHAINS, SCALES, TIERS, Upscaler, load_default, shipped
from tests.processes import apart

LEVEL = 1 / 255
KINDS = (FragmentUpscaler, TileUpscaler)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.backend)
def kind(request: pytest.FixtureRequest, gl: moderngl.Context) -> type[ShaderUpscaler]:
    """Each back end that this context can run."""
    if request.param is TileUpscaler and gl.version_code < REQUIRED:
        pytest.skip("needs GL 4.3")
    found: type[ShaderUpscaler] = request.param
    return found


def noisy(scale: int, tier: str, seed: int = 0) -> Upscaler:
    """A network with random weights whose residual is as large as the picture."""
    torch.manual_seed(seed)
    upscaler = Upscaler(scale, **TIERS[tier]).eval().requires_grad_(False)
    torch.nn.init.normal_(upscaler.tail.weight, std=0.02)
    for name, parameter in upscaler.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter, std=0.1)
    return upscaler


def picture(size: tuple[int, int], seed: int = 0) -> torch.Tensor:
    """(1, 3, H, W): smooth in one half, white noise in the other."""
    width, height = size
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(1, 3, height, width, generator=generator)
    x[..., : width // 2] = torch.linspace(0, 1, height)[:, None]
    return x


def upload(gl: moderngl.Context, x: torch.Tensor, dtype: str = "f4") -> moderngl.Texture:
    rgba = torch.cat([x, torch.full_like(x[:, :1], 0.3)], 1)[0].permute(1, 2, 0).numpy()
    if dtype == "f1":
        rgba = np.round(rgba * 255).astype(np.uint8)
    kind = {"f1": np.uint8, "f2": np.float16, "f4": np.float32}[dtype]
    return gl.texture((x.shape[3], x.shape[2]), 4, rgba.astype(kind).tobytes(), dtype=dtype)


def read(texture: moderngl.Texture) -> NDArray[np.float32]:
    """(4, H, W) float32."""
    kind = {"f2": np.float16, "f4": np.float32}[texture.dtype]
    pixels = np.frombuffer(texture.read(alignment=1), kind)
    return pixels.reshape(texture.height, texture.width, 4).transpose(2, 0, 1).astype(np.float32)


def worst(
    gl: moderngl.Context,
    upscaler: Upscaler,
    size: tuple[int, int],
    dtype: Any,
    kind: type[ShaderUpscaler] = FragmentUpscaler,
) -> dict[str, float]:
    """Largest difference from torch by layer."""
    x = picture(size)
    frame = upload(gl, x)
    runner = kind(gl, upscaler, size, dtype)
    wanted = {**upscaler.layers(x), "output": upscaler(x)}
    if kind is TileUpscaler:
        del wanted["phases"]  # they never leave the last dispatch
    found = runner.layers(frame)
    runner.release()
    frame.release()
    assert list(found) == list(wanted)
    return {k: float(np.abs(found[k] - wanted[k][0].numpy()).max()) for k in wanted}


def half(
    gl: moderngl.Context, upscaler: Upscaler, size: tuple[int, int], kind: type[ShaderUpscaler]
) -> tuple[float, float]:
    """The half-float output against torch: largest difference, and decibels."""
    x = picture(size)
    frame = upload(gl, x)
    runner = kind(gl, upscaler, size)
    error = read(runner.render(frame))[:3] - upscaler(x)[0].numpy()
    runner.release()
    frame.release()
    return float(np.abs(error).max()), float(-10 * np.log10((error.astype(float) ** 2).mean()))


@pytest.mark.parametrize(("scale", "size"), [(2, (65, 47)), (3, (65, 47)), (4, (128, 64))])
def test_every_layer_agrees_with_torch(
    gl: moderngl.Context, kind: type[ShaderUpscaler], scale: int, size: tuple[int, int]
) -> None:
    upscaler = noisy(scale, "T")
    assert max(worst(gl, upscaler, size, "f4", kind).values()) <= 1e-5
    assert half(gl, upscaler, size, kind)[0] <= LEVEL


@pytest.mark.parametrize(
    ("tier", "scale"), [(tier, scale) for scale in SCALES for tier in shipped(scale)]
)
def test_the_shipped_weights_agree_with_torch(
    gl: moderngl.Context, kind: type[ShaderUpscaler], tier: str, scale: int
) -> None:
    upscaler, odd = load_default(scale, tier), (65, 47)
    assert isinstance(upscaler, Upscaler)
    assert max(worst(gl, upscaler, odd, "f4", kind).values()) <= 1e-5
    difference, decibels = half(gl, upscaler, odd, kind)
    assert difference <= LEVEL
    assert decibels >= 60


@pytest.mark.parametrize(
    ("tier", "scale"), [(tier, scale) for scale in CHAINS for tier in shipped(scale)]
)
def test_the_shipped_chains_agree_with_torch(
    gl: moderngl.Context, kind: type[ShaderUpscaler], tier: str, scale: int
) -> None:
    """In half floats, as they are drawn: what is between two networks is rounded too."""
    network, x = load_default(scale, tier), picture((33, 25))
    frame = upload(gl, x)
    chain = Chain(gl, network, (33, 25), kind)
    error = read(chain.render(frame))[:3] - network(x)[0].numpy()
    chain.release()
    frame.release()
    assert np.abs(error).max() <= LEVEL
    assert -10 * np.log10((error.astype(float) ** 2).mean()) >= 60


def test_other_channels_and_depth(gl: moderngl.Context, kind: type[ShaderUpscaler]) -> None:
    torch.manual_seed(3)
    upscaler = Upscaler(3, channels=12, depth=1).requires_grad_(False)
    assert max(worst(gl, upscaler, (19, 9), "f4", kind).values()) <= 1e-5


@pytest.mark.parametrize("scale", SCALES)
def test_it_draws_into_nothing_that_a_driver_may_refuse(gl: moderngl.Context, scale: int) -> None:
    """GL 3.3 promises half floats by four as render targets, and not by three."""
    made = FragmentUpscaler(gl, noisy(scale, "T"), (8, 8))
    assert {one.components for step in made._steps for one in step.writes} == {4}
    made.release()


def test_the_widest_tile_fits_the_memory_that_every_driver_has() -> None:
    texts = [layer_text(8, 8, True, "rgba16f")]
    for scale in SCALES:
        rows = parts(scale)
        texts += [picture_text(Upscaler(scale, 32), rows[i : i + 2], "rgba16f") for i in (0, 2)]
    for text in texts:
        constants = {name: int(value) for name, value in re.findall(r"(\w+) = (\d+)", text)}
        vectors = constants["TEXELS"] + 9 * constants["OUTPUTS"] * 4
        assert re.findall(r"shared vec4 \w+\[(.*)\]", text) == ["TEXELS", "9 * OUTPUTS * 4"]
        assert 16 * vectors <= 32768


def test_layers_of_one_shape_are_compiled_once(gl: moderngl.Context) -> None:
    if gl.version_code < REQUIRED:
        pytest.skip("needs GL 4.3")
    made = TileUpscaler(gl, noisy(2, "T"), (8, 8))
    for _ in made.warm():
        pass
    assert made.passes == 5
    assert len(made._programs) == 4  # the head, two of the body, its last, the picture
    made.release()


def test_the_naive_layout_draws_the_same_picture(gl: moderngl.Context) -> None:
    """Else the bench would compare with something else."""
    upscaler = Upscaler(2, channels=4, depth=1).requires_grad_(False)
    torch.nn.init.normal_(upscaler.tail.weight, std=0.05)
    assert max(worst(gl, upscaler, (19, 9), "f4", NaiveUpscaler).values()) <= 1e-5


def test_many_channels_split_over_passes(gl: moderngl.Context) -> None:
    """With few render targets a layer takes several passes and says the same."""
    torch.manual_seed(5)
    upscaler = Upscaler(2, channels=20, depth=2).requires_grad_(False)
    x = picture((33, 21))
    frame = upload(gl, x)
    runner = FragmentUpscaler(gl, upscaler, (33, 21), "f4", targets=3)
    found, wanted = runner.layers(frame), upscaler.layers(x)
    assert found["body.1"].shape == (20, 21, 33)
    for name, tensor in wanted.items():
        assert np.abs(found[name] - tensor[0].numpy()).max() <= 1e-5
    runner.release()
    frame.release()


@pytest.mark.parametrize("dtype", ["f1", "f2"])
def test_frames_of_either_kind_whatever_their_sampling(
    gl: moderngl.Context, kind: type[ShaderUpscaler], dtype: str
) -> None:
    """Filter and wrapping of the frame are its owner's, and must not matter here."""
    x = (picture((40, 30)) * 255).round() / 255
    upscaler = noisy(2, "T")
    frame = upload(gl, x, dtype)
    frame.filter = (moderngl.LINEAR, moderngl.LINEAR)
    frame.repeat_x = frame.repeat_y = True
    runner = kind(gl, upscaler, (40, 30))
    out = runner.render(frame)
    assert out.size == (80, 60)
    assert out.dtype == "f2"
    assert np.abs(read(out)[:3] - upscaler(x)[0].numpy()).max() <= LEVEL
    assert (read(out)[3] == 1).all()
    assert runner.render(frame) is out
    runner.release()
    frame.release()


def test_warming_up_leaves_room_for_other_drawing(
    gl: moderngl.Context, kind: type[ShaderUpscaler]
) -> None:
    """Between the pauses the stage draws with its own state; the picture is the same after."""
    x = picture((24, 24))
    upscaler = noisy(2, "T")
    frame = upload(gl, x)
    other = gl.simple_framebuffer((4, 4))
    runner = kind(gl, upscaler, (24, 24), "f4")
    pauses = 0
    for _ in runner.warm():
        other.use()
        gl.enable(moderngl.BLEND)
        other.clear(1.0, 0.0, 0.0)
        pauses += 1
    assert pauses == runner.passes
    assert other.read() == bytes([255, 0, 0] * 16)
    assert np.abs(read(runner.render(frame))[:3] - upscaler(x)[0].numpy()).max() <= 1e-5
    for thing in (runner, frame, other):
        thing.release()


def test_strength_is_live_and_zero_is_catmull_rom(
    gl: moderngl.Context, kind: type[ShaderUpscaler]
) -> None:
    x = picture((24, 24))
    upscaler = noisy(3, "T")
    frame = upload(gl, x)
    runner = kind(gl, upscaler, (24, 24), "f4")
    for strength in (0.0, 0.4, 1.0, 0.0):
        runner.strength = strength
        found = read(runner.render(frame))[:3]
        assert np.abs(found - upscaler(x, strength)[0].numpy()).max() <= 1e-5
    base = torch.pixel_shuffle(upscaler.base(x), 3).clamp(0, 1)[0].numpy()
    assert np.abs(found - base).max() <= 1e-5
    runner.release()
    frame.release()


def test_alpha_is_ignored_whatever_it_is(gl: moderngl.Context, kind: type[ShaderUpscaler]) -> None:
    for upscaler in (noisy(2, "T"), Upscaler(2, channels=4, depth=1).requires_grad_(False)):
        pixels = np.full((8, 8, 4), 0.5, np.float16)
        pixels[..., 3] = np.inf
        frame, runner = (
            gl.texture((8, 8), 4, pixels.tobytes(), dtype="f2"),
            kind(gl, upscaler, (8, 8)),
        )
        wanted = upscaler(torch.full((1, 3, 8, 8), 0.5))[0].numpy()
        assert np.abs(read(runner.render(frame))[:3] - wanted).max() <= LEVEL
        runner.release()
        frame.release()


def test_later_passes_sample_the_frame_as_its_owner_set_it(
    gl: moderngl.Context, kind: type[ShaderUpscaler]
) -> None:
    """The nearest sampler that the upscaler binds does not outlive its passes."""
    frame = gl.texture((2, 1), 4, bytes([0, 0, 0, 255, 255, 255, 255, 255]))
    frame.filter = (moderngl.LINEAR, moderngl.LINEAR)
    runner = kind(gl, noisy(2, "T"), (2, 1))
    runner.render(frame)
    program = gl.program(
        vertex_shader="#version 330\nvoid main() { gl_Position = vec4(vec2(gl_VertexID & 1,"
        " gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }",
        fragment_shader="#version 330\nuniform sampler2D frame; out vec4 c;"
        "void main() { c = texture(frame, vec2(0.5)); }",
    )
    target = gl.simple_framebuffer((1, 1))
    target.use()
    frame.use(0)
    vertices = gl.vertex_array(program, [])
    vertices.render(moderngl.TRIANGLES, vertices=3)
    assert 120 <= target.read(components=1)[0] <= 135
    for thing in (vertices, program, target, runner, frame):
        thing.release()


def test_a_zero_network_is_no_error(gl: moderngl.Context, kind: type[ShaderUpscaler]) -> None:
    """The GLSL compiler drops samplers that only zeros read."""
    upscaler = Upscaler(2, 8, 3).requires_grad_(False)
    for parameter in upscaler.parameters():
        parameter.zero_()
    assert max(worst(gl, upscaler, (8, 8), "f4", kind).values()) <= 1e-6


def test_wrong_sizes_are_refused(gl: moderngl.Context, kind: type[ShaderUpscaler]) -> None:
    with pytest.raises(ValueError, match="0 × 4"):
        kind(gl, noisy(2, "T"), (0, 4))
    runner = kind(gl, noisy(2, "T"), (8, 8))
    frame = gl.texture((8, 9), 4)
    with pytest.raises(ValueError, match="made for"):
        runner.render(frame)
    runner.release()
    frame.release()


KEPT = (
    "texture", "program", "compute_shader", "vertex_array", "framebuffer", "sampler", "buffer",
)  # fmt: skip


class Ledger:
    """A context that remembers every object it made."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self.ctx = ctx
        self.made: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.ctx, name)
        if name not in KEPT:
            return found

        def make(*args: Any, **kwargs: Any) -> Any:
            self.made.append(found(*args, **kwargs))
            return self.made[-1]

        return make


def test_release_frees_everything(gl: moderngl.Context, kind: type[ShaderUpscaler]) -> None:
    ledger = Ledger(gl)
    frame = gl.texture((8, 8), 4)
    runner = kind(ledger, noisy(2, "T"), (8, 8))  # type: ignore[arg-type]
    runner.render(frame)
    runner.release()
    runner.release()
    frame.release()
    assert len(ledger.made) >= 12
    assert all(isinstance(thing.mglo, moderngl.InvalidObject) for thing in ledger.made)


def test_a_shader_the_driver_refuses_leaves_nothing(
    gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("installation.engine.fragments.shuffle", lambda scale: "no shader")
    ledger, frame = Ledger(gl), gl.texture((8, 8), 4)
    runner = FragmentUpscaler(ledger, noisy(2, "T"), (8, 8))  # type: ignore[arg-type]
    with pytest.raises(moderngl.Error):
        runner.render(frame)
    frame.release()
    assert all(isinstance(thing.mglo, moderngl.InvalidObject) for thing in ledger.made)


def _in_another_context(version: str, path: Path) -> None:
    """Draw in a context of this version, where Mesa gives one, and save what was drawn."""
    os.environ["MESA_GL_VERSION_OVERRIDE"] = version
    os.environ["MESA_GLSL_VERSION_OVERRIDE"] = version.replace(".", "") + "0"
    gl = moderngl.create_context(standalone=True, backend="egl", require=330)
    upscaler, x = noisy(3, "T"), picture((65, 47))
    errors = worst(gl, upscaler, (65, 47), "f4")
    runner = FragmentUpscaler(gl, upscaler, (65, 47), "f4")
    layers = runner.layers(upload(gl, x))
    np.savez(path, version=gl.version_code, error=max(errors.values()), **layers)


def test_gl_3_3_and_4_3_draw_the_same(gl: moderngl.Context, tmp_path: Path) -> None:
    """Mesa is told to offer 3.3 alone, then 4.3; other drivers ignore it and offer their own."""
    runs = {}
    for version in ("3.3", "4.3"):
        path = tmp_path / f"{version}.npz"
        assert apart(_in_another_context, version, path) == 0
        runs[version] = np.load(path)
        assert runs[version]["error"] <= 1e-5
    if "Mesa" in gl.info["GL_VERSION"]:
        assert runs["3.3"]["version"] == 330
        assert runs["4.3"]["version"] >= 430
    for name in runs["3.3"].files:
        if name not in ("version", "error"):
            assert np.array_equal(runs["3.3"][name], runs["4.3"][name]), name
