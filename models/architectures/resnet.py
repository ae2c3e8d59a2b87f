"""ResNet (He, Zhang, Ren and Sun 2016, Deep residual learning for image recognition).

    y = g(F(x) + shortcut(x))

A block learns the residual F of its input. F is two 3×3 convolutions, or from 50 layers on a bottleneck of
1×1, 3×3 and 1×1 whose last widens four times. The shortcut is the identity, or, where the shape changes, a
1×1 convolution (the paper's option B). Every convolution is followed by batch normalisation and has no bias.
Four stages of 64, 128, 256 and 512 channels come after the stem, global average pooling and one linear layer
after them; each stage but the first halves the image.

A bottleneck halves in its 3×3 convolution, as later work does, and not in its first 1×1, which would skip
three quarters of its input; the number of parameters is the same.

The stem of the paper is a 7×7 convolution of stride 2 and a 3×3 max pooling of stride 2. An image with a side
below 64 pixels would reach the last stages as a point or less, so there the stem is a 3×3 convolution of
stride 1 without pooling, as in the paper's networks for CIFAR-10.

Shapes: N images, C channels, height H, width W, K classes.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from models.blocks import WidthConfig, convolution, is_small
from models.initializations import initialize
from models.registry import Reference, Shape, register, search

STAGE_CHANNELS = (64, 128, 256, 512)
STAGE_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
SMALLEST_WITH_BOTTLENECKS = 50
PARAMETERS = {18: 11689512, 34: 21797672, 50: 25557032, 101: 44549160, 152: 60192808}


class _Residual(nn.Module):
    """y = ReLU(F(x) + shortcut(x)) with F a chain of convolutions."""

    def __init__(self, residual: nn.Module, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.residual = residual
        same_shape = stride == 1 and in_channels == out_channels
        self.shortcut = nn.Identity() if same_shape else convolution(in_channels, out_channels, 1, stride)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        y_NCHW: Tensor = self.activation(self.residual(x_NCHW) + self.shortcut(x_NCHW))
        return y_NCHW


@register(
    title="ResNet",
    paper="He et al. 2016, Deep residual learning for image recognition",
    unit="II",
    tasks=("classification",),
    modality=("image",),
    references=tuple(
        Reference(f"resnet{depth}", {"depth": depth}, input=(3, 224, 224), classes=1000, parameters=parameters)
        for depth, parameters in PARAMETERS.items()
    ),
)
class ResNet(nn.Module):
    """A stem, four stages of residual blocks, global average pooling and a linear layer."""

    class Config(WidthConfig):
        """Hyperparameters of ResNet."""

        depth: Literal[18, 34, 50, 101, 152] = Field(
            18,
            description="Layers with weights along the longest path; from 50 on the blocks are bottlenecks.",
            json_schema_extra=search(choices=[18, 34, 50]),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        block = _bottleneck if config.depth >= SMALLEST_WITH_BOTTLENECKS else _basic
        stages = [config.thinned(channels) for channels in STAGE_CHANNELS]
        layers: list[nn.Module] = [_stem(input_shape, stages[0])]
        width = stages[0]
        for stage, (channels, num_blocks) in enumerate(zip(stages, STAGE_BLOCKS[config.depth], strict=True)):
            for place in range(num_blocks):
                layers.append(block(width, channels, stride=2 if stage > 0 and place == 0 else 1))
                width = 4 * channels if block is _bottleneck else channels
        self.features = nn.Sequential(*layers)
        initialize(self.features, "he")
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_outputs))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        logits_NK: Tensor = self.classifier(self.features(x_NCHW))
        return logits_NK


def _stem(input_shape: Shape, out_channels: int) -> nn.Module:
    """What comes before the stages: by its size an image is reduced four times, or not at all."""
    channels = input_shape[0]
    if is_small(input_shape):
        return nn.Sequential(convolution(channels, out_channels, 3), nn.ReLU())
    return nn.Sequential(
        convolution(channels, out_channels, 7, stride=2), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)
    )


def _basic(in_channels: int, channels: int, stride: int) -> nn.Module:
    residual = nn.Sequential(
        convolution(in_channels, channels, 3, stride), nn.ReLU(), convolution(channels, channels, 3)
    )
    return _Residual(residual, in_channels, channels, stride)


def _bottleneck(in_channels: int, channels: int, stride: int) -> nn.Module:
    residual = nn.Sequential(
        convolution(in_channels, channels, 1),
        nn.ReLU(),
        convolution(channels, channels, 3, stride),
        nn.ReLU(),
        convolution(channels, 4 * channels, 1),
    )
    return _Residual(residual, in_channels, 4 * channels, stride)
