"""The convolutional generator and discriminator of Radford et al. 2016 (DCGAN), for images of any size.

A convolution of 4×4 with stride 2 halves a side n to ⌊n/2⌋; a transposed one doubles it, and adds a row where n is odd.
The sides are halved while they are 8 or more: 28 to 7 in two stages, 32 to 4 in three.

Shapes: N images, C channels, H rows, W columns, D numbers of a code, K classes.
"""

from itertools import pairwise
from math import prod

from pydantic import Field
from torch import Tensor, nn

from models.adversarial.layers import Normalization, ProjectionScore, normalized
from models.adversarial.networks import AdversarialConfig
from models.generative.coders import OneHot
from models.registry import Shape, search

SMALLEST_MAP = 4
"""Sides are halved as long as what is left has so many pixels, and once at least."""
SLOPE = 0.2
"""Of the leaky ReLU."""


class ConvolutionalConfig(AdversarialConfig):
    """Hyperparameters of a convolutional generator and discriminator."""

    channels: int = Field(
        32,
        ge=1,
        le=512,
        description="Maps of the stage next to the image; each further stage has twice as many.",
        json_schema_extra=search(choices=[16, 32, 64]),
    )


class Generator(nn.Module):
    """The code as the smallest maps, then transposed convolutions with batch normalisation, and tanh at the end."""

    def __init__(self, config: ConvolutionalConfig, shape: Shape, num_classes: int) -> None:
        super().__init__()
        sizes = stages(shape)
        maps = [config.channels << place for place in reversed(range(len(sizes) - 1))]
        self.smallest = (maps[0], *sizes[-1])
        self.code = OneHot(num_classes)
        self.project = nn.Linear(config.code_dim + num_classes, prod(self.smallest), bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(maps[0]), nn.ReLU()]
        for depth, size, (into, out) in zip(
            range(len(maps)), reversed(sizes[:-1]), zip(maps, [*maps[1:], shape[0]], strict=True), strict=True
        ):
            last = depth == len(maps) - 1
            layers.append(nn.ConvTranspose2d(into, out, 4, 2, 1, odd(size), bias=last))
            layers += [nn.Tanh()] if last else [nn.BatchNorm2d(out), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        draw_weights(self)

    def forward(self, code_ND: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """Images (N, C, H, W) in [0, 1]."""
        h = self.project(self.code(code_ND, labels_N)).unflatten(1, self.smallest)
        y_NCHW: Tensor = (self.layers(h) + 1) / 2
        return y_NCHW


class Discriminator(nn.Module):
    """Convolutions with stride 2 and leaky ReLU, and one score; the first has no normalisation but the spectral."""

    def __init__(
        self,
        config: ConvolutionalConfig,
        shape: Shape,
        num_classes: int,
        normalization: Normalization,
        *,
        score_bias: bool = True,
    ) -> None:
        super().__init__()
        sizes = stages(shape)
        maps = [shape[0], *(config.channels << place for place in range(len(sizes) - 1))]
        layers: list[nn.Module] = []
        for place, (into, out) in enumerate(pairwise(maps)):
            first_of_many = place == 0 and normalization != "spectral"
            convolution = nn.Conv2d(into, out, 4, 2, 1, bias=first_of_many or normalization != "batch")
            layers += [normalized(convolution, "none" if first_of_many else normalization), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        spectral = normalization == "spectral"
        features = maps[-1] * prod(sizes[-1])
        self.score = ProjectionScore(features, num_classes, spectral=spectral, bias=score_bias)
        if normalization == "batch":
            draw_weights(self)

    def forward(self, x_NCHW: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """Scores (N,) of images in [0, 1]."""
        score_N: Tensor = self.score(self.layers(2 * x_NCHW - 1), labels_N)
        return score_N


def stages(shape: Shape) -> list[tuple[int, int]]:
    """The sizes (H, W) of the maps from the image's to the smallest."""
    sizes = [(shape[1], shape[2])]
    while len(sizes) == 1 or min(sizes[-1]) >= 2 * SMALLEST_MAP:
        height, width = sizes[-1]
        sizes.append((height // 2, width // 2))
    return sizes


def odd(size: tuple[int, int]) -> tuple[int, int]:
    """For each side whether it is odd, as 0 or 1."""
    return size[0] % 2, size[1] % 2


def draw_weights(network: nn.Module) -> None:
    """Weights from N(0, 0.02²), scales of batch normalisation from N(1, 0.02²), as in the paper."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
