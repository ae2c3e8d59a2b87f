"""DenseNet (Huang, Liu, van der Maaten and Weinberger 2017, Densely connected convolutional networks).

    x_i = concat(x_{i-1}, H(x_{i-1}))

A layer adds k maps, the growth rate, to all the maps before it, so that every layer of a block sees every other's
output: skip by concatenation. H is batch normalisation, ReLU, a 1×1 convolution to 4k maps, and again batch
normalisation, ReLU, and a 3×3 convolution to k maps. Between two of the four blocks a 1×1 convolution halves the
number of maps and an average pooling the image. This is DenseNet-BC with 2k maps after the stem; with k = 32 and
121 layers it has 7,978,856 parameters at 1000 classes. No convolution has a bias.

The stem of the paper is a 7×7 convolution of stride 2 and a 3×3 max pooling of stride 2. Where a side is below 64
pixels it is a 3×3 convolution of stride 1 without pooling, as in the paper's networks for CIFAR, so that 28×28 ends
as 3×3 and 32×32 as 4×4.

Shapes: N images, C channels, height H, width W, K classes.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from models.blocks import convolution, is_small
from models.initializations import initialize
from models.registry import ArchitectureConfig, Reference, Shape, register, search

BLOCK_LAYERS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
PARAMETERS = {121: 7978856, 169: 14149480, 201: 20013928}


class _DenseLayer(nn.Module):
    """x and, behind it, the new maps H(x)."""

    def __init__(self, in_channels: int, growth_rate: int, dropout: float) -> None:
        super().__init__()
        self.new = nn.Sequential(
            *_activated(in_channels, 4 * growth_rate, 1), *_activated(4 * growth_rate, growth_rate, 3)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return torch.cat([x_NCHW, self.dropout(self.new(x_NCHW))], dim=1)


@register(
    title="DenseNet",
    paper="Huang et al. 2017, Densely connected convolutional networks",
    unit="II",
    tasks=("classification",),
    modality=("image",),
    smallest_side=8,
    references=tuple(
        Reference(f"densenet{depth}", {"depth": depth}, input=(3, 224, 224), classes=1000, parameters=parameters)
        for depth, parameters in PARAMETERS.items()
    ),
)
class DenseNet(nn.Module):
    """A stem, four blocks of densely connected layers, global average pooling and a linear layer."""

    class Config(ArchitectureConfig):
        """Hyperparameters of DenseNet."""

        depth: Literal[121, 169, 201] = Field(
            121, description="Layers with weights.", json_schema_extra=search(choices=[121, 169])
        )
        growth_rate: int = Field(
            32, ge=1, le=64, description="Maps that each layer adds.", json_schema_extra=search(choices=[12, 24, 32])
        )
        dropout: float = Field(
            0.0,
            ge=0.0,
            le=0.95,
            description="Probability that one of a layer's new values is dropped in training.",
            json_schema_extra=search(low=0.0, high=0.3),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        width = 2 * config.growth_rate
        layers = _stem(input_shape, width)
        for block, num_layers in enumerate(BLOCK_LAYERS[config.depth]):
            if block > 0:
                layers += [*_activated(width, width // 2, 1), nn.AvgPool2d(2)]
                width //= 2
            for _ in range(num_layers):
                layers.append(_DenseLayer(width, config.growth_rate, config.dropout))
                width += config.growth_rate
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU())
        initialize(self.features, "he")
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_outputs))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        logits_NK: Tensor = self.classifier(self.features(x_NCHW))
        return logits_NK


def _stem(input_shape: Shape, width: int) -> list[nn.Module]:
    """What comes before the blocks: by its size an image is reduced four times, or not at all."""
    channels = input_shape[0]
    if is_small(input_shape):
        return [*convolution(channels, width, 3), nn.ReLU()]
    return [*convolution(channels, width, 7, stride=2), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)]


def _activated(in_channels: int, out_channels: int, kernel: int) -> list[nn.Module]:
    """Normalisation and activation come before the convolution, so that each layer has its own of the shared maps."""
    return [
        nn.BatchNorm2d(in_channels),
        nn.ReLU(),
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False),
    ]
