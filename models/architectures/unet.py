"""U-Net (Ronneberger, Fischer and Brox 2015, U-Net: Convolutional networks for biomedical image segmentation).

    contracting: two 3×3 convolutions, then 2×2 max pooling, twice the channels at each of D levels
    expanding:   2×2 transposed convolution of stride 2, concatenation with the level's own maps, two 3×3 convolutions
    end:         1×1 convolution to the K classes

The maps that the contracting path saw go straight to the expanding one, so that what is known from afar meets where
it is. In the paper convolutions do not pad, and the mask is smaller than the image; here they do, and the mask has
the image's size, which changes no parameter. Pooling rounds an odd side up, and what comes up from there is cut to
the level's own size. Batch normalisation came after the paper: `batch_norm=False` is its network, with
`depth=4` and `channels=64`. Convolutions are drawn by He's rule; dropout is at the end of the contracting path.

The paper's network has 31,030,658 parameters with one input channel and two classes: at levels l = 0..4 with
c_l = 64 · 2^l channels 9 c_{l-1} c_l + 9 c_l² + 2 c_l going down; at l = 0..3 4 c_{l+1} c_l + 27 c_l² + 3 c_l
going up; 2 c_0 + 2 at the end.

Shapes: N images, C channels, height H, width W, K classes.
"""

from pydantic import Field
from torch import Tensor, cat, nn

from models.blocks import convolution
from models.initializations import initialize
from models.registry import ArchitectureConfig, Reference, Shape, register, search

PAPER = {"depth": 4, "channels": 64, "batch_norm": False}


@register(
    title="U-Net",
    paper="Ronneberger et al. 2015, U-Net: Convolutional networks for biomedical image segmentation",
    unit="II",
    tasks=("segmentation",),
    modality=("image",),
    references=(Reference("unet", PAPER, input=(1, 572, 572), classes=2, parameters=31030658),),
)
class UNet(nn.Module):
    """An encoder and a decoder with long skips between them, by concatenation."""

    class Config(ArchitectureConfig):
        """Hyperparameters of U-Net."""

        depth: int = Field(
            3,
            ge=1,
            le=6,
            description="How often the image is halved.",
            json_schema_extra=search(low=2, high=4),
        )
        channels: int = Field(
            16,
            ge=1,
            le=128,
            description="Maps at the image's own size; each halving doubles them.",
            json_schema_extra=search(choices=[8, 16, 32, 64]),
        )
        batch_norm: bool = Field(
            True,
            description="Batch normalisation after every 3×3 convolution.",
            json_schema_extra=search(choices=[True, False]),
        )
        dropout: float = Field(
            0.0,
            ge=0.0,
            le=0.95,
            description="Probability that a value of the smallest maps is dropped in training.",
            json_schema_extra=search(low=0.0, high=0.5),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        self.sizes = [(-(-height // 2**level), -(-width // 2**level)) for level in range(config.depth)]
        widths = [config.channels * 2**level for level in range(config.depth + 1)]
        self.down = nn.ModuleList(
            _convolutions(before, after, config.batch_norm)
            for before, after in zip([channels, *widths[:-1]], widths, strict=True)
        )
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.dropout = nn.Dropout(config.dropout)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * after, after, 2, stride=2) for after in widths[-2::-1])
        self.merge = nn.ModuleList(_convolutions(2 * after, after, config.batch_norm) for after in widths[-2::-1])
        self.classifier = nn.Conv2d(widths[0], num_outputs, 1)
        initialize(self, "he")

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K, H, W) of images (N, C, H, W)."""
        skips = []
        for level, convolutions in enumerate(self.down):
            x_NCHW = convolutions(self.pool(x_NCHW) if level > 0 else x_NCHW)
            skips.append(x_NCHW)
        x_NCHW = self.dropout(skips.pop())
        for up, merge, (height, width) in zip(self.up, self.merge, reversed(self.sizes), strict=True):
            x_NCHW = up(x_NCHW).narrow(2, 0, height).narrow(3, 0, width)
            x_NCHW = merge(cat([skips.pop(), x_NCHW], dim=1))
        logits_NKHW: Tensor = self.classifier(x_NCHW)
        return logits_NKHW


def _convolutions(in_channels: int, out_channels: int, batch_norm: bool) -> nn.Sequential:
    """Two 3×3 convolutions that keep the size, each with its activation."""
    return nn.Sequential(
        *convolution(in_channels, out_channels, 3, batch_norm=batch_norm),
        nn.ReLU(),
        *convolution(out_channels, out_channels, 3, batch_norm=batch_norm),
        nn.ReLU(),
    )
