"""What a GPU would refuse, found without one: tensors that have a device and a type but no values.

torch gives such tensors CUDA's rules, of devices that must not mix and of types under autocast,
wherever it runs. They cannot be sliced or laid out anew without CUDA; the rest is in test_gpu.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.func import functional_call

from models.discriminator import Discriminator
from models.generator import Generator
from models.latent import Code
from models.strided import Double, Weight, halve
from models.upscaler import Upscaler
from training.augment import augment, mirror
from training.metrics.contrast import contrast
from training.metrics.encoder import prepare
from training.upscale.degradation import Kernel

CODES = (Code("kind", "categorical", 3), Code("one", "continuous"))
GPU = torch.device("cuda:0")


@pytest.fixture(autouse=True)
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Laying a tensor out anew needs CUDA, and changes neither type nor device.
    monkeypatch.setattr("models.strided._laid_out", lambda x, side: x)
    before = torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda")
    torch.set_autocast_enabled("cuda", True)
    torch.set_autocast_dtype("cuda", torch.bfloat16)
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield
    torch.set_autocast_enabled("cuda", before[0])
    torch.set_autocast_dtype("cuda", before[1])


def there(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.empty(shape, dtype=dtype, device=GPU)


def run(network: nn.Module, *given: Any, **named: Any) -> Any:
    """A network's answer, if its weights lay on a GPU."""
    weights = chain(network.named_parameters(), network.named_buffers())
    state = {name: there(*tensor.shape, dtype=tensor.dtype) for name, tensor in weights}
    return functional_call(network.eval(), state, given, named)


class Recognise(nn.Module):
    def __init__(self, network: Discriminator) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network.recognise(x)


@pytest.mark.parametrize("grown", [False, True])
@pytest.mark.parametrize("doubling", ["resize", "transposed"])
def test_networks_in_bfloat16_also_while_they_grow(grown: bool, doubling: str) -> None:
    """On an H200 every growing training ended at its first new size, by a type (November 2026)."""
    with unset_fake_temporarily():
        generator = Generator(10, 16, (16, 8), doubling)
        discriminator = Discriminator(16, (8, 16), 2, CODES, normed=doubling == "transposed")
        if grown:
            for network in (generator, discriminator):
                network.grow(8)
                network.fade = 0.5
    drawn = run(generator, there(8, 10), bounded=False)
    logits, classes = run(discriminator, torch.tanh(drawn).float(), there(8, 2), 0.5)
    guess = run(Recognise(discriminator), torch.tanh(drawn))
    assert {drawn.device, logits.device, classes.device, guess.device} == {GPU}


@torch.no_grad()  # a backward pass itself needs CUDA
def test_what_a_penalty_is_differentiated_by_in_bfloat16() -> None:
    x, weight, bias = there(8, 3, 64, 64), there(16, 3, 4, 4), there(16)
    y = halve(x, weight, bias, twice=True)
    half = x.bfloat16(), weight.bfloat16(), y
    found = y, Double.apply(half[2], half[1]), Weight.apply(half[0], half[2])
    assert [one.shape for one in found] == [(8, 16, 32, 32), x.shape, weight.shape]
    assert {(one.device, one.dtype) for one in found} == {(GPU, torch.bfloat16)}


def test_an_upscaler_in_bfloat16() -> None:
    with unset_fake_temporarily():
        network = Upscaler(2, 4, 2)
    assert run(network, there(2, 3, 16, 16)).device == GPU


@pytest.mark.parametrize(
    "change",
    [
        lambda x, rng: augment(x, 0.5, rng),
        mirror,
        lambda x, rng: prepare(x),
        lambda x, rng: contrast(x.flatten(1)),
        *(
            lambda x, rng, kind=kind: Kernel(kind, 2, 0.5).shrink(x)
            for kind in ("box", "bicubic", "lanczos", "gaussian")
        ),
    ],
)
def test_what_is_done_to_pictures_is_done_where_they_are(
    change: Callable[[Tensor, torch.Generator], Tensor],
) -> None:
    assert change(there(8, 3, 32, 32), torch.Generator().manual_seed(0)).device == GPU
