"""Linear regression on the features, or on polynomials of each of them.

    y = W φ(x) + b,   φ(x) = (φ_1(x), ..., φ_D(x)),   φ_n(x) = √(2n + 1) P_n(x / √3)

P_n is the Legendre polynomial of degree n, applied to each feature; φ_1(x) = x. They span the same functions as
the powers x, x², ..., x^D (Gergonne 1815), but are orthonormal where a standardised feature is uniformly
distributed, so that gradient descent can tell them apart. The degree D is the capacity. Products of different
features are not among them, and of a feature of zeros and ones the higher ones say nothing new.

With the loss `mse` this is ordinary least squares; with `training.l2` it is ridge (Hoerl and Kennard 1970)
and with `training.l1` the lasso (Tibshirani 1996).

Shapes: N rows, F features after one-hot coding, or steps and columns of a window, D degree, K outputs.
"""

from math import prod, sqrt

import torch
from pydantic import Field
from torch import Tensor, nn

from models.forecasting import Forecasts
from models.registry import Reference, Shape, register, search


@register(
    title="Linear regression",
    paper="Legendre 1805, Nouvelles méthodes pour la détermination des orbites des comètes",
    unit="I",
    tasks=("regression", "forecasting"),
    modality=("tabular", "series"),
    references=(
        Reference("linear", {}, input=(10,), classes=1, parameters=11),
        Reference("cubic", {"degree": 3}, input=(10,), classes=1, parameters=31),
    ),
)
class Linear(nn.Module):
    """One affine map from the features, or their polynomials, to the target."""

    class Config(Forecasts):
        """Hyperparameters of linear regression."""

        bias: bool = Field(True, description="Learn an intercept.", json_schema_extra=search(choices=[True, False]))
        degree: int = Field(
            1,
            ge=1,
            le=20,
            description="Highest power of each feature; above 1 the regression is polynomial.",
            json_schema_extra=search(low=1, high=6),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        self.degree = config.degree
        self.affine = nn.Linear(prod(input_shape) * config.degree, num_outputs, bias=config.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Standardised targets (N, K) of rows (N, F) or windows of series (N, T, F)."""
        y_NK: Tensor = self.affine(polynomials(x.flatten(1), self.degree))
        return y_NK


def polynomials(x_NF: Tensor, degree: int) -> Tensor:
    """φ_1 to φ_D of each feature, (N, D·F), by Bonnet's recursion: n P_n = (2n - 1) u P_{n-1} - (n - 1) P_{n-2}."""
    u_NF = x_NF / sqrt(3)
    terms, before, last = [x_NF], torch.ones_like(u_NF), u_NF
    for n in range(2, degree + 1):
        before, last = last, ((2 * n - 1) * u_NF * last - (n - 1) * before) / n
        terms.append(sqrt(2 * n + 1) * last)
    return torch.cat(terms, dim=1)
