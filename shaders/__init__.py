"""Shaders: one fragment program a file, and the one road by which their text is read.

The convention is written in README.md beside this file.
"""

from __future__ import annotations

import importlib.resources
import re
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

VERSION = "#version 330 core"
PRELUDE, EPILOGUE = "lib/prelude", "lib/epilogue"
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
_INCLUDE = re.compile(r'\s*#include\s+"([^"]*)"\s*$')
_DIRECTIVE = re.compile(r"^//@[ \t]*(\w+)[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_UNIFORM = re.compile(
    r"(?:^|(?<=;))[ \t]*uniform\s+float\s+(\w+)\s*(?:=\s*([^;]*?)\s*)?;(?:[ \t]*//[ \t]*(.*))?",
    re.MULTILINE,
)
_OWN = "a .glsl file beside the scene, or its whole path"
_LONGEST = 1 << 20  # characters; a shader is a page of text
_LINES = 100_000  # line 7 of the third file counts as 200,007: not every driver (Mesa) keeps the
#                   source number that #line could carry, all keep the line


class ShaderError(Exception):
    """A shader that is not there or does not compile. One line, with file and line where known."""


@dataclass(frozen=True)
class Uniform:
    """A number that a pass may set: `uniform float amount = 0.25; // how much`."""

    name: str
    default: float
    doc: str


@dataclass(frozen=True)
class Shader:
    """A shader file, read and understood but not yet compiled.

    body: GLSL with its includes in place. files: the files in it, this one first.
    stages: the size of each stage as a fraction of the picture. neutral: uniforms at which the
    pass changes nothing.
    """

    name: str
    body: str
    files: tuple[str, ...]
    uniforms: tuple[Uniform, ...]
    stages: tuple[float, ...] = (1.0,)
    feedback: bool = False
    neutral: tuple[tuple[str, float], ...] = ()

    def source(self, stage: int = 0) -> str:
        """The whole program of one stage, as the driver gets it: in ASCII, as GLSL 3.30 is."""
        text = f"{VERSION}\n#define STAGE {stage}\n{self.body}"
        return text.encode("ascii", "replace").decode("ascii")

    def place(self, line: int) -> str:
        """file:line for a line number in the driver's complaint."""
        number, line = divmod(line, _LINES)
        if self.files[number : number + 1] == (EPILOGUE,):
            return f"{self.name}, at its end"  # a brace or a comment that is still open
        return f"{self.files[number] if number < len(self.files) else self.name}:{line}"


def names(folder: str) -> list[str]:
    """The shaders that ship in a folder, in order: names("post") → ["post/bloom", …]."""
    files = importlib.resources.files("shaders").joinpath(folder).iterdir()
    return sorted(f"{folder}/{f.name[:-5]}" for f in files if f.name.endswith(".glsl"))


def files() -> list[Path]:
    """Every shader file that ships and lies on the disk, to be watched while one works on it."""
    root = importlib.resources.files("shaders")
    return sorted(root.rglob("*.glsl")) if isinstance(root, Path) else []


def find(name: str) -> Traversable:
    """The file of a shader: a name like post/bloom, or the absolute path of an artist's own.

    Raises ShaderError. Only an absolute path leaves the folder of the shaders that ship.
    """
    path = Path(name)
    if path.is_absolute():
        if path.suffix != ".glsl" or not path.is_file():
            raise ShaderError(f"no shader file {name}")
        return path
    stem = name.removesuffix(".glsl")
    if not _NAME.fullmatch(stem):
        raise ShaderError(f"{name!r} is no shader: give a name like post/bloom, or {_OWN}")
    file = importlib.resources.files("shaders").joinpath(f"{stem}.glsl")
    if not file.is_file():
        folder = stem.rpartition("/")[0]
        near = importlib.resources.files("shaders").joinpath(folder)
        known = f"; there are: {', '.join(names(folder))}" if folder and near.is_dir() else ""
        raise ShaderError(
            f"no shader {name!r}{known or '; give a name like post/bloom'}, or {_OWN}"
        )
    return file


def read(name: str) -> str:
    """The text of a shader file, its lines ended by a newline alone and without the byte order mark
    that editors on Windows put in front. Raises ShaderError."""
    try:
        with find(name).open("r", encoding="utf-8-sig") as file:
            text: str = file.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise ShaderError(f"shader {name} is too large to be one")
        return text
    except UnicodeDecodeError as error:
        raise ShaderError(f"shader {name} is not UTF-8 text") from error
    except OSError as error:
        raise ShaderError(f"shader {name} cannot be read: {error.strerror}") from error


def load(name: str) -> Shader:
    """Read a shader with its includes and header lines. Raises ShaderError."""
    text = read(name)
    files = [name, PRELUDE, EPILOGUE]
    parts = [(PRELUDE, read(PRELUDE), 1), (name, text, 0), (EPILOGUE, read(EPILOGUE), 2)]
    body = "".join(_with_includes(*part, files) for part in parts)
    found = dict(_directives(name, text))
    uniforms = tuple(_uniform(name, *parts) for parts in _UNIFORM.findall(text))
    stages = _stages(name, found.get("stages", "1"))
    neutral = _neutral(name, found.get("neutral", ""), {u.name for u in uniforms})
    return Shader(name, body, tuple(files), uniforms, stages, "feedback" in found, neutral)


def _uniform(name: str, uniform: str, value: str, doc: str) -> Uniform:
    try:
        return Uniform(uniform, float(value.rstrip("fF") or 0), doc)
    except ValueError as error:
        said = f"{name}: uniform {uniform} = {value}: its value must be a plain number"
        raise ShaderError(said) from error


def _with_includes(name: str, text: str, number: int, files: list[str]) -> str:
    """Put `#include "lib/color.glsl"` in place, each file once, and keep the line numbers."""
    out = [f"#line {number * _LINES + 1}"]
    for index, line in enumerate(text.splitlines(), 1):
        match = _INCLUDE.match(line)
        if not match:
            out.append(line)
            continue
        wanted = match[1].removesuffix(".glsl")
        if Path(wanted).is_absolute() or not _NAME.fullmatch(wanted):
            raise ShaderError(f"{name}:{index}: only shaders that ship can be included")
        if wanted not in files:
            try:
                included = read(wanted)
            except ShaderError as error:
                raise ShaderError(f"{name}:{index}: {error}") from error
            files.append(wanted)
            out.append(_with_includes(wanted, included, len(files) - 1, files).rstrip("\n"))
        out.append(f"#line {number * _LINES + index + 1}")
    return "\n".join(out) + "\n"


def _directives(name: str, text: str) -> list[tuple[str, str]]:
    found = _DIRECTIVE.findall(text)
    for key, _ in found:
        if key not in ("stages", "feedback", "neutral"):
            raise ShaderError(f"{name}: //@ {key} is not known; stages, feedback, neutral are")
    return found


def _stages(name: str, text: str) -> tuple[float, ...]:
    """ "1/4 1/4 1" → (0.25, 0.25, 1.0); the last stage is the picture itself."""
    stages = []
    for word in text.split():
        match = re.fullmatch(r"(\d{1,3})(?:/(\d{1,3}))?", word)
        if not match or int(match[1]) < 1 or int(match[2] or 1) < int(match[1]):
            raise ShaderError(f"{name}: stage {word!r} is not a fraction like 1/4")
        stages.append(int(match[1]) / int(match[2] or 1))
    if not 1 <= len(stages) <= 16 or stages[-1] != 1:
        raise ShaderError(f"{name}: //@ stages needs 1 to 16 fractions, the last of them 1")
    return tuple(stages)


def _neutral(name: str, text: str, known: set[str]) -> tuple[tuple[str, float], ...]:
    """ "amount=0 gamma=1" → (("amount", 0.0), ("gamma", 1.0))."""
    pairs = []
    for word in text.split():
        key, _, value = word.partition("=")
        if key not in known or not re.fullmatch(r"-?\d+(\.\d+)?", value):
            raise ShaderError(f"{name}: //@ neutral {word!r} is not like amount=0")
        pairs.append((key, float(value)))
    return tuple(pairs)
