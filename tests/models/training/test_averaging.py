from typing import Any

import torch
from torch import nn

from models.training.averaging import average_of


def test_a_long_average_follows_the_formula_and_takes_over_the_buffers() -> None:
    network: Any = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    average: Any = average_of(network, decay=0.9)
    expected = network[0].weight.detach().clone()
    for step in range(1, 200):
        with torch.no_grad():
            network[0].weight.add_(torch.randn(2, 3))
        network(torch.randn(8, 3))
        average.update_parameters(network)
        expected += (1 - min(0.9, (1 + step) / (10 + step))) * (network[0].weight.detach() - expected)
    torch.testing.assert_close(average.module[0].weight, expected)
    assert torch.equal(average.module[1].running_mean, network[1].running_mean)
    assert not average.module[0].weight.requires_grad


def test_a_restored_average_goes_on_with_the_same_bits() -> None:
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    average: Any = average_of(network, decay=0.99)
    restored: Any = average_of(nn.Linear(3, 2), decay=0.99)
    for _ in range(5):
        with torch.no_grad():
            network.weight.add_(torch.randn(2, 3))
        average.update_parameters(network)
    restored.load_state_dict(average.state_dict())
    with torch.no_grad():
        network.weight.add_(1.0)
    for each in (average, restored):
        each.update_parameters(network)
    assert torch.equal(average.module.weight, restored.module.weight)
