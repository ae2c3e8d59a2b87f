import numpy as np
import pytest
import torch
from scipy.special import rel_entr
from torch import Tensor, nn

from models.generative import penalties


def jacobian_norms(encode: nn.Module, x: Tensor) -> Tensor:
    """By autograd, a whole Jacobian for each input."""
    return torch.stack([torch.func.jacrev(lambda row: encode(row[None])[0])(row).square().sum() for row in x])


def test_l1_is_the_mean_sum_of_absolute_numbers() -> None:
    assert float(penalties.l1_sparsity(torch.tensor([[1.0, -2.0], [0.0, 0.5]]))) == 1.75


def test_kl_is_the_divergence_of_each_units_mean_from_the_target() -> None:
    code = np.random.default_rng(0).uniform(size=(20, 3))
    found = code.mean(axis=0)
    expected = (rel_entr(0.05, found) + rel_entr(0.95, 1 - found)).sum()
    assert float(penalties.kl_sparsity(torch.from_numpy(code), 0.05)) == pytest.approx(expected, rel=1e-5)


def test_kl_is_least_at_the_target_and_finite_for_dead_units() -> None:
    at_target = penalties.kl_sparsity(torch.full((4, 3), 0.1), 0.1)
    assert float(at_target) == pytest.approx(0.0, abs=1e-5)
    assert penalties.kl_sparsity(torch.zeros(4, 3), 0.1).isfinite()


def test_hoyers_sparsity_goes_from_zero_to_one_whatever_the_scale() -> None:
    codes = torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, -7.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    torch.testing.assert_close(penalties.hoyer_sparsity(codes[:2]), torch.tensor([0.0, 1.0]))
    assert float(penalties.hoyer_sparsity(codes[2:])) == 1.0


@pytest.mark.parametrize("activation", [nn.Sigmoid(), nn.Tanh(), nn.Identity()])
def test_the_contraction_of_one_layer_is_exact(activation: nn.Module) -> None:
    torch.manual_seed(0)
    layer, x = nn.Linear(6, 4), torch.randn(5, 6)
    found = penalties.contraction_of_layer(layer, activation, x)
    torch.testing.assert_close(found, jacobian_norms(nn.Sequential(layer, activation), x))
    found.mean().backward()  # type: ignore[no-untyped-call]
    assert layer.weight.grad is not None
    assert layer.weight.grad.any()


def test_the_contraction_of_many_layers_is_right_on_average_and_has_a_gradient() -> None:
    torch.manual_seed(0)
    encode = nn.Sequential(nn.Flatten(), nn.Linear(9, 8), nn.Tanh(), nn.Linear(8, 3))
    x = torch.randn(4, 1, 3, 3)
    estimates = torch.stack([penalties.contraction(encode, x) for _ in range(2000)])
    torch.testing.assert_close(estimates.mean(dim=0), jacobian_norms(encode, x), rtol=0.1, atol=0.0)
    estimates[0].mean().backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for name, parameter in encode.named_parameters() if "weight" in name)


@torch.no_grad()
def test_both_can_be_measured_where_gradients_are_off() -> None:
    layer = nn.Linear(6, 4)
    assert penalties.contraction(layer, torch.randn(5, 6)).shape == (5,)
    assert penalties.contraction_of_layer(layer.requires_grad_(False), nn.Tanh(), torch.randn(5, 6)).shape == (5,)
