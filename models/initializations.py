"""Weight initialisation by name. Biases start at zero, except under PyTorch's own default.

`xavier`: Glorot and Bengio 2010, variance 2 / (fan_in + fan_out), for tanh and sigmoid.
`he`: He et al. 2015, variance 2 / fan_in, for ReLU and its kin.
`orthogonal`: Saxe et al. 2014. `random`: a normal distribution of standard deviation 0.01.
`zero`: every weight 0; a network with hidden layers cannot learn from it, which is the lesson.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

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
    """Draw the weights of every convolution and linear layer again, by the named rule.

    Transposed convolutions keep PyTorch's own: how many inputs reach one of their outputs depends on the place.
    """
    if name == "default":
        return
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            _WEIGHTS[name](layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
