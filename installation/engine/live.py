"""A shader whose file may be saved while it plays."""

from __future__ import annotations

from collections.abc import Callable

import shaders
from installation.engine.programs import Program
from shaders import Shader, ShaderError


class LiveShader:
    """A shader file, compiled, that goes on as it was where what is saved is broken.

    compiled: makes its programs; whatever it raises leaves none behind. Raises ShaderError when
    the file is missing or broken from the start.
    """

    def __init__(self, name: str, compiled: Callable[[Shader], list[Program]]) -> None:
        self.name, self._compiled = name, compiled
        self.shader = shaders.load(name)
        self.programs = compiled(self.shader)
        self.fault = ""  # what is wrong with what was saved since
        self._refused: Shader | str = ""

    def reload(self) -> str:
        """Take up the file if it was saved since: what to tell the artist, once for each state of
        it; "" if nothing."""
        try:
            return f"{self.name} reloaded" if self._take_up() else ""
        except ShaderError as error:
            self.fault = str(error)
            return f"{error} (the old one goes on)"

    def _take_up(self) -> bool:
        """True when the file had changed and compiles. Raises ShaderError, once for each fault."""
        try:
            shader = shaders.load(self.name)
        except ShaderError as error:
            if str(error) == self._refused:
                return False
            self._refused = str(error)
            raise
        if shader == self._refused:
            return False
        if shader == self.shader:
            self._refused = self.fault = ""
            return False
        try:
            programs = self._compiled(shader)
        except ShaderError:
            self._refused = shader
            raise
        self.release()
        self.programs, self.shader, self._refused, self.fault = programs, shader, "", ""
        return True

    def release(self) -> None:
        for program in self.programs:
            program.release()
        self.programs = []
