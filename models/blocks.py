"""Parts that several convolutional networks share: a convolution, a pooling, a normalisation, a dense end.

Shapes: N images, C channels, height H, width W, K classes.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call

from models.registry import ArchitectureConfig, Shape, search

PAPER_STEM_SIDE = 64
"""From this side on an image can be reduced as a paper's network for 224×224 does: 32 times, to 2×2 or more."""


def is_small(input_shape: Shape) -> bool:
    """Whether an image (C, H, W) has a side for which the stem of a network for 224×224 reduces too much."""
    return min(input_shape[1:]) < PAPER_STEM_SIDE


def output_shape(layers: nn.Module, input_shape: Shape) -> Shape:
    """The shape of one output of the layers, found by running them without data."""
    weights = {name: tensor.to("meta") for name, tensor in layers.state_dict().items()}
    outputs = functional_call(layers, weights, torch.empty(2, *input_shape, device="meta"))
    return tuple(outputs.shape[1:])


def convolution(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, *, groups: int = 1, batch_norm: bool = True
) -> nn.Sequential:
    """A convolution that keeps the size but for its stride; batch normalisation takes the place of its bias."""
    layer = nn.Conv2d(
        in_channels, out_channels, kernel, stride, padding=kernel // 2, groups=groups, bias=not batch_norm
    )
    return nn.Sequential(layer, nn.BatchNorm2d(out_channels)) if batch_norm else nn.Sequential(layer)


def overlapping_pooling() -> nn.MaxPool2d:
    """The largest of 3×3 neighbours at every second place (Krizhevsky et al. 2012): n becomes ⌊n/2⌋.

    The last place of an even side covers two neighbours only.
    """
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


class LocalResponseNorm(nn.Module):
    """x_c / (2 + 1e-4 Σ x²)^0.75, summed over the 5 channels around c (Krizhevsky et al. 2012).

    torch's own cannot be traced for ONNX without a warning, and was measured to take 1.7 times as long.
    """

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Maps (N, C, H, W), with each place's large responses damping those beside them."""
        squares = nn.functional.pad(x_NCHW.square(), (0, 0, 0, 0, 2, 2))
        first, *others = (squares.narrow(1, start, x_NCHW.shape[1]) for start in range(5))
        return x_NCHW * (2 + 1e-4 * sum(others, start=first)).pow(-0.75)


class WidthConfig(ArchitectureConfig):
    """The width multiplier of MobileNet, which thins other networks as well so that they train on a CPU."""

    width_multiplier: float = Field(
        1.0,
        gt=0.0,
        le=2.0,
        description="What every convolution's number of maps is multiplied by; multiply-adds follow its square.",
        json_schema_extra=search(choices=[0.25, 0.5, 0.75, 1.0]),
    )

    def thinned(self, maps: int) -> int:
        """So many maps times the multiplier, at least one."""
        return max(1, round(self.width_multiplier * maps))


class DenseClassifierConfig(ArchitectureConfig):
    """Hyperparameters of the dense end that AlexNet, ZFNet and VGG have."""

    dense_dim: int = Field(
        4096,
        ge=1,
        le=8192,
        description="Units of each of the two hidden fully connected layers.",
        json_schema_extra=search(choices=[256, 512, 1024, 4096]),
    )
    dropout: float = Field(
        0.5,
        ge=0.0,
        le=0.95,
        description="Probability that a unit of these layers is dropped in training.",
        json_schema_extra=search(low=0.0, high=0.7),
    )

    def classifier(self, in_features: int, num_outputs: int) -> nn.Sequential:
        """Two hidden layers with dropout and an affine one, from maps (N, C, H, W) to logits (N, K)."""
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(in_features, self.dense_dim),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.dense_dim, self.dense_dim),
            nn.ReLU(),
            nn.Dropout(self.dropout),
            nn.Linear(self.dense_dim, num_outputs),
        )
