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
    """The newest core context the machine has, 3.3 or later, through EGL; without a window."""
    ctx = moderngl.create_context(standalone=True, backend="egl", require=330)
    yield ctx
    ctx.release()
