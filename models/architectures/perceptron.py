"""The perceptron (Rosenblatt 1958), for two classes or more.

    y_k = w_k·x + b_k,   answer: the class of the largest y

A linear threshold unit. It learns by the loss `perceptron`, which is its own: where the answer is wrong,
the weights of the true class move towards x and those of the answer away from it, and where it is right nothing
happens. The weights start at zero, where the learning rate sets only their scale and no answer. If a plane
separates the classes, one is found in finitely many steps (Novikoff 1962); logistic regression goes on moving it.
Two classes have two rows of weights, of which only the difference matters.

The answers are not calibrated: the exported graph takes the softmax of the y as of any classifier's outputs, but
the loss says nothing of their scale.

Shapes: N examples, F features (an image is flattened), K classes.
"""

from math import prod

from pydantic import Field
from torch import Tensor, nn

from models.initializations import initialize
from models.losses import Perceptron as PerceptronLoss
from models.registry import ArchitectureConfig, Reference, Shape, register, search


@register(
    title="Perceptron",
    paper="Rosenblatt 1958, The perceptron: a probabilistic model for information storage in the brain",
    unit="I",
    tasks=("classification",),
    modality=("tabular", "image"),
    references=(Reference("perceptron-mnist", {}, input=(1, 28, 28), classes=10, parameters=7850),),
    loss=PerceptronLoss(name="perceptron"),
)
class Perceptron(nn.Module):
    """One affine map from the features to a score for each class."""

    class Config(ArchitectureConfig):
        """Hyperparameters of the perceptron."""

        bias: bool = Field(
            True, description="Learn a threshold for each class.", json_schema_extra=search(choices=[True, False])
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        self.affine = nn.Linear(prod(input_shape), num_outputs, bias=config.bias)
        initialize(self, "zero")

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, K) of rows (N, F) or images (N, C, H, W)."""
        y_NK: Tensor = self.affine(x.flatten(1))
        return y_NK
