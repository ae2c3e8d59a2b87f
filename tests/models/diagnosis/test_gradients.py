import pytest
import torch
from torch import nn

from models.diagnosis.gradients import gradient_flow


def test_the_norms_are_those_of_the_chain_rule() -> None:
    """loss = 3 · (2 · x): the slope at the second layer's output is 1, at the first's 3."""
    first, second = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        first.weight.fill_(2.0)
        second.weight.fill_(3.0)
    network = nn.Sequential(first, second)
    flow = gradient_flow(network, lambda: network(torch.tensor([[5.0]])).sum())
    assert [layer["outputs"] for layer in flow] == [3.0, 1.0]
    assert [layer["weights"] for layer in flow] == [15.0, 10.0]
    assert [layer["relative"] for layer in flow] == pytest.approx([7.5, 10 / 3])


def test_a_layer_that_is_not_reached_has_no_slope() -> None:
    last = nn.Linear(2, 1)
    nn.init.zeros_(last.weight)
    network = nn.Sequential(nn.Linear(2, 2), last)
    flow = gradient_flow(network, lambda: network(torch.ones(1, 2)).sum())
    assert flow[0]["weights"] == 0.0
    assert flow[1]["weights"] > 0.0
