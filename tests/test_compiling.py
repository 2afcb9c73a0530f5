"""torch.compile and where the pixels are kept: what can be seen without a GPU."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training import compiling
from training.compiling import compile_networks
from training.nearby import fits, near
from training.recipe import RecipeError, load_recipe

CPU = torch.device("cpu")


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def test_the_choice() -> None:
    assert load_recipe("quick").compile is False
    assert load_recipe("quick", ["compile=true"]).compile is True
    assert load_recipe("quick", ["compile=auto"]).compile is False  # as older pieces say it
    with pytest.raises(RecipeError, match="compile = 'fast'"):
        load_recipe("quick", ["compile=fast"])


def test_a_machine_without_a_compiler_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object, **__: object) -> object:
        raise RuntimeError("No working C++ compiler found\nwith a long trace")

    monkeypatch.setattr(compiling.torch, "compile", missing)
    plain = network()
    assert not compile_networks([plain])
    said = capsys.readouterr().err.splitlines()
    assert said == ["torch.compile does not work here (No working C++ compiler found); going on "
                    "without"]  # fmt: skip
    assert plain(torch.zeros(1, 4)).shape == (1, 1)


def test_compiled_networks_keep_their_names_and_their_second_derivatives() -> None:
    """Traced and differentiated as on a GPU, without the C++ compiler at the end."""
    plain, made = network(), network()
    assert compile_networks([made], backend="aot_eager")
    assert list(made.state_dict()) == list(plain.state_dict())
    x = torch.randn(3, 4, requires_grad=True)
    assert torch.allclose(made(x), plain(x), atol=1e-6)
    (gradient,) = torch.autograd.grad(made.forward(x).sum(), x, create_graph=True)
    gradient.square().sum().backward()
    assert made[0].weight.grad is not None


def test_pixels_stay_where_they_are_on_a_cpu() -> None:
    images = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    assert near(images, CPU) is images
    assert fits(images, 4 * images.numel())
    assert not fits(images, 4 * images.numel() - 4)
