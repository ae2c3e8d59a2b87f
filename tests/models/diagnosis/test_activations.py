"""What comes through layers made by hand."""

from functools import partial

import pytest
import torch
from torch import nn

from models.diagnosis.activations import activation_flow, judged


def test_units_with_a_large_negative_bias_are_dead() -> None:
    torch.manual_seed(0)
    first = nn.Linear(8, 10)
    with torch.no_grad():
        first.bias[:6] = -100.0
    network = nn.Sequential(first, nn.ReLU(), nn.Linear(10, 2))
    flow = activation_flow(network, partial(network, torch.randn(64, 8)))
    by_name = {layer["layer"]: layer for layer in flow}
    (name,) = [layer["layer"] for layer in flow if layer["kind"] == "ReLU"]
    assert by_name[name]["dead"] == pytest.approx(0.6)
    ((verdict, sentence, remedies),) = judged(flow)
    assert verdict == "suspicious"
    assert "60% of the units are dead" in sentence
    assert remedies


def test_a_unit_of_maps_is_a_channel() -> None:
    convolution = nn.Conv2d(1, 4, 3)
    with torch.no_grad():
        convolution.weight.clamp_(-0.1, 0.1)
        convolution.bias[:] = torch.tensor([-100.0, 10.0, 10.0, 10.0])  # type: ignore[index]
    network = nn.Sequential(convolution, nn.ReLU())
    flow = activation_flow(network, partial(network, torch.randn(16, 1, 6, 6)))
    assert flow[-1]["dead"] == pytest.approx(0.25)
    assert flow[-1]["zeros"] == pytest.approx(0.25)


def test_a_tanh_of_large_inputs_is_saturated() -> None:
    first = nn.Linear(4, 4)
    with torch.no_grad():
        first.weight.mul_(1000)
    network = nn.Sequential(first, nn.Tanh(), nn.Linear(4, 2))
    flow = activation_flow(network, partial(network, torch.randn(64, 4)))
    ((verdict, sentence, _),) = judged(flow)
    assert verdict == "bad"
    assert "saturated" in sentence


def test_nothing_is_amiss_with_a_usual_network() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2))
    assert judged(activation_flow(network, partial(network, torch.randn(64, 8)))) == []
