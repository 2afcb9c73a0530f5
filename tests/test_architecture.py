"""The doors of ARCHITECTURE.md: who may import whom. Read from the source, not by importing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = {"installation", "models", "training", "scenes", "shaders", "venue", "tests"}

# What each part may import of the house and from outside. The longest prefix that fits a module
# decides. The standard library is open to all.
DOORS = {
    "models": {"models", "torch", "numpy", "safetensors"},
    "training": {
        "models", "training", "torch", "pytorch_lightning", "lightning_fabric", "numpy", "PIL",
        "pydantic", "safetensors", "tqdm", "av", "anyascii", "filelock", "prometheus_client",
        "tensorboard", "skia", "threadpoolctl",
    },
    "scenes": {"installation.scene"},
    "shaders": {"shaders"},
    "venue": set(),
    "installation.log": set(),
    "installation.names": {"anyascii"},
    "installation.patience": set(),
    "installation.posted": {"installation.parameters"},
    "installation.glide": set(),
    "installation.parameters": {"installation.glide", "installation.log", "installation.posted"},
    "installation.sources": {"installation.parameters"},
    "installation.clock": {"installation.parameters", "installation.sources", "numpy"},
    "installation.fault": {"pydantic"},
    "installation.tables": {
        "pydantic", "installation.control.hosts", "installation.watch.schedule",
    },
    "installation.venue": {"pydantic", "installation.fault", "installation.tables"},
    "installation.setlist": {"pydantic", "installation.fault", "installation.modulation"},
    "installation.modulation": {
        "pydantic", "installation.clock", "installation.log", "installation.parameters",
        "installation.posted", "installation.sources",
    },
    "installation.scene": {
        "installation.names", "installation.parameters", "installation.patience",
        "installation.clock", "numpy",
    },
    "installation.report": {"numpy", "installation.writing"},
    "installation.rehearsal": set(),
    "installation.writing": set(),
    "installation.soundtrack": {"installation.log", "av", "numpy"},
    "installation.control": {
        "installation.control", "installation.parameters", "installation.clock",
        "installation.log", "installation.modulation", "installation.soundtrack",
        "installation.sources", "pythonosc", "mido", "rtmidi", "sounddevice", "av", "numpy",
        "aiohttp", "aalink",
    },
    "installation.engine": {
        "installation.engine", "installation.names", "installation.parameters",
        "installation.patience",
        "installation.clock", "installation.log", "installation.scene", "installation.report",
        "installation.writing", "models", "shaders", "torch", "moderngl", "numpy", "cuda",
    },
    # no torch, no window: there is to be little in it that can fail
    "installation.watch": {"installation.watch", "installation.signals"},
    "installation.output": {
        "installation.output", "installation.log", "installation.soundtrack", "pygame", "moderngl",
        "numpy", "PIL", "av", "anyascii",
    },
    "installation.broadcast": {"installation", "moderngl", "numpy"},
    "installation.stage": {"installation", "models.card", "models.shelf", "moderngl", "shaders"},
    "installation.playing": {"installation", "tqdm"},
    "installation.programme": {
        "installation", "models.card", "models.latent", "models.shelf", "shaders",
    },
    "installation.cli": {"installation"},
    # the bench plays the peer: it sends real messages and names the torch it measures
    "installation.bench": {
        "installation", "models", "moderngl", "numpy", "torch", "mido", "pythonosc",
    },
    # torch is asked for its GPU, and whether frames can stay there
    "installation.machine": {"installation", "torch", "cuda"},
    "installation.doctor": {"installation", "models.card", "models.shelf", "shaders"},
    "installation.memory": {"installation", "pydantic"},
    "installation.take": {"installation", "models.card", "pydantic"},
    "installation.presets": {"installation", "pydantic"},
    "installation.still": {"installation", "models", "numpy", "PIL", "pydantic"},
    "installation.making": {"installation", "training"},
    "installation.choose": {"installation", "models", "aiohttp", "numpy", "PIL", "pydantic"},
    # an artist's picture is seen as those of a dataset are
    "installation.candidates": {"installation", "models", "numpy", "tqdm", "training.picture"},
    "installation": {"installation", "models", "shaders", "moderngl", "numpy", "PIL", "tqdm"},
}  # fmt: skip


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> list[Path]:
    return [p for top in sorted(HOUSE - {"tests"}) for p in sorted((ROOT / top).rglob("*.py"))]


def imports(path: Path) -> set[str]:
    """Every module a file imports, also inside functions; `from a import b` counts as a.b too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                inside = (ROOT / whole.replace(".", "/")).with_suffix(".py").exists()
                found.add(whole if inside else str(node.module))
    return found


def allowed(module: str) -> set[str]:
    fits = [door for door in DOORS if module == door or module.startswith(door + ".")]
    return DOORS[max(fits, key=len)]


def may(module: str, wanted: str) -> bool:
    top = wanted.split(".")[0]
    if top in sys.stdlib_module_names:
        return True
    return any(wanted == one or wanted.startswith(one + ".") for one in allowed(module))


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_doors(path: Path) -> None:
    module = module_name(path)
    wrong = sorted(wanted for wanted in imports(path) if not may(module, wanted))
    assert not wrong, f"{module} must not import {', '.join(wrong)}"


def test_a_broken_door_is_found() -> None:
    assert not may("installation.output.window", "torch")
    assert not may("models.generator", "installation.scene")
    assert not may("scenes.drift", "installation.engine.walk")
    assert may("scenes.drift", "installation.scene")


def imported_by(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after running some code."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_playing_imports_neither_lightning_nor_torch_at_first() -> None:
    loaded = imported_by("import installation.playing, installation.cli")
    assert "moderngl" in loaded
    assert not {"torch", "pytorch_lightning", "lightning", "training"} & loaded


def test_a_corpus_is_drawn_without_torch() -> None:
    """And a training is refused without: its import is most of what such a command takes."""
    loaded = imported_by("import training.corpus.folder, training.corpus.masks, training.train")
    assert "numpy" in loaded
    assert "torch" not in loaded


def test_loading_a_piece_does_not_import_the_compiler() -> None:
    """Which takes longer than the loading, several times."""
    loaded = imported_by(
        "import torch; from models import piece, shelf\n"
        "made = piece.load(shelf.list_pieces()[0])\n"
        "made.generator(torch.zeros(1, made.card.latent.width))"
    )
    assert "torch" in loaded
    assert not {"torch._dynamo", "sympy"} & loaded


def test_files_and_functions_stay_small() -> None:
    for path in sources():
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 350, f"{path} has grown into more than one room"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                assert lines <= 60, f"{path}: {node.name} does not fit on a screen"
