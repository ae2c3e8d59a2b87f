from collections.abc import Callable

import pytest
import torch
from torch import nn

from models.training.optimizers import OPTIMIZERS
from models.training.regularization import add_l1, keep_in, l2_penalty
from models.training.settings import training_settings

L1 = 0.4
MINIMA = torch.tensor([[1.0, -1.0, 0.15, -0.15]])
"""Of the loss Σ(w - m)²; with l1 · Σ|w| they are m - sign(m) · l1 / 2, and 0 where |m| ≤ l1 / 2."""
WITH_L1 = torch.tensor([[0.8, -0.8, 0.0, 0.0]])
RATES = {"sgd": 0.05, "adagrad": 0.5, "adadelta": 20.0, "rmsprop": 0.02, "adam": 0.05, "adamw": 0.05}


def layer_with(weights: list[float]) -> nn.Linear:
    layer = nn.Linear(len(weights), 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([weights]))
        layer.bias.fill_(100.0)
    return layer


def descend(layer: nn.Linear, step: Callable[[], object]) -> None:
    layer.zero_grad()
    (layer.weight - MINIMA).square().sum().backward()  # type: ignore[no-untyped-call]
    orthants = add_l1(layer.parameters(), L1)
    step()
    keep_in(orthants)


def test_weights_are_penalised_and_biases_are_not() -> None:
    layer = layer_with([3.0, -4.0])
    assert float(l2_penalty(layer.parameters(), 0.1).detach()) == pytest.approx(2.5)
    (0 * layer(torch.ones(1, 2))).sum().backward()
    orthants = add_l1(layer.parameters(), 0.1)
    assert layer.weight.grad is not None
    assert layer.bias.grad is not None
    torch.testing.assert_close(layer.weight.grad, torch.tensor([[0.1, -0.1]]))
    assert layer.bias.grad.tolist() == [0.0]
    assert [orthant.weight is layer.weight for orthant in orthants] == [True]


def test_a_weight_of_zero_moves_only_for_a_gradient_beyond_the_penalty() -> None:
    layer = layer_with([0.0, 0.0, 0.0])
    layer.weight.grad = torch.tensor([[-0.3, 0.4, 1.0]])
    (orthant,) = add_l1(layer.parameters(), L1)
    torch.testing.assert_close(layer.weight.grad, torch.tensor([[0.0, 0.0, 0.6]]))
    assert orthant.sign.tolist() == [[0.0, 0.0, -1.0]]


def test_a_weight_that_changes_its_sign_is_put_to_zero() -> None:
    layer = layer_with([0.1, -0.1, 0.1])
    layer.weight.grad = torch.tensor([[1.0, -1.0, -1.0]])
    orthants = add_l1(layer.parameters(), L1)
    with torch.no_grad():
        layer.weight.sub_(layer.weight.grad)
    keep_in(orthants)
    torch.testing.assert_close(layer.weight.detach(), torch.tensor([[0.0, 0.0, 0.7]]))


@pytest.mark.parametrize("name", [kind.__name__.lower() for kind in OPTIMIZERS])
@pytest.mark.parametrize("start", [0.0, 1.0, -1.0])
def test_every_optimizer_finds_the_minimum_with_its_exact_zeros(name: str, start: float) -> None:
    layer = layer_with([start] * 4)
    options: dict[str, object] = {"name": name, "learning_rate": RATES[name]}
    if name == "adamw":
        options["weight_decay"] = 0.0
    weight = layer.get_parameter("weight")
    optimizer = training_settings({"optimizer": options}).optimizer.build([weight])
    for step in range(600):
        optimizer.param_groups[0]["lr"] = RATES[name] * (1 - step / 600)
        descend(layer, optimizer.step)
    torch.testing.assert_close(layer.weight.detach(), WITH_L1, atol=0.02, rtol=0)
    assert torch.equal(layer.weight.detach() == 0, WITH_L1 == 0)


def test_momentum_does_not_carry_a_weight_away_from_zero() -> None:
    layer = layer_with([1.0, -1.0, 1.0, 1.0])
    optimizer = torch.optim.SGD([layer.weight], lr=0.05, momentum=0.9)
    for _ in range(300):
        descend(layer, optimizer.step)
    torch.testing.assert_close(layer.weight.detach(), WITH_L1, atol=1e-3, rtol=0)
    assert torch.equal(layer.weight.detach() == 0, WITH_L1 == 0)
