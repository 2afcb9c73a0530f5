"""What a scene is: how to walk a piece, which passes dress it, which parameters it offers.

A scene file imports this module and nothing else of the house, so that an artist can read it
whole. The space it is handed (see installation.engine.walk) makes walks through the piece.
"""

from __future__ import annotations

import difflib
import importlib.resources
import math
import re
from collections.abc import Callable, Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from installation.clock import Frame
from installation.names import slug
from installation.parameters import Bus, Param, Parameters, Trigger
from installation.patience import patience

__all__ = ["Frame", "Param", "Pass", "Point", "Scene", "SceneError", "Space", "Trigger", "Walk"]

_LONGEST_FAULT = 200  # characters of an error's own text
# What an artist's code fails with: an exit() in it is a mistake like any other, Ctrl-C is none.
FAILURES = (Exception, SystemExit)
Point = NDArray[np.float32]  # (width,): z ⊕ labels ⊕ codes, laid out as the piece's card says


class SceneError(Exception):
    """A scene that is not there or does not work. One line, with file and line where known."""


class Walk(Protocol):
    """A way through latent space. Distances are in seeds: 1 is from one seed to the next."""

    def advance(self, distance: float) -> None: ...
    def point(self, truncation: float = 1.0) -> Point: ...


class Space(Protocol):
    """The latent space of the piece that is playing, and the walks it offers.

    Where the artist has chosen stills (`--chosen`), seeds are these, in the order of their files'
    names and over again, on every scene.
    """

    @property
    def labels(self) -> dict[str, int]:
        """The piece's labels and how many values each has."""
        ...

    @property
    def codes(self) -> dict[str, int]:
        """The piece's codes: 1 for a continuous one, else how many values it has."""
        ...

    def loop(self, seed: int = 0, radius: float = 1.0) -> Walk:
        """A closed loop of smooth noise; advancing by 1 goes once around."""
        ...

    def spline(self, seeds: Iterable[int]) -> Walk:
        """A closed cubic spline through the seeds, in order; through every chosen still, if any."""
        ...

    def seed(self, seed: int) -> Point:
        """One point: the same for the same seed, on every machine."""
        ...

    def blend(self, a: Point, b: Point, amount: float, truncation: float = 1.0) -> Point:
        """Between two points: z along the sphere, labels and codes in a straight line."""
        ...

    def label(self, point: Point, name: str, weights: Iterable[float]) -> Point:
        """The point with one label set; the weights are brought to a sum of 1."""
        ...

    def code(self, point: Point, name: str, value: float | Iterable[float]) -> Point:
        """The point with one code set: a number in [-1, 1], or weights of the categories."""
        ...

    def wear(self, point: Point, other: Point) -> Point:
        """The point's own z with the labels and codes of another."""
        ...

    def guide(
        self, point: Point, picture: NDArray[np.floating] | None, amount: float = 1.0
    ) -> Point:
        """The point with the piece following the light and dark of a small picture, 16 rows of 16
        numbers from the top, of mean 0 and deviation 1: `frame.guide` is whoever is before the
        wall. amount: how far, 0 to 1; what it followed before it goes on following. Unchanged for
        None, and for a piece that follows nothing. Last of all, as bend, in any order with it."""
        ...

    def bend(
        self, point: Point, depth: float = 0.25, turn: float = 0.0, larger: float = 0.0,
        across: float = 0.0, up: float = 0.0,
    ) -> Point:  # fmt: skip
        """The point with the generator bent as by the faders of /piece/bend, beside them. Last of
        all, as step() returns it: walks, blend and the like know nothing of bends and guides."""
        ...


class Pass:
    """A post pass: a shader file and what drives its uniforms.

    Pass("post/bloom", amount=Param(0.25), radius=1.5, threshold="dark"): each keyword names a
    uniform. A Param is offered to the room as /scene/bloom/amount; a plain number is fixed; a text
    names a number of the scene's own, self.dark, which its steps move.
    """

    def __init__(self, shader: str, name: str = "", **uniforms: Param | float | str) -> None:
        self.shader = shader
        self.name = name or slug(Path(shader).stem)
        self.params = {k: v for k, v in uniforms.items() if isinstance(v, Param)}
        self.moved = {k: v for k, v in uniforms.items() if isinstance(v, str)}
        rest = {k: v for k, v in uniforms.items() if not isinstance(v, Param | str)}
        self.fixed = {k: float(v) for k, v in rest.items()}

    def values(self, fader: Callable[[str], float], prefix: str) -> dict[str, float]:
        """The uniforms of this frame, but for what the scene moves. fader: where the one of an
        address stands."""
        live = {k: fader(f"/{prefix}/{self.name}/{k}") for k in self.params}
        return {**self.fixed, **live}

    def told(self, scene: Scene) -> dict[str, float]:
        """The uniforms that the scene moves, as it has them now. Raises ValueError for what is no
        number, and AttributeError for what it has not."""
        found = {k: float(getattr(scene, name)) for k, name in self.moved.items()}
        for keyword, value in found.items():
            if not math.isfinite(value):
                raise ValueError(f"{self.moved[keyword]} is {value}, and moves {self.name}")
        return found


class Scene(Parameters):
    """One work: a file of 30 to 90 lines in scenes/, with one subclass of this in it."""

    passes: tuple[Pass, ...] = ()
    _stood: Mapping[str, float] = MappingProxyType({})

    def start(self, space: Space) -> None:
        """Called once before the first frame, and again when another piece is put on."""
        raise NotImplementedError

    def step(self, frame: Frame) -> Point:
        """Called each frame: where in latent space are we now?"""
        raise NotImplementedError

    def bind(self, bus: Bus, prefix: str) -> None:
        """Put the scene's and its passes' parameters on the bus, and take off those that an
        earlier state of its file had."""
        super().bind(bus, prefix)
        declared = self.declared()
        for one in self.passes:
            declared |= {f"{one.name}/{name}": param for name, param in one.params.items()}
        bus.declare(prefix, declared)
        bus.withdraw(prefix, {f"/{prefix}/{name}" for name in declared})

    def hold_faders(self, stood: Mapping[str, float]) -> None:
        """Read parameters as they stood, by address: what moves them now is meant for what comes
        after this scene."""
        self._stood = stood

    def read(self, name: str) -> float:
        address = f"/{self._prefix}/{name}"
        return self._stood[address] if address in self._stood else super().read(name)


def shipped() -> list[str]:
    """Names of the scenes that ship, in order."""
    files = importlib.resources.files("scenes").iterdir()
    return sorted(f.name[:-3] for f in files if f.name.endswith(".py") and f.name[0] != "_")


def find(name: str) -> Traversable:
    """The file of a scene: a name that ships, or a path ending in .py. Raises SceneError."""
    if name.endswith(".py"):
        path = Path(name)
        if not path.is_file():
            raise SceneError(f"no scene file {name}")
        return path
    try:
        known = shipped()
    except OSError as error:  # the disk went away, or no more files can be opened
        raise SceneError(f"scene {name}: {error}") from error
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        meant = f", did you mean {near[0]!r}?" if near else ";"
        raise SceneError(f"no scene {name!r}{meant} there are: {', '.join(known)}, or a .py file")
    return importlib.resources.files("scenes").joinpath(f"{name}.py")


# What the house's own parameters stand under: a scene of that name would take them away.
_CONTROLS = {"go", "modulation", "on", "preset", "sight", "sound"}
HOUSE = frozenset({"clock", "light", "piece", "stage", "wall"} | _CONTROLS)


def scene_name(name: str) -> str:
    """The name a scene's parameters stand under: scenes/drift.py → drift."""
    return Path(name).stem.lower()


def load(name: str) -> Scene:
    """Read a scene's file anew and make the scene. Raises SceneError naming file and line.

    The file is compiled here instead of imported, so that saving it again shows at once. It is the
    artist's own program: it runs with the artist's rights, like any Python file one starts.
    """
    file = find(name)
    if scene_name(name) in HOUSE:
        raise SceneError(f"scene {name}: {scene_name(name)} is a name of the house; choose another")
    module = ModuleType(f"scenes.{scene_name(name)}")
    module.__file__ = str(file)
    try:
        source = file.read_text(encoding="utf-8-sig")
        with patience(loading=True):
            exec(compile(source, str(file), "exec"), module.__dict__)  # noqa: S102 - see the docstring
            scene = _only_scene(module, name)()
        check_passes(scene.passes)
        _find_own_shaders(scene.passes, Path(str(file)).parent)
    except SceneError:
        raise
    except FAILURES as error:
        raise SceneError(f"scene {name}: {describe(error, str(file))}") from error
    return scene


def _only_scene(module: ModuleType, name: str) -> type[Scene]:
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Scene)
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise SceneError(f"scene {name}: needs one class of Scene in the file, has {len(found)}")
    wanted = "".join(part.capitalize() for part in re.split(r"[_-]", scene_name(name)))
    if not wanted.isidentifier():
        raise SceneError(
            f"scene {name}: rename the file: a letter first, then letters, digits, - and _"
        )
    if found[0].__name__ != wanted:
        raise SceneError(f"scene {name}: its class is to be named {wanted}")
    return found[0]


def check_passes(passes: object) -> None:
    """Raises TypeError for what is no tuple of Pass."""
    if isinstance(passes, Pass):
        raise TypeError("passes must be a tuple: a comma is missing after Pass(…)")
    if not isinstance(passes, tuple | list) or not all(isinstance(one, Pass) for one in passes):
        raise TypeError("passes must be a tuple of Pass")


def _find_own_shaders(passes: Iterable[Pass], folder: Path) -> None:
    """A shader of the artist's own lies beside the scene that uses it."""
    for one in passes:
        if one.shader.endswith(".glsl") and (folder / one.shader).is_file():
            one.shader = str((folder / one.shader).absolute())


def describe(error: BaseException, file: str) -> str:
    """An artist's mistake in one line: the line of their file, the kind of error, the message."""
    line: Any = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    where = f"line {line}: " if line else ""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    printable = "".join(c if c.isprintable() else " " for c in text)  # one line, whatever it says
    return f"{where}{type(error).__name__}: {' '.join(printable.split())[:_LONGEST_FAULT]}"
