"""The command line as a user meets it: help, one clear line for a mistake, exit status 2."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pieces import make_piece
from tests.processes import ROOT, installation

COMMANDS = [
    "play", "train", "dataset", "evaluate", "inspect", "timelapse", "corpus", "pieces", "scenes",
    "monitor", "bench", "check", "export", "open", "stills",
]  # fmt: skip


def fresh(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The same in a fresh interpreter, as a shell begins it."""
    command = [sys.executable, "-m", "installation.cli", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(cwd)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_piece(tmp_path_factory.mktemp("pieces") / "tiny")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    done = installation(command, "--help")
    assert done.returncode == 0
    assert f"example: installation {command}" in done.stdout
    assert "?." not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["play", "nosuch"], "no piece 'nosuch'"),
        (["play", "{piece}", "--scene", "nosuch"], "no scene 'nosuch'; there are: "),
        (["play", "{piece}", "--scene", "Drift"], "no scene 'Drift', did you mean 'drift'?"),
        (["play", "{piece}", "--scene", "procesion"], "did you mean 'procession'?"),
        (["play", "Mask"], "no piece 'Mask', did you mean 'masks'?"),
        (["play", "{piece}", "--venue", "nosuch"], "no venue 'nosuch'"),
        (["play", "{piece}", "--venue", "{here}/bad.toml"], "unknown key 'window.colour'"),
        (["play", "--size", "7"], "WIDTHxHEIGHT"),
        (["play", "--frames", "none"], "whole number"),
        (["play", "--nonsense"], "--nonsense"),
        (["play", "--seed", "-1"], "whole number"),
        (["play", "{piece}", "--report", "{here}/nosuch/a.json"], "there is no folder"),
        (["play", "{piece}", "--report", "{here}/empty"], "is a folder"),
        (["play", "{piece}", "--offscreen", "--sound", "a.wav"], "there is no sound file a.wav"),
        (["play", "{piece}", "--sound", "a.wav"], "--sound FILE goes with --offscreen"),
        (["play", "{piece}", "--offscreen", "--sight", "a.mp4"], "there is no film a.mp4"),
        (["play", "{piece}", "--sight", "a.mp4"], "--sight FILE goes with --offscreen"),
        (["play", "{piece}", "--loop"], "--loop goes with --offscreen"),
        (["play", "--offscreen", "--loop", "--sound", "a.wav"], "does not go with --sound"),
        (["play", "--offscreen", "--loop", "--sight", "a.mp4"], "does not go with --sight"),
        (["play", "{piece}", "--offscreen", "--loop", "--frames", "20"], "give it 60 or more"),
        (["play", "{piece}", "--offscreen", "--out", "a.avi"], "an .mp4 file or a folder"),
        (["play", "{piece}", "--offscreen", "--out", "old.mp4"], "old.mp4 is there already"),
        (["export", "--out", "comma.py"], "comma.py is there already"),
        (["play", "{piece}", "--offscreen", "--venue", "{here}/order.toml"], "mix/nosuch"),
        (["play", "{piece}", "--offscreen", "--venue", "{here}/nan.toml"], "/light/brightness"),
        (["play", "{piece}", "--offscreen", "--venue", "{here}/map.toml"], "there is no /nosuch/x"),
        (["play", "{piece}", "--scene", "{here}/comma.py"], "a comma is missing"),
        (["play", "{here}/truncated"], "SHA-256"),
        (["play", "{here}/changed"], "SHA-256"),
        (["play", "{here}/empty"], "not a piece"),
        (["train", "{here}/empty"], "no images"),
        (["train", "{here}/nosuch"], "no dataset"),
        (["evaluate", "masks", "{here}/nosuch"], "no dataset"),
        (["evaluate", "masks", "{here}/one", "--vgg", "{here}/nosuch"], "downloads nothing"),
        (["evaluate", "nosuch", "{here}/one"], "no piece 'nosuch'"),
        (["train", "{here}/one"], "one readable image"),
        (["train", "{here}/broken"], "no readable image"),
        (["train", "{here}/one", "--budget", "soon"], "--budget soon"),
        (["train", "{here}/one", "--set", "nosuch=1"], "nosuch"),
        (["dataset"], "action"),
        (["dataset", "check", "{here}/empty"], "no images"),
        (["dataset", "check", "{here}/nosuch"], "installation dataset check: there is no dataset"),
        (["dataset", "curate", "{here}/one"], "--out"),
        (["dataset", "curate", "{here}/one", "--out", "{here}/one/x"], "lie in each other"),
        (["dataset", "curate", "{here}/one", "--out", "{here}/bad.toml"], "is a file"),
        (["corpus", "masks", "--out", "{here}/one"], "other files"),
        (["bench", "--only", "nosuch"], "frame_path"),
        (["nosuch"], "invalid choice"),
        (["play", "--sceen", "drift"], "there is no --sceen (see installation play --help)"),
        (["dataset", "check", "x", "--foo"], "(see installation dataset check --help)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_one_clear_line(
    arguments: list[str], said: str, piece: Path, tmp_path: Path
) -> None:
    prepare(tmp_path, piece)
    before = snapshot(tmp_path)
    given = [a.format(piece=piece, here=tmp_path) for a in arguments]
    done = installation(*given, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.startswith("installation")
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
    assert snapshot(tmp_path) == before  # nothing written, nothing overwritten


def prepare(here: Path, piece: Path) -> None:
    """Faults of every kind, ready to be named."""
    from PIL import Image

    for name in ("empty", "one", "broken"):
        (here / name).mkdir()
    Image.new("RGB", (40, 40), "red").save(here / "one" / "a.png")
    (here / "broken" / "a.jpg").write_bytes(b"\xff\xd8 not an image")
    (here / "old.mp4").write_text("a film of last year")
    (here / "bad.toml").write_text('[window]\ncolour = "red"\n')
    (here / "list.toml").write_text('[[scene]]\nscene = "drift"\ntransition = "mix/nosuch"\n')
    (here / "order.toml").write_text(f"[play]\nsetlist = '{here / 'list.toml'}'\n")
    (here / "nan.toml").write_text('[parameters]\n"/light/brightness" = nan\n')
    (here / "map.toml").write_text('[[midi.map]]\ncc = 1\naddress = "/nosuch/x"\n')
    (here / "comma.py").write_text(
        "from installation.scene import Pass, Scene\n"
        'class Comma(Scene):\n    passes = (Pass("post/bloom"))\n'
    )
    shutil.copytree(piece, here / "truncated")
    weights = here / "truncated" / "generator.safetensors"
    weights.write_bytes(weights.read_bytes()[:-50])
    shutil.copytree(piece, here / "changed")
    card = json.loads((here / "changed" / "card.json").read_text())
    card["files"]["generator.safetensors"]["sha256"] = "0" * 64
    (here / "changed" / "card.json").write_text(json.dumps(card))


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_scenes_lists_every_address_as_text_and_json() -> None:
    text = installation("scenes").stdout
    rows = json.loads(installation("scenes", "--json").stdout)
    addresses = [row["address"] for row in rows]
    assert "/drift/speed" in addresses
    assert len(set(addresses)) == len(addresses)
    assert all(address in text for address in addresses)
    assert all(row["doc"] for row in rows)
    unbound = {row["address"] for row in rows if not row["midi"]}
    assert {"/stage/quit", "/clock/beat", "/wall/top_left_x", "/sound/bass"} <= unbound
    assert {address.split("/")[1] for address in unbound} == {
            "stage", "clock", "wall", "sound", "sight", "preset", "on", "go", "modulation",
        }  # fmt: skip
    assert "/stage/next" not in unbound
    docs = {row["address"]: row["doc"] for row in rows}
    assert docs["/on/1"].startswith("/drift/speed: ")
    assert docs["/go/2"].startswith("/stage/scene/")


def test_pieces_lists_what_there_is_and_what_is_damaged(piece: Path, tmp_path: Path) -> None:
    shutil.copytree(piece, tmp_path / "pieces" / "mine")
    shutil.copytree(piece, tmp_path / "pieces" / "worn")
    (tmp_path / "pieces" / "worn" / "generator.safetensors").write_bytes(b"rot")
    done = installation("pieces", "--json", cwd=tmp_path)
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["mine"]["labels"] == {"form": ["oval", "disc"]}
    assert rows["mine"]["fault"] == ""
    assert (rows["mine"]["guided"], rows["masks"]["guided"]) == (False, True)
    assert "SHA-256" in rows["worn"]["fault"]


def test_a_strangers_words_do_not_steer_the_terminal(piece: Path, tmp_path: Path) -> None:
    shutil.copytree(piece, tmp_path / "pieces" / "mine")
    card = tmp_path / "pieces" / "mine" / "card.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "licence": "\x1b[2Jfree"}))
    assert "  32 px, \\x1b[2Jfree\n" in installation("pieces", cwd=tmp_path).stdout
    card.rename(tmp_path / "pieces" / "mine" / "old.json")
    (tmp_path / "pieces" / "mine").rename(tmp_path / "pieces" / "\x1b[2J")
    done = installation("scenes", "--piece", tmp_path / "pieces" / "\x1b[2J", cwd=tmp_path)
    assert "\\x1b[2J is not a piece" in done.stderr


def test_a_dataset_is_checked_and_curated(tmp_path: Path) -> None:
    from tests.planted import drawn, encoded

    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "photos" / name).write_bytes(encoded(drawn(1)[0]))
    done = installation("dataset", "check", "photos", "--json", cwd=tmp_path)
    facts = json.loads(done.stdout)
    assert facts["reasons"]["duplicate"]["files"][0]["file"] == "b.png"
    assert "duplicate: 1" in installation("dataset", "check", "photos", cwd=tmp_path).stdout
    done = installation("dataset", "curate", "photos", "--out", "curated", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 kept, 1 left out" in done.stdout
    assert [p.name for p in (tmp_path / "curated" / "images").iterdir()] == ["a.png"]


def test_a_wall_that_is_missing_is_an_error_and_no_clip(piece: Path, tmp_path: Path) -> None:
    """Who asked for a certain display has a supervisor, or looks at it."""
    take = ("--take", "evening.take")  # in a clip there is nothing to write down
    for asked in (("--display", "1"), ("--fullscreen",), ("--venue", "gallery"), take):
        done = fresh("play", piece, *asked, cwd=tmp_path)
        assert done.returncode == 2, done.stdout
        assert "no display to open a window on" in done.stderr
    assert not (tmp_path / "clips").exists()


def test_without_a_display_it_says_so_and_names_the_clip(piece: Path, tmp_path: Path) -> None:
    done = fresh("play", piece, "--size", "64x64", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no display" in done.stdout
    clips = list((tmp_path / "clips").glob("*.mp4"))
    assert len(clips) == 1
    assert f"clips/{clips[0].name}" in done.stdout
