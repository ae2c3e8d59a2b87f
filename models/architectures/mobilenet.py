"""MobileNet V1 (Howard et al. 2017, MobileNets: efficient convolutional networks for mobile vision applications).

    y = ReLU(norm(1×1(ReLU(norm(depthwise 3×3(x))))))

A depthwise separable convolution: a 3×3 kernel for each map by itself, then a 1×1 convolution that mixes the maps.
It takes 1/M + 1/9 of the multiply-adds of a 3×3 convolution to M maps. A 3×3 convolution and thirteen such blocks,
global average pooling and one linear layer: 4,231,976 parameters at 1000 classes. The width multiplier α thins every
layer to α times its maps; parameters and multiply-adds fall with α². Every convolution is followed by batch
normalisation and a ReLU and has no bias.

The paper's network reduces an image 32 times. Where a side is below 64 pixels, the first convolution and the first
block of stride 2 have stride 1, so that 28×28 and 32×32 end as 4×4.

Shapes: N images, C channels, height H, width W, K classes.
"""

from torch import Tensor, nn

from models.blocks import WidthConfig, convolution, is_small
from models.initializations import initialize
from models.registry import Reference, Shape, register

STEM_CHANNELS = 32
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
"""Maps and stride of each block, table 1 of the paper. The last has stride 1: its 2 there, at 7×7, is a slip."""


@register(
    title="MobileNet V1",
    paper="Howard et al. 2017, MobileNets: efficient convolutional neural networks for mobile vision applications",
    unit="II",
    tasks=("classification",),
    modality=("image",),
    references=(Reference("mobilenet", {}, input=(3, 224, 224), classes=1000, parameters=4231976),),
)
class MobileNet(nn.Module):
    """A convolution, thirteen depthwise separable blocks, global average pooling and a linear layer."""

    class Config(WidthConfig):
        """Hyperparameters of MobileNet V1."""

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        channels, _, _ = input_shape
        small = is_small(input_shape)
        width = config.thinned(STEM_CHANNELS)
        layers: list[nn.Module] = [*convolution(channels, width, 3, stride=1 if small else 2), nn.ReLU()]
        first_halving = next(place for place, (_, stride) in enumerate(BLOCKS) if stride == 2)
        for place, (maps, stride) in enumerate(BLOCKS):
            next_width = config.thinned(maps)
            layers.append(_separable(width, next_width, 1 if small and place == first_halving else stride))
            width = next_width
        self.features = nn.Sequential(*layers)
        initialize(self.features, "he")
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_outputs))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        logits_NK: Tensor = self.classifier(self.features(x_NCHW))
        return logits_NK


def _separable(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        *convolution(in_channels, in_channels, 3, stride, groups=in_channels),
        nn.ReLU(),
        *convolution(in_channels, out_channels, 1),
        nn.ReLU(),
    )
