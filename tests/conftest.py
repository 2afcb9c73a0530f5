"""Fixtures that several tests share."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import pytest

from tests.screen import Screen

# Files that take long, the longest first, and those that wait most (for windows and processes).
LONGEST = ("test_codes", "test_compare", "test_lifecycle", "test_stage", "test_open", "test_window")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden images anew; look at them"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files begin first: of two processes none is to be left with one at the end, while
    the other has nothing more to do. Tests marked gpu skip themselves where there is none."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if marked and not _has_gpu():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def _has_gpu() -> bool:
    import torch  # takes a second: only where a test asks

    return torch.cuda.is_available()


@pytest.fixture(scope="session")
def gl() -> Iterator[moderngl.Context]:
    """The newest core context the machine has, 3.3 or later, through EGL; without a window."""
    ctx = moderngl.create_context(standalone=True, backend="egl", require=330)
    yield ctx
    ctx.release()


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A virtual screen of its own."""
    screen = Screen()
    yield screen.name
    screen.close()
