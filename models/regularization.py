"""Penalties on the size of the weights, added to the loss."""

import torch
from torch import Tensor, nn


def penalty(parameters: list[nn.Parameter], l1: float, l2: float) -> Tensor:
    """l1 · Σ|w| + l2 · Σw² over the weights; biases and the scales of normalisation are left out.

    With the loss `mse` over n rows, `l2` is scikit-learn's Ridge with alpha = n · l2, and `l1` its Lasso
    with alpha = l1 / 2, both of standardised targets.
    """
    weights = [parameter for parameter in parameters if parameter.ndim > 1]
    total = torch.zeros((), device=parameters[0].device)
    for weight in weights:
        if l1:
            total = total + l1 * weight.abs().sum()
        if l2:
            total = total + l2 * weight.square().sum()
    return total
