import pytest
import torch
from torch import nn

from models.initializations import Initialization, initialize

WIDTH = 256


def standard_deviation_after(name: Initialization, activation: nn.Module, depth: int = 20) -> float:
    torch.manual_seed(0)
    layers = [layer for _ in range(depth) for layer in (nn.Linear(WIDTH, WIDTH), activation)]
    network = nn.Sequential(*layers)
    initialize(network, name)
    with torch.inference_mode():
        return float(network(torch.randn(200, WIDTH)).std())


@pytest.mark.parametrize(
    ("name", "activation"),
    [("he", nn.ReLU()), ("xavier", nn.Identity()), ("orthogonal", nn.Identity())],
)
def test_the_signal_survives_twenty_layers(name: Initialization, activation: nn.Module) -> None:
    assert 0.2 < standard_deviation_after(name, activation) < 5


@pytest.mark.parametrize(("name", "activation"), [("random", nn.ReLU()), ("zero", nn.ReLU()), ("xavier", nn.ReLU())])
def test_the_wrong_scale_loses_it(name: Initialization, activation: nn.Module) -> None:
    assert standard_deviation_after(name, activation) < 1e-2


def test_biases_start_at_zero_but_for_torchs_own_rule() -> None:
    layer = nn.Linear(3, 4)
    before = layer.weight.clone()
    initialize(layer, "default")
    assert torch.equal(layer.weight, before)
    initialize(layer, "he")
    assert not layer.bias.any()
