"""Wasserstein generative adversarial network with gradient penalty.

The critic estimates the 1-Wasserstein distance of the drawn images from the real ones, for which it must nowhere be
steeper than 1; the penalty holds it to that. It learns from several batches to each of the generator's. It has no
batch normalisation, since the penalty is of each image by itself. The parts are in `models.adversarial.convolutional`,
the losses in `models.adversarial.losses`.

Shapes: N images, C channels, H rows, W columns, D numbers of a code, K classes.
"""

from typing import Literal

from pydantic import Field

from models.adversarial.convolutional import ConvolutionalConfig, Discriminator, Generator
from models.adversarial.losses import Wasserstein
from models.adversarial.networks import AdversarialNetwork
from models.registry import Reference, Shape, register, search
from models.training.optimizers import Adam


@register(
    title="Wasserstein GAN with gradient penalty",
    paper="Gulrajani et al. 2017, Improved training of Wasserstein GANs",
    unit="V",
    tasks=("generation",),
    modality=("image",),
    smallest_side=2,
    references=(Reference("wgan-gp-28", {}, input=(1, 28, 28), classes=0, parameters=270817),),
    optimizer=Adam(name="adam", learning_rate=1e-4, beta1=0.0, beta2=0.9),
    has_validation_loss=False,
)
class WGANGP(AdversarialNetwork):
    """A convolutional generator and a critic that is held to a slope of 1."""

    class Config(ConvolutionalConfig):
        """Hyperparameters of the Wasserstein GAN."""

        discriminator_steps: int = Field(
            5,
            ge=1,
            le=100,
            description="Batches that the critic learns from, to each that the generator learns from.",
            json_schema_extra=search(choices=[2, 5]),
        )
        discriminator_norm: Literal["layer", "spectral", "none"] = Field(
            "layer",
            description="How the critic's layers are kept in scale.",
            json_schema_extra=search(choices=["layer", "spectral", "none"]),
        )
        gradient_penalty: float = Field(
            10.0,
            ge=0.0,
            le=1000.0,
            description="Weight of the penalty on a slope other than 1, the paper's lambda.",
            json_schema_extra=search(low=1.0, high=100.0, log=True),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        num_classes = num_outputs if config.conditional else 0
        super().__init__(
            config,
            Generator(config, input_shape, num_classes),
            # A constant says nothing where only differences of scores count.
            Discriminator(config, input_shape, num_classes, config.discriminator_norm, score_bias=False),
            Wasserstein(config.gradient_penalty),
            num_classes,
        )
