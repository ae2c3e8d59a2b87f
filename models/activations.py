"""Activation functions by name, as one hyperparameter of every architecture that has one."""

from typing import Literal

from torch import nn

Activation = Literal["relu", "leaky_relu", "prelu", "elu", "selu", "tanh", "sigmoid"]

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def activation(name: Activation) -> nn.Module:
    """A new activation layer; PReLU is the one with a parameter to learn."""
    return _ACTIVATIONS[name]()
