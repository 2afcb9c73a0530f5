"""Shared fixtures: an OpenGL context without a window."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import pytest


@pytest.fixture(scope="session")
def gl() -> Iterator[moderngl.Context]:
    """The newest core context the machine has, 3.3 or later, through EGL."""
    ctx = moderngl.create_context(standalone=True, backend="egl", require=330)
    yield ctx
    ctx.release()
