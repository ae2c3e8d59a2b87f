"""How far a reconstruction is from the values that it is of, and which distribution a decoder's outputs describe.

A decoder gives P numbers for each value: they are the parameters of the value's own distribution, given the code.

    bernoulli     p(x) = p^x (1 - p)^(1 - x)                p = σ(z); x may lie between 0 and 1     P = 1
    gaussian      p(x) = N(x; μ, σ²)                        σ given, or learned as log σ            P = 1, or 2
    categorical   p(x) = softmax(z)_k                       k of 256 grey levels, x = k / 255       P = 256

Of a likelihood the loss of an example is its negative logarithm in nats, summed over the values; of an error it is
the mean. Shapes: N examples; values are (N, ...), outputs (N, P, ...).
Sources: Kingma and Welling 2014, appendix C; of learned variances Nix and Weigend 1994; of pixels as classes
van den Oord et al. 2016, Pixel recurrent neural networks.
"""

from abc import ABC, abstractmethod
from math import log, pi
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus

ErrorName = Literal["mse", "mae"]
LikelihoodName = Literal["bernoulli", "gaussian", "categorical"]
LEVELS = 256
MIN_LOG_STD, MAX_LOG_STD = -4.0, 4.0
"""A value that never changes would otherwise be ever more likely."""


class ValueLoss(nn.Module, ABC):
    """A loss and the end of a decoder for it. Images are `bounded`: their values lie between 0 and 1."""

    num_outputs: int = 1
    """P."""

    def __init__(self, *, bounded: bool) -> None:
        super().__init__()
        self.bounded = bounded

    def forward(self, outputs: Tensor) -> Tensor:
        """The values: the mean of their distribution."""
        values = self.mean(outputs.float())
        return values.clamp(0, 1) if self.bounded else values

    @abstractmethod
    def mean(self, outputs: Tensor) -> Tensor:
        """The mean, which may lie beyond the bounds."""

    @abstractmethod
    def each(self, outputs: Tensor, x: Tensor) -> Tensor:
        """The loss (N,) of each example."""


class _OneOutput(ValueLoss):
    def mean(self, outputs: Tensor) -> Tensor:
        return outputs.squeeze(1)


class SquaredError(_OneOutput):
    """(μ - x)², the mean over the values."""

    def each(self, outputs: Tensor, x: Tensor) -> Tensor:
        """In squares of the values' unit."""
        return (outputs.float().squeeze(1) - x).square().flatten(1).mean(dim=1)


class AbsoluteError(_OneOutput):
    """|μ - x|, the mean over the values."""

    def each(self, outputs: Tensor, x: Tensor) -> Tensor:
        """In the values' unit."""
        return (outputs.float().squeeze(1) - x).abs().flatten(1).mean(dim=1)


class Bernoulli(_OneOutput):
    """softplus(z) - x z, which is -x log p - (1 - x) log(1 - p)."""

    def mean(self, outputs: Tensor) -> Tensor:
        """p."""
        return super().mean(outputs).sigmoid()

    def each(self, outputs: Tensor, x: Tensor) -> Tensor:
        """In nats."""
        z = outputs.float().squeeze(1)
        return (softplus(z) - x * z).flatten(1).sum(dim=1)


class Gaussian(_OneOutput):
    """log σ + log √2π + (x - μ)² / 2σ² with a standard deviation that is given."""

    def __init__(self, std: float, *, bounded: bool) -> None:
        super().__init__(bounded=bounded)
        self.std = std

    def each(self, outputs: Tensor, x: Tensor) -> Tensor:
        """In nats."""
        squares = ((x - outputs.float().squeeze(1)) / self.std).square()
        return (log(self.std) + 0.5 * log(2 * pi) + 0.5 * squares).flatten(1).sum(dim=1)


class LearnedGaussian(ValueLoss):
    """The same with a standard deviation for each value, whose logarithm is the second output."""

    num_outputs = 2

    def mean(self, outputs: Tensor) -> Tensor:
        """μ, the first output."""
        return outputs[:, 0]

    def each(self, outputs: Tensor, x: Tensor) -> Tensor:
        """In nats."""
        mean, log_std = outputs.float().unbind(dim=1)
        log_std = log_std.clamp(MIN_LOG_STD, MAX_LOG_STD)
        squares = ((x - mean) * (-log_std).exp()).square()
        return (log_std + 0.5 * log(2 * pi) + 0.5 * squares).flatten(1).sum(dim=1)


class Categorical(ValueLoss):
    """-log softmax(z)_k for the level k that is nearest to x."""

    num_outputs = LEVELS
    levels_L: Tensor

    def __init__(self, *, bounded: bool) -> None:
        super().__init__(bounded=bounded)
        self.register_buffer("levels_L", torch.linspace(0, 1, LEVELS), persistent=False)

    def mean(self, outputs: Tensor) -> Tensor:
        """Σ_k p_k k / 255."""
        return torch.movedim(outputs.softmax(dim=1), 1, -1) @ self.levels_L

    def each(self, outputs: Tensor, x: Tensor) -> Tensor:
        """In nats."""
        levels = (x * (LEVELS - 1)).round().clamp(0, LEVELS - 1).long()
        return cross_entropy(outputs.float(), levels, reduction="none").flatten(1).sum(dim=1)


_PLAIN: dict[str, type[ValueLoss]] = {
    "mse": SquaredError,
    "mae": AbsoluteError,
    "bernoulli": Bernoulli,
    "categorical": Categorical,
}


def value_loss(name: ErrorName | LikelihoodName, std: float | None, *, bounded: bool) -> ValueLoss:
    """The loss of this name; `std` is of `gaussian`, None where it is to be learned."""
    if name == "gaussian":
        return LearnedGaussian(bounded=bounded) if std is None else Gaussian(std, bounded=bounded)
    return _PLAIN[name](bounded=bounded)
