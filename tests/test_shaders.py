"""Shader files: found, read, compiled, and doing nothing where they say so."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import moderngl
import numpy as np
import pytest

import shaders
from installation import scene
from installation.engine.mix import Mixer
from installation.engine.passes import PassChain
from installation.engine.programs import Program, explain
from installation.engine.shade import Shade
from installation.engine.textures import Target
from installation.scene import Pass
from shaders import ShaderError
from tests.drawing import encoded, linear_target, read
from tests.gl_objects import Made
from tests.visitors import silhouette

EXACT = 1 / 1024
FILES = [name for folder in ("post", "mix", "output") for name in shaders.names(folder)]
SIZE = (48, 32)


@pytest.fixture
def pictures(gl: moderngl.Context) -> list[Target]:
    rng = np.random.default_rng(7)
    return [linear_target(gl, rng.random((SIZE[1], SIZE[0], 3), np.float32)) for _ in range(2)]


def draw_alone(
    gl: moderngl.Context, name: str, pictures: list[Target], **values: float
) -> np.ndarray:
    """Render one shader file, all its stages, on the test pictures."""
    shader = shaders.load(name)
    a, b = (one.texture for one in pictures)
    shade = Shade(gl)
    shade.show(np.uint8(255) * silhouette())
    textures = {"source": a, "original": a, "previous": b, "before": b, "a": a, "b": b}
    textures |= {"shade": shade.texture, "mask": a}
    for stage, part in enumerate(shader.stages):
        target = Target(gl, (round(SIZE[0] * part), round(SIZE[1] * part)))
        program = Program(gl, shader, stage)
        program.draw(target.framebuffer, textures, values, time=1.0, dt=1 / 60)
        textures["source"] = target.texture
        program.release()
    shade.release()
    return read(gl, textures["source"])


@pytest.mark.parametrize("name", FILES)
def test_runs_alone_and_stays_finite(gl: moderngl.Context, pictures: list, name: str) -> None:
    assert np.isfinite(draw_alone(gl, name, pictures)).all()
    for uniform in shaders.load(name).uniforms:
        assert uniform.doc, f"{name}: {uniform.name} has no doc"
        for value in (-1.0, 0.0, 1.0, 10.0):
            drawn = draw_alone(gl, name, pictures, **{uniform.name: value})
            assert np.isfinite(drawn).all(), f"{name}: {uniform.name}={value}"


@pytest.mark.parametrize("name", FILES)
def test_of_several_outputs_each_says_where_it_goes(name: str) -> None:
    """Beside one that says so GL may put another anywhere, the same place included."""
    outputs = re.findall(r"^(.*)\bout vec4 \w+;", shaders.load(name).body, re.MULTILINE)
    assert len(outputs) == 1 or all(one.startswith("layout(location") for one in outputs)


@pytest.mark.parametrize("name", shaders.names("post"))
def test_neutral_changes_nothing(gl: moderngl.Context, pictures: list, name: str) -> None:
    neutral = dict(shaders.load(name).neutral)
    assert neutral, f"{name} does not say at what values it changes nothing"
    drawn = draw_alone(gl, name, pictures, **neutral)
    assert np.abs(drawn - read(gl, pictures[0].texture)).max() < EXACT


@pytest.mark.parametrize("name", shaders.names("post"))
def test_default_changes_something(gl: moderngl.Context, pictures: list, name: str) -> None:
    chosen = {"exposure": 0.5} if name == "post/grade" else {}  # a grade begins neutral
    drawn = draw_alone(gl, name, pictures, **chosen)
    assert np.abs(drawn - read(gl, pictures[0].texture)).max() > 0.01


def test_the_one_that_the_guide_prints_works(
    gl: moderngl.Context, pictures: list, tmp_path: Path
) -> None:
    guide = (Path(shaders.__file__).parent / "README.md").read_text(encoding="utf-8")
    before, _, after = guide.partition("One that is whole, `tint.glsl`:\n\n")
    assert before
    (tmp_path / "tint.glsl").write_text(textwrap.dedent(after.partition("\n\n")[0]))
    drawn = draw_alone(gl, str(tmp_path / "tint.glsl"), pictures, amount=1.0)
    assert np.ptp(drawn[..., :3], axis=-1).max() < EXACT  # grey


@pytest.mark.parametrize("name", shaders.names("mix"))
def test_transitions_end_exactly(gl: moderngl.Context, pictures: list, name: str) -> None:
    a, b = (read(gl, one.texture) for one in pictures)
    assert np.abs(draw_alone(gl, name, pictures, progress=0.0) - a).max() < EXACT
    assert np.abs(draw_alone(gl, name, pictures, progress=1.0) - b).max() < EXACT
    mixer = Mixer(gl, SIZE, name)
    half = read(gl, mixer.render(pictures[0].texture, pictures[1].texture, 0.5))
    assert np.abs(half - a).mean() > 0.05
    assert np.abs(half - b).mean() > 0.05
    mixer.release()


def test_a_dissolve_out_of_black_or_into_it_has_no_step(gl: moderngl.Context) -> None:
    """Four seconds at 60 frames a second, in levels of the screen."""
    black, white = (linear_target(gl, np.full((*SIZE[::-1], 3), light)) for light in (0.0, 1.0))
    mixer, levels = Mixer(gl, SIZE), []
    for frame in (0, 1, 239, 240):
        for a, b in ((black, white), (white, black)):
            drawn = mixer.render(a.texture, b.texture, frame / 240)
            levels.append(encoded(gl, drawn).mean())
    mixer.release()
    steps = np.diff(np.reshape(levels, (2, 2, 2)), axis=1)  # at the beginning and at the end
    assert np.abs(steps).max() < 2


@pytest.mark.parametrize("name", scene.shipped())
def test_passes_of_scenes_set_uniforms_there_are(gl: moderngl.Context, name: str) -> None:
    PassChain(gl, scene.load(name).passes, SIZE, Shade(gl)).release()


def test_unknown_uniform_names_those_there_are(gl: moderngl.Context) -> None:
    with pytest.raises(ShaderError, match=r"post/bloom has no uniform 'ammount'.*amount, radius"):
        PassChain(gl, [Pass("post/bloom", ammount=1.0)], SIZE, Shade(gl))


def test_unknown_shader_names_those_there_are(gl: moderngl.Context) -> None:
    with pytest.raises(ShaderError, match=r"no shader 'post/blom'; there are: post/bloom"):
        PassChain(gl, [Pass("post/blom")], SIZE, Shade(gl))


def test_picture_that_is_not_given_is_refused(gl: moderngl.Context, tmp_path: Path) -> None:
    own = tmp_path / "own.glsl"
    own.write_text("uniform sampler2D lut;\nvoid main() { color = texture(lut, uv); }\n")
    with pytest.raises(ShaderError, match=r"reads 'lut'; it is given only source, original"):
        PassChain(gl, [Pass(str(own))], SIZE, Shade(gl))


@pytest.mark.parametrize("wanted", ["../secret", "/etc/hostname", "lib/../../x", "lib//color", ""])
def test_includes_cannot_leave_the_folder(tmp_path: Path, wanted: str) -> None:
    own = tmp_path / "own.glsl"
    own.write_text(f'// mine\n#include "{wanted}"\nvoid main() {{}}\n')
    with pytest.raises(ShaderError, match=r"own\.glsl:2: only shaders that ship"):
        shaders.load(str(own))


@pytest.mark.parametrize("name", ["../shaders/post/bloom", "post/../../x", ".", "", "post/bloom\n"])
def test_names_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(ShaderError, match="is no shader"):
        shaders.read(name)


def test_include_stands_in_place_once(tmp_path: Path) -> None:
    own = tmp_path / "own.glsl"
    own.write_text('#include "lib/color.glsl"\n#include "lib/color"\nvoid main() {}\n')
    assert shaders.load(str(own)).body.count("vec3 to_linear(vec3 c) {") == 1


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("//@ stages 1/4", "the last of them 1"),
        ("//@ stages 2 1", "'2' is not a fraction"),
        ("//@ stages 1/0 1", "'1/0' is not a fraction"),
        ("//@ blur", "blur is not known"),
        ("//@ neutral amonut=0", "'amonut=0' is not like"),
    ],
)
def test_wrong_header_is_refused(tmp_path: Path, header: str, complaint: str) -> None:
    own = tmp_path / "own.glsl"
    own.write_text(f"{header}\nuniform float amount = 1.0; // how much\nvoid main() {{}}\n")
    with pytest.raises(ShaderError, match=complaint):
        shaders.load(str(own))


def test_broken_shader_keeps_the_old_and_names_the_line(
    gl: moderngl.Context, pictures: list, tmp_path: Path
) -> None:
    own = tmp_path / "own.glsl"
    good = "uniform float amount = 0.5; // how much\nvoid main() { color = vec4(amount); }\n"
    own.write_text(good)
    chain = PassChain(gl, [Pass(str(own), name="own", amount=0.25)], SIZE, Shade(gl))

    def level() -> float:
        return float(read(gl, chain.render(pictures[0].texture, [{}], 0, 0.01)).mean())

    assert level() == 0.5  # no value given: what the file says
    assert chain.reload() == []
    own.write_text('#include "lib/color.glsl"\nvoid main() {\n    color = vec4(oops);\n}\n')
    assert "uniform 'amount'" in chain.reload()[0]
    broken = good.replace("vec4(amount)", "vec4(oops)")
    own.write_text('#include "lib/color.glsl"\n' + broken)
    told = chain.reload()
    assert len(told) == 1
    assert "own.glsl:3:" in told[0]
    assert "oops" in told[0]
    assert chain.reload() == []  # told once
    assert level() == 0.5
    own.unlink()
    assert "no shader file" in chain.reload()[0]
    assert chain.reload() == []
    own.write_text(good.replace("0.5", "0.75"))
    assert "reloaded" in chain.reload()[0]
    assert level() == 0.75
    chain.release()


def test_a_file_saved_on_windows_is_read(gl: moderngl.Context, tmp_path: Path) -> None:
    own = tmp_path / "own.glsl"
    text = "//@ feedback\nuniform float amount = 0.5;\nvoid main() { color = vec4(amount); }\n"
    own.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    shader = shaders.load(str(own))
    assert shader.feedback
    assert [one.name for one in shader.uniforms] == ["amount"]
    Program(gl, shader).release()


@pytest.mark.parametrize(
    "written",
    [
        "uniform float a = 0.5; // one\n  uniform float b;",
        "uniform float a = 0.5; uniform float b;",
        "uniform float a = 0.5; /* one */\nuniform float b; /* two */",
        "// uniform float c = 0.5;\nuniform float a=.5f ;\nuniform float b;",
    ],
)
def test_uniforms_are_found_however_they_are_written(tmp_path: Path, written: str) -> None:
    own = tmp_path / "own.glsl"
    own.write_text(f"{written}\nvoid main() {{}}\n")
    found = [(one.name, one.default) for one in shaders.load(str(own)).uniforms]
    assert found == [("a", 0.5), ("b", 0.0)]


def test_drivers_are_given_ascii(tmp_path: Path) -> None:
    """GLSL 3.30 knows nothing else, and some refuse it in a comment, too."""
    own = tmp_path / "own.glsl"
    own.write_text("// Größe\nvoid main() {}\n", encoding="utf-8")
    assert shaders.load(str(own)).source().isascii()
    assert all(shaders.read(name).isascii() for name in shaders.names("sr"))


def test_error_in_an_include_names_the_include(gl: moderngl.Context, tmp_path: Path) -> None:
    own = tmp_path / "own.glsl"
    own.write_text(
        '#include "lib/noise.glsl"\n#include "lib/color.glsl"\n\n'
        "void main() {\n    color = vec4(luminance(1.0));\n}\n"
    )
    with pytest.raises(ShaderError, match=r"own\.glsl:5: "):
        Program(gl, shaders.load(str(own)))


def test_a_brace_that_is_not_closed_is_named_in_the_file(
    gl: moderngl.Context, tmp_path: Path
) -> None:
    own = tmp_path / "own.glsl"
    own.write_text("void main() {\n    color = vec4(0.5);\n")
    with pytest.raises(ShaderError, match=r"own\.glsl, at its end: "):
        Program(gl, shaders.load(str(own)))


@pytest.mark.parametrize(("drawn", "wanted"), [("c / c", 1.0), ("1.0 / c", 2.0)])
def test_what_is_no_number_does_not_stay(
    gl: moderngl.Context, tmp_path: Path, drawn: str, wanted: float
) -> None:
    """One dark frame in a shader that feeds back: a NaN, or infinity."""
    own = tmp_path / "own.glsl"
    own.write_text(
        "//@ feedback\nvoid main() {\n    vec3 c = here(source);\n"
        f"    color = vec4(mix({drawn}, texture(previous, uv + 0.1).rgb, 0.5), 1.0);\n}}\n"
    )
    lit, dark = (linear_target(gl, np.full((8, 8, 3), level)) for level in (0.5, 0.0))
    chain = PassChain(gl, [Pass(str(own))], (8, 8), Shade(gl))
    for frame in [lit, dark, *[lit] * 40]:
        texture = chain.render(frame.texture, [{}], 0, 0.01)
    assert np.abs(read(gl, texture) - wanted).max() < EXACT
    chain.release()


def test_complaints_of_other_drivers_are_understood() -> None:
    shader = shaders.load("post/grade")
    for text in (
        "0:14(5): error: no",
        "0(14) : error C1008: no",
        "ERROR: 0:14: no",
        "warning\n0(2) : warning C7: odd\n0(14) : error C0000: no",
    ):
        assert explain(shader, f"GLSL Compiler failed\n\n{text}\n") == "post/grade:14: no"
    assert explain(shader, "failed\n=====\ntoo many registers\n") == (
        "post/grade: too many registers"
    )


def trail_after_a_second(gl: moderngl.Context, fps: int, **values: float) -> float:
    bright = linear_target(gl, np.full((8, 8, 3), 0.8))
    dark = linear_target(gl, np.zeros((8, 8, 3)))
    chain = PassChain(gl, [Pass("post/trails", **values)], (8, 8), Shade(gl))
    texture = chain.render(bright.texture, [values], 0, 1 / fps)
    for frame in range(fps):
        texture = chain.render(dark.texture, [values], frame / fps, 1 / fps)
    left = float(read(gl, texture).mean())
    chain.release()
    return left


@pytest.mark.parametrize("light", [0.0, 1.0])
def test_trails_fade_by_the_second_at_any_frame_rate(gl: moderngl.Context, light: float) -> None:
    for fps in (24, 60, 144):
        left = trail_after_a_second(gl, fps, seconds=0.5, light=light)
        assert left == pytest.approx(0.8 / 4, abs=1e-4)


@pytest.mark.parametrize("zoom", [0.5, -0.3])
def test_trails_that_move_fade_by_the_second_too(gl: moderngl.Context, zoom: float) -> None:
    """A ring three pixels thin, as of a face's lines: most of its light is there half a second
    later, at any frame rate."""
    y, x = np.mgrid[:96, :96] - 47.5
    ring = np.repeat((np.abs(np.hypot(x, y) - 28) < 1.5)[..., None], 3, 2).astype(np.float32)
    lit, dark = linear_target(gl, ring), linear_target(gl, 0 * ring)
    values, left = {"seconds": 0.5, "light": 1.0, "zoom": zoom}, []
    for fps in (30, 144):
        chain = PassChain(gl, [Pass("post/trails", **values)], (96, 96), Shade(gl))
        texture = chain.render(lit.texture, [values], 0, 1 / fps)
        for frame in range(fps // 2):
            texture = chain.render(dark.texture, [values], frame / fps, 1 / fps)
        left.append(float(read(gl, texture)[48].max()) / 0.5)
        chain.release()
    assert min(left) > 0.75
    assert min(left) > 0.85 * max(left)


def test_trails_go_along_to_another_size(gl: moderngl.Context) -> None:
    """As where the window is drawn larger or fills the display."""
    bright = linear_target(gl, np.full((64, 64, 3), 0.8))
    values = {"seconds": 0.5, "light": 1.0}
    chain = PassChain(gl, [Pass("post/trails", **values)], (64, 64), Shade(gl))
    chain.render(bright.texture, [values], 0, 1 / 60)
    for size in ((96, 64), (40, 80)):
        dark = linear_target(gl, np.zeros((size[1], size[0], 3)))
        chain.resize(size)
        texture = chain.render(dark.texture, [values], 0, 0.0)
        assert read(gl, texture) == pytest.approx(0.8, abs=1e-3)
    chain.release()


def test_trails_leave_no_ghost(gl: moderngl.Context) -> None:
    """A slow fade at a high frame rate gets lost in half-float's steps; ours must not."""
    assert trail_after_a_second(gl, 144, seconds=0.05) < 1e-5


def test_bloom_leaves_an_even_ground_alone(gl: moderngl.Context) -> None:
    for level in (0.0, 0.5, 1.0):
        even = linear_target(gl, np.full((SIZE[1], SIZE[0], 3), level))
        drawn = draw_alone(gl, "post/bloom", [even, even], amount=1.0)
        assert np.abs(drawn - level).max() < EXACT


def test_grade_keeps_the_order_of_tones(gl: moderngl.Context) -> None:
    ramp = np.repeat(np.linspace(0, 1, SIZE[0])[None, :, None], SIZE[1], 0).repeat(3, 2)
    target = linear_target(gl, ramp)
    for values in ({"contrast": 2.0}, {"contrast": 0.4}, {"lift": 1.0}, {"exposure": -3.0}):
        drawn = draw_alone(gl, "post/grade", [target, target], **values)
        assert (np.diff(drawn[0, :, 1]) >= 0).all(), values
        assert drawn[0, -1, 1] > drawn[0, 0, 1], values


def test_released_chains_leave_nothing(
    gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = linear_target(gl, np.zeros((64, 64, 3)))
    made = Made(monkeypatch)
    shade = Shade(gl)
    chain = PassChain(gl, [Pass("post/bloom"), Pass("post/trails")], (64, 64), shade)
    chain.render(source.texture, [{}, {}], 0, 1 / 60)
    chain.resize((50, 50))
    assert made.alive() > 5
    chain.release()
    shade.release()
    assert made.alive() == 0


def test_a_pass_reads_who_stands_before_the_wall(gl: moderngl.Context, tmp_path: Path) -> None:
    """Upright, as wide as the wall allows, and nobody again once nobody is there."""
    own = tmp_path / "own.glsl"
    own.write_text(
        '#include "lib/shade.glsl"\nvoid main() { color = vec4(somebody(uv), 0, 0, 1); }'
    )
    shade = Shade(gl)
    chain = PassChain(gl, [Pass(str(own))], (64, 48), shade)
    blank = Target(gl, (64, 48))

    def drawn() -> np.ndarray:
        return read(gl, chain.render(blank.texture, [{}], 0.0, 0.0))[..., 0]

    assert drawn().max() == 0
    cast = np.zeros((24, 32), np.uint8)
    cast[18:, 4:10] = 255  # below, on the left
    shade.show(cast)
    seen = drawn()
    assert seen[2, 14] > 0.95  # the first row is the lowest
    assert seen[24:].max() < 0.05
    assert seen[:, 32:].max() < 0.05
    chain.resize((96, 24))  # a wide wall shows less of what is above and below
    assert drawn()[:, :40].max() < 0.05
    shade.show(None)
    assert drawn().max() == 0
    chain.release()
    shade.release()


def test_a_lantern_is_where_a_scene_says(gl: moderngl.Context) -> None:
    shade, values = Shade(gl), {"lantern": 0.2, "wander": 0.0, "across": 0.4, "up": 0.3}
    chain = PassChain(gl, [Pass("post/shade", **values)], (64, 48), shade)
    white = linear_target(gl, np.ones((48, 64, 3), np.float32))
    seen = [read(gl, chain.render(white.texture, [values], time, 0)) for time in (0.0, 9.0)]
    np.testing.assert_array_equal(*seen)  # whatever the time
    rows, columns = np.nonzero(seen[0][..., 1] > 0.5)
    assert columns.mean() == pytest.approx(32 + 0.4 * 48, abs=1)
    assert rows.mean() == pytest.approx(24 + 0.3 * 48, abs=1)  # the first row is the lowest
    chain.release()
    shade.release()


def test_a_lantern_goes_out_only_where_a_shade_is_seen(gl: moderngl.Context) -> None:
    """Presence may come by OSC as well, and then the wall would be black."""
    shade = Shade(gl)
    chain = PassChain(gl, [Pass("post/shade", lantern=0.4, found=1.0)], (64, 48), shade)
    white = linear_target(gl, np.ones((48, 64, 3), np.float32))

    def light() -> float:
        return float(
            read(gl, chain.render(white.texture, [{"lantern": 0.4, "found": 1}], 0, 0)).max()
        )

    assert light() > 0.9
    shade.show(np.zeros((48, 64), np.uint8))
    assert light() < 0.05
    chain.release()
    shade.release()
