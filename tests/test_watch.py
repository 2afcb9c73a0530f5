"""What is seen while a training runs: sheets, likeness, film, page, boards, a whole training."""

from __future__ import annotations

import errno
import io
import json
import socket
import sys
import urllib.request
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from installation import cli
from models.latent import Code, Label, Latent
from tests.tensors import differing
from training import UsageError
from training.dataset import Dataset
from training.grid import fixed_latent, to_png
from training.module import GanModule
from training.recipe import make_recipe
from training.train import train
from training.watch import page, pictures, sheet, timelapse
from training.watch.boards import BoardError, Metrics, TensorBoard, open_boards
from training.watch.chart import chart
from training.watch.likeness import Likeness
from training.watch.verdict import Verdict

TINY = ["resolution=16", "generator=4:16 8:8", "batch=8", "precision=float32", "z=8"]
CODES = "codes=[{name='shape', kind='categorical', size=3}, {name='size', kind='continuous'}]"
FORM = Label("form", ("round", "très long", "square"))
LATENT = Latent(8, (FORM,), (Code("shape", "categorical", 3), Code("size", "continuous")))


def drawn(count: int, side: int = 16, seed: int = 0) -> Tensor:
    """Soft blobs, no two alike, no symmetry: (N, 3, S, S) uint8."""
    rng = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    place, colour = (torch.rand(count, n, 1, 1, generator=rng) for n in (2, 3))
    far = (x - place[:, :1]) ** 2 + (y - place[:, 1:] * 2 + 1) ** 2  # (N, 1, S, S)
    return (255 * colour * torch.exp(-4 * far)).byte()


def dataset(count: int = 12) -> Dataset:
    conditions = torch.eye(3)[torch.arange(count) % 3]
    files = tuple(f"a/{i}.png" for i in range(count))
    return Dataset("blobs", drawn(count), (FORM,), conditions, files, (), [])


@pytest.fixture(scope="module")
def module() -> GanModule:
    return GanModule(make_recipe({}, [*TINY, CODES]).settled(12), LATENT)


@pytest.fixture(scope="module")
def points() -> Tensor:
    return fixed_latent(LATENT, 8, 0, dataset().conditions)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blobs")
    for index, picture in enumerate(drawn(12).permute(0, 2, 3, 1).numpy()):
        path = folder / ("one" if index % 2 else "two") / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(picture).save(path)
    return folder


class Recorded:
    """Stands for a module: keeps the points that it is asked for."""

    def __init__(self, latent: Latent) -> None:
        self.latent = latent
        self.asked = torch.zeros(0)

    def sample(self, asked: Tensor) -> Tensor:
        self.asked = asked
        return torch.zeros(len(asked), 3, 16, 16)


def test_a_matrix_changes_its_two_parts_and_nothing_else(points: Tensor) -> None:
    module: Any = Recorded(LATENT)
    image = pictures.matrix(module, points)
    assert image is not None
    asked = module.asked.view(3, 3, -1)  # label × code
    where = LATENT.slices()
    assert torch.equal(asked[..., where["form"]], torch.eye(3)[:, None].expand(3, 3, 3))
    assert torch.equal(asked[..., where["shape"]], torch.eye(3)[None].expand(3, 3, 3))
    for name in ("z", "size"):
        assert (asked[..., where[name]] == points[0, where[name]]).all()


@pytest.mark.parametrize(
    ("labels", "codes", "names"),
    [
        ((), (), None),
        ((), (Code("size", "continuous"),), None),
        ((FORM,), (), ("form", "seed")),
        ((FORM, Label("wood", ("a", "b"))), (Code("size", "continuous"),), ("form", "wood")),
        ((), (Code("a", "categorical", 2), Code("b", "categorical", 4)), ("a", "b")),
        ((Label("n", tuple(map(str, range(40)))),), (), ("n (first 12 of 40)", "seed")),
    ],
)
def test_the_matrix_takes_what_there_is(
    labels: tuple[Label, ...], codes: tuple[Code, ...], names: tuple[str, str] | None
) -> None:
    latent = Latent(4, labels, codes)
    axes = pictures.matrix_axes(latent, fixed_latent(latent, 8, 0))
    assert (axes and (axes[0].name, axes[1].name)) == names


def test_a_strip_walks_one_code_along_each_row(points: Tensor) -> None:
    module: Any = Recorded(LATENT)
    pictures.strip(module, LATENT.codes[1], points)
    asked = module.asked.view(pictures.ROWS, len(pictures.REACH), -1)
    assert torch.equal(asked[..., -1], torch.tensor(pictures.REACH).expand(pictures.ROWS, -1))
    assert torch.equal(asked[:, 0, :-1], asked[:, -1, :-1])
    assert torch.equal(asked[:, 3, : LATENT.z], points[: pictures.ROWS, : LATENT.z])


def test_the_pictures_of_a_real_module(module: GanModule, points: Tensor) -> None:
    data = dataset()
    before = torch.get_rng_state()
    for image in (
        pictures.matrix(module, points),
        pictures.strip(module, LATENT.codes[0], points),
        pictures.augmented(module, data),
        pictures.neighbours(module, data, Likeness(data, 0), module.sample(points)),
    ):
        assert image is not None
        assert np.asarray(image).std() > 5
    assert torch.equal(torch.get_rng_state(), before)


def test_a_sheet_puts_pictures_where_its_captions_say() -> None:
    colours = np.random.default_rng(0).integers(0, 255, (2, 3, 3), np.uint8)
    made = [[sheet.tile(np.broadcast_to(c, (16, 16, 3))) for c in row] for row in colours]
    image = np.asarray(sheet.sheet(made, "title", ["one", "two"], ["a", "b", "c"]))
    middle, step = sheet.TILE // 2 + 4, sheet.TILE + 4
    rows = [[image.shape[0] - middle - step], [image.shape[0] - middle]]
    columns = [image.shape[1] - middle - i * step for i in (2, 1, 0)]
    assert np.array_equal(image[rows, columns], colours)


def test_captions_are_cut() -> None:
    image = sheet.sheet([[np.zeros((128, 128, 3), np.uint8)]], "t" * 500, ["l" * 500], ["c" * 500])
    assert image.width < 600


def test_nearest_images_are_found_also_mirrored() -> None:
    data = dataset(40)
    likeness = Likeness(data, 0)
    asked = torch.stack([data.images[7], data.images[11].flip(2)]).float() / 127.5 - 1
    matches = likeness.nearest(asked)
    assert [(m.index, m.mirrored) for m in matches] == [(7, False), (11, True)]
    assert all(m.distance < 0.01 for m in matches)
    (far,) = likeness.nearest(torch.ones(1, 3, 16, 16))
    assert far.distance > 1


def test_diversity_is_a_share_of_the_images_own() -> None:
    likeness = Likeness(dataset(60), 0)
    others = drawn(60, seed=1).float() / 127.5 - 1
    assert 0.8 < likeness.diversity(others) < 1.25
    assert likeness.diversity(others[:1].expand(8, -1, -1, -1)) == pytest.approx(0, abs=1e-3)
    assert likeness.diversity(torch.nn.functional.avg_pool2d(others, 2)) > 0.7  # half grown


def grids(folder: Path, count: int, side: int = 16) -> None:
    (folder / "grids").mkdir(parents=True, exist_ok=True)
    for i in range(count):
        level = 2 * i / max(count - 1, 1) - 1
        data = to_png(torch.full((8, 3, side, side), level), columns=4)
        (folder / "grids" / f"{i * 1000:09d}.png").write_bytes(data)


def frames(path: Path) -> list[Any]:
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_a_time_lapse_goes_from_the_first_grid_to_the_last(tmp_path: Path) -> None:
    grids(tmp_path, 6)
    grids(tmp_path, 1, side=8)  # smaller: before it grew
    (tmp_path / "grids" / "000000500.png").write_bytes(b"half a")
    film = frames(timelapse.timelapse(tmp_path))
    assert len(film) == 6 + 20
    levels = [frame[:32, :64].mean() for frame in film]
    assert levels[0] < 5
    assert levels[-1] > 250
    assert sorted(levels[:6]) == levels[:6]
    assert not list(tmp_path.glob("*.part.*"))


def test_a_long_training_gives_a_short_film() -> None:
    paths = [Path(f"{i}.png") for i in range(1234)]
    chosen = timelapse.thinned(paths, 180)
    assert (len(chosen), chosen[0], chosen[-1]) == (180, paths[0], paths[-1])
    assert timelapse.thinned(paths[:3], 180) == paths[:3]


def test_a_film_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["timelapse", "masks"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    grids(tmp_path / "pieces" / "masks.training", 2)
    for name in ("masks", "pieces/masks", "pieces/masks.training"):
        assert cli.main(["timelapse", name]) == 0
        assert capsys.readouterr().out.strip() == "pieces/masks.training/timelapse.mp4"


def test_a_training_is_named_as_its_folder_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["timelapse", "masks.training"]) == 2
    assert capsys.readouterr().err == (
        "installation timelapse: masks.training: no sample grids in masks.training or "
        "pieces/masks.training\n"
    )
    grids(tmp_path / "pieces" / "masks.training", 2)
    assert cli.main(["timelapse", "masks.training"]) == 0
    assert capsys.readouterr().out.strip() == "pieces/masks.training/timelapse.mp4"


def test_a_film_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, *_: object) -> None:
        raise av.PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(timelapse, "_encode", refused)
    monkeypatch.chdir(tmp_path)
    grids(tmp_path / "masks.training", 2)
    assert cli.main(["timelapse", "masks"]) == 2
    assert capsys.readouterr().err == (
        "installation timelapse: masks.training/timelapse.mp4 cannot be written: "
        "Permission denied\n"
    )


def test_the_page_escapes_what_came_from_files(tmp_path: Path) -> None:
    (tmp_path / "latest.png").write_bytes(b"")
    evil = Verdict("uneven", "the label '<script>alert(1)</script>' is very uneven")
    records = [{"kimg": float(i), "spent": i / 4, "discriminator": 0.5 - i / 10} for i in range(3)]
    view = page.View("<b>", records, [evil], [], {"latest.png": "", "gone.png": ""}, 30)
    text = page.page(view, tmp_path)
    assert "<script>alert" not in text
    assert "<b>" not in text
    assert 'src="latest.png?' in text
    assert "gone.png" not in text
    assert 'http-equiv="refresh" content="30"' in text
    assert "<polyline" in text
    assert "http://" not in text.replace("http-equiv", "")
    over = page.page(page.View("x", records, [], [], {"latest.png": ""}, None), tmp_path)
    assert "refresh" not in over
    assert "<script" not in over


def test_a_chart_needs_two_points_and_keeps_few() -> None:
    assert chart("loss", [{"kimg": 1.0, "a": 2.0}], ["a", "b"]) == ""
    long = chart("loss", [{"kimg": float(i), "a": float(i % 7)} for i in range(5000)], ["a"])
    assert long.count(",") < 400


def scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_prometheus_reads_the_figures_over_http() -> None:
    board = Metrics("127.0.0.1", 0)
    try:
        assert scrape(board.port) == {}
        board.figures({"kimg": 1.5, "penalty": 0.25, "mi_hair": 1.1})
        board.figures({"kimg": 2.5, "skipped_steps": 3.0})
        found = scrape(board.port)
    finally:
        board.close()
    assert found == {
        "installation_train_kimg": 2.5,
        "installation_train_penalty": 0.25,
        "installation_train_skipped_steps": 3.0,
        'installation_train_codes_mi{code="hair"}': 1.1,
    }


def test_a_port_that_is_taken_is_said_before_anything_is_written(
    images: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BoardError, match=f"{port}.*another port"):
            train(images, out=tmp_path / "p", metrics=str(port))
    for wrong in ("", "http", "1:2:x", "70000", "-1", "²"):
        with pytest.raises(UsageError, match="--metrics"):
            train(images, out=tmp_path / "p", metrics=wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "option", "settings"),
    [
        ("prometheus_client", "--metrics", ("0", False)),
        ("tensorboard", "--tensorboard", (None, True)),
    ],
)
def test_a_library_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, option: str, settings: Any
) -> None:
    for module in [m for m in sys.modules if m.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BoardError, match=f"{option}.*dashboards"), open_boards(tmp_path, *settings):
        pass


def read_events(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder), size_guidance={"images": 0})
    found.Reload()
    return found


def test_large_pictures_are_reduced_in_a_sheet() -> None:
    pictures = torch.tensor([-1.0, 1.0]).repeat(512, 256)[None, None].expand(3, 3, 512, 512)
    with Image.open(io.BytesIO(to_png(pictures, columns=2))) as sheet:
        assert sheet.size == (512, 512)
        assert sheet.getpixel((3, 3)) == (128, 128, 128)  # fine stripes averaged, not picked from


def test_tensorboard_files_are_read_back(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path / "tb")
    data = to_png(torch.zeros(2, 3, 8, 8), columns=2)
    board.figures({"kimg": 1.0, "penalty": 0.5})
    board.picture("matrix", data, (16, 8), 1.0)
    board.figures({"kimg": 2.0, "penalty": 0.25})
    board.close()
    found = read_events(tmp_path / "tb")
    assert [(e.step, e.value) for e in found.Scalars("penalty")] == [(1000, 0.5), (2000, 0.25)]
    (image,) = found.Images("matrix")
    assert (image.width, image.height, image.encoded_image_string) == (16, 8, data)


def test_tensorboard_begins_a_new_file_after_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = TensorBoard(tmp_path / "tb")
    board.figures({"kimg": 1.0, "penalty": 0.5})

    def full(*unused: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(board, "_write", full)
        with pytest.raises(OSError, match="No space"):
            board.figures({"kimg": 2.0, "penalty": 0.4})
    board.figures({"kimg": 3.0, "penalty": 0.3})
    board.close()
    files = sorted((tmp_path / "tb").iterdir())
    assert len(files) == 2
    assert [e.step for e in read_events(files[1]).Scalars("penalty")] == [3000]


def test_a_watched_training_leaves_everything_and_learns_the_same(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [*TINY, CODES, "growth=8:1 16:1"]
    often = [*settings, "grid_seconds=0.001", "picture_seconds=0.001"]
    out = train(images, out=tmp_path / "p", budget="0.08kimg", overrides=often, tensorboard=True)
    alone = train(images, out=tmp_path / "alone", budget="0.08kimg", overrides=settings)
    one, two = (load_file(path / "generator.safetensors") for path in (out, alone))
    assert differing(one, two) == []

    work = tmp_path / "p.training"
    names = ["matrix", "code_shape", "code_size", "neighbours", "augmented", "latest"]
    text = (work / page.NAME).read_text()
    for name in names:
        with Image.open(work / f"{name}.png") as image:
            assert image.width > 100
        assert f"{name}.png?" in text
    assert timelapse.NAME in text
    assert "Few images (12)" in text
    assert len(frames(work / timelapse.NAME)) == 11 - 1 + 20  # the last grid is drawn twice
    assert capsys.readouterr().err.count("few images (12)") == 2  # once a training
    lines = [json.loads(line) for line in (work / "log.jsonl").read_text().splitlines()]
    figures = [line for line in lines if "said" not in line]
    assert [line["kind"] for line in lines if "said" in line] == ["few"]
    assert figures[-1]["kimg"] == 0.08
    assert figures[-1]["spent"] == 1
    assert figures[-1].keys() >= {"generator", "discriminator", "mi_shape", "diversity", "watching"}
    events = read_events(work / "tensorboard")
    assert len(events.Scalars("diversity")) == len(figures)
    assert set(events.Tags()["images"]) == {*names[:-1], "grid"}


@pytest.mark.parametrize("grids_saved", [True, False])
def test_a_full_disk_does_not_end_a_watched_training(
    grids_saved: bool, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def full(*unused: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("training.watch.watch.replace", full)
    monkeypatch.setattr("training.watch.history.History._write", full)
    monkeypatch.setattr("training.watch.timelapse._encode", full)
    if not grids_saved:
        monkeypatch.setattr("training.callbacks.to_png", full)
    settings = [*TINY, "grid_seconds=0.001"]
    out = train(images, out=tmp_path / "p", budget="0.024kimg", overrides=settings)
    assert (out / "card.json").exists()
    said = capsys.readouterr().err
    last = "the time-lapse" if grids_saved else "the last sample grid"
    for what in ("the page", "the log", "matrix.png", last):
        assert f"{what} could not be saved (No space left on device)" in said
