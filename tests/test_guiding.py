"""Training a piece to follow a guide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from models.guide import guides
from models.latent import GUIDE, Code, Latent
from models.piece import load, load_unfolded
from tests.discs import HUE, write
from tests.pieces import LATENT, make_piece
from tests.tensors import differing
from tests.test_ranks import as_rank
from training import UsageError, ranks
from training.evaluate import Effort, evaluate
from training.guiding import Guides, draw, figures
from training.lineage import as_begun, suited
from training.module import GanModule
from training.ranks import BatchGenerator
from training.recipe import Recipe, RecipeError, load_recipe, make_recipe
from training.train import train
from training.transfer import begin_from

SMALL = {"resolution": 32, "generator": "4:16 8:12 16:8", "z": LATENT.z, "precision": "float32"}


def images(count: int, side: int = 32) -> torch.Tensor:
    drawn = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(2)) * 2 - 1
    return torch.nn.functional.interpolate(drawn, side, mode="bilinear")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_share_of_them_is_to_be_followed_and_half_of_that_all_the_way() -> None:
    far = draw(images(2000), 0.6, rng()).far
    assert ((far >= 0) & (far <= 1)).all()
    assert float((far > 0).float().mean()) == pytest.approx(0.6, abs=0.04)
    assert float((far[far > 0] == 1).float().mean()) == pytest.approx(0.5, abs=0.05)


def test_some_are_the_images_and_the_others_are_not() -> None:
    seen = images(400)
    drawn = draw(seen, 1.0, rng())
    as_they_are = (drawn.pictures - guides(seen)).abs().amax(1) < 1e-4
    assert 0.25 < float(as_they_are.float().mean()) < 0.45
    assert torch.isfinite(drawn.pictures).all()
    assert (drawn.pictures.mean(1).abs() < 1e-4).all()


def test_chance_repeats() -> None:
    one, two, other = (draw(images(16), 0.5, rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.pictures, two.pictures)
    assert torch.equal(one.far, two.far)
    assert not torch.equal(one.pictures, other.pictures)


def test_several_processes_draw_what_one_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn() -> Guides:
        return draw(ranks.share(images(16)), 0.7, BatchGenerator.of(rng(5)))

    alone = drawn()
    for rank in range(2):
        as_rank(monkeypatch, rank, 2)
        part = drawn()
        assert torch.allclose(part.pictures, alone.pictures[rank::2], atol=1e-5)
        assert torch.equal(part.far, alone.far[rank::2])


@pytest.mark.parametrize("side", [8, 16, 64])
def test_images_of_any_size(side: int) -> None:
    assert draw(images(4, side), 1.0, rng()).fed.shape == (4, GUIDE**2)


def test_what_is_missed() -> None:
    seen = images(3)
    there = Guides(guides(seen), torch.ones(3, 1))
    assert float(there.missed(seen)) < 1e-6
    assert float(there.missed(-seen)) > 1
    nothing = there._replace(far=torch.zeros(3, 1))
    assert float(nothing.missed(-seen)) == 0
    assert (nothing.fed == 0).all()
    half = there._replace(far=torch.full((3, 1), 0.5))
    assert float(half.missed(-seen)) == pytest.approx(float(there.missed(-seen)) / 2)


def test_figures_stand_where_they_should() -> None:
    standing, _, _, left, right, near, small, two = figures().view(-1, GUIDE, GUIDE)
    assert (standing[8:, 7:9] > 1).all()  # a trunk
    assert (standing[:2] < 0).all()
    assert torch.allclose(left, right.flip(1), atol=1e-4)
    assert left[:, :8].sum() > left[:, 8:].sum()
    assert torch.allclose(two, two.flip(1), atol=1e-4)
    assert (two[12, 7:9] < 0).all()
    assert (near[8:, 6:10] > 0.5).all()
    assert (small > 0).sum() < (standing > 0).sum() < (near > 0).sum()


@pytest.fixture(scope="module")
def piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guided")
    overrides = [
        "guide=0.6",
        "generator=4:32 8:24 16:16",
        "precision=float32",
        "augment=0",
        "grid_seconds=3",
    ]
    return train(
        write(folder / "discs", 200), out=folder / "p", budget="6kimg", resolution=32,
        overrides=overrides,
    )  # fmt: skip


def test_a_trained_piece_goes_where_its_guide_is(piece: Path) -> None:
    loaded = load(piece)
    wanted = figures()
    torch.manual_seed(0)
    points = torch.randn(len(wanted), loaded.card.latent.width)
    followed = guides(loaded.generator(torch.cat([points, wanted], 1)))
    alone = guides(loaded.generator(points))

    def like(drawn: torch.Tensor) -> float:
        return float((drawn * wanted).mean())

    assert like(followed) > 0.5
    assert like(followed) > like(alone) + 0.4


def test_it_leaves_a_picture_of_that(piece: Path) -> None:
    assert "guided.png" in load(piece).card.files
    work = piece.with_name("p.training")
    with Image.open(work / "guided.png") as shown:
        assert shown.width > 8 * 128
    assert "off the guide" in (work / "index.html").read_text()


def test_a_training_that_was_stopped_goes_on_to_the_bit(tmp_path: Path) -> None:
    discs = write(tmp_path / "discs", 40)
    overrides = ["guide=0.5", "generator=4:16 8:12 16:8", "batch=16", "precision=float32"]
    settings = {"resolution": 32, "overrides": overrides}
    one = train(discs, out=tmp_path / "one", budget="0.128kimg", **settings)
    train(discs, out=tmp_path / "two", budget="0.064kimg", **settings)
    two = train(discs, out=tmp_path / "two", budget="0.128kimg", resume="yes", **settings)
    found = [load_unfolded(each)[1].state_dict() for each in (one, two)]
    assert any("guide" in key for key in found[0])
    assert not differing(*found)


def test_a_piece_learns_to_follow_and_draws_its_pictures_first(tmp_path: Path) -> None:
    folder = make_piece(tmp_path / "p", 32)
    _, source = load_unfolded(folder)
    module = GanModule(make_recipe({**SMALL, "guide": 0.5}).settled(100), LATENT)
    begin_from(module, folder)
    points = torch.randn(4, LATENT.width)
    drawn = module.average(points, guides=torch.randn(4, GUIDE**2))
    assert torch.allclose(drawn, source.eval()(points), atol=1e-5)


def test_a_piece_that_can_follow_goes_on_doing_so(piece: Path) -> None:
    card, source = load_unfolded(piece)
    recipe = suited(load_recipe("quick"), card, set())
    assert recipe.guide == 0.5
    assert suited(load_recipe("quick", ["guide=0"]), card, set()).guide == 0
    plain = Recipe(**SMALL)
    assert as_begun(plain, plain.model_copy(update={"guide": 0.5}), set()).guide == 0.5
    module = GanModule(recipe.settled(100), card.latent)
    taken = begin_from(module, piece)
    assert (taken.layers, taken.of, taken.discriminator) == (4, 4, True)
    mine = module.generator.state_dict()
    for key, tensor in source.state_dict().items():
        assert torch.equal(mine[key], tensor), key
    plain_one = GanModule(
        suited(load_recipe("quick", ["guide=0"]), card, set()).settled(100), card.latent
    )
    assert str(begin_from(plain_one, piece)) == "its pictures, and its discriminator"


def test_an_evaluation_says_how_far_it_follows(piece: Path, tmp_path: Path) -> None:
    effort = Effort(encoder=20, labels=20, codes=20, code_pictures=64)
    dataset = write(tmp_path / "discs", 200)
    found = evaluate(piece, dataset, cache=tmp_path / "cache", effort=effort)["figures"]
    assert found["guide"]["value"] > found["guide"]["floor"] + 0.3
    assert found["fd_own_guided"]["value"] > 0


def test_a_piece_that_learns_nothing_else_draws_as_before_to_the_bit(tmp_path: Path) -> None:
    discs = write(tmp_path / "discs", 60)
    codes = 'codes=[{name="size",kind="continuous"}]'
    small = ["generator=4:16 8:12 16:8", "batch=16", "precision=float32", codes, "mirror=false"]
    before = train(discs, out=tmp_path / "p", budget="0.128kimg", resolution=32, overrides=small)
    words = before / "card.json"
    words.write_text(words.read_text().replace('"name": "size"', '"name": "how large"'))
    again = {"recipe": "guide", "overrides": ["batch=16", "precision=float32"]}
    out = tmp_path / "q"
    train(discs, out=out, budget="0.064kimg", begin_with=str(before), **again)
    train(discs, out=out, budget="0.128kimg", resume=True, **again)
    (card, one), (later, two) = load_unfolded(before), load_unfolded(out)
    assert card.latent.slices().keys() == {"z", "hue", "how large"}
    assert later.training["kimg"] == 0.128
    assert later.training["recipe"]["mirror"] is False  # as it was shown images before
    mine, theirs = one.state_dict(), two.state_dict()
    for key, tensor in mine.items():
        assert torch.equal(tensor, theirs[key]), key
    learned = [key for key in theirs if key.startswith("guide.heads")]
    assert learned
    assert all(theirs[key].abs().max() > 0 for key in learned)


SHORT = ["batch=16", "precision=float32"]


def test_what_stays_as_in_the_piece_cannot_be_asked_for(tmp_path: Path) -> None:
    discs, first = write(tmp_path / "discs", 40), make_piece(tmp_path / "first", 32, Latent(8))

    def run(*overrides: str, resolution: int | None = None, resume: bool = False) -> None:
        train(
            discs, out=tmp_path / "q", budget="0.016kimg", recipe="guide", begin_with=first,
            overrides=[*SHORT, *overrides], resolution=resolution, resume=resume,
        )  # fmt: skip

    with pytest.raises(UsageError, match=r"resolution = 32 stays as in the piece.*leave it out"):
        run(resolution=64)
    with pytest.raises(UsageError, match="z = 8 stays"):
        run("z=9")
    assert not (tmp_path / "q.training").exists()
    run("z=8", resolution=32)
    with pytest.raises(UsageError, match="resolution = 32 stays"):
        run(resolution=64, resume=True)


def test_what_learns_nothing_else_does_not_grow(tmp_path: Path) -> None:
    """Its new layers would learn, or draw what chance made of them."""
    with pytest.raises(RecipeError, match=r"frozen: .* cannot grow"):
        make_recipe({**SMALL, "guide": 0.5, "frozen": True, "growth": "16:1 32:1"})
    discs, first = write(tmp_path / "discs", 40), make_piece(tmp_path / "first", 16, Latent(8))
    settings = {"resolution": 32, "begin_with": first, "overrides": [*SHORT, "guide=0.5"]}
    train(discs, out=tmp_path / "q", budget="0.016kimg", **settings)
    with pytest.raises(RecipeError, match=r"frozen: .* cannot grow; let it begin --from this"):
        train(
            discs, out=tmp_path / "q", budget="0.5kimg", recipe="guide", overrides=SHORT,
            resume=True,
        )  # fmt: skip


@pytest.mark.parametrize("growth", ["16:1 32:2", "32:1", "8:1 16:1", "rubbish"])
def test_growth_is_none_of_its_business(tmp_path: Path, growth: str) -> None:
    """Whatever the size of the piece, which a recipe does not know yet."""
    discs, first = write(tmp_path / "discs", 40), make_piece(tmp_path / "first", 32, Latent(8))
    with pytest.raises(RecipeError, match=r"frozen: .* cannot grow; leave growth out") as said:
        train(
            discs, out=tmp_path / "q", budget="0.016kimg", recipe="guide", begin_with=first,
            overrides=[*SHORT, f"growth={growth}"],
        )  # fmt: skip
    assert "64" not in str(said.value)


def test_a_budget_in_which_nothing_is_learned_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    discs, first = write(tmp_path / "discs", 40), make_piece(tmp_path / "first", 32, Latent(8))

    def told(out: str, budget: str, **more: Any) -> str:
        settings = {"recipe": "guide", "overrides": SHORT, "begin_with": first} | more
        train(discs, out=tmp_path / out, budget=budget, **settings)
        return capsys.readouterr().err

    said = told("q", "0.016kimg")
    assert "in 0.016 kimg no guide is learned: for the first 2 the discriminator" in said
    assert said.index("no guide") < said.index("done at")
    assert "in 0.016 kimg nothing is learned" in told("r", "0.016kimg", recipe="quick")
    # how many that is nobody knows before
    assert "no guide is learned" in told("s", "0.01s")
    assert "is learned" not in told("q", "2.016kimg", resume=True)
    # its discriminator is beside it
    assert "is learned" not in told("t", "0.016kimg", begin_with=tmp_path / "q")


def test_what_has_learned_to_follow_goes_on_with_a_recipe_for_larger_pictures(
    tmp_path: Path,
) -> None:
    discs, first = write(tmp_path / "discs", 40), make_piece(tmp_path / "f", 32, Latent(8, (HUE,)))
    out, settings = tmp_path / "q", {"overrides": SHORT}
    train(discs, out=out, budget="0.016kimg", recipe="guide", begin_with=first, **settings)
    train(discs, out=out, budget="0.032kimg", recipe="quick", resume=True, **settings)
    told = load_unfolded(out)[0].training["recipe"]
    assert (told["resolution"], told["growth"], told["frozen"]) == (64, "32:1 64:9", False)


def test_what_the_codes_were_called_stays(tmp_path: Path) -> None:
    """By a person: such names are none for a recipe."""
    codes = (Code("code2", "continuous"), Code("tief unten", "categorical", 3))
    first = make_piece(tmp_path / "first", 32, Latent(8, (HUE,), codes))
    discs = write(tmp_path / "discs", 40)
    out, settings = tmp_path / "q", {"recipe": "guide", "overrides": SHORT}
    train(discs, out=out, budget="0.016kimg", begin_with=first, **settings)
    assert load_unfolded(out)[0].latent.codes == codes
    train(discs, out=out, budget="0.032kimg", resume=True, **settings)
    assert load_unfolded(out)[0].latent.codes == codes


def test_labels_that_the_piece_is_not_steered_by_are_no_hindrance(tmp_path: Path) -> None:
    first = make_piece(tmp_path / "first", 32, Latent(8))
    out, discs = tmp_path / "q", write(tmp_path / "discs", 40)  # with hues
    for budget in ("0.016kimg", "0.032kimg"):
        train(
            discs, out=out, budget=budget, recipe="guide", overrides=SHORT, begin_with=first,
            resume="or-start",
        )  # fmt: skip
    assert load_unfolded(out)[0].latent.labels == ()


def test_its_discriminator_comes_along_whatever_its_layers(tmp_path: Path) -> None:
    discs = write(tmp_path / "discs", 40)
    own = ["generator=4:16 8:12 16:8", "discriminator=4:24 8:16 16:12"]
    first = train(
        discs, out=tmp_path / "p", budget="0.016kimg", resolution=32, overrides=[*SHORT, *own]
    )
    made = train(
        discs, out=tmp_path / "q", budget="0.016kimg", recipe="guide", overrides=SHORT,
        begin_with=first,
    )  # fmt: skip
    assert load_unfolded(made)[0].training["recipe"]["generator_rest"] == 0


@pytest.mark.parametrize("key", ["guide_weight", "label_weight", "ema_kimg"])
def test_a_weight_is_a_finite_number(key: str) -> None:
    """Every step would be undone."""
    with pytest.raises(RecipeError, match=f"{key} = inf: input should be a finite number"):
        load_recipe("quick", [f"{key}=inf"])


def test_it_wants_a_piece_and_its_labels(tmp_path: Path) -> None:
    discs = write(tmp_path / "discs", 40)
    with pytest.raises(UsageError, match="--from PIECE"):
        train(discs, out=tmp_path / "q", budget="1kimg", recipe="guide")
    other = make_piece(tmp_path / "other", 32)
    with pytest.raises(UsageError, match=r"form"):
        train(discs, out=tmp_path / "q", budget="1kimg", recipe="guide", begin_with=str(other))
    with pytest.raises(RecipeError, match="guide is 0"):
        load_recipe("guide", ["guide=0"])
