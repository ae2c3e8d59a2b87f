"""Linear regression.

    y = W x + b

With the loss `mse` this is ordinary least squares; with `training.l2` it is ridge (Hoerl and Kennard 1970)
and with `training.l1` the lasso (Tibshirani 1996).

Shapes: N rows, F features after one-hot coding, K outputs.
"""

from math import prod

from pydantic import Field
from torch import Tensor, nn

from models.registry import ArchitectureConfig, Reference, Shape, register, search


@register(
    title="Linear regression",
    paper="Legendre 1805, Nouvelles méthodes pour la détermination des orbites des comètes",
    unit="I",
    tasks=("regression",),
    modality=("tabular",),
    references=(Reference("linear", {}, input=(10,), classes=1, parameters=11),),
)
class Linear(nn.Module):
    """One affine map from the features to the target."""

    class Config(ArchitectureConfig):
        """Hyperparameters of linear regression."""

        bias: bool = Field(True, description="Learn an intercept.", json_schema_extra=search(choices=[True, False]))

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        self.affine = nn.Linear(prod(input_shape), num_outputs, bias=config.bias)

    def forward(self, x_NF: Tensor) -> Tensor:
        """Standardised targets (N, K) of rows (N, F)."""
        y_NK: Tensor = self.affine(x_NF)
        return y_NK
