"""AlexNet, the variant in a single tower (Krizhevsky 2014, One weird trick for parallelizing convolutional networks).

    C1 64@11×11/4 → pool → C2 192@5×5 → pool → C3 384@3×3 → C4 256@3×3 → C5 256@3×3 → pool → F6 → F7 → K

Every layer but the last is followed by a ReLU, F6 and F7 also by dropout; a pooling takes the largest of 3×3
neighbours at every second place. The network of 2012 had two towers, one on each GPU, and local response
normalisation; one tower did as well without it. At 224×224×3 and 1000 classes there are 61,100,840 parameters.

The stem for small images: where a side is below 64 pixels, C1 has 5×5 kernels at stride 1 and keeps the size,
so that 28×28 reaches F6 as 3×3 and 32×32 as 4×4. F6 takes whatever size is left, 6×6 at 224×224.

Shapes: N images, C channels, height H, width W, K classes.
"""

from math import prod

from torch import Tensor, nn

from models.blocks import DenseClassifierConfig, is_small, output_shape, overlapping_pooling
from models.initializations import initialize
from models.registry import Reference, Shape, register


@register(
    title="AlexNet",
    paper="Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks",
    unit="II",
    tasks=("classification",),
    modality=("image",),
    smallest_side=8,
    references=(Reference("alexnet", {}, input=(3, 224, 224), classes=1000, parameters=61100840),),
)
class AlexNet(nn.Module):
    """Five convolutions, three poolings and three fully connected layers."""

    class Config(DenseClassifierConfig):
        """Hyperparameters of AlexNet."""

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        channels, _, _ = input_shape
        small = is_small(input_shape)
        self.features = nn.Sequential(
            nn.Conv2d(channels, 64, 5, padding=2) if small else nn.Conv2d(channels, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            overlapping_pooling(),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            overlapping_pooling(),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            overlapping_pooling(),
        )
        initialize(self.features, "he")
        self.classifier = config.classifier(prod(output_shape(self.features, input_shape)), num_outputs)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        logits_NK: Tensor = self.classifier(self.features(x_NCHW))
        return logits_NK
