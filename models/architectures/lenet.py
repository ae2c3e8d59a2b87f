"""LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition).

    C1 6@5×5 → pool 2 → C3 16@5×5 → pool 2 → C5 120 → F6 84 → K

C3 is connected to every map of the layer below, as in all later work, instead of by the paper's table; C5
is written as a linear layer, which it is at 32×32. At 32×32×1 and 10 classes that makes 61,706 parameters.
The paper's network has tanh and average pooling: `activation="tanh"`, `pooling="average"`.

The stem for other sizes: a convolution pads by 2, so that it keeps its input's size, along each side that
is smaller than in the paper (32 before C1, 14 before C3). So 28×28 is padded to 32×32, as the paper does
with MNIST, and an 8×8 digit still reaches C5 with 2×2. C5 takes whatever size is left.

Shapes: N images, C channels, height H, width W, K classes.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from models.activations import Activation, activation
from models.registry import ArchitectureConfig, Reference, Shape, register, search

KERNEL = 5
PAPER_C1_INPUT = 32
PAPER_C3_INPUT = 14


@register(
    title="LeNet-5",
    paper="LeCun et al. 1998, Gradient-based learning applied to document recognition",
    unit="II",
    tasks=("classification",),
    modality=("image",),
    smallest_side=4,
    references=(Reference("lenet-5", {}, input=(1, 32, 32), classes=10, parameters=61706),),
)
class LeNet(nn.Module):
    """Two convolutions with pooling, and three fully connected layers."""

    class Config(ArchitectureConfig):
        """Hyperparameters of LeNet-5."""

        activation: Activation = Field(
            "relu",
            description="Activation after every layer but the last.",
            json_schema_extra=search(choices=["relu", "tanh", "elu"]),
        )
        pooling: Literal["max", "average"] = Field(
            "max",
            description="How 2×2 neighbours become one.",
            json_schema_extra=search(choices=["max", "average"]),
        )
        dropout: float = Field(
            0.0,
            ge=0.0,
            le=0.95,
            description="Probability that a unit of C5 or F6 is dropped in training.",
            json_schema_extra=search(low=0.0, high=0.5),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        pool = nn.MaxPool2d if config.pooling == "max" else nn.AvgPool2d
        c1, (height, width) = _convolution(channels, 6, (height, width), PAPER_C1_INPUT)
        c3, (height, width) = _convolution(6, 16, (height // 2, width // 2), PAPER_C3_INPUT)
        self.features = nn.Sequential(
            c1, activation(config.activation), pool(2), c3, activation(config.activation), pool(2), nn.Flatten()
        )
        self.classifier = nn.Sequential(
            nn.Linear(16 * (height // 2) * (width // 2), 120),
            activation(config.activation),
            nn.Dropout(config.dropout),
            nn.Linear(120, 84),
            activation(config.activation),
            nn.Dropout(config.dropout),
            nn.Linear(84, num_outputs),
        )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        logits_NK: Tensor = self.classifier(self.features(x_NCHW))
        return logits_NK


def _convolution(channels: int, maps: int, size: tuple[int, int], paper_size: int) -> tuple[nn.Conv2d, tuple[int, int]]:
    """A 5×5 convolution and its output's size; it pads by 2 along a side smaller than the paper's."""
    padding = tuple(2 if side < paper_size else 0 for side in size)
    height, width = (side + 2 * pad - KERNEL + 1 for side, pad in zip(size, padding, strict=True))
    return nn.Conv2d(channels, maps, KERNEL, padding=(padding[0], padding[1])), (height, width)
