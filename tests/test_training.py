"""The parts of training: recipes, budgets, losses, augmentation, batches, the moving average."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from models.discriminator import Discriminator, minibatch_deviation
from models.generator import Generator, UpConv
from models.latent import Code, Label, Latent
from models.strided import Halve, double, halve
from training import losses
from training.augment import augment, mirror
from training.batches import Batches, draw_latent, step_rng
from training.budget import Budget
from training.dataset import Dataset
from training.module import average_state
from training.recipe import RecipeError, load_recipe, make_recipe, read_recipe, recipe_names


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Recipes and budgets


def test_every_recipe_that_ships_loads() -> None:
    assert "quick" in recipe_names()
    for name in recipe_names():
        assert read_recipe(name)["about"]
        if read_recipe(name).get("trains") != "upscaler":  # tests/test_upscale_commands.py
            load_recipe(name)


def test_every_field_is_documented() -> None:
    from training.recipe import Recipe

    assert [key for key, field in Recipe.model_fields.items() if not field.description] == []


def test_overrides_and_settings() -> None:
    recipe = load_recipe("quick", ["batch=8", "fit=crop", "codes=[{name='a', kind='continuous'}]"])
    assert (recipe.batch, recipe.fit, recipe.codes[0].name) == (8, "crop", "a")
    assert load_recipe("quick", resolution=32).generator_stages == (384, 192, 96)
    assert load_recipe("quick", resolution=128).discriminator_stages[0] == 384


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("bathc=8", "unknown key 'bathc'"),
        ("batch=one", "batch = 'one': a number or auto"),
        ("resolution=48", "not a power of two"),
        ("generator=4:8", "ends at 4 pixels, and 64 pixels need"),
        ("gamma=-1", "gamma"),
        ("augment=2.0", "augment"),
        ("augment=loud", "augment = 'loud': a number or auto"),
        ("batch", "key=value"),
        ("codes=[{name='a', kind='categorical'}]", "two values"),
        ("codes=[{name='a', kind='continuous', sise=1}]", "known are name, kind, size$"),
        ("labels=hair", "labels = 'hair': a list, in square brackets"),
    ],
)
def test_recipe_refusals(override: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says) as caught:
        load_recipe("quick", [override])
    assert "\n" not in str(caught.value)


def test_unknown_and_unreadable_recipes(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"there is .*quick"):
        load_recipe("slow")
    (tmp_path / "mine.toml").write_text("batch = ")
    with pytest.raises(RecipeError, match=r"mine\.toml"):
        load_recipe(str(tmp_path / "mine.toml"))


def test_auto_settles_by_size() -> None:
    recipe = make_recipe({})
    few, many = recipe.settled(100), recipe.settled(50_000)
    assert few.augment > many.augment
    assert few.gamma < many.gamma
    assert make_recipe({"gamma": 3}).settled(100).gamma == 3


@pytest.mark.parametrize(
    ("device", "resolution", "batch"),
    [("cpu", 64, 32), ("cpu", 256, 32), ("cuda", 64, 128), ("cuda", 256, 64)],
)
def test_the_batch_is_the_machines(
    monkeypatch: pytest.MonkeyPatch, device: str, resolution: int, batch: int
) -> None:
    monkeypatch.setattr("training.precision.fastest", lambda: torch.device(device))
    assert load_recipe("quick", resolution=resolution).batch == batch
    assert load_recipe("quick", ["batch=auto"], resolution=resolution).batch == batch
    assert load_recipe("quick", ["batch=16"], resolution=resolution).batch == 16


@pytest.mark.parametrize(
    ("asked", "held_out", "augment", "adapt"),
    [
        ({}, 10, 0.0, True),
        ({}, 0, 0.8, False),  # nobody could say that D learns by heart
        ({"augment": 0.3}, 10, 0.3, False),  # a number is meant
        ({"augment": 0.3, "adapt": True}, 10, 0.3, True),
        ({"adapt": False}, 10, 0.8, False),
    ],
)
def test_augmentation_adapts_where_nothing_else_is_said(
    asked: dict[str, object], held_out: int, augment: float, adapt: bool
) -> None:
    settled = make_recipe(asked).settled(100, held_out)
    assert (settled.augment, settled.adapt) == (augment, adapt)


def test_budget() -> None:
    assert Budget.parse("20m").seconds == 1200
    assert Budget.parse("1.5h").seconds == 5400
    assert Budget.parse("400kimg").spent(seconds=9e9, kimg=100) == 0.25
    for wrong in ("", "20", "-3m", "0kimg", "nan"):
        with pytest.raises(RecipeError, match="--budget"):
            Budget.parse(wrong)


# Losses


def test_losses_in_closed_form() -> None:
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 0.0])
    expected = (math.log1p(math.exp(-2)) + math.log(2)) / 2
    assert losses.relativistic_discriminator(real, fake).item() == pytest.approx(expected)
    expected = (math.log1p(math.exp(2)) + math.log(2)) / 2
    assert losses.relativistic_generator(real, fake).item() == pytest.approx(expected)
    classic = (math.log1p(math.exp(-2)) + math.log(2)) / 2 + math.log(2)
    assert losses.classic_discriminator(real, fake).item() == pytest.approx(classic)
    assert losses.classic_generator(real, fake).item() == pytest.approx(math.log(2))


def test_gradient_penalty_in_closed_form() -> None:
    weight = torch.randn(3, 4, 4, generator=rng()).requires_grad_()
    images = torch.randn(5, 3, 4, 4, generator=rng(1)).requires_grad_()
    penalty = losses.gradient_penalty((images * weight).sum((1, 2, 3)), images)
    assert penalty.item() == pytest.approx(weight.square().sum().item(), rel=1e-5)
    (slope,) = torch.autograd.grad(penalty, weight)
    assert torch.allclose(slope, 2 * weight, rtol=1e-4)


# Augmentation


def test_augment_is_identity_at_zero() -> None:
    images = torch.rand(4, 3, 8, 8) * 2 - 1
    assert torch.equal(augment(images, 0.0, rng()), images)


def test_augment_changes_repeats_and_passes_gradients() -> None:
    images = (torch.rand(16, 3, 16, 16, generator=rng()) * 2 - 1).requires_grad_()
    changed = augment(images, 1.0, rng(5), cutout=1.0)
    assert changed.shape == images.shape
    assert not torch.allclose(changed, images)
    assert torch.equal(changed, augment(images, 1.0, rng(5), cutout=1.0))
    (gradient,) = torch.autograd.grad(changed.sum(), images)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0


def test_augment_leaves_some_untouched_at_half_strength() -> None:
    images = torch.rand(256, 3, 8, 8) * 2 - 1
    same = (augment(images, 0.5, rng()) - images).abs().amax((1, 2, 3)) < 1e-5
    assert 0 < same.sum() < 64


def test_cutout_is_a_grey_hole() -> None:
    holes = augment(torch.ones(8, 3, 16, 16), 0.0, rng(), cutout=1.0) == 0
    assert holes.any(3).any(2).all()
    assert not holes.all(3).all(2).any()


def test_mirror_flips_about_half() -> None:
    images = torch.rand(200, 3, 4, 4)
    flipped = mirror(images, rng())
    changed = (flipped != images).any(3).any(2).any(1)
    assert 60 < changed.sum() < 140
    assert torch.equal(flipped[changed], images[changed].flip(3))


# Networks


def test_up_conv_repeats_pixels_then_convolves() -> None:
    up, x = UpConv(5, 7), torch.randn(2, 5, 6, 6)
    repeated = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
    # A transposed convolution's kernel is a convolution's, flipped.
    plain = nn.functional.conv2d(repeated, up.weight.transpose(0, 1).flip(2, 3), padding=1)
    assert torch.allclose(up(x), plain, atol=1e-5)


@pytest.mark.parametrize("side", [4, 8])  # by matrix, and by convolution
def test_strided_convolutions(side: int) -> None:
    x, weight, bias = torch.randn(2, 5, side, side), torch.randn(7, 5, 4, 4), torch.randn(7)
    plain = nn.functional.conv2d(x, weight, bias, stride=2, padding=1)
    assert torch.allclose(halve(x, weight, bias), plain, atol=1e-4)
    weight = weight.transpose(0, 1)
    plain = nn.functional.conv_transpose2d(x, weight, stride=2, padding=1)
    assert torch.allclose(double(x, weight), plain, atol=1e-4)


def test_what_is_differentiated_twice_is_the_same() -> None:
    """Against torch's own convolution: values, gradients, and gradients of a penalty."""
    rng = torch.Generator().manual_seed(0)
    x, weight = (
        torch.randn(*shape, generator=rng, dtype=torch.float64).requires_grad_()
        for shape in ((2, 3, 64, 64), (5, 3, 4, 4))
    )
    bias = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    small = x[..., :8, :8].detach().clone().requires_grad_()
    assert torch.autograd.gradgradcheck(Halve.apply, (small, weight))

    def penalised(twice: bool) -> list[torch.Tensor]:
        y = halve(x, weight, bias, twice).sin().sum()
        (slope,) = torch.autograd.grad(y, x, create_graph=True)
        return [y, slope, *torch.autograd.grad(y + slope.square().sum(), (x, weight, bias))]

    for mine, torchs in zip(penalised(True), penalised(False), strict=True):
        torch.testing.assert_close(mine, torchs)


@pytest.mark.parametrize("half", [False, True])
def test_a_penalty_takes_no_convolution_as_large_as_the_picture(half: bool) -> None:
    network = Discriminator(64, [8, 8, 8, 16])
    images = torch.randn(4, 3, 64, 64, requires_grad=True)
    with (
        torch.profiler.profile(record_shapes=True) as seen,
        torch.autocast("cpu", torch.bfloat16, enabled=half),
    ):
        logits, _ = network(images)
        losses.gradient_penalty(logits.float(), images).backward()
    kernels = {
        max(event.input_shapes[1][2:])
        for event in seen.events()
        if event.name == "aten::convolution" and len(event.input_shapes[1]) == 4
    }
    assert 4 in kernels
    assert max(kernels) < 32


def test_folded_generator_draws_the_same() -> None:
    generator = Generator(12, 32, (16, 8, 8))
    for _ in range(3):
        generator(torch.randn(16, 12) * 3)  # moves batch norm's statistics
    latent = torch.randn(4, 12)
    generator.eval()
    assert torch.allclose(generator(latent), generator.fold()(latent), atol=1e-5)
    assert generator(latent).shape == (4, 3, 32, 32)
    assert generator(latent).abs().max() <= 1


def test_the_discriminator_begins_as_wide_as_torchs_own_convolutions() -> None:
    """Smaller, it never learns on few photographs: see training/MEASUREMENTS.md."""
    torch.manual_seed(0)
    for conv in Discriminator(32, (48, 96, 192)).trunk:
        outputs, inputs, *_ = conv.weight.shape
        theirs = torch.nn.Conv2d(inputs, outputs, 4)
        assert conv.weight.std().item() == pytest.approx(theirs.weight.std().item(), rel=0.1)


def test_stages_must_fit() -> None:
    for resolution, channels in ((64, (8, 8)), (16, (8, 0)), (16, ()), (48, (8, 8, 8))):
        with pytest.raises(ValueError, match=r"stages|channels"):
            Generator(4, resolution, channels)


def test_minibatch_deviation_sees_repetition() -> None:
    same = torch.randn(1, 4, 4, 4).expand(8, 4, 4, 4)
    assert minibatch_deviation(same).max() < 1e-3
    assert minibatch_deviation(torch.randn(8, 4, 4, 4)).min() > 0.5
    assert minibatch_deviation(torch.randn(5, 4, 4, 4)).shape == (5, 1, 4, 4)


def test_discriminator_reads_labels_only_when_ramped_in() -> None:
    judge = Discriminator(16, (8, 16), conditions=3, codes=(Code("a", "categorical", 4),))
    images, one = torch.randn(2, 3, 16, 16), torch.eye(3)[:2]
    other = torch.eye(3)[1:]
    assert torch.equal(judge(images, one, 0.0)[0], judge(images, other, 0.0)[0])
    assert not torch.equal(judge(images, one, 1.0)[0], judge(images, other, 1.0)[0])
    assert judge.recognise(images).shape == (2, 4)
    assert judge(images, one)[1].shape == (2, 3)


def test_a_hole_burnt_into_a_picture_can_close_again() -> None:
    drawn = torch.tensor([-2.9, 0.0, 2.9, 12.0, -12.0]).view(1, 1, 1, 5).requires_grad_()
    assert (torch.tanh(drawn[..., :3]).abs() < 1).all()
    torch.tanh(drawn).sum().backward()
    assert drawn.grad is not None
    assert drawn.grad[..., 3:].abs().max() < 1e-8  # no way out by the picture alone
    drawn.grad = None
    losses.saturation(drawn).backward()
    assert drawn.grad is not None
    assert torch.equal(drawn.grad.sign().flatten(), torch.tensor([0.0, 0, 0, 1, -1]))


def test_q_never_leaves_the_range_of_a_continuous_code() -> None:
    codes = (Code("kind", "categorical", 2), Code("turn", "continuous"))
    judge = Discriminator(16, (8, 16), codes=codes)
    guess = judge.recognise(1e4 * torch.randn(4, 3, 16, 16))
    assert guess[:, :2].abs().max() > 2  # logits, as they are
    assert guess[:, 2].abs().max() <= 1
    assert not [key for key in judge.state_dict() if "bounded" in key]


# Batches, latents, the average


def numbered(count: int) -> Dataset:
    """Images that are all one number, so that a batch says which it holds."""
    images = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(count, 3, 4, 4)
    return Dataset("n", images, (), torch.zeros(count, 0), ("",) * count, (), [])


def test_an_epoch_shows_every_image_once() -> None:
    batches = Batches(numbered(10), batch=4, seed=1, start=0, flip=False)
    shown = torch.cat([batches.at(shown)[0][:, 0, 0, 0] for shown in range(0, 20, 4)]).tolist()
    assert sorted(shown[:10]) == sorted(shown[10:]) == list(range(10))
    assert shown[:10] != shown[10:]
    later = iter(Batches(numbered(10), batch=4, seed=1, start=12, flip=False))
    assert next(later)[0][:, 0, 0, 0].tolist() == shown[12:16]


def test_a_batch_larger_than_the_dataset() -> None:
    assert Batches(numbered(3), batch=8, seed=0, start=0, flip=True).at(2)[0].shape[0] == 8


def test_latent_layout() -> None:
    latent = Latent(
        4, (Label("hair", ("a", "b")),), (Code("k", "categorical", 3), Code("x", "continuous"))
    )
    drawn = draw_latent(latent, torch.tensor([[0.0, 1.0]]).repeat(50, 1), rng())
    where = latent.slices()
    assert drawn.shape == (50, latent.width)
    assert drawn[:, where["hair"]].unique(dim=0).tolist() == [[0, 1]]
    assert torch.equal(drawn[:, where["k"]].sum(1), torch.ones(50))
    assert drawn[:, where["x"]].abs().max() <= 1


def test_step_rng_depends_on_everything() -> None:
    keys = [(0, 0, "a"), (1, 0, "a"), (0, 1, "a"), (0, 0, "b")]
    assert len({torch.rand(1, generator=step_rng(*key)).item() for key in keys}) == 4


def test_average_covers_weights_and_statistics() -> None:
    average, current = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
    current.weight.data.fill_(3)
    current.get_buffer("running_mean").fill_(10)
    current.get_buffer("num_batches_tracked").fill_(7)
    with torch.no_grad():
        average_state(average, current, 0.75)
    assert average.weight.tolist() == [1.5, 1.5]
    assert average.get_buffer("running_mean").tolist() == [2.5, 2.5]
    assert average.get_buffer("num_batches_tracked").item() == 7


def test_a_budget_in_kimg_counts_whole_images() -> None:
    """0.2 + 0.016 is a little more than 0.216; that must not cost another step."""
    assert Budget.parse(f"{0.2 + 0.016}kimg").spent(0, 0.216) == 1
    assert Budget.parse("0.216kimg").spent(0, 0.008 * 27) == 1
    with pytest.raises(RecipeError):
        Budget.parse("0.0001kimg")
