"""Beginning from a piece that exists."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors.torch import load_file

from models.card import UPSCALER, PieceError, read_card
from models.latent import Code, Label, Latent
from models.piece import load, load_unfolded
from models.upscaler import Upscaler
from tests.images import noise
from tests.pieces import make_piece
from tests.tensors import differing
from training import UsageError
from training.checkpoint import CheckpointError, discriminator_of, read_checkpoint
from training.growth import from_size, plan
from training.lineage import given, held_out_of, suited
from training.metrics.origin import hold_out_of
from training.module import GanModule
from training.recipe import RecipeError, load_recipe, make_recipe
from training.train import train
from training.transfer import REST, Taken, begin_from
from training.upscale.export import into_piece

HERE = Latent(6, (Label("hair", ("black", "red")),), (Code("size", "continuous"),))
THERE = Latent(
    4,
    (Label("mood", ("calm", "loud")), Label("hair", ("red", "blonde", "black"))),
    (Code("size", "continuous"), Code("form", "categorical", 3)),
)
LINE = "4:16 8:12 16:8 32:8"  # as tests.pieces makes them


def module(resolution: int = 32, line: str = LINE, latent: Latent = HERE) -> GanModule:
    data = {"resolution": resolution, "generator": line, "precision": "float32", "z": latent.z}
    return GanModule(make_recipe(data).settled(100), latent)


def test_everything_of_the_same_shape_comes_along_and_inputs_by_meaning(tmp_path: Path) -> None:
    folder = make_piece(tmp_path / "p", 32, THERE)
    _, theirs = load_unfolded(folder)
    mine = module()
    fresh = mine.generator.seed.weight.detach().clone()
    # no training folder beside it, so no discriminator
    assert begin_from(mine, folder) == Taken(layers=4, of=4, discriminator=False)
    seed, other = mine.generator.seed.weight, theirs.seed.weight
    assert torch.equal(seed[:, :4], other[:, :4])
    assert torch.equal(seed[:, 4:6], fresh[:, 4:6])  # two more dimensions of z
    here, there = HERE.slices(), THERE.slices()
    black, red = here["hair"].start, here["hair"].start + 1
    assert torch.equal(seed[:, black], other[:, there["hair"].start + 2])
    assert torch.equal(seed[:, red], other[:, there["hair"].start])
    assert torch.equal(seed[:, here["size"]], other[:, there["size"]])
    assert torch.equal(mine.generator.picture.weight, theirs.picture.weight)
    for key, tensor in mine.generator.state_dict().items():
        assert torch.equal(tensor, mine.average.state_dict()[key])


def test_a_larger_network_begins_from_a_smaller_piece(tmp_path: Path) -> None:
    folder = make_piece(tmp_path / "p", 32, HERE)
    _, theirs = load_unfolded(folder)
    mine = module(resolution=64)
    fresh = mine.generator.picture.weight.detach().clone()
    taken = begin_from(mine, folder)
    assert str(taken) == (
        "3 of its 4 layers fit the recipe's networks, so its pictures have to be found again"
    )
    assert torch.equal(mine.generator.seed.weight, theirs.seed.weight)
    assert torch.equal(mine.generator.picture.weight, fresh)  # it draws from another stage


def test_nothing_in_common_is_refused(tmp_path: Path) -> None:
    folder = make_piece(tmp_path / "p", 32, HERE)
    with pytest.raises(UsageError, match=r"little in common.*\[16, 12, 8\]"):
        begin_from(module(line="4:8 8:6 16:4 32:8"), folder)


def test_networks_of_another_kind_are_refused(tmp_path: Path) -> None:
    """A 3×3 kernel in the corner of a 4×4 one draws something else."""
    folder = make_piece(tmp_path / "p", 32, HERE)
    data = {"resolution": 32, "generator": LINE, "z": HERE.z, "networks": "dcgan"}
    with pytest.raises(UsageError, match=r"another kind.*--set networks=strided$"):
        begin_from(GanModule(make_recipe(data).settled(100), HERE), folder)


def test_a_wider_network_draws_the_same_pictures_at_first(tmp_path: Path) -> None:
    folder = make_piece(tmp_path / "p", 32, HERE)
    _, theirs = load_unfolded(folder)
    mine = module(line="4:20 8:12 16:24")
    begin_from(mine, folder)
    points = torch.randn(8, HERE.width, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        pictures = mine.generator.eval()(points)
        assert torch.allclose(pictures, theirs.eval()(points), atol=1e-5)
        assert pictures.std() > 0.01
    mine.generator(points).square().mean().backward()
    wider = mine.generator.picture.weight.grad
    assert wider is not None
    assert wider[8:].abs().max() > 0  # what is new learns


@pytest.mark.parametrize(
    ("growth", "start", "resolution", "is_now"),
    [
        ("32:2x64 64:3 128:5x16", 128, 128, "128:5x16"),  # in batches of its own
        ("32:2x64 64:3", 128, 128, ""),
        ("32:2x64 64:3 128:5", 64, 128, "64:3 128:5"),
        ("64:3 128:5", 16, 128, "16:1 32:1 64:3 128:5"),
        ("", 64, 64, ""),
        ("", 64, 256, "64:1 128:1 256:9"),
        ("16:1 32:2 64:3 128:5", 32, 64, "32:2 64:3 128:5"),  # and on, if it is resumed larger
    ],
)
def test_it_grows_from_the_pieces_size(
    growth: str, start: int, resolution: int, is_now: str
) -> None:
    assert from_size(growth, start, resolution) == is_now
    plan(is_now, resolution, 32)


@pytest.mark.parametrize("recipe", ["quick", "masks", "fewshot", "anime", "progressive"])
@pytest.mark.parametrize("size", [64, 128])
def test_every_recipe_draws_the_pieces_pictures_at_first(
    tmp_path: Path, recipe: str, size: int
) -> None:
    folder = make_piece(tmp_path / "p", size, HERE)
    card, theirs = load_unfolded(folder)
    suits = suited(load_recipe(recipe), card, set())
    assert suits.resolution == max(size, load_recipe(recipe).resolution)
    mine = GanModule(suits.settled(100), Latent(suits.z, HERE.labels, HERE.codes))
    assert begin_from(mine, folder).layers == size.bit_length() - 2
    points = torch.randn(4, HERE.width, generator=torch.Generator().manual_seed(0))
    assert mine.size.resolution == size
    # wider layers are summed in another order, by .0001 on some processors
    assert torch.allclose(mine.average(points), theirs.eval()(points), atol=1e-3)


def test_what_is_asked_for_is_not_the_pieces(tmp_path: Path) -> None:
    card, _ = load_unfolded(make_piece(tmp_path / "p", 64, HERE))
    small = suited(load_recipe("quick", resolution=32), card, given([], 32))
    assert (small.resolution, small.growth) == (32, "")
    own = ["generator=4:64 8:64 16:64 32:64", "z=9", "resolution=64"]
    kept = suited(load_recipe("quick", own), card, given(own, None))
    assert (kept.generator, kept.z) == ("4:64 8:64 16:64 32:64", 9)
    short = ["generator=4:64 8:64 16:64", "resolution=32"]
    with pytest.raises(RecipeError, match="with --from: generator: ends at 16 pixels"):
        suited(load_recipe("quick", short), card, given(short[:1], None))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return noise(tmp_path / "noise")


TINY = ["resolution=16", "generator=4:16 8:8", "batch=4", "precision=float32", "z=8"]


def test_from_a_piece_on_the_command_line(images: Path, tmp_path: Path) -> None:
    first = train(images, out=tmp_path / "a", budget="0.04kimg", overrides=TINY)
    second = train(
        images, out=tmp_path / "b", budget="0.012kimg", overrides=TINY, begin_with=str(first)
    )
    told = json.loads((second / "card.json").read_text())["training"]
    hashes = json.loads((first / "card.json").read_text())["files"]
    assert told["from"] == {"name": "noise", "sha256": hashes["generator.safetensors"]["sha256"]}
    assert told["recipe"]["generator_rest"] == 0  # its discriminator was there
    shutil.rmtree(tmp_path / "a.training")
    third = train(
        images, out=tmp_path / "c", budget="0.012kimg", overrides=TINY, begin_with=str(first)
    )
    # Without it the generator rests, so the piece is still the first's.
    one, two = (load_file(folder / "generator.safetensors") for folder in (first, third))
    assert not [key for key in differing(one, two) if key.endswith("weight")]


def test_a_training_from_a_piece_goes_on_by_the_same_command(images: Path, tmp_path: Path) -> None:
    first = train(images, out=tmp_path / "a", budget="0.012kimg", overrides=TINY)
    shutil.rmtree(tmp_path / "a.training")
    recipe = tmp_path / "own.toml"
    recipe.write_text('about = "my own"')

    def run(name: str, budget: str, resume: bool | Literal["or-start"] = "or-start") -> Path:
        found = train(
            images, out=tmp_path / name, budget=budget, resume=resume, overrides=TINY,
            recipe=str(recipe), begin_with=first,
        )  # fmt: skip
        assert found is not None
        return found

    run("whole", "0.032kimg")
    run("parts", "0.016kimg")
    run("parts", "0.032kimg")
    one, two = (read_checkpoint(tmp_path / f"{name}.training") for name in ("whole", "parts"))
    assert differing(one[0], two[0]) == []
    shutil.rmtree(first)  # it has been begun from
    told = read_card(run("parts", "0.04kimg", resume=True)).training
    assert (told["kimg"], told["from"]["name"]) == (0.04, "noise")
    assert told["recipe"]["generator_rest"] == REST


def test_a_growing_training_from_a_piece_goes_on_by_the_same_command(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = make_piece(tmp_path / "first", 16, Latent(8))
    recipe = tmp_path / "own.toml"
    recipe.write_text('resolution = 32\ngrowth = "8:1 16:1 32:2"\n')
    tiny = ["batch=4", "precision=float32", "cooldown=0"]
    for budget in ("0.008kimg", "0.016kimg"):
        made = train(
            images, out=tmp_path / "p", budget=budget, resume="or-start", overrides=tiny,
            recipe=str(recipe), begin_with=first,
        )  # fmt: skip
        assert made is not None
    told = read_card(made).training
    assert (told["recipe"]["growth"], told["recipe"]["z"]) == ("16:1 32:2", 8)
    assert told["kimg"] == 0.016
    assert "beginning from first: its pictures\n" in capsys.readouterr().err


def test_what_was_trained_on_is_not_held_out_later(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = train(images, out=tmp_path / "a", budget="0.008kimg", overrides=[*TINY, "hold_out=0"])
    more = [*TINY, "hold_out=0.3"]
    train(images, out=tmp_path / "a", budget="0.012kimg", overrides=more, resume=True)
    assert "hold_out stays 0: this piece has been trained on" in capsys.readouterr().err
    heir = train(images, out=tmp_path / "b", budget="0.008kimg", overrides=more, begin_with=seen)
    assert "hold_out stays 0: noise has been trained on" in capsys.readouterr().err
    for made in (seen, heir):
        told = read_card(made).training
        assert (told["hold_out"], told["recipe"]["hold_out"]) == (0, 0)
    others = noise(tmp_path / "others", 24)
    free = train(others, out=tmp_path / "c", budget="0.008kimg", overrides=more, begin_with=seen)
    assert read_card(free).training["hold_out"] == 0.3


def test_what_the_first_of_three_was_trained_on_is_not_held_out_of_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, then, other = (noise(tmp_path / name, 24) for name in ("first", "then", "other"))

    def held_out(out: str, images: Path, share: float, **more: Any) -> float:
        made = train(
            images, out=tmp_path / out, overrides=[*TINY, f"hold_out={share}"],
            budget=more.pop("budget", "0.008kimg"), **more,
        )  # fmt: skip
        return float(read_card(made).training["hold_out"])

    assert held_out("a", first, 0.1) == 0.1
    assert held_out("b", then, 0.3, begin_with=tmp_path / "a") == 0.3
    assert held_out("c", first, 0.3, begin_with=tmp_path / "b") == 0.1
    assert held_out("d", other, 0.3, begin_with=tmp_path / "c") == 0.3
    # nor where it goes on with other images than it began with, or one begins from it later
    assert held_out("b", first, 0.3, budget="0.012kimg", resume=True) == 0.1
    assert held_out("e", first, 0.3, begin_with=tmp_path / "d") == 0.1
    assert held_out("f", then, 0.5, begin_with=tmp_path / "b") == 0.3
    assert "hold_out stays 0.1: this piece has been trained on" in capsys.readouterr().err
    heir = read_card(tmp_path / "d")
    shares = [hold_out_of(heir, name) for name in ("first", "then", "other", "renamed")]
    assert shares == [0.1, 0.3, 0.3, 0.3]


def test_curated_datasets_are_told_apart(tmp_path: Path) -> None:
    """All of them lie in a folder called images."""
    for name in ("photos", "drawings"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.csv").write_text("file,keep\n")
        noise(tmp_path / name / "images", 24)

    def held_out(name: str, wish: float, begin_with: Path | None = None) -> dict[str, Any]:
        made = train(
            tmp_path / name / "images", out=tmp_path / f"{name}-{wish}", budget="0.008kimg",
            overrides=[*TINY, f"hold_out={wish}"], begin_with=begin_with,
        )  # fmt: skip
        return read_card(made).training

    seen = tmp_path / "photos-0"
    assert held_out("photos", 0)["dataset"] == "photos"
    assert held_out("photos", 0.3, seen)["hold_out"] == 0
    assert held_out("drawings", 0.3, seen)["hold_out"] == 0.3


def test_a_piece_of_before_may_be_of_any_curated_dataset(tmp_path: Path) -> None:
    """Its card calls all of them images."""
    card = read_card(make_piece(tmp_path / "p"))
    before = replace(card, training={"dataset": "images", "hold_out": 0})
    assert held_out_of(before, "photos") == 0


def test_whose_the_pieces_images_were_stays_with_what_comes_of_it(
    images: Path, tmp_path: Path
) -> None:
    theirs, mine = {"author": "A. Artist", "licence": "CC0-1.0"}, {"author": "B. Artist"}
    (images / "provenance.json").write_text(json.dumps(theirs))
    first = train(images, out=tmp_path / "a", budget="0.008kimg", overrides=TINY)
    (images / "provenance.json").write_text(json.dumps(mine))
    heir = train(images, out=tmp_path / "b", budget="0.008kimg", overrides=TINY, begin_with=first)
    assert read_card(heir).provenance == [mine, theirs]


def with_upscaler(folder: Path, of: Path) -> tuple[Path, dict[str, Any]]:
    """The piece `of` with an upscaler of its own, and what its card says of that."""
    torch.manual_seed(5)
    told = {"dataset": "large ones", "kimg": 3.0}
    fitted = Upscaler(scale=2, channels=4, depth=2)
    into_piece(fitted, of, folder, told, [{"author": "C. Artist"}])
    return folder, told


def upscaler_in(made: Path | None, first: Path, told: dict[str, Any]) -> bool:
    """Whether a piece has the first one's upscaler; with all that belongs to it, if so."""
    assert made is not None
    card = load(made).card  # every hash is right
    there = card.upscaler is not None
    assert card.training.get("upscaler") == (told if there else None)
    assert (made / UPSCALER).exists() == there
    if there:
        assert (made / UPSCALER).read_bytes() == (first / UPSCALER).read_bytes()
        assert card.upscaler == read_card(first).upscaler
        assert {"author": "C. Artist"} in card.provenance
    return there


def test_an_upscaler_comes_along_where_the_pictures_stay_what_it_was_fitted_to(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = train(images, out=tmp_path / "a", budget="0.012kimg", overrides=TINY)
    assert base is not None
    first, told = with_upscaler(tmp_path / "first", base)
    others, short = noise(tmp_path / "others"), ["batch=4", "precision=float32"]

    def begun(name: str, dataset: Path, **more: Any) -> bool:
        made = train(dataset, out=tmp_path / name, budget="0.008kimg", begin_with=first, **more)
        return upscaler_in(made, first, told)

    assert begun("guided", images, recipe="guide", overrides=short)
    assert begun("elsewhere", others, recipe="guide", overrides=short)  # G stays as it is
    assert begun("longer", images, overrides=TINY)
    assert "its upscaler comes along" in capsys.readouterr().err
    assert not begun("other", others, overrides=TINY)
    assert "its upscaler stays behind" in capsys.readouterr().err
    wide = [*TINY, "resolution=32", "generator=4:16 8:8 16:8"]
    assert not begun("larger", images, overrides=wide)
    assert "its upscaler stays behind" in capsys.readouterr().err
    plain = train(images, out=tmp_path / "p", budget="0.008kimg", overrides=TINY, begin_with=base)
    assert not upscaler_in(plain, first, told)
    assert "its upscaler" not in capsys.readouterr().err


def test_an_upscaler_that_came_along_needs_the_first_piece_no_longer(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    base = train(images, out=tmp_path / "a", budget="0.012kimg", overrides=TINY)
    assert base is not None
    first, told = with_upscaler(tmp_path / "first", base)
    settings: dict[str, Any] = {
        "recipe": "guide", "overrides": ["batch=4", "precision=float32"], "begin_with": first,
        "resume": "or-start",
    }  # fmt: skip

    def cut(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as later:  # saved, and ended before there is a piece
        later.setattr("training.run.export", cut)
        for name in ("b", "c"):
            with pytest.raises(KeyboardInterrupt):
                train(images, out=tmp_path / name, budget="0.008kimg", **settings)
    gone = first.rename(tmp_path / "gone")
    made = train(images, out=tmp_path / "b", budget="0.016kimg", **settings)
    assert upscaler_in(made, gone, told)
    (tmp_path / "c.training" / UPSCALER).write_bytes(b"half")
    made = train(images, out=tmp_path / "c", budget="0.016kimg", **settings)
    assert not upscaler_in(made, gone, told)
    assert "the piece's upscaler is left out" in capsys.readouterr().err


@torch.no_grad()
def test_a_wider_discriminator_judges_as_the_one_before(images: Path, tmp_path: Path) -> None:
    first = train(images, out=tmp_path / "a", budget="0.012kimg", overrides=TINY)
    latent = read_card(first).latent
    theirs, _ = read_checkpoint(tmp_path / "a.training")
    same, wide, other = (
        module(16, line, latent) for line in ("4:16 8:8", "4:16 8:12", "4:24 8:12")
    )
    same.discriminator.load_state_dict(discriminator_of(theirs))
    assert begin_from(wide, first).discriminator
    pictures = torch.randn(8, 3, 16, 16)
    for mine, before in zip(
        wide.discriminator(pictures), same.discriminator(pictures), strict=True
    ):
        torch.testing.assert_close(mine, before)
    assert not begin_from(other, first).discriminator  # its heads read other features
    larger = module(32, "4:16 8:12 16:8", latent)
    assert not begin_from(larger, first).discriminator


def test_a_damaged_discriminator_begins_anew(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = train(images, out=tmp_path / "a", budget="0.012kimg", overrides=TINY)
    (tmp_path / "a.training" / "checkpoint.safetensors").write_bytes(b"half")
    second = train(images, out=tmp_path / "b", budget="0.012kimg", overrides=TINY, begin_with=first)
    assert read_card(second).training["recipe"]["generator_rest"] == REST
    said = capsys.readouterr().err
    assert "is damaged" in said
    assert "a new discriminator begins instead" in said


def test_a_discriminator_of_its_own_widths_comes_along(images: Path, tmp_path: Path) -> None:
    """The recipe says nothing of either network; and it grows."""
    own = [*TINY, "discriminator=4:24 8:16"]
    short = ["batch=4", "precision=float32"]
    first = train(images, out=tmp_path / "a", budget="0.008kimg", overrides=own)
    for budget, resume in (("0.008kimg", False), ("0.012kimg", True)):
        made = train(
            images, out=tmp_path / "b", budget=budget, resume=resume, recipe="quick",
            resolution=32, overrides=short, begin_with=first,
        )  # fmt: skip
        told = read_card(made).training["recipe"]
        assert told["generator_rest"] == 0
        assert told["discriminator"].startswith("4:24 8:16 16:96")
    made = train(images, out=tmp_path / "c", budget="0.008kimg", overrides=TINY, begin_with=first)
    assert read_card(made).training["recipe"]["discriminator"] is None  # as its own generator


def test_a_code_that_a_person_has_renamed_keeps_its_inputs(images: Path, tmp_path: Path) -> None:
    codes = 'codes=[{name="kind",kind="categorical",size=3}]'
    first = train(images, out=tmp_path / "a", budget="0.008kimg", overrides=[*TINY, codes])
    shutil.rmtree(tmp_path / "a.training")  # so that G rests
    card = first / "card.json"
    card.write_text(card.read_text().replace('"name": "kind"', '"name": "horns"', 1))
    assert read_card(first).latent.codes[0].name == "horns"
    before = load_unfolded(first)[1].seed.weight
    for name in ("kind", "horns"):
        made = train(
            images, out=tmp_path / name, budget="0.008kimg", begin_with=first,
            overrides=[*TINY, codes.replace("kind", name, 1)],
        )  # fmt: skip
        assert torch.equal(load_unfolded(made)[1].seed.weight, before)


def test_refusals(images: Path, tmp_path: Path) -> None:
    with pytest.raises(PieceError, match="no piece 'ghost'"):
        train(images, out=tmp_path / "p", overrides=TINY, begin_with="ghost")
    with pytest.raises(CheckpointError, match=r"no training in .* yet; leave out"):
        train(images, out=tmp_path / "p", overrides=TINY, begin_with="masks", resume=True)
    assert not (tmp_path / "p").exists()
