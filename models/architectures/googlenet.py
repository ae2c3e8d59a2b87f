"""GoogLeNet (Szegedy et al. 2015, Going deeper with convolutions).

    y = concat(1×1(x), 3×3(1×1(x)), 5×5(1×1(x)), 1×1(pool(x)))

Nine such inception modules, between them poolings, after them the mean of each map, dropout and one linear
layer. The 1×1 convolutions before the larger ones reduce the number of maps, which makes both depth and width
affordable: 6,998,552 parameters at 224×224×3 and 1000 classes, in the paper's form with biases and 5×5
kernels. Every convolution is followed by a ReLU; a pooling between modules takes the largest of 3×3 neighbours at
every second place. The two auxiliary classifiers of the paper, which are cut off after training, are left out:
the initialisation of He et al. 2015 does what they were for.

`batch_norm` normalises each convolution's maps in place of its bias, and of the local response normalisation in
the stem (Ioffe and Szegedy 2015).

The stem of the paper reduces an image eight times. Where a side is below 64 pixels, its first convolution is a
3×3 of stride 1 and its first pooling is left out, so that 28×28 ends as 3×3 and 32×32 as 4×4.

Shapes: N images, C channels, height H, width W, K classes.
"""

from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from models.blocks import LocalResponseNorm, convolution, is_small, overlapping_pooling
from models.initializations import initialize
from models.registry import ArchitectureConfig, Reference, Shape, register, search


class Maps(NamedTuple):
    """Maps of an inception module's convolutions, as in the paper's table 1."""

    one: int
    reduce_three: int
    three: int
    reduce_five: int
    five: int
    pooled: int

    @property
    def out_channels(self) -> int:
        """Maps of the four branches together."""
        return self.one + self.three + self.five + self.pooled


STAGES = (
    (Maps(64, 96, 128, 16, 32, 32), Maps(128, 128, 192, 32, 96, 64)),
    (
        Maps(192, 96, 208, 16, 48, 64),
        Maps(160, 112, 224, 24, 64, 64),
        Maps(128, 128, 256, 24, 64, 64),
        Maps(112, 144, 288, 32, 64, 64),
        Maps(256, 160, 320, 32, 128, 128),
    ),
    (Maps(256, 160, 320, 32, 128, 128), Maps(384, 192, 384, 48, 128, 128)),
)


class _Inception(nn.Module):
    """Four branches over the same maps, concatenated."""

    def __init__(self, in_channels: int, maps: Maps, batch_norm: bool) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                _rectified(in_channels, maps.one, 1, batch_norm),
                nn.Sequential(
                    _rectified(in_channels, maps.reduce_three, 1, batch_norm),
                    _rectified(maps.reduce_three, maps.three, 3, batch_norm),
                ),
                nn.Sequential(
                    _rectified(in_channels, maps.reduce_five, 1, batch_norm),
                    _rectified(maps.reduce_five, maps.five, 5, batch_norm),
                ),
                nn.Sequential(
                    nn.MaxPool2d(3, stride=1, padding=1), _rectified(in_channels, maps.pooled, 1, batch_norm)
                ),
            ]
        )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return torch.cat([branch(x_NCHW) for branch in self.branches], dim=1)


@register(
    title="GoogLeNet",
    paper="Szegedy et al. 2015, Going deeper with convolutions",
    unit="II",
    tasks=("classification",),
    modality=("image",),
    smallest_side=8,
    references=(Reference("googlenet", {}, input=(3, 224, 224), classes=1000, parameters=6998552),),
)
class GoogLeNet(nn.Module):
    """A stem, nine inception modules, global average pooling, dropout and a linear layer."""

    class Config(ArchitectureConfig):
        """Hyperparameters of GoogLeNet."""

        batch_norm: bool = Field(
            False,
            description="Normalise each convolution's maps over the batch, before the ReLU.",
            json_schema_extra=search(choices=[False, True]),
        )
        dropout: float = Field(
            0.4,
            ge=0.0,
            le=0.95,
            description="Probability that a map's mean is dropped in training.",
            json_schema_extra=search(low=0.0, high=0.6),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_stem(input_shape, config.batch_norm)]
        width = 192
        for stage in STAGES:
            layers.append(overlapping_pooling())
            for maps in stage:
                layers.append(_Inception(width, maps, config.batch_norm))
                width = maps.out_channels
        self.features = nn.Sequential(*layers)
        initialize(self.features, "he")
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(config.dropout), nn.Linear(width, num_outputs)
        )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        logits_NK: Tensor = self.classifier(self.features(x_NCHW))
        return logits_NK


def _stem(input_shape: Shape, batch_norm: bool) -> list[nn.Module]:
    """What comes before the first pooling between modules: by its size an image is reduced four times, or not at all.

    Local response normalisation follows the first reduction and the last convolution, as in the paper's figure 3.
    """
    channels = input_shape[0]
    first = (
        [_rectified(channels, 64, 3, batch_norm)]
        if is_small(input_shape)
        else [_rectified(channels, 64, 7, batch_norm, stride=2), overlapping_pooling()]
    )
    rest = [_rectified(64, 64, 1, batch_norm), _rectified(64, 192, 3, batch_norm)]
    if batch_norm:
        return [*first, *rest]
    return [*first, LocalResponseNorm(), *rest, LocalResponseNorm()]


def _rectified(in_channels: int, out_channels: int, kernel: int, batch_norm: bool, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(*convolution(in_channels, out_channels, kernel, stride, batch_norm=batch_norm), nn.ReLU())
