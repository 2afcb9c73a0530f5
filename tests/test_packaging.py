"""The wheel holds everything, and works with the source tree out of reach."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.pieces import make_piece

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


def test_every_file_that_is_read_at_run_time_is_in_the_wheel(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    tops = ("installation", "models", "training", "scenes", "shaders", "venue")
    kinds = (".py", ".glsl", ".toml", ".json", ".safetensors", ".png", ".sbatch")
    kinds += (".html", ".css", ".js")
    for top in tops:
        for path in (ROOT / top).rglob("*"):
            if path.suffix in kinds and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in held, path
    assert not [name for name in held if name.startswith("tests/")]


def test_the_installed_wheel_plays_without_the_source(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), wheel],
        check=True,
        capture_output=True,
    )
    here = tmp_path / "here"
    here.mkdir()
    piece = make_piece(here / "tiny")
    code = (
        "import sys, installation, shaders\n"
        f"assert installation.__file__.startswith({str(site)!r}), installation.__file__\n"
        "from installation.cli import main\n"
        f"sys.exit(main(['play', {str(piece)!r}, '--offscreen', '--frames', '3', '--size', '64x64',"
        " '--out', 'out']))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=here, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert len(list((here / "out").glob("*.png"))) == 3
