"""A generator that follows a small grey picture."""

from __future__ import annotations

import pytest
import torch

from models.generator import FoldedGenerator, Generator
from models.guide import LEVELS, Guide, guides
from models.latent import BEND, GUIDE, more


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(3)
    made = Generator(5, 32, (12, 10, 8), guided=True)
    assert made.guide is not None
    with torch.no_grad():
        for weight in made.guide.heads.parameters():
            weight.normal_(0, 0.1)
        made.picture.weight.mul_(20)
        for _ in range(3):  # batch norm's statistics
            made.train()(torch.randn(16, 5), guides=torch.randn(16, GUIDE**2))
    return made.eval()


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    drawn = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.interpolate(drawn, 64, mode="bilinear")


def test_a_guide_is_as_a_picture_lies_in_light_and_dark() -> None:
    picture = torch.full((1, 3, 64, 64), -0.5)
    picture[:, :, 32:, :16] = 0.7  # the lower left
    seen = guides(picture).view(GUIDE, GUIDE)
    assert (seen[8:, :4] > 1).all()
    assert (seen[:8] < 0).all()
    assert (seen[8:, 4:] < 0).all()


def test_a_guide_is_the_same_in_another_exposure() -> None:
    picture = pictures(2)
    assert torch.allclose(guides(picture), guides(picture * 0.6 + 0.2), atol=0.25)
    assert guides(torch.full((1, 3, 32, 32), 0.8)).abs().max() < 1e-4
    seen = guides(pictures(4))
    assert torch.allclose(seen.mean(1), torch.zeros(4), atol=1e-6)
    assert ((seen.std(1) > 0.7) & (seen.std(1) < 1.01)).all()


def test_colours_count_as_light_as_they_look() -> None:
    picture = torch.full((1, 3, 32, 32), -1.0)
    picture[:, 1, :, 16:] = 1.0  # green
    picture[:, 2, :, :16] = 1.0  # blue
    seen = guides(picture).view(GUIDE, GUIDE)
    assert (seen[:, 8:] > 0.9).all()
    assert (seen[:, :8] < -0.9).all()


def test_a_new_one_adds_nothing() -> None:
    torch.manual_seed(0)
    made = Generator(5, 32, (12, 10, 8), guided=True).eval()
    latent = torch.randn(3, 5)
    assert torch.equal(made(latent), made(latent, guides=torch.randn(3, GUIDE**2)))


def test_it_is_followed_as_far_as_it_has_contrast(generator: Generator) -> None:
    latent, guide = torch.randn(2, 5), guides(pictures(2))
    assert generator.guide is not None
    whole, half = generator.guide(guide), generator.guide(guide / 2)
    assert len(whole) == LEVELS
    assert [one.shape[1:] for one in whole] == [(12, 4, 4), (10, 8, 8)]
    for one, other in zip(whole, half, strict=True):
        assert torch.allclose(one / 2, other, atol=1e-6)
    plain = generator(latent)
    assert torch.equal(plain, generator(latent, guides=torch.zeros(2, GUIDE**2)))
    near, far = generator(latent, guides=guide / 2), generator(latent, guides=guide)
    assert 0 < (near - plain).abs().mean() < (far - plain).abs().mean()


def test_folded_it_draws_the_same(generator: Generator) -> None:
    latent, guide = torch.randn(3, 5), guides(pictures(3))
    folded = generator.fold()
    played = folded(torch.cat([latent, guide], 1))
    assert torch.allclose(played, generator(latent, guides=guide), atol=1e-5)
    assert torch.allclose(folded(latent), generator(latent), atol=1e-5)


def test_a_guide_and_bends_stand_one_after_the_other(generator: Generator) -> None:
    folded = generator.fold()
    latent, guide = torch.randn(1, 5), guides(pictures(1))
    still, turned = torch.zeros(1, len(BEND)), torch.tensor([[0.0, 90, 0, 0, 0]])
    guided = folded(torch.cat([latent, guide], 1))
    assert torch.allclose(folded(torch.cat([latent, guide, still], 1)), guided, atol=1e-5)
    assert not torch.allclose(folded(torch.cat([latent, guide, turned], 1)), guided, atol=0.01)
    bent = folded(torch.cat([latent, turned, still], 1))
    nobody = torch.cat([latent, torch.zeros(1, GUIDE**2), turned, still], 1)
    assert torch.allclose(folded(nobody), bent, atol=1e-6)


def test_a_piece_without_draws_as_without(generator: Generator) -> None:
    torch.manual_seed(4)
    plain = Generator(5, 32, (12, 10, 8)).eval().fold()
    latent = torch.randn(1, 5)
    assert torch.equal(plain(torch.cat([latent, torch.randn(1, GUIDE**2)], 1)), plain(latent))


@pytest.mark.parametrize("extra", [1, 4, 252, 257, 258])
def test_a_point_of_no_known_length_is_refused(generator: Generator, extra: int) -> None:
    with pytest.raises(ValueError, match="no guide and no bends"):
        generator.fold()(torch.zeros(1, 5 + extra))


def test_what_follows_a_point() -> None:
    assert more(0) == (False, 0)
    assert more(10) == (False, 2)
    assert more(GUIDE**2) == (True, 0)
    assert more(GUIDE**2 + 15) == (True, 3)


def test_it_grows_with_the_generator() -> None:
    torch.manual_seed(1)
    made = Generator(5, 8, (12,), guided=True)
    for channels in (10, 8, 6):
        made.grow(channels)
    assert made.guide is not None
    assert [weight.shape[0] for weight in made.guide.heads.parameters()] == [12, 10]
    made.settle()
    assert torch.isfinite(made.eval()(torch.randn(2, 5), guides=torch.randn(2, GUIDE**2))).all()


def test_one_that_is_still_growing_is_left_whole() -> None:
    torch.manual_seed(1)
    made = Generator(5, 8, (12,), guided=True)
    made.grow(10)
    made.fade = 0.5
    whole = made.whole()
    assert whole.guide is not None
    assert len(whole.guide.heads) == 1
    rebuilt = Generator(**whole.arguments())
    rebuilt.load_state_dict(whole.state_dict())
    folded: FoldedGenerator = rebuilt.eval().fold()
    assert folded(torch.zeros(1, 5 + GUIDE**2)).shape == (1, 3, 8, 8)


def test_a_guide_for_fewer_maps() -> None:
    assert [one.shape[1:] for one in Guide((7,))(torch.zeros(1, GUIDE**2))] == [(7, 4, 4)]
