"""Fixtures that several tests share."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden images anew; look at them"
    )


@pytest.fixture(scope="session")
def gl() -> Iterator[moderngl.Context]:
    """An OpenGL context without a window."""
    ctx = moderngl.create_context(standalone=True, backend="egl")
    yield ctx
    ctx.release()
