"""Deep convolutional generative adversarial network.

A code becomes the smallest maps, transposed convolutions with stride 2 double them to the image's size; the
discriminator has convolutions with stride 2 in their place. Batch normalisation in both, but not at the image and at
the score; ReLU and, at the end, tanh in the generator, leaky ReLU in the discriminator; weights from N(0, 0.02²).
The parts are in `models.adversarial.convolutional`, the losses in `models.adversarial.losses`.

Shapes: N images, C channels, H rows, W columns, D numbers of a code, K classes.
"""

from typing import Literal

from pydantic import Field

from models.adversarial.convolutional import ConvolutionalConfig, Discriminator, Generator
from models.adversarial.losses import NonSaturating
from models.adversarial.networks import AdversarialNetwork
from models.registry import Reference, Shape, register, search
from models.training.optimizers import Adam


@register(
    title="DCGAN",
    paper="Radford, Metz and Chintala 2016, Unsupervised representation learning with deep convolutional generative "
    "adversarial networks",
    unit="V",
    tasks=("generation",),
    modality=("image",),
    smallest_side=2,
    references=(
        Reference("dcgan-64", {"code_dim": 100, "channels": 64}, input=(3, 64, 64), classes=0, parameters=6342340),
    ),
    optimizer=Adam(name="adam", learning_rate=2e-4, beta1=0.5),
    has_validation_loss=False,
)
class DCGAN(AdversarialNetwork):
    """A convolutional generator and discriminator that teach each other."""

    class Config(ConvolutionalConfig):
        """Hyperparameters of DCGAN."""

        discriminator_norm: Literal["batch", "spectral", "none"] = Field(
            "batch",
            description="How the discriminator is kept steady: `spectral` bounds how steep it is.",
            json_schema_extra=search(choices=["batch", "spectral", "none"]),
        )
        label_smoothing: float = Field(
            0.0,
            ge=0.0,
            lt=0.5,
            description="How far below 1 the probability is that real images are to be given.",
            json_schema_extra=search(low=0.0, high=0.3),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        num_classes = num_outputs if config.conditional else 0
        super().__init__(
            config,
            Generator(config, input_shape, num_classes),
            Discriminator(config, input_shape, num_classes, config.discriminator_norm),
            NonSaturating(config.label_smoothing),
            num_classes,
        )
