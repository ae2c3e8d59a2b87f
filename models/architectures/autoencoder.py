"""Autoencoder: a network that makes its input again from a code that cannot hold all of it.

    c = f(x),   x̂ = g(c),   L = ℓ(x̂, x) + λ Ω(c) + γ ‖∂f/∂x‖²

By its hyperparameters it is undercomplete (a code smaller than the input), stacked (`hidden_dims`), convolutional
(`channels`), sparse (λ), contractive (γ) or denoising: then f is given x with noise and ℓ asks for x without.
Ω is the L1 norm of the code or the divergence of its units' means from a target; ℓ is an error, or the negative
log-likelihood of x under a distribution that the decoder's outputs describe. The Jacobian's norm is exact for an
encoder of one layer and otherwise estimated along one random direction. In evaluation nothing is disturbed, and
neither Ω nor the Jacobian is a part of the loss.

With one linear layer on either side and the squared error it spans the subspace of the first D principal components.

Shapes: N examples, D numbers of a code; values are images (N, C, H, W) from 0 to 1 or features (N, G).
Sources: Hinton and Salakhutdinov 2006; Vincent et al. 2010; Ng 2011; Rifai et al. 2011.
"""

from typing import Annotated, Literal, Self, cast

import torch
from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from torch import Tensor, nn

from models.activations import activation
from models.examples import Batch
from models.generative import penalties
from models.generative.coders import CoderConfig, Decoder, Encoder
from models.generative.network import CodingNetwork, ValuesOf
from models.generative.noise import Noise, corrupted
from models.initializations import initialize
from models.losses.values import value_loss
from models.phases import Phase
from models.registry import Reference, Shape, register, search

DENOISING = {"hidden_dims": [], "channels": [32, 32], "code_dim": None, "loss": "bernoulli", "noise": "gaussian"}
_KL_OF_SIGMOIDS: JsonDict = {
    "description": "must be sigmoid where sparsity_penalty is kl",
    "if": {"properties": {"sparsity_penalty": {"const": "kl"}}, "required": ["sparsity_penalty"]},
    "then": {"properties": {"code_activation": {"const": "sigmoid"}}, "required": ["code_activation"]},
}
_NO_CODE_OF_ITS_OWN: JsonDict = {
    "description": "must not be empty where code_dim is null and hidden_dims is empty: the last is the code",
    "if": {
        "properties": {"code_dim": {"const": None}, "hidden_dims": {"maxItems": 0}},
        "required": ["code_dim", "hidden_dims"],
    },
    "then": {"properties": {"channels": {"minItems": 1}}, "required": ["channels"]},
}
"""What hyperparameters ask of each other, as JSON Schema, so that the gateway knows it, and its words for it."""


@register(
    title="Autoencoder",
    paper="Hinton and Salakhutdinov 2006, Reducing the dimensionality of data with neural networks",
    unit="V",
    tasks=("reconstruction",),
    modality=("image", "tabular"),
    references=(
        Reference(
            "autoencoder-784-32-784",
            {"hidden_dims": [], "code_dim": 32},
            input=(1, 28, 28),
            classes=0,
            parameters=50992,
        ),
        Reference("autoencoder-denoising", DENOISING, input=(1, 28, 28), classes=0, parameters=28353),
    ),
)
class Autoencoder(CodingNetwork):
    """An encoder and its mirror."""

    prior = None

    class Config(CoderConfig):
        """Hyperparameters of the autoencoder."""

        model_config = ConfigDict(json_schema_extra={"allOf": [_KL_OF_SIGMOIDS, _NO_CODE_OF_ITS_OWN]})

        code_dim: Annotated[int, Field(ge=1, le=8192)] | None = Field(
            32,
            description="Numbers in a code; null takes the last hidden layer, or the smallest maps, as the code.",
            json_schema_extra=search(choices=[8, 16, 32, 64]),
        )
        code_activation: Literal["linear", "relu", "tanh", "sigmoid"] = Field(
            "linear",
            description="Activation of the code, where it is a layer of its own.",
            json_schema_extra=search(choices=["linear", "relu", "sigmoid"]),
        )
        loss: Literal["mse", "mae", "bernoulli", "gaussian", "categorical"] = Field(
            "mse",
            description="How a reconstruction is held against its input: the mean squared or absolute error, or the "
            "negative log-likelihood of a distribution; bernoulli and categorical (256 grey levels) are for images.",
            json_schema_extra={"requires": {"images": ["bernoulli", "categorical"]}} | search(choices=["mse", "mae"]),
        )
        noise: Noise = Field(
            "none",
            description="What disturbs the input in training: normal noise, values put to 0, or to black and white.",
            json_schema_extra=search(choices=["none", "gaussian", "masking"]),
        )
        noise_amount: float = Field(
            0.5,
            ge=0.0,
            le=10.0,
            description="Of gaussian noise the standard deviation, of the others the share of the values.",
            json_schema_extra=search(low=0.1, high=0.9),
        )
        sparsity: float = Field(
            0.0,
            ge=0.0,
            le=1000.0,
            description="Weight of the code's sparsity penalty in the loss.",
            json_schema_extra=search(low=1e-6, high=1e-1, log=True),
        )
        sparsity_penalty: Literal["l1", "kl"] = Field(
            "l1",
            description="l1 makes the sum of absolute numbers small; kl brings each unit's mean near to "
            "sparsity_target, and needs code_activation sigmoid.",
            json_schema_extra=search(choices=["l1"]),
        )
        sparsity_target: float = Field(
            0.05,
            gt=0.0,
            lt=1.0,
            description="The mean activation that kl aims at.",
            json_schema_extra=search(low=0.01, high=0.2),
        )
        contraction: float = Field(
            0.0,
            ge=0.0,
            le=1000.0,
            description="Weight of the squared norm of the encoder's Jacobian in the loss.",
            json_schema_extra=search(low=1e-6, high=1e-1, log=True),
        )

        @model_validator(mode="after")
        def _suit_each_other(self) -> Self:
            if self.sparsity_penalty == "kl" and self.code_activation != "sigmoid":
                raise ValueError("sparsity_penalty kl needs code_activation sigmoid")
            if self.code_dim is None and not self.hidden_dims and not self.channels:
                raise ValueError("code_dim null needs hidden_dims or channels, of which the last is the code")
            return self

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        self.config, self.num_classes = config, 0
        self.loss = value_loss(config.loss, None, bounded=len(input_shape) == 3)
        self.encoder = Encoder(config, input_shape, config.code_dim)
        self.code_dim = self.encoder.num_outputs
        self.code_activation: nn.Module = nn.Identity()
        if config.code_dim is not None and config.code_activation != "linear":
            self.code_activation = activation(config.code_activation)
        self.decoder = Decoder(config, input_shape, config.code_dim, self.loss.num_outputs)
        initialize(self, config.initialization)

    def encode(self, x: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """Codes (N, D) of values as they are, without noise."""
        code_ND: Tensor = self.code_activation(self.encoder(x))
        return code_ND

    def decode(self, code_ND: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """The mean of the values' distribution."""
        values: Tensor = self.loss(self.decoder(code_ND))
        return values

    def judge(self, x: Tensor, labels_N: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The reconstruction, and its mean squared error as the score."""
        values = self(x)
        return values, (values - x).square().flatten(1).mean(dim=1)

    def phases(self, values_of: ValuesOf) -> list[Phase]:
        """One, over all parameters."""

        def step(batch: Batch) -> dict[str, Tensor]:
            x = values_of(batch)
            disturbed = corrupted(x, self.config.noise, self.config.noise_amount)
            code_ND = self.encode(disturbed)
            reconstruction = self.loss.each(self.decoder(code_ND), x).mean()
            parts = self._penalties(disturbed, code_ND)
            return {
                "loss": reconstruction + sum(weight * part for weight, part in parts.values()),
                "reconstruction": reconstruction,
                **{name: part for name, (_, part) in parts.items()},
            }

        return [Phase(list(self.parameters()), step)]

    def _penalties(self, x: Tensor, code_ND: Tensor) -> dict[str, tuple[float, Tensor]]:
        """Those that there are, each with its weight."""
        config, parts = self.config, {}
        if config.sparsity:
            is_l1 = config.sparsity_penalty == "l1"
            part = penalties.l1_sparsity(code_ND) if is_l1 else penalties.kl_sparsity(code_ND, config.sparsity_target)
            parts["sparsity"] = config.sparsity, part
        if config.contraction:
            parts["contraction"] = config.contraction, self.jacobian_norm(x).mean()
        return parts

    def jacobian_norm(self, x: Tensor) -> Tensor:
        """The squared Frobenius norm (N,) of the encoder's Jacobian at each input."""
        if self.config.channels or self.config.hidden_dims:
            return penalties.contraction(self.encode, x)
        (layer,) = self.encoder.dense
        return penalties.contraction_of_layer(cast(nn.Linear, layer), self.code_activation, x.flatten(1))

    def validate(self, values_of: ValuesOf, batch: Batch) -> dict[str, Tensor]:
        """The loss, and the mean squared error, of inputs with noise, the same at each validation."""
        x = values_of(batch)
        outputs = self.decoder(self.encode(self._disturbed_evenly(x)))
        return {"loss": self.loss.each(outputs, x).mean(), "mse": (self.loss(outputs) - x).square().mean()}

    def quality(self, x: Tensor, labels_N: Tensor | None = None) -> dict[str, Tensor]:
        """How sparse the code is, how far it follows the input and how far noise is taken away, if there was some."""
        found = {"code_sparsity": penalties.hoyer_sparsity(self.encode(x)), "jacobian_norm": self.jacobian_norm(x)}
        if self.config.noise != "none":
            noisy = self._disturbed_evenly(x)
            for name, values in (("noisy_mse", noisy), ("denoised_mse", self(noisy))):
                found[name] = (values - x).square().flatten(1).mean(dim=1)
        return found

    def _disturbed_evenly(self, x: Tensor) -> Tensor:
        generator = torch.Generator(x.device).manual_seed(0)
        return corrupted(x, self.config.noise, self.config.noise_amount, generator)
