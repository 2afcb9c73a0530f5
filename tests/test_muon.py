"""Muon: every step is orthogonal, and what it keeps can be saved."""

from __future__ import annotations

import pytest
import torch

from training.checkpoint import moments, restore_moments
from training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(16, 144), (48, 16), (12, 1), (1, 9)])
def test_a_step_is_as_long_in_every_direction(shape: tuple[int, int]) -> None:
    matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    found = orthogonal(1e-4 * matrix)
    lengths = torch.linalg.svdvals(found)
    assert lengths.min() > 0.6
    assert lengths.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    assert torch.linalg.matrix_norm(found - left @ right, 2) < 0.4
    assert torch.equal(orthogonal(torch.zeros(*shape)), torch.zeros(*shape))


def _steps(optimizer: torch.optim.Optimizer, network: torch.nn.Module, count: int) -> None:
    for step in range(count):
        x = torch.randn(8, 5, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        (network(x) - x[:, :3]).square().mean().backward()
        optimizer.step()


def test_it_learns_and_its_state_is_saved_and_put_back() -> None:
    def fresh() -> tuple[torch.nn.Module, Muon]:
        torch.manual_seed(0)
        network = torch.nn.Linear(5, 3)
        return network, Muon(network.parameters(), lr=0.03)

    whole, whole_optimizer = fresh()
    _steps(whole_optimizer, whole, 30)
    kept = {key: t.clone() for key, t in moments("muon", whole_optimizer, whole).items()}
    weights = {key: t.clone() for key, t in whole.state_dict().items()}
    again, again_optimizer = fresh()
    again.load_state_dict(weights)
    restore_moments("muon", again_optimizer, again, kept)
    _steps(whole_optimizer, whole, 30)
    _steps(again_optimizer, again, 30)
    assert torch.equal(whole.weight, again.weight)
    x = torch.randn(8, 5, generator=torch.Generator().manual_seed(99))
    assert (whole(x) - x[:, :3]).abs().mean() < 0.25


def test_decay_keeps_weights_from_growing_without_end() -> None:
    def after(decay: float) -> torch.nn.Linear:
        torch.manual_seed(0)
        network = torch.nn.Linear(5, 3)
        optimizer = Muon(network.parameters(), lr=0.1, decay=decay)
        for _ in range(200):
            optimizer.zero_grad()
            network(torch.eye(5)).sum().backward()  # for ever the same way
            optimizer.step()
        return network

    free, held = after(0.0), after(0.5)
    assert torch.linalg.matrix_norm(free.weight, 2) > 12
    assert torch.linalg.matrix_norm(held.weight, 2) < 1.3 / 0.5
    assert torch.equal(free.bias, held.bias)  # a bias is not held: it is a place, not a gain
