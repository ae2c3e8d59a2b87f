"""Deep feed-forward network, or multilayer perceptron.

    h_0 = x,   h_i = dropout(g(norm(W_i h_{i-1} + b_i))),   y = W h_L + b

with an activation g, optional batch normalisation (Ioffe and Szegedy 2015) before it and dropout
(Srivastava et al. 2014) after it.

Shapes: N examples, F features (an image or a window of a series is flattened), K outputs.
"""

from math import prod
from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from models.activations import Activation, activation
from models.forecasting import Forecasts
from models.initializations import Initialization, initialize
from models.registry import Reference, Shape, register, search

HiddenDim = Annotated[int, Field(ge=1, le=8192)]


@register(
    title="Multilayer perceptron",
    paper="Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors",
    unit="I",
    tasks=("classification", "regression", "forecasting"),
    modality=("tabular", "image", "series"),
    references=(
        Reference(
            "mlp-256-128-100", {"hidden_dims": [256, 128, 100]}, input=(1, 28, 28), classes=10, parameters=247766
        ),
    ),
)
class MLP(nn.Module):
    """Fully connected layers, each with an activation, and an affine output layer."""

    class Config(Forecasts):
        """Hyperparameters of the multilayer perceptron."""

        hidden_dims: tuple[HiddenDim, ...] = Field(
            (128, 64),
            max_length=32,
            description="Units of each hidden layer, from the input on; their number is the depth.",
            json_schema_extra=search(choices=[[64], [128], [256], [128, 64], [256, 128], [256, 128, 64]]),
        )
        activation: Activation = Field(
            "relu",
            description="Activation of the hidden layers.",
            json_schema_extra=search(choices=["relu", "leaky_relu", "elu", "selu", "tanh"]),
        )
        dropout: float = Field(
            0.0,
            ge=0.0,
            le=0.95,
            description="Probability that a hidden unit is dropped in training.",
            json_schema_extra=search(low=0.0, high=0.5),
        )
        batch_norm: bool = Field(
            False,
            description="Normalise each hidden unit over the batch, before the activation.",
            json_schema_extra=search(choices=[False, True]),
        )
        initialization: Initialization = Field(
            "default",
            description="How the weights are drawn.",
            json_schema_extra=search(choices=["default", "xavier", "he", "orthogonal"]),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = prod(input_shape)
        for hidden_dim in config.hidden_dims:
            layers.append(nn.Linear(width, hidden_dim))
            if config.batch_norm:
                layers.append(nn.BatchNorm1d(hidden_dim))
            layers.append(activation(config.activation))
            if config.dropout > 0:
                layers.append(nn.Dropout(config.dropout))
            width = hidden_dim
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Linear(width, num_outputs)
        initialize(self, config.initialization)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (N, K) of rows (N, F) images (N, C, H, W) or windows (N, T, F)."""
        y_NK: Tensor = self.output(self.hidden(x.flatten(1)))
        return y_NK
