"""VGG (Simonyan and Zisserman 2015, Very deep convolutional networks for large-scale image recognition).

    [3×3 convolutions of 64 maps → pool] → [128 → pool] → [256 → pool] → [512 → pool] → [512 → pool] → F → F → K

Two 3×3 convolutions see as much as one of 5×5, with fewer parameters and one more ReLU between them. The
depth, 11, 13, 16 or 19 layers with weights, says how many convolutions each of the five stages has: the paper's
configurations A, B, D and E. Every layer but the last is followed by a ReLU, the two hidden fully connected ones
also by dropout. Batch normalisation, which came a year later, can follow each convolution in place of its bias.

Small images need no other stem: a pooling takes the largest of 2×2 neighbours and rounds an odd side up, so that
28×28 becomes 14, 7, 4, 2 and 1. The first fully connected layer takes whatever size is left, 7×7 at 224×224.

Shapes: N images, C channels, height H, width W, K classes.
"""

from math import prod
from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from models.blocks import DenseClassifierConfig, WidthConfig, convolution, output_shape
from models.initializations import initialize
from models.registry import Reference, Shape, register, search

STAGE_CHANNELS = (64, 128, 256, 512, 512)
STAGE_CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
PARAMETERS = {11: 132863336, 13: 133047848, 16: 138357544, 19: 143667240}


@register(
    title="VGG",
    paper="Simonyan and Zisserman 2015, Very deep convolutional networks for large-scale image recognition",
    unit="II",
    tasks=("classification",),
    modality=("image",),
    references=tuple(
        Reference(f"vgg{depth}", {"depth": depth}, input=(3, 224, 224), classes=1000, parameters=parameters)
        for depth, parameters in PARAMETERS.items()
    ),
)
class VGG(nn.Module):
    """Five stages of 3×3 convolutions, each ended by a pooling, and three fully connected layers."""

    class Config(DenseClassifierConfig, WidthConfig):
        """Hyperparameters of VGG."""

        depth: Literal[11, 13, 16, 19] = Field(
            11, description="Layers with weights.", json_schema_extra=search(choices=[11, 13, 16, 19])
        )
        batch_norm: bool = Field(
            False,
            description="Normalise each convolution's maps over the batch, before the ReLU.",
            json_schema_extra=search(choices=[False, True]),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        width, _, _ = input_shape
        layers: list[nn.Module] = []
        for channels, num_convolutions in zip(STAGE_CHANNELS, STAGE_CONVOLUTIONS[config.depth], strict=True):
            maps = config.thinned(channels)
            for _ in range(num_convolutions):
                layers += [*convolution(width, maps, 3, batch_norm=config.batch_norm), nn.ReLU()]
                width = maps
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        self.features = nn.Sequential(*layers)
        initialize(self.features, "he")
        self.classifier = config.classifier(prod(output_shape(self.features, input_shape)), num_outputs)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        logits_NK: Tensor = self.classifier(self.features(x_NCHW))
        return logits_NK
