"""ZFNet (Zeiler and Fergus 2014, Visualizing and understanding convolutional networks).

    C1 96@7×7/2 → pool → norm → C2 256@5×5/2 → pool → norm → C3 384@3×3 → C4 384@3×3 → C5 256@3×3 → pool → F6 → F7 → K

The network of 2012 (see `alexnet`) with smaller kernels and strides in C1 and C2, which pictures of its features
had shown to be too coarse. Every layer but the last is followed by a ReLU, F6 and F7 also by dropout; a pooling
takes the largest of 3×3 neighbours at every second place; the norm is local response normalisation across the
maps. At 224×224×3 and 1000 classes there are 62,357,608 parameters.

The stem for small images: where a side is below 64 pixels, C1 and C2 have stride 1 and keep the size, so that
28×28 reaches F6 as 3×3 and 32×32 as 4×4. F6 takes whatever size is left, 6×6 at 224×224.

Shapes: N images, C channels, height H, width W, K classes.
"""

from math import prod

from torch import Tensor, nn

from models.blocks import DenseClassifierConfig, LocalResponseNorm, is_small, output_shape, overlapping_pooling
from models.initializations import initialize
from models.registry import Reference, Shape, register


@register(
    title="ZFNet",
    paper="Zeiler and Fergus 2014, Visualizing and understanding convolutional networks",
    unit="II",
    tasks=("classification",),
    modality=("image",),
    smallest_side=8,
    references=(Reference("zfnet", {}, input=(3, 224, 224), classes=1000, parameters=62357608),),
)
class ZFNet(nn.Module):
    """Five convolutions, three poolings, two normalisations and three fully connected layers."""

    class Config(DenseClassifierConfig):
        """Hyperparameters of ZFNet."""

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        channels, _, _ = input_shape
        small = is_small(input_shape)
        self.features = nn.Sequential(
            nn.Conv2d(channels, 96, 7, padding=3) if small else nn.Conv2d(channels, 96, 7, stride=2, padding=1),
            nn.ReLU(),
            overlapping_pooling(),
            LocalResponseNorm(),
            nn.Conv2d(96, 256, 5, padding=2) if small else nn.Conv2d(96, 256, 5, stride=2),
            nn.ReLU(),
            overlapping_pooling(),
            LocalResponseNorm(),
            nn.Conv2d(256, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            overlapping_pooling(),
        )
        initialize(self.features, "he")
        self.classifier = config.classifier(prod(output_shape(self.features, input_shape)), num_outputs)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        logits_NK: Tensor = self.classifier(self.features(x_NCHW))
        return logits_NK
