"""Generative adversarial network with fully connected layers.

    generator        G(z) = out(W h_L + b),   h_i = relu(norm(W_i h_{i-1} + b_i)),    h_0 = [z, y],  z ~ N(0, I)
    discriminator    s(x) = w·h_L + b,        h_i = leaky(W_i h_{i-1} + b_i),         h_0 = x

with σ for `out` of an image's pixels, nothing of a table's standardised columns, and the losses of
`models.adversarial.losses`. A conditional one has the class y as a one-hot vector beside z (Mirza and Osindero 2014)
and in the score (Miyato and Koyama 2018).

Shapes: N examples, F features (an image is flattened), D numbers of a code, K classes.
"""

from math import prod
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from models.adversarial.layers import ProjectionScore
from models.adversarial.losses import NonSaturating
from models.adversarial.networks import AdversarialConfig, AdversarialNetwork
from models.generative.coders import OneHot
from models.registry import Reference, Shape, register, search
from models.training.optimizers import Adam

HiddenDim = Annotated[int, Field(ge=1, le=8192)]
SLOPE = 0.2
"""Of the leaky ReLU."""


@register(
    title="Generative adversarial network",
    paper="Goodfellow et al. 2014, Generative adversarial nets",
    unit="V",
    tasks=("generation",),
    modality=("tabular", "image"),
    references=(
        Reference(
            "gan-mnist",
            {"code_dim": 100, "hidden_dims": [128, 256], "batch_norm": False},
            input=(1, 28, 28),
            classes=0,
            parameters=481425,
        ),
    ),
    optimizer=Adam(name="adam", learning_rate=2e-4, beta1=0.5),
    has_validation_loss=False,
)
class GAN(AdversarialNetwork):
    """Two multilayer perceptrons; the discriminator's hidden layers are the generator's in reverse."""

    class Config(AdversarialConfig):
        """Hyperparameters of a fully connected generator and discriminator."""

        hidden_dims: tuple[HiddenDim, ...] = Field(
            (128, 256, 512),
            max_length=16,
            description="Units of the generator's hidden layers from the code on; in reverse the discriminator's.",
            json_schema_extra=search(choices=[[128], [128, 256], [256, 512], [128, 256, 512]]),
        )
        batch_norm: bool = Field(
            True,
            description="Normalise the generator's hidden units over the batch.",
            json_schema_extra=search(choices=[False, True]),
        )
        discriminator_norm: Literal["spectral", "none"] = Field(
            "none",
            description="`spectral` bounds how steep the discriminator is.",
            json_schema_extra=search(choices=["none", "spectral"]),
        )
        dropout: float = Field(
            0.3,
            ge=0.0,
            le=0.95,
            description="Probability that a hidden unit of the discriminator is dropped in training.",
            json_schema_extra=search(low=0.0, high=0.5),
        )
        label_smoothing: float = Field(
            0.1,
            ge=0.0,
            lt=0.5,
            description="How far below 1 the probability is that real examples are to be given.",
            json_schema_extra=search(low=0.0, high=0.3),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        num_classes = num_outputs if config.conditional else 0
        super().__init__(
            config,
            Generator(config, input_shape, num_classes),
            Discriminator(config, input_shape, num_classes),
            NonSaturating(config.label_smoothing),
            num_classes,
        )


class Generator(nn.Module):
    """From codes to examples."""

    def __init__(self, config: GAN.Config, shape: Shape, num_classes: int) -> None:
        super().__init__()
        self.shape, self.code = shape, OneHot(num_classes)
        layers: list[nn.Module] = []
        width = config.code_dim + num_classes
        for hidden_dim in config.hidden_dims:
            layers.append(nn.Linear(width, hidden_dim))
            if config.batch_norm:
                layers.append(nn.BatchNorm1d(hidden_dim))
            layers.append(nn.ReLU())
            width = hidden_dim
        layers.append(nn.Linear(width, prod(shape)))
        if len(shape) == 3:
            layers.append(nn.Sigmoid())
        self.layers = nn.Sequential(*layers)

    def forward(self, code_ND: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """Examples (N, ...): images in [0, 1] or standardised features."""
        examples: Tensor = self.layers(self.code(code_ND, labels_N)).unflatten(1, self.shape)
        return examples


class Discriminator(nn.Module):
    """From examples to scores."""

    def __init__(self, config: GAN.Config, shape: Shape, num_classes: int) -> None:
        super().__init__()
        spectral = config.discriminator_norm == "spectral"
        layers: list[nn.Module] = [nn.Flatten()]
        width = prod(shape)
        for hidden_dim in reversed(config.hidden_dims):
            layer = nn.Linear(width, hidden_dim)
            layers += [spectral_norm(layer) if spectral else layer, nn.LeakyReLU(SLOPE), nn.Dropout(config.dropout)]
            width = hidden_dim
        self.layers = nn.Sequential(*layers)
        self.score = ProjectionScore(width, num_classes, spectral=spectral)

    def forward(self, x: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """Scores (N,) of examples (N, ...)."""
        score_N: Tensor = self.score(self.layers(x), labels_N)
        return score_N
