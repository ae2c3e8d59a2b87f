"""Logistic regression, for two classes or more (softmax regression).

    p(class k | x) = exp(w_k·x + b_k) / sum_j exp(w_j·x + b_j)

The network ends in the logits; the loss and the exported graph apply the softmax.
Two classes have two rows of weights, of which only the difference matters.

Shapes: N examples, F features (an image is flattened), K classes.
"""

from math import prod

from pydantic import Field
from torch import Tensor, nn

from models.registry import ArchitectureConfig, Reference, Shape, register, search


@register(
    title="Logistic (softmax) regression",
    paper="Cox 1958, The regression analysis of binary sequences",
    unit="I",
    tasks=("classification",),
    modality=("tabular", "image"),
    references=(Reference("logistic-mnist", {}, input=(1, 28, 28), classes=10, parameters=7850),),
)
class Logistic(nn.Module):
    """One affine map from the features to the logits."""

    class Config(ArchitectureConfig):
        """Hyperparameters of logistic regression."""

        bias: bool = Field(
            True, description="Learn an intercept for each class.", json_schema_extra=search(choices=[True, False])
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        self.affine = nn.Linear(prod(input_shape), num_outputs, bias=config.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, K) of rows (N, F) or images (N, C, H, W)."""
        logits_NK: Tensor = self.affine(x.flatten(1))
        return logits_NK
