from math import exp, tanh
from typing import get_args

import pytest
import torch

from models.activations import Activation, activation

X = [-2.0, 3.0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", [0.0, 3.0]),
        ("leaky_relu", [-0.02, 3.0]),
        ("prelu", [-0.5, 3.0]),
        ("elu", [exp(-2) - 1, 3.0]),
        ("selu", [1.0507009873554805 * 1.6732632423543772 * (exp(-2) - 1), 1.0507009873554805 * 3]),
        ("tanh", [tanh(-2), tanh(3)]),
        ("sigmoid", [1 / (1 + exp(2)), 1 / (1 + exp(-3))]),
        ("softmax", [exp(-2) / (exp(-2) + exp(3)), exp(3) / (exp(-2) + exp(3))]),
    ],
)
def test_activations_are_their_formulas(name: Activation, expected: list[float]) -> None:
    torch.testing.assert_close(activation(name)(torch.tensor([X])).detach(), torch.tensor([expected]))


def test_softmax_is_over_the_channels_of_each_position() -> None:
    y_NCHW = activation("softmax")(torch.randn(2, 3, 4, 5))
    torch.testing.assert_close(y_NCHW.sum(dim=1), torch.ones(2, 4, 5))


def test_every_name_has_a_layer() -> None:
    for name in get_args(Activation):
        activation(name)
