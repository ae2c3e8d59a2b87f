"""Weight initialisation by name. Biases start at zero, except under PyTorch's own default.

`xavier`: Glorot and Bengio 2010, variance 2 / (fan_in + fan_out), for tanh and sigmoid.
`he`: He et al. 2015, variance 2 / fan_in, for ReLU and its kin.
`orthogonal`: Saxe et al. 2014. `random`: a normal distribution of standard deviation 0.01.
`zero`: every weight 0; a network with hidden layers cannot learn from it, which is the lesson.
"""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

Initialization = Literal["default", "zero", "random", "xavier", "he", "orthogonal"]

_WEIGHTS: dict[str, Callable[[Tensor], Tensor]] = {
    "zero": nn.init.zeros_,
    "random": partial(nn.init.normal_, std=0.01),
    "xavier": nn.init.xavier_uniform_,
    "he": partial(nn.init.kaiming_normal_, nonlinearity="relu"),
    "orthogonal": nn.init.orthogonal_,
}


def initialize(network: nn.Module, name: Initialization) -> None:
    """Draw the weights of every convolution and linear layer again, by the named rule."""
    if name == "default":
        return
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            _WEIGHTS[name](layer.weight)
        elif isinstance(layer, nn.ConvTranspose2d):
            _draw_transposed(layer, name)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


@torch.no_grad()
def _draw_transposed(layer: nn.ConvTranspose2d, name: Initialization) -> None:
    """Its weights (inputs, outputs / groups, ...) as those of the convolution with the same inputs and outputs.

    At stride s only one in s of a kernel's places along each axis reaches an output, and of the inputs one group.
    """
    inputs, outputs, *kernel = layer.weight.shape
    drawn = layer.weight.new_empty(outputs, inputs, *kernel)
    _WEIGHTS[name](drawn)
    missed = prod(layer.stride) * layer.groups
    layer.weight.copy_(drawn.transpose(0, 1) * (missed**0.5 if name != "random" else 1.0))
