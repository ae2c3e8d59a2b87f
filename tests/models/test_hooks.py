from typing import Any

import pytest
import torch
from torch import nn

from models.hooks import watched

NETWORK = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))


def test_layers_are_seen_in_the_order_in_which_they_run() -> None:
    seen: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = []

    def see(name: str, layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        seen.append((name, tuple(inputs[0].shape), tuple(output.shape)))

    with watched(reversed(list(NETWORK.named_children())), see):
        NETWORK(torch.zeros(5, 3))
    assert seen == [("0", (5, 3), (5, 2)), ("1", (5, 2), (5, 2)), ("2", (5, 2), (5, 1))]
    NETWORK(torch.zeros(5, 3))
    assert len(seen) == 3


def test_a_network_that_fails_is_not_watched_any_longer() -> None:
    seen: list[str] = []
    with (
        pytest.raises(RuntimeError, match="shapes"),
        watched(NETWORK.named_children(), lambda name, *_: seen.append(name)),
    ):
        NETWORK(torch.zeros(5, 4))
    NETWORK(torch.zeros(5, 3))
    assert seen == []
