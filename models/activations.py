"""Activation functions by name, as one hyperparameter of every architecture that has one."""

from collections.abc import Callable
from functools import partial

from torch import nn

from shapes.layers import Activation

__all__ = ["Activation", "activation"]

_ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softmax": partial(nn.Softmax, dim=1),
}


def activation(name: Activation) -> nn.Module:
    """A new activation layer; PReLU is the one with a parameter to learn, softmax is over features or channels."""
    return _ACTIVATIONS[name]()
