"""Counts GL objects: moderngl frees nothing by itself, so what is made must be released by name."""

from __future__ import annotations

from collections.abc import Callable

import moderngl
import pytest

_KINDS = (
    "texture", "framebuffer", "program", "compute_shader", "vertex_array", "buffer", "sampler",
)  # fmt: skip


class Made:
    """Every GL object made while a test runs, in any context."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._made: list[object] = []
        for kind in _KINDS:
            monkeypatch.setattr(moderngl.Context, kind, self._noting(kind))

    def _noting(self, kind: str) -> Callable[..., object]:
        make = getattr(moderngl.Context, kind)

        def note(context: moderngl.Context, *arguments: object, **named: object) -> object:
            self._made.append(make(context, *arguments, **named))
            return self._made[-1]

        return note

    def alive(self) -> int:
        """How many of them have not been released."""
        return sum(not isinstance(one.mglo, moderngl.InvalidObject) for one in self._made)  # type: ignore[attr-defined]
