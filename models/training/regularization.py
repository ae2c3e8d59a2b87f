"""Penalties on the size of the weights: l2 · Σw² in the loss, and l1 · Σ|w| in the steps.

Biases and the scales of normalisation are left out. With the loss `mse` over n rows, `training.l2` is
scikit-learn's Ridge with alpha = n · l2, and `training.l1` its Lasso with alpha = l1 / 2, both of standardised
features and targets.

|w| has no slope at 0, where the lasso wants its weights. Its slope ±l1 in the loss would throw them from one side
to the other, so that none is ever zero. The orthant-wise method (Andrew and Gao 2007, Scalable training of
L1-regularized log-linear models) serves every optimiser: at 0 the penalty holds back a gradient of up to l1, and
a weight that changes its sign in a step is put to 0 instead.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Orthant(NamedTuple):
    """A weight and the sign, -1, 0 or 1, that each of its values may have after the step."""

    weight: nn.Parameter
    sign: Tensor


def l2_penalty(parameters: Iterable[nn.Parameter], l2: float) -> Tensor:
    """l2 · Σw² over the weights, for the loss."""
    return l2 * torch.stack([weight.square().sum() for weight in _weights(parameters)]).sum()


@torch.no_grad()
def add_l1(parameters: Iterable[nn.Parameter], l1: float) -> list[Orthant]:
    """Add the slope of l1 · Σ|w| to the gradients of the weights; after the step, call `keep_in` what this returns.

    At 0 it is the slope, between -l1 and l1, that leaves the least gradient.
    """
    orthants = []
    for weight in _weights(parameters):
        if weight.grad is None:
            continue
        zero = weight == 0
        weight.grad = torch.where(zero, nn.functional.softshrink(weight.grad, l1), weight.grad + l1 * weight.sign())
        orthants.append(Orthant(weight, torch.where(zero, -weight.grad.sign(), weight.sign())))
    return orthants


@torch.no_grad()
def keep_in(orthants: Iterable[Orthant]) -> None:
    """Put to 0 the weights whose sign is not that of their orthant."""
    for weight, sign in orthants:
        weight.mul_(weight.sign() == sign)


def _weights(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    return [parameter for parameter in parameters if parameter.ndim > 1]
